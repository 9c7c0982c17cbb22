package federation_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// shelf is a log as an index reads it: committed groups of records with their part states.
type shelf struct {
	record.Log // the rest of a log is not read
	mu         sync.Mutex
	records    map[record.StreamID][]record.Stored
	heads      map[record.StreamID]record.Head
	fail       error
	reads      int
	asked      int           // single heads
	gate       chan struct{} // a single head waits for it
	revised    map[record.StreamID][]uint64
}

func (s *shelf) Heads(context.Context) ([]record.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []record.Head
	for _, h := range s.heads {
		out = append(out, h)
	}
	return out, s.fail
}

func (s *shelf) Head(_ context.Context, id record.StreamID) (record.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.gate != nil {
		<-s.gate
	}
	return s.heads[id], s.fail
}

func (s *shelf) Groups(_ context.Context, id record.StreamID, from uint64, limit int) ([]record.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	s.reads++
	var out []record.Group
	for i := int(from) / 3 * 3; i < len(s.records[id]) && limit > 0; i += 3 { // groups of three: the first contains from
		g := s.records[id][i:min(i+3, len(s.records[id]))]
		out = append(out, record.Group{Stream: id, First: uint64(i), Records: slices.Clone(g)})
		limit -= len(g)
	}
	return out, nil
}

// put appends a record and moves the head.
func (s *shelf) put(st record.Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[st.Stream] = append(s.records[st.Stream], st)
	h := s.heads[st.Stream]
	h.Stream, h.Size = st.Stream, st.Seq+1
	var tree record.Tree
	for _, r := range s.records[st.Stream] {
		tree = tree.Add(r.Leaf)
	}
	h.Root = tree.Root()
	h.Applied = h.Size
	for i, r := range s.records[st.Stream] {
		if slices.ContainsFunc(r.Parts, func(p record.StoredPart) bool { return p.State == record.PartPending }) {
			h.Applied = uint64(i)
			break
		}
	}
	s.heads[st.Stream] = h
}

// writer seals records of one stream from the catalogue's examples.
type writer struct {
	t      *testing.T
	stream record.StreamID
	shelf  *shelf
	seal   record.Sealer
}

func newWriter(t *testing.T) *writer {
	return &writer{t: t, stream: record.Stream("310116-01", record.Records),
		shelf: &shelf{records: map[record.StreamID][]record.Stored{}, heads: map[record.StreamID]record.Head{}},
		seal: record.Sealer{Random: seeded("writer"), Current: func(record.GroupID) (record.EpochKey, bool) {
			return record.EpochKey{ID: record.KeyID{1}}, true
		}}}
}

// example writes an example of a type; state is what this node has of its body.
func (w *writer) example(typ, file string, state record.PartState, refs ...record.Ref) record.Stored {
	w.t.Helper()
	payload, err := os.ReadFile("../schemas/" + typ + "/examples/good/" + file)
	must(w.t, err)
	kind, ok := schemas.Lookup(typ, "1")
	if !ok {
		w.t.Fatalf("no type %s", typ)
	}
	split, err := kind.Split(payload)
	must(w.t, err)
	id, err := record.NewBits128(w.seal.Random)
	must(w.t, err)
	d := record.Draft{Stream: w.stream, ID: id, Type: typ, Schema: "1", Day: day0, Audience: map[record.GroupID]record.Level{record.All: record.L3},
		Refs: refs, Parts: map[record.PartName][]byte{}}
	for name, b := range split {
		d.Parts[record.PartName(name)] = b
	}
	seq := w.shelf.heads[w.stream].Size
	st, err := w.seal.Seal(d, seq)
	must(w.t, err)
	for i := range st.Parts {
		if st.Parts[i].Name == record.Body && state != record.PartPresent {
			st.Parts[i].State, st.Parts[i].Bytes = state, nil
		}
	}
	w.shelf.put(st)
	return st
}

const exampleID = "320623190001159016" // of blacklist.person/examples/good/entry.json

func (w *writer) finds(x *federation.LogIndex, q federation.Question) []federation.Candidate {
	w.t.Helper()
	must(w.t, x.CatchUp(w.t.Context()))
	found, err := x.Find(w.t.Context(), q, "2026-03-13", all)
	must(w.t, err)
	return found.Candidates
}

func all(record.StreamID, map[record.GroupID]record.Level) bool { return true }

func TestLogIndex(t *testing.T) {
	w := newWriter(t)
	x := federation.NewLogIndex(w.shelf)
	if got := w.finds(x, byID(exampleID)); len(got) != 0 {
		t.Fatalf("an empty log: %v", got)
	}
	for range 4 { // more than one group
		w.example("blacklist.person", "foreign_passport.json", record.PartPresent)
	}
	e := w.example("blacklist.person", "entry.json", record.PartPresent)
	got := w.finds(x, byID(exampleID))
	if len(got) != 1 || got[0].Subject != e.Meaning.ID || got[0].Outcome != federation.Hit || got[0].Stream != w.stream || len(got[0].Lines) == 0 {
		t.Fatalf("entry: %+v", got)
	}
	if found, _ := x.Find(t.Context(), byID(exampleID), "2026-03-13", func(record.StreamID, map[record.GroupID]record.Level) bool { return false }); len(found.Candidates) != 0 {
		t.Error("found outside the streams asked for")
	}
	byName := federation.Question{Name: identifier.NewSecret("测甲一"), BirthDate: identifier.NewSecret("1900-01-15")}
	if got := w.finds(x, byName); len(got) != 1 || got[0].Outcome != federation.Hit {
		t.Errorf("name and birth date: %+v", got)
	}
	byPlace := federation.Question{Address: identifier.NewSecret("金山样例镇测试村三组１２号")}
	if got := w.finds(x, byPlace); !slices.ContainsFunc(got, func(c federation.Candidate) bool { return c.Subject == e.Meaning.ID }) {
		t.Errorf("address: %+v", got)
	}
	if got := w.finds(x, byID("320623000115901")); len(got) != 1 {
		t.Errorf("15 digits: %+v", got)
	}
	// A status replaces nothing.
	w.example("blacklist.status", first(t, "blacklist.status"), record.PartPresent, record.Ref{Rel: record.Follows, ID: e.Meaning.ID, Version: 1})
	if got := w.finds(x, byID(exampleID)); len(got) != 1 {
		t.Errorf("after a status: %+v", got)
	}
	// A correction carries the whole new payload; what it does not carry finds nothing any more.
	w.example("blacklist.correction", "name_corrected.json", record.PartPresent, record.Ref{Rel: record.Supersedes, ID: e.Meaning.ID, Version: 2})
	corrected := correctedID(t)
	if got := w.finds(x, byID(corrected)); len(got) != 1 || got[0].Subject != e.Meaning.ID {
		t.Errorf("after a correction: %+v", got)
	}
	for _, c := range w.finds(x, byName) { // the new name sounds alike
		if slices.ContainsFunc(c.Lines, func(l match.Evidence) bool { return l.Code == "name_equal" }) {
			t.Errorf("the corrected name still finds: %+v", c)
		}
	}
	w.example("blacklist.withdrawal", first(t, "blacklist.withdrawal"), record.PartPresent, record.Ref{Rel: record.Withdraws, ID: e.Meaning.ID, Version: 3})
	if got := w.finds(x, byID(corrected)); len(got) != 0 {
		t.Errorf("after a withdrawal: %+v", got)
	}
	if size := w.shelf.heads[w.stream].Size; x.Applied(w.stream) != size {
		t.Errorf("applied %d of %d", x.Applied(w.stream), size)
	}
	// Built anew from the log it says the same.
	if got := w.finds(federation.NewLogIndex(w.shelf), byID(corrected)); len(got) != 0 {
		t.Errorf("rebuilt: %+v", got)
	}
}

// TestLogIndex_pending: what is verified and not applied finds nothing, but its deletions act; late parts are found.
func TestLogIndex_pending(t *testing.T) {
	w := newWriter(t)
	x := federation.NewLogIndex(w.shelf)
	e := w.example("blacklist.person", "entry.json", record.PartPresent)
	if got := w.finds(x, byID(exampleID)); len(got) != 1 {
		t.Fatalf("entry: %+v", got)
	}
	late := w.example("blacklist.person", "history.json", record.PartPending) // the same person once more
	w.example("blacklist.person", "foreign_passport.json", record.PartPresent)
	behind := federation.Question{IDType: "PPT", IDNo: identifier.NewSecret("AB12345")}
	if got := w.finds(x, behind); len(got) != 0 {
		t.Error("found what is not applied yet")
	}
	if got := w.finds(x, byID(exampleID)); len(got) != 1 || x.Applied(w.stream) != 1 {
		t.Fatalf("%d found, applied %d", len(got), x.Applied(w.stream))
	}
	w.example("blacklist.withdrawal", first(t, "blacklist.withdrawal"), record.PartPresent, record.Ref{Rel: record.Withdraws, ID: e.Meaning.ID, Version: 1})
	if got := w.finds(x, byID(exampleID)); len(got) != 0 {
		t.Error("a withdrawal waits behind a pending part")
	}
	before, asked := w.shelf.reads, w.shelf.asked
	w.finds(x, byID(exampleID))
	if w.shelf.reads != before || w.shelf.asked != asked {
		t.Error("the log is read again although nothing moved")
	}
	arrive := func(w *writer, seq uint64, file string) {
		whole := newWriter(t).example("blacklist.person", file, record.PartPresent)
		w.shelf.mu.Lock()
		defer w.shelf.mu.Unlock()
		w.shelf.records[w.stream][seq].Parts = whole.Parts
		h := w.shelf.heads[w.stream]
		h.Applied = h.Size
		w.shelf.heads[w.stream] = h
	}
	arrive(w, late.Seq, "history.json")
	if got := w.finds(x, byID(exampleID)); len(got) != 1 || got[0].Subject != late.Meaning.ID || x.Applied(w.stream) != w.shelf.heads[w.stream].Size {
		t.Errorf("the late part: %+v, applied %d", got, x.Applied(w.stream))
	}
	if got := w.finds(x, behind); len(got) != 1 {
		t.Errorf("what stood behind it: %+v", got)
	}

	// A withheld record before what is read becomes present without the applied head showing it.
	w = newWriter(t)
	x = federation.NewLogIndex(w.shelf)
	held := w.example("blacklist.person", "entry.json", record.PartWithheld)
	if got := w.finds(x, byID(exampleID)); len(got) != 0 {
		t.Error("found what is withheld")
	}
	arrive(w, held.Seq, "entry.json")
	x.Revisit(w.stream, held.Seq)
	if got := w.finds(x, byID(exampleID)); len(got) != 1 {
		t.Error("late parts are not found after Revisit")
	}

	// A correction whose content is pending: the old content is gone at once, the new is found when it comes.
	w = newWriter(t)
	x = federation.NewLogIndex(w.shelf)
	e = w.example("blacklist.person", "entry.json", record.PartPresent)
	w.finds(x, byID(exampleID))
	c := w.example("blacklist.correction", "name_corrected.json", record.PartPending, record.Ref{Rel: record.Supersedes, ID: e.Meaning.ID, Version: 1})
	if got := w.finds(x, byID(exampleID)); len(got) != 0 {
		t.Error("superseded content still finds")
	}
	fresh := newWriter(t)
	w.shelf.records[w.stream][c.Seq].Parts = fresh.example("blacklist.correction", "name_corrected.json", record.PartPresent).Parts
	h := w.shelf.heads[w.stream]
	h.Applied = h.Size
	w.shelf.heads[w.stream] = h
	if got := w.finds(x, byID(correctedID(t))); len(got) != 1 || got[0].Subject != e.Meaning.ID {
		t.Errorf("corrected: %+v", got)
	}
}

// TestLogIndex_Wait reads the log itself, and ends with its context when the log does not get there.
func TestLogIndex_Wait(t *testing.T) {
	w := newWriter(t)
	x := federation.NewLogIndex(w.shelf)
	w.example("blacklist.person", "entry.json", record.PartPresent)
	must(t, x.Wait(t.Context(), w.stream, 1))
	if found, err := x.Find(t.Context(), byID(exampleID), "2026-03-13", all); err != nil || len(found.Candidates) != 1 {
		t.Errorf("%d found, %v", len(found.Candidates), err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		y := federation.NewLogIndex(w.shelf)
		if err := y.Wait(ctx, w.stream, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("past the head: %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			w.example("blacklist.person", "foreign_passport.json", record.PartPresent)
			must(t, y.CatchUp(t.Context()))
		}()
		begin := time.Now()
		must(t, y.Wait(t.Context(), w.stream, 2))
		if took := time.Since(begin); took != time.Second {
			t.Errorf("waited %s", took)
		}
	})
	w.shelf.fail = record.ErrStorageFull
	if err := x.Wait(t.Context(), w.stream, 99); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("log unreadable: %v", err)
	}
	if err := x.CatchUp(t.Context()); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("log unreadable: %v", err)
	}
}

// Of many that publish at once and wait for the index, one reads for all.
func TestLogIndex_WaitReadsOnceForMany(t *testing.T) {
	w := newWriter(t)
	x := federation.NewLogIndex(w.shelf)
	w.example("blacklist.person", "entry.json", record.PartPresent)
	w.shelf.gate = make(chan struct{})
	var about, done sync.WaitGroup
	for range 50 {
		about.Add(1)
		done.Go(func() {
			about.Done()
			must(t, x.Wait(t.Context(), w.stream, 1))
		})
	}
	about.Wait()
	for range 1000 {
		runtime.Gosched() // they come to the one that reads
	}
	close(w.shelf.gate)
	done.Wait()
	if w.shelf.asked != 1 {
		t.Fatalf("%d read the log for the same record", w.shelf.asked)
	}
}

// first returns the first good example of a type.
func first(t *testing.T, typ string) string {
	t.Helper()
	files, err := os.ReadDir("../schemas/" + typ + "/examples/good")
	must(t, err)
	return files[0].Name()
}

// correctedID returns the resident number that the example correction carries.
func correctedID(t *testing.T) string {
	t.Helper()
	payload, err := os.ReadFile("../schemas/blacklist.correction/examples/good/name_corrected.json")
	must(t, err)
	kind, _ := schemas.Lookup("blacklist.correction", "1")
	parts, err := kind.Split(payload)
	must(t, err)
	for _, id := range kind.Identifiers(parts) {
		if id.Kind == "resident_id" {
			return id.Value
		}
	}
	t.Fatal("no number in the example")
	return ""
}
