package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// Bounds of open questions (ADR 8, ADR 9).
const (
	openFor        = 12 * time.Hour
	maxOpen        = 128 // of a node
	maxOpenOf      = 8   // of an account
	maxWatchers    = 4   // of a question
	reaskAtOnce    = 4
	reaskGap       = 2 * time.Second // between two askings of one question
	reaskGapAtMost = time.Minute     // while a member stays missing, or veiled records keep coming and change nothing
	veiledGap      = 5 * time.Second // before the first asking because of veiled records: the others of a batch join it
)

// OpenStore is the node's database as open questions need it. Each call is one durable transaction or one reading.
type OpenStore interface {
	// PutOpen keeps a question, or what it has come to since.
	PutOpen(ctx context.Context, k federation.KeptAsk) error
	// DropOpen deletes a question that has ended.
	DropOpen(ctx context.Context, id record.Bits128) error
	// OpenAsks deletes the questions that have ended by now (Unix seconds) and returns the others.
	OpenAsks(ctx context.Context, now int64) ([]federation.KeptAsk, error)
	// Changes returns the records of a stream from seq on that have a place in a subject, at most limit, in order.
	Changes(ctx context.Context, s record.StreamID, from uint64, limit int) ([]federation.Changed, error)
}

// Open holds the questions of this node that are still open and asks them anew when a counted record changes or a missing
// member is heard again. They are kept in the node's database, so that a restart ends none. Make it with NewOpen, hand it
// to People, call Resume before the listener serves, and Run beside it.
type Open struct {
	now   func() time.Time
	store OpenStore
	wake  chan struct{}
	lanes chan struct{}

	mu      sync.Mutex
	by      map[string]*openQuestion
	owed    []record.Bits128 // ended, but still in the database
	stopped bool
	loop    func(context.Context)    // set by People
	heard   map[chan<- struct{}]bool // who else wants to know of what was applied
	ended   chan struct{}            // closed by Stop
	logger  *slog.Logger             // set by People

	at map[record.StreamID]seenUpTo // of the loop alone; nil: nothing was read yet
}

// NewOpen returns a place for open questions.
func NewOpen(now func() time.Time, store OpenStore) *Open {
	return &Open{now: now, store: store, wake: make(chan struct{}, 1), lanes: make(chan struct{}, reaskAtOnce), by: map[string]*openQuestion{},
		heard: map[chan<- struct{}]bool{}, ended: make(chan struct{}), logger: slog.New(slog.DiscardHandler)}
}

// Wake says that a record was applied, own or foreign. It never blocks.
func (o *Open) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.heard {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// hear lets a channel of room one know of every Wake until quit is called.
func (o *Open) hear(c chan<- struct{}) (quit func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard[c] = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.heard, c)
	}
}

// LookAgain says that parts of older records came, so that every question may mean more than before.
func (o *Open) LookAgain() {
	for _, q := range o.all() {
		q.lookAgain()
	}
	o.Wake()
}

// Stop ends every stream, so that the listener can shut down. The questions stay open: the next start resumes them.
func (o *Open) Stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.stopped {
		close(o.ended)
	}
	o.stopped = true
	for _, q := range o.by {
		q.close("stopping")
	}
	clear(o.by)
}

// add makes room for a question. An account's oldest makes room for its newest; a node that is full keeps no more.
func (o *Open) add(ctx context.Context, q *openQuestion) bool {
	o.mu.Lock()
	var mine []*openQuestion
	for _, p := range o.by {
		if p.owner.Account == q.owner.Account { // the owner's account never changes
			mine = append(mine, p)
		}
	}
	full := o.stopped || o.by[q.id] != nil
	var oldest *openQuestion
	if !full && len(mine) >= maxOpenOf {
		oldest = slices.MinFunc(mine, func(a, b *openQuestion) int { return a.until.Compare(b.until) })
		delete(o.by, oldest.id)
	}
	if full = full || len(o.by) >= maxOpen; !full {
		o.by[q.id] = q
	}
	o.mu.Unlock()
	if oldest != nil {
		o.end(ctx, oldest, "replaced")
	}
	return !full
}

func (o *Open) get(id string) *openQuestion {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.by[id]
}

// drop ends a question for good.
func (o *Open) drop(ctx context.Context, q *openQuestion, why string) {
	o.mu.Lock()
	delete(o.by, q.id)
	o.mu.Unlock()
	o.end(ctx, q, why)
}

// end closes a question and deletes it from the database; what cannot be deleted now is owed. An asking that is under way
// does not keep it again: who is about to write its row is waited for, whoever comes later is told.
func (o *Open) end(ctx context.Context, q *openQuestion, why string) {
	q.close(why)
	q.stored.Lock()
	defer q.stored.Unlock()
	q.gone = true
	if err := o.store.DropOpen(context.WithoutCancel(ctx), q.ask); err != nil {
		o.mu.Lock()
		o.owed = append(o.owed, q.ask)
		o.mu.Unlock()
	}
}

// settleOwed deletes what could not be deleted when it ended.
func (o *Open) settleOwed(ctx context.Context) {
	o.mu.Lock()
	owed := o.owed
	o.owed = nil
	o.mu.Unlock()
	for _, id := range owed {
		if err := o.store.DropOpen(ctx, id); err != nil {
			o.mu.Lock()
			o.owed = append(o.owed, id)
			o.mu.Unlock()
		}
	}
}

func (o *Open) all() []*openQuestion {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]*openQuestion, 0, len(o.by))
	for _, q := range o.by {
		out = append(out, q)
	}
	return out
}

// Resume takes up the questions that were open when the node stopped or was killed. It is called once, before the listener
// serves: whoever watched finds his question again. Each is asked anew as soon as this node may answer itself.
func (o *Open) Resume(ctx context.Context) error {
	kept, err := o.store.OpenAsks(ctx, o.now().Unix())
	if err != nil {
		return fmt.Errorf("resume open questions: %w", err)
	}
	lost := 0
	for _, k := range kept {
		q, err := recall(k)
		if err != nil { // of another version: it cannot be asked, so it is not kept either
			lost++
			if err := o.store.DropOpen(ctx, k.ID); err != nil {
				return fmt.Errorf("resume open questions: %w", err)
			}
			continue
		}
		q.resumed = o.now()
		o.mu.Lock()
		o.by[q.id] = q
		o.mu.Unlock()
	}
	if len(kept) > 0 {
		o.logger.LogAttrs(ctx, slog.LevelInfo, "open questions resumed", slog.Int("resumed", len(kept)-lost), slog.Int("unreadable", lost))
	}
	return nil
}

// start hands over what Run is to do.
func (o *Open) start(run func(context.Context), logger *slog.Logger) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loop, o.logger = run, logger
}

// Run looks after the open questions until ctx ends. The handler must have been made before.
func (o *Open) Run(ctx context.Context) {
	o.mu.Lock()
	run := o.loop
	o.mu.Unlock()
	if run != nil {
		run(ctx)
	}
}
