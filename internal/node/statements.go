package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// This file carries member statements: they go with every head exchange, both ways, until a charter version holds them.

// takeHeads takes the answer to a head exchange. One that does not verify may be of a member that has changed its signing
// key: its statement stands in the same answer and proves itself.
func (t *traffic) takeHeads(ctx context.Context, m record.MemberID, nonce [32]byte, answer []byte) error {
	w, err := t.heads.Answered(ctx, t.now(), m, nonce, answer)
	if err != nil && t.takeStatements(ctx, exchange.StatementsOf(answer)) {
		w, err = t.heads.Answered(ctx, t.now(), m, nonce, answer)
	}
	if err != nil {
		return err
	}
	t.schedule.Heard(m, t.now())
	t.want(ctx, m, w)
	wake(t.wakeGaps)
	return nil
}

// takeStatements puts statements in force; those that are known, or are none, change nothing. It reports whether one was new.
func (t *traffic) takeStatements(ctx context.Context, notes [][]byte) bool {
	changed := false
	for _, note := range notes {
		yes, err := t.dir.AddStatement(note)
		if err != nil || !yes {
			continue // known, overtaken by a version, or false: whoever believes it will tell again
		}
		changed = true
		if st, err := federation.ParseStatement(note); err == nil {
			t.slog.LogAttrs(ctx, slog.LevelWarn, "member statement in force", slog.String("of", string(st.Member)), slog.String("kind", string(st.Kind)), slog.Uint64("counter", st.Counter))
		}
	}
	if changed {
		t.changed()
		t.rekeyed(ctx)
		t.news.Store(true) // the others hear of it from this node too
	}
	return changed
}

// headsAsKnown repeats a head exchange that failed, by the keys under which the peer may still know this member: it has not
// heard of the statement that changed them, and this exchange brings it. failed is returned if there is no such statement.
func (t *traffic) headsAsKnown(ctx context.Context, m record.MemberID, nonce [32]byte, failed error) ([]byte, error) {
	for _, was := range t.dir.Before() {
		req, err := t.heads.Request(ctx, nonce)
		if err != nil {
			return nil, err
		}
		body, err := req.Encode()
		if err != nil {
			return nil, err
		}
		if answer, err := t.peers.HeadsAs(ctx, was, m, body); err == nil {
			return answer, nil
		}
	}
	return nil, failed
}

// headsAs makes one head exchange by the keys of an older entry of this member.
func (n *Node) headsAs(ctx context.Context, was federation.Member, m record.MemberID, body []byte) ([]byte, error) {
	k, ok := n.keys.As(was)
	if !ok {
		return nil, federation.ErrUnreachable
	}
	p := peersAs(n.dir, k, n.now)
	defer p.Close()
	return p.Heads(ctx, m, body)
}

// peersAs makes a caller by exactly these keys, whatever the charter says of them here: the peer decides.
func peersAs(dir *federation.Directory, k *federation.Keys, now func() time.Time) *client.Peers {
	issuer := &auth.MemberIssuer{Federation: dir.Federation(), Self: k.Member, Now: now, Random: rand.Reader,
		Key: func() (ed25519.PrivateKey, error) { return k.Sign, nil }}
	return client.NewPeers(dir, k, issuer.Issue)
}
