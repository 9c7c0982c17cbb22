package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
)

// takeBack goes on with fetching what others hold of our streams; when nothing is missing it appends the tail again and
// lets Step decide anew.
func (r *Release) takeBack(ctx context.Context, now time.Time) (Do, error) {
	if r.fetching {
		return Do{}, nil
	}
	behind, err := r.behind(ctx)
	if errors.Is(err, errStuck) {
		r.phase = Stuck
		return Do{}, nil
	}
	if err != nil {
		return Do{}, err
	}
	if len(behind) == 0 {
		if err := r.putBack(ctx); err != nil {
			return Do{}, err
		}
		r.phase = Asking
		return Do{}, nil
	}
	s := behind[0]
	if err := r.takeOff(ctx, s); err != nil {
		return Do{}, err
	}
	h, err := r.Log.Head(ctx, s)
	if err != nil {
		return Do{}, fmt.Errorf("read head of %s: %w", s, err)
	}
	peer, ok := r.holder(now, s, h.Size)
	if !ok {
		return Do{}, nil
	}
	a := r.holders[peer]
	a.last = now
	r.holders[peer], r.fetching = a, true
	return Do{Fetch: &Task{Peer: peer, Stream: s, From: h.Size}}, nil
}

// holder chooses, of those that showed more than size, who was asked longest ago.
func (r *Release) holder(now time.Time, s record.StreamID, size uint64) (record.MemberID, bool) {
	var can []shownSize
	for _, x := range r.shown[s] {
		if x.c.Size > size && !now.Before(r.holders[x.peer].until) {
			can = append(can, x)
		}
	}
	if len(can) == 0 {
		return "", false
	}
	best := slices.MinFunc(can, func(a, b shownSize) int { return r.holders[a.peer].last.Compare(r.holders[b.peer].last) })
	return best.peer, true
}

// Fetched takes the end of Do.Fetch.
func (r *Release) Fetched(ctx context.Context, now time.Time, t Task, frames []*record.Frame, fetchErr error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fetching = false
	progress := false
	if r.phase == TakingBack {
		for _, fr := range frames {
			if fr.Stream != t.Stream {
				break
			}
			applied, err := r.takeFrame(ctx, fr)
			if err != nil {
				return err
			}
			progress = progress || applied
			if r.phase == Stuck {
				return nil
			}
		}
	}
	a := r.holders[t.Peer]
	if progress && fetchErr == nil {
		a.fails, a.until = 0, time.Time{}
	} else {
		a.fails++
		a.until = now.Add(min(RetryFirst<<min(a.fails-1, 10), RetryLast))
	}
	r.holders[t.Peer] = a
	return nil
}

// takeFrame offers one of our own frames to a Follower of our own stream and stores it.
func (r *Release) takeFrame(ctx context.Context, fr *record.Frame) (applied bool, err error) {
	const tries = 100 // people go on appending: the tail that comes meanwhile is taken off again
	for range tries {
		if err := r.takeOff(ctx, fr.Stream); err != nil {
			return false, err
		}
		own := &replica{stream: fr.Stream}
		if err := own.load(ctx, r.Log); err != nil {
			return false, err
		}
		f := own.follower(ctx, r.Log, r.Roster)
		d := f.Offer(fr, ViaHTTP)
		switch d.Kind {
		case record.DoForked:
			r.phase = Stuck
			r.alarm(AlarmSelfFork, fr.Stream, "")
			return false, nil
		case record.DoApply:
			err := r.Log.Apply(ctx, *d.Apply)
			if errors.Is(err, record.ErrStale) {
				continue
			}
			if err != nil {
				return false, fmt.Errorf("take back %s at %d: %w", fr.Stream, d.Apply.From, err)
			}
			r.Count.Add(CountApplied, "takeback", int64(len(d.Apply.Group.Records)))
			return true, nil
		case record.DoRefuse:
			if d.Why == record.WhyStore {
				continue // an append came between
			}
			r.Count.Add(CountDropped, d.Why, 1)
			return false, nil
		default:
			return false, nil
		}
	}
	return false, fmt.Errorf("take back %s: %w", fr.Stream, record.ErrStale)
}

// takeOff removes the unsigned tail of an own stream and keeps its drafts. The log keeps them too, until they are
// appended again (record.Log.Unreleased).
func (r *Release) takeOff(ctx context.Context, s record.StreamID) error {
	drafts, err := r.Log.Unreleased(ctx, s)
	if err != nil {
		return fmt.Errorf("take unreleased tail off %s: %w", s, err)
	}
	if len(drafts) > 0 && r.Rewind != nil {
		h, err := r.Log.Head(ctx, s)
		if err != nil {
			return fmt.Errorf("read head of %s: %w", s, err)
		}
		r.Rewind(s, h.Size)
	}
	for _, d := range drafts {
		if !slices.ContainsFunc(r.tail, func(t record.Draft) bool { return t.ID == d.ID }) {
			r.tail = append(r.tail, d)
		}
	}
	return nil
}

// putBack appends the tail again, of each subject in the order of its versions: after a crash in between the tail may
// come out of order. A draft whose version somebody took, and every later one of that subject, becomes a local draft: it
// was written on top of something else. So does one that cannot be appended any more at all.
func (r *Release) putBack(ctx context.Context) error {
	slices.SortStableFunc(r.tail, func(a, b record.Draft) int { return cmp.Compare(versionOf(a), versionOf(b)) })
	for len(r.tail) > 0 {
		d := r.tail[0]
		subject, _ := record.Meaning{ID: d.ID, Refs: d.Refs}.Subject()
		err := record.ErrVersionTaken
		if !r.lost[subject] {
			_, err = r.Log.Append(ctx, record.Append{Drafts: []record.Draft{d}})
		}
		switch {
		case err == nil, errors.Is(err, record.ErrDuplicateRecord): // the very record came back from a peer
		case errors.Is(err, record.ErrVersionTaken), errors.Is(err, record.ErrNotFound), errors.Is(err, record.ErrNoEpoch):
			r.lost[subject] = true
			if err := r.keepLocal(ctx, d); err != nil {
				return err
			}
		default:
			return fmt.Errorf("append %s again: %w", d.ID, err)
		}
		r.tail = r.tail[1:]
	}
	return nil
}

func versionOf(d record.Draft) uint64 {
	_, version := record.Meaning{ID: d.ID, Refs: d.Refs}.Subject()
	return version
}

func (r *Release) keepLocal(ctx context.Context, d record.Draft) error {
	if r.Local == nil {
		return nil
	}
	if err := r.Local(ctx, d); err != nil {
		return fmt.Errorf("keep draft %s: %w", d.ID, err)
	}
	return nil
}
