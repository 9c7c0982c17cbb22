package httpapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// place is how far a listener has been told: of each stream the sequence that comes next. It is the id of an event, so a
// listener resumes where he was, also after the node was started anew, and the node keeps nothing for him. It is no right:
// every event is looked at for the person who asks, whatever place he names.
type place map[record.StreamID]uint64

// appliedPlace is the key of a place under which stands how far all members have applied this bureau's records.
const appliedPlace record.StreamID = "applied"

// Bounds of a place: a federation has at most some hundred members.
const (
	maxPlace   = 12 << 10 // bytes
	maxStreams = 512
)

// String writes a place: stream:sequence, comma, in the order of the streams.
func (p place) String() string {
	var b strings.Builder
	for _, s := range slices.Sorted(maps.Keys(p)) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%d", s, p[s])
	}
	return b.String()
}

// parsePlace reads what String wrote, and nothing else.
func parsePlace(s string) (place, bool) {
	p := place{}
	items := strings.Split(s, ",")
	if len(s) > maxPlace || len(items) > maxStreams {
		return nil, false
	}
	for _, it := range items {
		name, seq, _ := strings.Cut(it, ":")
		n, err := strconv.ParseUint(seq, 10, 62)
		if err != nil || !record.StreamID(name).Valid() && record.StreamID(name) != appliedPlace {
			return nil, false
		}
		p[record.StreamID(name)] = n
	}
	return p, p.String() == s
}
