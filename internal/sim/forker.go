package sim

import (
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/sim/memlog"
	"github.com/pilinhub/pilin/record"
)

// forker is a member that shows two histories of its stream: its honest software's to some, a twin's to those in the
// dark. From the fork on it puts nothing on its topic, where everybody would see the same.
type forker struct {
	w      *world
	node   *node
	stream record.StreamID
	twin   *memlog.Log
	at     uint64 // sequence at which the histories part
	dark   map[record.MemberID]bool
	holds  map[record.MemberID]int    // which history an honest member holds behind the fork: 1 the honest one, 2 the twin's
	meets  map[[2]record.MemberID]int // head exchanges between holders of different histories before there was evidence
	proof  bool
}

// fork makes a member show two histories from now on.
func (w *world) fork() {
	var can []*node
	for _, n := range w.staying() {
		if n.process != nil && n.process.release.Phase() == exchange.Open && n.restores == 0 {
			can = append(can, n)
		}
	}
	if len(can) < 3 || w.quiet || w.healing { // two honest members at least, else nobody can compare
		return
	}
	n := can[w.draw(len(can))]
	h, err := n.log().Head(w.ctx, n.stream())
	if !w.must("read own head", err) || h.Signed == 0 {
		return
	}
	f := &forker{w: w, node: n, stream: n.stream(), at: h.Signed, dark: map[record.MemberID]bool{}, holds: map[record.MemberID]int{}, meets: map[[2]record.MemberID]int{}}
	f.twin = n.durable.log.Crash()
	if !w.must("release twin", f.twin.Release(w.ctx, f.stream)) {
		return
	}
	var others []record.MemberID
	for _, o := range w.staying() {
		if o != n {
			others = append(others, o.ID)
		}
	}
	w.rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for _, m := range others[:1+w.draw(len(others)-1)] {
		f.dark[m] = true
	}
	w.forker = f
	w.fault("fork")
	w.tell("%s forks at %d", n.ID, f.at)
	w.courier.refuse[logTopic(n.ID)] = true
	f.grow()
	w.publish(n)
}

// grow adds to the twin's history.
func (f *forker) grow() {
	d, _ := f.w.draft(f.node, map[record.GroupID]record.Level{record.All: record.L3})
	_, err := f.twin.Append(f.w.ctx, record.Append{Drafts: []record.Draft{d}})
	f.w.must("append to twin", err)
}

// met notes which history a member was given.
func (f *forker) met(n *node, st record.Stored) {
	if st.Seq < f.at || n == f.node || f.w.isRemoved(n) {
		return
	}
	which := 1
	if l, err := f.twin.Leaves(f.w.ctx, f.stream, st.Seq, st.Seq+1); err == nil && l[0] == st.Leaf {
		which = 2
	}
	f.holds[n.ID] = which
	f.w.tell("%s is shown history %d", n.ID, which)
}

// caught notes that somebody can prove the fork.
func (f *forker) caught(n *node) {
	if !f.proof {
		f.w.tell("%s can prove the fork", n.ID)
		f.proof = true
		f.w.report.Detected = 0
		for _, n := range f.meets {
			f.w.report.Detected = max(f.w.report.Detected, n)
		}
	}
}

// seenByBoth reports whether honest members hold both histories.
func (f *forker) seenByBoth() bool {
	which := slices.Sorted(maps.Values(f.holds))
	return len(which) > 0 && which[0] != which[len(which)-1]
}

// headsMet counts head exchanges in which two histories met.
func (w *world) headsMet(a, b record.MemberID) {
	f := w.forker
	if f == nil || f.proof || a == f.node.ID || b == f.node.ID {
		return
	}
	if f.holds[a] != 0 && f.holds[b] != 0 && f.holds[a] != f.holds[b] {
		f.meets[pair(a, b)]++
	}
}

// faces reports whether the process is the forker's and speaks to a member in the dark.
func (w *world) faces(p *process, peer record.MemberID) bool {
	return w.forker != nil && p.node == w.forker.node && w.forker.dark[peer]
}

// face replaces the forker's own head by the twin's in what a member in the dark is shown.
func (w *world) face(p *process, peer record.MemberID, heads [][]byte) [][]byte {
	if !w.faces(p, peer) {
		return heads
	}
	h, err := w.forker.twin.Head(w.ctx, w.forker.stream)
	if !w.must("read twin's head", err) {
		return heads
	}
	heads = slices.DeleteFunc(slices.Clone(heads), func(note []byte) bool {
		c, err := record.ParseCheckpoint(note)
		return err == nil && c.Stream == w.forker.stream
	})
	return append(heads, h.Checkpoint)
}

// lieHeads answers a member in the dark.
func (w *world) lieHeads(there *process, from record.MemberID, body []byte) ([]byte, bool) {
	if !w.faces(there, from) {
		return nil, false
	}
	r, err := exchange.DecodeHeadsRequest(body)
	if err != nil {
		return nil, false
	}
	b, _, err := there.heads.Answer(w.ctx, w.hour(), from, r)
	if err != nil {
		return nil, false
	}
	a, err := exchange.OpenHeadsAnswer(b, w.fed(), there.node.ID, there.roster.NoteKeys(there.node.ID), r.Nonce)
	if !w.must("open own answer", err) {
		return nil, false
	}
	a.Heads = w.face(there, from, a.Heads)
	b, err = a.Sign(there.node.signer, w.fed(), there.node.ID)
	return b, w.must("sign lie", err)
}

// lieRange serves a member in the dark from the twin.
func (w *world) lieRange(there *process, peer record.MemberID, s record.StreamID, from uint64) ([]byte, bool) {
	if !w.faces(there, peer) || s != w.forker.stream {
		return nil, false
	}
	b, err := exchange.ServeRange(w.ctx, w.forker.twin, there.roster, true, peer, s, from)
	return b, w.must("serve twin", err)
}

// lieLeaves does so for leaves.
func (w *world) lieLeaves(there *process, peer record.MemberID, s record.StreamID, size uint64) ([]tlog.Hash, bool) {
	if !w.faces(there, peer) || s != w.forker.stream {
		return nil, false
	}
	leaves, err := exchange.ServeLeaves(w.ctx, w.forker.twin, there.roster, true, s, size)
	return leaves, err == nil
}
