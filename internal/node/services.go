package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/rediscache"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// services are what members and people reach over HTTP, and what this node reaches others with.
type services struct {
	register *blacklist.Register
	board    *events.Board
	people   *auth.People
	registry *prometheus.Registry
	others   *client.Peers
	members  *httpapi.MemberListener
	desk     *http.Server
	open     *httpapi.Open
	limits   *limiter
	checks   *federation.SpotChecks
	intake   *sheets.Intake
}

// buildServices makes the members' listener and the client of other members' listeners.
func (n *Node) buildServices(ctx context.Context) error {
	n.buildRegisters()
	n.buildBoard()
	if err := n.buildPeople(); err != nil {
		return err
	}
	n.registry = prometheus.NewRegistry()
	if err := n.registerMetrics(); err != nil {
		return err
	}
	fed := n.dir.Federation()
	issuer := &auth.MemberIssuer{Federation: fed, Self: n.cfg.Member, Key: auth.SigningKey(n.dir, n.keys), Now: n.now, Random: rand.Reader}
	n.others = client.NewPeers(n.dir, n.known, issuer.Issue)
	n.t.peers = n.t.resting(peers{Heads: n.others.Heads, HeadsAs: n.headsAs, Leaves: n.others.Leaves, Charter: n.others.Charter,
		Range: func(ctx context.Context, m record.MemberID, s record.StreamID, from uint64) ([]*record.Frame, error) {
			b, err := n.others.Range(ctx, m, s, from)
			if err != nil {
				return nil, err
			}
			return record.DecodeRange(b)
		},
		Agreement: func(ctx context.Context, m record.MemberID, id [32]byte) ([]byte, error) {
			return n.others.Agreement(ctx, m, id)
		}})
	n.hub.Call = n.traced(n.t.callMember(n.others.Ask))
	n.checks = &federation.SpotChecks{Hub: n.hub, Store: n.store, Calendar: n.calendar}
	n.hub.Holds = n.checks.Holds
	if err := n.buildLimits(); err != nil {
		return err
	}
	if err := n.registry.Register(n.aloneGauge()); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	ids := usedIDs{n.store, n.redis, n.measures.replayed}
	h, err := httpapi.Members(httpapi.MemberDeps{
		Directory: n.dir,
		Tokens:    &auth.MemberTokens{Federation: fed, Self: n.cfg.Member, Key: n.dir.CurrentKey, IDs: ids, Now: n.now},
		Reply: func(ctx context.Context, from record.MemberID, body []byte, token record.Use) ([]byte, error) {
			return ids.once(ctx, token, func() ([]byte, error) { return n.hub.Reply(ctx, from, body, token) })
		},
		Heads: func(ctx context.Context, from record.MemberID, body []byte) ([]byte, error) {
			r, err := exchange.DecodeHeadsRequest(body)
			if err != nil {
				return nil, errors.Join(federation.ErrMalformed, err)
			}
			return n.t.answerHeads(ctx, from, r)
		},
		Range: func(ctx context.Context, peer record.MemberID, s record.StreamID, from uint64) ([]byte, error) {
			b, err := exchange.ServeRange(ctx, n.store, n.roster, n.t.release.Released(), peer, s, from)
			return b, served(err)
		},
		Leaves: func(ctx context.Context, s record.StreamID, size uint64) ([]tlog.Hash, error) {
			hs, err := exchange.ServeLeaves(ctx, n.store, n.roster, n.t.release.Released(), s, size)
			return hs, served(err)
		},
		Admit: n.limits.admit,
		Log:   n.slog, Metrics: n.registry, Tracer: n.tracer, Now: n.now, Random: rand.Reader,
	})
	if err != nil {
		return fmt.Errorf("members' listener: %w", err)
	}
	n.members = httpapi.MemberServer(h, n.dir, n.known)
	if err := n.buildDesk(); err != nil {
		return err
	}
	return n.open.Resume(ctx)
}

// buildDesk makes the people's listener.
func (n *Node) buildDesk() error {
	var cert *tls.Certificate
	if n.cfg.People.CertFile != "" {
		c, err := tls.LoadX509KeyPair(n.cfg.People.CertFile, n.cfg.People.KeyFile)
		if err != nil {
			return fmt.Errorf("people's certificate: %w", err)
		}
		cert = &c
	}
	n.open = httpapi.NewOpen(n.now, n.store)
	own := record.Stream(n.cfg.Member, record.Records)
	n.intake = &sheets.Intake{Store: n.store, Register: n.register, Synthetic: n.dir.Synthetic(), Now: n.now, Logger: n.slog,
		Decision: httpapi.OwnDecision(n.index, own, func() string { return record.CivilDay(n.now()) }, n.register.Entry)}
	h, err := httpapi.People(httpapi.Deps{Open: n.open, Intake: n.intake, Directory: n.dir, People: n.people, Hub: n.hub, SpotChecks: n.checks, Register: n.register, Subjects: subjects{n}, Board: n.board, Operations: n.Operations, Log: ownLog{n.store, n},
		List: n.list, Coverage: n.coverage, Status: n.status, Duty: n.duty, Ready: n.ready, Logger: n.slog, Tracer: n.tracer, Metrics: n.registry, Gatherer: n.registry, MetricsFrom: n.cfg.People.MetricsFrom, Now: n.now, Random: rand.Reader, Secure: cert != nil})
	if err != nil {
		return fmt.Errorf("people's listener: %w", err)
	}
	n.desk = httpapi.PeopleServer(h, cert)
	n.desk.RegisterOnShutdown(n.open.Stop)
	return nil
}

// coverage tells the border who has applied a record.
func (n *Node) coverage(ctx context.Context, s record.StreamID, seq uint64, members []record.MemberID) (int, []record.MemberID, error) {
	c, err := n.t.receipts.Coverage(ctx, s, seq, members)
	return c.K, c.Missing, err
}

// served gives "not served" the meaning that the border knows.
func served(err error) error {
	if errors.Is(err, exchange.ErrNotServed) {
		return errors.Join(record.ErrNotFound, err)
	}
	return err
}

// usedIDs is the replay guard: SQL decides, Redis spares SQL the look at what was certainly used. Without Redis, or with
// an empty one, it is slower and no looser.
type usedIDs struct {
	sql   *sqlstore.Store
	redis *rediscache.Cache // nil: none
	seen  *prometheus.CounterVec
}

// redisWait bounds the look into Redis; a slow one must not make a question late.
const redisWait = 100 * time.Millisecond

// once runs f, which uses u up in SQL, unless Redis knows u as used; afterwards Redis knows it.
func (g usedIDs) once(ctx context.Context, u record.Use, f func() ([]byte, error)) ([]byte, error) {
	f = g.counted(f)
	if g.redis == nil {
		return f()
	}
	look, cancel := context.WithTimeout(ctx, redisWait)
	used, err := g.redis.Used(look, u.Kind, u.ID)
	cancel()
	if err == nil && used {
		g.seen.WithLabelValues("redis").Inc()
		return nil, record.ErrReplayed
	}
	b, err := f()
	if err == nil {
		note, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisWait)
		defer cancel()
		_ = g.redis.MarkUsed(note, u.Kind, u.ID, 6*time.Minute) // a hint: SQL has it
	}
	return b, err
}

// counted counts what SQL refuses.
func (g usedIDs) counted(f func() ([]byte, error)) func() ([]byte, error) {
	return func() ([]byte, error) {
		b, err := f()
		if errors.Is(err, record.ErrReplayed) {
			g.seen.WithLabelValues("sql").Inc()
		}
		return b, err
	}
}

// Use implements auth.UsedIDs.
func (g usedIDs) Use(ctx context.Context, u record.Use) error {
	_, err := g.once(ctx, u, func() ([]byte, error) { return nil, g.sql.Use(ctx, u) })
	return err
}

// Floor implements auth.UsedIDs.
func (g usedIDs) Floor(ctx context.Context) (int64, error) { return g.sql.Floor(ctx) }

// listening is the node's open listeners.
type listening struct {
	n               *Node
	members, people net.Listener
}

// listen opens the listeners, so that a port that is taken is known before anything runs.
func (n *Node) listen() (*listening, error) {
	var lc net.ListenConfig
	m, err := lc.Listen(context.Background(), "tcp", n.cfg.Members.Listen)
	if err != nil {
		return nil, fmt.Errorf("members' listener: %w", err)
	}
	p, err := lc.Listen(context.Background(), "tcp", n.cfg.People.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("people's listener: %w", err), m.Close())
	}
	return &listening{n: n, members: m, people: p}, nil
}

// serve serves until ctx ends or a listener fails, then lets requests under way finish for a while.
func (l *listening) serve(ctx context.Context) error {
	failed := make(chan error, 2)
	var wg sync.WaitGroup
	wg.Go(func() { failed <- l.n.members.ServeTLS(l.members, "", "") })
	wg.Go(func() {
		if l.n.desk.TLSConfig != nil {
			failed <- l.n.desk.ServeTLS(l.people, "", "")
			return
		}
		failed <- l.n.desk.Serve(l.people)
	})
	l.n.slog.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("members", l.members.Addr().String()), slog.String("people", l.people.Addr().String()))
	l.n.tell("READY=1")
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	l.n.tell("STOPPING=1")
	err = errors.Join(err, l.stop(context.WithoutCancel(ctx)))
	wg.Wait()
	l.n.others.Close()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// stop takes no more connections, lets requests under way finish for a while, then cuts off what is left: somebody who
// sends a body for ever must not keep the node from stopping.
func (l *listening) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestsEnd)
	defer cancel()
	type server interface {
		Shutdown(context.Context) error
		Close() error
	}
	servers := []server{l.n.desk, l.n.members}
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() {
			errs[i] = s.Shutdown(ctx)
			if errors.Is(errs[i], context.DeadlineExceeded) {
				l.n.slog.LogAttrs(ctx, slog.LevelWarn, "requests cut off by the stop")
				_ = s.Close() // what it says is how the other end took it
				errs[i] = nil
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
