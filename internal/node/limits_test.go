package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/budget"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// limited starts a member's node anew with these limits: the exchange reads them all the time.
func (d *direct) limited(m record.MemberID, l Limits) *Node {
	d.t.Helper()
	n := d.nodes[m]
	d.stop(n)
	n.cfg.Limits = l
	n = d.again(m)
	d.released()
	return n
}

// sweep lets an officer of a member ask n questions, each about another subject, and counts those that to answered.
func (d *direct) sweep(from, to int, account string, first, n int) (answered int, last *federation.Answer) {
	d.t.Helper()
	for i := first; i < first+n; i++ {
		a, err := d.nodes[d.members[from]].hub.Ask(d.t.Context(), federation.AskRequest{Account: account, Certificate: "99000000001", Purpose: "RAID",
			WorkRef:  federation.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"},
			Question: federation.Question{Name: identifier.NewSecret("测" + string(rune(0x4e00+i)) + "甲"), BirthDate: identifier.NewSecret("1900")}})
		d.ok(err)
		if at := slices.IndexFunc(a.Members, func(m federation.MemberAnswer) bool { return m.Member == d.members[to] }); a.Members[at].State == federation.Answered {
			answered++
		}
		last = a
	}
	return answered, last
}

// A member that lets its officers sweep is stopped by the budget of the member that answers, with the real Redis up,
// stopped and back: without it by a stricter one. The answer is incomplete and says by whom; nothing personal is in Redis
// keys or metrics.
func TestNode_BudgetsAtTheAnsweringSide(t *testing.T) {
	d := newDirect(t, onOwnRedis)
	d.released()
	b := d.limited(d.members[1], Limits{OfficerPerMinute: 1e6, OfficerSubjectsPerDay: 8, MemberPerMinute: 1e6, MemberSubjectsPerDay: 1e6})
	d.until("everybody answers", func() bool { return d.ask(d.members[0]).K == 3 })
	n, last := d.sweep(0, 1, "officer-1", 0, 12)
	if n != 8 || last.Outcome != federation.Incomplete || last.K != 2 || last.Members[1].State != federation.Refused || last.Members[1].Reason != federation.SpentSubjects {
		t.Fatalf("%d answered; %s %d/%d %+v", n, last.Outcome, last.K, last.N, last.Members[1])
	}
	if codes := b.alarms.codes(); !slices.Contains(codes, AlarmBudget) {
		t.Errorf("alarms %v", codes)
	}
	if got := b.count.Get(countRefused, budget.OfficerSubjects); got != 4 {
		t.Errorf("%d refusals counted", got)
	}
	d.redis.Kill()
	if n, _ := d.sweep(0, 1, "officer-2", 0, 12); n != 4 || !b.limits.Alone() {
		t.Errorf("without Redis %d answered, alone %v", n, b.limits.Alone())
	}
	if n, _ := d.sweep(0, 1, "officer-1", 20, 8); n != 0 {
		t.Errorf("%d more because Redis is gone", n)
	}
	d.redis.Start()
	d.until("Redis is back", func() bool {
		n, _ := d.sweep(0, 1, "officer-3", 0, 12)
		return n > 0 && !b.limits.Alone()
	})
	if n, _ := d.sweep(0, 1, "officer-4", 0, 12); n != 8 {
		t.Errorf("with Redis back %d answered", n)
	}
	metrics, err := b.registry.Gather()
	d.ok(err)
	var names []string
	for _, m := range metrics {
		names = append(names, m.GetName())
		if strings.Contains(m.String(), "officer-1") {
			t.Errorf("%s names an officer", m.GetName())
		}
	}
	for _, want := range []string{"pilin_budget_alone", "pilin_budget_granted_total", "pilin_budget_refused_total"} {
		if !slices.Contains(names, want) {
			t.Errorf("no metric %s", want)
		}
	}
}

// An officer's own node stops him before anything leaves, for each limit with its code and a time to wait.
func TestNode_BudgetsBeforeAsking(t *testing.T) {
	d := newDirect(t, onHTTP)
	d.released()
	a := d.limited(d.members[0], Limits{OfficerPerMinute: 3})
	d.until("three questions", func() bool {
		_, err := d.asked(d.members[0])
		var spent *federation.SpentError
		if !errors.As(err, &spent) {
			d.ok(err)
			return false
		}
		return spent.Code == federation.SpentRate && spent.Retry > 0 && spent.Retry.Seconds() <= 20
	})
	if got := a.count.Get(countGranted, "process"); got < 3 {
		t.Errorf("%d granted", got)
	}
}

// Limits are read from the configuration; what is no limit is refused at start.
func TestConfig_limits(t *testing.T) {
	read := func(more string) (Config, error) {
		file := filepath.Join(t.TempDir(), "pilin.yaml")
		if err := os.WriteFile(file, []byte("member: 310116-01\ndata: /tmp\n"+more), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadConfig(file)
	}
	c, err := read("limits:\n  officer_per_minute: 5\n  officer_subjects_per_day: 50\n  member_per_minute: 60\n  member_subjects_per_day: 600\n  without_redis_percent: 25\n  member_requests: 700\n")
	if want := (Limits{5, 50, 60, 600, 700, 25}); err != nil || c.Limits != want {
		t.Errorf("%+v %v", c.Limits, err)
	}
	for _, bad := range []string{"limits:\n  officer_per_minute: -1\n", "limits:\n  without_redis_percent: 101\n", "limits:\n  officer_per_hour: 5\n"} {
		if _, err := read(bad); err == nil {
			t.Errorf("taken: %s", bad)
		}
	}
}

// Calls that a member answers, by whatever, and calls that were given up say nothing against it; two in a row without an
// answer do, and then a question does not wait for it.
func TestTraffic_reached(t *testing.T) {
	d := newDirect(t, onHTTP)
	tr := d.nodes[d.members[0]].t
	const m = "999999-01"
	for range 5 {
		tr.reached(t.Context(), m, context.Canceled)
		tr.reached(t.Context(), m, &federation.PeerRefusal{Code: "rate_limited"})
		tr.reached(t.Context(), m, federation.ErrUnreachable)
	}
	if _, down := tr.breaker.Down(m); down {
		t.Error("a member that answers between counts as down")
	}
	tr.reached(t.Context(), m, context.DeadlineExceeded)
	if _, down := tr.breaker.Down(m); !down {
		t.Error("two calls in a row without an answer, and it is not down")
	}
	calls := 0
	call := tr.callMember(func(context.Context, record.MemberID, []byte) ([]byte, error) { calls++; return nil, nil })
	if _, err := call(t.Context(), m, nil); !errors.Is(err, federation.ErrDown) || calls != 0 {
		t.Errorf("%v after %d calls", err, calls)
	}
	tr.reached(t.Context(), m, nil)
	if _, err := call(t.Context(), m, nil); err != nil || calls != 1 {
		t.Errorf("after its return: %v, %d calls", err, calls)
	}
}
