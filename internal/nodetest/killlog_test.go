package nodetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file reads a node's log with a reader of its own and believes nothing of what stands beside the headers.

// streamLog is one stream as it was read and proven.
type streamLog struct {
	stream  record.StreamID
	records []record.Stored
	leaves  []tlog.Hash
	byID    map[record.RecordID]int
	applied uint64            // as the head says
	signed  uint64            // size of the newest checkpoint
	newest  record.Checkpoint // zero while nothing is signed
	hashes  []tlog.Hash       // of the whole tree, in tlog's stored order
}

// unsigned returns the records behind the newest checkpoint, in order.
func (l *streamLog) unsigned() []record.RecordID {
	if l == nil {
		return nil // nothing was ever appended
	}
	var out []record.RecordID
	for _, st := range l.records[l.signed:] {
		out = append(out, st.Meaning.ID)
	}
	return out
}

// hash implements tlog.HashReader from the hashes that were read.
func (l *streamLog) hash(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(l.hashes)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		out[i] = l.hashes[x]
	}
	return out, nil
}

// readStream reads a whole stream and proves it: sequences without gap, groups that join, every leaf the hash of its
// header, every checkpoint signed by the member over exactly the tree that was read.
func readStream(ctx context.Context, log *sqlstore.Store, dir *federation.Directory, s record.StreamID) (*streamLog, error) {
	l := &streamLog{stream: s, byID: map[record.RecordID]int{}}
	h, err := log.Head(ctx, s)
	if err != nil {
		return nil, err
	}
	l.applied = h.Applied
	var tree record.Tree
	unsigned := false
	for tree.Size < h.Size { // what comes meanwhile is left for the next time
		gs, err := log.Groups(ctx, s, uint64(len(l.records)), record.MaxGroupRecords)
		if err != nil {
			return nil, err
		}
		if len(gs) == 0 {
			break
		}
		for _, g := range gs {
			if tree.Size == h.Size {
				break
			}
			if g.First != uint64(len(l.records)) || len(g.Records) == 0 {
				return nil, fmt.Errorf("%s: a group of %d records at %d after %d records", s, len(g.Records), g.First, len(l.records))
			}
			for _, st := range g.Records {
				if err := l.add(st); err != nil {
					return nil, err
				}
				tree = tree.Add(st.Leaf)
			}
			if g.Checkpoint == nil {
				unsigned = true
				continue
			}
			if unsigned {
				return nil, fmt.Errorf("%s: a signed group at %d behind an unsigned one", s, g.First)
			}
			c, err := verified(dir, g.Checkpoint, s)
			if err != nil {
				return nil, fmt.Errorf("%s: checkpoint of the group at %d: %w", s, g.First, err)
			}
			if c.Size != tree.Size || c.Root != tree.Root() {
				return nil, fmt.Errorf("%s: the checkpoint of the group at %d is of another tree", s, g.First)
			}
			l.signed, l.newest = c.Size, c
		}
	}
	if h.Size != tree.Size || h.Root != tree.Root() || h.Signed != l.signed || h.Frozen != "" {
		return nil, fmt.Errorf("%s: head says size %d, signed %d, frozen %q; read were %d records, %d signed", s, h.Size, h.Signed, h.Frozen, tree.Size, l.signed)
	}
	return l, nil
}

// verified checks a checkpoint under the key that the charter names.
func verified(dir *federation.Directory, note []byte, s record.StreamID) (record.Checkpoint, error) {
	c, err := record.ParseCheckpoint(note)
	if err != nil {
		return c, err
	}
	key, ok := dir.SignKey(s, max(c.Size, 1)-1)
	if !ok {
		return c, errors.New("no key in force")
	}
	if c.Stream != s || c.Federation != dir.Federation() {
		return c, errors.New("of another stream")
	}
	return record.VerifyCheckpoint(note, key)
}

func (l *streamLog) add(st record.Stored) error {
	seq := uint64(len(l.records))
	h, err := record.DecodeHeader(st.Header)
	switch {
	case err != nil:
		return fmt.Errorf("%s %d: %w", l.stream, seq, err)
	case st.Stream != l.stream || st.Seq != seq || h.Stream != l.stream || h.Seq != seq:
		return fmt.Errorf("%s %d: stands as %s %d, its header says %s %d", l.stream, seq, st.Stream, st.Seq, h.Stream, h.Seq)
	case st.Leaf != record.Leaf(st.Header):
		return fmt.Errorf("%s %d: leaf is not the hash of the header", l.stream, seq)
	case st.Unusable != "":
		return fmt.Errorf("%s %d: unusable: %s", l.stream, seq, st.Unusable)
	case len(st.Parts) != len(h.Parts):
		return fmt.Errorf("%s %d: %d parts, the header commits to %d", l.stream, seq, len(st.Parts), len(h.Parts))
	}
	for i, p := range st.Parts {
		if p.Name != h.Parts[i].Part || p.State == record.PartPresent && !record.Check(h.Parts[i], p.Salt, p.Bytes) {
			return fmt.Errorf("%s %d: part %s is not what the header commits to", l.stream, seq, p.Name)
		}
		if p.State == record.PartGone && p.GoneBy <= seq {
			return fmt.Errorf("%s %d: part %s deleted by the earlier record %d", l.stream, seq, p.Name, p.GoneBy)
		}
	}
	if _, twice := l.byID[h.ID]; twice {
		return fmt.Errorf("%s %d: record %s is there twice", l.stream, seq, h.ID)
	}
	hs, err := tlog.StoredHashesForRecordHash(int64(seq), st.Leaf, tlog.HashReaderFunc(l.hash))
	if err != nil {
		return fmt.Errorf("%s %d: %w", l.stream, seq, err)
	}
	l.hashes = append(l.hashes, hs...)
	l.byID[h.ID] = len(l.records)
	l.records, l.leaves = append(l.records, st), append(l.leaves, st.Leaf)
	return nil
}

// included proves that a leaf stands at seq under the newest checkpoint.
func (l *streamLog) included(seq uint64, leaf tlog.Hash) error {
	if seq >= l.signed {
		return fmt.Errorf("%s %d is behind the newest checkpoint, %d", l.stream, seq, l.signed)
	}
	proof, err := tlog.ProveRecord(int64(l.newest.Size), int64(seq), tlog.HashReaderFunc(l.hash))
	if err != nil {
		return err
	}
	return record.CheckInclusion(proof, l.newest.Size, l.newest.Root, seq, leaf)
}

// consistent proves that the newest checkpoint extends an older one.
func (l *streamLog) consistent(old record.Checkpoint) error {
	if old.Size > l.newest.Size {
		return fmt.Errorf("%s: the newest checkpoint is of size %d, an older one of %d", l.stream, l.newest.Size, old.Size)
	}
	proof, err := tlog.ProveTree(int64(l.newest.Size), int64(old.Size), tlog.HashReaderFunc(l.hash))
	if err != nil {
		return err
	}
	return record.CheckConsistency(proof, l.newest.Size, l.newest.Root, old.Size, old.Root)
}

// checkReadModels holds every stored list row to the one rebuilt from the records, and finds rows too many or too few.
func checkReadModels(ctx context.Context, log *sqlstore.Store, l *streamLog) error {
	subjects := map[record.RecordID][]record.Stored{}
	for _, st := range l.records {
		id, _ := st.Meaning.Subject()
		subjects[id] = append(subjects[id], st)
	}
	want := map[record.RecordID]sqlstore.Item{}
	for id, all := range subjects {
		slices.SortFunc(all, func(a, b record.Stored) int {
			_, va := a.Meaning.Subject()
			_, vb := b.Meaning.Subject()
			return int(va) - int(vb)
		})
		if row, ok := node.ReadModel(all); ok {
			want[id] = sqlstore.Item{Row: row, Subject: id, Day: all[0].Meaning.Day, Seq: all[len(all)-1].Seq}
		}
	}
	const page = 200
	for after, last := uint64(0), false; !last; {
		items, err := log.List(ctx, sqlstore.Filter{Stream: l.stream, AfterSeq: after, Limit: page})
		if err != nil {
			return err
		}
		for _, it := range items {
			if want[it.Subject] != it {
				return fmt.Errorf("%s: read model of %s is %+v, rebuilt %+v", l.stream, it.Subject, it, want[it.Subject])
			}
			delete(want, it.Subject)
			after = it.Seq
		}
		last = len(items) < page
	}
	if len(want) > 0 {
		return fmt.Errorf("%s: %d subjects have no read model", l.stream, len(want))
	}
	return nil
}

// sameLog says where two nodes' copies of a stream differ in header, leaf or checkpoint; the shorter is a prefix.
func sameLog(a, b *streamLog) error {
	for i := range min(len(a.records), len(b.records)) {
		if !bytes.Equal(a.records[i].Header, b.records[i].Header) {
			return fmt.Errorf("%s %d differs between the two nodes", a.stream, i)
		}
	}
	if a.signed == b.signed && a.newest.Root != b.newest.Root {
		return fmt.Errorf("%s: two roots at size %d", a.stream, a.signed)
	}
	return nil
}
