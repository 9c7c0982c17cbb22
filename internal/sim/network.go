package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
)

var (
	errTimeout     = errors.New("no answer in time")
	errUnreachable = errors.New("connection refused")
)

// network carries requests between members' listeners.
type network struct {
	w    *world
	cut  map[[2]record.MemberID]bool // pairs that cannot reach each other, in either order
	calm map[record.MemberID]bool    // members that no fault of the network meets: a restore is judged only so
	// Chances, 0 to 1, of one request.
	drop, twice, flip float64
	slow              time.Duration // longest way; the shortest is 1 ms
}

func pair(a, b record.MemberID) [2]record.MemberID {
	if a > b {
		a, b = b, a
	}
	return [2]record.MemberID{a, b}
}

func (n *network) isCut(a, b record.MemberID) bool { return n.cut[pair(a, b)] }

// way is how long one message takes.
func (n *network) way() time.Duration {
	return time.Millisecond + time.Duration(n.w.rng.Int64N(int64(max(n.slow, time.Millisecond))))
}

// call lets process p ask another member; serve runs there, done runs here with the answer's bytes or an error, exactly
// once unless the asking process dies before.
func (n *network) call(p *process, to record.MemberID, timeout time.Duration, serve func(*process) ([]byte, error), done func([]byte, error)) {
	from := p.node.ID
	ended := false
	end := func(b []byte, err error) {
		if ended || !p.alive() {
			return
		}
		ended = true
		done(b, err)
	}
	n.w.after(timeout, func() { n.w.in(p, func() { end(nil, errTimeout) }) })
	calm := n.calm[from] || n.calm[to]
	tries := 1
	if !calm && n.w.chance(n.twice) {
		n.w.fault("request_twice")
		tries = 2
	}
	for range tries {
		n.w.after(n.way(), func() {
			if n.isCut(from, to) || !calm && n.w.chance(n.drop) {
				n.w.fault("request_lost")
				return
			}
			there := n.w.node(to).process
			if there == nil {
				n.w.after(n.way(), func() { n.w.in(p, func() { end(nil, errUnreachable) }) })
				return
			}
			n.w.in(there, func() {
				b, err := serve(there)
				n.w.after(n.way(), func() {
					if n.isCut(from, to) || !calm && n.w.chance(n.drop) {
						n.w.fault("answer_lost")
						return
					}
					if err == nil && !calm && len(b) > 0 && n.w.chance(n.flip) {
						n.w.fault("answer_flipped")
						b = slices.Clone(b)
						b[n.w.draw(len(b))] ^= 1 << n.w.draw(8)
					}
					n.w.in(p, func() { end(b, err) })
				})
			})
		})
	}
}
