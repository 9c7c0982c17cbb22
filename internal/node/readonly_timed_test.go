package node

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pilinhub/pilin/record"
)

// blockDisk is a file system of its own on a block device, which can fail as a disk fails.
type blockDisk struct {
	t             testing.TB
	image, folder string
}

func newBlockDisk(t testing.TB) *blockDisk {
	t.Helper()
	b := &blockDisk{t: t, image: filepath.Join(t.TempDir(), "disk.img"), folder: t.TempDir()}
	f, err := os.Create(b.image)
	if err == nil {
		err = errors.Join(f.Truncate(64<<20), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	b.run("mkfs.ext4", "-q", "-F", b.image)
	b.mount()
	t.Cleanup(func() { _ = syscall.Unmount(b.folder, syscall.MNT_DETACH) })
	return b
}

func (b *blockDisk) run(name string, args ...string) {
	b.t.Helper()
	if out, err := exec.CommandContext(b.t.Context(), name, args...).CombinedOutput(); err != nil {
		b.t.Fatalf("%s %v (wants root): %v %s", name, args, err, out)
	}
}

func (b *blockDisk) mount() { b.t.Helper(); b.run("mount", "-o", "loop", b.image, b.folder) }

// readOnly mounts it read-only or not; nobody may have files open for writing.
func (b *blockDisk) readOnly(yes bool) {
	b.t.Helper()
	b.run("mount", "-o", map[bool]string{true: "remount,ro", false: "remount,rw"}[yes], b.folder)
}

// fail does what the kernel does when the device reports an error: from now on nothing can be written, also by who has
// files open for writing.
func (b *blockDisk) fail() { b.t.Helper(); b.run("mount", "-o", "remount,abort", b.folder) }

// locked makes files of the disk immutable or not: then root cannot write to them either.
func (b *blockDisk) locked(yes bool, files ...string) {
	b.t.Helper()
	for _, f := range files {
		b.run("chattr", map[bool]string{true: "+i", false: "-i"}[yes], filepath.Join(b.folder, f))
	}
}

func (b *blockDisk) unmount() { b.t.Helper(); b.run("umount", b.folder) }

// Files that nobody may write any more, under SQLite: the node goes on by itself once they may be written again, and does
// not start on them.
func TestTimedStorage_SQLiteReadOnlyFiles(t *testing.T) {
	disk := newBlockDisk(t)
	d := newDirect(t, onHTTP)
	d.released()
	a, b := d.members[0], d.members[1]
	n := d.moved(a, Database{Driver: "sqlite", DSN: filepath.Join(disk.folder, "pilin.db")})
	d.with(n, b)
	files := []string{"pilin.db", "pilin.db-wal"}
	disk.locked(true, files...)
	d.without(n, b)
	disk.locked(false, files...)
	d.with(n, b)
	d.stop(n)
	disk.locked(true, "pilin.db")
	if _, err := Open(t.Context(), n.cfg, n.slog); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("a start on a read-only file: %v", err)
	}
	disk.locked(false, "pilin.db")
	d.with(d.again(a), b)
}

// A disk that turns read-only under SQLite: nothing is written, nothing is looked up, because it could not be audited, and
// the process stays up and says so. Once the disk is mounted anew a start is enough, and what was acknowledged is there.
func TestTimedStorage_SQLiteReadOnly(t *testing.T) {
	disk := newBlockDisk(t)
	d := newDirect(t, onHTTP)
	d.released()
	a, b := d.members[0], d.members[1]
	n := d.moved(a, Database{Driver: "sqlite", DSN: filepath.Join(disk.folder, "pilin.db")})
	d.with(n, b)
	size := d.held(a, record.Stream(a, record.Records))

	disk.fail()
	d.without(n, b)
	if s, err := n.status(t.Context()); err != nil || len(s.Advice) == 0 || s.Advice[0].Code != "storage" {
		t.Errorf("the page of health: %+v, %v", s.Advice, err)
	}
	d.stop(n)
	disk.unmount()
	disk.mount()
	disk.readOnly(true)
	_, err := Open(t.Context(), n.cfg, n.slog)
	if !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("a start on a read-only disk: %v", err)
	}
	disk.readOnly(false)
	n = d.again(a)
	if got := d.held(a, record.Stream(a, record.Records)); got != size {
		t.Errorf("%d records, %d were acknowledged: what was refused came back, or what was not is lost", got, size)
	}
	d.with(n, b)
}
