package node

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// older restores a member from a backup that is two records old; nobody runs.
func older(t *testing.T, withKeys bool) (d *direct, cfg Config, recovery string) {
	t.Helper()
	d = found(t, onHTTP, false, three...)
	d.released()
	a := d.members[0]
	d.publish(a)
	d.everywhere(a, 1)
	dir, keys := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "keys")
	cfg = d.nodes[a].cfg
	recovery = filepath.Join(cfg.Data, recoveryFile)
	_, err := BackUp(t.Context(), cfg, dir, keys)
	d.ok(err)
	d.publish(a)
	d.publish(a)
	d.everywhere(a, 3)
	for _, m := range d.members {
		d.stop(d.nodes[m])
	}
	cfg.Data = t.TempDir()
	cfg.Database.DSN = filepath.Join(cfg.Data, "pilin.db")
	_, err = Restore(t.Context(), cfg, dir, keys)
	d.ok(err)
	if !withKeys {
		d.ok(os.Remove(filepath.Join(cfg.Data, keysFile)))
	}
	d.nodes[a].cfg = cfg
	return d, cfg, recovery
}

// comesBack starts all, confirms, and checks that the three records and a new one are proven everywhere.
func (d *direct) comesBack(renew bool) {
	d.t.Helper()
	a := d.members[0]
	for _, m := range d.members {
		d.again(m)
	}
	n := d.nodes[a]
	d.until("all is taken back", func() bool {
		w, err := Rejoin(d.t.Context(), n.cfg, false, false)
		return err == nil && w.ready() && w.Size == 3 && len(w.Silent) == 0
	})
	_, err := Rejoin(d.t.Context(), n.cfg, true, false)
	d.ok(err)
	d.until("rejoined", func() bool { return n.t.release.Released() && !n.isCopy() })
	if renew {
		d.renew(onlyRenew, d.members[:federation.Quorum(len(d.members))]...)
		for _, m := range d.members {
			d.until("version 2 at "+string(m), func() bool { return d.nodes[m].dir.Charter().Version == 2 })
		}
	}
	d.publish(a)
	d.everywhere(a, 4)
	for _, m := range d.members {
		if got := d.verified(m)[record.Stream(a, record.Records)]; got != 4 {
			d.t.Errorf("%s proves %d records", m, got)
		}
	}
}

// A restored copy states no new keys before it has rejoined: it would name a sequence that its old key has signed beyond.
func TestNode_NoRotationOfACopy(t *testing.T) {
	d, cfg, recovery := older(t, true)
	for _, c := range []Change{{Sign: true}, {Sign: true, Unheard: true}, {TLS: true}} {
		if _, err := RotateKeys(t.Context(), cfg, c); !errors.Is(err, ErrCopy) {
			t.Fatalf("%+v: %v", c, err)
		}
	}
	if _, err := RecoverKeys(t.Context(), cfg, Lost{Recovery: recovery, Unheard: true}); !errors.Is(err, ErrCopy) {
		t.Fatalf("recovered: %v", err)
	}
	k, err := ReadKeys(cfg.Data)
	d.ok(err)
	key := KeyName(k.Signer().Public())
	for what, do := range map[string]func() error{
		"revoke":  func() error { _, err := RevokeKey(t.Context(), cfg, Revocation{Key: key, From: 9}); return err },
		"address": func() error { _, err := ChangeAddress(t.Context(), cfg, "https://127.0.0.1:9"); return err },
		"leave":   func() error { _, err := Leave(t.Context(), cfg); return err },
		"version": func() error { _, err := OwnDirectory(t.Context(), cfg); return err },
		"sign":    func() error { _, err := SignCharter(cfg.Data, nil); return err },
	} {
		if err := do(); !errors.Is(err, ErrCopy) || !strings.HasPrefix(err.Error(), "restored_copy: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Whom the key file still lets ask says what there is: a sequence that nobody reaches is refused, or the log would stop
	// short of its key for ever.
	for _, m := range d.members[1:] {
		d.again(m)
	}
	beyond := uint64(4)
	for _, stolen := range []bool{false, true} {
		if _, err := RecoverKeys(t.Context(), cfg, Lost{Recovery: recovery, From: &beyond, Stolen: stolen}); !errors.Is(err, ErrBeyond) {
			t.Errorf("recovered from beyond the end: %v", err)
		}
	}
	for _, m := range d.members[1:] {
		d.stop(d.nodes[m])
	}
	d.comesBack(false)
}

// A copy that was put in place by hand and never started has no mark: the size that was released tells.
func TestNode_NoStatementBehindWhatIsReleased(t *testing.T) {
	_, cfg, _ := older(t, true)
	n := &Node{cfg: cfg}
	for _, err := range []error{os.Remove(n.copyMarkFile()), WriteDurably(n.releasedFile(), []byte("3\n"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for what, do := range map[string]func() error{
		"address": func() error { _, err := ChangeAddress(t.Context(), cfg, "https://127.0.0.1:9"); return err },
		"version": func() error { _, err := OwnDirectory(t.Context(), cfg); return err },
	} {
		if err := do(); !errors.Is(err, ErrBehind) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A member that lost machine and key file comes back: the operator names the size that the others hold, the new key signs
// from there on, and what lies before is taken back under the old one.
func TestNode_RecoveryOfACopy(t *testing.T) {
	d, cfg, recovery := older(t, false)
	low, from := uint64(0), uint64(3)
	for _, l := range []Lost{{}, {Unheard: true}, {From: &low}, {From: &low, Stolen: true}} {
		l.Recovery, l.All = recovery, true
		if _, err := RecoverKeys(t.Context(), cfg, l); err == nil {
			t.Fatalf("recovered by %+v", l)
		}
	}
	st, err := RecoverKeys(t.Context(), cfg, Lost{Recovery: recovery, All: true, From: &from})
	d.ok(err)
	if st.From != 3 {
		t.Fatalf("stated from %d", st.From)
	}
	for _, m := range d.members[1:] {
		_, err := TakeNotes(t.Context(), d.nodes[m].cfg, st.Statements...)
		d.ok(err)
	}
	d.comesBack(true)
}
