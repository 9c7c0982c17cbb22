package nodetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file is what the clients know: what they asked, what they were told, and what must therefore be in the log.

// attempt is one try of a request.
type attempt struct {
	id      string
	records []record.RecordID
	failed  bool // it ended with an error
}

// request is one idempotency key.
type request struct {
	ask      ask
	attempts []attempt
	answer   []byte   // the first answer that a client or a reader saw; nil while there is none
	records  []placed // where the answer said that the records are; none if it was `recorded` or a repeat
	acked    bool     // a client has the answer
	life     int      // of the node, in which it was last tried
}

// pin is where a record was seen under a signed checkpoint: it never moves again.
type pin struct {
	stream record.StreamID
	seq    uint64
	leaf   tlog.Hash
}

// ledger is everything that clients know.
type ledger struct {
	dir      *federation.Directory
	requests map[string]*request
	order    []string                     // keys as they came
	receipts map[string]record.Checkpoint // by note text, verified
	pins     map[record.RecordID]pin
	life     int
	released bool // the node has been, in this life

	ledgerCounts // of this life
	wrong        []error
}

// ledgerCounts counts what clients were told.
type ledgerCounts struct {
	acks      int
	recorded  int // of them without a receipt: the node was not released yet
	repeats   int // of them to a request that was answered before
	conflicts int // refusals of another body under a known key
}

func (c *ledgerCounts) add(d ledgerCounts) {
	c.acks += d.acks
	c.recorded += d.recorded
	c.repeats += d.repeats
	c.conflicts += d.conflicts
}

func newLedger(dir *federation.Directory) *ledger {
	return &ledger{dir: dir, requests: map[string]*request{}, receipts: map[string]record.Checkpoint{}, pins: map[record.RecordID]pin{}}
}

// begin starts a new life of the node.
func (b *ledger) begin() {
	b.life++
	b.ledgerCounts, b.released = ledgerCounts{}, false
}

func (b *ledger) fault(format string, args ...any) {
	b.wrong = append(b.wrong, fmt.Errorf(format, args...))
}

// hear takes one line of the child.
func (b *ledger) hear(s said) {
	r := b.requests[s.Ask.Key]
	switch s.What {
	case saidTry:
		if r == nil {
			r = &request{ask: s.Ask}
			b.requests[s.Ask.Key], b.order = r, append(b.order, s.Ask.Key)
		}
		a := attempt{id: s.Attempt}
		for _, id := range s.IDs {
			rid, err := record.ParseBits128(id)
			if err != nil {
				b.fault("request %s: %w", s.Ask.Key, err)
			}
			a.records = append(a.records, rid)
		}
		r.attempts, r.life = append(r.attempts, a), b.life
	case saidFail:
		r.attempts[len(r.attempts)-1].failed = true
	case saidConflict:
		b.conflicts++
		if s.Err != "" {
			b.fault("request %s: %s", s.Ask.Key, s.Err)
		}
	case saidAck:
		b.acked(r, s)
	}
}

func (b *ledger) acked(r *request, s said) {
	b.acks++
	if s.Repeated {
		b.repeats++
	}
	if r.answer != nil && !bytes.Equal(r.answer, []byte(s.Answer)) {
		b.fault("request %s: answered %q, before %q", r.ask.Key, s.Answer, r.answer)
	}
	if r.acked && !s.Repeated {
		b.fault("request %s took effect again", r.ask.Key)
	}
	r.answer, r.acked = []byte(s.Answer), true
	b.released = b.released || s.released()
	recorded := false
	for _, p := range s.Records {
		note, ok := s.Notes[p.Stream]
		if !ok {
			recorded = true
			continue
		}
		c, err := b.receipt(note, record.StreamID(p.Stream))
		if err != nil {
			b.fault("request %s: receipt: %w", r.ask.Key, err)
			continue
		}
		if c.Size <= p.Seq {
			b.fault("request %s: a receipt of size %d for record %d", r.ask.Key, c.Size, p.Seq)
		}
		r.records = append(r.records, p)
	}
	if recorded {
		b.recorded++
	}
}

// receipt verifies a checkpoint note once.
func (b *ledger) receipt(note string, s record.StreamID) (record.Checkpoint, error) {
	if c, ok := b.receipts[note]; ok {
		return c, nil
	}
	c, err := verified(b.dir, []byte(note), s)
	if err == nil {
		b.receipts[note] = c
	}
	return c, err
}

// open returns the requests of this life whose outcome the client does not know.
func (b *ledger) open() []*request {
	var out []*request
	for _, key := range b.order {
		if r := b.requests[key]; !r.acked {
			out = append(out, r)
		}
	}
	return out
}

// flying counts requests that had neither answer nor error.
func (b *ledger) flying() int {
	n := 0
	for _, r := range b.open() {
		if r.life == b.life && !r.attempts[len(r.attempts)-1].failed {
			n++
		}
	}
	return n
}

// settled returns up to n requests that were answered, the newest.
func (b *ledger) settled(n int) []ask {
	var out []ask
	for _, key := range slices.Backward(b.order) {
		if r := b.requests[key]; r.acked && len(out) < n {
			out = append(out, r.ask)
		}
	}
	return out
}

// resolution counts what became of requests whose outcome nobody knew.
type resolution struct{ written, absent int }

// check holds a log, by stream, to everything that clients know. all also asks for every kept answer, not only for those
// of requests that are open or were answered lately.
func (b *ledger) check(ctx context.Context, log *sqlstore.Store, streams map[record.StreamID]*streamLog, all bool) (resolution, error) {
	var res resolution
	for note, c := range b.receipts {
		l := streams[c.Stream]
		if l == nil {
			return res, fmt.Errorf("a receipt is of %s, which is not there", c.Stream)
		}
		if err := l.consistent(c); err != nil {
			return res, fmt.Errorf("fork: the receipt %q does not fit: %w", note, err)
		}
	}
	for id, p := range b.pins {
		if err := holds(streams, id, p); err != nil {
			return res, err
		}
	}
	present := 0
	for i, key := range b.order {
		r := b.requests[key]
		ask := all || !r.acked || r.life >= b.life-1 && i%4 == 0
		n, err := b.checkRequest(ctx, log, streams, r, ask)
		if err != nil {
			return res, fmt.Errorf("request %s (%s): %w", key, r.ask.Op, err)
		}
		present += n
		if !r.acked && r.answer != nil {
			res.written++
		} else if !r.acked {
			res.absent++
		}
	}
	stored := 0
	for _, l := range streams {
		stored += len(l.records)
		for i, st := range l.records {
			if uint64(i) < l.signed {
				b.pins[st.Meaning.ID] = pin{l.stream, st.Seq, st.Leaf}
			}
		}
	}
	if stored != present {
		return res, fmt.Errorf("the log holds %d records, the requests account for %d", stored, present)
	}
	return res, nil
}

// holds checks that a record that was under a checkpoint is where it was.
func holds(streams map[record.StreamID]*streamLog, id record.RecordID, p pin) error {
	l := streams[p.stream]
	if l == nil || p.seq >= uint64(len(l.records)) {
		return fmt.Errorf("lost: record %s at %s %d", id, p.stream, p.seq)
	}
	if st := l.records[p.seq]; st.Meaning.ID != id || st.Leaf != p.leaf {
		return fmt.Errorf("changed: %s %d was record %s, leaf %x; now it is %s, leaf %x", p.stream, p.seq, id, p.leaf[:4], st.Meaning.ID, st.Leaf[:4])
	}
	if err := l.included(p.seq, p.leaf); err != nil {
		return fmt.Errorf("record %s at %s %d: %w", id, p.stream, p.seq, err)
	}
	return nil
}

// checkRequest holds the log to one request; it returns how many of its records are there.
func (b *ledger) checkRequest(ctx context.Context, log *sqlstore.Store, streams map[record.StreamID]*streamLog, r *request, ask bool) (int, error) {
	if ask {
		kept, hash, err := log.Answered(ctx, scope, r.ask.Key)
		switch {
		case errors.Is(err, record.ErrNotFound) && r.answer == nil:
		case err != nil:
			return 0, fmt.Errorf("kept answer: %w", err)
		case hash != r.ask.bodyHash():
			return 0, errors.New("kept under another body")
		case r.answer != nil && !bytes.Equal(kept, r.answer):
			return 0, fmt.Errorf("kept answer %q, told %q", kept, r.answer)
		default:
			r.answer = kept
		}
	}
	var told answer
	if r.answer != nil {
		if err := json.Unmarshal(r.answer, &told); err != nil {
			return 0, fmt.Errorf("answer %q: %w", r.answer, err)
		}
		if !slices.ContainsFunc(r.attempts, func(a attempt) bool { return a.id == told.Attempt }) {
			return 0, fmt.Errorf("answer %q is of nobody's attempt", r.answer)
		}
	}
	n := 0
	for _, a := range r.attempts {
		for _, id := range a.records {
			st, ok := find(streams, id)
			switch {
			case ok && a.id != told.Attempt:
				return 0, fmt.Errorf("record %s is there without an answer", id)
			case !ok && a.id == told.Attempt:
				return 0, fmt.Errorf("lost: record %s was acknowledged", id)
			case ok && !carries(st, r.ask.Key) && !deleted(st):
				return 0, fmt.Errorf("record %s says something else", id)
			case ok:
				n++
			}
		}
	}
	for _, p := range r.records {
		id, err := record.ParseBits128(p.ID)
		if err == nil {
			err = holds(streams, id, pin{record.StreamID(p.Stream), p.Seq, tlog.Hash(p.Leaf)})
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

func find(streams map[record.StreamID]*streamLog, id record.RecordID) (record.Stored, bool) {
	for _, l := range streams {
		if i, ok := l.byID[id]; ok {
			return l.records[i], true
		}
	}
	return record.Stored{}, false
}

// deleted reports whether a later record took the content away.
func deleted(st record.Stored) bool {
	return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.State == record.PartGone })
}
