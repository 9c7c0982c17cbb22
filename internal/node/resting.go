package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// resting puts what peers said about too many requests before every call of the exchange: a peer that has had enough is
// not called until the moment that it named. Gap filling meanwhile asks other holders. A question of an officer is not a
// call of the exchange.
func (t *traffic) resting(p peers) peers {
	return peers{
		Heads: func(ctx context.Context, m record.MemberID, body []byte) (b []byte, err error) {
			err = t.spare(ctx, m, func() (err error) { b, err = p.Heads(ctx, m, body); return err })
			return b, err
		},
		HeadsAs: func(ctx context.Context, was federation.Member, m record.MemberID, body []byte) (b []byte, err error) {
			err = t.spare(ctx, m, func() (err error) { b, err = p.HeadsAs(ctx, was, m, body); return err })
			return b, err
		},
		Range: func(ctx context.Context, m record.MemberID, s record.StreamID, from uint64) (frames []*record.Frame, err error) {
			err = t.spare(ctx, m, func() (err error) { frames, err = p.Range(ctx, m, s, from); return err })
			return frames, err
		},
		Leaves: func(ctx context.Context, m record.MemberID, s record.StreamID, size uint64) (hs []tlog.Hash, err error) {
			err = t.spare(ctx, m, func() (err error) { hs, err = p.Leaves(ctx, m, s, size); return err })
			return hs, err
		},
		Charter: func(ctx context.Context, m record.MemberID, from uint64) (versions, statements [][]byte, err error) {
			err = t.spare(ctx, m, func() (err error) { versions, statements, err = p.Charter(ctx, m, from); return err })
			return versions, statements, err
		},
		Agreement: func(ctx context.Context, m record.MemberID, id [32]byte) (b []byte, err error) {
			err = t.spare(ctx, m, func() (err error) { b, err = p.Agreement(ctx, m, id); return err })
			return b, err
		},
	}
}

// errResting: the call was not made, and so says nothing about whether the peer can be reached.
var errResting = errors.New("left alone for a while")

// spare makes a call unless the peer is to be left alone. Then, and when it says so now, the error is a
// *federation.PeerRefusal.
func (t *traffic) spare(ctx context.Context, m record.MemberID, call func() error) error {
	if left := t.rests.Left(m, t.now()); left > 0 {
		t.count.Add(exchange.CountRests, "waited", 1)
		return fmt.Errorf("%w: %w", errResting, &federation.PeerRefusal{Code: federation.SpentRate, Retry: left})
	}
	err := call()
	var refused *federation.PeerRefusal
	if errors.As(err, &refused) && refused.Code == federation.SpentRate {
		t.rests.Told(m, t.now(), refused.Retry)
		t.count.Add(exchange.CountRests, "told", 1)
		t.slog.LogAttrs(ctx, slog.LevelInfo, "peer has had too many requests", slog.String("peer", string(m)), slog.Duration("wait", refused.Retry))
	}
	return err
}
