package testsvc

import (
	"context"
	"net/url"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// Redis returns the URL of an empty Redis database on the shared server, emptied again when the test ends. Commands that
// touch the whole server (FLUSHALL, SCRIPT FLUSH, pub/sub channels) meet other tests: take OwnRedis for these.
func Redis(t testing.TB) string {
	t.Helper()
	base := need(t, servers.EnvRedis)
	u, err := url.Parse(base)
	must(t, "Redis address", err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	first, err := redis.ParseURL(base)
	must(t, "Redis address", err)
	c := redis.NewClient(first)
	defer c.Close()
	config, err := c.ConfigGet(ctx, "databases").Result()
	must(t, "ask Redis how many databases it has", err)
	count, err := strconv.ParseInt(config["databases"], 10, 64)
	must(t, "read number of Redis databases", err)
	if count < 2 {
		t.Fatalf("Redis has %d database: tests need more than one", count)
	}
	// Database 0 holds only the counter that hands the others out.
	n, err := c.Incr(ctx, "pilin-testsvc:databases").Result()
	must(t, "take a Redis database", err)
	u.Path = "/" + strconv.FormatInt(1+n%(count-1), 10)
	flush := func() {
		o, err := redis.ParseURL(u.String())
		must(t, "Redis address", err)
		db := redis.NewClient(o)
		defer db.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		must(t, "empty Redis database", db.FlushDB(ctx).Err())
	}
	flush()
	t.Cleanup(flush)
	return u.String()
}

// OwnRedisServer is a Redis server of one test.
type OwnRedisServer struct {
	t      testing.TB
	server *servers.Redis
}

// OwnRedis starts a Redis server that only this test uses; it is stopped when the test ends.
func OwnRedis(t testing.TB) *OwnRedisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		lacking(t, "no redis-server found")
	}
	s, err := servers.StartRedis(folder(t))
	must(t, "start own Redis", err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop own Redis: %v", err)
		}
	})
	return &OwnRedisServer{t: t, server: s}
}

// URL is how clients reach it, password included; it stays good across restarts.
func (o *OwnRedisServer) URL() string { return o.server.URL() }

// DataDir is where it keeps its append-only file, for tests that search files.
func (o *OwnRedisServer) DataDir() string { return o.server.DataDir() }

// Stop stops it in order.
func (o *OwnRedisServer) Stop() {
	o.t.Helper()
	must(o.t, "stop own Redis", o.server.Stop())
}

// Kill ends it as kill -9 does.
func (o *OwnRedisServer) Kill() { o.server.Kill() }

// Start starts it again on the same port and data.
func (o *OwnRedisServer) Start() {
	o.t.Helper()
	must(o.t, "start own Redis again", o.server.Start())
}
