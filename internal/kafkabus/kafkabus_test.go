package kafkabus_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
)

const member = record.MemberID("310116-01")

func start(t *testing.T) (*embedded.Services, *kafkabus.Broker) {
	t.Helper()
	s, err := embedded.Start(kafkabus.LogTopic(member), kafkabus.AckTopic(member))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	b, err := kafkabus.Open(kafkabus.Config{Brokers: s.Brokers})
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

// desk is a caller of Intake: it keeps the offset and what arrived.
type desk struct {
	mu   sync.Mutex
	next int64
	has  bool
	got  chan kafkabus.Message
	fail int // deliveries to refuse first

	moves atomic.Int64 // times that it was told of another place to read on
}

func (d *desk) intake(b *kafkabus.Broker) *kafkabus.Intake {
	return &kafkabus.Intake{
		Broker: b, Topic: kafkabus.LogTopic(member), CheckEvery: 400 * time.Millisecond,
		Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Start: func(context.Context) (int64, bool, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.next, d.has, nil
		},
		Move: func(_ context.Context, _ string, at int64) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.next, d.has = at, true
			d.moves.Add(1)
			return nil
		},
		Deliver: func(_ context.Context, m kafkabus.Message) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.fail > 0 {
				d.fail--
				return io.ErrUnexpectedEOF
			}
			d.next, d.has = m.Offset+1, true
			d.got <- m
			return nil
		},
	}
}

func (d *desk) run(t *testing.T, b *kafkabus.Broker) (in *kafkabus.Intake, stop func()) {
	t.Helper()
	in = d.intake(b)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { in.Run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return in, stop
}

func (d *desk) want(t *testing.T, data string) {
	t.Helper()
	select {
	case m := <-d.got:
		if string(m.Data) != data {
			t.Fatalf("got %q, want %q", m.Data, data)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%q never arrived", data)
	}
}

func produce(t *testing.T, b *kafkabus.Broker, data ...string) {
	t.Helper()
	p := kafkabus.NewProducer(b)
	defer p.Close()
	for _, s := range data {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := p.Produce(ctx, kafkabus.LogTopic(member), "k", kafkabus.FrameEvent, "pilin/x", "application/pilin-frame", []byte(s)); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}

func TestIntake_DeliversInOrderAndResumesAtStoredOffset(t *testing.T) {
	_, b := start(t)
	d := &desk{got: make(chan kafkabus.Message, 100)}
	produce(t, b, "a", "b")
	_, stop := d.run(t, b)
	d.want(t, "a")
	d.want(t, "b")
	stop()
	produce(t, b, "c")
	d.run(t, b)
	d.want(t, "c")
}

func TestIntake_RefusedDeliveryComesAgain(t *testing.T) {
	_, b := start(t)
	d := &desk{got: make(chan kafkabus.Message, 100), fail: 3}
	produce(t, b, "a", "b")
	d.run(t, b)
	d.want(t, "a")
	d.want(t, "b")
}

// A stored offset of another life of the topic lies outside: reading begins at the first message, not in silence.
func TestIntake_OffsetOutsideBeginsAtFirst(t *testing.T) {
	_, b := start(t)
	produce(t, b, "a")
	for _, next := range []int64{303, -5} {
		d := &desk{got: make(chan kafkabus.Message, 100), next: next, has: true}
		in, stop := d.run(t, b)
		d.want(t, "a")
		if d.moves.Load() != 1 || in.Restarts.Load() != 1 {
			t.Errorf("from %d: told of %d moves, counted %d", next, d.moves.Load(), in.Restarts.Load())
		}
		stop()
	}
}

// A topic that is deleted and made again while we read: kafka-go is silent, Intake notices.
func TestIntake_TopicMadeAgainIsNoticed(t *testing.T) {
	s, b := start(t)
	d := &desk{got: make(chan kafkabus.Message, 100)}
	produce(t, b, "a", "b", "c")
	in, _ := d.run(t, b)
	d.want(t, "a")
	d.want(t, "b")
	d.want(t, "c")
	if err := s.Recreate(context.Background(), kafkabus.LogTopic(member)); err != nil {
		t.Fatal(err)
	}
	produce(t, b, "d")
	in.Recheck()
	d.want(t, "d")
	if in.Restarts.Load() == 0 {
		t.Fatal("no restart was counted")
	}
}

func TestProducer_TooLargeIsRefusedForGood(t *testing.T) {
	_, b := start(t)
	p := kafkabus.NewProducer(b)
	defer p.Close()
	err := p.Produce(context.Background(), kafkabus.LogTopic(member), "k", kafkabus.FrameEvent, "s", "c", bytes.Repeat([]byte("x"), kafkabus.MaxMessageBytes+1))
	if !errors.Is(err, kafkabus.ErrRefused) {
		t.Fatalf("got %v, want ErrRefused", err)
	}
}

func TestProducer_UnknownTopicIsAnErrorToRepeat(t *testing.T) {
	_, b := start(t)
	p := kafkabus.NewProducer(b)
	defer p.Close()
	err := p.Produce(context.Background(), "pilin.none.log", "k", kafkabus.FrameEvent, "s", "c", []byte("x"))
	if err == nil || errors.Is(err, kafkabus.ErrRefused) {
		t.Fatalf("got %v, want an error that is not final", err)
	}
}

func TestOpen_RefusesPasswordInPlainText(t *testing.T) {
	if _, err := kafkabus.Open(kafkabus.Config{Brokers: []string{"127.0.0.1:1"}, User: "u", PasswordFile: "p"}); err == nil {
		t.Fatal("a password over plain text was accepted")
	}
}

func TestParseTable_RefusesUnknownMembers(t *testing.T) {
	if _, err := kafkabus.ParseTable([]byte("topics: [{name: a, partitionz: 1}]\nacls: [{principal: x}]\n")); err == nil {
		t.Fatal("a typing error went unnoticed")
	}
}
