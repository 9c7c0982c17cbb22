package exchange

import (
	"regexp"
	"time"

	"github.com/pilinhub/pilin/record"
)

// Standing is what a peer's last head exchange told of it. Nothing is decided by it: it is for the page of federation
// health and for metrics.
type Standing struct {
	Charter record.CharterRef // the version that it held
	// Offset is its clock less ours, to a second: its answer prints whole seconds and the way takes time. Known says that an
	// answer brought it; a peer that only asks prints no time.
	Offset time.Duration
	Known  bool
	// Release is the version of its software; empty of releases before this word was told.
	Release string
}

// releaseForm bounds what a peer may call its release: it is shown and is never more than a version number.
var releaseForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]{0,39}$`)

// Standing returns what the last exchanges with a peer told; false if there was none.
func (h *Heads) Standing(m record.MemberID) (Standing, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.standing[m]
	return s, ok
}

// stood remembers what an exchange told.
func (h *Heads) stood(m record.MemberID, change func(*Standing)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.standing == nil {
		h.standing = map[record.MemberID]Standing{}
	}
	s := h.standing[m]
	change(&s)
	h.standing[m] = s
}
