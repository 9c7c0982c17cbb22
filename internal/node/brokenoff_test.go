package node

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// signs reports whether the newest checkpoint of the own records is by the key that is in force for it.
func (d *direct) signs(cfg Config) bool {
	d.t.Helper()
	o, err := operate(d.t.Context(), cfg, true)
	d.ok(err)
	defer func() { d.ok(o.store.Close()) }()
	h, err := o.store.Head(d.t.Context(), o.own())
	d.ok(err)
	key, ok := o.dir.SignKey(o.own(), h.Signed-1)
	_, err = record.VerifyCheckpoint(h.Checkpoint, key)
	return ok && err == nil
}

// A recovery from a theft that ends behind the keeping of its statements has signed the own records anew.
func TestNode_RecoveryBrokenOff(t *testing.T) {
	d, a := stoppedAlone(t)
	cfg, from := d.nodes[a].cfg, uint64(1)
	d.ok(os.MkdirAll(filepath.Join(cfg.Data, fmt.Sprintf("%s-2.statement", a), "in the way"), 0o700))
	if _, err := RecoverKeys(t.Context(), cfg, Lost{Recovery: filepath.Join(cfg.Data, recoveryFile), Stolen: true, From: &from}); err == nil {
		t.Fatal("nothing broke it off")
	}
	if !d.signs(cfg) {
		t.Fatal("the own records are by the key that was revoked")
	}
}

// A node whose recovery was broken off before the signing signs at its next start.
func TestNode_SignedAnewAtStart(t *testing.T) {
	d, a := stoppedAlone(t)
	cfg := d.nodes[a].cfg
	d.stateOnly(cfg, 1)
	if d.signs(cfg) {
		t.Fatal("signed already")
	}
	d.again(a)
	d.released()
	if got := d.verified(a)[record.Stream(a, record.Records)]; got != 2 {
		t.Fatalf("it proves %d of its records", got)
	}
}

// stateOnly keeps the statements of a recovery from a theft and does nothing else.
func (d *direct) stateOnly(cfg Config, from uint64) {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(cfg.Data, recoveryFile))
	d.ok(err)
	_, key, err := federation.DecodeRecovery(b)
	d.ok(err)
	o, err := operate(d.t.Context(), cfg, true)
	d.ok(err)
	defer func() { d.ok(o.store.Close()) }()
	e, _ := o.dir.Member(cfg.Member)
	sts := []federation.Statement{{Member: cfg.Member, Kind: federation.Rotate, From: from}, {Member: cfg.Member, Kind: federation.Revoke, Key: e.Sign[0].Key, From: from}}
	d.ok(o.draw(Change{Sign: true}, &sts[0]))
	o.dir, err = o.directory(d.t.Context())
	d.ok(err)
	for _, st := range sts {
		note, err := o.dir.NextStatement(st, record.NewSigner(key), true)
		d.ok(err)
		_, err = o.dir.AddStatement(note)
		d.ok(err)
		d.ok(o.store.PutDocuments(d.t.Context(), []sqlstore.Document{{Kind: sqlstore.StatementDocument, Hash: sha256.Sum256(note), Note: note}}))
	}
}

// stoppedAlone is a federation of one that has published two records and was stopped.
func stoppedAlone(t *testing.T) (*direct, record.MemberID) {
	t.Helper()
	d := found(t, onHTTP, false, some(1)...)
	d.released()
	a := d.members[0]
	d.publish(a)
	d.publish(a)
	d.until("signed", func() bool { return d.verified(a)[record.Stream(a, record.Records)] == 2 })
	d.stop(d.nodes[a])
	return d, a
}
