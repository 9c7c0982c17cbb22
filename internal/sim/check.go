package sim

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// log is a node's disk as a reader from outside sees it.
func (n *node) log() record.Log { return n.durable.log }

// must stops the history when a check cannot read.
func (w *world) must(what string, err error) bool {
	if err != nil {
		w.violated("check", "%s: %v", what, err)
		return false
	}
	return true
}

// appended checks one append of an own stream (I1, I2).
func (w *world) appended(n *node, a record.Append, res record.Appended) {
	if res.Repeated {
		return
	}
	if len(res.Records) != len(a.Drafts) {
		w.violated("I1", "%s: %d drafts, %d places", n.ID, len(a.Drafts), len(res.Records))
	}
	for i, r := range res.Records {
		next := exactNext(res.Records[:i], r)
		if next >= 0 && r.Seq != uint64(next) {
			w.violated("I2", "%s: records of one append at %d and %d of %s", n.ID, next-1, r.Seq, r.Stream)
		}
	}
	for _, r := range res.Records {
		if n.dir.Charter().Version > 1 {
			if n.sealedLate == nil {
				n.sealedLate = map[tlog.Hash]bool{}
			}
			n.sealedLate[r.Leaf] = true
		}
		if res.Checkpoint[r.Stream] != nil {
			w.learn(n, r.Stream)
		}
	}
}

// exactNext is the sequence that r must have behind earlier records of its append; -1 if it is the first of its stream.
func exactNext(earlier []record.Placed, r record.Placed) int64 {
	next := int64(-1)
	for _, e := range earlier {
		if e.Stream == r.Stream {
			next = int64(e.Seq) + 1
		}
	}
	return next
}

// learn notes what an origin has signed: the truth that every replica is held to. Signing another leaf at a place that
// was signed before is a self-fork (I18), unless an older disk came back and nobody has the first any more.
func (w *world) learn(n *node, s record.StreamID) {
	if s.Kind() != record.Records {
		return
	}
	known := w.truth[s]
	if known == nil {
		known = map[uint64]tlog.Hash{}
		w.truth[s] = known
	}
	h, err := n.log().Head(w.ctx, s)
	if !w.must("read own head", err) {
		return
	}
	from := uint64(len(known))
	if n.relearn {
		from = 0
	}
	if h.Signed <= from && !n.relearn {
		return
	}
	leaves, err := n.log().Leaves(w.ctx, s, from, h.Signed)
	if !w.must("read own leaves", err) {
		return
	}
	if n.relearn {
		for seq := range uint64(len(known)) {
			if seq < h.Signed && known[seq] == leaves[seq] {
				continue
			}
			if who, has := w.holder(n, s, seq, known[seq]); has {
				w.violated("I18", "%s came back with %d records of %s signed; %s has another record at %d", n.ID, h.Signed, s, who, seq)
				return
			}
			delete(known, seq)
		}
		n.relearn = false
	}
	for i, l := range leaves {
		known[from+uint64(i)] = l
	}
}

// holder names somebody, another member or the courier, who has this leaf at this place.
func (w *world) holder(n *node, s record.StreamID, seq uint64, leaf tlog.Hash) (string, bool) {
	for _, other := range w.nodes {
		if other == n || w.isRemoved(other) {
			continue
		}
		if l, err := other.log().Leaves(w.ctx, s, seq, seq+1); err == nil && l[0] == leaf {
			return string(other.ID), true
		}
	}
	for _, m := range w.courier.topic(logTopic(n.ID)).messages {
		fr, err := record.DecodeFrame(m.data)
		if m.clean && err == nil && fr.First <= seq && seq < fr.End() && record.Leaf(fr.Headers[seq-fr.First]) == leaf {
			return "the courier", true
		}
	}
	return "", false
}

// applied checks one apply (I2, I5, I7, I9).
func (w *world) applied(n *node, a record.Apply, before record.Head) {
	log := n.process.raw
	after, err := log.Head(w.ctx, a.Stream)
	if !w.must("read head", err) {
		return
	}
	if a.Cursor != nil {
		w.moved(n, *a.Cursor)
	}
	own := a.Stream.Member() == n.ID
	if after.Size < before.Size || a.Group != nil && (a.Group.First != before.Size || after.Size != before.Size+uint64(len(a.Group.Records))) {
		w.violated("I2", "%s: %s goes from %d to %d with a group at %d", n.ID, a.Stream, before.Size, after.Size, a.Group.First)
		return
	}
	var records []record.Stored
	if a.Group != nil {
		records = a.Group.Records
		w.report.Counts["applied."+a.Via] += len(records)
	}
	w.report.Counts["late_records"] += len(a.Late)
	for _, st := range records {
		w.heldToTruth(n, st, own)
	}
	for _, st := range slices.Concat(records, a.Late) {
		w.checkEntitled(n, st)
		w.checkGone(n, log, st)
	}
	pending, err := log.Pending(w.ctx, a.Stream)
	if !w.must("read pending", err) {
		return
	}
	first := after.Size
	for _, at := range pending {
		first = min(first, at.Seq)
	}
	if after.Applied != first {
		w.violated("I19", "%s: %s applied %d, first pending %d", n.ID, a.Stream, after.Applied, first)
	}
}

// heldToTruth checks that a stored foreign record is the one that its origin signed at that place (I2, I9).
func (w *world) heldToTruth(n *node, st record.Stored, own bool) {
	if f := w.forker; f != nil && st.Stream == f.stream {
		f.met(n, st)
		return
	}
	want, ok := w.truth[st.Stream][st.Seq]
	if !ok || want != st.Leaf || record.Leaf(st.Header) != st.Leaf {
		w.violated("I9", "%s holds at %d of %s what its origin never signed there (own %v)", n.ID, st.Seq, st.Stream, own)
	}
}

// checkEntitled checks that a node has no content that it was not given (I7).
func (w *world) checkEntitled(n *node, st record.Stored) {
	if st.Meaning.IsZero() || st.Stream.Member() == n.ID {
		return
	}
	for _, p := range st.Parts {
		if p.State != record.PartPresent {
			continue
		}
		w.count("checked.entitled")
		given := false
		for g, l := range st.Meaning.Audience {
			given = given || w.groups[g][n.ID] && l.Includes(p.Name)
		}
		if !given || p.Name == record.Home {
			w.violated("I7", "%s holds %s of record %d of %s and is not given it", n.ID, p.Name, st.Seq, st.Stream)
		}
	}
}

// checkGone checks that nothing of a subject is here that a record of it deleted (I5). The origin restricts its own: it
// is not among what a Log shows.
func (w *world) checkGone(n *node, log record.Log, st record.Stored) {
	if st.Meaning.IsZero() {
		return
	}
	subject, _ := st.Meaning.Subject()
	all, err := log.Subject(w.ctx, st.Stream, subject)
	if !w.must("read subject", err) {
		return
	}
	for _, later := range all {
		ref, change := later.Meaning.Change()
		if !change || !ref.Rel.Deletes() {
			continue
		}
		for _, old := range all {
			if old.Seq >= later.Seq {
				continue
			}
			for _, p := range old.Parts {
				w.count("checked.gone")
				if p.Name != record.Meta && (p.State == record.PartPresent || p.State == record.PartPending) {
					w.violated("I5", "%s: record %d of %s %s %d, whose %s is here still (state %d)", n.ID, later.Seq, st.Stream, ref.Rel, old.Seq, p.Name, p.State)
				}
			}
		}
	}
}

// cosigned checks a receipt that this node makes: nothing under it is still to come, and it only grows (I19).
func (w *world) cosigned(n *node, s record.StreamID, old, size uint64, receipt []byte) {
	w.count("receipts")
	log := n.process.raw
	h, err := log.Head(w.ctx, s)
	if !w.must("read head", err) {
		return
	}
	if size <= old || size > h.Size {
		w.violated("I19", "%s cosigns %s at %d after %d, has %d", n.ID, s, size, old, h.Size)
	}
	pending, err := log.Pending(w.ctx, s)
	if !w.must("read pending", err) {
		return
	}
	if len(pending) == 0 && w.chance(0.8) {
		return // the rest costs three signatures
	}
	r, err := record.VerifyReceipt(receipt, w.fed(), n.ID, n.key, w.signKey)
	if err != nil || r.Size != size || r.Stream != s {
		w.violated("I19", "%s makes a receipt that does not verify: %v", n.ID, err)
		return
	}
	for _, at := range pending {
		if r.Covers(at.Seq) {
			w.violated("I19", "%s says that record %d of %s is applied, its %s is still to come", n.ID, at.Seq, s, at.Part)
		}
	}
	if f := w.forker; (f == nil || f.stream != s) && !w.trueRoot(s, size, r.Root) {
		w.violated("I19", "%s cosigns a tree of %s that its origin does not have", n.ID, s)
	}
}

func (w *world) trueRoot(s record.StreamID, size uint64, root tlog.Hash) bool {
	var t record.Tree
	for seq := range size {
		l, ok := w.truth[s][seq]
		if !ok {
			return false
		}
		t = t.Add(l)
	}
	return t.Root() == root
}

// evidenced checks evidence: it convinces anybody with the charter, and nobody is accused who did not fork (I4).
func (w *world) evidenced(n *node, s record.StreamID, b []byte) {
	e, err := record.DecodeEvidence(b)
	if err == nil {
		err = e.Verify(w.signKey)
	}
	if err != nil {
		w.violated("I4", "%s keeps evidence about %s that proves nothing: %v", n.ID, s, err)
		return
	}
	if w.forker == nil || w.forker.stream != s {
		w.violated("I18", "%s has evidence that %s forked, whose member is honest", n.ID, s)
		return
	}
	w.count("evidence")
	w.forker.caught(n)
}

// alarmed checks that no honest node is alarmed about itself.
func (w *world) alarmed(n *node, a exchange.Alarm) {
	w.count("alarm." + a.Code)
	w.tell("%s alarm %s %s %s", n.ID, a.Code, a.Stream, a.Peer)
	if a.Code == exchange.AlarmSelfFork && (w.forker == nil || w.forker.node != n) {
		w.violated("I18", "%s is shown by %s a tree of its own that is not its log's", n.ID, a.Peer)
	}
}

// produced notes what the broker took: an error never means that it did not.
func (w *world) produced(n *node, frame []byte, err error) error {
	fr, decodeErr := record.DecodeFrame(frame)
	if !w.must("decode own frame", decodeErr) {
		return err
	}
	if fr.First > w.confirmed[fr.Stream] {
		w.violated("relay", "%s sends %d of %s, the broker took %d: it skipped", n.ID, fr.First, fr.Stream, w.confirmed[fr.Stream])
	}
	if n.process.release.Phase() != exchange.Open {
		w.violated("I18", "%s sends a frame and is not released", n.ID)
	}
	if err == nil {
		w.confirmed[fr.Stream] = max(w.confirmed[fr.Stream], fr.End())
	}
	return err
}

// opened notes a release.
func (w *world) opened(p *process) {
	n := p.node
	w.count("released")
	w.tell("%s is released", n.ID)
	n.restored = false
	w.checkAcks(n)
	if w.net.calm[n.ID] {
		w.calmOver(n)
	}
}
