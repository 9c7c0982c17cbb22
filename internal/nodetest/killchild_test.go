package nodetest_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

// This file is the process that is killed: a node and the clients that append to it. It is the test binary again, and
// talks in lines of JSON: orders come on stdin, what it did goes to stdout. A line that has left is known to the client,
// whatever happens to the node.

// childEnv names the file with the child's configuration.
const childEnv = "PILIN_NODETEST_CHILD"

func TestMain(m *testing.M) {
	if file := os.Getenv(childEnv); file != "" {
		if err := runChild(file); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// ask is one request of a client. The same ask is the same body, whoever repeats it.
type ask struct {
	Key    string `json:"key"`              // idempotency key
	Op     string `json:"op"`               // one, two, seen or withdraw
	Target string `json:"target,omitempty"` // subject that is withdrawn
}

const (
	opOne      = "one"      // an entry
	opTwo      = "two"      // two entries and a record of the audit stream
	opSeen     = "seen"     // a record of the audit stream alone: its answer waits for the commit and for nothing else
	opWithdraw = "withdraw" // takes an entry back
)

func (a ask) bodyHash() [32]byte { return sha256.Sum256([]byte(a.Key + "\n" + a.Op + "\n" + a.Target)) }

// scope is the principal and route of the idempotency keys.
const scope = "nodetest/publish"

// order is what the child is told to do before its clients start.
type order struct {
	Repeat   []ask `json:"repeat"`   // asked before: with known outcome or without
	Conflict []ask `json:"conflict"` // answered before; each is asked again with another body
	Die      int   `json:"die"`      // kill the process right after the answer that is at least the die-th; 0: do not
	Quiet    bool  `json:"quiet"`    // the clients stop
}

// What a line of the child tells.
const (
	saidOpen     = "open"     // the node is built; orders are awaited
	saidTry      = "try"      // a request is about to be made
	saidAck      = "ack"      // it was answered
	saidFail     = "fail"     // it ended with an error: outcome unknown
	saidConflict = "conflict" // another body under a known key was refused
	saidQuiet    = "quiet"    // no client is at work
)

// said is one line of the child.
type said struct {
	What    string   `json:"what"`
	Ask     ask      `json:"ask"`
	Attempt string   `json:"attempt,omitempty"` // drawn anew for each try; it stands in the answer that is kept
	IDs     []string `json:"ids,omitempty"`     // of the drafts, in order
	// Of an answer: the bytes kept for repeats, whether this is a repeat, and where the records are.
	Answer   string            `json:"answer,omitempty"`
	Repeated bool              `json:"repeated,omitempty"`
	Records  []placed          `json:"records,omitempty"`
	Notes    map[string]string `json:"notes,omitempty"` // checkpoint of each stream; none while the stream is not released
	Err      string            `json:"err,omitempty"`
}

// released reports whether s is an answer of a released node: the records stream has a checkpoint that covers it.
func (s said) released() bool {
	return slices.ContainsFunc(s.Records, func(p placed) bool {
		return s.Notes[p.Stream] != "" && record.StreamID(p.Stream).Kind() == record.Records
	})
}

// hasty reports whether s is an answer that waited for the commit alone.
func (s said) hasty() bool { return s.What == saidAck && s.Ask.Op == opSeen && !s.Repeated }

type placed struct {
	ID     string `json:"id"`
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`
	Leaf   []byte `json:"leaf"`
}

// answer is what a client is told and what is kept: ids and receipts, never a sequence.
type answer struct {
	Attempt string            `json:"attempt"`
	IDs     []string          `json:"ids"`
	Notes   map[string]string `json:"notes"`
}

// clients is how many append at once.
const clients = 6

// child is the process's state.
type child struct {
	node *node.Node
	self record.MemberID
	run  string // drawn at start, so that keys of two lives differ

	mu       sync.Mutex // one line at a time
	out      io.Writer
	die      int // as ordered
	answered int // answers that have left
	receipts int // of them with a checkpoint of everything that was asked for

	quiet atomic.Bool
	mine  sync.Mutex
	done  []string // entries that may be withdrawn, each once
}

func runChild(file string) error {
	cfg, err := node.ReadConfig(file)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	n, err := node.Open(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	c := &child{node: n, self: cfg.Member, out: os.Stdout}
	if c.run, err = draw(); err != nil {
		return err
	}
	c.say(said{What: saidOpen})
	orders := bufio.NewReader(os.Stdin)
	first, err := readOrder(orders)
	if err != nil {
		return err
	}
	c.quiet.Store(first.Quiet)
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	go func() { // the end of the orders is the end of this process
		for {
			o, err := readOrder(orders)
			if err != nil {
				stop()
				return
			}
			c.quiet.Store(o.Quiet)
		}
	}()
	c.work(ctx, first)
	c.say(said{What: saidQuiet})
	return errors.Join(<-ended, n.Close())
}

func readOrder(r *bufio.Reader) (order, error) {
	var o order
	line, err := r.ReadBytes('\n')
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(line, &o)
}

// say writes one line with one write: it has left, or it has not.
func (c *child) say(s said) {
	b, err := json.Marshal(s, jsontext.AllowInvalidUTF8(false))
	if err != nil {
		panic(err) // our own strings
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.out.Write(append(b, '\n')); err != nil {
		os.Exit(3) // nobody listens any more
	}
	if s.What == saidAck {
		c.answered++
	}
	if s.released() {
		c.receipts++
	}
	// All clients are at work again some answers after the release.
	if c.die > 0 && c.answered >= c.die && c.receipts > 2*clients && s.hasty() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// work repeats what is ordered, then appends until it is told to be quiet.
func (c *child) work(ctx context.Context, o order) {
	c.mu.Lock()
	c.die = o.Die
	c.mu.Unlock()
	for _, a := range o.Conflict {
		c.conflict(ctx, a)
	}
	var repeats = make(chan ask, len(o.Repeat))
	for _, a := range o.Repeat {
		repeats <- a
	}
	close(repeats)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for a := range repeats {
				c.request(ctx, a)
			}
			for k := 0; !c.quiet.Load() && ctx.Err() == nil; k++ {
				pause := time.Duration(0)
				switch c.request(ctx, c.next(i, k)) {
				case outcomeRecorded:
					if i >= clients/2 { // half of them never rest: there is always a request under way
						pause = 20 * time.Millisecond
					}
				case outcomeUnknown:
					pause = 20 * time.Millisecond
				case outcomeReceipt:
				}
				if pause > 0 {
					select {
					case <-time.After(pause):
					case <-ctx.Done():
					}
				}
			}
		})
	}
	wg.Wait()
}

// next makes client i's k-th request.
func (c *child) next(i, k int) ask {
	a := ask{Key: fmt.Sprintf("%s-%d-%d", c.run, i, k), Op: []string{opOne, opSeen, opTwo, opOne, opSeen, opWithdraw}[(i+k)%6]}
	if a.Op == opWithdraw {
		c.mine.Lock()
		defer c.mine.Unlock()
		if len(c.done) == 0 {
			a.Op = opOne
			return a
		}
		a.Target, c.done = c.done[0], c.done[1:]
	}
	return a
}

type outcome int

const (
	outcomeUnknown  outcome = iota // an error: the idempotency key will tell
	outcomeRecorded                // durable, not under a checkpoint yet
	outcomeReceipt                 // durable, under a signed checkpoint
)

// request makes one request and tells how it ended.
func (c *child) request(ctx context.Context, a ask) outcome {
	attempt, err := draw()
	var drafts []record.Draft
	if err == nil {
		drafts, err = c.drafts(a)
	}
	if err != nil {
		panic(err) // our own requests are sound
	}
	var ids []string
	for _, d := range drafts {
		ids = append(ids, d.ID.String())
	}
	c.say(said{What: saidTry, Ask: a, Attempt: attempt, IDs: ids})
	res, err := c.node.Append(ctx, record.Append{Drafts: drafts, Scope: scope, Key: a.Key, BodyHash: a.bodyHash(),
		Answer: func(r record.Appended) ([]byte, error) {
			return json.Marshal(answer{Attempt: attempt, IDs: ids, Notes: texts(r.Checkpoint)}, json.Deterministic(true))
		}})
	if err != nil {
		c.say(said{What: saidFail, Ask: a, Attempt: attempt, Err: err.Error()})
		return outcomeUnknown
	}
	s := said{What: saidAck, Ask: a, Attempt: attempt, Answer: string(res.Answer), Repeated: res.Repeated, Notes: texts(res.Checkpoint)}
	for _, p := range res.Records {
		s.Records = append(s.Records, placed{ID: p.ID.String(), Stream: string(p.Stream), Seq: p.Seq, Leaf: p.Leaf[:]})
	}
	c.say(s)
	if a.Op == opOne && !res.Repeated {
		c.mine.Lock()
		c.done = append(c.done, ids[0])
		c.mine.Unlock()
	}
	for _, p := range res.Records {
		if res.Checkpoint[p.Stream] == nil {
			return outcomeRecorded
		}
	}
	return outcomeReceipt
}

// conflict uses a key that was answered with another body: it must be refused, and nothing written.
func (c *child) conflict(ctx context.Context, a ask) {
	drafts, err := c.drafts(ask{Key: a.Key, Op: opOne})
	if err != nil {
		panic(err)
	}
	_, err = c.node.Append(ctx, record.Append{Drafts: drafts, Scope: scope, Key: a.Key, BodyHash: sha256.Sum256([]byte("another body"))})
	s := said{What: saidConflict, Ask: a}
	if !errors.Is(err, record.ErrIdempotencyConflict) {
		s.Err = fmt.Sprintf("want an idempotency conflict, got %v", err)
	}
	c.say(s)
}

func texts(notes map[record.StreamID][]byte) map[string]string {
	out := map[string]string{}
	for s, b := range notes {
		out[string(s)] = string(b)
	}
	return out
}

func draw() (string, error) {
	b, err := record.NewBits128(rand.Reader)
	return b.String(), err
}

// drafts makes the records of a request, with new ids: a client that repeats does not know the old ones.
func (c *child) drafts(a ask) ([]record.Draft, error) {
	records := record.Stream(c.self, record.Records)
	switch a.Op {
	case opWithdraw:
		id, err := record.ParseBits128(a.Target)
		if err != nil {
			return nil, err
		}
		d, err := draft(records, "blacklist.withdrawal", withdrawal(a.Key))
		d.Refs = []record.Ref{{Rel: record.Withdraws, ID: id, Version: 1}}
		return []record.Draft{d}, err
	case opTwo:
		one, err := draft(records, "blacklist.person", person(a.Key))
		if err != nil {
			return nil, err
		}
		two, err := draft(records, "blacklist.person", person(a.Key))
		if err != nil {
			return nil, err
		}
		seen, err := draft(record.Stream(c.self, record.Audit), "lookup.asked", refused(c.self, a.Key))
		return []record.Draft{one, seen, two}, err
	case opSeen:
		seen, err := draft(record.Stream(c.self, record.Audit), "lookup.asked", refused(c.self, a.Key))
		return []record.Draft{seen}, err
	}
	d, err := draft(records, "blacklist.person", person(a.Key))
	return []record.Draft{d}, err
}
