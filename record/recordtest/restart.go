package recordtest

import (
	"bytes"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// restart gives the case's log to the next process.
func (b *bench) restart() {
	b.Helper()
	if b.fs.Restart == nil {
		b.Skip("this log cannot be restarted")
	}
	b.log = b.fs.Restart(b.T, b.log)
}

// restart: what was acknowledged is there, an answer is given again byte for byte, and nothing is released.
func restart(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	ask := func() record.Appended {
		a, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records)}, Scope: "p", Key: "k", BodyHash: [32]byte{1},
			Answer: func(a record.Appended) ([]byte, error) { return []byte("answer for " + a.Records[0].ID.String()), nil }})
		b.ok(err)
		return a
	}
	first := ask()
	use := record.Append{Uses: []record.Use{{Kind: "jti", ID: "a", Expires: b.Clock.Unix() + 60}}}
	_, err := b.log.Append(b.ctx, use)
	b.ok(err)
	b.ok(b.log.SetCursor(b.ctx, record.Cursor{Topic: "t", Offset: 3}))
	before := b.head(b.own())
	b.restart()
	again := ask()
	if !again.Repeated || !bytes.Equal(first.Answer, again.Answer) {
		b.Fatalf("after a restart the answer is %q, before %q", again.Answer, first.Answer)
	}
	_, err = b.log.Append(b.ctx, use)
	b.is(err, record.ErrReplayed)
	if after := b.head(b.own()); after.Root != before.Root || !bytes.Equal(after.Checkpoint, before.Checkpoint) {
		b.Fatalf("head before %+v, after %+v", before, after)
	}
	if c, err := b.log.Cursor(b.ctx, "t"); err != nil || c.Offset != 3 {
		b.Fatalf("cursor %+v, %v", c, err)
	}
	if a := b.append(b.Draft(Self, record.Records)); a.Checkpoint[b.own()] != nil {
		b.Fatal("a new process signs before it is released")
	}
	b.restart()
	b.ok(b.log.Release(b.ctx, b.own()))
	if h := b.head(b.own()); h.Signed != 2 {
		b.Fatalf("head %+v", h)
	}
}

// tailWithCorrection: taking a tail off loses nothing of what it superseded, before it or in it.
func tailWithCorrection(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	signed := b.Draft(Self, record.Records)
	first := b.append(signed).Records[0]
	b.restart()
	in := b.Draft(Self, record.Records)
	b.append(in)
	b.append(b.Draft(Self, record.Records, record.Ref{Rel: record.Supersedes, ID: in.ID, Version: 1}))
	b.append(b.Draft(Self, record.Records, follows(first, record.Supersedes, 1)))
	tail, err := b.log.Unreleased(b.ctx, b.own())
	b.ok(err)
	if len(tail) != 3 || !bytes.Equal(tail[0].Parts[record.Home], in.Parts[record.Home]) || !bytes.Equal(tail[0].Parts[record.Body], in.Parts[record.Body]) {
		b.Fatalf("tail of %d drafts, the first with %q", len(tail), tail[0].Parts[record.Body])
	}
	if _, body := b.states(b.log, 0); !bytes.Equal(body.Bytes, signed.Parts[record.Body]) {
		b.Fatalf("what only the tail superseded is %+v", body)
	}
	b.append(b.Draft(Self, record.Records), b.Draft(Self, record.Records)) // as if peers had held more
	b.append(tail...)
	for seq, by := range map[uint64]uint64{0: 5, 3: 4} {
		if card, body := b.states(b.log, seq); card.State != record.PartGone || body.GoneBy != by {
			b.Fatalf("record %d: %+v, want gone by %d", seq, body, by)
		}
	}
	b.ok(b.log.Release(b.ctx, b.own()))
	b.append(b.Draft(Self, record.Records, follows(first, record.Withdraws, 2))) // the place of the old tail is used again
}

// tailWithErasure: what was erased stays erased, and says by which record.
func tailWithErasure(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	b.restart()
	b.append(b.Draft(Self, record.Records, follows(first, record.Erases, 1)))
	tail, err := b.log.Unreleased(b.ctx, b.own())
	b.ok(err)
	if _, body := b.states(b.log, 0); body.State != record.PartGone || body.Bytes != nil {
		b.Fatalf("an erased part came back: %+v", body)
	}
	b.append(b.Draft(Self, record.Records))
	b.append(tail...)
	if _, body := b.states(b.log, 0); body.State != record.PartGone || body.GoneBy != 2 {
		b.Fatalf("erased part %+v, want gone by 2", body)
	}
}

// takenBack: a log that was restored takes back what a peer holds of it and appends its tail behind.
func takenBack(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	b.append(b.Draft(Self, record.Records, follows(first, record.Supersedes, 1)))
	b.append(b.Draft(Self, record.Records))
	peer := b.replica(nil)

	again := b.open(b.T, b.Config(Self))
	mine := b.Draft(Self, record.Records)
	_, err := again.Append(b.ctx, record.Append{Drafts: []record.Draft{mine}})
	b.ok(err)
	tail, err := again.Unreleased(b.ctx, b.own())
	b.ok(err)
	gs, err := peer.Groups(b.ctx, b.own(), 0, 100)
	b.ok(err)
	for _, g := range gs {
		fr, err := record.OpenFrame(b.Federation, g, map[record.GroupID]bool{record.All: true})
		b.ok(err)
		dec := b.Follower(b.T, again, Self, b.own(), nil).Offer(fr, "http")
		if dec.Kind != record.DoApply {
			b.Fatalf("taking back %d: decision %d %s", g.First, dec.Kind, dec.Why)
		}
		b.ok(again.Apply(b.ctx, *dec.Apply))
	}
	_, err = again.Append(b.ctx, record.Append{Drafts: tail})
	b.ok(err)
	b.ok(again.Release(b.ctx, b.own()))
	h, err := again.Head(b.ctx, b.own())
	b.ok(err)
	if h.Size != 4 || h.Signed != 4 {
		b.Fatalf("head %+v", h)
	}
	old, err := b.log.Leaves(b.ctx, b.own(), 0, 3)
	b.ok(err)
	now, err := again.Leaves(b.ctx, b.own(), 0, 3)
	b.ok(err)
	if !slices.Equal(old, now) {
		b.Fatal("what was taken back is not what was published")
	}
	if p := part(b.at(again, 2), record.Home); p.State != record.PartLost {
		b.Fatalf("home of a record that was taken back: %+v", p)
	}
	if p := part(b.at(again, 2), record.Body); p.State != record.PartPresent {
		b.Fatalf("body of a record that was taken back: %+v", p)
	}
	if p := part(b.at(again, 0), record.Body); p.State == record.PartPresent {
		b.Fatal("superseded content is given out again")
	}
	if p := part(b.at(again, 3), record.Home); !bytes.Equal(p.Bytes, mine.Parts[record.Home]) {
		b.Fatal("the tail lost its home part")
	}
	_, err = again.Unreleased(b.ctx, b.own())
	b.is(err, record.ErrStale)
}

// takenBackLate: what an own record superseded is not given out again when it, or the superseding record, is taken back
// with its parts still on their way.
func takenBackLate(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	draft := b.Draft(Self, record.Records)
	draft.Audience = map[record.GroupID]record.Level{Group: record.L3}
	first := b.append(draft).Records[0]
	gs, err := b.replica(nil).Groups(b.ctx, b.own(), 0, 1) // as a member sent it that was behind
	b.ok(err)
	newer := b.Draft(Self, record.Records, follows(first, record.Supersedes, 1))
	newer.Audience = draft.Audience
	b.append(newer)
	last, err := b.replica(nil).Groups(b.ctx, b.own(), 1, 1)
	b.ok(err)
	gs = append(gs, last...)
	frame := func(i int) *record.Frame {
		fr, err := record.OpenFrame(b.Federation, gs[i], map[record.GroupID]bool{record.All: true, Group: true})
		b.ok(err)
		return fr
	}
	for late := range gs {
		again := b.open(b.T, b.Config(Self))
		_, err := again.Unreleased(b.ctx, b.own())
		b.ok(err)
		for i := range gs {
			fr := frame(i)
			if i == late {
				fr.Boxes = nil
			}
			dec := b.Follower(b.T, again, Self, b.own(), nil).Offer(fr, "http")
			if dec.Kind != record.DoApply {
				b.Fatalf("taking back %d: decision %d %s", i, dec.Kind, dec.Why)
			}
			b.ok(again.Apply(b.ctx, *dec.Apply))
		}
		waiting, err := again.Pending(b.ctx, b.own())
		b.ok(err)
		if len(waiting) == 0 || waiting[0].Seq != uint64(late) {
			b.Fatalf("with %d late there is pending %v", late, waiting)
		}
		dec := b.Follower(b.T, again, Self, b.own(), nil).OfferLate(frame(late), "http")
		if dec.Kind != record.DoApply {
			b.Fatalf("late parts of %d: decision %d %s", late, dec.Kind, dec.Why)
		}
		b.ok(again.Apply(b.ctx, *dec.Apply))
		if card, body := b.states(again, 0); card.State == record.PartPresent || body.State == record.PartPresent || body.Bytes != nil {
			b.Fatalf("with %d late superseded content is given out again: %+v", late, body)
		}
		if card, _ := b.states(again, 1); card.State != record.PartPresent {
			b.Fatalf("with %d late the correction's own content is missing: %+v", late, card)
		}
	}
}
