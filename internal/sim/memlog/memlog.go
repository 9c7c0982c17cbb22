// Package memlog is a record.Log in memory for the simulator: deterministic, without goroutines, and with a disk that
// loses what was not committed. It passes record/recordtest. A commit replaces one immutable state by the next, so a
// crash is a look at the last state and an older copy of the disk is an older state.
package memlog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Config says what a log belongs to; the fields are those of the SQL store.
type Config struct {
	Self       record.MemberID
	Federation record.FederationID
	Sealer     *record.Sealer
	Signer     func(record.StreamID, uint64) (*record.Signer, bool)
	Charter    func() record.CharterRef
}

// Log is one node's log. It is safe for use by several goroutines; calls are served one by one.
type Log struct {
	cfg      Config
	mu       sync.Mutex
	disk     *state
	released map[record.StreamID]bool // of this process
	full     bool
}

var _ record.Log = (*Log)(nil)

// New returns an empty log.
func New(c Config) *Log {
	return &Log{cfg: c, disk: newState(), released: map[record.StreamID]bool{}}
}

// Crash returns the log as a new process finds it: committed state, nothing released.
func (l *Log) Crash() *Log {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Log{cfg: l.cfg, disk: l.disk, released: map[record.StreamID]bool{}, full: l.full}
}

// Disk is a copy of everything that was committed at one moment.
type Disk struct{ s *state }

// Copy returns the disk as it is now; it costs nothing, states never change.
func (l *Log) Copy() Disk {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Disk{l.disk}
}

// Restore returns the log of a new process on an older copy of the disk.
func (l *Log) Restore(d Disk) *Log {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Log{cfg: l.cfg, disk: d.s, released: map[record.StreamID]bool{}}
}

// SetFull makes every write fail with record.ErrStorageFull, or stop failing.
func (l *Log) SetFull(full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = full
}

// state is one committed state. It is never changed: a transaction works on a clone.
type state struct {
	streams  map[record.StreamID]*stream
	slots    map[[2]string]slot
	used     map[[2]string]int64
	floor    int64
	receipts map[record.StreamID]map[record.MemberID]kept
	cosigned map[record.StreamID]cosigned
	evidence map[record.StreamID][]byte
	cursors  map[string]int64
	tail     []record.Draft
}

type stream struct {
	head    record.Head
	records []record.Stored
	ends    []uint64 // sizes at which groups end
	notes   [][]byte // checkpoint of each group; nil while unsigned
}

type slot struct {
	hash   [32]byte
	answer []byte
}

type kept struct {
	size    uint64
	receipt []byte
}

type cosigned struct {
	size uint64
	root tlog.Hash
}

func newState() *state {
	return &state{streams: map[record.StreamID]*stream{}, slots: map[[2]string]slot{}, used: map[[2]string]int64{},
		receipts: map[record.StreamID]map[record.MemberID]kept{}, cosigned: map[record.StreamID]cosigned{},
		evidence: map[record.StreamID][]byte{}, cursors: map[string]int64{}}
}

func (s *state) clone() *state {
	return &state{streams: maps.Clone(s.streams), slots: maps.Clone(s.slots), used: maps.Clone(s.used), floor: s.floor,
		receipts: maps.Clone(s.receipts), cosigned: maps.Clone(s.cosigned), evidence: maps.Clone(s.evidence),
		cursors: maps.Clone(s.cursors), tail: slices.Clone(s.tail)}
}

// stream returns a copy of a stream that the transaction may change.
func (s *state) stream(id record.StreamID) *stream {
	old := s.streams[id]
	if old == nil {
		old = &stream{head: record.Head{Stream: id, Root: record.EmptyRoot()}}
	}
	c := &stream{head: old.head, records: slices.Clone(old.records), ends: slices.Clone(old.ends), notes: slices.Clone(old.notes)}
	s.streams[id] = c
	return c
}

func (s *state) look(id record.StreamID) *stream {
	if x := s.streams[id]; x != nil {
		return x
	}
	return &stream{head: record.Head{Stream: id, Root: record.EmptyRoot()}}
}

// write runs f on a clone of the disk and commits it unless f fails.
func (l *Log) write(f func(*state) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return record.ErrStorageFull
	}
	next := l.disk.clone()
	if err := f(next); err != nil {
		return err
	}
	l.disk = next
	return nil
}

// read returns the committed state.
func (l *Log) read() *state {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disk
}

func (l *Log) isReleased(s record.StreamID) bool { return s.Kind() != record.Records || l.released[s] }

// Append implements record.Log.
func (l *Log) Append(_ context.Context, a record.Append) (record.Appended, error) {
	var out record.Appended
	err := l.write(func(s *state) error {
		if a.Key != "" {
			if k, ok := s.slots[[2]string{a.Scope, a.Key}]; ok {
				if k.hash != a.BodyHash {
					return record.ErrIdempotencyConflict
				}
				out = record.Appended{Repeated: true, Answer: k.answer}
				return nil
			}
		}
		for _, u := range a.Uses {
			id := [2]string{u.Kind, u.ID}
			if _, seen := s.used[id]; seen || u.Expires <= s.floor && !bugReplayFloorDropped {
				return record.ErrReplayed
			}
			s.used[id] = u.Expires
		}
		return l.append(s, a, &out)
	})
	if err != nil {
		return record.Appended{}, err
	}
	return out, nil
}

func (l *Log) append(s *state, a record.Append, out *record.Appended) error {
	changed := map[record.StreamID]*stream{}
	for _, d := range a.Drafts {
		if !d.Stream.Valid() || d.Stream.Member() != l.cfg.Self {
			return fmt.Errorf("append to %s: not a stream of %s", d.Stream, l.cfg.Self)
		}
		st := changed[d.Stream]
		if st == nil {
			st = s.stream(d.Stream)
			changed[d.Stream] = st
		}
		if err := s.free(st, d); err != nil {
			return err
		}
		r, err := l.cfg.Sealer.Seal(d, uint64(len(st.records)))
		if err != nil {
			return err
		}
		st.records = append(st.records, r)
		restrict(st, r)
		s.tail = slices.DeleteFunc(s.tail, func(t record.Draft) bool { return t.ID == d.ID })
		out.Records = append(out.Records, record.Placed{ID: d.ID, Stream: d.Stream, Seq: r.Seq, Leaf: r.Leaf})
	}
	out.Checkpoint = map[record.StreamID][]byte{}
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		if err := l.seal(id, changed[id]); err != nil {
			return err
		}
		if h := changed[id].head; h.Signed == h.Size {
			out.Checkpoint[id] = h.Checkpoint
		}
	}
	if a.Answer != nil {
		var err error
		if out.Answer, err = a.Answer(*out); err != nil {
			return fmt.Errorf("make answer: %w", err)
		}
	}
	if a.Key != "" {
		s.slots[[2]string{a.Scope, a.Key}] = slot{a.BodyHash, out.Answer}
	}
	return nil
}

// free refuses a draft whose id or version exists.
func (s *state) free(st *stream, d record.Draft) error {
	subject, version := record.Meaning{ID: d.ID, Refs: d.Refs}.Subject()
	for _, r := range st.records {
		if r.Meaning.ID == d.ID && !r.Meaning.IsZero() {
			return record.ErrDuplicateRecord
		}
		if r.Meaning.IsZero() {
			continue
		}
		if sub, v := r.Meaning.Subject(); sub == subject && v == version {
			return record.ErrVersionTaken
		}
	}
	return nil
}

// restrict takes the content of what r supersedes, ends or erases out of every view, as the origin does.
func restrict(st *stream, r record.Stored) {
	ref, ok := r.Meaning.Change()
	if !ok || !ref.Rel.Deletes() {
		return
	}
	for i, e := range st.records[:len(st.records)-1] {
		if e.Meaning.IsZero() {
			continue
		}
		if sub, _ := e.Meaning.Subject(); sub == ref.ID {
			for _, p := range e.Parts {
				if p.Name != record.Meta && p.State != record.PartGone {
					st.records[i] = gone(st.records[i], p.Name, r.Seq)
				}
			}
		}
	}
}

// gone returns a record without one of its parts.
func gone(st record.Stored, name record.PartName, by uint64) record.Stored {
	st.Parts = slices.Clone(st.Parts)
	for i, p := range st.Parts {
		if p.Name == name {
			st.Parts[i] = record.StoredPart{Name: name, State: record.PartGone, Keys: p.Keys, GoneBy: by}
		}
	}
	return st
}

// seal closes a commit group of an own stream.
func (l *Log) seal(id record.StreamID, st *stream) error {
	t := record.Tree{Size: st.head.Size, Frontier: st.head.Frontier}
	for _, r := range st.records[st.head.Size:] {
		t = t.Add(r.Leaf)
	}
	var note []byte
	st.head.Size, st.head.Applied, st.head.Root, st.head.Frontier = t.Size, t.Size, t.Root(), t.Frontier
	if l.isReleased(id) {
		var err error
		if note, err = l.sign(id, t); err != nil {
			return err
		}
		st.head.Checkpoint, st.head.Signed = note, t.Size
	}
	st.ends, st.notes = append(st.ends, t.Size), append(st.notes, note)
	return nil
}

func (l *Log) sign(id record.StreamID, t record.Tree) ([]byte, error) {
	sg, ok := l.cfg.Signer(id, max(t.Size, 1)-1)
	if !ok {
		return nil, fmt.Errorf("sign %s at %d: no key", id, t.Size)
	}
	return record.SignCheckpoint(sg, record.Checkpoint{Federation: l.cfg.Federation, Stream: id, Size: t.Size, Root: t.Root(), Charter: l.cfg.Charter()})
}

// Answered implements record.Log.
func (l *Log) Answered(_ context.Context, scope, key string) ([]byte, [32]byte, error) {
	k, ok := l.read().slots[[2]string{scope, key}]
	if !ok {
		return nil, [32]byte{}, record.ErrNotFound
	}
	return k.answer, k.hash, nil
}

// Apply implements record.Log.
func (l *Log) Apply(_ context.Context, a record.Apply) error {
	return l.write(func(s *state) error {
		st := s.stream(a.Stream)
		if st.head.Size != a.From || st.head.Frozen != "" {
			return fmt.Errorf("apply to %s at %d, stored %d: %w", a.Stream, a.From, st.head.Size, record.ErrStale)
		}
		if a.Group != nil {
			st.records = append(st.records, a.Group.Records...)
			st.ends, st.notes = append(st.ends, a.NewHead.Size), append(st.notes, a.Group.Checkpoint)
		}
		for _, late := range a.Late {
			st.records[late.Seq] = merge(st.records[late.Seq], late)
		}
		for _, d := range a.Deletes {
			for _, at := range d.Parts {
				st.records[at.Seq] = gone(st.records[at.Seq], at.Part, d.By)
			}
		}
		if a.Cursor != nil {
			s.cursors[a.Cursor.Topic] = a.Cursor.Offset
		}
		st.head = a.NewHead
		return nil
	})
}

// merge returns a stored record with what a late frame brought.
func merge(old, late record.Stored) record.Stored {
	old.Parts = slices.Clone(old.Parts)
	for _, p := range late.Parts {
		for i := range old.Parts {
			if old.Parts[i].Name == p.Name {
				old.Parts[i] = p
			}
		}
	}
	old.Unusable, old.Meaning = late.Unusable, late.Meaning
	return old
}

// Head implements record.Log.
func (l *Log) Head(_ context.Context, id record.StreamID) (record.Head, error) {
	return l.read().look(id).head, nil
}

// Heads implements record.Log.
func (l *Log) Heads(context.Context) ([]record.Head, error) {
	s := l.read()
	var out []record.Head
	for _, id := range slices.Sorted(maps.Keys(s.streams)) {
		out = append(out, s.streams[id].head)
	}
	return out, nil
}

// Groups implements record.Log.
func (l *Log) Groups(_ context.Context, id record.StreamID, from uint64, limit int) ([]record.Group, error) {
	st := l.read().look(id)
	var out []record.Group
	n, first := 0, uint64(0)
	for i, end := range st.ends {
		count := int(end - first)
		if end > from {
			if len(out) > 0 && n+count > limit {
				break
			}
			n += count
			out = append(out, record.Group{Stream: id, First: first, Records: st.records[first:end:end], Checkpoint: st.notes[i]})
		}
		first = end
	}
	return out, nil
}

// Record implements record.Log.
func (l *Log) Record(_ context.Context, id record.RecordID) (record.Stored, error) {
	s := l.read()
	var found []record.Stored
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		for _, r := range s.streams[name].records {
			if h, err := record.DecodeHeader(r.Header); err == nil && h.ID == id {
				found = append(found, r)
			}
		}
	}
	rank := func(r record.Stored) int {
		switch {
		case r.Stream.Member() != l.cfg.Self:
			return 2
		case r.Stream.Kind() != record.Records:
			return 1
		}
		return 0
	}
	if len(found) == 0 {
		return record.Stored{}, fmt.Errorf("record %s: %w", id, record.ErrNotFound)
	}
	return slices.MinFunc(found, func(a, b record.Stored) int { return cmp.Compare(rank(a), rank(b)) }), nil
}

// Subject implements record.Log.
func (l *Log) Subject(_ context.Context, id record.StreamID, subject record.RecordID) ([]record.Stored, error) {
	var out []record.Stored
	version := func(r record.Stored) uint64 {
		if r.Meaning.IsZero() {
			return 0
		}
		_, v := r.Meaning.Subject()
		return v
	}
	for _, r := range l.read().look(id).records {
		if !r.Meaning.IsZero() {
			if sub, _ := r.Meaning.Subject(); sub == subject {
				out = append(out, r)
			}
			continue
		}
		if h, err := record.DecodeHeader(r.Header); err == nil && r.Unusable == "" && h.ID == subject {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b record.Stored) int { return cmp.Compare(version(a), version(b)) })
	return out, nil
}

// Leaves implements record.Log.
func (l *Log) Leaves(_ context.Context, id record.StreamID, from, to uint64) ([]tlog.Hash, error) {
	st := l.read().look(id)
	if to < from || to > uint64(len(st.records)) {
		return nil, fmt.Errorf("leaves of %s from %d to %d: %w", id, from, to, record.ErrNotFound)
	}
	var out []tlog.Hash
	for _, r := range st.records[from:to] {
		out = append(out, r.Leaf)
	}
	return out, nil
}

// Pending implements record.Log.
func (l *Log) Pending(_ context.Context, id record.StreamID) ([]record.PartAt, error) {
	return inState(l.read().look(id), record.PartPending), nil
}

func inState(st *stream, want record.PartState) []record.PartAt {
	var out []record.PartAt
	for _, r := range st.records {
		for _, p := range r.Parts {
			if p.State == want {
				out = append(out, record.PartAt{Seq: r.Seq, Part: p.Name})
			}
		}
	}
	return out
}

// Rekey implements record.Log.
func (l *Log) Rekey(_ context.Context, id record.StreamID, has func(record.KeyID) bool) (int, error) {
	n := 0
	err := l.write(func(s *state) error {
		st := s.stream(id)
		for i, r := range st.records {
			for j, p := range r.Parts {
				if p.State != record.PartWithheld || !slices.ContainsFunc(p.Keys, has) {
					continue
				}
				r.Parts = slices.Clone(r.Parts)
				r.Parts[j].State = record.PartPending
				st.records[i] = r
				st.head.Applied = min(st.head.Applied, r.Seq)
				n++
			}
		}
		return nil
	})
	return n, err
}

// Release implements record.Log.
func (l *Log) Release(_ context.Context, id record.StreamID) error {
	if id.Member() != l.cfg.Self {
		return fmt.Errorf("release %s: not a stream of %s", id, l.cfg.Self)
	}
	err := l.write(func(s *state) error {
		st := s.stream(id)
		t, first := record.Tree{}, uint64(0)
		for i, end := range st.ends {
			for _, r := range st.records[first:end] {
				t = t.Add(r.Leaf)
			}
			first = end
			if st.notes[i] != nil {
				continue
			}
			note, err := l.sign(id, t)
			if err != nil {
				return err
			}
			st.notes[i] = note
			st.head.Checkpoint, st.head.Signed = note, end
		}
		return nil
	})
	if err == nil {
		l.mu.Lock()
		l.released[id] = true
		l.mu.Unlock()
	}
	return err
}

// Unreleased implements record.Log.
func (l *Log) Unreleased(_ context.Context, id record.StreamID) ([]record.Draft, error) {
	var out []record.Draft
	err := l.write(func(s *state) error {
		if id.Member() != l.cfg.Self || l.released[id] {
			return fmt.Errorf("unreleased tail of %s: %w", id, record.ErrStale)
		}
		st := s.stream(id)
		for _, r := range st.records[st.head.Signed:] {
			s.tail = append(s.tail, draftOf(r))
		}
		t := record.Tree{}
		st.records = st.records[:st.head.Signed]
		for _, r := range st.records {
			t = t.Add(r.Leaf)
		}
		for n := len(st.ends); n > 0 && st.ends[n-1] > st.head.Signed; n-- {
			st.ends, st.notes = st.ends[:n-1], st.notes[:n-1]
		}
		st.head.Size, st.head.Applied, st.head.Root, st.head.Frontier = t.Size, t.Size, t.Root(), t.Frontier
		for _, d := range s.tail {
			if d.Stream == id {
				out = append(out, d)
			}
		}
		return nil
	})
	return out, err
}

func draftOf(st record.Stored) record.Draft {
	m := st.Meaning
	d := record.Draft{Stream: st.Stream, ID: m.ID, Type: m.Type, Schema: m.Schema, Day: m.Day, Audience: m.Audience, Refs: m.Refs, Parts: map[record.PartName][]byte{}}
	for _, p := range st.Parts {
		if p.Name != record.Meta && p.State == record.PartPresent {
			d.Parts[p.Name] = p.Bytes
		}
	}
	return d
}

// PutReceipt implements record.Log.
func (l *Log) PutReceipt(_ context.Context, id record.StreamID, by record.MemberID, size uint64, receipt []byte) error {
	return l.write(func(s *state) error { s.putReceipt(id, by, size, receipt); return nil })
}

func (s *state) putReceipt(id record.StreamID, by record.MemberID, size uint64, receipt []byte) {
	m := maps.Clone(s.receipts[id])
	if m == nil {
		m = map[record.MemberID]kept{}
	}
	if old, ok := m[by]; !ok || old.size < size {
		m[by] = kept{size, bytes.Clone(receipt)}
	}
	s.receipts[id] = m
}

// Receipts implements record.Log.
func (l *Log) Receipts(_ context.Context, id record.StreamID) (map[record.MemberID][]byte, error) {
	out := map[record.MemberID][]byte{}
	for m, k := range l.read().receipts[id] {
		out[m] = k.receipt
	}
	return out, nil
}

// Cosign implements record.Log.
func (l *Log) Cosign(_ context.Context, id record.StreamID, old, size uint64, root tlog.Hash, receipt []byte) error {
	return l.write(func(s *state) error {
		if s.cosigned[id].size != old || size < old || size > s.look(id).head.Applied && !bugReceiptBeforeApply {
			return fmt.Errorf("cosign %s at %d after %d: %w", id, size, old, record.ErrStale)
		}
		s.cosigned[id] = cosigned{size, root}
		s.putReceipt(id, l.cfg.Self, size, receipt)
		return nil
	})
}

// Cosigned implements record.Log.
func (l *Log) Cosigned(_ context.Context, id record.StreamID) (uint64, tlog.Hash, error) {
	c := l.read().cosigned[id]
	return c.size, c.root, nil
}

// PutEvidence implements record.Log.
func (l *Log) PutEvidence(_ context.Context, id record.StreamID, evidence []byte) error {
	return l.write(func(s *state) error {
		if s.evidence[id] == nil {
			s.evidence[id] = bytes.Clone(evidence)
		}
		s.stream(id).head.Frozen = "forked"
		return nil
	})
}

// Evidence implements record.Log.
func (l *Log) Evidence(context.Context) (map[record.StreamID][]byte, error) {
	return maps.Clone(l.read().evidence), nil
}

// Cursor implements record.Log.
func (l *Log) Cursor(_ context.Context, topic string) (record.Cursor, error) {
	n, ok := l.read().cursors[topic]
	if !ok {
		return record.Cursor{}, fmt.Errorf("position in %s: %w", topic, record.ErrNotFound)
	}
	return record.Cursor{Topic: topic, Offset: n}, nil
}

// SetCursor implements record.Log.
func (l *Log) SetCursor(_ context.Context, c record.Cursor) error {
	return l.write(func(s *state) error { s.cursors[c.Topic] = c.Offset; return nil })
}

// Prune forgets used ids that expire at or before limit and raises the floor to the newest of them.
func (l *Log) Prune(limit int64) error {
	return l.write(func(s *state) error {
		for id, expires := range s.used {
			if expires <= limit {
				s.floor = max(s.floor, expires)
				delete(s.used, id)
			}
		}
		return nil
	})
}
