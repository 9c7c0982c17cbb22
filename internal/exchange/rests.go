package exchange

import (
	"sync"
	"time"

	"github.com/pilinhub/pilin/record"
)

// RestLast bounds how long a peer can keep this node from asking it: a wrong or hostile time costs a minute at most.
const RestLast = time.Minute

// Rests remembers the peers that said "too many requests", each until the moment that it named. Until then nothing but an
// officer's question goes to it; other holders are asked instead. The zero Rests is ready.
type Rests struct {
	mu    sync.Mutex
	until map[record.MemberID]time.Time
}

// Told notes that a peer refused a request and when it wants the next one, at the earliest.
func (r *Rests) Told(m record.MemberID, now time.Time, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = map[record.MemberID]time.Time{}
	}
	r.until[m] = now.Add(min(max(wait, time.Second), RestLast))
}

// Left returns how long a peer is still to be left alone; zero when it may be asked.
func (r *Rests) Left(m record.MemberID, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.until[m].Sub(now)
	if left <= 0 || left > RestLast { // beyond it the clock was put back
		delete(r.until, m)
		return 0
	}
	return left
}
