package nodetest_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/fault"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// Nothing that was acknowledged is lost, nothing half done is left, and the log never forks, however the node and its
// PostgreSQL end (reliability-security.md §3 I1). PILIN_KILL_CYCLES sets the number of lives, 20 if unset.
func TestKill_NodeOnPostgres(t *testing.T) {
	pg := testsvc.OwnPostgres(t)
	dsn := pg.Database()
	w := newWorld(t, node.Database{Driver: "postgres", DSN: dsn})
	k := &killing{world: w, book: newLedger(w.dir), postgres: pg, wal: newWAL(t, dsn)}
	k.all(plan(lives(t), true))
}

// The same on SQLite, where the database ends with the process.
func TestKill_NodeOnSQLite(t *testing.T) {
	w := newWorld(t, node.Database{Driver: "sqlite"})
	k := &killing{world: w, book: newLedger(w.dir)}
	k.all(plan(lives(t), false))
}

func lives(t *testing.T) int {
	t.Helper()
	v := os.Getenv("PILIN_KILL_CYCLES")
	if v == "" {
		return usual
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("PILIN_KILL_CYCLES %q: want a number from 1", v)
	}
	return n
}

// killing is one run: lives of the node, and what its clients know.
type killing struct {
	*world
	book     *ledger
	postgres *testsvc.OwnPostgresServer // nil: SQLite
	wal      *wal

	was      string // point at which the node last died
	total    ledgerCounts
	resolved resolution
	starts   int // kills during a start
	released int // lives that were released before they ended
}

func (k *killing) all(cycles []cycle) {
	begun := time.Now()
	for _, c := range cycles {
		k.live(c)
	}
	k.last()
	n := k.total
	k.t.Logf("%d kills and %d during a start in %.0f s: %d acknowledgements (%d before the release), %d repeats, %d conflicts, %d receipts; in flight: %d were written, %d were not; %d records of the peer",
		len(cycles), k.starts, time.Since(begun).Seconds(), n.acks, n.recorded, n.repeats, n.conflicts, len(k.book.receipts), k.resolved.written, k.resolved.absent, k.frames)
	if k.released < len(cycles)/2 || n.recorded == 0 || n.repeats == 0 || n.conflicts == 0 || len(k.book.receipts) == 0 || k.resolved.written == 0 || k.resolved.absent == 0 || k.frames == 0 {
		k.t.Error("something that this test is about did not happen")
	}
}

// live lets the node live until it is killed, and checks what its next start finds.
func (k *killing) live(c cycle) {
	k.t.Helper()
	begun := time.Now()
	tail, backlog := k.waiting()
	if len(tail) > 1 {
		k.dieInStart()
	}
	k.toPeer.shut()
	if k.postgres != nil {
		k.wal.slow(c.commit())
	}
	p := k.start(c.fault(len(tail), backlog))
	k.find(tail)
	if k.postgres != nil {
		k.wal.begin()
	}
	k.lead(p, c)
	k.dead(p, c)
	if k.postgres != nil && c.database == databaseStays {
		k.wal.check()
	}
	switch c.database {
	case databaseStays, databaseBlinks:
	case databaseAfter:
		k.postgres.StopImmediate()
		k.postgres.Start()
	case databaseFirst:
		k.postgres.Start()
	}
	k.was = c.point
	k.t.Logf("%s: %d acknowledgements, %d before the release, %d in flight, %d appended again at the start, %.1f s", c, k.book.acks, k.book.recorded, len(k.book.open()), len(tail), time.Since(begun).Seconds())
	k.total.add(k.book.ledgerCounts)
}

// waiting returns the records that the next start will append again, and how many frames of the peer it has yet to read.
func (k *killing) waiting() (tail []record.RecordID, backlog int) {
	k.t.Helper()
	s := k.reader(k.victim)
	defer s.Close()
	l, err := readStream(k.t.Context(), s, k.dir, record.Stream(killed, record.Records))
	must(k.t, err)
	cursor, err := s.Cursor(k.t.Context(), kafkabus.LogTopic(peer))
	if err != nil {
		cursor.Offset = 0 // it has read none
	}
	return l.unsigned(), k.frames - int(cursor.Offset)
}

// dieInStart kills the node while it appends again what was not released.
func (k *killing) dieInStart() {
	k.t.Helper()
	points := []string{fault.AppendAfterLock, fault.AppendBeforeCommit, fault.AppendAfterCommit}
	p := k.spawn(points[k.starts%len(points)] + ":2")
	for s := range p.lines {
		p.fail("alive after a start that should have killed it: %s", s.What)
	}
	p.killedBy(points[k.starts%len(points)])
	k.starts++
}

// start starts the node and waits until it is built; nothing runs yet.
func (k *killing) start(point string) *process {
	k.t.Helper()
	k.book.begin()
	p := k.spawn(point)
	if s := <-p.lines; s.What != saidOpen {
		p.fail("first said %q, want %q", s.What, saidOpen)
	}
	return p
}

// find holds the log that a start found, before anybody appends, to what the clients know. The unreleased records must be
// there again, in whatever order.
func (k *killing) find(tail []record.RecordID) {
	k.t.Helper()
	res, again := k.audit(false)
	if len(tail) != len(again) || slices.ContainsFunc(tail, func(id record.RecordID) bool { return !slices.Contains(again, id) }) {
		k.t.Fatalf("%d records were not released before, %d are not now, and not the same", len(tail), len(again))
	}
	k.resolved.written += res.written
	k.resolved.absent += res.absent
	switch {
	case k.was == fault.AppendAfterCommit || k.was == fault.NodeBeforeReply:
		if res.written == 0 {
			k.t.Errorf("killed at %s, and no request in flight was written", k.was)
		}
	case strings.HasPrefix(k.was, "append."):
		if res.absent == 0 {
			k.t.Errorf("killed at %s, and every request in flight was written", k.was)
		}
	}
}

// audit reads and proves everything and holds it to what the clients and the peer know. It returns what became of requests
// of unknown outcome, and the records that are not under a checkpoint yet.
func (k *killing) audit(quiet bool) (resolution, []record.RecordID) {
	k.t.Helper()
	s, other := k.reader(k.victim), k.reader(k.other)
	defer s.Close()
	defer other.Close()
	mine, err := k.read(s, true)
	must(k.t, err)
	theirs, err := k.read(other, quiet)
	must(k.t, err)
	for st, l := range mine {
		if l.applied != uint64(len(l.records)) { // the peer withdraws nothing: all its parts came with its frames
			k.t.Fatalf("%s: %d of %d records are applied", st, l.applied, len(l.records))
		}
		copied := theirs[st]
		if copied == nil {
			continue
		}
		must(k.t, sameLog(l, copied))
		if st.Member() == killed && len(copied.records) > int(l.signed) {
			k.t.Fatalf("%s: the peer holds %d records, the node signed %d", st, len(copied.records), l.signed)
		}
		if quiet && (len(copied.records) != len(l.records) || copied.applied != l.applied) {
			k.t.Fatalf("%s: %d records at the node, %d at the peer, %d applied there", st, len(l.records), len(copied.records), copied.applied)
		}
	}
	own := map[record.StreamID]*streamLog{}
	for st, l := range mine {
		if st.Member() == killed {
			own[st] = l
		}
	}
	res, err := k.book.check(k.t.Context(), s, own, quiet)
	must(k.t, err)
	return res, mine[record.Stream(killed, record.Records)].unsigned()
}

// lead lets the clients work until the node is dead.
func (k *killing) lead(p *process, c cycle) {
	k.t.Helper()
	o := k.orders()
	if c.self {
		o.Die = c.kill
	}
	p.order(o)
	publishing := &publisher{w: k.world, most: guests}
	if c.taking() {
		publishing.most = never
	}
	defer publishing.end()
	down, gone := false, false
	for s := range p.lines {
		k.book.hear(s)
		if k.book.acks >= c.release {
			k.toPeer.open()
		}
		if k.book.acks >= quarry {
			publishing.begin()
		}
		if c.database == databaseBlinks && !down && k.book.acks >= c.kill/2 {
			k.postgres.StopImmediate()
			k.postgres.Start()
			down = true
		}
		if c.point != "" || c.self || gone || k.book.acks < c.kill || c.release != never && !k.book.released {
			continue
		}
		switch {
		case c.database == databaseFirst && !down:
			k.postgres.StopImmediate()
			down = true
		case c.database == databaseFirst && s.What == saidFail, c.database != databaseFirst && s.What == saidTry && k.book.flying() > 1:
			p.kill()
			gone = true
		}
	}
}

// orders asks for everything whose outcome is unknown, and once more for something that was answered.
func (k *killing) orders() order {
	var o order
	for _, r := range k.book.open() {
		o.Repeat = append(o.Repeat, r.ask)
	}
	settled := k.book.settled(12)
	o.Repeat = append(o.Repeat, settled...)
	o.Conflict = settled[:min(3, len(settled))]
	return o
}

// dead holds the life that has ended to what this test says of it.
func (k *killing) dead(p *process, c cycle) {
	k.t.Helper()
	p.killedBy(c.point)
	if k.book.acks < enough {
		p.fail("%s: %d acknowledgements, want %d", c, k.book.acks, enough)
	}
	flying := k.book.flying()
	if c.database == databaseFirst {
		flying = len(k.book.open()) // those under way failed when the database went
	}
	if flying == 0 {
		p.fail("%s: no request was in flight", c)
	}
	if early := c.release == never || c.point == fault.ReleaseBeforeSign; early && k.book.released {
		p.fail("%s: released", c)
	}
	if k.book.released {
		k.released++
	}
	k.sound(p)
}

// sound reports what the clients and the operator saw go wrong.
func (k *killing) sound(p *process) {
	k.t.Helper()
	for _, err := range k.book.wrong {
		k.t.Error(err)
	}
	for _, line := range append(p.log.alarms(), k.log.alarms()...) {
		k.t.Error(line)
	}
	if k.t.Failed() {
		p.fail("see above")
	}
}

// last lets the node live to an end of its own: everything reaches the peer, every open request is settled.
func (k *killing) last() {
	k.t.Helper()
	tail, _ := k.waiting()
	k.toPeer.shut()
	if k.postgres != nil {
		k.wal.slow(0)
	}
	p := k.start("")
	k.find(tail)
	p.order(k.orders())
	k.toPeer.open()
	told := false
	for s := range p.lines {
		k.book.hear(s)
		if k.book.acks >= quarry && k.book.released && len(k.book.open()) <= clients && !told {
			p.order(order{Quiet: true})
			told = true
		}
		if s.What == saidQuiet {
			break
		}
	}
	k.converge()
	p.end()
	k.sound(p)
	k.total.add(k.book.ledgerCounts)
	k.audit(true)
	if open := k.book.open(); len(open) > 0 {
		k.t.Errorf("%d requests have no answer yet", len(open))
	}
}

// converge waits until each of the two holds all that the other has.
func (k *killing) converge() {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), time.Minute)
	defer cancel()
	s, other := k.reader(k.victim), k.reader(k.other)
	defer s.Close()
	defer other.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		same := 0
		for _, m := range []record.MemberID{killed, peer} {
			a, err := s.Head(ctx, record.Stream(m, record.Records))
			must(k.t, err)
			b, err := other.Head(ctx, record.Stream(m, record.Records))
			must(k.t, err)
			if a.Size == b.Size && a.Applied == b.Applied && a.Signed == b.Signed && a.Size == a.Signed {
				same++
			}
		}
		if same == 2 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			k.t.Fatal("the two never held the same")
		}
	}
}
