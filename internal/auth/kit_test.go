package auth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

const (
	ours   = recordtest.Self
	theirs = recordtest.Peer
)

var (
	fed  = record.FederationID(sha256.Sum256([]byte("auth test")))
	home = netip.MustParseAddr("127.0.0.1")
)

// seeded is a random source for tests that several goroutines may read.
func seeded(s string) io.Reader { return &locked{r: rand.NewChaCha8(sha256.Sum256([]byte(s)))} }

type locked struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *locked) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}

func key(seed string) ed25519.PrivateKey {
	s := sha256.Sum256([]byte(seed))
	return ed25519.NewKeyFromSeed(s[:])
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 13, 9, 30, 0, 0, time.UTC)} }

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

// store is a real store on a file of its own.
func store(t *testing.T, c *clock) *sqlstore.Store {
	t.Helper()
	k := recordtest.NewKit(7).Config(ours)
	s, err := sqlstore.Open(context.Background(), sqlstore.Config{Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "pilin.db"), Self: ours,
		Federation: func() record.FederationID { return k.Federation }, Sealer: k.Sealer, Signer: k.Signer, Charter: k.Charter, Now: c.Now, UnsafeTest: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// bureau is a People on a real store with its audit lines.
type bureau struct {
	*auth.People
	clock *clock
	store *sqlstore.Store
	mu    sync.Mutex
	lines []auth.Event
	fail  error // what the audit log answers
}

func newBureau(t *testing.T) *bureau {
	t.Helper()
	c := newClock()
	s := store(t, c)
	p, err := auth.NewPasswords(2, 64)
	if err != nil {
		t.Fatal(err)
	}
	b := &bureau{clock: c, store: s}
	b.People = &auth.People{Federation: fed, Self: ours, Key: key("people"), Accounts: s, Sessions: s, Passwords: p,
		Audit: b.audit, Now: c.Now, Random: seeded("people")}
	return b
}

func (b *bureau) audit(_ context.Context, e auth.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.lines = append(b.lines, e)
	return nil
}

const password = "Correct-Horse-19" // of every account in these tests

// person makes an account that can sign in.
func (b *bureau) person(t *testing.T, name string, roles ...auth.Role) auth.Account {
	t.Helper()
	a, link, err := b.Create(t.Context(), "", auth.NewAccount{Name: name, Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.UseLink(t.Context(), link, password, home); err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bureau) signIn(t *testing.T, name string) auth.Tokens {
	t.Helper()
	k, err := b.SignIn(t.Context(), name, password, home)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
