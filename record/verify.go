package record

import (
	"crypto/ed25519"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Fault is the first thing that a check from outside found wrong in a stream.
type Fault struct {
	Stream StreamID
	Seq    uint64 // the record, or the size of the checkpoint less one
	What   string // stable code: gap, header, bad_root, bad_signature, commitment, wrong_stream, fork
}

// Error says stream, sequence and what.
func (f *Fault) Error() string { return fmt.Sprintf("%s at %d: %s", f.Stream, f.Seq, f.What) }

// Verifier re-reads one stream from its first record and believes nothing but the keys that it was given: every header
// is hashed again, every root recomputed, every checkpoint's signature checked, every part proven against its header.
// It shares no state with a Log and needs no node (docs/design/log.md §4).
type Verifier struct {
	Federation FederationID
	Stream     StreamID
	// SignKey returns the key that signs the stream at a sequence, from the charter.
	SignKey func(s StreamID, seq uint64) (ed25519.PublicKey, bool)

	tree   Tree
	leaves []tlog.Hash
}

// Size returns how many records were found intact.
func (v *Verifier) Size() uint64 { return v.tree.Size }

// Add checks the next commit group. The returned error is a *Fault.
func (v *Verifier) Add(f *Frame) error {
	fault := func(seq uint64, what string) error { return &Fault{Stream: v.Stream, Seq: seq, What: what} }
	if f.Stream != v.Stream || f.Federation != v.Federation {
		return fault(f.First, "wrong_stream")
	}
	if f.First != v.tree.Size {
		return fault(v.tree.Size, "gap")
	}
	tree, leaves := v.tree, v.leaves
	for _, h := range f.Headers {
		leaves = append(leaves, Leaf(h))
		tree = tree.Add(leaves[len(leaves)-1])
	}
	key, ok := v.SignKey(v.Stream, tree.Size-1)
	if !ok {
		return fault(tree.Size-1, "bad_signature")
	}
	c, err := VerifyCheckpoint(f.Checkpoint, key)
	if err != nil || c.Federation != v.Federation || c.Stream != v.Stream {
		return fault(tree.Size-1, "bad_signature")
	}
	if c.Size != tree.Size || c.Root != tree.Root() {
		return fault(v.firstDoubt(f), "bad_root")
	}
	for i, raw := range f.Headers {
		seq := f.First + uint64(i)
		h, err := DecodeHeader(raw)
		if err != nil {
			continue // proven but unusable: the stream goes on (log.md §2)
		}
		if h.Stream != v.Stream || h.Seq != seq {
			return fault(seq, "header")
		}
		for _, b := range f.Boxes {
			if b.Index == i && b.Kind == BoxOpen && !proves(h, b) {
				return fault(seq, "commitment")
			}
		}
	}
	v.tree, v.leaves = tree, leaves
	return nil
}

// firstDoubt names the first record whose header does not even parse at its place, or the group's first: a wrong root
// cannot say more.
func (v *Verifier) firstDoubt(f *Frame) uint64 {
	for i, raw := range f.Headers {
		if h, err := DecodeHeader(raw); err != nil || h.Seq != f.First+uint64(i) || h.Stream != v.Stream {
			return f.First + uint64(i)
		}
	}
	return f.First
}

// Compare checks the stream against a checkpoint that somebody else holds, of any size: signed by the origin it must be
// a root of the very tree that was read.
func (v *Verifier) Compare(note []byte) error {
	c, err := ParseCheckpoint(note)
	if err != nil {
		return fmt.Errorf("read peer's checkpoint of %s: %w", v.Stream, err)
	}
	if c.Size == 0 {
		return nil
	}
	key, ok := v.SignKey(v.Stream, c.Size-1)
	if !ok {
		return fmt.Errorf("peer's checkpoint of %s: no key at %d", v.Stream, c.Size-1)
	}
	if c, err = VerifyCheckpoint(note, key); err != nil {
		return fmt.Errorf("peer's checkpoint of %s: %w", v.Stream, err)
	}
	if c.Size > v.tree.Size {
		return &Fault{Stream: v.Stream, Seq: v.tree.Size, What: "gap"}
	}
	if leafTree(v.leaves[:c.Size]).Root() != c.Root {
		return &Fault{Stream: v.Stream, Seq: c.Size - 1, What: "fork"}
	}
	return nil
}

// proves reports whether an open box holds the salt and bytes that the header commits to.
func proves(h *Header, b FrameBox) bool {
	if len(b.Data) < 32 {
		return false
	}
	for _, c := range h.Parts {
		if c.Part == b.Part {
			return Check(c, [32]byte(b.Data[:32]), b.Data[32:])
		}
	}
	return false
}
