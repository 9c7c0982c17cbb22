package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// desk is a kit, a store of its Self, and shorthands.
type desk struct {
	*testing.T
	*recordtest.Kit
	*sqlstore.Store
	cfg sqlstore.Config
	ctx context.Context
}

func sit(t *testing.T, change func(*sqlstore.Config)) *desk {
	k := recordtest.NewKit(5)
	cfg := config(k.Config(recordtest.Self))
	cfg.Driver, cfg.DSN = "sqlite", filepath.Join(t.TempDir(), "pilin.db")
	if change != nil {
		change(&cfg)
	}
	return &desk{T: t, Kit: k, Store: open(t, cfg), cfg: cfg, ctx: t.Context()}
}

// inClear lets content stand in the database unsealed, for tests that search its files for what was deleted.
func inClear(c *sqlstore.Config) { c.Keys = nil }

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) append(drafts ...record.Draft) record.Appended {
	d.Helper()
	a, err := d.Append(d.ctx, record.Append{Drafts: drafts})
	d.ok(err)
	return a
}

func (d *desk) size(name string) uint64 {
	d.Helper()
	h, err := d.Head(d.ctx, record.Stream(recordtest.Self, name))
	d.ok(err)
	return h.Size
}

// The answer to a COMMIT got lost: the store finds out what became of it, and a record is there once, whichever it was.
func TestStore_LostCommitIsFoundOut(t *testing.T) {
	for _, effect := range []bool{true, false} {
		t.Run(fmt.Sprintf("took effect %v", effect), func(t *testing.T) {
			d := sit(t, nil)
			d.LoseCommit(effect, errors.New("connection reset"))
			draft := d.Draft(recordtest.Self, record.Records)
			a, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{draft}, Scope: "p", Key: "k",
				Answer: func(a record.Appended) ([]byte, error) { return []byte(a.Records[0].Leaf.String()), nil }})
			d.ok(err)
			st, err := d.Record(d.ctx, draft.ID)
			d.ok(err)
			kept, _, err := d.Answered(d.ctx, "p", "k")
			d.ok(err)
			if d.size(record.Records) != 1 || st.Leaf != a.Records[0].Leaf || !bytes.Equal(kept, a.Answer) {
				t.Fatalf("told %+v, stored %d records, leaf %s, answer %q", a, d.size(record.Records), st.Leaf, kept)
			}
		})
	}
	t.Run("nothing tells", func(t *testing.T) { // a used id alone: the caller is told that nobody knows, not that it failed
		d := sit(t, nil)
		d.LoseCommit(true, errors.New("connection reset"))
		err := d.Use(d.ctx, record.Use{Kind: "jti", ID: "a", Expires: d.Clock.Unix()})
		if !errors.Is(err, record.ErrOutcomeUnknown) || errors.Is(err, record.ErrStorageFull) || errors.Is(err, record.ErrReplayed) {
			t.Fatalf("got %v", err)
		}
	})
}

// A bit that flips between what was sealed and what the database holds is found before it is signed.
func TestStore_FlippedBitIsNotSigned(t *testing.T) {
	d := sit(t, nil)
	d.append(d.Draft(recordtest.Self, record.Audit))
	d.ok(d.Exec(d.ctx, `CREATE TRIGGER flip AFTER INSERT ON record BEGIN UPDATE record SET header = CAST(replace(CAST(header AS TEXT), '"schema":"1"', '"schema":"3"') AS BLOB) WHERE stream=NEW.stream AND seq=NEW.seq; END`))
	if _, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{d.Draft(recordtest.Self, record.Audit)}}); err == nil {
		t.Fatal("a header was signed that is not the one that was written")
	}
	if d.size(record.Audit) != 1 {
		t.Fatal("the flipped header is in the log")
	}
	d.ok(d.Exec(d.ctx, "DROP TRIGGER flip"))
	d.append(d.Draft(recordtest.Self, record.Audit))
}

// The same for groups that were stored before the release: they are signed over their headers as they are then.
func TestStore_FlippedTailIsNotReleased(t *testing.T) {
	d := sit(t, nil)
	d.append(d.Draft(recordtest.Self, record.Records))
	d.append(d.Draft(recordtest.Self, record.Records))
	d.ok(d.Exec(d.ctx, `UPDATE record SET header = CAST(replace(CAST(header AS TEXT), '"schema":"1"', '"schema":"3"') AS BLOB) WHERE seq=1`))
	if err := d.Release(d.ctx, record.Stream(recordtest.Self, record.Records)); err == nil {
		t.Fatal("released over a header that changed")
	}
	if h, err := d.Head(d.ctx, record.Stream(recordtest.Self, record.Records)); err != nil || h.Signed != 0 {
		t.Fatalf("head %+v, %v", h, err)
	}
}

// A full disk is told as such, nothing of the refused append is there, and with room again the same process goes on.
func TestSQLite_FullDiskRecovers(t *testing.T) {
	d := sit(t, nil)
	d.append(d.Draft(recordtest.Self, record.Audit))
	d.ok(d.Exec(d.ctx, "PRAGMA max_page_count=1")) // SQLite takes the present size for the least
	big := d.Draft(recordtest.Self, record.Audit)
	big.Parts[record.Body] = bytes.Repeat([]byte("x"), 200<<10)
	for range 3 {
		if _, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{big}}); !errors.Is(err, record.ErrStorageFull) {
			t.Fatalf("got %v on a full disk", err)
		}
		if d.size(record.Audit) != 1 {
			t.Fatal("a refused append left something")
		}
	}
	d.ok(d.Exec(d.ctx, "PRAGMA max_page_count=1000000"))
	d.append(big)
	if d.size(record.Audit) != 2 {
		t.Fatal("the append after the full disk is not there")
	}
}

// Close waits for what is queued: nobody is left without an outcome.
func TestStore_CloseWaits(t *testing.T) {
	d := sit(t, nil)
	drafts := make([]record.Draft, 30)
	for i := range drafts {
		drafts[i] = d.Draft(recordtest.Self, record.Audit)
	}
	errs := make([]error, len(drafts))
	var wg sync.WaitGroup
	for i, dr := range drafts {
		wg.Go(func() { _, errs[i] = d.Append(d.ctx, record.Append{Drafts: []record.Draft{dr}}) })
	}
	d.ok(d.Close())
	wg.Wait()
	again := open(t, d.cfg)
	for i, dr := range drafts {
		if _, err := again.Record(d.ctx, dr.ID); (err == nil) != (errs[i] == nil) {
			t.Fatalf("append %d: told %v, found %v", i, errs[i], err)
		}
	}
}

// PostgreSQL is killed under running appends: what was acknowledged is there, what was refused as not written is not, and
// the process goes on when the server is back.
func TestDurablePostgres_KilledServer(t *testing.T) {
	server := testsvc.OwnPostgres(t)
	d := sit(t, func(c *sqlstore.Config) { c.Driver, c.DSN, c.UnsafeTest = "postgres", server.Database(), false })
	stream := record.Stream(recordtest.Self, record.Records)
	d.ok(d.Release(d.ctx, stream))
	type told struct {
		id  record.RecordID
		err error
	}
	var mu sync.Mutex
	var all []told
	for round := range 3 {
		stop := make(chan struct{})
		acked := make(chan struct{}, 1)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					dr := d.Draft(recordtest.Self, record.Records)
					_, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{dr}})
					mu.Lock()
					all = append(all, told{dr.ID, err})
					mu.Unlock()
					if err == nil {
						select {
						case acked <- struct{}{}:
						default:
						}
					}
				}
			})
		}
		for range 25 {
			<-acked
		}
		server.StopImmediate() // in the middle of it
		if round == 0 {
			if _, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{d.Draft(recordtest.Self, record.Records)}}); !errors.Is(err, record.ErrStorageFull) {
				t.Errorf("server is gone: got %v", err)
			}
		}
		server.Start()
		for range 5 {
			<-acked
		}
		close(stop)
		wg.Wait()
	}
	good := 0
	for _, x := range all {
		_, err := d.Record(d.ctx, x.id)
		switch {
		case x.err == nil && err != nil:
			t.Errorf("acknowledged record %s: %v", x.id, err)
		case errors.Is(x.err, record.ErrStorageFull) && err == nil:
			t.Errorf("record %s was told to be not written and is there", x.id)
		case x.err == nil:
			good++
		}
	}
	h, err := d.Head(d.ctx, stream)
	d.ok(err)
	hs, err := d.Leaves(d.ctx, stream, 0, h.Size)
	d.ok(err)
	tree := record.Tree{}
	for _, l := range hs {
		tree = tree.Add(l)
	}
	if good < 75 || h.Size < uint64(good) || h.Signed != h.Size || tree.Root() != h.Root || !slices.Equal(tree.Frontier, h.Frontier) {
		t.Fatalf("%d acknowledged, head %+v", good, h)
	}
}
