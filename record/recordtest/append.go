package recordtest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/pilinhub/pilin/record"
)

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

// givesUp: an append goes on when its caller does not.
func givesUp(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	d := b.Draft(Self, record.Records)
	_, err := b.log.Append(ctx, record.Append{Drafts: []record.Draft{d}, Scope: "p", Key: "k",
		Answer: func(record.Appended) ([]byte, error) { cancel(); return []byte("done"), nil }}) // in the middle of the write
	if err != nil && !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
	b.append(b.Draft(Self, record.Records)) // queued behind: when it is done the other is decided
	_, err = b.log.Record(b.ctx, d.ID)
	b.ok(err)
	kept, _, err := b.log.Answered(b.ctx, "p", "k")
	b.ok(err)
	if string(kept) != "done" {
		b.Fatalf("kept answer %q", kept)
	}
}

func subjects(b *bench) {
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	other := b.append(b.Draft(Self, record.Records)).Records[0]
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
	many, err := b.log.Subjects(b.ctx, b.own(), []record.RecordID{other.ID, {9}, first.ID})
	b.ok(err)
	one, err := b.log.Subject(b.ctx, b.own(), other.ID)
	b.ok(err)
	if len(many) != 2 || !reflect.DeepEqual(many[first.ID], all) || !reflect.DeepEqual(many[other.ID], one) {
		b.Fatalf("subjects asked for together are %d, or not those that are asked for one by one", len(many))
	}
	_, err = b.log.Record(b.ctx, record.RecordID{9})
	b.is(err, record.ErrNotFound)
}

func foreignAppend(b *bench) {
	if _, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Peer, record.Records)}}); err == nil {
		b.Fatal("a record was appended to another member's stream")
	}
}
