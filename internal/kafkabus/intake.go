package kafkabus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// Message is what a topic brought, unproven.
type Message struct {
	Topic  string
	Offset int64
	Key    []byte
	Data   []byte
}

// Intake reads one topic's only partition without a consumer group. The offset that it starts at is a hint kept by the
// caller in the transaction of the effects; it is compared with the broker's first and last at the start, every
// CheckEvery, and after Recheck, because kafka-go is silent on a topic that was deleted and made again and then skips
// (services.md §2).
type Intake struct {
	Broker *Broker
	Topic  string
	// Start returns the offset to begin at; found is false when nothing is stored (begin at the first).
	Start func(ctx context.Context) (offset int64, found bool, err error)
	// Deliver takes one message; an error means that nothing was stored, and the same message is handed over again.
	Deliver func(ctx context.Context, m Message) error
	// Move stores that reading goes on at offset, without a message: the topic was made again or trimmed.
	Move func(ctx context.Context, topic string, offset int64) error
	// CheckEvery is how often offsets are compared; zero means 5 s.
	CheckEvery time.Duration
	Log        *slog.Logger
	Now        func() time.Time

	Restarts atomic.Int64 // times that reading began anew because the offset lay outside or nothing came
	Up       atomic.Bool  // the broker answered the last comparison
	recheck  atomic.Bool
}

// Recheck asks for a comparison at once: a record came by HTTP that Kafka should have brought.
func (in *Intake) Recheck() { in.recheck.Store(true) }

// Run reads until ctx ends. It never returns an error of the broker: it waits and begins again.
func (in *Intake) Run(ctx context.Context) {
	if in.CheckEvery == 0 {
		in.CheckEvery = 5 * time.Second
	}
	wait := 100 * time.Millisecond
	for ctx.Err() == nil {
		begun := in.Now()
		err := in.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errRestart) {
			wait = 100 * time.Millisecond
			continue
		}
		in.Up.Store(false)
		if in.Now().Sub(begun) > longestWait { // it was going well: this is a new trouble, not the old one
			wait = 100 * time.Millisecond
		}
		in.Log.LogAttrs(ctx, slog.LevelWarn, "kafka intake waits", slog.String("topic", in.Topic), slog.Duration("wait", wait), slog.String("err", err.Error()))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait)
	}
}

// longestWait is the longest pause before the broker is tried again.
const longestWait = 5 * time.Second

var errRestart = errors.New("begin reading anew")

// session compares offsets, opens a reader at the right place and delivers until something says to begin anew.
func (in *Intake) session(ctx context.Context) error {
	t := in.Broker.transport()
	defer t.CloseIdleConnections()
	client := in.Broker.client(t)
	first, next, err := offsets(ctx, client, in.Topic)
	if err != nil {
		return err
	}
	at, found, err := in.Start(ctx)
	if err != nil {
		return fmt.Errorf("stored offset of %s: %w", in.Topic, err)
	}
	if found && (at < first || at > next) {
		in.Restarts.Add(1)
		return in.fromFirst(ctx, first)
	}
	if !found {
		at = first
	}
	in.Up.Store(true)
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: in.Broker.addrs, Topic: in.Topic, Partition: 0, Dialer: in.Broker.dialer(),
		MinBytes: 1, MaxBytes: MaxFetchBytes, MaxWait: 250 * time.Millisecond, QueueCapacity: 16,
		ReadBackoffMin: 20 * time.Millisecond, ReadBackoffMax: 200 * time.Millisecond,
		OffsetOutOfRangeError: true, MaxAttempts: 3,
	})
	defer r.Close()
	if err := r.SetOffset(at); err != nil {
		return fmt.Errorf("seek %s to %d: %w", in.Topic, at, err)
	}
	seenNext, pos, lastMsg, compared := next, at, in.Now(), in.Now()
	for {
		if in.recheck.Swap(false) || in.Now().Sub(compared) >= in.CheckEvery {
			compared = in.Now()
			first, next, err = offsets(ctx, client, in.Topic)
			if err != nil {
				return err
			}
			in.Up.Store(true)
			stalled := next > pos && in.Now().Sub(lastMsg) >= 2*in.CheckEvery
			if pos < first || pos > next || next < seenNext || stalled {
				in.Restarts.Add(1)
				if pos > next || next < seenNext {
					return in.fromFirst(ctx, first)
				}
				return errRestart
			}
			seenNext = next
		}
		fetch, cancel := context.WithTimeout(ctx, in.CheckEvery/4)
		m, err := r.FetchMessage(fetch)
		cancel()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.Is(err, context.DeadlineExceeded) {
				continue
			}
			if errors.Is(err, kafka.OffsetOutOfRange) {
				in.Restarts.Add(1)
				return in.fromFirst(ctx, first)
			}
			return fmt.Errorf("fetch from %s: %w", in.Topic, err)
		}
		if err := in.deliver(ctx, m); err != nil {
			return err
		}
		pos, lastMsg = m.Offset+1, in.Now()
	}
}

// fromFirst stores that reading begins at the first offset: the topic is not the one that the stored offset came from.
func (in *Intake) fromFirst(ctx context.Context, first int64) error {
	in.Log.LogAttrs(ctx, slog.LevelWarn, "kafka topic was made again or trimmed: reading from its first offset", slog.String("topic", in.Topic), slog.Int64("first", first))
	if err := in.Move(ctx, in.Topic, first); err != nil {
		return fmt.Errorf("store offset of %s: %w", in.Topic, err)
	}
	return errRestart
}

// deliver hands one message over, again and again until it was stored: the store may be down for a while.
func (in *Intake) deliver(ctx context.Context, m kafka.Message) error {
	wait := 50 * time.Millisecond
	for {
		err := in.Deliver(ctx, Message{Topic: m.Topic, Offset: m.Offset, Key: m.Key, Data: m.Value})
		if err == nil {
			return nil
		}
		in.Log.LogAttrs(ctx, slog.LevelWarn, "frame not stored, trying again", slog.String("topic", m.Topic), slog.Int64("offset", m.Offset), slog.String("err", err.Error()))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
}
