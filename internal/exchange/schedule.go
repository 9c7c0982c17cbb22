package exchange

import (
	"sync"
	"time"

	"github.com/pilinhub/pilin/record"
)

// Times of head exchanges with one peer.
const (
	HeadsEvery  = 15 * time.Second
	HeadsJitter = 3 * time.Second // each way, so that nodes that started together drift apart
)

// Schedule says when which peer's heads are asked for: at once at the start, then every HeadsEvery ± HeadsJitter. The
// zero Schedule is ready.
type Schedule struct {
	mu    sync.Mutex
	next  map[record.MemberID]time.Time
	heard map[record.MemberID]time.Time
}

// Due returns those of peers whose turn it is and counts them as asked; random returns a number in [0,1).
func (s *Schedule) Due(now time.Time, peers []record.MemberID, random func() float64) []record.MemberID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next, s.heard = map[record.MemberID]time.Time{}, map[record.MemberID]time.Time{}
	}
	var due []record.MemberID
	for _, p := range peers {
		if now.Before(s.next[p]) {
			continue
		}
		jitter := time.Duration((2*random() - 1) * float64(HeadsJitter))
		s.next[p] = now.Add(HeadsEvery + jitter)
		due = append(due, p)
	}
	return due
}

// Soon makes a peer's turn come at once: it is new, or something about it is to be known now.
func (s *Schedule) Soon(p record.MemberID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.next, p)
}

// Heard tells that a peer answered, or asked.
func (s *Schedule) Heard(p record.MemberID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard == nil {
		s.next, s.heard = map[record.MemberID]time.Time{}, map[record.MemberID]time.Time{}
	}
	s.heard[p] = now
}

// LastHeard returns when a peer last answered or asked; the zero time if never.
func (s *Schedule) LastHeard(p record.MemberID) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard[p]
}
