package node

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// callMember puts a question to another member, unless that is known to be down: then the question does not wait for it,
// and the next head exchange, brought forward, finds out whether it is back.
func (t *traffic) callMember(ask federation.AskFunc) federation.AskFunc {
	return func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
		if _, down := t.breaker.Down(m); down {
			t.count.Add(exchange.CountBreaker, "spared", 1)
			t.probe(m)
			return nil, federation.ErrDown
		}
		b, err := ask(ctx, m, body)
		if t.reached(ctx, m, err) {
			return b, err
		}
		t.schedule.Soon(m) // is it down, or was it this one call?
		wake(t.wakeHeads)
		return b, err
	}
}

// reached notes what a call says about whether a member can be reached, and returns false if it says that it could not.
// Whoever gives up a call says nothing about the member.
func (t *traffic) reached(ctx context.Context, m record.MemberID, err error) bool {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, errResting):
		return true
	case errors.Is(err, federation.ErrUnreachable), errors.Is(err, context.DeadlineExceeded):
		if t.breaker.Failed(m, t.now()) {
			t.count.Add(exchange.CountBreaker, "opened", 1)
			t.slog.LogAttrs(ctx, slog.LevelWarn, "member is down: questions do not wait for it", slog.String("peer", string(m)))
		}
		return false
	}
	if t.breaker.Answered(m) {
		t.count.Add(exchange.CountBreaker, "closed", 1)
		t.slog.LogAttrs(ctx, slog.LevelInfo, "member is back", slog.String("peer", string(m)))
	}
	return true
}

// probe brings the next head exchange with a member that is down forward.
func (t *traffic) probe(m record.MemberID) {
	if t.breaker.Probe(m, t.now()) {
		t.schedule.Soon(m)
		wake(t.wakeHeads)
	}
}
