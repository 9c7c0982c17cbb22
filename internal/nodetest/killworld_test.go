package nodetest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// The federation of two: the node that is killed, and a peer that lives in the test.
const (
	killed record.MemberID = "310116-01"
	peer   record.MemberID = "310117-01"
)

// world is the federation, the broker between the two, and what stands before their listeners.
type world struct {
	t      *testing.T
	dir    *federation.Directory
	config string // file that the killed node is started with
	victim node.Config
	other  node.Config
	peer   *node.Node
	log    *lockedBuffer // what the peer logs
	toPeer *door
	frames int // records that the peer appended, each a frame of its own
}

// newWorld founds the federation and starts the peer. The killed node's database is what cfg says.
func newWorld(t *testing.T, db node.Database) *world {
	t.Helper()
	w := &world{t: t, log: &lockedBuffer{}}
	dir := t.TempDir()
	victimPort, peerPort := freePort(t), freePort(t)
	w.toPeer = newDoor(t, peerPort)
	toVictim := newDoor(t, victimPort)
	toVictim.open()
	var requests [][]byte
	for m, d := range map[record.MemberID]*door{killed: toVictim, peer: w.toPeer} {
		id, err := node.Init(filepath.Join(dir, string(m)), m, federation.Entry{Name: string(m), Address: "https://" + d.addr(), AgreementNo: "测1", PIPIANo: "测1", Retention: "测1"}, time.Now())
		must(t, err)
		b, err := os.ReadFile(id.RequestFile)
		must(t, err)
		requests = append(requests, b)
	}
	note, err := federation.Found(rand.Reader, federation.Founding{Name: "测", Synthetic: true, Day: record.CivilDay(time.Now())}, requests...)
	must(t, err)
	s, err := embedded.Start(kafkabus.LogTopic(killed), kafkabus.AckTopic(killed), kafkabus.LogTopic(peer), kafkabus.AckTopic(peer))
	must(t, err)
	t.Cleanup(s.Stop)
	config := func(m record.MemberID, port string, db node.Database) node.Config {
		k, err := node.ReadKeys(filepath.Join(dir, string(m)))
		must(t, err)
		note, err = federation.Sign(note, m, k.Signer())
		must(t, err)
		return node.Config{Member: m, Data: filepath.Join(dir, string(m)), Database: db, Kafka: kafkabus.Config{Brokers: s.Brokers},
			People: node.People{Listen: "127.0.0.1:0"}, Members: node.Members{Listen: port},
			Limits: node.Limits{OfficerPerMinute: 10_000, OfficerSubjectsPerDay: 10_000, MemberPerMinute: 10_000, MemberSubjectsPerDay: 10_000}}
	}
	w.victim, w.other = config(killed, victimPort, db), config(peer, peerPort, node.Database{})
	for _, c := range []node.Config{w.victim, w.other} {
		w.dir, err = node.Join(t.Context(), c, note)
		must(t, err)
	}
	w.config = filepath.Join(dir, "victim.yaml")
	b, err := yaml.Marshal(w.victim)
	must(t, err)
	must(t, os.WriteFile(w.config, b, 0o600))
	w.peer, err = node.Open(t.Context(), w.other, slog.New(slog.NewTextHandler(w.log, nil)))
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.peer.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("peer: %v", err)
		}
		if err := w.peer.Close(); err != nil {
			t.Errorf("close peer: %v", err)
		}
	})
	return w
}

// publish appends one entry at the peer; the killed node is to take it in.
func (w *world) publish(ctx context.Context) error {
	d, err := draft(record.Stream(peer, record.Records), "blacklist.person", person(fmt.Sprintf("peer-%d", w.frames)))
	if err != nil {
		return err
	}
	if _, err := w.peer.Append(ctx, record.Append{Drafts: []record.Draft{d}}); err != nil {
		return err
	}
	w.frames++
	return nil
}

// reader opens the database of one of the two beside its node.
func (w *world) reader(c node.Config) *sqlstore.Store {
	w.t.Helper()
	driver, dsn := c.Database.Driver, c.Database.DSN
	if driver == "" {
		driver = "sqlite"
	}
	if dsn == "" {
		dsn = filepath.Join(c.Data, "pilin.db")
	}
	var keys *keystore.Store // none before the node's first start
	b, err := os.ReadFile(filepath.Join(c.Data, "storage.keys"))
	if err == nil {
		keys, err = keystore.Decode(b)
		must(w.t, err)
	}
	s, err := sqlstore.OpenReader(w.t.Context(), sqlstore.Config{Driver: driver, DSN: dsn, Self: c.Member, Keys: keys, Now: time.Now})
	must(w.t, err)
	return s
}

// read reads and proves every stream of one of the two, with its read models if these stand still, and finds no evidence
// of a fork.
func (w *world) read(s *sqlstore.Store, models bool) (map[record.StreamID]*streamLog, error) {
	ctx := w.t.Context()
	heads, err := s.Heads(ctx)
	if err != nil {
		return nil, err
	}
	out := map[record.StreamID]*streamLog{}
	for _, h := range heads {
		l, err := readStream(ctx, s, w.dir, h.Stream)
		if err != nil {
			return nil, err
		}
		if models {
			if err := checkReadModels(ctx, s, l); err != nil {
				return nil, err
			}
		}
		out[h.Stream] = l
	}
	evidence, err := s.Evidence(ctx)
	if err == nil && len(evidence) > 0 {
		err = fmt.Errorf("evidence of a fork of %d streams", len(evidence))
	}
	return out, err
}

// door stands before a listener: while it is closed, who knocks waits.
type door struct {
	l      net.Listener
	target string
	ctx    context.Context
	way    atomic.Pointer[chan struct{}] // closed when the door is open
}

func newDoor(t *testing.T, target string) *door {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	d := &door{l: l, target: target, ctx: ctx}
	d.shut()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { d.pass(c) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		wg.Wait()
	})
	return d
}

func (d *door) addr() string { return d.l.Addr().String() }

// shut makes newcomers wait; who is in stays in.
func (d *door) shut() {
	c := make(chan struct{})
	d.way.Store(&c)
}

// open lets everybody in. It may be called again.
func (d *door) open() {
	select {
	case <-*d.way.Load():
	default:
		close(*d.way.Load())
	}
}

// pass carries bytes both ways until one side ends or the test does.
func (d *door) pass(in net.Conn) {
	defer in.Close()
	select {
	case <-*d.way.Load():
	case <-d.ctx.Done():
		return
	}
	out, err := (&net.Dialer{Timeout: time.Second}).DialContext(d.ctx, "tcp", d.target)
	if err != nil {
		return
	}
	defer out.Close()
	ended := make(chan struct{}, 2)
	for _, p := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(p[0], p[1]) // a broken connection is what these tests are about
			ended <- struct{}{}
		}()
	}
	select {
	case <-ended:
	case <-d.ctx.Done():
	}
}

// freePort returns an address of this machine that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lockedBuffer collects what a process or node logs.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// alarms returns the lines that tell an operator to look.
func (l *lockedBuffer) alarms() []string {
	var out []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "msg=alarm") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}
