package memlog

import (
	"context"
	"slices"

	"github.com/pilinhub/pilin/record"
)

func (l *Log) own(id record.StreamID) bool { return id.Member() == l.cfg.Self }

// Apply implements record.Log.
func (l *Log) Apply(_ context.Context, a record.Apply) error {
	return l.write(func(s *state) error {
		st := s.stream(a.Stream)
		if err := record.CheckApply(st.head, a, l.own(a.Stream) && l.isReleased(a.Stream)); err != nil {
			return err
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
		if l.own(a.Stream) {
			s.takenBack(st, a)
		}
		if a.Cursor != nil {
			s.cursors[a.Cursor.Topic] = a.Cursor.Offset
		}
		st.head = a.NewHead
		st.measure()
		return nil
	})
}

// takenBack does what own records that came back from others mean at their origin. What a record supersedes may come
// after it, in a late frame, and so may its own meaning: the whole subject is looked at again.
func (s *state) takenBack(st *stream, a record.Apply) {
	touched := map[record.RecordID]bool{}
	for _, late := range a.Late {
		id, _ := st.records[late.Seq].Meaning.Subject()
		touched[id] = true
	}
	if a.Group != nil {
		for _, r := range a.Group.Records {
			s.back(idOf(r))
			id, _ := r.Meaning.Subject()
			touched[id] = true
		}
	}
	for i, r := range st.records {
		if id, _ := r.Meaning.Subject(); !r.Meaning.IsZero() && touched[id] {
			restrict(st, i)
		}
	}
}

// measure sets how far the stream is applied.
func (st *stream) measure() {
	waiting := inState(st, record.PartPending)
	first := uint64(0)
	if len(waiting) > 0 {
		first = waiting[0].Seq
	}
	st.head.Applied = record.AppliedSize(st.head.Size, first, len(waiting) > 0)
}

// merge returns a stored record with what a late frame brought.
func merge(old, late record.Stored) record.Stored {
	for _, p := range late.Parts {
		old = with(old, p)
	}
	old.Unusable, old.Meaning = late.Unusable, late.Meaning
	return old
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
	found := map[record.PartAt]bool{} // has is the caller's: it is not called under the lock
	for _, r := range l.read().look(id).records {
		for _, p := range r.Parts {
			if p.State == record.PartWithheld && slices.ContainsFunc(p.Keys, has) {
				found[record.PartAt{Seq: r.Seq, Part: p.Name}] = true
			}
		}
	}
	n := 0
	if len(found) == 0 {
		return 0, nil
	}
	err := l.write(func(s *state) error {
		st := s.stream(id)
		for i, r := range st.records {
			for _, p := range r.Parts {
				if p.State == record.PartWithheld && found[record.PartAt{Seq: r.Seq, Part: p.Name}] {
					st.records[i] = with(st.records[i], record.StoredPart{Name: p.Name, State: record.PartPending})
					n++
				}
			}
		}
		st.measure()
		return nil
	})
	return n, err
}
