package record

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is a Merkle tree of RFC 6962 reduced to what appending needs: at most 64 hashes. The zero Tree is empty.
type Tree struct {
	Size     uint64
	Frontier []tlog.Hash // roots of the perfect subtrees of Size, left to right
}

// Add returns the tree with one more leaf; t stays as it is.
func (t Tree) Add(leaf tlog.Hash) Tree {
	t.Frontier = slices.Clone(t.Frontier)
	t.grow(leaf)
	return t
}

// grow adds a leaf in place.
func (t *Tree) grow(leaf tlog.Hash) {
	for s := t.Size; s&1 == 1; s >>= 1 { // a full subtree at each trailing one joins the new leaf's
		last := len(t.Frontier) - 1
		leaf = tlog.NodeHash(t.Frontier[last], leaf)
		t.Frontier = t.Frontier[:last]
	}
	t.Frontier = append(t.Frontier, leaf)
	t.Size++
}

// Root returns the tree's root hash.
func (t Tree) Root() tlog.Hash {
	if len(t.Frontier) == 0 {
		return EmptyRoot()
	}
	h := t.Frontier[len(t.Frontier)-1]
	for _, left := range slices.Backward(t.Frontier[:len(t.Frontier)-1]) {
		h = tlog.NodeHash(left, h)
	}
	return h
}

// whole reports whether size and frontier fit each other.
func (t Tree) whole() bool { return bits.OnesCount64(t.Size) == len(t.Frontier) }

// leafTree returns the tree of these leaves.
func leafTree(leaves []tlog.Hash) Tree {
	var t Tree
	for _, l := range leaves {
		t.grow(l)
	}
	return t
}

var (
	errEmptyTree = errors.New("no proof is made for the empty tree")
	errTreeSize  = errors.New("sequence or size outside the tree")
	errLeaves    = errors.New("leaves missing")
)

// hashReader serves tlog from leaves: the hash of any full subtree is computed from the leaves under it.
func hashReader(leaves func(from, to uint64) ([]tlog.Hash, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			from, count := uint64(n)<<level, uint64(1)<<level
			under, err := leaves(from, from+count)
			if err != nil {
				return nil, fmt.Errorf("read leaves from %d: %w", from, err)
			}
			if uint64(len(under)) != count {
				return nil, errLeaves
			}
			hashes[i] = leafTree(under).Root()
		}
		return hashes, nil
	})
}

// ProveInclusion proves that record seq is in the tree of the first size leaves.
func ProveInclusion(leaves func(from, to uint64) ([]tlog.Hash, error), size, seq uint64) ([]tlog.Hash, error) {
	if size >= maxNumber || seq >= size {
		return nil, errTreeSize
	}
	return tlog.ProveRecord(int64(size), int64(seq), hashReader(leaves))
}

// CheckInclusion checks a proof of ProveInclusion against a verified root.
func CheckInclusion(proof []tlog.Hash, size uint64, root tlog.Hash, seq uint64, leaf tlog.Hash) error {
	if size >= maxNumber || seq >= size {
		return errTreeSize
	}
	return tlog.CheckRecord(proof, int64(size), root, int64(seq), leaf)
}

// ProveConsistency proves that the tree of size leaves extends that of old leaves, old ≥ 1.
func ProveConsistency(leaves func(from, to uint64) ([]tlog.Hash, error), size, old uint64) ([]tlog.Hash, error) {
	if err := checkSizes(size, old); err != nil {
		return nil, err
	}
	return tlog.ProveTree(int64(size), int64(old), hashReader(leaves))
}

// CheckConsistency checks a proof of ProveConsistency.
func CheckConsistency(proof []tlog.Hash, size uint64, root tlog.Hash, old uint64, oldRoot tlog.Hash) error {
	if err := checkSizes(size, old); err != nil {
		return err
	}
	return tlog.CheckTree(proof, int64(size), root, int64(old), oldRoot)
}

func checkSizes(size, old uint64) error {
	switch {
	case old == 0:
		return errEmptyTree
	case size >= maxNumber || old > size:
		return errTreeSize
	}
	return nil
}
