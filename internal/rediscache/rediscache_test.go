package rediscache_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pilinhub/pilin/internal/rediscache"
	"github.com/pilinhub/pilin/internal/testsvc"
)

func open(t *testing.T, url, federation, member string) *rediscache.Cache {
	t.Helper()
	c, err := rediscache.Open(url, federation, member)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func used(t *testing.T, c *rediscache.Cache, kind, id string) bool {
	t.Helper()
	is, err := c.Used(t.Context(), kind, id)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// A used id is known to its node alone, for as long as it could be replayed.
func TestCache_used_ids(t *testing.T) {
	url := testsvc.Redis(t)
	c := open(t, url, "f1", "310116-01")
	if used(t, c, "jti", "a") {
		t.Error("known before it was used")
	}
	if err := c.MarkUsed(t.Context(), "jti", "a", time.Minute); err != nil {
		t.Fatal(err)
	}
	if !used(t, c, "jti", "a") {
		t.Error("not known after it was used")
	}
	for name, other := range map[string]*rediscache.Cache{"another member": open(t, url, "f1", "310117-01"), "another federation": open(t, url, "f2", "310116-01")} {
		if used(t, other, "jti", "a") {
			t.Errorf("%s knows it: its token would be refused", name)
		}
	}
	if used(t, c, "ask", "a") || used(t, c, "jti", "b") {
		t.Error("another kind or id is known")
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	defer r.Close()
	const key = "pilin:f1:310116-01:used:jti:a"
	if ttl, err := r.PTTL(t.Context(), key).Result(); err != nil || ttl <= 0 || ttl > time.Minute {
		t.Errorf("kept for %s (%v), want at most a minute", ttl, err)
	}
	// A value that is not of this key (a crossed reply, another program) is not taken for a use.
	if err := r.Set(t.Context(), key, "pilin:f1:310116-01:used:jti:b", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if used(t, c, "jti", "a") {
		t.Error("another key's value counts")
	}
}

// A Redis that is down is an error within the time that a caller waits, never an answer; once it is back it is used again.
func TestCache_redis_down(t *testing.T) {
	s := testsvc.OwnRedis(t)
	c := open(t, s.URL(), "f1", "310116-01")
	if err := c.MarkUsed(t.Context(), "jti", "a", time.Minute); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	for _, f := range map[string]func(context.Context) error{
		"used": func(ctx context.Context) error { _, err := c.Used(ctx, "jti", "a"); return err },
		"mark": func(ctx context.Context) error { return c.MarkUsed(ctx, "jti", "b", time.Minute) }, "ping": c.Ping,
	} {
		if err := f(t.Context()); err == nil {
			t.Error("no error with Redis down")
		}
	}
	s.Start()
	deadline := time.Now().Add(10 * time.Second)
	for c.Ping(t.Context()) != nil {
		if time.Now().After(deadline) {
			t.Fatal("never reached again")
		}
	}
	if err := c.MarkUsed(t.Context(), "jti", "c", time.Minute); err != nil || !used(t, c, "jti", "c") {
		t.Errorf("not used again: %v", err)
	}
}

// Open connects to nothing, and says what is wrong with an address without its password.
func TestOpen(t *testing.T) {
	open(t, "redis://pilin:geheim@127.0.0.1:1/0", "f1", "310116-01")
	if _, err := rediscache.Open("http://127.0.0.1:1", "f1", "310116-01"); err == nil {
		t.Error("an address of another protocol is taken")
	}
}
