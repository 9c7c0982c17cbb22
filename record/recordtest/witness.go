package recordtest

import (
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

func receiptsGrow(b *bench) {
	s := record.Stream(Peer, record.Records)
	b.ok(b.log.PutReceipt(b.ctx, s, Peer, 5, []byte("five")))
	b.ok(b.log.PutReceipt(b.ctx, s, Peer, 4, []byte("four")))
	b.ok(b.log.PutReceipt(b.ctx, s, Self, 3, []byte("three")))
	rs, err := b.log.Receipts(b.ctx, s)
	b.ok(err)
	if string(rs[Peer]) != "five" || string(rs[Self]) != "three" || len(rs) != 2 {
		b.Fatalf("receipts %q", rs)
	}
	b.ok(b.log.PutReceipt(b.ctx, s, Peer, 6, []byte("six")))
	rs, err = b.log.Receipts(b.ctx, s)
	b.ok(err)
	if string(rs[Peer]) != "six" {
		b.Fatalf("receipts %q", rs)
	}
}

func cosignRace(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	for range 4 {
		b.append(b.Draft(Self, record.Records))
	}
	to := b.replica(nil)
	root := b.roots(b.own())
	errs := make(chan error, 8)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			size := uint64(1 + i%3)
			errs <- to.Cosign(b.ctx, b.own(), 0, size, root(size), []byte(fmt.Sprint("r", i)))
		})
	}
	wg.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
		} else {
			b.is(err, record.ErrStale)
		}
	}
	if won != 1 {
		b.Fatalf("%d cosignatures won from the same size", won)
	}
	size, got, err := to.Cosigned(b.ctx, b.own())
	b.ok(err)
	if got != root(size) {
		b.Fatal("the cosigned root is not the one that won")
	}
	b.is(to.Cosign(b.ctx, b.own(), size, 5, root(4), []byte("above applied")), record.ErrStale)
	b.is(to.Cosign(b.ctx, b.own(), size+1, size+1, root(size+1), []byte("wrong old")), record.ErrStale)
	b.is(to.Cosign(b.ctx, b.own(), size, 4, tlog.Hash{4}, []byte("a root that no checkpoint has")), record.ErrStale)
	b.ok(to.Cosign(b.ctx, b.own(), size, 4, root(4), []byte("four")))
	b.is(to.Cosign(b.ctx, b.own(), 4, 3, root(3), []byte("smaller")), record.ErrStale)
	b.is(to.Cosign(b.ctx, b.own(), 4, 4, tlog.Hash{3}, []byte("same size, other tree")), record.ErrStale)
	b.ok(to.Cosign(b.ctx, b.own(), 4, 4, root(4), []byte("four, holding back less")))
	rs, err := to.Receipts(b.ctx, b.own())
	b.ok(err)
	if string(rs[Peer]) != "four, holding back less" {
		b.Fatalf("the node's own receipt is %q", rs[Peer])
	}
}

func evidenceFreezes(b *bench) {
	s := record.Stream(Peer, record.Records)
	b.ok(b.log.PutEvidence(b.ctx, s, []byte("proof")))
	ev, err := b.log.Evidence(b.ctx)
	b.ok(err)
	if string(ev[s]) != "proof" || b.head(s).Frozen == "" {
		b.Fatal("evidence did not freeze its stream")
	}
}

// cosignPending: what is not applied is not vouched for, however much of it is verified.
func cosignPending(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	for range 3 {
		b.append(b.Draft(Self, record.Records))
	}
	root := b.roots(b.own())
	to := b.open(b.T, b.Config(Peer))
	for seq := range uint64(3) { // the second frame comes without boxes
		gs, err := b.log.Groups(b.ctx, b.own(), seq, 1)
		b.ok(err)
		fr, err := record.SealedFrame(b.Federation, gs[0], b.Key)
		b.ok(err)
		if seq == 1 {
			fr.Boxes = nil
		}
		d := b.Follower(b.T, to, Peer, b.own(), nil).Offer(fr, "kafka")
		if d.Kind != record.DoApply {
			b.Fatalf("decision %d %s", d.Kind, d.Why)
		}
		b.ok(to.Apply(b.ctx, *d.Apply))
	}
	h, err := to.Head(b.ctx, b.own())
	b.ok(err)
	waiting, err := to.Pending(b.ctx, b.own())
	b.ok(err)
	if h.Size != 3 || h.Applied != 1 || len(waiting) != 2 || waiting[0] != (record.PartAt{Seq: 1, Part: record.Card}) {
		b.Fatalf("head %+v, pending %v", h, waiting)
	}
	b.is(to.Cosign(b.ctx, b.own(), 0, 3, root(3), []byte("all")), record.ErrStale)
	b.ok(to.Cosign(b.ctx, b.own(), 0, 1, root(1), []byte("one")))
	gs, err := b.log.Groups(b.ctx, b.own(), 1, 1)
	b.ok(err)
	fr, err := record.OpenFrame(b.Federation, gs[0], map[record.GroupID]bool{record.All: true})
	b.ok(err)
	late := b.Follower(b.T, to, Peer, b.own(), nil).OfferLate(fr, "http")
	if late.Kind != record.DoApply {
		b.Fatalf("late parts: decision %d %s", late.Kind, late.Why)
	}
	b.ok(to.Apply(b.ctx, *late.Apply))
	b.ok(to.Cosign(b.ctx, b.own(), 1, 3, root(3), []byte("all")))
}
