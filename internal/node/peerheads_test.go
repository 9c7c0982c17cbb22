package node

import (
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// TestNode_PeersWitnessAnExport: what a member exports is held to what the others hold of it at that moment, over their
// real listeners; an export that ends too early is told from a whole one by nobody but them.
func TestNode_PeersWitnessAnExport(t *testing.T) {
	d := newDirect(t, onHTTP)
	a := d.members[0]
	s := record.Stream(a, record.Records)
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	for range 3 {
		d.publish(a)
	}
	for _, m := range d.members[1:] {
		d.until("applied at "+string(m), func() bool {
			return d.nodes[m].count.Get(exchange.CountApplied, "http") >= 3
		})
	}
	cfg := d.nodes[a].cfg
	out := filepath.Join(t.TempDir(), "out")
	n, err := Export(t.Context(), cfg, out)
	d.ok(err)
	if n != 3 {
		t.Fatalf("exported %d records, want 3", n)
	}
	heads, err := PeerHeads(t.Context(), cfg)
	d.ok(err)
	if len(heads[s]) < 2 {
		t.Fatalf("%d checkpoints of %s from two peers", len(heads[s]), s)
	}
	files, err := filepath.Glob(filepath.Join(out, "streams", strings.Replace(string(s), "/", ".", 1), "*.range"))
	d.ok(err)
	sort.Strings(files)
	var frames []*record.Frame
	for _, f := range files {
		b, err := os.ReadFile(f)
		d.ok(err)
		fs, err := record.DecodeRange(b)
		d.ok(err)
		frames = append(frames, fs...)
	}
	dir := d.nodes[a].dir
	compare := func(frames []*record.Frame) error {
		v := &record.Verifier{Federation: dir.Federation(), Stream: s, SignKey: dir.SignKey}
		for _, f := range frames {
			d.ok(v.Add(f))
		}
		for _, note := range heads[s] {
			if err := v.Compare(note); err != nil {
				return err
			}
		}
		return nil
	}
	if err := compare(frames); err != nil {
		t.Fatalf("a whole export: %v", err)
	}
	var f *record.Fault
	if err := compare(frames[:len(frames)-1]); !errors.As(err, &f) || f.What != "gap" || f.Stream != s || f.Seq == 0 {
		t.Fatalf("an export without its end: %v", err)
	}
}
