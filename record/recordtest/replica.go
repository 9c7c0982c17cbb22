package recordtest

import (
	"bytes"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// replica opens a log of Peer that holds what is released of Self's.
func (b *bench) replica(has func(record.KeyID) bool) record.Log {
	b.Helper()
	to := b.open(b.T, b.Config(Peer))
	b.Copy(b.T, b.log, to, Peer, b.own(), has)
	return to
}

func replicaEqual(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	for range 5 {
		b.append(b.Draft(Self, record.Records), b.Draft(Self, record.Records))
	}
	to := b.replica(nil)
	here, err := b.log.Groups(b.ctx, b.own(), 0, 100)
	b.ok(err)
	there, err := to.Groups(b.ctx, b.own(), 0, 100)
	b.ok(err)
	if len(here) != len(there) {
		b.Fatalf("%d groups, replica %d", len(here), len(there))
	}
	for i, g := range here {
		if !bytes.Equal(g.Checkpoint, there[i].Checkpoint) {
			b.Fatalf("checkpoint %d differs", i)
		}
		for j, st := range g.Records {
			r := there[i].Records[j]
			if !bytes.Equal(st.Header, r.Header) {
				b.Fatalf("header %d differs", st.Seq)
			}
			for n, p := range st.Parts {
				q := r.Parts[n]
				if p.Name == record.Home {
					if q.State != record.PartNone || q.Bytes != nil {
						b.Fatal("home left its node")
					}
					continue
				}
				if q.State != record.PartPresent || p.Salt != q.Salt || !bytes.Equal(p.Bytes, q.Bytes) {
					b.Fatalf("part %s of %d differs", p.Name, st.Seq)
				}
			}
		}
	}
	h, err := to.Head(b.ctx, b.own())
	b.ok(err)
	if h.Root != b.head(b.own()).Root || h.Applied != 10 {
		b.Fatalf("replica's head %+v", h)
	}
}

func applyStale(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	b.append(b.Draft(Self, record.Records))
	to := b.open(b.T, b.Config(Peer))
	gs, err := b.log.Groups(b.ctx, b.own(), 0, 1)
	b.ok(err)
	fr, err := record.SealedFrame(b.Federation, gs[0], b.Key)
	b.ok(err)
	d := b.Follower(b.T, to, Peer, b.own(), nil).Offer(fr, "http")
	d.Apply.Cursor = &record.Cursor{Topic: "t", Offset: 9}
	b.ok(to.Apply(b.ctx, *d.Apply))
	b.is(to.Apply(b.ctx, *d.Apply), record.ErrStale)
	c, err := to.Cursor(b.ctx, "t")
	b.ok(err)
	if c.Offset != 9 {
		b.Fatalf("cursor %d came not with its effects", c.Offset)
	}
}

// noEffect lists what was proven and is unusable, and nothing else.
func noEffect(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	refused := map[record.RecordID]bool{}
	for i := range 7 {
		d := b.Draft(Self, record.Records)
		refused[d.ID] = i == 2 || i == 5
		b.append(d)
	}
	to := b.open(b.T, b.Config(Peer))
	f := b.Follower(b.T, to, Peer, b.own(), nil)
	f.Usable = func(m record.Meaning, _ map[record.PartName][]byte) string {
		if refused[m.ID] {
			return "schema"
		}
		return ""
	}
	gs, err := b.log.Groups(b.ctx, b.own(), 0, 10)
	b.ok(err)
	for _, g := range gs {
		fr, err := record.SealedFrame(b.Federation, g, b.Key)
		b.ok(err)
		d := f.Offer(fr, "http")
		b.ok(to.Apply(b.ctx, *d.Apply))
		f.Applied(d.Apply)
	}
	for log, want := range map[record.Log][]uint64{b.log: nil, to: {2, 5}} {
		got, err := log.NoEffect(b.ctx, b.own())
		b.ok(err)
		if !slices.Equal(got, want) {
			b.Fatalf("records without effect are %v, want %v", got, want)
		}
	}
}

func correctionDeletes(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	to := b.replica(nil)
	b.append(b.Draft(Self, record.Records, follows(first, record.Supersedes, 1)))
	b.Copy(b.T, b.log, to, Peer, b.own(), nil)
	if card, body := b.states(to, 0); card.State != record.PartGone || body.State != record.PartGone || card.Bytes != nil || card.Salt != [32]byte{} || card.GoneBy != 1 {
		b.Fatalf("replica still has %+v", card)
	}
	if card, body := b.states(b.log, 0); card.State != record.PartGone || body.State != record.PartGone || card.GoneBy != 1 {
		b.Fatal("the origin still hands out what it superseded")
	}
	if card, _ := b.states(to, 1); card.State != record.PartPresent {
		b.Fatal("the correction's own content is missing")
	}
	b.append(b.Draft(Self, record.Records, follows(first, record.Withdraws, 2)))
	b.Copy(b.T, b.log, to, Peer, b.own(), nil)
	if card, body := b.states(to, 1); card.State != record.PartGone || body.State != record.PartGone {
		b.Fatal("a withdrawn version is still here")
	}
}

func erasureDeletes(b *bench) {
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	b.append(b.Draft(Self, record.Records, follows(first, record.Erases, 1)))
	if card, body := b.states(b.log, 0); card.State != record.PartGone || body.Bytes != nil || card.GoneBy != 1 {
		b.Fatalf("the origin still has %+v", card)
	}
	st, err := b.log.Record(b.ctx, first.ID)
	b.ok(err)
	for _, p := range st.Parts {
		if p.Name == record.Home && p.State != record.PartGone {
			b.Fatal("home survived an erasure")
		}
	}
}

func rekey(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	d := b.Draft(Self, record.Records)
	d.Audience = map[record.GroupID]record.Level{Group: record.L3}
	b.append(d)
	b.append(b.Draft(Self, record.Records))
	outside := func(id record.KeyID) bool { return id != b.epochs[Group].ID }
	to := b.replica(outside)
	h, err := to.Head(b.ctx, b.own())
	b.ok(err)
	if h.Applied != 2 {
		b.Fatalf("a record that is not for this node held back the applied head: %+v", h)
	}
	if card, _ := b.states(to, 0); card.State != record.PartWithheld || card.Bytes != nil {
		b.Fatalf("card is %+v", card)
	}
	if n, err := to.Rekey(b.ctx, b.own(), outside); err != nil || n != 0 {
		b.Fatalf("rekeyed %d without the key: %v", n, err)
	}
	n, err := to.Rekey(b.ctx, b.own(), func(id record.KeyID) bool { return id == b.epochs[Group].ID })
	b.ok(err)
	pending, err := to.Pending(b.ctx, b.own())
	b.ok(err)
	h, err = to.Head(b.ctx, b.own())
	b.ok(err)
	if n == 0 || len(pending) != n || pending[0].Seq != 0 || h.Applied != 0 {
		b.Fatalf("rekeyed %d, pending %v, applied %d", n, pending, h.Applied)
	}
	gs, err := b.log.Groups(b.ctx, b.own(), 0, 1)
	b.ok(err)
	fr, err := record.OpenFrame(b.Federation, gs[0], map[record.GroupID]bool{record.All: true, Group: true})
	b.ok(err)
	late := b.Follower(b.T, to, Peer, b.own(), nil).OfferLate(fr, "http")
	if late.Kind != record.DoApply {
		b.Fatalf("late parts: decision %d %s", late.Kind, late.Why)
	}
	b.ok(to.Apply(b.ctx, *late.Apply))
	h, err = to.Head(b.ctx, b.own())
	b.ok(err)
	card, body := b.states(to, 0)
	if h.Applied != 2 || card.State != record.PartPresent || !bytes.Equal(body.Bytes, d.Parts[record.Body]) {
		b.Fatalf("after the late parts: applied %d, card %+v", h.Applied, card)
	}
	subject, err := to.Subject(b.ctx, b.own(), d.ID)
	b.ok(err)
	if len(subject) != 1 || subject[0].Meaning.Type != d.Type {
		b.Fatal("the meaning of a late record is not stored")
	}
}

// applyFits: what is not the next step of a stream is refused, and changes nothing.
func applyFits(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	b.append(b.Draft(Self, record.Records))
	b.append(b.Draft(Self, record.Records))
	to := b.open(b.T, b.Config(Peer))
	gs, err := b.log.Groups(b.ctx, b.own(), 0, 10)
	b.ok(err)
	fr, err := record.SealedFrame(b.Federation, gs[0], b.Key)
	b.ok(err)
	good := b.Follower(b.T, to, Peer, b.own(), nil).Offer(fr, "http").Apply
	gap, long, bare := *good, *good, *good
	gap.Group = &record.Group{Stream: good.Stream, First: 1, Records: good.Group.Records, Checkpoint: good.Group.Checkpoint}
	long.NewHead.Size, long.NewHead.Signed = 2, 2
	bare.Group = &record.Group{Stream: good.Stream, Records: good.Group.Records}
	for what, a := range map[string]record.Apply{"a group behind a gap": gap, "a head longer than its records": long, "a group without checkpoint": bare} {
		if to.Apply(b.ctx, a) == nil {
			b.Fatalf("%s was applied", what)
		}
	}
	if h, err := to.Head(b.ctx, b.own()); err != nil || h.Size != 0 {
		b.Fatalf("refused, but the head is %+v, %v", h, err)
	}
	b.ok(to.PutEvidence(b.ctx, b.own(), []byte("proof")))
	b.is(to.Apply(b.ctx, *good), record.ErrStale) // frozen
	own := *good
	own.From = 2
	b.is(b.log.Apply(b.ctx, own), record.ErrStale) // an own stream that is released is not extended by others
}

// deletedBytes: no reader returns what a later record deleted.
func deletedBytes(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	to := b.replica(nil)
	b.append(b.Draft(Self, record.Records, follows(first, record.Withdraws, 1)))
	b.Copy(b.T, b.log, to, Peer, b.own(), nil)
	for _, log := range []record.Log{b.log, to} {
		all, err := log.Subject(b.ctx, b.own(), first.ID)
		b.ok(err)
		st, err := log.Record(b.ctx, first.ID)
		b.ok(err)
		for _, st := range append(all, st, b.at(log, 0)) {
			for _, p := range st.Parts {
				if st.Seq == 0 && (p.State == record.PartPresent || p.Bytes != nil || p.Salt != [32]byte{}) {
					b.Fatalf("part %s of a withdrawn record is still given out", p.Name)
				}
			}
		}
		if st.Leaf != first.Leaf || st.Leaf != record.Leaf(st.Header) {
			b.Fatal("the header of a withdrawn record changed")
		}
	}
}
