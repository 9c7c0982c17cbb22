package node

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/budget"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// Limits are the budgets of questions (domain.md L35), of this bureau's officers when they ask and of other members when
// this node answers. They cannot be switched off; where they must not matter they are set high.
type Limits struct {
	OfficerPerMinute      int `yaml:"officer_per_minute"`       // default 20: questions of one officer
	OfficerSubjectsPerDay int `yaml:"officer_subjects_per_day"` // default 200: distinct subjects of one officer
	MemberPerMinute       int `yaml:"member_per_minute"`        // default 300: questions of one member's officers together
	MemberSubjectsPerDay  int `yaml:"member_subjects_per_day"`  // default 3000
	MemberRequests        int `yaml:"member_requests"`          // default 6000: other requests of one member's node in a minute
	WithoutRedisPercent   int `yaml:"without_redis_percent"`    // default 50: how much of these while the configured Redis is gone, 1 to 100
}

// complete refuses what is no limit.
func (l Limits) complete() error {
	for _, n := range []int{l.OfficerPerMinute, l.OfficerSubjectsPerDay, l.MemberPerMinute, l.MemberSubjectsPerDay, l.MemberRequests} {
		if n < 0 || n > 1e7 {
			return errors.New("limits: want numbers from 1 to 10000000, or 0 for the default")
		}
	}
	if l.WithoutRedisPercent < 0 || l.WithoutRedisPercent > 100 {
		return errors.New("limits.without_redis_percent: want 1 to 100, or 0 for the default")
	}
	return nil
}

// AlarmBudget: somebody has used up a day's budget of subjects, which is what a sweep through a list looks like.
const AlarmBudget = "budget_spent"

// limiter is this node's budgets with what is to be told about them.
type limiter struct {
	budget.Budgets
	count *exchange.Counters
	alarm func(exchange.Alarm)

	mu    sync.Mutex
	since map[record.MemberID]time.Time // when an alarm about a member was last raised
}

// alarmEvery bounds how often one member's spent budget is told.
const alarmEvery = time.Hour

// buildLimits makes the budgets; their key comes from the member's signing key, so that a restart does not change it.
func (n *Node) buildLimits() error {
	key, err := hkdf.Key(sha256.New, n.known.Sign.Seed(), nil, "pilin budget 1 "+n.dir.Federation().String(), sha256.Size)
	if err != nil {
		return fmt.Errorf("key of the budgets: %w", err)
	}
	l := n.cfg.Limits
	n.limits = &limiter{count: n.count, alarm: n.alarm, since: map[record.MemberID]time.Time{}, Budgets: budget.Budgets{Key: key, Now: n.now, Zone: record.CivilZone,
		Limits: budget.Limits{OfficerPerMinute: l.OfficerPerMinute, OfficerSubjects: l.OfficerSubjectsPerDay, MemberPerMinute: l.MemberPerMinute,
			MemberSubjects: l.MemberSubjectsPerDay, MemberRequests: l.MemberRequests, AlonePercent: l.WithoutRedisPercent}.Complete()}}
	if n.redis != nil {
		n.limits.Shared = n.redis.Take
	}
	n.hub.Spend = func(ctx context.Context, c federation.Charge) *federation.SpentError {
		if c.Member == n.cfg.Member {
			c.Member = ""
		}
		return n.limits.spend(ctx, c)
	}
	return nil
}

// spend takes a question out of the budgets. Own officers are those of no member.
func (l *limiter) spend(ctx context.Context, c federation.Charge) *federation.SpentError {
	v, alone := l.Take(ctx, budget.Charge{Member: string(c.Member), Account: c.Account, Subject: c.Subject.Reveal()})
	by := "redis"
	switch {
	case alone:
		by = "alone"
	case l.Shared == nil:
		by = "process"
	}
	if v.Refused == "" {
		l.count.Add(countGranted, by, 1)
		return nil
	}
	l.count.Add(countRefused, v.Refused, 1)
	if v.Refused != budget.OfficerSubjects && v.Refused != budget.MemberSubjects {
		return &federation.SpentError{Code: federation.SpentRate, Retry: v.Retry}
	}
	if l.first(c.Member) {
		l.alarm(exchange.Alarm{Code: AlarmBudget, Peer: c.Member})
	}
	return &federation.SpentError{Code: federation.SpentSubjects, Retry: v.Retry}
}

// admit counts a request of another member's node that is no question. Such a request costs this node work and tells the
// other nothing about persons: a refusal is counted, and is no alarm.
func (l *limiter) admit(ctx context.Context, from record.MemberID) error {
	v, _ := l.TakeRequest(ctx, string(from))
	if v.Refused == "" {
		return nil
	}
	l.count.Add(countRefused, v.Refused, 1)
	return &federation.SpentError{Code: federation.SpentRate, Retry: v.Retry}
}

func (l *limiter) first(m record.MemberID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	if now.Sub(l.since[m]).Abs() < alarmEvery {
		return false
	}
	l.since[m] = now
	return true
}

// Counters of the budgets; who was refused stands in the audit, not here.
const (
	countGranted = "budget_granted_total" // by where it was counted: redis, process, alone
	countRefused = "budget_refused_total" // by limit
)

// aloneGauge exports whether the budgets are counted without the configured Redis.
func (n *Node) aloneGauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "pilin_budget_alone", Help: "1 while the configured Redis does not answer and stricter limits hold."}, func() float64 {
		if n.limits.Alone() {
			return 1
		}
		return 0
	})
}
