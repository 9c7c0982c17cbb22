package node

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// direct is a little federation in one process, over its members' real listeners; Kafka is the in-process one, or none.
type direct struct {
	t       testing.TB
	members []record.MemberID
	nodes   map[record.MemberID]*Node
	down    map[record.MemberID]*atomic.Bool
	ends    map[*Node]func()
	redis   *testsvc.OwnRedisServer // on onOwnRedis
	kafka   testsvc.KafkaService    // of a real stack
	broker  *testsvc.OwnKafkaBroker // of onOwn
	gates   map[record.MemberID]*gate
}

// stack is what a federation runs on.
type stack string

const (
	onKfake stack = "in-process kafka, SQLite"
	onHTTP  stack = "no courier, SQLite"
	onReal  stack = "Apache Kafka, PostgreSQL, Redis"
	// onOwnRedis has no courier either, PostgreSQL, and a Redis that only this test uses.
	onOwnRedis stack = "no courier, PostgreSQL, own Redis"
	onOwn      stack = "an Apache Kafka of its own, PostgreSQL, Redis"
	durable    stack = "Apache Kafka, PostgreSQL with fsync, Redis" // for measuring: nothing is left out of a commit
)

// courier fills in each member's configuration for a stack.
func (d *direct) courier(on stack) func(m record.MemberID, c *Config) {
	t := d.t
	switch on {
	case onKfake:
		var topics []string
		for _, m := range d.members {
			topics = append(topics, kafkabus.LogTopic(m), kafkabus.AckTopic(m))
		}
		s, err := embedded.Start(topics...)
		d.ok(err)
		t.Cleanup(s.Stop)
		return func(_ record.MemberID, c *Config) { c.Kafka.Brokers, c.Redis.URL = s.Brokers, s.Redis }
	case onReal, onOwn, durable:
		k := testsvc.KafkaService{}
		if on == onOwn {
			d.broker = testsvc.OwnKafka(t)
			k = d.broker.KafkaService
		} else {
			k = testsvc.Kafka(t)
		}
		d.kafka = k
		d.provision(t.Context())
		redis := testsvc.Redis(t)
		return func(m record.MemberID, c *Config) {
			_, file := k.NewUser(t, string(m))
			c.Kafka = kafkabus.Config{Brokers: []string{k.SASLAddr}, TLS: true, CAFile: k.CAFile, User: string(m), PasswordFile: file}
			c.Redis.URL = redis
			if on == durable {
				c.Database, c.UnsafeTest = Database{Driver: "postgres", DSN: testsvc.PostgresDurable(t)}, false
				return
			}
			c.Database = Database{Driver: "postgres", DSN: testsvc.Postgres(t)}
		}
	case onOwnRedis:
		d.redis = testsvc.OwnRedis(t)
		return func(_ record.MemberID, c *Config) {
			c.Redis.URL, c.Database = d.redis.URL(), Database{Driver: "postgres", DSN: testsvc.Postgres(t)}
		}
	}
	return func(record.MemberID, *Config) {}
}

// operator is how the broker's operator reaches it.
func (d *direct) operator() kafkabus.Config {
	return kafkabus.Config{Brokers: []string{d.kafka.SASLAddr}, TLS: true, CAFile: d.kafka.CAFile, User: d.kafka.AdminUser, PasswordFile: d.kafka.PasswordFile(d.t)}
}

// provision makes the topics and rights that the broker lacks, from the table that we ship.
func (d *direct) provision(ctx context.Context) {
	d.t.Helper()
	table, err := os.ReadFile("../../deploy/kafka/topics.yaml")
	d.ok(err)
	_, err = ProvisionKafka(ctx, Config{Kafka: d.operator()}, table, d.members, 1)
	d.ok(err)
}

func newDirect(t testing.TB, on stack) *direct {
	t.Helper()
	return found(t, on, false, three...)
}

// unlimited are limits that no test but those of limits should meet.
var unlimited = Limits{OfficerPerMinute: 1e7, OfficerSubjectsPerDay: 1e7, MemberPerMinute: 1e7, MemberSubjectsPerDay: 1e7, WithoutRedisPercent: 100}

// three are the members of a federation that needs no more.
var three = []record.MemberID{"310116-01", "310117-01", "330482-01"}

// newcomer may be admitted later.
const newcomer record.MemberID = "310119-01"

// found founds a federation of these members and starts their nodes; on shared servers they get codes of their own. Where
// it is gated, what the charter names is a gate before each member's listener.
func found(t testing.TB, on stack, gated bool, members ...record.MemberID) *direct {
	t.Helper()
	d := &direct{t: t, gates: map[record.MemberID]*gate{}, members: slices.Clone(members), nodes: map[record.MemberID]*Node{}, down: map[record.MemberID]*atomic.Bool{}, ends: map[*Node]func(){}}
	if on == onReal || on == onOwn || on == durable {
		for i, code := range testsvc.MemberCodes(t, len(members)) {
			d.members[i] = record.MemberID(code)
		}
	}
	d.down[newcomer] = &atomic.Bool{}
	courier := d.courier(on)
	dir := t.TempDir()
	var requests [][]byte
	address := map[record.MemberID]string{}
	for _, m := range d.members {
		address[m] = freePort(t)
		public := address[m]
		if gated {
			d.gates[m] = newGate(t, address[m])
			public = d.gates[m].address
		}
		id, err := Init(dir+"/"+string(m), m, federation.Entry{Name: string(m), Address: "https://" + public, AgreementNo: "测1", PIPIANo: "测1", Retention: "测1"}, time.Now())
		d.ok(err)
		b, err := os.ReadFile(id.RequestFile)
		d.ok(err)
		requests = append(requests, b)
	}
	note, err := federation.Found(rand.Reader, federation.Founding{Name: "测", Synthetic: true, Day: record.CivilDay(time.Now())}, requests...)
	d.ok(err)
	for _, m := range d.members {
		k, err := ReadKeys(dir + "/" + string(m))
		d.ok(err)
		note, err = federation.Sign(note, m, k.Signer())
		d.ok(err)
	}
	for _, m := range d.members {
		cfg := Config{Member: m, Data: dir + "/" + string(m), Members: Members{Listen: address[m]}, People: People{Listen: freePort(t)}, UnsafeTest: true, Limits: unlimited, DiskPercent: 100}
		courier(m, &cfg)
		_, err := Join(t.Context(), cfg, note)
		d.ok(err)
		n, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
		d.ok(err)
		d.nodes[m], d.down[m] = n, &atomic.Bool{}
	}
	for _, m := range d.members {
		d.wire(d.nodes[m])
		d.run(d.nodes[m])
	}
	return d
}

func (d *direct) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *direct) run(n *Node) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	end := sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			d.t.Error(err)
		}
	})
	d.ends[n] = end
	d.t.Cleanup(end)
}

// stop ends a node as SIGTERM does.
func (d *direct) stop(n *Node) { d.ends[n]() }

// wire puts a switch before each request of a node to another: a member that is down is not reached.
func (d *direct) wire(n *Node) {
	real, call := n.t.peers, n.hub.Call
	up := func(m record.MemberID) error {
		if d.down[m].Load() {
			return federation.ErrUnreachable
		}
		return nil
	}
	n.t.peers = peers{
		Heads: func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
			if err := up(m); err != nil {
				return nil, err
			}
			return real.Heads(ctx, m, body)
		},
		Range: func(ctx context.Context, m record.MemberID, s record.StreamID, from uint64) ([]*record.Frame, error) {
			if err := up(m); err != nil {
				return nil, err
			}
			return real.Range(ctx, m, s, from)
		},
		HeadsAs: func(ctx context.Context, was federation.Member, m record.MemberID, body []byte) ([]byte, error) {
			if err := up(m); err != nil {
				return nil, err
			}
			return real.HeadsAs(ctx, was, m, body)
		},
		Leaves: real.Leaves, Charter: real.Charter, Agreement: real.Agreement,
	}
	n.hub.Call = func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
		if err := up(m); err != nil {
			return nil, err
		}
		return call(ctx, m, body)
	}
}

// freePort returns a loopback address that was free a moment ago, below the ports that the machine gives to connections:
// of those one that is free now may be the end of another node's call before a listener takes it.
func freePort(t testing.TB) string {
	t.Helper()
	var err error
	for range 100 {
		var l net.Listener
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(15_000+mrand.IntN(17_000)))
		if l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal(err)
	return ""
}

// until waits for a condition that the exchange brings about by itself.
func (d *direct) until(what string, f func() bool) {
	d.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-deadline:
			d.t.Fatal("never: " + what)
		case <-tick.C:
		}
	}
}

const somebody = "310116190001010016"

// personPayload is an entry about somebody.
const personPayload = `{"name":"测甲一","id_type":"RIC","id_no":"` + somebody + `","id_quality":"seen","sex":"1","birth_date":"1900-01-01","nationality":"156","qualification":"none","qual_checked_at":"2026-03-01","qual_source":"测","specialities":["DEN"],"penalty_refs":["00000000000000000000000000000001"],"open_case":false,"notice":{"mode":"in_decision_text"},"legal_basis":"测","purpose":"CASE","occurred_at":"2026-03-01T09:00:00+08:00","valid_until":"2099-01-01","retention_until":"2099-01-01","intake":"live","synthetic":true}`

func (d *direct) publish(m record.MemberID, refs ...record.Ref) record.RecordID {
	d.t.Helper()
	id, err := d.publishIn(d.t.Context(), m, refs...)
	d.ok(err)
	return id
}

// publishIn is publish for goroutines beside the test.
func (d *direct) publishIn(ctx context.Context, m record.MemberID, refs ...record.Ref) (id record.RecordID, err error) {
	return d.publishOn(ctx, m, "2026-03-13", refs...)
}

// publishOn is publishIn on a day.
func (d *direct) publishOn(ctx context.Context, m record.MemberID, day string, refs ...record.Ref) (id record.RecordID, err error) {
	typ := "blacklist.person"
	payload := []byte(personPayload)
	if len(refs) > 0 {
		typ, payload = "blacklist.withdrawal", []byte(`{"reason_code":"no_basis","reason":"测","legal_basis":"测","purpose":"CORRECT","occurred_at":"2026-03-02T09:00:00+08:00","synthetic":true}`)
	}
	s, _ := schemas.Lookup(typ, "1")
	split, err := s.Split(payload)
	if err != nil {
		return id, err
	}
	if id, err = record.NewBits128(rand.Reader); err != nil {
		return id, err
	}
	draft := record.Draft{Stream: record.Stream(m, record.Records), ID: id, Type: typ, Schema: "1", Day: day, Refs: refs,
		Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{}}
	for p, b := range split {
		draft.Parts[record.PartName(p)] = b
	}
	_, err = d.nodes[m].append(ctx, record.Append{Drafts: []record.Draft{draft}})
	return id, err
}

func (d *direct) ask(m record.MemberID) *federation.Answer {
	d.t.Helper()
	a, err := d.asked(m)
	d.ok(err)
	return a
}

func (d *direct) asked(m record.MemberID) (*federation.Answer, error) {
	return d.nodes[m].hub.Ask(d.t.Context(), federation.AskRequest{Account: "0123456789abcdef0123456789abcdef", Certificate: "99000000001", Purpose: "RAID",
		WorkRef: federation.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Question: federation.Question{IDNo: identifier.NewSecret(somebody)}})
}

func (d *direct) covered(s record.StreamID, seq uint64) exchange.Coverage {
	d.t.Helper()
	c, err := d.nodes[s.Member()].t.receipts.Coverage(d.t.Context(), s, seq, d.nodes[s.Member()].dir.Active())
	d.ok(err)
	return c
}

// The road of an entry: published at A, found at B and C, withdrawn, gone; with Kafka and without.
func TestNode_Road(t *testing.T) {
	for on, via := range map[stack]string{onKfake: "kafka", onHTTP: "http", onReal: "kafka"} {
		t.Run(strings.ReplaceAll(string(on), " ", "_"), func(t *testing.T) {
			d := newDirect(t, on)
			a, b := d.members[0], d.members[1]
			s := record.Stream(a, record.Records)
			for _, n := range d.nodes {
				d.until("released", n.t.release.Released)
			}
			id := d.publish(a)
			for _, m := range d.members[1:] {
				d.until("applied at "+string(m), func() bool { h, err := d.nodes[m].store.Head(t.Context(), s); return err == nil && h.Applied == 1 })
				d.until("counted at "+string(m), func() bool { return d.metricAt(m, exchange.CountApplied) == 1 }) // it is stored first
				if got := d.nodes[m].count.Get(exchange.CountApplied, via); got != 1 {
					t.Fatalf("%s applied %d records by %s", m, got, via)
				}
			}
			d.until("receipts 3/3", func() bool { return d.covered(s, 0).K == 3 })
			if got := d.ask(b); got.Outcome != federation.Hit || got.K != 3 || got.N != 3 {
				t.Fatalf("asked with everybody up: %s %d/%d", got.Outcome, got.K, got.N)
			}
			d.down[a].Store(true)
			d.until("the replica shows", func() bool { return len(d.ask(b).Replica) == 1 })
			if got := d.ask(b); got.Outcome == federation.NoHit || got.K != 2 || got.N != 3 {
				t.Fatalf("asked with the origin down: %s %d/%d", got.Outcome, got.K, got.N)
			}
			d.down[a].Store(false)
			d.until("it is asked again", func() bool { return d.ask(b).K == 3 }) // a member that was down is tried by a head exchange first
			d.publish(a, record.Ref{Rel: record.Withdraws, ID: id, Version: 1})
			d.until("receipts 3/3 for the withdrawal", func() bool { return d.covered(s, 1).K == 3 })
			if got := d.ask(b); got.Outcome != federation.NoHit || got.K != 3 {
				t.Fatalf("after the withdrawal: %s %d/%d", got.Outcome, got.K, got.N)
			}
			d.down[a].Store(true)
			d.until("gone from the replica", func() bool { return len(d.ask(b).Replica) == 0 })
		})
	}
}
