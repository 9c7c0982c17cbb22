package recordtest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pilinhub/pilin/record"
)

var errNoAnswer = errors.New("no answer")

func noAnswer(record.Appended) ([]byte, error) { return nil, errNoAnswer }

// refusedTakesNoNumber: a number that an append which came to nothing had is the next one's.
func refusedTakesNoNumber(b *bench) {
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	b.append(b.Draft(Self, record.Records, follows(first, record.Follows, 1)))
	for range 3 {
		_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records), b.Draft(Self, record.Records, follows(first, record.Follows, 1))}})
		b.is(err, record.ErrVersionTaken)
		_, err = b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records)}, Answer: noAnswer})
		b.is(err, errNoAnswer)
	}
	next := b.append(b.Draft(Self, record.Records)).Records[0]
	h, err := record.DecodeHeader(b.at(b.log, 2).Header)
	b.ok(err)
	if next.Seq != 2 || h.Seq != 2 || h.ID != next.ID {
		b.Fatalf("after refusals the third record says %d and stands at %d", h.Seq, next.Seq)
	}
}

// neighbours: requests that share a commit share no outcome.
func neighbours(b *bench) {
	known := b.Draft(Self, record.Records)
	b.append(known)
	type try struct {
		a    record.Append
		want error
	}
	var tries []try
	for i := range 40 {
		x := try{a: record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records), b.Draft(Self, record.Audit)}}}
		switch i % 4 {
		case 1:
			x.a.Drafts = append(x.a.Drafts, known)
			x.want = record.ErrDuplicateRecord
		case 2:
			x.a.Answer = noAnswer
			x.want = errNoAnswer
		case 3:
			use := record.Use{Kind: "jti", ID: fmt.Sprint(i), Expires: b.Clock.Unix()}
			x.a.Uses = []record.Use{use, use}
			x.want = record.ErrReplayed
		}
		tries = append(tries, x)
	}
	errs := make([]error, len(tries))
	var wg sync.WaitGroup
	for i, x := range tries {
		wg.Go(func() { _, errs[i] = b.log.Append(b.ctx, x.a) })
	}
	wg.Wait()
	for i, x := range tries {
		b.is(errs[i], x.want)
		if _, err := b.log.Record(b.ctx, x.a.Drafts[0].ID); (err == nil) != (x.want == nil) {
			b.Fatalf("request %d (%v): record found: %v", i, x.want, err)
		}
	}
	if h := b.head(b.own()); h.Size != 11 {
		b.Fatalf("%d records of 10 good requests", h.Size-1)
	}
}

// changesFit: what replicas would list as without effect the origin refuses.
func changesFit(b *bench) {
	refused := func(want error, ref record.Ref) {
		b.Helper()
		_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Records, ref)}})
		b.is(err, want)
	}
	audit := b.append(b.Draft(Self, record.Audit)).Records[0]
	refused(record.ErrNotFound, record.Ref{Rel: record.Follows, ID: record.RecordID{9}, Version: 1})
	refused(record.ErrNotFound, follows(audit, record.Follows, 1)) // of another stream
	first := b.append(b.Draft(Self, record.Records)).Records[0]
	refused(record.ErrNotFound, follows(first, record.Supersedes, 2))
	b.append(b.Draft(Self, record.Records, follows(first, record.Withdraws, 1)))
	refused(record.ErrVersionTaken, follows(first, record.Follows, 2)) // it has ended
	b.append(b.Draft(Self, record.Records, follows(first, record.Erases, 2)))
	refused(record.ErrVersionTaken, follows(first, record.Erases, 3))
	second := b.Draft(Self, record.Records)
	cites := b.Draft(Self, record.Records, record.Ref{Rel: record.Cites, ID: record.RecordID{9}})
	b.append(second, b.Draft(Self, record.Records, record.Ref{Rel: record.Follows, ID: second.ID, Version: 1}), cites)
}

func tooLarge(b *bench) {
	many := make([]record.Draft, record.MaxGroupRecords+1)
	for i := range many {
		many[i] = b.Draft(Self, record.Audit)
	}
	_, err := b.log.Append(b.ctx, record.Append{Drafts: many})
	b.is(err, record.ErrTooLarge)
	b.append(many[1:]...)
	b.ok(b.log.Release(b.ctx, b.own()))
	var heavy []record.Draft
	for range 3 {
		d := b.Draft(Self, record.Records)
		d.Parts[record.Body] = []byte(`"` + strings.Repeat("x", 254<<10) + `"`)
		heavy = append(heavy, d)
	}
	_, err = b.log.Append(b.ctx, record.Append{Drafts: heavy})
	b.is(err, record.ErrTooLarge)
	b.append(heavy[1:]...)
	b.replica(nil) // the fullest group fits a frame
}

// pruned: what the row no longer tells the floor does.
func pruned(b *bench) {
	if b.fs.Prune == nil {
		b.Skip("this log cannot be told to prune")
	}
	use := func(id string, expires int64) error {
		_, err := b.log.Append(b.ctx, record.Append{Drafts: []record.Draft{b.Draft(Self, record.Audit)}, Uses: []record.Use{{Kind: "jti", ID: id, Expires: expires}}})
		return err
	}
	now := b.Clock
	b.ok(use("old", now.Unix()))
	b.ok(use("young", now.Unix()+600))
	b.fs.Prune(b.T, b.log, now)
	b.is(use("old", now.Unix()), record.ErrReplayed)
	b.Clock = now.Add(6 * time.Minute)
	b.fs.Prune(b.T, b.log, b.Clock)
	b.Clock = now                                           // and the clock is set back
	b.is(use("old", now.Unix()), record.ErrReplayed)        // its row is gone, the floor remembers
	b.is(use("never seen", now.Unix()), record.ErrReplayed) // nobody can tell
	b.is(use("young", now.Unix()+600), record.ErrReplayed)  // its row is still there
	b.ok(use("new", now.Unix()+1))                          // above the floor, whatever the clock says
	if h := b.head(record.Stream(Self, record.Audit)); h.Size != 3 {
		b.Fatalf("%d audit records for 3 good uses", h.Size)
	}
}
