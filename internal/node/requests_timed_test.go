package node

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/budget"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// backlog appends n entries at a member, many at once.
func (d *direct) backlog(m record.MemberID, n int) {
	d.t.Helper()
	typ, _ := schemas.Lookup("blacklist.person", "1")
	split, err := typ.Split([]byte(personPayload))
	d.ok(err)
	parts := map[record.PartName][]byte{}
	for p, b := range split {
		parts[record.PartName(p)] = b
	}
	for _, size := range slices.Repeat([]int{100}, n/100) {
		var a record.Append
		for range size {
			id, err := record.NewBits128(rand.Reader)
			d.ok(err)
			a.Drafts = append(a.Drafts, record.Draft{Stream: record.Stream(m, record.Records), ID: id, Type: "blacklist.person", Schema: "1", Day: "2026-03-13",
				Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: parts})
		}
		_, err := d.nodes[m].append(d.t.Context(), a)
		d.ok(err)
	}
}

// A member that was away and catches up over HTTP alone meets no limit: a range brings a thousand records, so a hundredth of
// what a member may send when nobody set a limit is enough. What is refused is a flood.
func TestTimed_CatchingUpMeetsNoLimit(t *testing.T) {
	d := newDirect(t, onHTTP)
	d.released()
	a, b, c := d.members[0], d.members[1], d.members[2]
	for _, m := range []record.MemberID{a, b} {
		d.limited(m, Limits{MemberRequests: budget.Limits{}.Complete().MemberRequests / 100})
	}
	d.stop(d.nodes[c])
	const size = 1200
	d.backlog(a, size)
	d.again(c)
	d.until("caught up", func() bool { return d.held(c, record.Stream(a, record.Records)) == size })
	for _, m := range []record.MemberID{a, b} {
		if n := d.nodes[m].count.Get(countRefused, budget.MemberRequests); n != 0 {
			t.Errorf("%s refused %d requests", m, n)
		}
	}
	if n := d.nodes[c].count.Get(exchange.CountRests, "told"); n != 0 {
		t.Errorf("it was told %d times to wait", n)
	}
}

// A member whose requests are used up everywhere still catches up, at the rate that the limit leaves it; it waits as it is
// told instead of knocking, does not take the others for down, and its officers' questions are answered meanwhile.
func TestTimed_CatchingUpOnASpentLimit(t *testing.T) {
	d := newDirect(t, onHTTP)
	d.released()
	a, b, c := d.members[0], d.members[1], d.members[2]
	for _, m := range []record.MemberID{a, b} {
		d.limited(m, Limits{OfficerPerMinute: 1e6, MemberPerMinute: 1e6, OfficerSubjectsPerDay: 1e6, MemberSubjectsPerDay: 1e6, MemberRequests: 120})
	}
	d.stop(d.nodes[c])
	const size = 1200
	d.backlog(a, size)
	for _, m := range []record.MemberID{a, b} {
		l := d.nodes[m].limits
		var spent *federation.SpentError
		for !errors.As(l.admit(t.Context(), c), &spent) {
		}
		if spent.Code != federation.SpentRate || spent.Retry <= 0 {
			t.Fatalf("%+v", spent)
		}
	}
	before := d.nodes[a].count.Get(countRefused, budget.MemberRequests)
	n := d.again(c)
	d.until("released", n.t.release.Released)
	d.until("caught up", func() bool { return d.held(c, record.Stream(a, record.Records)) == size })
	d.until("answered", func() bool { // about somebody else: the backlog is of one person, more than an answer holds
		got, err := n.hub.Ask(t.Context(), federation.AskRequest{Account: "0123456789abcdef0123456789abcdef", Certificate: "99000000001", Purpose: "RAID",
			WorkRef: federation.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Question: federation.Question{Phone: identifier.NewSecret("15400000001")}})
		return err == nil && got.K == 3
	})
	if told, refused := n.count.Get(exchange.CountRests, "told"), d.nodes[a].count.Get(countRefused, budget.MemberRequests)-before; told == 0 || refused == 0 || refused > told {
		t.Errorf("told %d times to wait, A refused %d times", told, refused)
	}
	if n.count.Get(exchange.CountRests, "waited") == 0 {
		t.Error("nothing waited")
	}
	if got := n.count.Get(exchange.CountBreaker, "opened"); got != 0 {
		t.Errorf("%d members taken for down", got)
	}
}

// The count stands in Redis, and in this process by a stricter limit while Redis is gone; a restart of the node gives
// nothing back as long as Redis is there.
func TestNode_RequestsInRedis(t *testing.T) {
	d := newDirect(t, onOwnRedis)
	d.released()
	a, b, c := d.members[0], d.members[1], d.members[2]
	// knock sends so many requests and counts those that were served.
	knock := func(from record.MemberID, n int) (served int) {
		for range n {
			_, _, err := d.nodes[from].others.Charter(t.Context(), a, 1)
			var refused *federation.PeerRefusal
			if err == nil {
				served++
			} else if !errors.As(err, &refused) || refused.Code != federation.SpentRate {
				t.Fatal(err)
			}
		}
		return served
	}
	d.limited(a, Limits{MemberRequests: 40})
	if n := knock(b, 60); n < 20 || n > 50 { // the exchange itself sends some
		t.Errorf("%d served", n)
	}
	d.stop(d.nodes[a])
	d.again(a)
	if n := knock(b, 20); n > 12 {
		t.Errorf("after a restart %d served", n)
	}
	d.redis.Kill()
	if n := knock(c, 60); n > 30 || n < 5 || !d.nodes[a].limits.Alone() {
		t.Errorf("without Redis %d served, alone %v", n, d.nodes[a].limits.Alone())
	}
}
