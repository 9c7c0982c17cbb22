package memlog

import (
	"context"
	"fmt"
	"math"

	"github.com/pilinhub/pilin/record"
)

// Release implements record.Log.
func (l *Log) Release(_ context.Context, id record.StreamID) error {
	if !l.own(id) {
		return fmt.Errorf("release %s: not a stream of %s", id, l.cfg.Self)
	}
	return l.write(func(s *state) error {
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
		l.released[id] = true // the commit that follows cannot fail
		return nil
	})
}

// Unreleased implements record.Log.
func (l *Log) Unreleased(_ context.Context, id record.StreamID) ([]record.Draft, error) {
	if !l.own(id) || id.Kind() != record.Records {
		return nil, fmt.Errorf("unreleased tail of %s: not a records stream of %s", id, l.cfg.Self)
	}
	var out []record.Draft
	err := l.write(func(s *state) error {
		if l.isReleased(id) {
			return fmt.Errorf("unreleased tail of %s: %w", id, record.ErrStale)
		}
		st := s.stream(id)
		s.takeOff(st)
		for _, d := range s.tail {
			if d.Stream == id {
				out = append(out, d)
			}
		}
		return nil
	})
	return out, err
}

// takeOff moves the unsigned tail of a stream to the drafts that wait, with the content that was restricted since, and
// gives back what the tail took out of the records before it.
func (s *state) takeOff(st *stream) {
	signed := st.head.Signed
	for i, r := range st.records {
		for _, p := range r.Parts {
			if p.State != record.PartGone || p.GoneBy < signed {
				continue
			}
			at := record.PartAt{Seq: r.Seq, Part: p.Name}
			if kept, ok := st.restricted[at]; ok {
				st.records[i] = with(st.records[i], kept)
				delete(st.restricted, at)
			} else { // erased: the erasure comes back at another place and then says again what it deleted
				st.records[i] = gone(st.records[i], p.Name, math.MaxInt64)
			}
		}
	}
	for _, r := range st.records[signed:] {
		s.tail = append(s.tail, record.DraftOf(r))
	}
	t := record.Tree{}
	st.records = st.records[:signed]
	for _, r := range st.records {
		t = t.Add(r.Leaf)
	}
	for n := len(st.ends); n > 0 && st.ends[n-1] > signed; n-- {
		st.ends, st.notes = st.ends[:n-1], st.notes[:n-1]
	}
	st.head.Size, st.head.Root, st.head.Frontier = t.Size, t.Root(), t.Frontier
	st.measure()
}
