package node

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// A restore into a database that is in use changes nothing beside it: no mark, and a confirmation stays.
func TestNode_RestoreOverANodeInUse(t *testing.T) {
	d := found(t, onHTTP, false, some(1)...)
	d.released()
	a := d.members[0]
	d.publish(a)
	cfg := d.nodes[a].cfg
	dir := filepath.Join(t.TempDir(), "backup")
	_, err := BackUp(t.Context(), cfg, dir, "")
	d.ok(err)
	d.stop(d.nodes[a])
	n := &Node{cfg: cfg}
	d.ok(os.WriteFile(n.confirmedFile(), []byte("{}"), 0o600))
	if _, err := Restore(t.Context(), cfg, dir, ""); !errors.Is(err, sqlstore.ErrNotEmpty) {
		t.Fatalf("restored over a node in use: %v", err)
	}
	if _, err := os.Stat(n.copyMarkFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark of a copy: %v", err)
	}
	if _, err := os.Stat(n.confirmedFile()); err != nil {
		t.Errorf("the confirmation: %v", err)
	}
}

// One backup that is restored a second time begins no audit stream anew: what the first restore wrote there had its places.
func TestNode_RestoredTwiceAuditsApart(t *testing.T) {
	d := found(t, onHTTP, false, some(1)...)
	d.released()
	a := d.members[0]
	d.publish(a)
	cfg := d.nodes[a].cfg
	dir := filepath.Join(t.TempDir(), "backup")
	_, err := BackUp(t.Context(), cfg, dir, "")
	d.ok(err)
	d.stop(d.nodes[a])
	for i, forget := range []string{"", "audit-begun", "restored.json"} { // a mark of before, and a copy that has rejoined
		if forget != "" {
			d.ok(os.Remove(filepath.Join(cfg.Data, forget)))
		}
		cfg.Database.DSN = filepath.Join(t.TempDir(), "pilin.db")
		_, err = Restore(t.Context(), cfg, dir, "")
		d.ok(err)
		n, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
		d.ok(err)
		if want := record.Stream(a, record.Audit+"."+number(uint64(i)+1)); n.audit != want {
			t.Errorf("after restore %d the audit goes on in %s", i+1, n.audit)
		}
		d.ok(n.Close())
	}
}
