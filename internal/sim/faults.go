package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// trouble lets one thing go wrong that takes a while.
func (w *world) trouble() {
	if !w.faulty || w.quiet {
		return
	}
	n := w.nodes[w.draw(len(w.nodes))]
	for5 := time.Duration(500+w.draw(9000)) * time.Millisecond
	switch w.draw(13) {
	case 0, 1:
		w.partition(for5)
	case 2:
		w.fault("broker_down")
		w.courier.down = true
		w.after(for5, func() { w.courier.down = false })
	case 3:
		w.fault("topic_trimmed")
		w.courier.trim(logTopic(n.ID), 1+w.draw(40))
	case 4:
		w.fault("topic_recreated")
		w.courier.recreate(logTopic(n.ID))
	case 5:
		w.flipStored(logTopic(n.ID))
	case 6, 7, 8:
		w.fault("killed")
		w.kill(n)
	case 9:
		w.fault("storage_full")
		n.fullFor = w.now + for5/2
	case 10:
		w.fault("clock_jump")
		n.skew = time.Duration(w.draw(20*365*24)-10*365*24) * time.Hour
	case 11:
		w.fault("broker_refuses")
		t := logTopic(n.ID)
		w.courier.refuse[t] = true
		w.after(for5, func() { delete(w.courier.refuse, t) })
	case 12:
		w.restore(n)
	}
}

// partition cuts the members into two halves.
func (w *world) partition(d time.Duration) {
	w.fault("partition")
	side := map[record.MemberID]bool{}
	for _, n := range w.nodes {
		side[n.ID] = w.chance(0.5)
	}
	var cut [][2]record.MemberID
	for i, a := range w.nodes {
		for _, b := range w.nodes[i+1:] {
			if side[a.ID] != side[b.ID] {
				cut = append(cut, pair(a.ID, b.ID))
				w.net.cut[pair(a.ID, b.ID)] = true
			}
		}
	}
	w.after(d, func() {
		for _, c := range cut {
			delete(w.net.cut, c)
		}
	})
}

// flipStored changes a bit of a message that the broker keeps.
func (w *world) flipStored(name string) {
	t := w.courier.topic(name)
	if len(t.messages) == 0 {
		return
	}
	w.fault("stored_message_flipped")
	m := &t.messages[w.draw(len(t.messages))]
	m.data = slices.Clone(m.data)
	m.data[w.draw(len(m.data))] ^= 1 << w.draw(8)
	m.clean = false
}

// backUp copies the disk of a released node, now and then.
func (w *world) backUp() {
	n := w.nodes[w.draw(len(w.nodes))]
	if n.process == nil || n.process.release.Phase() != exchange.Open || w.forker != nil && w.forker.node == n {
		return
	}
	n.durable.copies = append(n.durable.copies, backup{
		disk: n.durable.log.Copy(), papers: n.durable.papers, stored: maps.Clone(n.durable.stored),
	})
}

// restore brings an older copy of a node's disk back, with or without the released-size file. What the release rule
// promises holds while somebody reachable knows more, or while an operator waits for everybody; so the others are made
// reachable until the node is released. The residual risk that the rule names is not a violation: a member who alone
// knows more and is away.
func (w *world) restore(n *node) {
	if w.forker != nil || w.isRemoved(n) || len(n.durable.copies) == 0 || n.process != nil && n.process.release.Phase() != exchange.Open {
		return
	}
	for _, other := range w.nodes {
		if other != n && other.process == nil {
			return
		}
	}
	i := w.draw(len(n.durable.copies))
	b := n.durable.copies[i]
	reach, all := w.reach(n)
	if !all {
		return
	}
	w.fault("restored")
	w.kill(n)
	w.voidAcks(n, b, reach)
	n.durable.copies = n.durable.copies[:i+1] // later ones are of a past that may now never have been
	n.durable.log = n.durable.log.Restore(b.disk)
	n.durable.stored = maps.Clone(b.stored)
	n.durable.papers.agreements = b.papers.agreements
	if w.heldElsewhere(n) { // else the charter's signers would have to bring it: it is never on one disk alone
		n.durable.papers.charters = b.papers.charters
	}
	n.dir = n.directory(n.durable.papers)
	n.restores++
	n.seen = nil               // what was handed over after the copy was taken was handed over to nobody
	n.restored = w.chance(0.5) // the file beside the database says that it is behind
	n.relearn = true
	w.quiet = true
	w.net.calm[n.ID] = true
	w.net.cut = map[[2]record.MemberID]bool{}
	w.courier.down = false
	for _, other := range w.nodes {
		other.fullFor = 0
	}
	w.after(time.Minute, func() { w.calmOver(n) }) // if the release takes longer, faults may go on
}

// heldElsewhere reports whether another member that stays holds the charter version that n holds.
func (w *world) heldElsewhere(n *node) bool {
	return slices.ContainsFunc(w.staying(), func(o *node) bool {
		return o != n && o.dir.Charter().Version >= n.dir.Charter().Version
	})
}

func (w *world) calmOver(n *node) {
	w.quiet = false
	delete(w.net.calm, n.ID)
}

// reach says how far the node's own stream can be had from others: their disks and intact messages of the topic that
// follow on. all is false if somebody's memory, or a message behind a hole, knows of more: then nobody could bring back
// what is known to exist.
func (w *world) reach(n *node) (size uint64, all bool) {
	s := n.stream()
	for _, other := range w.nodes {
		if other == n || w.isRemoved(other) {
			continue
		}
		h, err := other.log().Head(w.ctx, s)
		if !w.must("read head", err) {
			return 0, false
		}
		size = max(size, h.Size)
	}
	most := size
	for grown := true; grown; {
		grown = false
		for _, m := range w.courier.topic(logTopic(n.ID)).messages {
			fr, err := record.DecodeFrame(m.data)
			if err != nil {
				continue
			}
			most = max(most, fr.End())
			if m.clean && fr.First <= size && fr.End() > size {
				size, grown = fr.End(), true
			}
		}
	}
	for _, other := range w.nodes {
		for at, end := range other.seen {
			if at.topic == logTopic(n.ID) {
				most = max(most, end)
			}
		}
	}
	return size, most == size
}

// voidAcks takes back the promise about records that were on the lost disk only.
func (w *world) voidAcks(n *node, b backup, reach uint64) {
	safe := map[record.RecordID]bool{}
	note := func(log record.Log, below func(record.Stored) bool) {
		heads, err := log.Heads(w.ctx)
		if !w.must("read heads", err) {
			return
		}
		for _, h := range heads {
			if h.Stream.Member() != n.ID {
				continue
			}
			gs, err := log.Groups(w.ctx, h.Stream, 0, 1<<20)
			if !w.must("read groups", err) {
				return
			}
			for _, g := range gs {
				for _, st := range g.Records {
					if below(st) {
						id, _ := w.header(st)
						safe[id] = true
					}
				}
			}
		}
	}
	note(n.durable.log.Restore(b.disk), func(record.Stored) bool { return true })
	note(n.durable.log, func(st record.Stored) bool { return st.Stream == n.stream() && st.Seq < reach })
	for _, a := range w.promises {
		if a.node == n && !safe[a.id] {
			a.void = true
		}
	}
}
