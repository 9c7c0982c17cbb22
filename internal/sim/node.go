package sim

import (
	"context"
	"io"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/sim/memlog"
	"github.com/pilinhub/pilin/record"
)

// node is one member's machine: what is on its disk, and the process that runs on it, if one does.
type node struct {
	w *world
	Actor
	durable *durable
	dir     *federation.Directory // what durable.papers say
	random  io.Reader             // of the node's identifiers and salts
	process *process
	boots   int
	reading map[string]int // which life of a topic was read last
	// sealedLate are the leaves of records that were sealed here under the second charter version.
	sealedLate map[tlog.Hash]bool
	relearn    bool              // its signed tree must be compared with what was known of it from the first record
	restores   int               // how often an older copy of the disk came back
	subjects   []record.RecordID // that clients were told of
	restored   bool              // the database is an older copy than the released-size file says
	skew       time.Duration     // of the clock that people set
	fullFor    time.Duration     // until when the disk is full
	seen       map[seenAt]uint64
}

// durable is what survives a death of the process.
type durable struct {
	log    *memlog.Log
	papers papers
	stored map[string]storedCursor
	copies []backup
}

// backup is an older copy of a disk.
type backup struct {
	disk   memlog.Disk
	papers papers
	stored map[string]storedCursor
}

// newLog returns an empty disk for the node.
func (n *node) newLog() *memlog.Log {
	return memlog.New(memlog.Config{
		Self: n.ID, Federation: n.dir.Federation(),
		Sealer: &record.Sealer{Random: n.random, Current: func(g record.GroupID) (record.EpochKey, bool) {
			e, ok := n.dir.CurrentEpoch(g)
			return e, ok && n.in(g)
		}},
		Signer: func(s record.StreamID, seq uint64) (*record.Signer, bool) {
			if s.Kind() != record.Records {
				return n.signer, true // the key of the day (ADR 11)
			}
			return n.dir.Signer(s, seq)
		},
		Charter: func() record.CharterRef { return n.dir.Charter() },
	})
}

// seenAt is one message of a topic's life.
type seenAt struct {
	topic  string
	made   int
	offset int64
}

// process is one run of a node's software.
type process struct {
	node     *node
	log      record.Log // as the software sees it: calls may fail and kill
	raw      record.Log // the same without faults, for checks
	roster   *exchange.Roster
	replicas *exchange.Replicas
	gaps     *exchange.GapFiller
	heads    *exchange.Heads
	receipts *exchange.Receipts
	release  *exchange.Release
	relay    *exchange.Relay
	schedule exchange.Schedule
	desk     *desk // nil in histories without
	count    exchange.Counters
	intakes  []*intake
	asking   map[record.MemberID]bool
	relayAt  time.Duration // not before
	keepAt   time.Duration // the relay's position, not before
}

func (p *process) alive() bool { return p.node.process == p }

// wall is the hour on the node's clock.
func (n *node) wall() time.Time { return n.w.hour().Add(n.skew) }

func (n *node) stream() record.StreamID { return record.Stream(n.ID, record.Records) }

// futureType is a record type that no node knows: proven, kept, without effect.
const futureType = "future.thing"

// usable is the schema check of histories whose records have no schema.
func usable(m record.Meaning, _ map[record.PartName][]byte) string {
	if m.Type == futureType {
		return federation.UnusableType
	}
	return ""
}

// start boots the node's software.
func (w *world) start(n *node) {
	if n.process != nil || w.ended {
		return
	}
	n.boots++
	n.seen = nil
	p := &process{node: n, asking: map[record.MemberID]bool{}}
	n.process = p
	w.tell("%s starts, boot %d", n.ID, n.boots)
	w.in(p, func() {
		n.durable.log = n.durable.log.Crash() // what a new process finds: what was committed, nothing released
		p.raw = n.durable.log
		p.log = &guarded{Log: p.raw, p: p}
		p.build()
		if w.chance(0.3) {
			w.checkTrees(n)
		}
		if err := p.release.Begin(w.ctx, n.restored); err != nil {
			w.tell("%s cannot begin: %v", n.ID, err)
			w.kill(n)
			return
		}
		if err := p.replicas.Load(w.ctx); err != nil {
			w.tell("%s cannot load: %v", n.ID, err)
			w.kill(n)
			return
		}
		if !n.relearn { // else what is missing is still to be taken back
			w.checkAcks(n)
		}
		p.catchUp()
		w.tick(p)
		for _, in := range p.intakes {
			in.loop()
		}
	})
}

// build makes the production state machines.
func (p *process) build() {
	n, w := p.node, p.node.w
	alarm := func(a exchange.Alarm) { w.alarmed(n, a) }
	p.roster = n.roster()
	p.replicas = &exchange.Replicas{Log: p.log, Roster: p.roster, Count: &p.count, Alarm: alarm}
	p.gaps = &exchange.GapFiller{Replicas: p.replicas, Roster: p.roster, Count: &p.count}
	p.release = &exchange.Release{Log: p.log, Roster: p.roster, Count: &p.count, Alarm: alarm, Local: p.keepLocal, Rewind: p.rewind}
	p.receipts = &exchange.Receipts{
		Log: p.log, Roster: p.roster, Replicas: p.replicas, Signer: n.signer, Count: &p.count, Alarm: alarm,
		Released: p.release.Released, Wall: n.wall,
	}
	p.heads = &exchange.Heads{
		Log: p.log, Roster: p.roster, Replicas: p.replicas, Gaps: p.gaps, Receipts: p.receipts, Release: p.release,
		Signer: n.signer, Count: &p.count, Alarm: alarm, Wall: n.wall,
		Statements: n.dir.Statements, State: func(_ context.Context, notes [][]byte) { p.states(notes) },
		Agreements: func(m record.MemberID) [][32]byte {
			var ids [][32]byte
			for _, h := range n.dir.AgreementsOf(m) {
				ids = append(ids, h)
			}
			return ids
		},
		HasAgreement: func(id [32]byte) bool { _, ok := n.dir.Agreement(federation.Hash(id), n.ID); return ok },
	}
	p.relay = &exchange.Relay{
		Log: p.log, Roster: p.roster, Stream: n.stream(), Released: p.release.Released, Count: &p.count, Alarm: alarm,
		Produce: p.produce,
	}
	p.openDesk()
	for _, other := range w.nodes {
		if other != n {
			p.intakes = append(p.intakes, &intake{p: p, member: other.ID, topic: logTopic(other.ID)})
			if w.acks {
				p.intakes = append(p.intakes, &intake{p: p, member: other.ID, topic: ackTopic(other.ID), acks: true})
			}
		}
	}
}

// rewind lets the index read an own stream again from a sequence.
func (p *process) rewind(s record.StreamID, seq uint64) {
	if p.desk != nil {
		p.desk.index.Revisit(s, seq)
	}
}

// kill ends the process as a power cut does.
func (w *world) kill(n *node) {
	if n.process == nil {
		return
	}
	w.tell("%s dies", n.ID)
	n.process = nil
	w.checkCursors(n)
	w.after(time.Duration(100+w.draw(4000))*time.Millisecond, func() { w.start(n) })
}
