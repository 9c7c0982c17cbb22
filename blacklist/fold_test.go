package blacklist_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

var noPrivate = cmpopts.IgnoreUnexported(blacklist.Entry{})

// history makes a random history of one entry or penalty by legal steps and returns its subject.
func history(t *rapid.T, d *desk) blacklist.On {
	var on blacklist.On
	ops := ofEntries[:8]
	if rapid.Bool().Draw(t, "penalty") {
		on, ops = d.penalty(nil), ofPenalties
	} else {
		on = d.entry()
	}
	for range rapid.IntRange(0, 12).Draw(t, "steps") {
		op := rapid.SampledFrom(ops).Draw(t, "op")
		done, err := op.do(d, everybody, on)
		if err != nil {
			continue
		}
		if op.name == "correct" {
			if done, err = d.reg.Approve(ctx, reviewer, done.On); err != nil {
				t.Fatal(err)
			}
		}
		on = done.On
		d.now = d.now.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "days"))
	}
	return on
}

// replica is what another member of the same entitlement holds: nothing of home.
func replica(records []record.Stored) []record.Stored {
	out := slices.Clone(records)
	for i := range out {
		out[i].Parts = slices.DeleteFunc(slices.Clone(out[i].Parts), func(p record.StoredPart) bool { return p.Name == record.Home })
	}
	return out
}

var days = []string{"", "2026-03-02", "2026-08-01", "2028-08-28", "2028-08-29", "2099-01-01"}

// TestProperty_Fold: the order of records plays no part; what was folded step by step is what is folded at once; origin and
// replica agree; expiry is a function of the day.
func TestProperty_Fold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t, "fold")
		on := history(t, d)
		records, err := d.log.Subject(ctx, shared, on.ID)
		if err != nil {
			t.Fatal(err)
		}
		asOf := rapid.SampledFrom(days).Draw(t, "as of")
		want, err := blacklist.Fold(records, asOf)
		if err != nil {
			t.Fatal(err)
		}
		if want.Version != on.Version || len(want.History) != len(records) {
			t.Fatalf("version %d with %d lines, want %d", want.Version, len(want.History), on.Version)
		}
		got, err := blacklist.Fold(rapid.Permutation(records).Draw(t, "order"), asOf)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, noPrivate); diff != "" {
			t.Fatal(diff)
		}

		other, err := blacklist.Fold(replica(records), asOf)
		if err != nil {
			t.Fatal(err)
		}
		digest := func(e ...blacklist.Entry) [32]byte { return blacklist.Digest(e, asOf) }
		if digest(want) != digest(other) {
			t.Fatalf("origin %v, replica %v", want, other)
		}
		row, ok := blacklist.Project(rapid.Permutation(records).Draw(t, "row"))
		if !ok || asOf != "" && row.State(asOf) != want.State || row.Version != want.Version {
			t.Fatalf("row %+v, entry %v as of %s", row, want.State, asOf)
		}
	})
}

// TestProperty_Fold_grows: a read model that is told of one record after the other ends where one that is made again does,
// however the origin's deletions have come in between.
func TestProperty_Fold_grows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t, "grows")
		on := history(t, d)
		all, _ := d.log.Subject(ctx, shared, on.ID)
		var held []record.Stored
		for _, st := range all {
			held = append(gone(slices.Clone(held), st), st)
			row, ok := blacklist.Project(held)
			if !ok || row.Version != uint64(len(held)) {
				t.Fatalf("%+v", row)
			}
		}
		grown, _ := blacklist.Project(held)
		rebuilt, _ := blacklist.Project(all)
		if grown != rebuilt {
			t.Fatalf("grown %+v, rebuilt %+v", grown, rebuilt)
		}
	})
}

func TestDigest_tells_apart(t *testing.T) {
	d := newDesk(t, "digest")
	a, b := d.view(d.entry(), ""), d.view(d.entry(), "")
	both := blacklist.Digest([]blacklist.Entry{a, b}, "2026-03-02")
	if both != blacklist.Digest([]blacklist.Entry{b, a}, "2026-03-02") {
		t.Error("the order counts")
	}
	for name, other := range map[string][32]byte{
		"one less":    blacklist.Digest([]blacklist.Entry{a}, "2026-03-02"),
		"another day": blacklist.Digest([]blacklist.Entry{a, b}, "2026-03-03"),
		"suspended": blacklist.Digest([]blacklist.Entry{d.view(d.must(d.reg.Suspend(ctx, liaison, blacklist.On{ID: a.Subject, Version: 1}, paper("objection"))).On, ""), b},
			"2026-03-02"),
	} {
		if other == both {
			t.Errorf("%s: same digest", name)
		}
	}
}

// fake makes a record as another member might send it.
func fake(t *testing.T, seq uint64, typ string, id byte, refs []record.Ref, parts map[record.PartName]string) record.Stored {
	t.Helper()
	dr := record.Draft{Stream: shared, ID: record.RecordID{id}, Type: typ, Schema: "1", Day: "2026-03-02", Audience: map[record.GroupID]record.Level{record.All: record.L3},
		Refs: refs, Parts: map[record.PartName][]byte{}}
	for n, s := range parts {
		dr.Parts[n] = []byte(s)
	}
	m := newMemory("fake")
	st, err := m.seal.Seal(dr, seq)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func ref(rel record.Relation, version uint64) []record.Ref {
	return []record.Ref{{Rel: rel, ID: record.RecordID{1}, Version: version}}
}

type partMap = map[record.PartName]string

// TestFold_foreign: what a member of another release, or one that errs, may send.
func TestFold_foreign(t *testing.T) {
	first := fake(t, 0, "blacklist.person", 1, nil, partMap{record.Card: `{"valid_until":"2028-01-01","open_case":false}`, record.Body: `{"name":"测甲"}`})
	suspended := func(seq uint64, id byte, v uint64) record.Stored {
		return fake(t, seq, "blacklist.status", id, ref(record.Follows, v), partMap{record.Card: `{"status":"suspended"}`})
	}
	resumed := fake(t, 2, "blacklist.status", 3, ref(record.Follows, 2), partMap{record.Card: `{"status":"resumed"}`})
	unknown := fake(t, 1, "blacklist.status", 2, ref(record.Follows, 1), partMap{record.Card: `{"status":"burnt"}`})
	future := fake(t, 1, "blacklist.photo", 2, ref(record.Follows, 1), partMap{record.Card: `{}`})
	pending := suspended(1, 2, 1)
	pending.Parts = []record.StoredPart{{Name: record.Card, State: record.PartPending}}
	refusedBySchema := suspended(1, 2, 1)
	refusedBySchema.Unusable = "schema"
	badCorrection := fake(t, 1, "blacklist.correction", 2, ref(record.Supersedes, 1), partMap{record.Card: `{"payload":{}}`})
	badCorrection.Unusable = "schema"
	correction := fake(t, 2, "blacklist.correction", 3, ref(record.Supersedes, 2), partMap{record.Card: `{"payload":{"valid_until":"2028-01-01"}}`})
	odd := fake(t, 1, "blacklist.gone", 2, ref(record.Supersedes, 1), partMap{record.Card: `{}`})
	withdrawal := fake(t, 1, "blacklist.withdrawal", 2, ref(record.Withdraws, 1), partMap{record.Card: `{"reason_code":"other"}`})
	withdrawal.Unusable = "schema"
	bare := first
	bare.Parts = nil
	noMeaning := first
	noMeaning.Meaning = record.Meaning{}
	for _, tc := range []struct {
		name    string
		records []record.Stored
		state   string
		content bool
		waiting bool
		version uint64
		wantErr error
		ignored int
	}{
		{name: "first record", records: []record.Stored{first}, state: "published", content: true, version: 1},
		{name: "without any part (L1)", records: []record.Stored{bare}, state: "published", version: 1, content: true},
		{name: "suspended twice", records: []record.Stored{first, suspended(1, 2, 1), suspended(2, 3, 2)}, state: "suspended", content: true, version: 3, ignored: 1},
		{name: "resumed without suspension", records: []record.Stored{first, future, resumed}, state: "published", content: true, version: 3, ignored: 2},
		{name: "unknown status", records: []record.Stored{first, unknown}, state: "published", content: true, version: 2, ignored: 1},
		{name: "unknown type", records: []record.Stored{first, future}, state: "published", content: true, version: 2, ignored: 1},
		{name: "status still to come", records: []record.Stored{first, pending}, state: "published", content: true, waiting: true, version: 2, ignored: 1},
		{name: "status that its schema refuses", records: []record.Stored{first, refusedBySchema}, state: "published", content: true, version: 2, ignored: 1},
		{name: "correction that its schema refuses: old content is gone all the same", records: []record.Stored{first, badCorrection}, state: "published", version: 2, ignored: 1},
		{name: "corrected while suspended: replicas no longer have the suspension", records: []record.Stored{first, suspended(1, 2, 1), correction}, state: "published", content: true, version: 3},
		{name: "superseded by something unknown", records: []record.Stored{first, odd}, state: "published", version: 2},
		{name: "withdrawal that its schema refuses acts", records: []record.Stored{first, withdrawal}, state: "withdrawn", version: 2},
		{name: "nothing", wantErr: blacklist.ErrNothing},
		{name: "withheld", records: []record.Stored{noMeaning}, wantErr: blacklist.ErrNothing},
		{name: "begins with a change", records: []record.Stored{suspended(1, 2, 1)}, wantErr: blacklist.ErrNothing},
		{name: "another type", records: []record.Stored{fake(t, 0, "operation", 1, nil, nil)}, wantErr: blacklist.ErrOtherType},
		{name: "two subjects", records: []record.Stored{first, fake(t, 1, "blacklist.person", 9, nil, nil)}, wantErr: blacklist.ErrMixed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := blacklist.Fold(tc.records, "2026-03-02")
			if !errors.Is(err, tc.wantErr) {
				t.Fatalf("error %v, want %v", err, tc.wantErr)
			}
			if err != nil {
				return
			}
			ignored := 0
			for _, s := range e.History {
				if s.Ignored {
					ignored++
				}
			}
			if string(e.State) != tc.state || (e.Content.Header != nil) != tc.content || e.Waiting != tc.waiting || e.Version != tc.version || ignored != tc.ignored {
				t.Errorf("%s, content %v, waiting %v, version %d, ignored %d", e.State, e.Content.Header != nil, e.Waiting, e.Version, ignored)
			}
		})
	}
}

func TestProject_holds_no_person(t *testing.T) {
	d := newDesk(t, "row")
	on := d.entry()
	records, _ := d.log.Subject(ctx, shared, on.ID)
	row, ok := blacklist.Project(records)
	if !ok || row.Type != "blacklist.person" || row.First != "2026-03-02" || row.Level != record.L3 || row.ValidUntil != "2028-08-28" {
		t.Errorf("%+v", row)
	}
	b := []byte(cmp.Diff(row, blacklist.Row{}))
	for _, canary := range []string{"测甲", "320623", "15400000001", "样例镇"} {
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s in the row", canary)
		}
	}
	pen, _ := d.log.Subject(ctx, shared, d.penalty(nil).ID)
	if row, ok := blacklist.Project(pen); !ok || row.Region == "" || row.Cause != "UP01" || !row.Served {
		t.Errorf("%+v", row)
	}
	sheets, _ := d.log.Subject(ctx, local, d.must(d.reg.Draft(ctx, officer, d.proposal())).ID)
	if row, ok := blacklist.ProjectSheet(sheets); !ok || row.State != "draft" || row.Author != "acc-1" || row.Unit != "SX-01" {
		t.Errorf("%+v", row)
	}
	if _, ok := blacklist.Project(nil); ok {
		t.Error("a row of nothing")
	}
	if _, ok := blacklist.ProjectSheet(records); ok {
		t.Error("a sheet of a published entry")
	}
}

func TestDiff(t *testing.T) {
	old := []byte(`{"a":1,"b":{"c":"x","d":[1,2]},"e/f":"~","g":null}`)
	for _, tc := range []struct {
		new  string
		want []string
	}{
		{`{"g":null,"e/f":"~","b":{"d":[1,2],"c":"x"},"a":1}`, nil},
		{`{"a":2,"b":{"c":"x","d":[1,3]},"e/f":"~","g":null}`, []string{"/a 1 2", "/b/d/1 2 3"}},
		{`{"a":1,"b":{"c":"x","d":[1]},"e/f":"n","h":true}`, []string{"/b/d/1 2 -", `/e~1f "~" "n"`, "/g null -", "/h - true"}},
		{`{"a":1,"b":[],"e/f":"~","g":null}`, []string{`/b {"c":"x","d":[1,2]} []`}},
	} {
		ds, err := blacklist.Diff(old, []byte(tc.new))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range ds {
			or := func(b []byte) string {
				if b == nil {
					return "-"
				}
				return string(b)
			}
			got = append(got, d.Pointer+" "+or(d.Old)+" "+or(d.New))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := blacklist.Diff(old, []byte(`{`)); err == nil {
		t.Error("no JSON was compared")
	}
}

// FuzzFold: whatever stands in the parts of a status or correction of another member, folding has no fault, and the
// version goes on.
func FuzzFold(f *testing.F) {
	for _, s := range []string{`{"status":"suspended"}`, `{"status":"remedy_event"}`, `{"status":"remedy_event","remedy_event":{"type":"judgment","at":"2026-01-01","outcome":"void"}}`,
		`{"status":"served","served_at":"2026-01-01","service_proof":{}}`, `{"payload":{"valid_until":"2026-01-01","penalty_refs":[1]}}`, `{"payload":[]}`, `[]`, `nul`, ``} {
		f.Add("penalty", []byte(s))
		f.Add("blacklist.person", []byte(s))
	}
	f.Fuzz(func(t *testing.T, typ string, card []byte) {
		if typ != "penalty" && typ != "blacklist.person" {
			return
		}
		prefix := map[string]string{"penalty": "penalty", "blacklist.person": "blacklist"}[typ]
		made := func(seq uint64, typ string, refs []record.Ref) record.Stored {
			return record.Stored{Stream: shared, Seq: seq, Header: []byte("{}"), Parts: []record.StoredPart{{Name: record.Card, State: record.PartPresent, Bytes: card}},
				Meaning: record.Meaning{ID: record.RecordID{byte(seq + 1)}, Type: typ, Day: "2026-03-02", Refs: refs}}
		}
		e, err := blacklist.Fold([]record.Stored{made(0, typ, nil), made(1, prefix+".status", ref(record.Follows, 1)), made(2, prefix+".correction", ref(record.Supersedes, 2)),
			made(3, prefix+".status", ref(record.Follows, 3))}, "2026-03-02")
		if err != nil || e.Version != 4 || len(e.History) != 4 {
			t.Errorf("%v %+v", err, e)
		}
		_, _ = e.Payload()
		_ = blacklist.Digest([]blacklist.Entry{e}, "2026-03-02")
	})
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":2}]}`), []byte(`{"a":[1,{"b":3},4]}`))
	f.Add([]byte(`{"~/":null}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		forth, err := blacklist.Diff(a, b)
		back, err2 := blacklist.Diff(b, a)
		if (err == nil) != (err2 == nil) || len(forth) != len(back) {
			t.Errorf("%v %v: %d and %d differences", err, err2, len(forth), len(back))
		}
		if same, err := blacklist.Diff(a, a); err == nil && len(same) != 0 {
			t.Errorf("a payload differs from itself: %v", same)
		}
	})
}
