package node

import (
	"path/filepath"
	"testing"
)

// Whoever waits for a long work hears how far it is, up to its end.
func TestProgress_ToTheEnd(t *testing.T) {
	d := found(t, onHTTP, false, some(1)...)
	d.released()
	a := d.members[0]
	for range 3 {
		d.publish(a)
	}
	d.stop(d.nodes[a])
	heard := map[Step][2]uint64{}
	cfg := d.nodes[a].cfg
	cfg.Progress = func(s Step, done, total uint64) {
		if last := heard[s]; done > total || last[1] == total && done < last[0] {
			t.Errorf("%s: %d/%d after %v", s, done, total, last)
		}
		heard[s] = [2]uint64{done, total}
	}
	expect := func(what string, steps ...Step) {
		t.Helper()
		for _, s := range steps {
			if h := heard[s]; h[1] == 0 || h[0] != h[1] {
				t.Errorf("%s: heard of %s %d/%d", what, s, h[0], h[1])
			}
		}
		clear(heard)
	}
	dir := t.TempDir()
	backup, keys := filepath.Join(dir, "copy"), filepath.Join(dir, "keys")
	_, err := BackUp(t.Context(), cfg, backup, keys)
	d.ok(err)
	expect("backup", StepCopy)
	_, err = Export(t.Context(), cfg, filepath.Join(dir, "out"))
	d.ok(err)
	if heard[StepExport] != [2]uint64{3, 3} {
		t.Errorf("export: heard %v", heard)
	}
	expect("export", StepExport)
	_, err = Rebuild(t.Context(), cfg)
	d.ok(err)
	expect("rebuild", StepSubject)
	cfg.Data, cfg.Database = filepath.Join(dir, "other"), Database{}
	_, err = Restore(t.Context(), cfg, backup, keys)
	d.ok(err)
	expect("restore", StepCheck, StepCopy)
}
