package sqlstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

func onPostgres(t *testing.T) func(*sqlstore.Config) {
	dsn := testsvc.Postgres(t)
	return func(c *sqlstore.Config) { c.Driver, c.DSN, c.Project = "postgres", dsn, project }
}

// A round trip costs more than a row: what a daily append, an apply and a read of groups cost is known, and a commit group
// of two hundred changes costs no more than one of one.
func TestPostgres_StatementsOfADay(t *testing.T) {
	d := sit(t, onPostgres(t))
	own := record.Stream(recordtest.Self, record.Records)
	d.ok(d.Release(d.ctx, own))
	d.append(d.Draft(recordtest.Self, record.Records), d.Draft(recordtest.Self, record.Audit)) // the streams exist
	n, err := d.CountStatements()
	d.ok(err)
	count := func(what string, most int64, f func()) {
		t.Helper()
		before := n.Load()
		f()
		if got := n.Load() - before; got > most {
			t.Errorf("%s took %d statements, want %d at most", what, got, most)
		}
	}
	count("an audit record with its answer and a used id", 7, func() {
		_, err := d.Append(d.ctx, record.Append{Drafts: []record.Draft{d.Draft(recordtest.Self, record.Audit)}, Scope: "p", Key: "k",
			Uses: []record.Use{{Kind: "jti", ID: "a", Expires: d.Clock.Unix() + 60}}})
		d.ok(err)
	})
	count("a used id", 5, func() { d.ok(d.Use(d.ctx, record.Use{Kind: "jti", ID: "b", Expires: d.Clock.Unix() + 60})) })
	var begun, changes []record.Draft
	for range record.MaxGroupRecords {
		b := d.Draft(recordtest.Self, record.Records)
		begun = append(begun, b)
		changes = append(changes, d.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Follows, ID: b.ID, Version: 1}))
	}
	count("two hundred records", 7, func() { d.append(begun...) })
	count("two hundred changes, and a tile", 11, func() { d.append(changes...) })
	count("groups", 2, func() {
		_, err := d.Groups(d.ctx, own, 1, 10)
		d.ok(err)
	})
	count("heads", 0, func() {
		_, err := d.Heads(d.ctx)
		d.ok(err)
	})

	peer := d.Kit.Config(recordtest.Peer)
	cfg := config(peer)
	onPostgres(t)(&cfg)
	to := open(t, cfg)
	n, err = to.CountStatements()
	d.ok(err)
	d.Copy(t, d.Store, to, recordtest.Peer, own, nil)
	d.append(d.Draft(recordtest.Self, record.Records))
	f := d.Follower(t, to, recordtest.Peer, own, nil)
	gs, err := d.Groups(d.ctx, own, 2*record.MaxGroupRecords+1, 1)
	d.ok(err)
	fr, err := record.SealedFrame(d.Federation, gs[0], d.Key)
	d.ok(err)
	a := f.Offer(fr, "kafka").Apply
	a.Cursor = &record.Cursor{Topic: "t", Offset: 7}
	count("an apply of one record", 5, func() { d.ok(to.Apply(d.ctx, *a)) })
}

// Statements that run together fail together, and one that must change a row and does not is ErrStale, on both databases.
func TestStore_TogetherIsStale(t *testing.T) {
	for name, on := range map[string]func(*testing.T) func(*sqlstore.Config){"sqlite": func(*testing.T) func(*sqlstore.Config) { return nil }, "postgres": onPostgres} {
		t.Run(name, func(t *testing.T) {
			d := sit(t, on(t))
			if err := d.Together(d.ctx, "no such stream"); !errors.Is(err, record.ErrStale) {
				t.Fatalf("a head that is not there was changed: %v", err)
			}
			if _, err := d.Cursor(d.ctx, "t"); !errors.Is(err, record.ErrNotFound) {
				t.Fatalf("what ran together with a stale head is stored: %v", err)
			}
			d.append(d.Draft(recordtest.Self, record.Audit))
			d.ok(d.Together(d.ctx, record.Stream(recordtest.Self, record.Audit)))
			if c, err := d.Cursor(d.ctx, "t"); err != nil || c.Offset != 12 {
				t.Fatalf("parameters of statements that run together: %+v, %v", c, err)
			}
		})
	}
}

// Tables that change under a prepared statement cost its next run, not the connection.
func TestPostgres_PreparedAgain(t *testing.T) {
	d := sit(t, onPostgres(t))
	for i := range 3 {
		d.append(d.Draft(recordtest.Self, record.Audit))
		d.ok(d.Exec(d.ctx, fmt.Sprintf("ALTER TABLE record ALTER COLUMN unusable SET DEFAULT '%d'", i)))
		if _, err := d.Groups(d.ctx, record.Stream(recordtest.Self, record.Audit), 0, 10); err != nil {
			t.Fatal(err)
		}
	}
	if size := d.size(record.Audit); size != 3 {
		t.Fatalf("%d of 3 records", size)
	}
}
