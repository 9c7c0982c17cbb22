package node

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// copyOf copies a stopped member's data folder, as a thief or a careless image of the machine does, and returns a
// configuration on the copy.
func copyOf(t *testing.T, cfg Config) Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(cfg.Data)); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{keysFile, recoveryFile, storageFile} {
		if err := os.Chmod(filepath.Join(dir, f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Data, cfg.Database.DSN = dir, filepath.Join(dir, "pilin.db")
	cfg.Members.Listen = freePort(t)
	return cfg
}

// backDated signs one more record of the copy's member, months old, as whoever holds its keys and its whole database can,
// and returns it as the frame that Kafka would carry.
func (d *direct) backDated(cfg Config) []byte {
	d.t.Helper()
	n, err := Open(d.t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	d.ok(err)
	defer func() { d.ok(n.Close()) }()
	s := record.Stream(cfg.Member, record.Records)
	d.ok(n.store.Release(d.t.Context(), s))
	id, err := record.NewBits128(rand.Reader)
	d.ok(err)
	h, err := n.store.Head(d.t.Context(), s)
	d.ok(err)
	_, err = n.store.Append(d.t.Context(), record.Append{Drafts: []record.Draft{{Stream: s, ID: id, Type: "blacklist.person", Schema: "1", Day: "2026-01-02",
		Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{record.Body: []byte(`{}`)}}}})
	d.ok(err)
	gs, err := n.store.Groups(d.t.Context(), s, h.Size, 1)
	d.ok(err)
	fr, err := record.SealedFrame(n.dir.Federation(), gs[0], n.dir.EpochKey)
	d.ok(err)
	b, err := fr.Encode()
	d.ok(err)
	return b
}

// Somebody has a copy of a member's keys and database. The member revokes the key; what the thief dates back and signs
// with it is refused by everybody who has heard, and by who joins later; the member's own records go on.
func TestNode_StolenKey(t *testing.T) {
	d := found(t, onHTTP, false, some(3)...)
	d.released()
	a, b, c := d.members[0], d.members[1], d.members[2]
	s := record.Stream(a, record.Records)
	d.publish(a)
	d.publish(a)
	d.everywhere(a, 2)
	d.stop(d.nodes[a])
	forged := d.backDated(copyOf(t, d.nodes[a].cfg))
	recovery := filepath.Join(d.nodes[a].cfg.Data, recoveryFile)
	st, err := RecoverKeys(t.Context(), d.nodes[a].cfg, Lost{Recovery: recovery, Stolen: true})
	d.ok(err)
	if len(st.Taken) != 2 || st.From != 2 {
		t.Fatalf("stated from %d, taken by %v, not by %v", st.From, st.Taken, st.Missing)
	}
	for _, m := range []record.MemberID{b, c} {
		n := d.nodes[m]
		o := n.t.replicas.OfferBytes(t.Context(), a, forged, nil)
		if o.Result != exchange.Dropped || o.New != 0 || d.held(m, s) != 2 {
			t.Fatalf("%s: result %v (%s), %d records", m, o.Result, o.Why, d.held(m, s))
		}
	}
	d.again(a)
	d.released()
	d.publish(a)
	d.everywhere(a, 3)
	for _, m := range d.members {
		if got := d.verified(m)[s]; got != 3 {
			t.Errorf("%s proves %d records", m, got)
		}
	}
}

// The key was stolen before the last record, which is this member's own: from there on its signatures do not count, so
// the member signs those commit groups anew, and whoever joins later verifies the whole stream.
func TestNode_SignedAnew(t *testing.T) {
	d := found(t, onHTTP, false, some(3)...)
	d.released()
	a, s := d.members[0], record.Stream(d.members[0], record.Records)
	for range 3 {
		d.publish(a)
	}
	d.everywhere(a, 3)
	d.stop(d.nodes[a])
	from := uint64(4)
	if _, err := RecoverKeys(t.Context(), d.nodes[a].cfg, Lost{Recovery: filepath.Join(d.nodes[a].cfg.Data, recoveryFile), Stolen: true, From: &from}); !errors.Is(err, ErrBeyond) {
		t.Errorf("recovered from beyond the end: %v", err)
	}
	from = 1
	st, err := RecoverKeys(t.Context(), d.nodes[a].cfg, Lost{Recovery: filepath.Join(d.nodes[a].cfg.Data, recoveryFile), Stolen: true, From: &from})
	d.ok(err)
	if st.From != 1 || st.Resigned != 2 || len(st.Taken) != 2 {
		t.Fatalf("stated from %d, %d groups signed anew, taken by %v", st.From, st.Resigned, st.Taken)
	}
	d.again(a)
	d.released() // the others still show what the old key signed
	if got := d.verified(a)[s]; got != 3 {
		t.Fatalf("the member proves %d of its own records", got)
	}
	d.admit(newcomer)
	d.until("the newcomer has all three", func() bool { return d.held(newcomer, s) == 3 })
	d.publish(a)
	d.everywhere(a, 4)
	if got := d.verified(newcomer)[s]; got != 4 {
		t.Errorf("the newcomer proves %d records", got)
	}
}

// admit makes a bureau, lets enough members sign it in, and starts its node.
func (d *direct) admit(m record.MemberID) {
	d.t.Helper()
	cfg := Config{Member: m, Data: d.t.TempDir(), Members: Members{Listen: freePort(d.t)}, People: People{Listen: "127.0.0.1:0"}, UnsafeTest: true}
	id, err := Init(cfg.Data, m, federation.Entry{Name: string(m), Address: "https://" + cfg.Members.Listen, AgreementNo: "测1", PIPIANo: "测1", Retention: "测1"}, time.Now())
	d.ok(err)
	request, err := os.ReadFile(id.RequestFile)
	d.ok(err)
	first := d.nodes[d.members[0]]
	d.renew(func(prev []byte, statements [][]byte) ([]byte, error) {
		return federation.Admit(rand.Reader, prev, statements, day(prev), request)
	}, d.members[:federation.Quorum(len(d.members))]...)
	for _, other := range d.members {
		d.until("version at "+string(other), func() bool { return d.nodes[other].dir.IsActive(m) })
	}
	_, err = Join(d.t.Context(), cfg, first.dir.Versions(1)...)
	d.ok(err)
	n, err := Open(d.t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	d.ok(err)
	d.nodes[m] = n
	d.members = append(d.members, m)
	d.wire(n)
	d.run(n)
}

// A key of the past is revoked from where the next one signs: lower would leave records without a key, higher would revoke
// nothing and say that it did.
func TestNode_RevokedFrom(t *testing.T) {
	d, a := stoppedAlone(t)
	cfg := d.nodes[a].cfg
	k, err := ReadKeys(cfg.Data)
	d.ok(err)
	key := KeyName(k.Signer().Public())
	_, err = RotateKeys(t.Context(), cfg, Change{Sign: true})
	d.ok(err)
	if _, err := RevokeKey(t.Context(), cfg, Revocation{Key: key, From: 3}); !errors.Is(err, ErrBeyond) {
		t.Errorf("from beyond the end: %v", err)
	}
	if _, err := RevokeKey(t.Context(), cfg, Revocation{Key: key, From: 1}); err == nil || errors.Is(err, ErrBeyond) {
		t.Errorf("from before the next key: %v", err)
	}
	st, err := RevokeKey(t.Context(), cfg, Revocation{Key: key, From: 2})
	if err != nil || st.Counter != 2 {
		t.Errorf("%+v %v", st, err)
	}
}
