package federation_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Leaves implements record.Log for the shelf.
func (s *shelf) Leaves(_ context.Context, id record.StreamID, from, to uint64) ([]tlog.Hash, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []tlog.Hash
	for _, st := range s.records[id][from:to] {
		out = append(out, st.Leaf)
	}
	return out, s.fail
}

// Revised implements federation.Revisions for the shelf: each revision stands with the sequence that it touched.
func (s *shelf) Revised(_ context.Context, id record.StreamID, since uint64) (now, lowest uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lowest = math.MaxUint64
	for i, seq := range s.revised[id] {
		if uint64(i) >= since {
			lowest = min(lowest, seq)
		}
	}
	return uint64(len(s.revised[id])), lowest, nil
}

var nodeSecret = []byte("a secret of synthetic tests only")

// opened opens the index from its snapshot and catches up; it fails unless the snapshot is taken.
func (w *writer) opened(path string) *federation.LogIndex {
	w.t.Helper()
	x, refused, err := federation.OpenLogIndex(w.t.Context(), w.shelf, w.shelf, nodeSecret, path)
	must(w.t, err)
	if refused != nil {
		w.t.Fatal(refused)
	}
	return x
}

func (w *writer) snapshot(x *federation.LogIndex, path string) {
	w.t.Helper()
	must(w.t, x.Snapshot(w.t.Context(), w.shelf, path, rand.Reader))
}

var passport = federation.Question{IDType: "PPT", IDNo: identifier.NewSecret("AB12345")}

// TestLogIndex_snapshot: what the snapshot holds is not read again, what came after it is; its shelves mean what they
// meant; what was withdrawn after it does not answer once the index has caught up.
func TestLogIndex_snapshot(t *testing.T) {
	w := newWriter(t)
	path := filepath.Join(t.TempDir(), "index.snapshot")
	x, refused, err := federation.OpenLogIndex(t.Context(), w.shelf, w.shelf, nodeSecret, path)
	if err != nil || refused != nil {
		t.Fatal("no file is no refusal:", err, refused)
	}
	other := *w
	other.stream = record.Stream("310117-01", record.Records)
	seen := other.example("blacklist.person", "entry.json", record.PartPresent) // the first shelf is another stream's
	e := w.example("blacklist.person", "entry.json", record.PartPresent)
	if got := w.finds(x, byID(exampleID)); len(got) != 2 {
		t.Fatalf("before: %+v", got)
	}
	w.snapshot(x, path)
	if x.Grown() != 0 {
		t.Error("grown since its snapshot:", x.Grown())
	}
	w.example("blacklist.person", "foreign_passport.json", record.PartPresent)
	w.example("blacklist.withdrawal", first(t, "blacklist.withdrawal"), record.PartPresent, record.Ref{Rel: record.Withdraws, ID: e.Meaning.ID, Version: 1})
	before := w.shelf.reads
	y := w.opened(path)
	if y.Applied(w.stream) != 1 {
		t.Fatalf("opened at %d", y.Applied(w.stream))
	}
	if got := w.finds(y, byID(exampleID)); len(got) != 1 || got[0].Subject != seen.Meaning.ID {
		t.Errorf("the withdrawn one answers: %+v", got)
	}
	if got := w.finds(y, passport); len(got) != 1 {
		t.Errorf("what came after the snapshot: %+v", got)
	}
	if w.shelf.reads != before+1 {
		t.Errorf("the log was read %d times: one stream moved", w.shelf.reads-before)
	}
	found, err := y.Find(t.Context(), byID(exampleID), "2026-03-13", func(s record.StreamID, a map[record.GroupID]record.Level) bool {
		return s == other.stream && a[record.All] == record.L3
	})
	if err != nil || len(found.Candidates) != 1 {
		t.Errorf("the shelf of %s is another now: %+v, %v", other.stream, found.Candidates, err)
	}
	if found, _ := y.Find(t.Context(), byID(exampleID), "2026-03-13", func(s record.StreamID, _ map[record.GroupID]record.Level) bool { return s == w.stream }); len(found.Candidates) != 0 {
		t.Errorf("found on the shelf of %s: %+v", w.stream, found.Candidates)
	}
	// The next snapshot knows that it is gone without reading the log.
	w.snapshot(y, path)
	before = w.shelf.reads
	if got := w.finds(w.opened(path), byID(exampleID)); len(got) != 1 || w.shelf.reads != before {
		t.Errorf("after the second snapshot: %+v, %d reads", got, w.shelf.reads-before)
	}
}

// TestLogIndex_snapshot_late: parts that were withheld when the snapshot was written and came before or after it are found,
// whoever had the time to call Revisit.
func TestLogIndex_snapshot_late(t *testing.T) {
	for name, c := range map[string]struct{ before, told bool }{"after it": {}, "before it, told": {true, true}, "before it, not told": {true, false}} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(t)
			path := filepath.Join(t.TempDir(), "index.snapshot")
			held := w.example("blacklist.person", "entry.json", record.PartWithheld)
			w.example("blacklist.person", "foreign_passport.json", record.PartPresent)
			x, _, err := federation.OpenLogIndex(t.Context(), w.shelf, w.shelf, nodeSecret, path)
			must(t, err)
			if got := w.finds(x, byID(exampleID)); len(got) != 0 {
				t.Fatalf("withheld: %+v", got)
			}
			arrive := func() {
				whole := newWriter(t).example("blacklist.person", "entry.json", record.PartPresent)
				w.shelf.records[w.stream][held.Seq].Parts = whole.Parts
				w.shelf.revised = map[record.StreamID][]uint64{w.stream: {held.Seq}}
				if c.told {
					x.Revisit(w.stream, held.Seq)
				}
			}
			if c.before {
				arrive()
			}
			w.snapshot(x, path)
			if !c.before {
				arrive()
			}
			if got := w.finds(w.opened(path), byID(exampleID)); len(got) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestLogIndex_snapshot_refused: a snapshot that is not of this log, this secret or whole is said and not used; the log
// builds the same index.
func TestLogIndex_snapshot_refused(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, w *writer, path string) []byte
		want string
	}{
		"torn": {func(t *testing.T, _ *writer, path string) []byte {
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, b[:len(b)-7], 0o600))
			return nodeSecret
		}, "end is missing"},
		"changed": {func(t *testing.T, _ *writer, path string) []byte {
			b, err := os.ReadFile(path)
			must(t, err)
			b[len(b)/3] ^= 1
			must(t, os.WriteFile(path, b, 0o600))
			return nodeSecret
		}, "not as it was written"},
		"another secret": {func(*testing.T, *writer, string) []byte { return bytes.Repeat([]byte{9}, 32) }, "another secret"},
		"a database that is older": {func(_ *testing.T, w *writer, _ string) []byte {
			h := w.shelf.heads[w.stream]
			h.Size, h.Applied = h.Size-1, h.Size-1
			w.shelf.heads[w.stream], w.shelf.records[w.stream] = h, w.shelf.records[w.stream][:h.Size]
			return nodeSecret
		}, "older than it"},
		"a log that went on otherwise": {func(_ *testing.T, w *writer, _ string) []byte {
			all := w.shelf.records[w.stream]
			w.shelf.records[w.stream] = all[:len(all)-1]
			h := w.shelf.heads[w.stream]
			h.Size--
			w.shelf.heads[w.stream] = h
			w.example("blacklist.person", "history.json", record.PartPresent)
			w.example("blacklist.person", "history.json", record.PartPresent)
			return nodeSecret
		}, "not the stream"},
		"other positions": {func(t *testing.T, _ *writer, path string) []byte {
			e := match.NewEngine(match.WithSecret(nodeSecret))
			must(t, e.WriteSnapshot(path, []byte(`{"version":"0"}`), rand.Reader))
			return nodeSecret
		}, "read records otherwise"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(t)
			path := filepath.Join(t.TempDir(), "index.snapshot")
			w.example("blacklist.person", "entry.json", record.PartPresent)
			w.example("blacklist.person", "foreign_passport.json", record.PartPresent)
			x, _, err := federation.OpenLogIndex(t.Context(), w.shelf, w.shelf, nodeSecret, path)
			must(t, err)
			w.snapshot(x, path)
			secret := c.do(t, w, path)
			y, refused, err := federation.OpenLogIndex(t.Context(), w.shelf, w.shelf, secret, path)
			must(t, err)
			if refused == nil || !strings.Contains(refused.Error(), c.want) {
				t.Fatalf("refused: %v", refused)
			}
			if y.Len() != 0 || y.Applied(w.stream) != 0 {
				t.Errorf("%d subjects of a refused snapshot", y.Len())
			}
			if got := w.finds(y, byID(exampleID)); len(got) == 0 {
				t.Error("not built from the log")
			}
			w.snapshot(y, path) // and the next one is good
		})
	}
}

// TestLogIndex_snapshot_holds_nothing_in_clear: neither names nor numbers stand in the file, and its positions say nothing
// of anybody.
func TestLogIndex_snapshot_holds_nothing_in_clear(t *testing.T) {
	w := newWriter(t)
	path := filepath.Join(t.TempDir(), "index.snapshot")
	w.example("blacklist.person", "entry.json", record.PartPresent)
	x, _, err := federation.OpenLogIndex(t.Context(), w.shelf, w.shelf, nodeSecret, path)
	must(t, err)
	w.snapshot(x, path)
	b, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Contains(b, []byte(w.stream)) {
		t.Fatal("the positions are not where they are looked for")
	}
	for _, canary := range []string{exampleID, exampleID[6:14], "测甲一", "金山样例镇"} {
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%q stands in the file", canary)
		}
	}
	if err := federation.NewLogIndex(w.shelf).Snapshot(t.Context(), w.shelf, path, rand.Reader); !errors.Is(err, match.ErrNoSecret) {
		t.Error("without a secret:", err)
	}
}
