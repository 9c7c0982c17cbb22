package exchange

import "github.com/pilinhub/pilin/record"

// Seen returns the largest size of a stream that any peer showed, well signed, or that a frame proved; 0 if none.
func (g *GapFiller) Seen(s record.StreamID) uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.streams[s]
	if st == nil {
		return 0
	}
	size := st.want
	for _, c := range st.claims {
		size = max(size, c.size)
	}
	return size
}
