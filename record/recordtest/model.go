package recordtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/record"
)

// model is what a log should hold of one own stream, told in the simplest way.
type model struct {
	b        *bench
	stream   record.StreamID
	records  []entry
	signed   int
	released bool
	answers  map[string]string
	used     map[string]bool
	waiting  []record.Draft // taken off, not appended again
}

type entry struct {
	id, subject record.RecordID
	version     uint64
	rel         record.Relation
	superseded  bool
	body        []byte
}

// modelled runs random histories against the model, each in a stream of its own of one log.
func modelled(b *bench) {
	runs := 0
	limit := max(b.fs.Runs, 5)
	rapid.Check(b.T, func(t *rapid.T) {
		if runs++; runs > limit && !t.Failed() {
			return
		}
		m := &model{b: b, stream: record.Stream(Self, fmt.Sprint("records.", runs)), answers: map[string]string{}, used: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"begin":      m.begin,
			"change":     m.change,
			"pair":       m.pair,
			"repeat":     m.repeat,
			"use":        m.use,
			"release":    m.release,
			"restart":    m.restart,
			"unreleased": m.unreleased,
			"compare":    m.check,
			"":           m.checkHead,
		})
		m.check(t)
	})
}

func (m *model) draft(refs ...record.Ref) record.Draft {
	d := m.b.Draft(Self, record.Records, refs...)
	d.Stream = m.stream
	return d
}

// line returns how far a subject is: its newest version, and whether it has ended or was erased.
func (m *model) line(subject record.RecordID) (version uint64, ended, erased bool) {
	for _, e := range m.records {
		if e.subject == subject {
			version = max(version, e.version)
			ended, erased = ended || e.rel.Ends(), erased || e.rel == record.Erases
		}
	}
	return version, ended, erased
}

// add notes what an append that succeeded did.
func (m *model) add(d record.Draft) {
	meaning := record.Meaning{ID: d.ID, Refs: d.Refs}
	e := entry{id: d.ID, body: d.Parts[record.Body]}
	e.subject, e.version = meaning.Subject()
	if ref, ok := meaning.Change(); ok {
		e.rel = ref.Rel
		for i, old := range m.records {
			if ref.Rel.Deletes() && old.subject == ref.ID {
				m.records[i].superseded = true
			}
		}
	}
	m.records = append(m.records, e)
	m.waiting = slices.DeleteFunc(m.waiting, func(w record.Draft) bool { return w.ID == d.ID })
	if m.released {
		m.signed = len(m.records)
	}
}

func (m *model) append(t *rapid.T, want error, a record.Append) record.Appended {
	size := len(m.records)
	res, err := m.b.log.Append(context.Background(), a)
	if want != nil {
		if !errors.Is(err, want) {
			t.Fatalf("append: %v, want %v", err, want)
		}
		return res
	}
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	for i, d := range a.Drafts {
		if res.Records[i].Seq != uint64(size+i) || res.Records[i].ID != d.ID {
			t.Fatalf("placed %+v, want %s at %d", res.Records[i], d.ID, size+i)
		}
		m.add(d)
	}
	if signed := res.Checkpoint[m.stream] != nil; len(a.Drafts) > 0 && signed != m.released {
		t.Fatalf("signed: %v, released: %v", signed, m.released)
	}
	return res
}

func (m *model) begin(t *rapid.T) {
	m.append(t, nil, record.Append{Drafts: []record.Draft{m.draft()}})
}

// pair appends a beginning and a change of it at once, or is refused as a whole.
func (m *model) pair(t *rapid.T) {
	d := m.draft()
	next := m.draft(record.Ref{Rel: record.Supersedes, ID: d.ID, Version: 1})
	if len(m.records) > 0 && rapid.Bool().Draw(t, "refused") {
		next.ID = m.records[0].id
		m.append(t, record.ErrDuplicateRecord, record.Append{Drafts: []record.Draft{d, next}})
		return
	}
	m.append(t, nil, record.Append{Drafts: []record.Draft{d, next}})
}

func (m *model) change(t *rapid.T) {
	if len(m.records) == 0 {
		t.Skip("nothing to change")
	}
	subject := rapid.SampledFrom(m.records).Draw(t, "subject").subject
	rel := rapid.SampledFrom([]record.Relation{record.Follows, record.Supersedes, record.Withdraws, record.Erases}).Draw(t, "relation")
	newest, ended, erased := m.line(subject)
	follow := uint64(rapid.IntRange(1, int(newest)+1).Draw(t, "version"))
	var want error
	switch {
	case follow < newest, ended && (rel != record.Erases || erased):
		want = record.ErrVersionTaken
	case follow > newest:
		want = record.ErrNotFound
	}
	m.append(t, want, record.Append{Drafts: []record.Draft{m.draft(record.Ref{Rel: rel, ID: subject, Version: follow})}})
}

func (m *model) repeat(t *rapid.T) {
	key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
	d := m.draft()
	a := record.Append{Drafts: []record.Draft{d}, Scope: string(m.stream), Key: key, BodyHash: [32]byte{1},
		Answer: func(a record.Appended) ([]byte, error) { return []byte(a.Records[0].ID.String()), nil }}
	first, known := m.answers[key]
	if known && rapid.Bool().Draw(t, "other body") {
		a.BodyHash[0] = 2
		m.append(t, record.ErrIdempotencyConflict, a)
		return
	}
	if !known {
		m.answers[key] = string(m.append(t, nil, a).Answer)
		return
	}
	res, err := m.b.log.Append(context.Background(), a)
	if err != nil || !res.Repeated || string(res.Answer) != first {
		t.Fatalf("repeat: %q, %v, want %q", res.Answer, err, first)
	}
}

func (m *model) use(t *rapid.T) {
	id := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "id")
	var want error
	if m.used[id] {
		want = record.ErrReplayed
	}
	m.append(t, want, record.Append{Drafts: []record.Draft{m.draft()}, Uses: []record.Use{{Kind: string(m.stream), ID: id, Expires: m.b.Clock.Unix() + 60}}})
	m.used[id] = true
}

func (m *model) release(t *rapid.T) {
	if len(m.waiting) > 0 {
		t.Skip("a tail waits to be appended again")
	}
	if err := m.b.log.Release(context.Background(), m.stream); err != nil {
		t.Fatal(err)
	}
	m.released, m.signed = true, len(m.records)
}

func (m *model) restart(t *rapid.T) {
	if m.b.fs.Restart == nil {
		t.Skip("this log cannot be restarted")
	}
	m.b.log = m.b.fs.Restart(m.b.T, m.b.log)
	m.released = false
}

// unreleased takes the tail off and appends it again in its order, or leaves it for later.
func (m *model) unreleased(t *rapid.T) {
	tail, err := m.b.log.Unreleased(context.Background(), m.stream)
	if m.released {
		if !errors.Is(err, record.ErrStale) {
			t.Fatalf("unreleased of a released stream: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var want []record.RecordID
	for _, d := range m.waiting {
		want = append(want, d.ID)
	}
	for _, e := range m.records[m.signed:] {
		want = append(want, e.id)
	}
	var got []record.RecordID
	for _, d := range tail {
		got = append(got, d.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("tail %v, want %v", got, want)
	}
	m.takeOff()
	m.waiting = slices.Clone(tail)
	for _, d := range tail {
		m.append(t, nil, record.Append{Drafts: []record.Draft{d}})
	}
}

// takeOff ends the model at what is signed: what only the tail superseded is content again, what it erased is not.
func (m *model) takeOff() {
	var kept []entry
	for i, e := range m.records[:m.signed] {
		e.superseded = false
		for j, later := range m.records[i+1:] {
			if later.subject != e.subject || !later.rel.Deletes() {
				continue
			}
			signed := i+1+j < m.signed
			e.superseded = e.superseded || signed
			if !signed && later.rel == record.Erases {
				e.body = nil
			}
		}
		kept = append(kept, e)
	}
	m.records = kept
}

func (m *model) head(t *rapid.T) record.Head {
	h, err := m.b.log.Head(context.Background(), m.stream)
	if err != nil {
		t.Fatal(err)
	}
	if h.Size != uint64(len(m.records)) || h.Applied != h.Size || h.Signed != uint64(m.signed) || h.Size > 0 && h.Stream != m.stream {
		t.Fatalf("head %+v, model %d records, %d signed", h, len(m.records), m.signed)
	}
	return h
}

func (m *model) checkHead(t *rapid.T) { m.head(t) }

// check compares the log with the model.
func (m *model) check(t *rapid.T) {
	ctx, h := context.Background(), m.head(t)
	var tree record.Tree
	seq := 0
	for seq < len(m.records) {
		gs, err := m.b.log.Groups(ctx, m.stream, uint64(seq), 7)
		if err != nil || len(gs) == 0 || gs[0].First != uint64(seq) {
			t.Fatalf("groups from %d: %v, %v", seq, gs, err)
		}
		for _, g := range gs {
			for _, st := range g.Records {
				m.compare(t, st, m.records[seq], uint64(seq))
				tree = tree.Add(record.Leaf(st.Header))
				seq++
			}
			if (g.Checkpoint != nil) != (seq <= m.signed) {
				t.Fatalf("group that ends at %d, signed up to %d, checkpoint %q", seq, m.signed, g.Checkpoint)
			}
			if g.Checkpoint != nil {
				pub, _ := m.b.SignKey(m.stream, 0)
				c, err := record.VerifyCheckpoint(g.Checkpoint, pub)
				if err != nil || c.Size != uint64(seq) || c.Root != tree.Root() {
					t.Fatalf("checkpoint at %d: %+v, %v", seq, c, err)
				}
			}
		}
	}
	if tree.Root() != h.Root {
		t.Fatal("root of the head is not of the headers")
	}
}

func (m *model) compare(t *rapid.T, st record.Stored, e entry, seq uint64) {
	h, err := record.DecodeHeader(st.Header)
	if err != nil || h.Seq != seq || h.ID != e.id || st.Seq != seq {
		t.Fatalf("record %d: %s, %v, want %s", seq, st.Header, err, e.id)
	}
	if sub, v := st.Meaning.Subject(); sub != e.subject || v != e.version {
		t.Fatalf("record %d is version %d of %s, want %d of %s", seq, v, sub, e.version, e.subject)
	}
	body := part(st, record.Body)
	if e.body == nil { // erased before it was appended again
		if body.State == record.PartPresent {
			t.Fatalf("record %d: body %+v was erased", seq, body)
		}
		return
	}
	if e.superseded != (body.State == record.PartGone) || !e.superseded && !bytes.Equal(body.Bytes, e.body) {
		t.Fatalf("record %d: body %+v, superseded %v, want %q", seq, body, e.superseded, e.body)
	}
}
