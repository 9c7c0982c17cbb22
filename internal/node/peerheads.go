package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// PeerHeads asks every other member for the newest checkpoints that it holds, and returns them by stream, the answerer's
// signature verified. At least one member must answer.
func PeerHeads(ctx context.Context, cfg Config) (heads map[record.StreamID][][]byte, err error) {
	keys, err := ReadKeys(cfg.Data)
	if err != nil {
		return nil, err
	}
	store, err := openForTools(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	dir, err := readDirectory(ctx, store, keys)
	if err != nil {
		return nil, err
	}
	issuer := &auth.MemberIssuer{Federation: dir.Federation(), Self: cfg.Member, Key: auth.SigningKey(dir, keys), Now: time.Now, Random: rand.Reader}
	peers := client.NewPeers(dir, keys, issuer.Issue)
	defer peers.Close()
	heads = map[record.StreamID][][]byte{}
	answered, failed := 0, []error(nil)
	for _, m := range dir.Active() {
		if m == cfg.Member {
			continue
		}
		a, err := headsOf(ctx, peers, dir.Federation(), rosterOf(dir), m)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m, err))
			continue
		}
		answered++
		for _, note := range a.Heads {
			if c, err := record.ParseCheckpoint(note); err == nil {
				heads[c.Stream] = append(heads[c.Stream], note)
			}
		}
		for _, y := range a.Yours {
			if y.Checkpoint != nil {
				heads[y.Stream] = append(heads[y.Stream], y.Checkpoint)
			}
		}
	}
	if answered == 0 {
		return nil, fmt.Errorf("no member answered: %w", errors.Join(failed...))
	}
	return heads, nil
}

// headsOf asks one member, telling it nothing of ours.
func headsOf(ctx context.Context, peers *client.Peers, fed record.FederationID, ro *exchange.Roster, m record.MemberID) (exchange.HeadsAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, headsTimeout)
	defer cancel()
	var nonce [32]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return exchange.HeadsAnswer{}, err
	}
	body, err := exchange.HeadsRequest{Nonce: nonce, Charter: ro.Charter()}.Encode()
	if err != nil {
		return exchange.HeadsAnswer{}, err
	}
	b, err := peers.Heads(ctx, m, body)
	if err != nil {
		return exchange.HeadsAnswer{}, err
	}
	return exchange.OpenHeadsAnswer(b, fed, m, ro.NoteKeys(m), nonce)
}
