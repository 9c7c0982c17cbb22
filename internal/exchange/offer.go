package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// OfferBytes offers a message of a member's topic. at is the position behind it.
func (rs *Replicas) OfferBytes(ctx context.Context, topicOf record.MemberID, data []byte, at *record.Cursor) Outcome {
	fr, err := record.DecodeFrame(data)
	s := record.Stream(topicOf, record.Records)
	switch {
	case err != nil:
		return rs.unread(ctx, s, record.WhyMalformed, at)
	case fr.Stream.Member() != topicOf:
		rs.alarm(AlarmWrongStream, fr.Stream, topicOf)
		return rs.unread(ctx, s, record.WhyWrongStream, at)
	}
	return rs.Offer(ctx, fr, ViaKafka, at)
}

// unread is the outcome of a message that says nothing; the courier's position still moves behind it.
func (rs *Replicas) unread(ctx context.Context, s record.StreamID, why string, at *record.Cursor) Outcome {
	if !rs.Roster.replicated(s) {
		return rs.dropped(s, why)
	}
	o := rs.dropped(s, why)
	o.Doubt = true
	err := rs.locked(ctx, s, func(r *replica) error {
		o.Size = r.head.Size
		r.reached(at)
		return rs.moved(ctx, r, at)
	})
	if err != nil {
		return Outcome{Result: Failed, Stream: s, Err: err}
	}
	return o
}

func (rs *Replicas) dropped(s record.StreamID, why string) Outcome {
	rs.Count.Add(CountDropped, why, 1)
	return Outcome{Result: Dropped, Stream: s, Why: why}
}

// Offer offers a decoded frame of any road: it may extend the stream, bring parts of records that are stored, or prove a
// fork. at is the courier's position behind it, nil over HTTP. It returns when everything that follows from the frame is
// durable, or Failed.
func (rs *Replicas) Offer(ctx context.Context, fr *record.Frame, via string, at *record.Cursor) Outcome {
	switch {
	case fr.Stream.Member() == rs.Roster.Self && via == ViaHTTP && at == nil:
		return rs.offerOwn(ctx, fr)
	case fr.Stream.Member() == rs.Roster.Self:
		return rs.dropped(fr.Stream, WhyOwn)
	case !rs.Roster.replicated(fr.Stream):
		return rs.dropped(fr.Stream, WhyForeign)
	}
	var o Outcome
	err := rs.locked(ctx, fr.Stream, func(r *replica) error {
		r.reached(at)
		o = rs.offer(ctx, r, fr, via, at)
		rs.drain(ctx, r, &o)
		if o.Result == Failed {
			r.notReached(at)
			return o.Err
		}
		return rs.moved(ctx, r, at)
	})
	if err != nil {
		return Outcome{Result: Failed, Stream: fr.Stream, Err: err}
	}
	return o
}

// moved stores the courier's position now and then while messages have no effect; effects store it themselves.
func (rs *Replicas) moved(ctx context.Context, r *replica, at *record.Cursor) error {
	if at == nil {
		return nil
	}
	if r.steps++; r.steps < cursorEvery {
		return nil
	}
	return rs.flush(ctx, r)
}

func (rs *Replicas) flush(ctx context.Context, r *replica) error {
	c := r.cursor()
	if c == nil || r.steps == 0 {
		return nil
	}
	if err := rs.Log.SetCursor(ctx, *c); err != nil {
		return fmt.Errorf("store position in %s: %w", c.Topic, err)
	}
	r.steps = 0
	return nil
}

// drain offers held frames whose turn has come.
func (rs *Replicas) drain(ctx context.Context, r *replica, o *Outcome) {
	for o.Result != Failed && r.head.Frozen == "" {
		e, ok := r.next(r.head.Size)
		if !ok {
			return
		}
		if e.frame.End() <= r.head.Size && len(r.pending) == 0 {
			rs.Count.Add(CountDropped, WhyBehind, 1)
			continue
		}
		var at *record.Cursor
		if e.at >= 0 && r.at != nil {
			at = &record.Cursor{Topic: r.at.Topic, Offset: e.at + 1}
		}
		p := rs.offer(ctx, r, e.frame, e.via, at)
		o.merge(p)
		if p.Result == Held || p.Result == Failed {
			r.hold(e.frame, e.via, at)
			return
		}
	}
}

// offer works on one frame of a locked stream.
func (rs *Replicas) offer(ctx context.Context, r *replica, fr *record.Frame, via string, at *record.Cursor) Outcome {
	o := Outcome{Stream: r.stream, Size: r.head.Size}
	late := false
	if len(r.pending) > 0 && fr.First < r.head.Size {
		p := rs.offerLate(ctx, r, fr, via)
		if p.Result == Failed || p.Result == Applied && fr.End() <= r.head.Size {
			return p
		}
		late = p.Result == Applied
	}
	const tries = 3 // another process of this node may move the head; it does not do so for long
	for try := 0; ; try++ {
		f := r.follower(ctx, rs.Log, rs.Roster)
		d := f.Offer(fr, via)
		if d.Kind != record.DoApply {
			o = rs.decided(ctx, r, d, fr, via, at)
			break
		}
		err := r.store(ctx, rs.Log, f, d.Apply)
		if errors.Is(err, record.ErrStale) && try < tries {
			if err = r.load(ctx, rs.Log); err == nil {
				continue
			}
		}
		if err != nil {
			return Outcome{Result: Failed, Stream: r.stream, Size: r.head.Size, Err: err}
		}
		o.Result, o.New = Applied, len(d.Apply.Group.Records)
		o.Sealed = slices.ContainsFunc(d.Apply.Group.Records, func(st record.Stored) bool {
			return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.State == record.PartWithheld })
		})
		rs.Count.Add(CountApplied, via, int64(o.New))
		rs.countDeletes(d.Apply)
		break
	}
	o.Size, o.Parts = r.head.Size, late
	return o
}

func (rs *Replicas) countDeletes(a *record.Apply) {
	for _, d := range a.Deletes {
		rs.Count.Add(CountDeleted, "", int64(len(d.Parts)))
	}
}

// offerLate offers a frame for pending parts of stored records.
func (rs *Replicas) offerLate(ctx context.Context, r *replica, fr *record.Frame, via string) Outcome {
	o := Outcome{Stream: r.stream, Size: r.head.Size, Result: Duplicate}
	f := r.follower(ctx, rs.Log, rs.Roster)
	d := f.OfferLate(fr, via)
	if d.Kind == record.DoRefuse && d.Why == record.WhyStore {
		o.Result, o.Err = Failed, fmt.Errorf("read %s: store did not answer", r.stream)
		return o
	}
	if d.Kind != record.DoApply {
		return o // what it is refused for Offer will say
	}
	if err := r.store(ctx, rs.Log, f, d.Apply); err != nil {
		o.Result, o.Err = Failed, err
		return o
	}
	rs.Count.Add(CountLate, via, 1)
	rs.countDeletes(d.Apply)
	o.Result, o.Parts = Applied, true
	return o
}

// decided acts on every decision but DoApply.
func (rs *Replicas) decided(ctx context.Context, r *replica, d record.Decision, fr *record.Frame, via string, at *record.Cursor) Outcome {
	o := Outcome{Stream: r.stream, Size: r.head.Size}
	switch d.Kind {
	case record.DoDuplicate:
		rs.Count.Add(CountDuplicate, via, 1)
		o.Result = Duplicate
	case record.DoNeed:
		o.Gap = fr.End()
		rs.keep(r, fr, via, at, &o)
	case record.DoForked:
		return rs.forked(ctx, r, *d.Evidence, via)
	case record.DoRefuse:
		return rs.refused(r, d.Why, fr, via, at)
	}
	return o
}

func (rs *Replicas) keep(r *replica, fr *record.Frame, via string, at *record.Cursor, o *Outcome) {
	if !r.hold(fr, via, at) {
		rs.Count.Add(CountDropped, WhyHeldFull, 1)
		o.Result, o.Why = Dropped, WhyHeldFull
		return
	}
	rs.Count.Add(CountHeld, "", 1)
	o.Result = Held
}

// refused acts on a refusal by its code.
func (rs *Replicas) refused(r *replica, why string, fr *record.Frame, via string, at *record.Cursor) Outcome {
	o := Outcome{Stream: r.stream, Size: r.head.Size, Result: Dropped, Why: why}
	switch why {
	case record.WhyStore:
		r.loaded = false
		o.Result, o.Err = Failed, fmt.Errorf("read %s: store did not answer", r.stream)
		return o
	case record.WhyUnknownCharter:
		if c, err := record.ParseCheckpoint(fr.Checkpoint); err == nil {
			o.Charter = &c.Charter
		}
		o.Why = ""
		rs.keep(r, fr, via, at, &o)
		return o
	case record.WhyFrozen:
	case record.WhyBadRoot:
		o.Doubt, o.Suspect = true, fr.Checkpoint
	case record.WhyUnknownKey:
		// Nobody's other bytes help; a newer charter may.
	default:
		o.Doubt = true
	}
	rs.Count.Add(CountDropped, why, 1)
	return o
}

// forked keeps evidence and freezes the stream.
func (rs *Replicas) forked(ctx context.Context, r *replica, e record.Evidence, road string) Outcome {
	o := Outcome{Stream: r.stream, Size: r.head.Size, Result: Forked}
	b, err := e.Encode()
	if err == nil {
		err = rs.Log.PutEvidence(ctx, r.stream, b)
	}
	if err == nil {
		r.loaded = false
		err = r.load(ctx, rs.Log)
	}
	if err != nil {
		return Outcome{Result: Failed, Stream: r.stream, Err: fmt.Errorf("keep evidence of a fork of %s: %w", r.stream, err)}
	}
	r.held, r.heldBytes = nil, 0
	rs.Count.Add(CountForked, road, 1)
	rs.alarm(AlarmFork, r.stream, r.stream.Member())
	return o
}

// offerOwn takes parts of own records that were taken back from somebody who could not give them. It never extends the
// stream.
func (rs *Replicas) offerOwn(ctx context.Context, fr *record.Frame) Outcome {
	const tries = 100 // people go on appending
	r := rs.get(fr.Stream)
	r.mu.Lock()
	defer r.mu.Unlock()
	var o Outcome
	for range tries {
		r.loaded = false // appends go past the replica
		if err := r.load(ctx, rs.Log); err != nil {
			return Outcome{Result: Failed, Stream: fr.Stream, Err: err}
		}
		o = rs.offerLate(ctx, r, fr, ViaHTTP)
		if o.Result != Failed || !errors.Is(o.Err, record.ErrStale) {
			break
		}
	}
	return o
}
