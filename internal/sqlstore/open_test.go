package sqlstore_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// Open questions are kept over a restart and end with their time, on both databases.
func TestStore_OpenQuestions(t *testing.T) {
	for name, database := range map[string]func(*testing.T, *sqlstore.Config){
		"sqlite": func(t *testing.T, c *sqlstore.Config) {
			c.Driver, c.DSN = "sqlite", filepath.Join(t.TempDir(), "pilin.db")
		},
		"postgres": func(t *testing.T, c *sqlstore.Config) { c.Driver, c.DSN = "postgres", testsvc.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := sit(t, func(c *sqlstore.Config) { database(t, c) })
			ask := func(i byte, until int64, state string) federation.KeptAsk {
				k := federation.KeptAsk{ID: record.Bits128{i}, Until: until, State: []byte(state)}
				d.ok(d.PutOpen(d.ctx, k))
				return k
			}
			want := func(what string, now int64, kept ...federation.KeptAsk) {
				t.Helper()
				got, err := d.OpenAsks(d.ctx, now)
				d.ok(err)
				if !slices.EqualFunc(got, kept, func(a, b federation.KeptAsk) bool {
					return a.ID == b.ID && a.Until == b.Until && bytes.Equal(a.State, b.State)
				}) {
					t.Errorf("%s: %d questions, want %d", what, len(got), len(kept))
				}
			}
			now := d.cfg.Now().Unix()
			late, soon, third := ask(1, now+300, "one"), ask(2, now+100, "two"), ask(3, now+200, "three")
			want("kept", now, soon, third, late)
			third = ask(3, now+200, "three, told anew")
			want("told anew", now, soon, third, late)
			d.ok(d.DropOpen(d.ctx, late.ID))
			d.ok(d.DropOpen(d.ctx, late.ID)) // again is no error
			want("ended", now, soon, third)
			want("at its end", now+100, third)
			want("its time does not come back", now, third)
			d.ok(d.PutOpen(d.ctx, federation.KeptAsk{ID: record.Bits128{4}, Until: now, State: []byte("over")}))
			d.ok(d.Maintain(d.ctx))
			want("pruned hourly", 0, third)
		})
	}
}

// What was asked is nowhere in the files once its question has ended.
func TestSQLite_AnEndedQuestionIsNowhere(t *testing.T) {
	for name, end := range map[string]func(*desk, record.Bits128) error{
		"dropped": func(d *desk, id record.Bits128) error { return d.DropOpen(d.ctx, id) },
		"told anew without it": func(d *desk, id record.Bits128) error {
			return errors.Join(d.PutOpen(d.ctx, federation.KeptAsk{ID: id, Until: 1 << 40, State: []byte("less")}), d.Maintain(d.ctx))
		},
		"over at the next start": func(d *desk, _ record.Bits128) error {
			_, err := d.OpenAsks(d.ctx, 1<<41)
			return err
		},
		"over, by the hourly job": func(d *desk, id record.Bits128) error {
			return errors.Join(d.PutOpen(d.ctx, federation.KeptAsk{ID: id, Until: 1, State: []byte("CANARY-310117")}), d.Maintain(d.ctx))
		},
	} {
		d := sit(t, inClear)
		k := federation.KeptAsk{ID: record.Bits128{1}, Until: 1 << 40, State: []byte("CANARY-310117")}
		d.ok(d.PutOpen(d.ctx, k))
		if !inFiles(t, d.cfg.DSN, "CANARY-310117") {
			t.Fatal("the search does not find what is there")
		}
		d.ok(end(d, k.ID))
		if inFiles(t, d.cfg.DSN, "CANARY-310117") {
			t.Errorf("%s: still in the files", name)
		}
	}
}

// Changes names what a record touches, and says when its content is not for this node.
func TestStore_Changes(t *testing.T) {
	d := sit(t, nil)
	stream := record.Stream(recordtest.Self, record.Records)
	one, two := d.Draft(recordtest.Self, record.Records), d.Draft(recordtest.Self, record.Records)
	d.append(one)
	d.append(two)
	three := d.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Follows, ID: one.ID, Version: 1})
	d.append(three)
	got, err := d.Changes(d.ctx, stream, 1, 10)
	d.ok(err)
	if len(got) != 2 || got[0].Subject != two.ID || got[0].Version != 1 || got[0].Seq != 1 || got[1].Subject != one.ID || got[1].Version != 2 || got[1].Veiled {
		t.Errorf("%+v", got)
	}
	if got, err = d.Changes(d.ctx, stream, 0, 2); err != nil || len(got) != 2 || got[1].Seq != 1 {
		t.Errorf("%v %+v", err, got)
	}
	if got, err = d.Changes(d.ctx, stream, 3, 2); err != nil || len(got) != 0 {
		t.Errorf("%v %+v", err, got)
	}
	// A copy of a member that gets the card alone.
	for level, veiled := range map[record.Level]bool{record.L1: true, record.L2: true, record.L3: false} {
		k := recordtest.NewKit(5)
		origin := openSQLite(t, k.Config(recordtest.Self))
		d.ok(origin.Release(d.ctx, stream))
		peer := openSQLite(t, k.Config(recordtest.Peer)).(*sqlstore.Store)
		dr := k.Draft(recordtest.Self, record.Records)
		for g := range dr.Audience {
			dr.Audience[g] = level
		}
		_, err := origin.Append(d.ctx, record.Append{Drafts: []record.Draft{dr}})
		d.ok(err)
		k.Copy(t, origin, peer, recordtest.Peer, stream, nil)
		got, err := peer.Changes(d.ctx, stream, 0, 10)
		d.ok(err)
		if len(got) != 1 || got[0].Veiled != veiled || veiled != (got[0].Type == dr.Type) {
			t.Errorf("%s: %+v", level, got)
		}
	}
}
