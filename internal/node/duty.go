package node

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// rostersKept is how many of a member's rosters are looked at: those that end soonest, changed ones among them. One import
// may bring a whole year's.
const rostersKept = 12

// duties are the members' duty rosters as this node's copies tell them. A question asks for all of them each time, and they
// change once a week: they are read again only when records of the member were applied since, and on a new day.
type duties struct {
	mu   sync.Mutex
	held map[record.MemberID]heldRosters
}

type heldRosters struct {
	applied uint64
	day     string
	rosters []blacklist.Roster
}

// forget lets all be read again: parts of records came late.
func (d *duties) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = nil
}

// duty returns a member's duty contact at a moment. False if there is none or it cannot be read: a contact helps an answer, it
// is no part of it.
func (n *Node) duty(ctx context.Context, m record.MemberID, at time.Time) (httpapi.DutyContact, bool) {
	return httpapi.ContactOf(n.rosters(ctx, m, at), at)
}

// rosters returns those of a member's rosters in force that end soonest, newest first. On a copy it reads nothing of others:
// what they withdrew or erased since it was taken still stands in it.
func (n *Node) rosters(ctx context.Context, m record.MemberID, at time.Time) []blacklist.Roster {
	if n.isCopy() && m != n.cfg.Member {
		return nil
	}
	// The last shift of a week may run into the day after it.
	day := record.CivilDay(at.AddDate(0, 0, -1))
	stream := record.Stream(m, record.Records)
	applied := n.index.Applied(stream)
	n.duties.mu.Lock()
	held, ok := n.duties.held[m]
	n.duties.mu.Unlock()
	if ok && held.applied == applied && held.day == day {
		return held.rosters
	}
	items, err := n.store.List(ctx, sqlstore.Filter{Stream: stream, Type: blacklist.TypeRoster, State: string(blacklist.Published), ValidOn: day, Limit: rostersKept})
	if err != nil {
		return nil
	}
	slices.SortFunc(items, func(a, b sqlstore.Item) int { return cmp.Compare(b.Seq, a.Seq) })
	held = heldRosters{applied: applied, day: day}
	for _, it := range items {
		e, err := n.register.Entry(ctx, stream, it.Subject, "")
		if err != nil {
			return nil
		}
		if r, ok := e.Roster(); ok {
			held.rosters = append(held.rosters, r)
		}
	}
	n.duties.mu.Lock()
	defer n.duties.mu.Unlock()
	if n.duties.held == nil {
		n.duties.held = map[record.MemberID]heldRosters{}
	}
	n.duties.held[m] = held
	return held.rosters
}
