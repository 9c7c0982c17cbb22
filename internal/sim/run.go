package sim

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// Times of a history.
const (
	meetFor     = 6 * time.Second // before the first trouble
	opEvery     = 140 * time.Millisecond
	troubleMean = 1500 * time.Millisecond
	healWithin  = 180 * time.Second // from the last trouble to equal replicas and full receipts
	minFaults   = 5
)

// Run runs one history. It returns when everything is equal everywhere after the last fault, or at the first violation.
func Run(cfg Config) Report {
	w := newWorld(cfg)
	for _, n := range w.nodes {
		w.after(time.Duration(w.draw(2500))*time.Millisecond, func() { w.start(n) })
	}
	w.plan(meetFor/2, opEvery, w.busy, w.work)
	if !cfg.Calm {
		w.after(meetFor, func() { w.faulty = true })
		w.plan(meetFor, troubleMean, w.busy, w.trouble)
		w.plan(meetFor/2, 2*time.Second, w.busy, w.backUp)
	}
	if cfg.Forker || w.chance(0.15) {
		w.after(meetFor+time.Duration(w.draw(5_000))*time.Millisecond, w.fork)
		w.plan(meetFor+10*time.Second, 3*time.Second, w.busy, func() {
			if w.forker != nil {
				w.forker.grow()
			}
		})
	}
	if !cfg.Calm && (w.removal || w.chance(0.5)) {
		w.after(time.Duration(w.draw(25_000))*time.Millisecond, w.learnCharter)
	}
	w.planRotation()
	w.plan(time.Second, time.Second, func() bool { return true }, w.lookAround)
	for !w.ended && w.busy() && w.now < time.Hour {
		w.step(time.Hour)
	}
	if !w.ended {
		w.heal()
	}
	w.report.Ops, w.report.Fingerprint, w.report.Span = w.ops, w.print, w.now
	return w.report
}

// busy reports whether the history goes on: until there were enough operations and enough went wrong.
func (w *world) busy() bool {
	return w.ops < w.cfg.Ops || w.report.Faults < minFaults && !w.cfg.Calm
}

// plan lets do happen again and again, at random distances of the given mean, while on holds.
func (w *world) plan(first, mean time.Duration, on func() bool, do func()) {
	w.after(first, func() {
		if w.ended || !on() {
			return
		}
		do()
		w.plan(time.Duration(w.rng.ExpFloat64()*float64(mean)), mean, on, do)
	})
}

// learnCharter brings a newer charter version to one member; the others learn of it from what it signs.
func (w *world) learnCharter() {
	n, note := w.nodes[w.draw(len(w.nodes)-1)], w.docs.Renewed // the last member is not the first to hear that it is removed
	if w.removal {
		note = w.docs.Removed
	}
	if n.process == nil || !n.learn(note, nil) {
		w.after(time.Second, w.learnCharter)
		return
	}
	w.fault("charter_late")
	w.in(n.process, n.process.rekeyed)
}

// heal ends all trouble and waits for what must then be.
func (w *world) heal() {
	w.tell("healing")
	w.healing = true
	w.faulty, w.quiet = false, false
	w.net.drop, w.net.twice, w.net.flip = 0, 0, 0
	w.net.cut = map[[2]record.MemberID]bool{}
	w.courier.down, w.courier.noAck, w.courier.lost, w.courier.twice, w.courier.again, w.courier.flip = false, 0, 0, 0, 0, 0
	w.courier.refuse = map[string]bool{}
	if w.forker != nil {
		w.courier.refuse[logTopic(w.forker.node.ID)] = true
	}
	for _, n := range w.nodes {
		n.fullFor = 0
	}
	until := w.now + healWithin
	why := "not looked at"
	for look := w.now; !w.ended && why != "" && look < until; {
		look += time.Second
		for !w.ended && w.step(look) {
		}
		why = w.apart()
	}
	if w.ended {
		return
	}
	if why != "" {
		w.violated("I3", "%d s after the last fault: %s", healWithin/time.Second, why)
		return
	}
	w.final()
}

// staying returns the nodes whose members no charter version removes.
func (w *world) staying() []*node {
	if w.removal {
		return w.nodes[:len(w.nodes)-1]
	}
	return w.nodes
}

func (w *world) stayingIDs() (ids []record.MemberID) {
	for _, n := range w.staying() {
		ids = append(ids, n.ID)
	}
	return ids
}

// honest reports whether the stream's member never showed two histories.
func (w *world) honest(s record.StreamID) bool { return w.forker == nil || w.forker.stream != s }

// apart says what is not yet equal, or empty.
func (w *world) apart() string {
	for _, n := range w.staying() {
		liar := w.forker != nil && w.forker.node == n
		if n.process == nil {
			return string(n.ID) + " is down"
		}
		if phase := n.process.release.Phase(); phase != exchange.Open && !liar {
			return fmt.Sprintf("%s is %s", n.ID, phase)
		}
	}
	for _, origin := range w.staying() {
		s := origin.stream()
		if !w.honest(s) {
			continue
		}
		oh, err := origin.log().Head(w.ctx, s)
		if !w.must("read head", err) {
			return ""
		}
		if oh.Signed != oh.Size {
			return fmt.Sprintf("%s has signed %d of %d", s, oh.Signed, oh.Size)
		}
		for _, n := range w.staying() {
			h, err := n.log().Head(w.ctx, s)
			if !w.must("read head", err) {
				return ""
			}
			if h.Size != oh.Size || h.Root != oh.Root {
				return fmt.Sprintf("%s has %d of %d records of %s", n.ID, h.Size, oh.Size, s)
			}
			if at, waits := w.waiting(n, s); waits {
				return fmt.Sprintf("%s waits for %s of record %d of %s", n.ID, at.Part, at.Seq, s)
			}
		}
		if why := w.uncovered(origin, oh); why != "" {
			return why
		}
	}
	if f := w.forker; f != nil && !f.proof && (f.seenByBoth() || w.cfg.Calm) {
		return fmt.Sprintf("%s showed two histories (%v) and nobody can prove it", f.node.ID, f.holds)
	}
	return ""
}

// waiting returns a part that a node still waits for and that somebody has.
func (w *world) waiting(n *node, s record.StreamID) (record.PartAt, bool) {
	pending, err := n.log().Pending(w.ctx, s)
	if !w.must("read pending", err) {
		return record.PartAt{}, false
	}
	for _, at := range pending {
		if w.had(s, at) {
			return at, true
		}
	}
	return record.PartAt{}, false
}

// had reports whether anybody has the part. What only a lost disk had is shown as lost by the origin; members that were
// still to be given it wait for ever.
func (w *world) had(s record.StreamID, at record.PartAt) bool {
	for _, n := range w.nodes {
		gs, err := n.log().Groups(w.ctx, s, at.Seq, 1)
		if err != nil || len(gs) == 0 {
			continue
		}
		for _, p := range gs[0].Records[at.Seq-gs[0].First].Parts {
			if p.Name == at.Part && p.State == record.PartPresent {
				return true
			}
		}
	}
	w.count("part_lost_with_disk")
	return false
}

// uncovered says which receipts are still missing at the origin.
func (w *world) uncovered(origin *node, oh record.Head) string {
	if oh.Signed == 0 {
		return ""
	}
	for _, n := range w.staying() {
		if h, err := n.log().Head(w.ctx, oh.Stream); err != nil || h.Applied < h.Size {
			return "" // a part was lost with a disk: receipts stay behind it
		}
	}
	receipts, err := origin.log().Receipts(w.ctx, oh.Stream)
	if !w.must("read receipts", err) {
		return ""
	}
	for _, n := range w.staying() {
		if n == origin || w.forker != nil && n == w.forker.node {
			continue
		}
		if !bytes.Contains(receipts[n.ID], fmt.Appendf(nil, `\n%d\n`, oh.Signed)) { // the size's line; final verifies it
			return fmt.Sprintf("%s has no receipt of %s for %d records", origin.ID, n.ID, oh.Signed)
		}
	}
	return ""
}

// lookAround notes what state the federation is in, without hours and ids: how many different ones were met is what the
// histories cover.
func (w *world) lookAround() {
	h := fnv.New64a()
	fmt.Fprint(h, len(w.nodes), w.courier.down, len(w.net.cut) > 0, w.forker != nil)
	for _, n := range w.nodes {
		if n.process == nil {
			fmt.Fprint(h, "down;")
			continue
		}
		fmt.Fprint(h, n.process.release.Phase(), n.dir.Charter().Version, n.in(w.team), w.now < n.fullFor)
		for _, o := range w.nodes {
			oh, _ := o.log().Head(w.ctx, o.stream())
			mine, _ := n.log().Head(w.ctx, o.stream())
			fmt.Fprint(h, bucket(oh.Size-min(oh.Size, mine.Size)), bucket(mine.Size-mine.Applied), bucket(mine.Size-mine.Signed), mine.Frozen != "", ";")
		}
	}
	w.report.States = append(w.report.States, h.Sum64())
	w.note(h.Sum(nil))
}

func bucket(n uint64) int {
	switch {
	case n == 0:
		return 0
	case n < 3:
		return 1
	case n < 20:
		return 2
	}
	return 3
}
