package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// captured is one request of a member as somebody on the way could have kept it: the token and every byte.
type captured struct {
	method, target, token string
	body                  []byte
	expires               time.Time
}

// replayer sends captured requests to one node over a member's own TLS key.
type replayer struct {
	t    *testing.T
	to   *Node
	http *http.Client
}

// capture makes a request of from to a node with a new token.
func capture(t testing.TB, from, to *Node, method, target string, body []byte) captured {
	t.Helper()
	i := &auth.MemberIssuer{Federation: from.dir.Federation(), Self: from.cfg.Member, Key: auth.SigningKey(from.dir, from.keys), Now: time.Now, Random: rand.Reader}
	token, err := i.Issue(to.cfg.Member, method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	return captured{method, target, token, body, time.Now().Add(time.Minute)}
}

// question has from's hub make a question to a node and keeps it instead of sending it.
func question(d *direct, from, to *Node) captured {
	d.t.Helper()
	var body []byte
	var mu sync.Mutex
	call := from.hub.Call
	from.hub.Call = func(_ context.Context, m record.MemberID, b []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if m == to.cfg.Member {
			body = b
		}
		return nil, federation.ErrUnreachable
	}
	defer func() { from.hub.Call = call }()
	d.ask(from.cfg.Member)
	mu.Lock()
	defer mu.Unlock()
	return capture(d.t, from, to, http.MethodPost, "/member/v1/ask", body)
}

// send sends a captured request once and returns "ok" or the code of the refusal.
func (r *replayer) send(c captured) (string, error) {
	address, _ := r.to.dir.Address(r.to.cfg.Member)
	req, err := http.NewRequestWithContext(r.t.Context(), c.method, address+c.target, strings.NewReader(string(c.body)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if c.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusOK {
		return "ok", err
	}
	var p struct {
		Code string `json:"code"`
	}
	return p.Code, json.Unmarshal(b, &p)
}

// many sends a captured request n times, twenty at once, and counts the outcomes.
func (r *replayer) many(c captured, n int) map[string]int {
	r.t.Helper()
	var mu sync.Mutex
	got := map[string]int{}
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range work {
				code, err := r.send(c)
				if err != nil {
					code = "no answer: " + err.Error()
				}
				mu.Lock()
				got[code]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return got
}

func (r *replayer) want(what string, got, want map[string]int) {
	r.t.Helper()
	if !maps.Equal(got, want) {
		r.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A captured token is good once, whatever becomes of Redis inside its life: SQL decides, and Redis only spares it a look
// (reliability-security.md T12 and §3.4). One request writes an audit record with the token's id in its transaction (ask),
// the other uses the id up by itself (charter).
func TestNode_ReplaysWhileRedisIsLost(t *testing.T) {
	d := newDirect(t, onOwnRedis)
	from, to := d.nodes[d.members[0]], d.nodes[d.members[1]]
	d.until("released", to.t.release.Released)
	r := &replayer{t: t, to: to, http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 20,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // the pin is another test's
			Certificates: []tls.Certificate{{Certificate: [][]byte{from.keys.Cert}, PrivateKey: from.keys.TLS}}}}}}
	t.Cleanup(r.http.CloseIdleConnections)
	requests := map[string]func() captured{
		"charter": func() captured { return capture(t, from, to, http.MethodGet, "/member/v1/charter?from=1", nil) },
		"ask":     func() captured { return question(d, from, to) },
	}
	for name, next := range requests {
		t.Run(name, func(t *testing.T) {
			r.t = t
			c := next()
			r.want("first use", r.many(c, 1), map[string]int{"ok": 1})
			if n := usedKeys(t, d.redis); n == 0 {
				t.Fatal("Redis knows no used id: losing it would prove nothing")
			}
			r.want("with Redis", r.many(c, 200), map[string]int{"replayed": 200})
			flushAll(t, d.redis)
			r.want("Redis emptied", r.many(c, 300), map[string]int{"replayed": 300})
			d.redis.Stop()
			r.want("Redis down", r.many(c, 300), map[string]int{"replayed": 300})
			r.want("first use of another token, twenty at once, Redis down", r.many(next(), 20), map[string]int{"ok": 1, "replayed": 19})
			d.redis.Start()
			d.until("the node reaches Redis again", func() bool { return to.redis.Ping(t.Context()) == nil })
			flushAll(t, d.redis)
			r.want("Redis back and empty", r.many(c, 200), map[string]int{"replayed": 200})
			if !time.Now().Before(c.expires) {
				t.Fatal("the token has expired: that its replays were refused proves nothing")
			}
			r.want("a new token after all", r.many(next(), 1), map[string]int{"ok": 1})
		})
	}
}

func redisClient(t *testing.T, s *testsvc.OwnRedisServer) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func flushAll(t *testing.T, s *testsvc.OwnRedisServer) {
	t.Helper()
	if err := redisClient(t, s).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// usedKeys counts the one-use ids that Redis knows.
func usedKeys(t *testing.T, s *testsvc.OwnRedisServer) int {
	t.Helper()
	keys, err := redisClient(t, s).Keys(t.Context(), "pilin:*:used:jti:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}
