package demo

import (
	"testing"
	"time"

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
		things(t, d)
		if t.Failed() {
			t.Fatalf("decision %s", d.No)
		}
	}
	for _, day := range []int{0, 2, 3} { // a Friday, a Sunday, a Monday
		r, err := Bureaux[6].Roster(time.Date(2026, 3, 13+day, 1, 0, 0, 0, time.UTC), time.Date(2026, 3, 13, 1, 0, 0, 0, time.UTC))
		valid(t, "duty_roster", r, err)
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

// things checks what is listed beside a person.
func things(t *testing.T, d Decision) {
	t.Helper()
	const penalty, person = "00000000000000000000000000000001", "00000000000000000000000000000002"
	if d.Premises != (Premises{}) {
		p, err := d.PremisesEntry(penalty, person)
		valid(t, "blacklist.premises", p, err)
	}
	if d.Handle != (Handle{}) {
		p, err := d.HandleEntry(penalty, person, "")
		valid(t, "blacklist.handle", p, err)
	}
	if d.Institution != (Institution{}) {
		p, err := d.InstitutionEntry(penalty, person)
		valid(t, "blacklist.institution", p, err)
	}
}

// TestBackground_premises_and_handles: 60 and 120 among 400 (domain.md §7.2), each value once.
func TestBackground_premises_and_handles(t *testing.T) {
	premises, handles, kinds := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, d := range Background(400, 1) {
		if d.Premises != (Premises{}) {
			premises[d.Premises.Address] = true
		}
		if d.Handle != (Handle{}) {
			handles[d.Handle.Value] = true
			kinds[d.Handle.Kind]++
		}
	}
	if len(premises) != 60 || len(handles) != 120 || len(kinds) != 3 {
		t.Errorf("%d premises, %d handles, %v", len(premises), len(handles), kinds)
	}
}
