package recordtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Run runs the suite; each case opens logs of its own.
func Run(t *testing.T, open Opener) {
	for name, f := range map[string]func(*bench){
		"append places records without gap":                  appendPlaces,
		"append is all or none":                              appendAllOrNone,
		"own checkpoints cover what is released":             releaseSigns,
		"unreleased tail is taken off and put back":          unreleasedTail,
		"idempotency keeps the first answer":                 idempotency,
		"concurrent repeats have one effect":                 concurrentRepeats,
		"one-use ids are used once":                          usesOnce,
		"one of two officers wins a version":                 versionRace,
		"a caller that gives up does not cancel":             givesUp,
		"groups end at checkpoints and parts come back":      groupsWhole,
		"inclusion and consistency are proven from leaves":   proofs,
		"a replica equals its origin":                        replicaEqual,
		"apply refuses another head":                         applyStale,
		"a correction takes the old content away everywhere": correctionDeletes,
		"an erasure deletes at home too":                     erasureDeletes,
		"withheld parts become pending with the key":         rekey,
		"receipts only grow":                                 receiptsGrow,
		"one cosignature wins, none above applied":           cosignRace,
		"evidence freezes":                                   evidenceFreezes,
		"cursors are kept":                                   cursors,
		"subjects come by version":                           subjects,
		"a stream of another member is not appended to":      foreignAppend,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			k := NewKit(1)
			f(&bench{T: t, Kit: k, log: open(t, k.Config(Self)), open: open, ctx: t.Context()})
		})
	}
}

// bench is one case's desk: a kit and an empty log of Self.
type bench struct {
	*testing.T
	*Kit
	log  record.Log
	open Opener
	ctx  context.Context
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("got error %v, want %v", err, want)
	}
}

func (b *bench) append(drafts ...record.Draft) record.Appended {
	b.Helper()
	a, err := b.log.Append(b.ctx, record.Append{Drafts: drafts})
	b.ok(err)
	return a
}

func (b *bench) own() record.StreamID { return record.Stream(Self, record.Records) }

func (b *bench) head(s record.StreamID) record.Head {
	b.Helper()
	h, err := b.log.Head(b.ctx, s)
	b.ok(err)
	return h
}

func follows(r record.Placed, rel record.Relation, version uint64) record.Ref {
	return record.Ref{Rel: rel, ID: r.ID, Version: version}
}

func appendPlaces(b *bench) {
	for i := range 5 {
		a := b.append(b.Draft(Self, record.Records), b.Draft(Self, record.Audit), b.Draft(Self, record.Records))
		for j, want := range []uint64{uint64(2 * i), uint64(i), uint64(2*i + 1)} {
			if a.Records[j].Seq != want {
				b.Fatalf("round %d: record %d at %d, want %d", i, j, a.Records[j].Seq, want)
			}
		}
	}
	h := b.head(b.own())
	if h.Size != 10 || h.Applied != 10 {
		b.Fatalf("head %+v", h)
	}
	hs, err := b.log.Leaves(b.ctx, b.own(), 0, 10)
	b.ok(err)
	var t record.Tree
	for _, l := range hs {
		t = t.Add(l)
	}
	if t.Root() != h.Root || !slices.Equal(t.Frontier, h.Frontier) {
		b.Fatal("the head is not of its leaves")
	}
	never := b.head("310116-01/records.9")
	if never.Size != 0 || never.Stream != "310116-01/records.9" {
		b.Fatalf("a stream never seen has head %+v", never)
	}
}

func appendAllOrNone(b *bench) {
	first := b.Draft(Self, record.Records)
	b.append(first)
	_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records), first}})
	b.is(err, record.ErrDuplicateRecord)
	if h := b.head(b.own()); h.Size != 1 {
		b.Fatalf("a refused append left %d records", h.Size-1)
	}
	big := b.Draft(Self, record.Records)
	big.Parts[record.Body] = []byte(`{"x":"` + strings.Repeat("x", record.MaxRecord) + `"}`)
	_, err = b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{big}})
	b.is(err, record.ErrTooLarge)
}

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

func idempotency(b *bench) {
	ask := func(d record.Draft, hash byte) (record.Appended, error) {
		return b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{d}, Scope: "p", Key: "k", BodyHash: [32]byte{hash},
			Answer: func(a record.Appended) ([]byte, error) { return []byte("answer for " + a.Records[0].ID.String()), nil }})
	}
	first, err := ask(b.Draft(Self, record.Records), 1)
	b.ok(err)
	again, err := ask(b.Draft(Self, record.Records), 1)
	b.ok(err)
	if !again.Repeated || !bytes.Equal(first.Answer, again.Answer) || len(first.Answer) == 0 {
		b.Fatalf("repeat answered %q, first %q", again.Answer, first.Answer)
	}
	_, err = ask(b.Draft(Self, record.Records), 2)
	b.is(err, record.ErrIdempotencyConflict)
	kept, hash, err := b.log.Answered(b.ctx, "p", "k")
	b.ok(err)
	if !bytes.Equal(kept, first.Answer) || hash != [32]byte{1} {
		b.Fatal("Answered does not return what was kept")
	}
	_, _, err = b.log.Answered(b.ctx, "p", "other")
	b.is(err, record.ErrNotFound)
	if h := b.head(b.own()); h.Size != 1 {
		b.Fatalf("%d records for one key", h.Size)
	}
	_, err = b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records)}, Scope: "p", Key: "bad",
		Answer: func(record.Appended) ([]byte, error) { return nil, errors.New("no answer") }})
	if err == nil || b.head(b.own()).Size != 1 {
		b.Fatal("a record stayed without its answer")
	}
}

func concurrentRepeats(b *bench) {
	drafts := make([]record.Draft, 16)
	for i := range drafts {
		drafts[i] = b.Draft(Self, record.Records)
	}
	answers := make([]string, len(drafts))
	var wg sync.WaitGroup
	for i, d := range drafts {
		wg.Go(func() {
			a, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{d}, Scope: "p", Key: "k", BodyHash: [32]byte{1},
				Answer: func(a record.Appended) ([]byte, error) { return []byte(a.Records[0].ID.String()), nil }})
			if err == nil {
				answers[i] = string(a.Answer)
			}
		})
	}
	wg.Wait()
	if b.head(b.own()).Size != 1 {
		b.Fatalf("%d records for one key", b.head(b.own()).Size)
	}
	for _, a := range answers {
		if a != answers[0] || a == "" {
			b.Fatalf("answers differ: %q, %q", a, answers[0])
		}
	}
}

func usesOnce(b *bench) {
	use := func(id string) error {
		_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Audit)}, Uses: []record.Use{{Kind: "jti", ID: id, Expires: b.Clock.Unix() + 60}}})
		return err
	}
	b.ok(use("a"))
	b.is(use("a"), record.ErrReplayed)
	b.ok(use("b"))
	drafts := make([]record.Draft, 20)
	for i := range drafts {
		drafts[i] = b.Draft(Self, record.Audit)
	}
	taken := make(chan error, len(drafts))
	var wg sync.WaitGroup
	for _, d := range drafts {
		wg.Go(func() {
			_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{d}, Uses: []record.Use{{Kind: "jti", ID: "c", Expires: b.Clock.Unix() + 60}}})
			taken <- err
		})
	}
	wg.Wait()
	close(taken)
	good := 0
	for err := range taken {
		if err == nil {
			good++
		} else {
			b.is(err, record.ErrReplayed)
		}
	}
	if good != 1 {
		b.Fatalf("%d of 20 uses at once were accepted", good)
	}
	if h := b.head(record.Stream(Self, record.Audit)); h.Size != 3 {
		b.Fatalf("%d audit records for 3 good uses", h.Size)
	}
}

func versionRace(b *bench) {
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	drafts := make([]record.Draft, 8)
	for i := range drafts {
		drafts[i] = b.Draft(Self, record.Records, follows(first, record.Follows, 1))
	}
	errs := make(chan error, len(drafts))
	var wg sync.WaitGroup
	for _, d := range drafts {
		wg.Go(func() { _, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{d}}); errs <- err })
	}
	wg.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
		} else {
			b.is(err, record.ErrVersionTaken)
		}
	}
	if won != 1 || b.head(b.own()).Size != 2 {
		b.Fatalf("%d changes won one version", won)
	}
}

func givesUp(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	d := b.Draft(Self, record.Records)
	_, err := b.log.Append(ctx, record.Append{Drafts: []record.Draft{d}, Scope: "p", Key: "k"})
	if err != nil && !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
	b.append(b.Draft(Self, record.Records)) // queued behind: when it is done the other is decided
	_, err = b.log.Record(b.ctx, d.ID)
	_, _, kept := b.log.Answered(b.ctx, "p", "k")
	if (err == nil) != (kept == nil) {
		b.Fatalf("record: %v, answer: %v: one without the other", err, kept)
	}
}

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

// states returns the states of a record's card and body in a log.
func (b *bench) states(log record.Log, seq uint64) (card, body record.StoredPart) {
	b.Helper()
	gs, err := log.Groups(b.ctx, b.own(), seq, 1)
	b.ok(err)
	for _, g := range gs {
		for _, st := range g.Records {
			for _, p := range st.Parts {
				if st.Seq == seq && p.Name == record.Card {
					card = p
				}
				if st.Seq == seq && p.Name == record.Body {
					body = p
				}
			}
		}
	}
	return card, body
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

func subjects(b *bench) {
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	b.append(b.Draft(Self, record.Records))
	b.append(b.Draft(Self, record.Records, follows(first, record.Follows, 1)))
	b.append(b.Draft(Self, record.Records, follows(first, record.Supersedes, 2)))
	all, err := b.log.Subject(b.ctx, b.own(), first.ID)
	b.ok(err)
	if len(all) != 3 {
		b.Fatalf("%d records of the subject", len(all))
	}
	for i, st := range all {
		if _, v := st.Meaning.Subject(); v != uint64(i+1) {
			b.Fatalf("version %d at place %d", v, i)
		}
	}
	_, err = b.log.Record(b.ctx, record.RecordID{9})
	b.is(err, record.ErrNotFound)
}

func foreignAppend(b *bench) {
	if _, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Peer, record.Records)}}); err == nil {
		b.Fatal("a record was appended to another member's stream")
	}
}
