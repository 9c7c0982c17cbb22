package node

import (
	"context"
	"sync"
	"time"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// eraseTerm is how long after a correction, withdrawal or erasure of ours another member may still hold what it took away
// (reliability-security.md §6.3): then somebody calls it.
const eraseTerm = 72 * time.Hour

// erasures remembers own deletions that some member has not shown to have applied. Each record is looked at once; what
// everybody has applied is forgotten.
type erasures struct {
	mu   sync.Mutex
	to   uint64
	open []sqlstore.Deletion
}

// eraseOverdue counts, for every other active member, the deletions of this bureau that its receipt does not show applied
// though their term is over.
func (n *Node) eraseOverdue(ctx context.Context) (map[record.MemberID]int, error) {
	e := &n.erasures
	e.mu.Lock()
	defer e.mu.Unlock()
	own := record.Stream(n.cfg.Member, record.Records)
	h, err := n.store.Head(ctx, own)
	if err != nil {
		return nil, err
	}
	if e.to > h.Signed { // a tail was taken off
		e.to, e.open = 0, nil
	}
	if e.to < h.Signed {
		news, err := n.store.Deletions(ctx, own, e.to, h.Signed)
		if err != nil {
			return nil, err
		}
		e.to, e.open = h.Signed, append(e.open, news...)
	}
	over := map[record.MemberID]int{}
	for _, m := range n.roster.Peers() {
		over[m] = 0
	}
	var due []uint64
	for _, d := range e.open {
		if n.now().Sub(d.Last) > eraseTerm {
			due = append(due, d.Seq)
		}
	}
	all, err := n.t.receipts.Coverages(ctx, own, due, n.roster.Peers())
	if err != nil {
		return nil, err
	}
	applied := map[uint64]bool{}
	for i, c := range all {
		applied[due[i]] = len(c.Missing) == 0
		for _, m := range c.Missing {
			over[m]++
		}
	}
	still := e.open[:0]
	for _, d := range e.open {
		if !applied[d.Seq] {
			still = append(still, d)
		}
	}
	e.open = still
	return over, nil
}
