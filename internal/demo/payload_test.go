package demo

import (
	"testing"

	"github.com/pilinhub/pilin/schemas"
)

const asOf = "2026-03-13"

func valid(t *testing.T, typ string, payload []byte, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := schemas.Lookup(typ, "1")
	if !ok {
		t.Fatalf("no schema %s", typ)
	}
	for _, v := range s.Validate(payload, asOf) {
		t.Errorf("%s %s: %s", typ, v.Pointer, v.Code)
	}
}

// Every record that the demo loads is one that a liaison could have typed: the catalogue accepts it.
func TestPayloads_AreValidRecords(t *testing.T) {
	for _, d := range append(Background(420, 1), Story...) {
		p, err := d.Penalty()
		valid(t, "penalty", p, err)
		e, err := d.ListEntry("00000000000000000000000000000001")
		valid(t, "blacklist.person", e, err)
		if t.Failed() {
			t.Fatalf("decision %s", d.No)
		}
	}
	o, err := Operation(Bureaux[0], Bureaux[1:4], "2026-04-15")
	valid(t, "operation", o, err)
}

func TestBackground_SameSeedSameCast(t *testing.T) {
	a, b, c := Background(50, 7), Background(50, 7), Background(50, 8)
	same := true
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("decision %d differs for the same seed", i)
		}
		same = same && a[i].Person == c[i].Person
	}
	if same {
		t.Fatal("another seed gave the same cast")
	}
}
