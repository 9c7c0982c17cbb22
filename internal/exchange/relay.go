package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/pilinhub/pilin/internal/fault"
	"github.com/pilinhub/pilin/record"
)

// ErrRefused is what Produce wraps when the broker refuses a frame in a way that repeating will not change.
var ErrRefused = errors.New("broker refuses for good")

// Relay puts the commit groups of one own stream onto the node's topic, in order, one at a time. Its memory is the last
// size that the broker confirmed; after any error the same bytes go again. It never skips: a frame that is refused for
// good waits with an alarm, and peers pull meanwhile. What was confirmed is stored now and then only: a process that was
// killed sends at most keepEvery frames again, which everybody takes for what they are.
type Relay struct {
	Log    record.Log
	Roster *Roster
	Stream record.StreamID
	// Produce sends one frame and returns when the broker has it. An error never means "not written". An error that
	// wraps ErrRefused is a refusal for good.
	Produce func(ctx context.Context, key string, frame []byte) error
	// Released reports whether the stream may leave the node.
	Released func() bool
	Count    *Counters
	Alarm    func(Alarm)

	refused   bool
	loaded    atomic.Bool
	confirmed atomic.Uint64 // by the broker
	unkept    int           // frames since it was stored
}

// keepEvery is after how many frames the confirmed size is stored while there are more to send.
const keepEvery = 16

// TopicTail is how many messages at the end of the own topic the release rule reads: behind the newest frame may stand what
// a process that was killed sent again, and what the next one that was killed sent again. Not more: frames may be of 1 MiB,
// and there are HeardWithin to read them.
const TopicTail = 2 * keepEvery

// relayTopic is the name under which the confirmed size of a stream is kept among the courier positions.
func relayTopic(s record.StreamID) string { return "relay:" + string(s) }

// Confirmed returns the size up to which the broker confirmed a stream.
func Confirmed(ctx context.Context, log record.Log, s record.StreamID) (uint64, error) {
	c, err := log.Cursor(ctx, relayTopic(s))
	if errors.Is(err, record.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read relay position of %s: %w", s, err)
	}
	return uint64(max(c.Offset, 0)), nil
}

// Sent returns how much the broker has confirmed, stored or not. It may be called beside Step.
func (r *Relay) Sent(ctx context.Context) (uint64, error) {
	if r.loaded.Load() {
		return r.confirmed.Load(), nil
	}
	return Confirmed(ctx, r.Log, r.Stream)
}

// Step sends the next commit group, if there is one. sent says that the broker confirmed it and that there may be more,
// also beside an error of this node's store; with an error the caller waits and steps again. It is for one goroutine.
func (r *Relay) Step(ctx context.Context) (sent bool, err error) {
	if !r.Released() {
		return false, nil
	}
	from, err := r.Sent(ctx)
	if err != nil {
		return false, err
	}
	if !r.loaded.Load() {
		r.confirmed.Store(from)
		r.loaded.Store(true)
	}
	if h, err := r.Log.Head(ctx, r.Stream); err != nil || h.Signed <= from {
		return false, err
	}
	gs, err := r.Log.Groups(ctx, r.Stream, from, 1)
	if err != nil {
		return false, fmt.Errorf("read %s at %d: %w", r.Stream, from, err)
	}
	if len(gs) == 0 || gs[0].Checkpoint == nil {
		return false, nil
	}
	fr, err := record.SealedFrame(r.Roster.Federation, gs[0], r.Roster.SealKey)
	if err != nil {
		return false, err
	}
	b, err := fr.Encode()
	if err != nil {
		return false, err
	}
	fault.Point(fault.RelayBeforeProduce)
	if err := r.Produce(ctx, string(r.Stream), b); err != nil {
		r.failed(err)
		return false, fmt.Errorf("relay %s at %d: %w", r.Stream, from, err)
	}
	fault.Point(fault.RelayAfterProduce)
	r.refused = false
	r.Count.Add(CountRelayed, "", 1)
	r.confirmed.Store(fr.End())
	if r.unkept++; r.unkept < keepEvery {
		return true, nil
	}
	return true, r.Keep(ctx)
}

// Unkept reports whether more is confirmed than is stored.
func (r *Relay) Unkept() bool { return r.unkept > 0 }

// Keep stores what is confirmed. The caller of Step calls it when there has been nothing to send for a while, and when it
// ends.
func (r *Relay) Keep(ctx context.Context) error {
	if r.unkept == 0 {
		return nil
	}
	fault.Point(fault.RelayBeforeCursor)
	if err := r.Log.SetCursor(ctx, record.Cursor{Topic: relayTopic(r.Stream), Offset: int64(r.confirmed.Load())}); err != nil {
		return fmt.Errorf("store relay position of %s: %w", r.Stream, err)
	}
	r.unkept = 0
	return nil
}

func (r *Relay) failed(err error) {
	if !errors.Is(err, ErrRefused) {
		r.Count.Add(CountRelayFail, "error", 1)
		return
	}
	r.Count.Add(CountRelayFail, "refused", 1)
	if !r.refused && r.Alarm != nil {
		r.Alarm(Alarm{Code: AlarmRelayRefused, Stream: r.Stream, Peer: r.Roster.Self})
	}
	r.refused = true
}
