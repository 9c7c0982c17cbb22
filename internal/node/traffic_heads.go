package node

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
)

// headsLoop exchanges heads with every peer in turn, and as the release rule demands at the start.
func (t *traffic) headsLoop(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	var mu sync.Mutex
	asking := map[record.MemberID]bool{}
	var told time.Time
	for pause(ctx, t.wakeHeads, 100*time.Millisecond) {
		if err := t.stepRelease(ctx); err != nil && ctx.Err() == nil {
			t.slog.LogAttrs(ctx, slog.LevelWarn, "release waits", slog.String("err", err.Error()))
		}
		if t.now().Sub(told) >= newsEvery && t.news.Swap(false) {
			told = t.now()
			for _, m := range t.roster.Peers() {
				t.schedule.Soon(m)
			}
		}
		for _, m := range t.schedule.Due(t.now(), t.roster.Peers(), mrand.Float64) {
			mu.Lock()
			busy := asking[m]
			asking[m] = true
			mu.Unlock()
			if busy {
				continue
			}
			wg.Go(func() {
				defer func() { mu.Lock(); delete(asking, m); mu.Unlock() }()
				t.askHeads(ctx, m)
			})
		}
	}
}

// stepRelease does what the release rule wants done (exchange.Release).
func (t *traffic) stepRelease(ctx context.Context) error {
	do, err := t.release.Step(ctx, t.now())
	for _, m := range do.Ask {
		t.schedule.Soon(m)
	}
	if do.Topic {
		go t.readOwnTopic(ctx)
	}
	if do.Fetch != nil {
		go t.fetchOwn(ctx, *do.Fetch)
	}
	if do.Open {
		t.slog.LogAttrs(ctx, slog.LevelInfo, "released: own records may leave this node")
		wake(t.wakeRelay)
		wake(t.wakeReceipts)
		t.applied(record.Stream(t.roster.Self, record.Records))
		for _, m := range t.roster.Peers() {
			t.schedule.Soon(m)
		}
	}
	return err
}

func (t *traffic) readOwnTopic(ctx context.Context) {
	if t.broker == nil {
		t.release.TopicEnd(nil, nil)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exchange.HeardWithin)
	defer cancel()
	t.release.TopicEnd(kafkabus.Read(ctx, t.broker, kafkabus.LogTopic(t.roster.Self), exchange.TopicTail))
}

// fetchOwn fetches what this node's log lacks of its own stream, from a peer or from its own topic.
func (t *traffic) fetchOwn(ctx context.Context, task exchange.Task) {
	ctx, cancel := context.WithTimeout(ctx, rangeTimeout)
	defer cancel()
	var frames []*record.Frame
	var err error
	if task.Peer != "" {
		frames, err = t.peers.Range(ctx, task.Peer, task.Stream, task.From)
	} else {
		var messages [][]byte
		messages, err = kafkabus.Read(ctx, t.broker, kafkabus.LogTopic(t.roster.Self), 0)
		for _, b := range messages {
			if fr, bad := record.DecodeFrame(b); bad == nil && fr.Stream == task.Stream && fr.End() > task.From {
				frames = append(frames, fr)
			}
		}
	}
	if err := t.release.Fetched(context.WithoutCancel(ctx), t.now(), task, frames, err); err != nil {
		t.slog.LogAttrs(ctx, slog.LevelWarn, "own records not taken back yet", slog.String("err", err.Error()))
	}
	wake(t.wakeHeads)
}

// askHeads makes one head exchange with one peer.
func (t *traffic) askHeads(ctx context.Context, m record.MemberID) {
	ctx, cancel := context.WithTimeout(ctx, headsTimeout)
	defer cancel()
	var nonce [32]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return
	}
	req, err := t.heads.Request(ctx, nonce)
	if err == nil {
		var body, answer []byte
		if body, err = req.Encode(); err == nil {
			if answer, err = t.peers.Heads(ctx, m, body); err != nil {
				answer, err = t.headsAsKnown(ctx, m, nonce, err)
			}
			t.reached(ctx, m, err)
		}
		if err == nil {
			if err = t.takeHeads(ctx, m, nonce, answer); err == nil {
				return
			}
		}
	}
	var refused *federation.PeerRefusal
	if errors.As(err, &refused) && refused.Code == federation.SpentRate {
		t.release.Busy(t.now(), m, refused.Retry)
	} else {
		t.release.Failed(m)
	}
	t.slog.LogAttrs(ctx, slog.LevelDebug, "no head exchange", slog.String("peer", string(m)), slog.String("err", err.Error()))
}

// answerHeads answers a peer's head exchange.
func (t *traffic) answerHeads(ctx context.Context, from record.MemberID, r exchange.HeadsRequest) ([]byte, error) {
	b, w, err := t.heads.Answer(ctx, t.now(), from, r)
	if err != nil {
		return nil, err
	}
	t.schedule.Heard(from, t.now())
	t.probe(from) // it is up; whether it can be reached too, our own call will tell
	if w.Charter || len(w.Agreements) > 0 {
		t.schedule.Soon(from)
		wake(t.wakeHeads)
	}
	wake(t.wakeGaps)
	return b, nil
}

// want fetches what a peer has and this node lacks.
func (t *traffic) want(ctx context.Context, m record.MemberID, w exchange.Wanted) {
	if w.Charter {
		t.fetchCharter(ctx, m)
	}
	for _, id := range w.Agreements {
		note, err := t.peers.Agreement(ctx, m, id)
		if err == nil {
			_, err = t.dir.AddAgreement(note)
		}
		if err != nil {
			t.slog.LogAttrs(ctx, slog.LevelWarn, "agreement not taken", slog.String("peer", string(m)), slog.String("err", err.Error()))
			continue
		}
		t.rekeyed(ctx)
	}
}

func (t *traffic) fetchCharter(ctx context.Context, m record.MemberID) {
	versions, statements, err := t.peers.Charter(ctx, m, t.dir.Charter().Version)
	changed := false
	take := func(notes [][]byte, add func([]byte) (bool, error)) {
		for _, n := range notes {
			c, addErr := add(n)
			changed = changed || c
			if addErr != nil {
				err = addErr
			}
		}
	}
	take(versions, t.dir.Add)
	take(statements, t.dir.AddStatement)
	if err != nil {
		t.slog.LogAttrs(ctx, slog.LevelWarn, "charter not taken", slog.String("peer", string(m)), slog.String("err", err.Error()))
	}
	if changed {
		t.changed()
		t.rekeyed(ctx)
	}
}

// rekeyed stores new documents first, then lets parts and frames that waited for their keys go on.
func (t *traffic) rekeyed(ctx context.Context) {
	err := t.keep(ctx)
	if err == nil {
		var outcomes []exchange.Outcome
		outcomes, err = t.replicas.Rekeyed(ctx)
		for _, o := range outcomes {
			t.after(o, o.Stream.Member())
		}
		wake(t.wakeGaps)
	}
	if err != nil {
		t.slog.LogAttrs(ctx, slog.LevelError, "new keys not in use yet", slog.String("err", err.Error()))
	}
}
