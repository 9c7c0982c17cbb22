package exchange

import (
	"sync"
	"time"

	"github.com/pilinhub/pilin/record"
)

// BreakAfter is how many calls in a row a member must leave unanswered before it counts as down. One may be lost; the
// head exchange that follows an unanswered question at once is the second.
const BreakAfter = 2

// Breaker 熔断 remembers which members do not answer, so that a question does not wait for them. A member that is down is
// called by head exchanges alone, never by an officer's question; the first that it answers ends it. It says nothing about
// what a member holds: a member that is not asked is missing from the answer, by name. The zero Breaker is ready.
type Breaker struct {
	mu    sync.Mutex
	lines map[record.MemberID]*unanswered
}

type unanswered struct {
	calls  int
	down   time.Time // since when; zero: not yet
	probed time.Time
}

// Failed notes that a member did not answer a call: no connection, or nothing by the deadline. It reports whether the
// member counts as down from this call on.
func (b *Breaker) Failed(m record.MemberID, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines == nil {
		b.lines = map[record.MemberID]*unanswered{}
	}
	l := b.lines[m]
	if l == nil {
		l = &unanswered{}
		b.lines[m] = l
	}
	l.calls++
	if l.calls < BreakAfter || !l.down.IsZero() {
		return false
	}
	l.down = now
	return true
}

// Answered notes that a member answered a call, by whatever: a refusal is an answer. It reports whether the member was
// down until now.
func (b *Breaker) Answered(m record.MemberID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[m]
	delete(b.lines, m)
	return l != nil && !l.down.IsZero()
}

// Down returns since when a member is down; false if it is not.
func (b *Breaker) Down(m record.MemberID) (since time.Time, down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lines[m]; l != nil && !l.down.IsZero() {
		return l.down, true
	}
	return time.Time{}, false
}

// probeEvery bounds how often questions and a member's own calls bring its next head exchange forward while it is down.
const probeEvery = 2 * time.Second

// Probe reports whether a head exchange with a member is due before its turn, because it is down and somebody wants it, or
// it was heard of.
func (b *Breaker) Probe(m record.MemberID, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[m]
	if l == nil || l.down.IsZero() || now.Sub(l.probed).Abs() < probeEvery {
		return false
	}
	l.probed = now
	return true
}
