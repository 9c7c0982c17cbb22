package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/fault"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
)

// peers are the requests that a node makes to other members' listeners. Each authenticates both ends.
type peers struct {
	Heads     func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error)
	Range     func(ctx context.Context, m record.MemberID, s record.StreamID, from uint64) ([]*record.Frame, error)
	Leaves    func(ctx context.Context, m record.MemberID, s record.StreamID, size uint64) ([]tlog.Hash, error)
	Charter   func(ctx context.Context, m record.MemberID, from uint64) (versions, statements [][]byte, err error)
	Agreement func(ctx context.Context, m record.MemberID, id [32]byte) ([]byte, error)
	// HeadsAs is Heads by the keys of an older entry of this member, for a peer that has not heard of a newer one.
	HeadsAs func(ctx context.Context, was federation.Member, m record.MemberID, body []byte) ([]byte, error)
}

// traffic keeps the exchange going: it gives the state machines of internal/exchange their hours, their connections and
// their goroutines. No rule of the exchange is here.
type traffic struct {
	log      record.Log
	dir      *federation.Directory
	roster   *exchange.Roster
	replicas *exchange.Replicas
	gaps     *exchange.GapFiller
	heads    *exchange.Heads
	receipts *exchange.Receipts
	release  *exchange.Release
	relay    *exchange.Relay
	schedule *exchange.Schedule
	breaker  exchange.Breaker
	count    *exchange.Counters
	peers    peers
	broker   *kafkabus.Broker // nil: HTTP alone
	producer *kafkabus.Producer
	keep     func(ctx context.Context) error     // stores charter versions and agreements that came
	applied  func(s record.StreamID)             // wakes the index
	revisit  func(s record.StreamID, seq uint64) // parts of stored records came: the index reads them anew
	changed  func()                              // the charter changed: connections of those it no longer names end
	now      func() time.Time
	slog     *slog.Logger
	rests    exchange.Rests

	wakeRelay, wakeGaps, wakeReceipts, wakeHeads chan struct{}

	intakes sync.Map    // record.MemberID → *kafkabus.Intake of its log topic
	kafkaUp atomic.Bool // the broker took or brought something lately
	news    atomic.Bool // own records that peers are to hear of by a head exchange, because Kafka does not carry them
}

// How long one request of the exchange may take; a question of an officer never waits for these.
const (
	headsTimeout = 5 * time.Second
	rangeTimeout = 20 * time.Second
)

func newWake() chan struct{} { return make(chan struct{}, 1) }

// wake makes a loop go round at once; a loop that is to go round already is not told twice.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run starts every loop and returns when ctx has ended and all of them have.
func (t *traffic) run(ctx context.Context) {
	var wg sync.WaitGroup
	loops := []func(context.Context){t.headsLoop, t.gapsLoop, t.receiptsLoop}
	if t.broker != nil {
		loops = append(loops, t.relayLoop, t.intakeLoop)
	}
	for _, f := range loops {
		wg.Go(func() { f(ctx) })
	}
	wg.Wait()
}

// pause waits for a wake, a tick or the end; false at the end.
func pause(ctx context.Context, c <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-c:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// announce tells that own records were appended: Kafka carries them, or while it does not, peers are shown the new head
// within a second instead of at their next turn.
func (t *traffic) announce() {
	if t.broker != nil && t.kafkaUp.Load() {
		wake(t.wakeRelay)
		return
	}
	wake(t.wakeRelay)
	t.news.Store(true)
}

// newsEvery is the shortest time between two rounds of head exchanges that announce own records.
const newsEvery = time.Second

// keepAfter is how long nothing was sent before it is stored how far the broker confirmed.
const keepAfter = 250 * time.Millisecond

// relayLoop sends own commit groups while there are any, and waits longer after each failure.
func (t *traffic) relayLoop(ctx context.Context) {
	wait := 50 * time.Millisecond
	var last time.Time // something was sent
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = t.relay.Keep(ctx) // else the last frames go again after the next start
	}()
	for {
		sent, err := t.relay.Step(ctx)
		if sent {
			last = time.Now()
		}
		if err == nil && !sent && time.Since(last) >= keepAfter {
			err = t.relay.Keep(ctx)
		}
		switch {
		case err != nil:
			if ctx.Err() != nil {
				return
			}
			t.kafkaUp.Store(false)
			t.news.Store(true)
			t.slog.LogAttrs(ctx, slog.LevelWarn, "relay waits", slog.Duration("wait", wait), slog.String("err", err.Error()))
			if !pause(ctx, nil, wait) {
				return
			}
			wait = min(2*wait, 2*time.Second)
		case sent:
			t.kafkaUp.Store(true)
			wait = 50 * time.Millisecond
		default:
			idle := time.Second
			if t.relay.Unkept() {
				idle = keepAfter
			}
			if !pause(ctx, t.wakeRelay, idle) {
				return
			}
		}
	}
}

// intakeLoop reads the topics of every other member of the charter, and of new ones when they come.
func (t *traffic) intakeLoop(ctx context.Context) {
	var wg sync.WaitGroup
	reading := map[record.MemberID]bool{}
	for {
		for _, m := range t.roster.Peers() {
			if reading[m] {
				continue
			}
			reading[m] = true
			in := t.intake(kafkabus.LogTopic(m), t.takeFrame(m), func(ctx context.Context, c record.Cursor) error {
				return t.replicas.Rewound(ctx, record.Stream(m, record.Records), c)
			})
			t.intakes.Store(m, in)
			wg.Go(func() { in.Run(ctx) })
			ack := t.intake(kafkabus.AckTopic(m), t.takeReceipt(m), t.log.SetCursor) // says nothing about frames that wait
			wg.Go(func() { ack.Run(ctx) })
		}
		if !pause(ctx, nil, time.Second) {
			break
		}
	}
	wg.Wait()
}

// intake makes the reader of one topic; moved is told where reading goes on when the topic is not what it was.
func (t *traffic) intake(topic string, deliver func(context.Context, kafkabus.Message) error, moved func(context.Context, record.Cursor) error) *kafkabus.Intake {
	return &kafkabus.Intake{
		Broker: t.broker, Topic: topic, Now: t.now, Log: t.slog, Deliver: deliver,
		Start: func(ctx context.Context) (int64, bool, error) {
			c, err := t.log.Cursor(ctx, topic)
			if errors.Is(err, record.ErrNotFound) {
				return 0, false, nil
			}
			return c.Offset, err == nil, err
		},
		Move: func(ctx context.Context, topic string, offset int64) error {
			return moved(ctx, record.Cursor{Topic: topic, Offset: offset})
		},
	}
}

// takeFrame offers what a member's log topic brought.
func (t *traffic) takeFrame(m record.MemberID) func(context.Context, kafkabus.Message) error {
	return func(ctx context.Context, msg kafkabus.Message) error {
		t.kafkaUp.Store(true)
		fault.Point(fault.IntakeBeforeApply)
		o := t.replicas.OfferBytes(ctx, m, msg.Data, &record.Cursor{Topic: msg.Topic, Offset: msg.Offset + 1})
		if o.Result == exchange.Failed {
			return o.Err
		}
		fault.Point(fault.IntakeAfterApply)
		t.after(o, m)
		return nil
	}
}

// takeReceipt keeps what a member's ack topic brought about this node's own records; a receipt that is lost comes again
// with the next head exchange. Receipts about others' records are for their origins: whatever they would prove of a fork
// the heads prove too. The position is stored now and then only, because a receipt read twice changes nothing.
func (t *traffic) takeReceipt(m record.MemberID) func(context.Context, kafkabus.Message) error {
	own, unstored := string(record.Stream(t.roster.Self, record.Records)), 0
	return func(ctx context.Context, msg kafkabus.Message) error {
		if string(msg.Key) == own {
			if _, _, err := t.receipts.Take(ctx, m, msg.Data); err != nil {
				return err
			}
		}
		if unstored++; unstored < positionEvery {
			return nil
		}
		unstored = 0
		return t.log.SetCursor(ctx, record.Cursor{Topic: msg.Topic, Offset: msg.Offset + 1})
	}
}

// positionEvery is after how many receipts the position in an ack topic is stored.
const positionEvery = 64

// after acts on what became of a frame: gaps are filled, a missing charter is fetched, readers are woken.
func (t *traffic) after(o exchange.Outcome, from record.MemberID) {
	t.gaps.Note(o)
	if o.Charter != nil {
		t.schedule.Soon(from)
		wake(t.wakeHeads)
	}
	if o.Gap > o.Size || o.Doubt {
		wake(t.wakeGaps)
	}
	if o.Parts {
		t.revisit(o.Stream, 0)
	}
	if o.New > 0 || o.Parts {
		t.applied(o.Stream)
		wake(t.wakeReceipts)
	}
	if o.Sealed {
		t.schedule.Soon(o.Stream.Member()) // its origin may have an agreement for us
		wake(t.wakeHeads)
	}
}

// receiptsLoop cosigns what was applied and sends it; one receipt a second and stream at most.
func (t *traffic) receiptsLoop(ctx context.Context) {
	for pause(ctx, t.wakeReceipts, 250*time.Millisecond) {
		made, err := t.receipts.Step(ctx, t.now())
		if err != nil && ctx.Err() == nil {
			t.slog.LogAttrs(ctx, slog.LevelWarn, "receipts wait", slog.String("err", err.Error()))
		}
		for _, m := range made {
			t.sendReceipt(ctx, m)
		}
	}
}

// sendReceipt puts a receipt on this member's ack topic. A failure is no loss: head exchanges carry receipts too.
func (t *traffic) sendReceipt(ctx context.Context, m exchange.Made) {
	if t.producer == nil {
		t.schedule.Soon(m.Stream.Member())
		wake(t.wakeHeads)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, headsTimeout)
	defer cancel()
	err := t.producer.Produce(ctx, kafkabus.AckTopic(t.roster.Self), string(m.Stream), kafkabus.ReceiptEvent,
		record.Origin(t.roster.Federation, m.Stream), "application/json", m.Receipt)
	if err != nil && ctx.Err() == nil {
		t.slog.LogAttrs(ctx, slog.LevelInfo, "receipt not on the topic, goes with the next head exchange", slog.String("err", err.Error()))
	}
}

// gapsLoop fetches what is missing.
func (t *traffic) gapsLoop(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for pause(ctx, t.wakeGaps, 200*time.Millisecond) {
		tasks, err := t.gaps.Next(ctx, t.now(), t.broker != nil && t.kafkaUp.Load())
		if err != nil && ctx.Err() == nil {
			t.slog.LogAttrs(ctx, slog.LevelWarn, "gap filling waits", slog.String("err", err.Error()))
		}
		for _, task := range tasks {
			wg.Go(func() { t.fill(ctx, task) })
		}
	}
}

func (t *traffic) fill(ctx context.Context, task exchange.Task) {
	ctx, cancel := context.WithTimeout(ctx, rangeTimeout)
	defer cancel()
	res := t.gaps.Run(ctx, t.now, task, t.peers.Range, t.peers.Leaves)
	news := false
	for _, o := range res.Outcomes {
		t.after(o, task.Peer)
		news = news || o.New > 0 || o.Parts
	}
	if news {
		if in, ok := t.intakes.Load(task.Stream.Member()); ok {
			in.(*kafkabus.Intake).Recheck() // Kafka should have brought these
		}
		wake(t.wakeGaps)
	}
	if res.Charter != nil {
		t.fetchCharter(ctx, task.Peer)
	}
	if res.Err != nil && ctx.Err() == nil {
		t.slog.LogAttrs(ctx, slog.LevelWarn, "range not stored", slog.String("stream", string(task.Stream)), slog.String("err", res.Err.Error()))
	}
}
