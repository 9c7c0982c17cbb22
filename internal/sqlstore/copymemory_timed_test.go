package sqlstore_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record/recordtest"
)

// copyChild names the database that a child process of this test backs up.
const copyChild = "PILIN_COPY_CHILD"

// A backup's memory does not grow with the spreadsheets in the database: 240 MiB of them are copied, and restored, within
// 160 MiB. Memory is a process's, so a child does it that does nothing else.
func TestTimedCopy_MemoryIsBounded(t *testing.T) {
	if file := os.Getenv(copyChild); file != "" {
		copyInChild(t, file)
		return
	}
	const files, size = 20, 12 << 20
	d := sit(t, inClear)
	b := make([]byte, size)
	noise := rand.NewChaCha8([32]byte{6})
	for i := range files {
		_, _ = noise.Read(b) // it never fails
		d.ok(d.PutImport(d.ctx, fmt.Sprintf("%032x", i), int64(i), []byte("{}"), b))
	}
	d.ok(d.Close())
	c := exec.Command(os.Args[0], "-test.run=^TestTimedCopy_MemoryIsBounded$", "-test.v") //nolint:gosec // this test itself
	c.Env = append(os.Environ(), copyChild+"="+d.cfg.DSN)
	out, err := c.CombinedOutput()
	_, rest, ok := bytes.Cut(out, []byte("KiB more: "))
	var backup, restore int
	if _, scan := fmt.Sscan(string(rest), &backup, &restore); err != nil || !ok || scan != nil {
		t.Fatalf("%v %v: %s", err, scan, out)
	}
	t.Logf("backup %d MiB, with restore %d MiB", backup>>10, restore>>10)
	if most := max(backup, restore) >> 10; most > 160 {
		t.Errorf("%d MiB more than before", most)
	}
}

func copyInChild(t *testing.T, file string) {
	ctx := context.Background()
	k := recordtest.NewKit(5)
	cfg := config(k.Config(recordtest.Self))
	cfg.Driver, cfg.DSN = "sqlite", file
	inClear(&cfg)
	s, err := sqlstore.OpenReader(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := highWater(t)
	kept := filepath.Join(t.TempDir(), "copy.db")
	if _, err := s.CopyTo(ctx, kept); err != nil {
		t.Fatal(err)
	}
	backedUp := highWater(t)
	from, err := sqlstore.OpenCopy(kept, recordtest.Self, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DSN = filepath.Join(t.TempDir(), "restored.db")
	if _, err := sqlstore.Restore(ctx, cfg, from, 0); err != nil {
		t.Fatal(err)
	}
	fmt.Println("KiB more:", backedUp-before, highWater(t)-before)
}

// highWater is VmHWM of this process in KiB (proc_pid_status(5)).
func highWater(t *testing.T) (kib int) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
