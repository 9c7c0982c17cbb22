package sim

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Config says which history to run.
type Config struct {
	Seed uint64
	// Members is how many take part; 0 draws 3 to 7.
	Members int
	// Ops is how many operations people do at least; 0 means 200.
	Ops int
	// Forker makes one member show two histories; otherwise the seed decides.
	Forker bool
	// Trace, if set, is told everything that happens, for a person who reads a failing seed.
	Trace io.Writer
}

// Report is what a history came to.
type Report struct {
	Seed        uint64
	Members     int
	Ops         int
	Counts      map[string]int // faults by name, operations by outcome, and what the checks looked at
	Faults      int
	Violations  []string
	Fingerprint uint64   // of everything that happened, in order
	States      []uint64 // fingerprints of the federation's state, taken every second
	Span        time.Duration
	Detected    int // head exchanges between holders of two histories until one of them had evidence; -1 if none was needed
}

// fedID and the charter versions of every history: the charter itself is not simulated, only that versions and
// agreements reach members late.
var (
	fedID    = record.FederationID(sha256.Sum256([]byte("synthetic federation")))
	charters = []record.CharterRef{
		{Version: 1, Hash: fedID},
		{Version: 2, Hash: sha256.Sum256([]byte("synthetic charter 2"))},
	}
)

// The groups beside all: circle is in the charter, team by an agreement that its founder hands over.
const (
	circle record.GroupID = "c0000000000000000000000000000001"
	team   record.GroupID = "d0000000000000000000000000000002"
)

var agreementID = [32]byte(sha256.Sum256([]byte("synthetic agreement")))

var epochs = map[record.GroupID]record.EpochKey{
	record.All: {ID: record.KeyID{0xa1}, Key: sha256.Sum256([]byte("epoch all"))},
	circle:     {ID: record.KeyID{0xc1}, Key: sha256.Sum256([]byte("epoch circle"))},
	team:       {ID: record.KeyID{0xd1}, Key: sha256.Sum256([]byte("epoch team"))},
}

// cast are the members that histories draw from, with their signing keys.
var cast = func() []actor {
	var all []actor
	for i := range 7 {
		id := record.MemberID(fmt.Sprintf("31011%d-01", i+1))
		seed := sha256.Sum256([]byte("sign " + string(id)))
		signer := record.NewSigner(ed25519.NewKeyFromSeed(seed[:]))
		all = append(all, actor{id, signer, signer.Public()})
	}
	return all
}()

type actor struct {
	id     record.MemberID
	signer *record.Signer
	key    ed25519.PublicKey
}

// world is one history.
type world struct {
	timeline
	ctx     context.Context
	cfg     Config
	rng     *rand.Rand
	random  io.Reader
	net     network
	courier courier
	nodes   []*node
	groups  map[record.GroupID]map[record.MemberID]bool
	faulty  bool // faults may happen: not before everybody met, not while it heals
	quiet   bool // nobody new may get into trouble: a restored disk is being released
	ended   bool
	acks    bool // receipts go over the courier too, not with head exchanges only: dear, each has three signatures
	ops     int
	forker  *forker
	rates   rates

	truth     map[record.StreamID]map[uint64]tlog.Hash // leaves that origins signed
	confirmed map[record.StreamID]uint64               // what the broker has, by stream
	promises  []*ack
	headers   map[string]headerSeen
	notes     map[string]record.Checkpoint

	report Report
	print  uint64
}

// rates are how often things go wrong in this history.
type rates struct {
	storeCrash float64 // of one store call, before and after it
}

func newWorld(cfg Config) *world {
	if cfg.Ops == 0 {
		cfg.Ops = 200
	}
	w := &world{
		ctx: context.Background(), cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x70696c696e)),
		groups: map[record.GroupID]map[record.MemberID]bool{record.All: {}, circle: {}, team: {}},
		truth:  map[record.StreamID]map[uint64]tlog.Hash{}, confirmed: map[record.StreamID]uint64{},
		headers: map[string]headerSeen{}, notes: map[string]record.Checkpoint{},
		print: 14695981039346656037,
	}
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], cfg.Seed)
	w.random = rand.NewChaCha8(seed)
	w.report = Report{Seed: cfg.Seed, Counts: map[string]int{}, Detected: -1}
	w.net = network{w: w, cut: map[[2]record.MemberID]bool{}, calm: map[record.MemberID]bool{}}
	w.courier = courier{w: w, topics: map[string]*topic{}, refuse: map[string]bool{}}
	count := cfg.Members
	if count == 0 {
		count = []int{3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 7}[w.draw(12)]
	}
	w.report.Members = count
	for i := range count {
		a := cast[i]
		w.groups[record.All][a.id] = true
		n := &node{w: w, actor: a, durable: &durable{}}
		n.durable.log = n.newLog()
		w.nodes = append(w.nodes, n)
	}
	// circle: all but the last; team: the first, and each other by lot, never everybody.
	for i, n := range w.nodes {
		w.groups[circle][n.id] = i < count-1
		w.groups[team][n.id] = i == 0 || i < count-1 && w.chance(0.5)
	}
	w.nodes[0].durable.agreement = true
	w.drawRates()
	return w
}

// drawRates decides what kind of history this is.
func (w *world) drawRates() {
	some := func(most float64) float64 {
		if w.chance(0.4) {
			return 0
		}
		return most * w.rng.Float64()
	}
	w.net.drop, w.net.twice, w.net.flip = some(0.3), some(0.2), some(0.1)
	w.net.slow = time.Duration(10+w.draw(400)) * time.Millisecond
	w.courier.noAck, w.courier.lost, w.courier.twice = some(0.1), some(0.1), some(0.15)
	w.courier.again, w.courier.flip = some(0.15), some(0.08)
	w.rates.storeCrash = some(0.003)
	w.acks = w.chance(0.15)
}

func (w *world) draw(n int) int        { return w.rng.IntN(n) }
func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }
func (w *world) count(name string)     { w.report.Counts[name]++ }
func (w *world) members() (all []record.MemberID) {
	for _, n := range w.nodes {
		all = append(all, n.id)
	}
	return all
}

func (w *world) node(m record.MemberID) *node {
	i := slices.IndexFunc(w.nodes, func(n *node) bool { return n.id == m })
	if i < 0 {
		return nil
	}
	return w.nodes[i]
}

// fault counts something that went wrong on purpose.
func (w *world) fault(name string) {
	w.report.Counts["fault."+name]++
	w.report.Faults++
	w.tell("fault %s", name)
}

// tell writes into the fingerprint and the trace.
func (w *world) tell(format string, args ...any) {
	w.note(fmt.Appendf(nil, "%d ", w.now))
	line := fmt.Appendf(nil, format, args...)
	w.note(line)
	if w.cfg.Trace != nil {
		fmt.Fprintf(w.cfg.Trace, "%10.3f %s\n", w.now.Seconds(), line)
	}
}

func (w *world) note(b []byte) {
	for _, c := range b { // FNV-1a
		w.print = (w.print ^ uint64(c)) * 1099511628211
	}
}

// violated notes that an invariant does not hold. The history stops: what follows would be noise.
func (w *world) violated(invariant, format string, args ...any) {
	v := invariant + ": " + fmt.Sprintf(format, args...)
	w.tell("VIOLATION %s", v)
	w.report.Violations = append(w.report.Violations, v)
	w.ended = true
}

// signKey is what the charter says of signing keys.
func (w *world) signKey(s record.StreamID, _ uint64) (ed25519.PublicKey, bool) {
	n := w.node(s.Member())
	if n == nil {
		return nil, false
	}
	return n.key, true
}

// crash is thrown through production code when a process dies inside a store call.
type crash struct{ p *process }

// in runs do inside a process, unless it died in the meantime. Whatever the process throws stays in it: a planned death,
// or a panic, which violates.
func (w *world) in(p *process, do func()) {
	if !p.alive() || w.ended {
		return
	}
	defer func() {
		switch x := recover().(type) {
		case nil:
		case crash:
			w.kill(x.p.node)
		default:
			w.violated("panic", "%s: %v", p.node.id, x)
			if w.cfg.Trace != nil {
				panic(x)
			}
		}
	}()
	do()
}
