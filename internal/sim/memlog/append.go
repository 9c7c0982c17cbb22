package memlog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// isReleased must be called under the lock.
func (l *Log) isReleased(s record.StreamID) bool { return s.Kind() != record.Records || l.released[s] }

// Append implements record.Log.
func (l *Log) Append(_ context.Context, a record.Append) (record.Appended, error) {
	if err := record.CheckAppend(l.cfg.Self, a); err != nil {
		return record.Appended{}, err
	}
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
			if _, seen := s.used[id]; seen || record.Replayed(u, s.floor) {
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
	size := 0
	for _, d := range a.Drafts {
		st := changed[d.Stream]
		if st == nil {
			st = s.stream(d.Stream)
			changed[d.Stream] = st
		}
		r, err := l.cfg.Sealer.Seal(d, l.next(d.Stream, uint64(len(st.records))))
		if err != nil {
			return err
		}
		if err := free(st, r); err != nil {
			return err
		}
		if size += record.SealedSize(r); size > record.MaxGroupBytes {
			return fmt.Errorf("append %d bytes: %w", size, record.ErrTooLarge)
		}
		st.records = append(st.records, r)
		restrict(st, len(st.records)-1)
		s.back(d.ID)
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

func (l *Log) next(id record.StreamID, size uint64) uint64 {
	if l.issued[id] == nil {
		l.issued[id] = new(uint64)
	}
	return record.NextSeq(size, l.issued[id])
}

// free refuses a record whose id or version exists.
func free(st *stream, r record.Stored) error {
	subject, _ := r.Meaning.Subject()
	var line record.Versions
	for _, have := range st.records {
		if idOf(have) == r.Meaning.ID {
			return record.ErrDuplicateRecord
		}
		if have.Meaning.IsZero() {
			continue
		}
		if sub, _ := have.Meaning.Subject(); sub == subject {
			line.Add(have.Meaning)
		}
	}
	return line.Check(r.Meaning)
}

// idOf returns a record's id, zero if its header does not parse.
func idOf(st record.Stored) record.RecordID {
	if !st.Meaning.IsZero() {
		return st.Meaning.ID
	}
	h, err := record.DecodeHeader(st.Header)
	if err != nil {
		return record.RecordID{}
	}
	return h.ID
}

// back notes that a record that was taken off is in a stream again.
func (s *state) back(id record.RecordID) {
	s.tail = slices.DeleteFunc(s.tail, func(t record.Draft) bool { return t.ID == id })
}

// restrict takes the content of what an own record supersedes, ends or erases out of every view. Unless it is erased, the
// content is kept apart.
func restrict(st *stream, i int) {
	r := st.records[i]
	ref, ok := r.Meaning.Change()
	if !ok || !ref.Rel.Deletes() {
		return
	}
	if st.restricted == nil {
		st.restricted = map[record.PartAt]record.StoredPart{}
	}
	for j, e := range st.records[:i] {
		if e.Meaning.IsZero() {
			continue
		}
		if sub, _ := e.Meaning.Subject(); sub != ref.ID {
			continue
		}
		for _, p := range e.Parts {
			if p.Name == record.Meta {
				continue
			}
			at := record.PartAt{Seq: e.Seq, Part: p.Name}
			if p.State == record.PartPresent {
				st.restricted[at] = p
			}
			if ref.Rel == record.Erases {
				delete(st.restricted, at)
			}
			if p.State != record.PartGone || p.GoneBy >= r.Seq {
				st.records[j] = gone(st.records[j], p.Name, r.Seq)
			}
		}
	}
}

// gone returns a record without one of its parts.
func gone(st record.Stored, name record.PartName, by uint64) record.Stored {
	return with(st, record.StoredPart{Name: name, State: record.PartGone, GoneBy: by})
}

// with returns a record with one of its parts replaced; the part's keys stay.
func with(st record.Stored, part record.StoredPart) record.Stored {
	st.Parts = slices.Clone(st.Parts)
	for i, p := range st.Parts {
		if p.Name == part.Name {
			part.Keys = p.Keys
			st.Parts[i] = part
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
	st.head.Size, st.head.Root, st.head.Frontier = t.Size, t.Root(), t.Frontier
	st.measure()
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
