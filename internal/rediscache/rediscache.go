// Package rediscache keeps in Redis what may be lost at any moment without a wrong answer: today the fast path of the
// replay guard. SQL decides; Redis only spares SQL a look at what was certainly used before. Every key begins
// pilin:<federation>:<member>: so that one Redis may serve several nodes.
package rediscache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Cache is one node's view of a Redis.
type Cache struct {
	c      *redis.Client
	prefix string
}

// quiet drops what the client library writes by itself: a line for each failed dial, in a form of its own. Whether Redis
// answers is told by readiness.
type quiet struct{}

// Printf implements the library's logger.
func (quiet) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quiet{}) } // a package variable there: set once, before any client exists

// Open prepares a client for url (redis:// or rediss://, user and password in it or in passwordFile's content). It does
// not connect: a Redis that is down slows nothing but the fast path.
func Open(url, federation, member string) (*Cache, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("redis address: %w", err)
	}
	o.DisableIdentity = true // go-redis CVE-2025-29923: CLIENT SETINFO time-outs crossed replies
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
	o.MaxRetries = -1
	o.DialerRetries = 1 // a caller waits 100 ms at most: several attempts with pauses between them would only fill that
	o.ContextTimeoutEnabled = true
	return &Cache{c: redis.NewClient(o), prefix: "pilin:" + federation + ":" + member + ":"}, nil
}

// Used reports whether a one-use id was certainly used before. false means: ask SQL. An error means the same.
func (c *Cache) Used(ctx context.Context, kind, id string) (bool, error) {
	key := c.prefix + "used:" + kind + ":" + id
	v, err := c.c.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read used id: %w", err)
	}
	return v == key, nil // the value is the key, so a crossed reply is never taken for ours
}

// MarkUsed notes an id that SQL has accepted, for as long as it could be replayed.
func (c *Cache) MarkUsed(ctx context.Context, kind, id string, keep time.Duration) error {
	key := c.prefix + "used:" + kind + ":" + id
	if err := c.c.Set(ctx, key, key, keep).Err(); err != nil {
		return fmt.Errorf("note used id: %w", err)
	}
	return nil
}

// Ping reports whether Redis answers.
func (c *Cache) Ping(ctx context.Context) error { return c.c.Ping(ctx).Err() }

// Close ends the connections.
func (c *Cache) Close() error { return c.c.Close() }
