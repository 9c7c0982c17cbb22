package record_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/record"
)

// noteIn takes one note out of a receipt.
func noteIn(t *testing.T, receipt []byte, member string) []byte {
	t.Helper()
	var m map[string]jsontext.Value
	var s string
	if err := json.Unmarshal(receipt, &m); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m[member], &s); err != nil {
		t.Fatal(err)
	}
	return []byte(s)
}

func quote(b []byte) string {
	q, err := jsontext.AppendQuote(nil, b)
	if err != nil {
		panic(err)
	}
	return string(q)
}

func someLeaves(n int) []tlog.Hash {
	leaves := make([]tlog.Hash, n)
	for i := range leaves {
		leaves[i] = record.Leaf(fmt.Appendf(nil, "header %d", i))
	}
	return leaves
}

func reader(leaves []tlog.Hash) func(from, to uint64) ([]tlog.Hash, error) {
	return func(from, to uint64) ([]tlog.Hash, error) { return leaves[from:to], nil }
}

// stored is the reference: the hashes that tlog itself would keep.
func stored(t rapid.TB, leaves []tlog.Hash) tlog.HashReader {
	var hashes []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = hashes[x]
		}
		return out, nil
	})
	for i, l := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), l, read)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	return read
}

func TestTree_IsTlog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		leaves := someLeaves(rapid.IntRange(0, 300).Draw(rt, "size"))
		var tree record.Tree
		var trees []record.Tree
		for _, l := range leaves {
			trees = append(trees, tree)
			tree = tree.Add(l)
		}
		want, err := tlog.TreeHash(int64(len(leaves)), stored(rt, leaves))
		if err != nil || tree.Root() != want || tree.Size != uint64(len(leaves)) {
			rt.Errorf("root of %d leaves: %v, want %v %v", len(leaves), tree.Root(), want, err)
		}
		if len(trees) > 0 { // adding changed no older tree
			i := rapid.IntRange(0, len(trees)-1).Draw(rt, "older")
			again := record.Tree{}
			for _, l := range leaves[:i] {
				again = again.Add(l)
			}
			if again.Root() != trees[i].Root() {
				rt.Errorf("tree of %d changed", i)
			}
		}
	})
	if (record.Tree{}).Root() != record.EmptyRoot() {
		t.Error("empty tree")
	}
}

func TestProofs(t *testing.T) {
	leaves := someLeaves(80)
	roots := []tlog.Hash{record.EmptyRoot()}
	var tree record.Tree
	for _, l := range leaves {
		tree = tree.Add(l)
		roots = append(roots, tree.Root())
	}
	bytesOf := func(hs []tlog.Hash) (out [][]byte) {
		for _, h := range hs {
			out = append(out, slices.Clone(h[:]))
		}
		return out
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Uint64Range(1, 80).Draw(rt, "size")
		seq := rapid.Uint64Range(0, size-1).Draw(rt, "seq")
		p, err := record.ProveInclusion(reader(leaves), size, seq)
		if err != nil {
			rt.Fatal(err)
		}
		if err := record.CheckInclusion(p, size, roots[size], seq, leaves[seq]); err != nil {
			rt.Error(err)
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, seq, size, leaves[seq][:], bytesOf(p), roots[size][:]); err != nil {
			rt.Errorf("the other library: %v", err)
		}
		if record.CheckInclusion(p, size, roots[size], seq, tlog.Hash{1}) == nil {
			rt.Error("proof of another leaf")
		}
		old := rapid.Uint64Range(1, size).Draw(rt, "old")
		p, err = record.ProveConsistency(reader(leaves), size, old)
		if err != nil {
			rt.Fatal(err)
		}
		if err := record.CheckConsistency(p, size, roots[size], old, roots[old]); err != nil {
			rt.Error(err)
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, old, size, bytesOf(p), roots[old][:], roots[size][:]); err != nil {
			rt.Errorf("the other library: %v", err)
		}
		if old < size && record.CheckConsistency(p, size, roots[size], old, roots[old-1]) == nil {
			rt.Error("proof of another old root")
		}
	})
	if _, err := record.ProveConsistency(reader(leaves), 5, 0); err == nil {
		t.Error("a proof for the empty tree")
	}
	if _, err := record.ProveInclusion(reader(leaves), 5, 5); err == nil {
		t.Error("a proof of what is not there")
	}
	if record.CheckInclusion(nil, 0, record.EmptyRoot(), 0, leaves[0]) == nil || record.CheckConsistency(nil, 3, roots[3], 4, roots[4]) == nil {
		t.Error("nonsense accepted")
	}
	short := func(from, to uint64) ([]tlog.Hash, error) { return nil, nil }
	if _, err := record.ProveInclusion(short, 5, 1); err == nil {
		t.Error("proved without leaves")
	}
}

func TestEvidence_Verify(t *testing.T) {
	fed := newFederation()
	honest, liar := someLeaves(6), someLeaves(6)
	liar[2] = tlog.Hash{2}
	root := func(leaves []tlog.Hash) tlog.Hash {
		var tree record.Tree
		for _, l := range leaves {
			tree = tree.Add(l)
		}
		return tree.Root()
	}
	sign := func(leaves []tlog.Hash) []byte {
		b, err := record.SignCheckpoint(fed.signers[origin], checkpointOf(fed, uint64(len(leaves)), root(leaves)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	strange := checkpointOf(fed, 5, root(honest[:5]))
	strange.Stream = record.Stream(other, record.Records)
	foreign, err := record.SignCheckpoint(fed.signers[other], strange)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		e     record.Evidence
		forks bool
	}{
		{"same size", record.Evidence{A: sign(honest), B: sign(liar)}, true},
		{"same size with leaves", record.Evidence{A: sign(honest), B: sign(liar), Leaves: liar}, true},
		{"larger first", record.Evidence{A: sign(liar), B: sign(honest[:4]), Leaves: liar}, true},
		{"smaller first", record.Evidence{A: sign(honest[:4]), B: sign(liar), Leaves: liar}, true},
		{"same note twice", record.Evidence{A: sign(honest), B: sign(honest)}, false},
		{"one tree", record.Evidence{A: sign(honest[:4]), B: sign(honest), Leaves: honest}, false},
		{"before the fork", record.Evidence{A: sign(honest[:2]), B: sign(liar), Leaves: liar}, false},
		{"without leaves", record.Evidence{A: sign(honest[:4]), B: sign(liar)}, false},
		{"leaves of the smaller", record.Evidence{A: sign(honest[:4]), B: sign(liar), Leaves: liar[:4]}, false},
		{"invented leaves", record.Evidence{A: sign(honest[:4]), B: sign(honest), Leaves: liar}, false},
		{"two streams", record.Evidence{A: foreign, B: sign(liar), Leaves: liar}, false},
		{"unsigned", record.Evidence{A: sign(honest), B: swapText(t, sign(honest), sign(liar))}, false},
		{"nothing", record.Evidence{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := c.e.Encode()
			if err != nil {
				t.Fatal(err)
			}
			e, err := record.DecodeEvidence(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Verify(fed.signKey); (err == nil) != c.forks {
				t.Errorf("fork %t: %v", c.forks, err)
			}
		})
	}
	for _, bad := range []string{"", "{}", `{"v":1,"a":"","b":""}`, `{"v":1,"a":"","b":"","leaves":["00"]}`, `{"v":1,"a":"","b":"","leaves":[],"x":1}`, `{"v":2,"a":"","b":"","leaves":[]}`} {
		if _, err := record.DecodeEvidence([]byte(bad)); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}
}
