package recordtest

import (
	"bytes"
	"sync"

	"github.com/pilinhub/pilin/record"
)

func releaseSigns(b *bench) {
	before := b.append(b.Draft(Self, record.Records))
	b.append(b.Draft(Self, record.Records))
	if before.Checkpoint[b.own()] != nil || b.head(b.own()).Signed != 0 {
		b.Fatal("an unreleased group was signed")
	}
	if a := b.append(b.Draft(Self, record.Audit)); a.Checkpoint[record.Stream(Self, record.Audit)] == nil {
		b.Fatal("audit needs no release and was not signed")
	}
	b.ok(b.log.Release(b.ctx, b.own()))
	b.ok(b.log.Release(b.ctx, b.own()))
	after := b.append(b.Draft(Self, record.Records))
	gs, err := b.log.Groups(b.ctx, b.own(), 0, 100)
	b.ok(err)
	size := uint64(0)
	for _, g := range gs {
		size += uint64(len(g.Records))
		pub, _ := b.SignKey(g.Stream, 0)
		c, err := record.VerifyCheckpoint(g.Checkpoint, pub)
		b.ok(err)
		if c.Size != size || c.Stream != b.own() || c.Charter != b.Kit.Charter {
			b.Fatalf("checkpoint %+v at size %d", c, size)
		}
	}
	if size != 3 || !bytes.Equal(after.Checkpoint[b.own()], gs[len(gs)-1].Checkpoint) || b.head(b.own()).Signed != 3 {
		b.Fatal("the newest checkpoint is not the last group's")
	}
	_, err = b.log.Unreleased(b.ctx, b.own())
	b.is(err, record.ErrStale)
}

func unreleasedTail(b *bench) {
	a, c := b.Draft(Self, record.Records), b.Draft(Self, record.Records)
	b.append(a)
	b.append(c)
	for range 2 { // a repeat, as after a crash in between, loses nothing
		tail, err := b.log.Unreleased(b.ctx, b.own())
		b.ok(err)
		if len(tail) != 2 || tail[0].ID != a.ID || tail[1].ID != c.ID || string(tail[0].Parts[record.Home]) != string(a.Parts[record.Home]) {
			b.Fatalf("tail %v", tail)
		}
		if h := b.head(b.own()); h.Size != 0 || h.Root != record.EmptyRoot() {
			b.Fatalf("head after taking off: %+v", h)
		}
	}
	again := b.append(c, a)
	if again.Records[1].ID != a.ID || again.Records[1].Seq != 1 {
		b.Fatal("the tail did not come back under its ids")
	}
	b.ok(b.log.Release(b.ctx, b.own()))
}

// releaseWhileAppending: neither waits for the other for ever, and every group ends up signed.
func releaseWhileAppending(b *bench) {
	drafts := make([]record.Draft, 24)
	for i := range drafts {
		drafts[i] = b.Draft(Self, record.Records)
	}
	errs := make(chan error, 2*len(drafts))
	var wg sync.WaitGroup
	for i, d := range drafts {
		wg.Go(func() {
			_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{d}})
			errs <- err
		})
		if i%6 == 3 {
			wg.Go(func() { errs <- b.log.Release(b.ctx, b.own()) })
		}
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		b.ok(err)
	}
	if h := b.head(b.own()); h.Signed != 24 || h.Size != 24 {
		b.Fatalf("head %+v", h)
	}
	gs, err := b.log.Groups(b.ctx, b.own(), 0, 100)
	b.ok(err)
	for _, g := range gs {
		if g.Checkpoint == nil {
			b.Fatalf("group at %d is not signed", g.First)
		}
	}
}
