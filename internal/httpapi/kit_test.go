package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// seeded is a random source for tests that several goroutines may read.
func seeded(s string) io.Reader { return &lockedReader{r: rand.NewChaCha8(sha256.Sum256([]byte(s)))} }

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 13, 9, 30, 0, 0, time.UTC)} }

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const day0 = "2026-03-02"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bureaux founds a federation whose members listen at these addresses.
func bureaux(t testing.TB, addresses ...string) ([]*federation.Keys, []byte) {
	t.Helper()
	random := seeded("bureaux")
	var keys []*federation.Keys
	var requests [][]byte
	for i, a := range addresses {
		k, err := federation.GenerateKeys(random, record.MemberID(fmt.Sprintf("3101%02d-01", 16+i)), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
		must(t, err)
		r, err := federation.NewRequest(k, federation.Entry{Name: "测区", Address: a, AgreementNo: "XY-1", PIPIANo: "PIA-1", Retention: "R-1"})
		must(t, err)
		keys, requests = append(keys, k), append(requests, r)
	}
	note, err := federation.Found(random, federation.Founding{Name: "毗邻测试", Synthetic: true, Day: day0}, requests...)
	must(t, err)
	for _, k := range keys {
		note, err = federation.Sign(note, k.Member, k.Signer())
		must(t, err)
	}
	return keys, note
}

// openStore opens a real store on a file of its own.
func openStore(t testing.TB, d *federation.Directory, now func() time.Time) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), sqlstore.Config{Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "pilin.db"), Self: d.Self(),
		Federation: d.Federation, Sealer: &record.Sealer{Random: seeded("salt"), Current: d.CurrentEpoch},
		Signer: d.Signer, Charter: d.Charter, Now: now, UnsafeTest: true, Project: drafts})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// drafts are the only read models that these tests look at.
func drafts(all []record.Stored) (sqlstore.Row, bool) {
	r, ok := blacklist.ProjectSheet(all)
	return sqlstore.Row{Type: r.Type, Version: r.Version, State: string(r.State), About: r.About()}, ok
}

// site is one member's listener with what stands behind it.
type site struct {
	dir      *federation.Directory
	keys     *federation.Keys
	server   *httpapi.MemberListener
	clock    *clock
	log      *buffer
	registry *prometheus.Registry
	tokens   *auth.MemberTokens
	reply    func(context.Context, record.MemberID, []byte, record.Use) ([]byte, error)
	admit    func(from record.MemberID) error // nil: everything
	rangeOf  func(context.Context, record.MemberID, record.StreamID, uint64) ([]byte, error)
	address  string
}

// members starts listeners for n members on loopback.
func members(t *testing.T, n int) []*site {
	t.Helper()
	var listeners []net.Listener
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		listeners, addresses = append(listeners, l), append(addresses, "https://"+l.Addr().String())
	}
	keys, charter := bureaux(t, addresses...)
	var out []*site
	for i, k := range keys {
		d, err := federation.NewDirectory(k, charter)
		must(t, err)
		s := &site{dir: d, keys: k, clock: newClock(), log: &buffer{}, registry: prometheus.NewRegistry(), address: addresses[i]}
		store := openStore(t, d, s.clock.Now)
		s.tokens = &auth.MemberTokens{Federation: d.Federation(), Self: k.Member, Key: d.CurrentKey, IDs: store, Now: s.clock.Now}
		s.reply = func(ctx context.Context, from record.MemberID, body []byte, u record.Use) ([]byte, error) {
			if err := store.Use(ctx, u); err != nil {
				return nil, err
			}
			return []byte("answer for " + string(from)), nil
		}
		s.rangeOf = func(_ context.Context, peer record.MemberID, st record.StreamID, from uint64) ([]byte, error) {
			if st.Kind() != record.Records {
				return nil, record.ErrNotFound
			}
			return fmt.Appendf(nil, "range of %s from %d for %s", st, from, peer), nil
		}
		h, err := httpapi.Members(httpapi.MemberDeps{Directory: d, Tokens: s.tokens,
			Admit: func(_ context.Context, m record.MemberID) error {
				if s.admit == nil {
					return nil
				}
				return s.admit(m)
			},
			Reply: func(ctx context.Context, m record.MemberID, b []byte, u record.Use) ([]byte, error) {
				return s.reply(ctx, m, b, u)
			},
			Heads: func(_ context.Context, from record.MemberID, body []byte) ([]byte, error) {
				if !bytes.Contains(body, []byte(`"v":1`)) {
					return nil, federation.ErrMalformed
				}
				return []byte("heads for " + string(from)), nil
			},
			Range: func(ctx context.Context, m record.MemberID, st record.StreamID, from uint64) ([]byte, error) {
				return s.rangeOf(ctx, m, st, from)
			},
			Leaves: func(_ context.Context, _ record.StreamID, size uint64) ([]tlog.Hash, error) {
				return make([]tlog.Hash, size), nil
			},
			Log: slog.New(slog.NewJSONHandler(s.log, nil)), Metrics: s.registry, Now: s.clock.Now, Random: seeded("ids")})
		must(t, err)
		s.server = httpapi.MemberServer(h, d, k)
		go func() { _ = s.server.ServeTLS(listeners[i], "", "") }() // ends with ErrServerClosed
		t.Cleanup(func() { must(t, s.server.Close()) })
		out = append(out, s)
	}
	return out
}

// issue makes a token of this site's member.
func (s *site) issue(to record.MemberID, method, target string, body []byte) (string, error) {
	i := &auth.MemberIssuer{Federation: s.dir.Federation(), Self: s.keys.Member, Key: auth.SigningKey(s.dir, s.keys), Now: s.clock.Now,
		Random: seeded(fmt.Sprint("jti", rand.Uint64()))}
	return i.Issue(to, method, target, body)
}

func (s *site) peers(t *testing.T) *client.Peers {
	p := client.NewPeers(s.dir, s.keys, s.issue)
	t.Cleanup(p.Close)
	return p
}

// problemIn reads an error answer.
func problemIn(t testing.TB, res *http.Response) httpapi.Problem {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	must(t, err)
	var p httpapi.Problem
	if err := json.Unmarshal(b, &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("status %d, not a problem: %s", res.StatusCode, b)
	}
	if p.Status != res.StatusCode || p.Code == "" || p.Title == "" || p.Detail == "" || p.DetailEn == "" || p.RequestID == "" || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("incomplete problem: %s %s", b, res.Header.Get("Content-Type"))
	}
	return p
}
