package node

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// benchRecords is how many records BenchmarkStart starts with; its figures are for each record.
func benchRecords() int {
	if n, err := strconv.Atoi(os.Getenv("PILIN_BENCH_RECORDS")); err == nil {
		return n
	}
	return 10_000
}

// BenchmarkStart is row f: the index after a restart, from the snapshot that the node wrote, and anew from a log of which
// every header, part and checkpoint is verified.
func BenchmarkStart(b *testing.B) {
	m, _, t := beginWith(b, 2)
	n := benchRecords() / 100 * 100
	h, err := m.n.store.Head(b.Context(), m.own)
	m.ok(err)
	watch := m.watch(h.Size, h.Size+uint64(n))
	m.append100(m.published(n))
	watch()
	member := m.nodes[m.members[1]]
	groups := m.groups(member.store)
	path := filepath.Join(b.TempDir(), "index.snapshot")
	m.ok(member.index.Snapshot(b.Context(), member.store, path, rand.Reader))
	for range benchRuns {
		m.coldStart(t, member, path, n)
		m.rebuilt(t, member, groups, n)
	}
	t.print(os.Stdout)
}

// groups are the whole stream in memory.
func (m *measured) groups(s *sqlstore.Store) (all []record.Group) {
	m.t.Helper()
	for from := uint64(0); ; {
		gs, err := s.Groups(m.t.Context(), m.own, from, record.MaxRangeRecords)
		m.ok(err)
		if len(gs) == 0 {
			return all
		}
		all = append(all, gs...)
		from = gs[len(gs)-1].First + uint64(len(gs[len(gs)-1].Records))
	}
}

// coldStart opens the index from its snapshot and catches up. Its floor is reading the file and hashing it.
func (m *measured) coldStart(t *table, member *Node, path string, n int) {
	runtime.GC()
	begun := time.Now()
	b, err := os.ReadFile(path)
	m.ok(err)
	_ = sha256.Sum256(b)
	t.add("start_floor", 1000*ms(time.Since(begun))/float64(n))
	t.add("row_snapshot_bytes_a_record", float64(len(b)/n))
	runtime.GC()
	used, begun := cpu(), time.Now()
	index, refused, err := federation.OpenLogIndex(m.t.Context(), member.store, member.store, member.storage.Derive("match index"), path)
	m.ok(err)
	if refused != nil {
		m.t.Fatal(refused)
	}
	m.ok(index.CatchUp(m.t.Context()))
	t.add("start", 1000*ms(time.Since(begun))/float64(n))
	t.add("start_cpu_us_a_record", 1000*ms(cpu()-used)/float64(n))
	if index.Len() < n {
		m.t.Fatalf("%d of %d can be found", index.Len(), n)
	}
}

// inMemory is a log whose stream is in memory: what the index reads costs nothing but being indexed.
type inMemory struct {
	record.Log
	head   record.Head
	groups []record.Group
}

func (l *inMemory) Heads(context.Context) ([]record.Head, error) { return []record.Head{l.head}, nil }
func (l *inMemory) Head(context.Context, record.StreamID) (record.Head, error) {
	return l.head, nil
}

// Groups returns everything behind from at once.
func (l *inMemory) Groups(_ context.Context, _ record.StreamID, from uint64, _ int) ([]record.Group, error) {
	for i, g := range l.groups {
		if g.First >= from {
			return l.groups[i:], nil
		}
	}
	return nil, nil
}

// rebuilt verifies the stream as it lies in the database, and builds the index from it. Its floor hashes the headers and
// the parts' commitments of the same records, and builds the index, out of memory.
func (m *measured) rebuilt(t *table, member *Node, groups []record.Group, n int) {
	ctx := m.t.Context()
	h, err := member.store.Head(ctx, m.own)
	m.ok(err)
	runtime.GC()
	used, begun := cpu(), time.Now()
	var tree record.Tree
	for _, g := range groups {
		for _, st := range g.Records {
			tree = tree.Add(record.Leaf(st.Header))
			for _, p := range st.Parts {
				if p.State == record.PartPresent {
					_ = record.Commit(p.Salt, p.Bytes)
				}
			}
		}
	}
	if tree.Root() != h.Root {
		m.t.Fatal("the floor did not hash the stream")
	}
	m.ok(federation.NewLogIndex(&inMemory{head: h, groups: groups}).CatchUp(ctx))
	t.add("rebuild_floor", 1000*ms(time.Since(begun))/float64(n))
	t.add("rebuild_floor_cpu_us_a_record", 1000*ms(cpu()-used)/float64(n))
	runtime.GC()
	used, begun = cpu(), time.Now()
	v := record.Verifier{Federation: member.dir.Federation(), Stream: m.own, SignKey: member.roster.SignKey}
	entitled := member.roster.Groups(member.cfg.Member)
	for from := uint64(0); from < h.Size; {
		gs, err := member.store.Groups(ctx, m.own, from, record.MaxRangeRecords)
		m.ok(err)
		for _, g := range gs {
			fr, err := record.OpenFrame(v.Federation, g, entitled)
			m.ok(err)
			m.ok(v.Add(fr))
			from = fr.End()
		}
	}
	index := federation.NewLogIndex(member.store)
	m.ok(index.CatchUp(ctx))
	t.add("rebuild", 1000*ms(time.Since(begun))/float64(n))
	t.add("rebuild_cpu_us_a_record", 1000*ms(cpu()-used)/float64(n))
	if index.Len() < n {
		m.t.Fatalf("%d of %d can be found", index.Len(), n)
	}
}
