package rediscache_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pilinhub/pilin/internal/budget"
	"github.com/pilinhub/pilin/internal/rediscache"
	"github.com/pilinhub/pilin/internal/testsvc"
)

// counted is what the two ledgers, in Redis and in the process, must agree on.
func counted(at time.Time, item string) budget.Request {
	return budget.Request{At: at, Owner: "o",
		Rates: []budget.Rate{{Name: "a", Key: "r:a", Every: 6 * time.Second, Burst: 10}, {Name: "b", Key: "r:b", Every: 3 * time.Second, Burst: 12}},
		Sets:  []budget.Set{{Name: "s", Key: "s:a", Item: item, Size: 6, Until: at.Truncate(time.Hour).Add(2 * time.Hour)}}}
}

// Redis counts as the process does, to the microsecond, whatever came before.
func TestCache_TakesAsTheLedgerDoes(t *testing.T) {
	c := open(t, testsvc.Redis(t), "f1", "310116-01")
	var l budget.Ledger
	now := time.Now().Truncate(time.Hour).Add(5 * time.Minute)
	granted, refused := 0, map[string]int{}
	for i, step := range []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, time.Second, 5 * time.Second, 1, 7 * time.Second, 0, 40 * time.Second, 0, 0, 0, 0, -time.Minute, time.Second} {
		now = now.Add(step)
		r := counted(now, fmt.Sprint("item ", i%9))
		got, err := c.Take(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if want := l.Take(r, 100); got.Refused != want.Refused || (got.Retry-want.Retry).Abs() > time.Microsecond {
			t.Fatalf("step %d: Redis says %v, the process %v", i, got, want)
		}
		if refused[got.Refused]++; got.Refused == "" {
			granted++
		}
	}
	if granted < 6 || refused["a"] == 0 || refused["s"] == 0 {
		t.Errorf("granted %d, refused %v: not everything was tried", granted, refused)
	}
}

// Many at once get no more than there is; another member's node on the same Redis has its own; nothing is kept for ever.
func TestCache_TakesAtOnce(t *testing.T) {
	url := testsvc.Redis(t)
	c := open(t, url, "f1", "310116-01")
	now := time.Now()
	var granted atomic.Int64
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			v, err := c.Take(t.Context(), counted(now, "one"))
			if err != nil {
				t.Error(err)
			} else if v.Refused == "" {
				granted.Add(1)
			}
		})
	}
	wg.Wait()
	if granted.Load() != 10 {
		t.Errorf("%d of 40 granted, want 10", granted.Load())
	}
	if v, err := open(t, url, "f1", "310117-01").Take(t.Context(), counted(now, "one")); err != nil || v.Refused != "" {
		t.Errorf("another member's node: %v %v", v, err)
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	defer r.Close()
	keys, err := r.Keys(t.Context(), "pilin:f1:310116-01:budget:*").Result()
	if err != nil || len(keys) != 3 {
		t.Fatalf("%v %v", keys, err)
	}
	for _, k := range keys {
		most := 61 * time.Second
		if strings.Contains(k, ":s:") {
			most = 2*time.Hour + time.Second
		}
		if ttl, err := r.PTTL(t.Context(), k).Result(); err != nil || ttl <= 0 || ttl > most {
			t.Errorf("%s is kept for %s (%v)", k, ttl, err)
		}
	}
}

// With the real Redis stopped this process alone grants half; with Redis back all is as before; an emptied Redis gives
// nobody anything back.
func TestCache_BudgetsWithRedisGone(t *testing.T) {
	s := testsvc.OwnRedis(t)
	c := open(t, s.URL(), "f1", "310116-01")
	now := time.Now()
	b := &budget.Budgets{Limits: budget.Limits{OfficerPerMinute: 20}.Complete(), Shared: c.Take, Key: []byte("key of a test"),
		Now: func() time.Time { return now }, Zone: time.UTC}
	spend := func(who string) (n int) {
		for range 30 {
			if v, _ := b.Take(t.Context(), budget.Charge{Account: who, Subject: "one"}); v.Refused == "" {
				n++
			}
		}
		return n
	}
	if n := spend("a"); n != 20 || b.Alone() {
		t.Fatalf("with Redis: %d, alone %v", n, b.Alone())
	}
	flush(t, s.URL())
	if n := spend("a"); n != 0 {
		t.Errorf("%d more because Redis was emptied", n)
	}
	s.Kill()
	if n := spend("b"); n != 10 || !b.Alone() {
		t.Errorf("without Redis: %d, alone %v", n, b.Alone())
	}
	s.Start()
	deadline := time.Now().Add(10 * time.Second)
	for c.Ping(t.Context()) != nil {
		if time.Now().After(deadline) {
			t.Fatal("never reached again")
		}
	}
	now = now.Add(2 * time.Minute)
	if n := spend("b"); n != 20 || b.Alone() {
		t.Errorf("Redis is back: %d, alone %v", n, b.Alone())
	}
}

func flush(t *testing.T, url string) {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	defer r.Close()
	if err := r.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

var _ budget.SharedFunc = (*rediscache.Cache)(nil).Take
