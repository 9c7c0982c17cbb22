package sqlstore_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// project has a state for each relation and no row for what was erased.
func project(all []record.Stored) (sqlstore.Row, bool) {
	last := all[len(all)-1].Meaning
	_, version := last.Subject()
	row := sqlstore.Row{Type: all[0].Meaning.Type, Version: version, State: "published", ValidUntil: "2027-01-01"}
	if ref, ok := last.Change(); ok {
		row.State = string(ref.Rel)
	}
	return row, row.State != string(record.Erases)
}

func projected(c *sqlstore.Config) { c.Project = project }

func (d *desk) list(f sqlstore.Filter) []record.RecordID {
	d.Helper()
	if f.Stream == "" {
		f.Stream = record.Stream(recordtest.Self, record.Records)
	}
	if f.Limit == 0 {
		f.Limit = 50
	}
	items, err := d.List(d.ctx, f)
	d.ok(err)
	var ids []record.RecordID
	for _, it := range items {
		ids = append(ids, it.Subject)
	}
	return ids
}

func TestStore_ListFollowsTheRecords(t *testing.T) {
	d := sit(t, projected)
	drafts := make([]record.Draft, 5)
	for i := range drafts {
		drafts[i] = d.Draft(recordtest.Self, record.Records)
		drafts[i].Day = []string{"2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"}[i]
	}
	drafts[4].Type = "other"
	d.append(drafts...)
	change := func(i int, rel record.Relation, version uint64) {
		dr := d.Draft(recordtest.Self, record.Records, record.Ref{Rel: rel, ID: drafts[i].ID, Version: version})
		dr.Day = "2026-04-01"
		d.append(dr)
	}
	change(1, record.Withdraws, 1)
	change(0, record.Supersedes, 1)
	want := func(what string, f sqlstore.Filter, subjects ...int) {
		t.Helper()
		var ids []record.RecordID
		for _, i := range subjects {
			ids = append(ids, drafts[i].ID)
		}
		if got := d.list(f); !slices.Equal(got, ids) {
			t.Errorf("%s: %v, want %v", what, got, ids)
		}
	}
	want("newest change first", sqlstore.Filter{}, 0, 1, 4, 3, 2)
	want("a type", sqlstore.Filter{Type: "other"}, 4)
	want("a state", sqlstore.Filter{State: "withdraws"}, 1)
	want("days of the first record", sqlstore.Filter{DayFrom: "2026-03-02", DayTo: "2026-03-03"}, 1, 2)
	want("a page", sqlstore.Filter{Limit: 2}, 0, 1)
	want("the next page", sqlstore.Filter{Limit: 2, AfterSeq: 5}, 4, 3)
	want("another stream", sqlstore.Filter{Stream: record.Stream(recordtest.Self, record.Local)})
	change(0, record.Erases, 2)
	want("what has no read model any more", sqlstore.Filter{}, 1, 4, 3, 2)
}

// An export asks for thousands in one list and says so when there are more: a list that quietly ended earlier left people out
// of a file that looked whole.
func TestStore_ListIsAsLongAsItWasAskedFor(t *testing.T) {
	d := sit(t, projected)
	for range 7 {
		drafts := make([]record.Draft, 29)
		for i := range drafts {
			drafts[i] = d.Draft(recordtest.Self, record.Records)
		}
		d.append(drafts...)
	}
	if got := len(d.list(sqlstore.Filter{Limit: 202})); got != 202 {
		t.Errorf("%d of 202", got)
	}
}

// What is still valid on a day is found by its end, the next end first: plans for months ahead do not hide this week's.
func TestStore_ListByTheEndOfValidity(t *testing.T) {
	ends := map[record.RecordID]string{}
	d := sit(t, func(c *sqlstore.Config) {
		c.Project = func(all []record.Stored) (sqlstore.Row, bool) {
			row, ok := project(all)
			row.ValidUntil = ends[all[0].Meaning.ID]
			return row, ok
		}
	})
	var drafts []record.Draft
	for _, end := range []string{"2026-03-15", "2026-03-08", "2026-03-22", "", "2026-03-15"} {
		dr := d.Draft(recordtest.Self, record.Records)
		ends[dr.ID] = end
		drafts = append(drafts, dr)
	}
	d.append(drafts...)
	if got, want := d.list(sqlstore.Filter{ValidOn: "2026-03-15"}), []record.RecordID{drafts[4].ID, drafts[0].ID, drafts[2].ID}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The read model of a tail goes and comes with it.
func TestStore_ListFollowsATail(t *testing.T) {
	d := sit(t, projected)
	stream := record.Stream(recordtest.Self, record.Records)
	d.ok(d.Release(d.ctx, stream))
	signed := d.Draft(recordtest.Self, record.Records)
	d.append(signed)
	d.ok(d.Close())
	d.Store = open(t, d.cfg)
	tail := d.Draft(recordtest.Self, record.Records)
	d.append(tail, d.Draft(recordtest.Self, record.Records, record.Ref{Rel: record.Withdraws, ID: signed.ID, Version: 1}))
	drafts, err := d.Unreleased(d.ctx, stream)
	d.ok(err)
	if got := d.list(sqlstore.Filter{State: "published"}); !slices.Equal(got, []record.RecordID{signed.ID}) {
		t.Fatalf("without the tail %v", got)
	}
	d.append(drafts...)
	if got := d.list(sqlstore.Filter{State: "published"}); !slices.Equal(got, []record.RecordID{tail.ID}) {
		t.Fatalf("with the tail %v", got)
	}
}

// Idempotency answers are kept for thirty days, one-use ids until five minutes after their expiry.
func TestStore_MaintainKeepsWhatItMust(t *testing.T) {
	d := sit(t, nil)
	a := record.Append{Drafts: []record.Draft{d.Draft(recordtest.Self, record.Audit)}, Scope: "p", Key: "k", Uses: []record.Use{{Kind: "jti", ID: "a", Expires: d.Clock.Unix()}}}
	_, err := d.Append(d.ctx, a)
	d.ok(err)
	for _, step := range []struct {
		after time.Duration
		floor bool
		kept  bool
	}{{4 * time.Minute, false, true}, {6 * time.Minute, true, true}, {29 * 24 * time.Hour, true, true}, {31 * 24 * time.Hour, true, false}} {
		begin := d.Clock
		d.Clock = begin.Add(step.after)
		d.ok(d.Maintain(d.ctx))
		floor, err := d.Floor(d.ctx)
		d.ok(err)
		_, _, err = d.Answered(d.ctx, "p", "k")
		if (floor == begin.Unix()) != step.floor || (err == nil) != step.kept {
			t.Errorf("after %s: floor %d, answer %v", step.after, floor, err)
		}
		d.Clock = begin
	}
}

// Every audit record begins a subject without a read model: its commit has no statement for that, however many share it.
func TestSQLite_NothingIsDeletedForASubjectThatBegins(t *testing.T) {
	d := sit(t, func(c *sqlstore.Config) {
		c.Driver, c.DSN = "sqlite", filepath.Join(t.TempDir(), "pilin.db")
		c.Project = func([]record.Stored) (sqlstore.Row, bool) { return sqlstore.Row{}, false }
	})
	a := d.append(d.Draft(recordtest.Self, record.Audit))
	st, err := d.Record(d.ctx, a.Records[0].ID)
	d.ok(err)
	d.ok(d.ProjectBegun(d.ctx, st))
}
