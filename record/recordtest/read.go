package recordtest

import (
	"bytes"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

func groupsWhole(b *bench) {
	b.ok(b.log.Release(b.ctx, b.own()))
	var drafts []record.Draft
	for range 7 {
		d, e := b.Draft(Self, record.Records), b.Draft(Self, record.Records)
		drafts = append(drafts, d, e)
		b.append(d, e)
	}
	for from := range uint64(16) {
		gs, err := b.log.Groups(b.ctx, b.own(), from, 5)
		b.ok(err)
		if from >= 14 {
			if len(gs) != 0 {
				b.Fatalf("groups past the end at %d", from)
			}
			continue
		}
		n, next := 0, gs[0].First
		if next > from || next+uint64(len(gs[0].Records)) <= from {
			b.Fatalf("from %d: first group at %d", from, next)
		}
		for _, g := range gs {
			if g.First != next || g.Checkpoint == nil {
				b.Fatalf("group at %d, want %d", g.First, next)
			}
			for _, st := range g.Records {
				d := drafts[st.Seq]
				if st.Meaning.ID != d.ID || st.Leaf != record.Leaf(st.Header) || len(st.Parts) != 3 {
					b.Fatalf("record %d came back wrong", st.Seq)
				}
				h, err := record.DecodeHeader(st.Header)
				b.ok(err)
				for i, p := range st.Parts {
					if p.State != record.PartPresent || !bytes.Equal(p.Bytes, d.Parts[p.Name]) || !record.Check(h.Parts[i], p.Salt, p.Bytes) {
						b.Fatalf("part %s of %d came back wrong", p.Name, st.Seq)
					}
				}
			}
			n += len(g.Records)
			next += uint64(len(g.Records))
		}
		if n > 5 && len(gs) > 1 {
			b.Fatalf("%d records for a limit of 5", n)
		}
	}
}

// roots returns the root of the log's first size leaves.
func (b *bench) roots(s record.StreamID) func(size uint64) tlog.Hash {
	return func(size uint64) tlog.Hash {
		hs, err := b.log.Leaves(b.ctx, s, 0, size)
		b.ok(err)
		var t record.Tree
		for _, l := range hs {
			t = t.Add(l)
		}
		return t.Root()
	}
}

func proofs(b *bench) {
	for range 13 {
		b.append(b.Draft(Self, record.Records))
	}
	leaves := func(from, to uint64) ([]tlog.Hash, error) { return b.log.Leaves(b.ctx, b.own(), from, to) }
	root := b.roots(b.own())
	for seq := range uint64(13) {
		p, err := record.ProveInclusion(leaves, 13, seq)
		b.ok(err)
		hs, err := leaves(seq, seq+1)
		b.ok(err)
		b.ok(record.CheckInclusion(p, 13, root(13), seq, hs[0]))
		if record.CheckInclusion(p, 13, root(13), seq, tlog.Hash{1}) == nil {
			b.Fatal("a wrong leaf was proven")
		}
		c, err := record.ProveConsistency(leaves, 13, seq+1)
		b.ok(err)
		b.ok(record.CheckConsistency(c, 13, root(13), seq+1, root(seq+1)))
	}
}

// states returns a record's card and body as a log has them.
func (b *bench) states(log record.Log, seq uint64) (card, body record.StoredPart) {
	b.Helper()
	st := b.at(log, seq)
	return part(st, record.Card), part(st, record.Body)
}

func cursors(b *bench) {
	_, err := b.log.Cursor(b.ctx, "t")
	b.is(err, record.ErrNotFound)
	for _, n := range []int64{5, 0, 7} {
		b.ok(b.log.SetCursor(b.ctx, record.Cursor{Topic: "t", Offset: n}))
		c, err := b.log.Cursor(b.ctx, "t")
		b.ok(err)
		if c.Offset != n || c.Topic != "t" {
			b.Fatalf("cursor %+v, want %d", c, n)
		}
	}
}

// leavesLong: every stretch of leaves is what the headers say, in a stream longer than any block that a store keeps.
func leavesLong(b *bench) {
	s := record.Stream(Self, record.Records)
	var all []tlog.Hash
	fill := func(n int) {
		for n > 0 {
			some := min(n, record.MaxGroupRecords)
			drafts := make([]record.Draft, some)
			for i := range drafts {
				drafts[i] = b.Draft(Self, record.Records)
				drafts[i].Parts = nil
			}
			for _, p := range b.append(drafts...).Records {
				all = append(all, p.Leaf)
			}
			n -= some
		}
	}
	fill(300)
	b.ok(b.log.Release(b.ctx, s))
	b.restart()
	fill(250)
	tail, err := b.log.Unreleased(b.ctx, s)
	b.ok(err)
	if len(tail) != 250 {
		b.Fatalf("tail of %d", len(tail))
	}
	all = all[:300]
	fill(230)
	for _, x := range [][2]uint64{{0, 530}, {0, 256}, {1, 256}, {255, 257}, {256, 512}, {300, 513}, {511, 530}, {529, 530}, {7, 7}, {512, 512}} {
		got, err := b.log.Leaves(b.ctx, s, x[0], x[1])
		b.ok(err)
		if !slices.Equal(got, all[x[0]:x[1]]) {
			b.Fatalf("leaves %d to %d are others", x[0], x[1])
		}
	}
	_, err = b.log.Leaves(b.ctx, s, 500, 531)
	b.is(err, record.ErrNotFound)
	_, err = b.log.Leaves(b.ctx, s, 5, 4)
	b.is(err, record.ErrNotFound)
}
