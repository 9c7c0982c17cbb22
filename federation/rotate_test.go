package federation_test

import (
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
)

// A key file keeps the older keys, by which a member that has not heard of a statement still knows this one.
func TestKeys_As(t *testing.T) {
	a := ally(t, 2, true)
	d, k := a.directory(0), a.keys[0]
	founded, _ := d.Member(k.Member)
	entries := []federation.Member{founded}
	for range 2 {
		sg := k.Signer()
		must(t, k.RotateSign(a.random))
		must(t, k.RotateTLS(a.random, time.Unix(0, 0)))
		must(t, k.RotateKEM(a.random))
		spki, err := k.SPKI()
		must(t, err)
		note, err := d.NextStatement(federation.Statement{Member: k.Member, Kind: federation.Rotate, Key: k.Signer().Public(), TLS: spki, KEM: k.KEMPublic()}, sg, false)
		must(t, err)
		_, err = d.AddStatement(note)
		must(t, err)
		e, _ := d.Member(k.Member)
		entries = append(entries, e)
	}
	b, err := k.Encode()
	must(t, err)
	read, err := federation.DecodeKeys(b)
	must(t, err)
	for i, e := range entries {
		was, ok := read.As(e)
		if !ok {
			t.Fatalf("entry %d: its keys are not in the file", i)
		}
		spki, err := was.SPKI()
		must(t, err)
		if spki != e.TLS || !was.Signer().Public().Equal(e.Sign[len(e.Sign)-1].Key) {
			t.Errorf("entry %d: other keys", i)
		}
	}
	before := d.Before()
	if len(before) != 2 || before[0].TLS != entries[1].TLS || before[1].TLS != entries[0].TLS {
		t.Errorf("%d entries before, or in another order", len(before))
	}
	if _, ok := read.As(before[0]); !ok {
		t.Error("the last entry before is not in the file")
	}
	other, _ := d.Member(a.code(1))
	if _, ok := read.As(other); ok {
		t.Error("it passes for another member")
	}
	if _, ok := (&federation.Keys{Member: k.Member}).As(founded); ok {
		t.Error("lost keys are found")
	}
}
