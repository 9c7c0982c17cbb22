package budget_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/budget"
)

var noon = time.Date(2026, 3, 13, 12, 0, 0, 0, zone)

var zone = time.FixedZone("+08:00", 8*3600)

// kit is a Budgets with a clock that the test moves.
type kit struct {
	*budget.Budgets
	t   *testing.T
	now time.Time
}

func newKit(t *testing.T, l budget.Limits) *kit {
	k := &kit{t: t, now: noon}
	k.Budgets = &budget.Budgets{Limits: l.Complete(), Key: []byte("key of a test"), Now: func() time.Time { return k.now }, Zone: zone}
	return k
}

// takes counts how many of n questions are granted, each about what subject(i) says, and returns the last refusal.
func (k *kit) takes(n int, c budget.Charge, subject func(int) string) (granted int, last budget.Verdict) {
	for i := range n {
		c.Subject = subject(i)
		v, _ := k.Take(k.t.Context(), c)
		if v.Refused == "" {
			granted++
		} else {
			last = v
		}
	}
	return granted, last
}

func same(int) string         { return "one subject" }
func another(i int) string    { return fmt.Sprint("subject ", i) }
func officer(n int) string    { return fmt.Sprint("officer ", n) }
func own(n int) budget.Charge { return budget.Charge{Account: officer(n)} }

// An officer asks as fast as his limit allows and no faster; others are not affected, and waiting helps as told.
func TestBudgets_OfficerRate(t *testing.T) {
	k := newKit(t, budget.Limits{OfficerPerMinute: 6})
	if n, v := k.takes(20, own(1), same); n != 6 || v != (budget.Verdict{Refused: budget.OfficerRate, Retry: 10 * time.Second}) {
		t.Errorf("%d at once, then %v", n, v)
	}
	if n, _ := k.takes(6, own(2), same); n != 6 {
		t.Errorf("another officer: %d", n)
	}
	k.now = k.now.Add(10*time.Second - time.Millisecond)
	if n, v := k.takes(1, own(1), same); n != 0 || v.Retry != time.Millisecond {
		t.Errorf("too early: %d %v", n, v)
	}
	k.now = k.now.Add(time.Millisecond)
	if n, _ := k.takes(5, own(1), same); n != 1 {
		t.Errorf("after the wait: %d", n)
	}
	k.now = k.now.Add(-24 * time.Hour) // a clock put back costs one wait, not a day
	if _, v := k.takes(1, own(1), same); v.Retry > 10*time.Second {
		t.Errorf("after the clock was put back: %v", v)
	}
}

// A sweep over many subjects ends at the day's budget; what was asked about before may be asked about again, and the next
// civil day begins anew.
func TestBudgets_Subjects(t *testing.T) {
	k := newKit(t, budget.Limits{OfficerPerMinute: 1e6, OfficerSubjects: 30})
	n, v := k.takes(10_000, own(1), another)
	if n != 30 || v.Refused != budget.OfficerSubjects || v.Retry != 12*time.Hour {
		t.Errorf("%d subjects, then %v", n, v)
	}
	if n, _ := k.takes(1, own(1), another); n != 1 {
		t.Error("a subject asked about before is refused")
	}
	k.now = k.now.Add(12 * time.Hour)
	if n, _ := k.takes(40, own(1), another); n != 30 {
		t.Errorf("the next day: %d", n)
	}
}

// The officers of another member share its budget; own officers have none to share; a question that one limit refuses is
// counted by no other.
func TestBudgets_Member(t *testing.T) {
	k := newKit(t, budget.Limits{OfficerPerMinute: 5, MemberPerMinute: 12, MemberSubjects: 8, OfficerSubjects: 100})
	of := func(m string, n int) budget.Charge { return budget.Charge{Member: m, Account: officer(n)} }
	total := 0
	for i := range 4 {
		n, _ := k.takes(7, of("310117-01", i), same)
		total += n
	}
	if total != 12 {
		t.Errorf("%d of one member's officers", total)
	}
	if n, _ := k.takes(5, of("330482-01", 0), same); n != 5 {
		t.Errorf("another member's officer of the same account: %d", n)
	}
	k.now = k.now.Add(time.Hour)
	if n, v := k.takes(5, of("330482-01", 1), another); n != 5 || v.Refused != "" {
		t.Errorf("%d %v", n, v)
	}
	if n, v := k.takes(5, of("330482-01", 2), func(i int) string { return another(i + 100) }); n != 2 || v.Refused != budget.MemberSubjects {
		t.Errorf("the member's subjects: %d %v", n, v)
	}
	for i := range 4 {
		if n, _ := k.takes(5, own(i), same); n != 5 {
			t.Errorf("own officer %d: %d", i, n)
		}
	}
}

// A member that invents an account for each question fills its own share of the memory, and no other's; its node goes on
// receiving records.
func TestBudgets_InventedAccounts(t *testing.T) {
	k := newKit(t, budget.Limits{MemberPerMinute: 1e6, MemberSubjects: 1e6})
	n := 0
	for i := range 10_000 {
		v, _ := k.Take(t.Context(), budget.Charge{Member: "310117-01", Account: officer(i), Subject: "one"})
		if v.Refused == "" {
			n++
		} else if v.Refused != budget.Full {
			t.Fatal(v)
		}
	}
	if n < 1000 || n > 3000 {
		t.Errorf("%d accounts", n)
	}
	if v, _ := k.TakeRequest(t.Context(), "310117-01"); v.Refused != "" {
		t.Errorf("a request that is no question: %v", v)
	}
	if v, _ := k.Take(t.Context(), budget.Charge{Member: "330482-01", Account: officer(1), Subject: "one"}); v.Refused != "" {
		t.Errorf("another member: %v", v)
	}
}

// A store that forgets gives nothing back; one that is gone makes the limits stricter, and what was spent stays spent.
func TestBudgets_StoreGone(t *testing.T) {
	k := newKit(t, budget.Limits{OfficerPerMinute: 20, AlonePercent: 50})
	var gone error
	asked := 0
	k.Shared = func(context.Context, budget.Request) (budget.Verdict, error) { asked++; return budget.Verdict{}, gone }
	if n, v := k.takes(30, own(1), same); n != 20 || v.Refused != budget.OfficerRate {
		t.Errorf("a store that grants everything: %d %v", n, v)
	}
	gone = errors.New("gone")
	if n, _ := k.takes(30, own(1), same); n != 0 {
		t.Errorf("%d more because the store is gone", n)
	}
	before := asked
	if n, _ := k.takes(30, own(2), same); n != 10 || !k.Alone() {
		t.Errorf("alone: %d", n)
	}
	if asked != before {
		t.Errorf("a store that is gone was asked %d times within a second", asked-before)
	}
	k.now = k.now.Add(6 * time.Second) // alone one in six seconds, else one in three
	if n, _ := k.takes(5, own(2), same); n != 1 {
		t.Errorf("six seconds later, alone: %d", n)
	}
	gone = nil
	k.now = k.now.Add(time.Minute)
	if n, _ := k.takes(30, own(2), same); n != 20 || k.Alone() {
		t.Errorf("the store is back: %d", n)
	}
	k.Shared = func(context.Context, budget.Request) (budget.Verdict, error) {
		return budget.Verdict{Refused: budget.MemberRate, Retry: time.Second}, nil
	}
	if n, v := k.takes(1, own(3), same); n != 0 || v.Refused != budget.MemberRate {
		t.Errorf("the store refuses: %d %v", n, v)
	}
}

// Other requests of a member have a budget of their own: a flood of them takes no question away, and no other member's.
func TestBudgets_Requests(t *testing.T) {
	k := newKit(t, budget.Limits{MemberRequests: 60, MemberPerMinute: 5, OfficerPerMinute: 5})
	take := func(m string, n int) (granted int, last budget.Verdict) {
		for range n {
			if last, _ = k.TakeRequest(t.Context(), m); last.Refused == "" {
				granted++
			}
		}
		return granted, last
	}
	if n, v := take("310117-01", 100); n != 60 || v != (budget.Verdict{Refused: budget.MemberRequests, Retry: time.Second}) {
		t.Errorf("%d at once, then %v", n, v)
	}
	if n, _ := k.takes(5, budget.Charge{Member: "310117-01", Account: officer(1)}, same); n != 5 {
		t.Errorf("questions beside it: %d", n)
	}
	if n, _ := take("330482-01", 60); n != 60 {
		t.Errorf("another member: %d", n)
	}
	k.now = k.now.Add(10 * time.Second)
	if n, _ := take("310117-01", 100); n != 10 {
		t.Errorf("after ten seconds: %d", n)
	}
	gone := errors.New("gone")
	k.Shared = func(context.Context, budget.Request) (budget.Verdict, error) { return budget.Verdict{}, gone }
	if n, _ := take("320500-01", 100); n != 30 {
		t.Errorf("without the shared store: %d", n)
	}
}
