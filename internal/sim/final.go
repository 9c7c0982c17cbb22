package sim

import (
	"bytes"
	"maps"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// checkLeft lets the member who was removed try all his keys on what the courier carries: nothing that was sealed by
// somebody who knew of the removal opens (architecture.md §5: who left cannot read on whatever the ACLs say).
func (w *world) checkLeft() {
	if !w.removal {
		return
	}
	left := w.nodes[len(w.nodes)-1]
	for _, n := range w.staying() {
		for _, m := range w.courier.topic(logTopic(n.ID)).messages {
			fr, err := record.DecodeFrame(m.data)
			if err != nil || !m.clean {
				continue
			}
			c, err := record.ParseCheckpoint(fr.Checkpoint)
			if !w.must("read checkpoint", err) {
				return
			}
			for _, b := range fr.Boxes {
				if c.Charter.Version < 2 || !n.sealedLate[record.Leaf(fr.Headers[b.Index])] {
					continue
				}
				w.count("checked.left")
				if _, _, err := record.OpenBox(record.Leaf(fr.Headers[b.Index]), b.Part, b.Data, b.Wraps, left.dir.EpochKey); err == nil {
					w.violated("I7", "%s was removed and reads %s of record %d of %s", left.ID, b.Part, fr.First+uint64(b.Index), fr.Stream)
					return
				}
			}
		}
	}
}

// final holds the healed federation to the invariants as a whole.
func (w *world) final() {
	for _, n := range w.nodes {
		w.checkTrees(n)
		if n.process != nil { // else its tail may be set aside
			w.checkAcks(n)
		}
		w.checkCursors(n)
		if w.ended {
			return
		}
	}
	w.checkLeft()
	w.checkViews()
	for _, origin := range w.staying() {
		if w.honest(origin.stream()) {
			w.checkEqual(origin)
			w.checkCovered(origin)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.courier.topics)) {
		for _, m := range w.courier.topics[name].messages {
			if bytes.Contains(m.data, []byte("canary-")) {
				w.violated("I7", "the courier can read a record in %s", name)
				return
			}
		}
	}
}

// checkEqual compares every replica of a stream: headers, checkpoints, and parts where the entitlement is the same (I3),
// and looks once more for what ought to be gone (I5) or was never given (I7).
func (w *world) checkEqual(origin *node) {
	s := origin.stream()
	type held struct {
		n  *node
		gs []record.Group
	}
	var all []held
	for _, n := range w.staying() {
		gs, err := n.log().Groups(w.ctx, s, 0, 1<<20)
		if !w.must("read groups", err) {
			return
		}
		all = append(all, held{n, gs})
	}
	first := slices.IndexFunc(all, func(h held) bool { return h.n == origin })
	for _, h := range all {
		if len(h.gs) != len(all[first].gs) {
			w.violated("I3", "%s has %d groups of %s, its origin %d", h.n.ID, len(h.gs), s, len(all[first].gs))
			return
		}
	}
	for i, g := range all[first].gs {
		for j, st := range g.Records {
			shown := map[record.PartName]record.StoredPart{}
			for _, h := range all {
				other := h.gs[i]
				if other.First != g.First || len(other.Records) != len(g.Records) || !bytes.Equal(other.Checkpoint, g.Checkpoint) || !bytes.Equal(other.Records[j].Header, st.Header) {
					w.violated("I3", "%s and %s differ in headers or checkpoints of %s at %d", h.n.ID, origin.ID, s, st.Seq)
					return
				}
				w.checkEntitled(h.n, other.Records[j])
				w.checkGone(h.n, h.n.log(), other.Records[j])
				w.checkParts(h.n, other.Records[j], st, origin, shown)
				if w.ended {
					return
				}
			}
		}
	}
}

// checkCovered checks that the origin counts every member for its newest record, unless it is unusable: "n/n applied".
func (w *world) checkCovered(origin *node) {
	s := origin.stream()
	h, err := origin.log().Head(w.ctx, s)
	if !w.must("read head", err) || h.Signed == 0 || w.forker != nil {
		return
	}
	seq := h.Signed - 1
	for _, n := range w.staying() {
		gs, err := n.log().Groups(w.ctx, s, seq, 1)
		if !w.must("read groups", err) {
			return
		}
		mine, err := n.log().Head(w.ctx, s)
		if !w.must("read head", err) || mine.Applied < mine.Size || gs[0].Records[seq-gs[0].First].Unusable != "" {
			return
		}
	}
	c, err := origin.process.receipts.Coverage(w.ctx, s, seq, w.stayingIDs())
	if !w.must("read coverage", err) {
		return
	}
	w.count("checked.coverage")
	if c.K != c.N {
		w.violated("I19", "%s: record %d is applied by %d of %d, without %v", s, seq, c.K, c.N, c.Missing)
	}
}

// checkParts compares the parts of one record at one node with those at the origin and at the nodes before it.
func (w *world) checkParts(n *node, got, origins record.Stored, origin *node, shown map[record.PartName]record.StoredPart) {
	for i, p := range got.Parts {
		if p.State != record.PartPresent && p.State != record.PartGone || n == origin {
			continue
		}
		w.count("checked.parts")
		if o := origins.Parts[i]; p.State == record.PartPresent && o.State == record.PartPresent && (!bytes.Equal(o.Bytes, p.Bytes) || o.Salt != p.Salt) {
			w.violated("I3", "%s has other bytes of %s of record %d of %s than its origin", n.ID, p.Name, got.Seq, got.Stream)
		}
		before, ok := shown[p.Name]
		if !ok {
			shown[p.Name] = p
			continue
		}
		if before.State != p.State || !bytes.Equal(before.Bytes, p.Bytes) { // which of several deletions came first may differ
			w.violated("I3", "members of equal entitlement differ in %s of record %d of %s: state %d and %d at %s", p.Name, got.Seq, got.Stream, before.State, p.State, n.ID)
		}
	}
}
