package sim

import (
	"context"
	"crypto/ed25519"
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
	// Calm leaves everything out that goes wrong by itself.
	Calm bool
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
	// Detected is how many head exchanges a pair of honest members that hold two histories had, at most, until somebody had
	// evidence; -1 if no two did.
	Detected int
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
	docs    Documents
	circle  record.GroupID
	team    record.GroupID
	groups  map[record.GroupID]map[record.MemberID]bool // who is in what, whether he knows it yet or not
	desks   bool                                        // people work with register and hub
	removal bool                                        // the second charter version removes the last member
	faulty  bool                                        // faults may happen: not before everybody met, not while it heals
	quiet   bool                                        // nobody new may get into trouble: a restored disk is being released
	healing bool                                        // no more trouble
	ended   bool
	acks    bool // receipts go over the courier too, not with head exchanges only: dear, each has three signatures
	ops     int
	forker  *forker
	rates   rates

	truth     map[record.StreamID]map[uint64]tlog.Hash // leaves that origins signed
	confirmed map[record.StreamID]uint64               // what the broker has, by stream
	promises  []*ack
	listed    []listed
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
		truth: map[record.StreamID]map[uint64]tlog.Hash{}, confirmed: map[record.StreamID]uint64{},
		headers: map[string]headerSeen{}, notes: map[string]record.Checkpoint{},
		print: 14695981039346656037,
	}
	w.report = Report{Seed: cfg.Seed, Counts: map[string]int{}, Detected: -1}
	w.random = w.bytes(0)
	w.net = network{w: w, cut: map[[2]record.MemberID]bool{}, calm: map[record.MemberID]bool{}}
	w.courier = courier{w: w, topics: map[string]*topic{}, refuse: map[string]bool{}}
	count := cfg.Members
	if count == 0 {
		count = []int{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 7}[w.draw(20)]
	}
	w.report.Members, w.docs, w.removal = count, documentsOf(count), w.chance(0.15) && !cfg.Calm
	w.desks = w.chance(0.2)
	w.circle, w.team = groupOf(w.docs.Circle), groupOf(w.docs.Team)
	w.groups = map[record.GroupID]map[record.MemberID]bool{record.All: {}, w.circle: {}, w.team: {}}
	for i := range count {
		n := &node{w: w, Actor: Cast[i], durable: &durable{}, random: w.bytes(uint64(i + 1))}
		w.groups[record.All][n.ID], w.groups[w.circle][n.ID], w.groups[w.team][n.ID] = true, i < count-1, i < 2
		if i < count-1 {
			n.durable.papers.agreements = append(n.durable.papers.agreements, w.docs.Circle)
		}
		if i == 0 {
			n.durable.papers.agreements = append(n.durable.papers.agreements, w.docs.Team)
		}
		n.dir = n.directory(n.durable.papers)
		n.durable.log = n.newLog()
		w.nodes = append(w.nodes, n)
	}
	if !cfg.Calm {
		w.drawRates()
	}
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
	w.acks = len(w.nodes) <= 4 && w.chance(0.1)
}

// bytes returns a source of identifiers and salts of its own.
func (w *world) bytes(of uint64) io.Reader {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], w.cfg.Seed)
	binary.BigEndian.PutUint64(seed[8:], of)
	return rand.NewChaCha8(seed)
}

func (w *world) fed() record.FederationID { return w.nodes[0].dir.Federation() }

func (w *world) draw(n int) int        { return w.rng.IntN(n) }
func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }
func (w *world) count(name string)     { w.report.Counts[name]++ }
func (w *world) members() (all []record.MemberID) {
	for _, n := range w.nodes {
		all = append(all, n.ID)
	}
	return all
}

func (w *world) node(m record.MemberID) *node {
	i := slices.IndexFunc(w.nodes, func(n *node) bool { return n.ID == m })
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
func (w *world) signKey(s record.StreamID, seq uint64) (ed25519.PublicKey, bool) {
	n := w.node(s.Member())
	if n == nil {
		return nil, false
	}
	return n.dir.SignKey(s, seq) // whoever changes its key knows it first
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
			w.violated("panic", "%s: %v", p.node.ID, x)
			if w.cfg.Trace != nil {
				panic(x)
			}
		}
	}()
	do()
}
