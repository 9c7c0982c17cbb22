package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// ack is what a person was told: this record is in the log. Nothing but the loss of the disk may make it untrue.
type ack struct {
	node     *node
	id       record.RecordID
	stream   record.StreamID
	canary   string
	recorded bool // told before the release: no checkpoint was shown
	void     bool // lost with the disk, or a local draft now
}

// sawMessage notes that the courier handed an intact message to a node's process.
func (w *world) sawMessage(n *node, at seenAt, data []byte) {
	if fr, err := record.DecodeFrame(data); err == nil {
		if n.seen == nil {
			n.seen = map[seenAt]uint64{}
		}
		n.seen[at] = fr.End()
	}
}

// moved checks a courier position that is now durable. The relay's may not be ahead of what the broker has; where the
// intake's is ahead of the effects, memory still has the frames: checkCursors asks when memory is gone.
func (w *world) moved(n *node, c record.Cursor) {
	s, ok := strings.CutPrefix(c.Topic, "relay:")
	if ok {
		if uint64(c.Offset) > w.confirmed[record.StreamID(s)] {
			w.violated("relay", "%s notes %d of %s as sent, the broker took %d", n.ID, c.Offset, s, w.confirmed[record.StreamID(s)])
		}
		return
	}
	if n.durable.stored == nil {
		n.durable.stored = map[string]storedCursor{}
	}
	n.durable.stored[c.Topic] = storedCursor{n.reading[c.Topic], c.Offset}
}

// storedCursor is a durable position and which life of the topic it was noted in.
type storedCursor struct {
	made   int
	offset int64
}

// checkCursors checks, when a process has died, that no position stands behind a message whose effects died with it.
func (w *world) checkCursors(n *node) {
	log := n.log()
	for _, at := range slices.SortedFunc(maps.Keys(n.seen), func(a, b seenAt) int {
		return strings.Compare(fmt.Sprintf("%s %d %9d", a.topic, a.made, a.offset), fmt.Sprintf("%s %d %9d", b.topic, b.made, b.offset))
	}) {
		c := n.durable.stored[at.topic]
		t := w.courier.topic(at.topic)
		msg, offset, ok := t.read(at.offset)
		if c.made != at.made || t.made != at.made || at.offset >= c.offset || !ok || offset != at.offset || !msg.clean {
			continue // of another life of the topic, still to be read, or no longer there: reading again would not bring it
		}
		m := record.MemberID(strings.TrimSuffix(strings.TrimPrefix(at.topic, "pilin."), ".log"))
		h, err := log.Head(w.ctx, record.Stream(m, record.Records))
		if !w.must("read head", err) {
			return
		}
		if h.Size < n.seen[at] && h.Frozen == "" {
			w.violated("cursor", "%s died with position %d in %s and %d records, the message at %d ends at %d", n.ID, c.offset, at.topic, h.Size, at.offset, n.seen[at])
			return
		}
		w.count("checked.cursor")
	}
}

// checkAcks checks that a process finds on its disk everything that was acknowledged (I1).
func (w *world) checkAcks(n *node) {
	if w.forker != nil && w.forker.node == n {
		return // its software may take back what its twin signed
	}
	heads, err := n.log().Heads(w.ctx)
	if !w.must("read heads", err) {
		return
	}
	found := map[record.RecordID]record.Stored{}
	for _, h := range heads {
		if h.Stream.Member() != n.ID {
			continue
		}
		gs, err := n.log().Groups(w.ctx, h.Stream, 0, 1<<20)
		if !w.must("read groups", err) {
			return
		}
		for _, g := range gs {
			for _, st := range g.Records {
				id, _ := w.header(st)
				found[id] = st
			}
		}
	}
	for _, a := range w.promises {
		if a.node != n || a.void {
			continue
		}
		w.count("checked.ack")
		st, ok := found[a.id]
		if !ok || st.Stream != a.stream {
			w.violated("I1", "%s told a person that %s is in %s (without checkpoint: %v) and does not have it", n.ID, a.id, a.stream, a.recorded)
			return
		}
		for _, p := range st.Parts {
			if p.State == record.PartPresent && p.Name == record.Body && !bytes.Contains(p.Bytes, []byte(a.canary)) {
				w.violated("I1", "%s: %s has the content of another record", n.ID, a.id)
				return
			}
		}
	}
}

// checkTrees re-reads every stream of a node from its first record (I2).
func (w *world) checkTrees(n *node) {
	heads, err := n.log().Heads(w.ctx)
	if !w.must("read heads", err) {
		return
	}
	for _, h := range heads {
		gs, err := n.log().Groups(w.ctx, h.Stream, 0, 1<<20)
		if !w.must("read groups", err) {
			return
		}
		var t record.Tree
		ids := map[record.RecordID]bool{}
		for _, g := range gs {
			for _, st := range g.Records {
				id, seq := w.header(st)
				if st.Seq != t.Size || seq != t.Size || ids[id] {
					w.violated("I2", "%s: %s has at place %d record %d (%s)", n.ID, h.Stream, t.Size, st.Seq, id)
					return
				}
				ids[id] = true
				t = t.Add(st.Leaf)
			}
			if g.Checkpoint == nil {
				continue
			}
			if c := w.checkpoint(g.Checkpoint, h.Stream); c.Size != t.Size || c.Root != t.Root() {
				w.violated("I9", "%s: checkpoint of %s at %d does not prove what is stored", n.ID, h.Stream, t.Size)
				return
			}
		}
		if t.Size != h.Size || t.Root() != h.Root {
			w.violated("I2", "%s: head of %s says %d, its records give %d", n.ID, h.Stream, h.Size, t.Size)
			return
		}
	}
	w.count("checked.trees")
}

// header reads id and sequence from a stored header's own bytes, once for each header; the leaf must be theirs.
func (w *world) header(st record.Stored) (record.RecordID, uint64) {
	key := string(st.Header)
	if x, ok := w.headers[key]; ok && x.leaf == st.Leaf {
		return x.id, x.seq
	}
	h, err := record.DecodeHeader(st.Header)
	if err != nil || record.Leaf(st.Header) != st.Leaf {
		return record.RecordID{}, 0
	}
	w.headers[key] = headerSeen{st.Leaf, h.ID, h.Seq}
	return h.ID, h.Seq
}

type headerSeen struct {
	leaf tlog.Hash
	id   record.RecordID
	seq  uint64
}

// verified verifies a checkpoint note under the key that its origin has for it.
func (w *world) verified(note []byte, c record.Checkpoint) (record.Checkpoint, error) {
	if c.Stream.Kind() == record.Records {
		key, _ := w.signKey(c.Stream, max(c.Size, 1)-1)
		return record.VerifyCheckpoint(note, key)
	}
	e, _ := w.node(c.Stream.Member()).dir.Member(c.Stream.Member())
	err := record.ErrNoSignature
	for _, k := range e.Sign { // of audit and local any key that the member ever had
		var got record.Checkpoint
		if got, err = record.VerifyCheckpoint(note, k.Key); err == nil {
			return got, nil
		}
	}
	return c, err
}

// checkpoint reads a stored checkpoint, and verifies it under its origin's key now and then, once for each note; a bad one is the zero Checkpoint.
func (w *world) checkpoint(note []byte, s record.StreamID) record.Checkpoint {
	if c, ok := w.notes[string(note)]; ok && c.Stream == s {
		return c
	}
	c, err := record.ParseCheckpoint(note)
	if err == nil && w.chance(0.1) { // the dear half of the check is drawn
		c, err = w.verified(note, c)
	}
	if err != nil || c.Stream != s {
		return record.Checkpoint{}
	}
	w.notes[string(note)] = c
	return c
}
