package budget

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// Limits are what an officer and a member may ask of one node. A field of 0 has the default named beside it.
type Limits struct {
	OfficerPerMinute int // default 20: questions of one officer, also the burst
	OfficerSubjects  int // default 200: distinct subjects of one officer in a civil day
	MemberPerMinute  int // default 300: questions of one member's officers together
	MemberSubjects   int // default 3000
	MemberRequests   int // default 6000: requests a minute of one member's node that are no questions, also the burst
	AlonePercent     int // default 50: how much of all that while the shared store is gone; 1 to 100
}

// Complete fills the defaults in.
func (l Limits) Complete() Limits {
	fill := func(n *int, with int) {
		if *n == 0 {
			*n = with
		}
	}
	fill(&l.OfficerPerMinute, 20)
	fill(&l.OfficerSubjects, 200)
	fill(&l.MemberPerMinute, 300)
	fill(&l.MemberSubjects, 3000)
	fill(&l.MemberRequests, 6000)
	fill(&l.AlonePercent, 50)
	return l
}

// Names of the limits: stable codes, labels of the metrics.
const (
	OfficerRate     = "officer_rate"
	OfficerSubjects = "officer_subjects"
	MemberRate      = "member_rate"
	MemberSubjects  = "member_subjects"
	MemberRequests  = "member_requests"
)

// SharedFunc takes a request out of the shared store, as Ledger.Take does. An error means that the store could not be
// asked and may or may not have counted.
type SharedFunc func(ctx context.Context, r Request) (Verdict, error)

// Charge is one question.
type Charge struct {
	Member  string // whose officer asks; empty: this node's own
	Account string // opaque account id
	Subject string // what is asked about; it is hashed here and goes nowhere else
}

// Budgets are the limits of one node. All fields are set before use; it is safe for use by several goroutines.
type Budgets struct {
	Limits Limits // complete
	Shared SharedFunc
	Key    []byte // of the hashes; the same after a restart, or the day's subjects count twice
	Now    func() time.Time
	Zone   *time.Location // of the civil day

	ledger Ledger
	mu     sync.Mutex
	again  time.Time // the shared store is not asked before: it did not answer
	alone  bool
}

const (
	sharedWait = 100 * time.Millisecond // a slow store must not make a question late
	sharedRest = time.Second            // after a failure, so that not every question waits for a store that is gone
)

// Take counts a question, or says which limit is used up. Both the shared store and this process must grant it; while the
// store is gone, this process alone does by stricter limits. alone tells that this was so.
func (b *Budgets) Take(ctx context.Context, c Charge) (v Verdict, alone bool) {
	return b.take(ctx, b.request(c))
}

// TakeRequest counts a request of another member's node that is no question: heads, ranges, leaves, documents. It is
// granted or refused as a question is, out of a budget of its own: questions of ever other officers do not use it up.
func (b *Budgets) TakeRequest(ctx context.Context, member string) (v Verdict, alone bool) {
	owner := b.hash("node", member)
	return b.take(ctx, Request{At: b.Now(), Owner: owner, Rates: []Rate{{MemberRequests, "q:" + owner, minute(b.Limits.MemberRequests), b.Limits.MemberRequests}}})
}

// minute is how far apart n things in a minute are.
func minute(n int) time.Duration { return max(time.Microsecond, time.Minute/time.Duration(n)) }

func (b *Budgets) take(ctx context.Context, r Request) (v Verdict, alone bool) {
	if b.Shared == nil {
		return b.ledger.Take(r, 100), false // nothing is gone: one process counts for this node, and sees everything
	}
	if !b.rests(r.At) {
		look, cancel := context.WithTimeout(ctx, sharedWait)
		got, err := b.Shared(look, r)
		cancel()
		b.heard(r.At, err)
		if err == nil {
			if got.Refused == "" {
				got = b.ledger.Take(r, 100) // an emptied store grants what this process has seen spent
			}
			return got, false
		}
	}
	return b.ledger.Take(r, b.Limits.AlonePercent), true
}

// Alone reports whether the shared store did not answer when it was last asked.
func (b *Budgets) Alone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alone
}

func (b *Budgets) rests(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.again) && b.again.Sub(now) <= sharedRest // not for long because a clock was put back
}

func (b *Budgets) heard(now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alone, b.again = err != nil, time.Time{}
	if err != nil {
		b.again = now.Add(sharedRest)
	}
}

// request lays a question out for its limits. Own officers have no member's share: they are who the node is for.
func (b *Budgets) request(c Charge) Request {
	now := b.Now()
	civil := now.In(b.Zone)
	day, until := civil.Format(time.DateOnly), time.Date(civil.Year(), civil.Month(), civil.Day()+1, 0, 0, 0, 0, b.Zone)
	officer, item := b.hash("officer", c.Member, c.Account), b.hash("subject", day, c.Subject)
	l := b.Limits
	r := Request{At: now, Owner: b.hash("member", c.Member),
		Rates: []Rate{{OfficerRate, "r:" + officer, minute(l.OfficerPerMinute), l.OfficerPerMinute}},
		Sets:  []Set{{OfficerSubjects, "s:" + day + ":" + officer, item, l.OfficerSubjects, until}}}
	if c.Member != "" {
		r.Rates = append(r.Rates, Rate{MemberRate, "r:" + r.Owner, minute(l.MemberPerMinute), l.MemberPerMinute})
		r.Sets = append(r.Sets, Set{MemberSubjects, "s:" + day + ":" + r.Owner, item, l.MemberSubjects, until})
	}
	return r
}

// hash hides a value. Each part is told from the next by its length.
func (b *Budgets) hash(parts ...string) string {
	m := hmac.New(sha256.New, b.Key)
	for _, p := range parts {
		var n [4]byte
		n[0], n[1], n[2], n[3] = byte(len(p)>>24), byte(len(p)>>16), byte(len(p)>>8), byte(len(p))
		m.Write(n[:])
		m.Write([]byte(p))
	}
	return hex.EncodeToString(m.Sum(nil)[:16])
}
