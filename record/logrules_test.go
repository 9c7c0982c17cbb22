package record_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

func TestVersions_RefuseWhatReplicasWouldNotCount(t *testing.T) {
	first := record.Meaning{ID: record.RecordID{1}}
	change := func(rel record.Relation, version uint64) record.Meaning {
		return record.Meaning{ID: record.RecordID{9}, Refs: []record.Ref{{Rel: rel, ID: record.RecordID{1}, Version: version}}}
	}
	for name, c := range map[string]struct {
		held []record.Meaning
		next record.Meaning
		want error
	}{
		"a beginning":                        {nil, first, nil},
		"a beginning again":                  {[]record.Meaning{first}, first, record.ErrVersionTaken},
		"a change of nothing":                {nil, change(record.Follows, 1), record.ErrNotFound},
		"the next version":                   {[]record.Meaning{first}, change(record.Supersedes, 1), nil},
		"the same version again":             {[]record.Meaning{first, change(record.Follows, 1)}, change(record.Supersedes, 1), record.ErrVersionTaken},
		"a version skipped":                  {[]record.Meaning{first}, change(record.Follows, 2), record.ErrNotFound},
		"a change behind the end":            {[]record.Meaning{first, change(record.Withdraws, 1)}, change(record.Follows, 2), record.ErrVersionTaken},
		"an erasure behind the end":          {[]record.Meaning{first, change(record.Withdraws, 1)}, change(record.Erases, 2), nil},
		"an erasure behind an erasure":       {[]record.Meaning{first, change(record.Erases, 1)}, change(record.Erases, 2), record.ErrVersionTaken},
		"a change whose beginning is absent": {[]record.Meaning{change(record.Follows, 1)}, change(record.Follows, 2), record.ErrNotFound},
	} {
		var v record.Versions
		for _, m := range c.held {
			v.Add(m)
		}
		copied := v.Clone()
		if err := v.Check(c.next); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		copied.Add(change(record.Follows, 40))
		if err := v.Check(c.next); !errors.Is(err, c.want) {
			t.Errorf("%s: a copy changed its original: %v", name, err)
		}
	}
}

func TestCompareLockOrder(t *testing.T) {
	want := []record.StreamID{"310116-01/audit", "310116-01/audit.2", "310116-01/local", "310116-01/records", "310116-01/records.10", "310116-01/records.2"}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, record.CompareLockOrder)
	if !slices.Equal(got, want) {
		t.Errorf("locked as %v", got)
	}
}

func TestReplayed_FloorDecidesWithoutAClock(t *testing.T) {
	for expires, want := range map[int64]bool{99: true, 100: true, 101: false} {
		if got := record.Replayed(record.Use{Kind: "jti", ID: "a", Expires: expires}, 100); got != want {
			t.Errorf("expires %d: %v, want %v", expires, got, want)
		}
	}
}

func TestNextSeq_IsTheSizeWhateverWasHandedOut(t *testing.T) {
	var issued uint64
	for _, size := range []uint64{0, 1, 1, 1, 2, 0} {
		if got := record.NextSeq(size, &issued); got != size {
			t.Errorf("size %d: sequence %d", size, got)
		}
	}
}

func TestAppliedSize(t *testing.T) {
	for _, c := range []struct {
		size, first uint64
		pending     bool
		want        uint64
	}{{5, 0, false, 5}, {5, 0, true, 0}, {5, 3, true, 3}, {5, 7, true, 5}} {
		if got := record.AppliedSize(c.size, c.first, c.pending); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestCheckCosign_NeedsItsCheckpoint(t *testing.T) {
	if err := record.CheckCosign(record.Head{Applied: 3}, 0, tlog.Hash{}, 0, 3, tlog.Hash{}, nil); !errors.Is(err, record.ErrStale) {
		t.Errorf("vouched for a tree without checkpoint: %v", err)
	}
}

func TestCheckAppend(t *testing.T) {
	good := record.Draft{Stream: "310116-01/audit"}
	for name, c := range map[string]struct {
		a  record.Append
		ok bool
	}{
		"an own stream":       {record.Append{Drafts: []record.Draft{good}}, true},
		"nothing":             {record.Append{}, true},
		"another member's":    {record.Append{Drafts: []record.Draft{{Stream: "330482-01/audit"}}}, false},
		"no stream at all":    {record.Append{Drafts: []record.Draft{{Stream: "310116-01/other"}}}, false},
		"a key without scope": {record.Append{Key: "k"}, false},
		"a scope without key": {record.Append{Scope: "p"}, false},
		"a use without id":    {record.Append{Uses: []record.Use{{Kind: "jti"}}}, false},
		"too many":            {record.Append{Drafts: slices.Repeat([]record.Draft{good}, record.MaxGroupRecords+1)}, false},
	} {
		if err := record.CheckAppend("310116-01", c.a); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
