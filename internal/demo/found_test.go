package demo

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

func TestFound_SignedByAllAndReadBack(t *testing.T) {
	dir := t.TempDir()
	l, err := Found(dir, false, 8101, time.Unix(1770000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	d, err := federation.NewDirectory(nil, l.Charter)
	if err != nil {
		t.Fatalf("charter: %v", err)
	}
	if len(d.Active()) != 7 || !d.Synthetic() {
		t.Fatalf("%d members, synthetic %v", len(d.Active()), d.Synthetic())
	}
	again, err := Found(dir, false, 8101, time.Now())
	if err != nil || again.Founded || string(again.Charter) != string(l.Charter) {
		t.Fatalf("second start founded anew (%v, %v)", again.Founded, err)
	}
	fresh, err := Found(dir, true, 8101, time.Now())
	if err != nil || !fresh.Founded || string(fresh.Charter) == string(l.Charter) {
		t.Fatalf("--fresh kept the old federation (%v)", err)
	}
}

func TestFound_RefusesARealCharter(t *testing.T) {
	dir := t.TempDir()
	k, err := federation.GenerateKeys(rand.Reader, "310116-01", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	req, err := federation.NewRequest(k, federation.Entry{Name: "测", Address: "https://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	note, err := federation.Found(rand.Reader, federation.Founding{Name: "测", Day: record.CivilDay(time.Now())}, req)
	if err != nil {
		t.Fatal(err)
	}
	if note, err = federation.Sign(note, "310116-01", k.Signer()); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, charterFile)
	if err := node.WriteDurably(name, note, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, fresh := range []bool{false, true} {
		if _, err := Found(dir, fresh, 8101, time.Now()); !errors.Is(err, ErrRealCharter) {
			t.Fatalf("fresh %v: got %v", fresh, err)
		}
	}
	if _, err := os.Stat(name); err != nil {
		t.Fatal("the real charter is gone")
	}
}
