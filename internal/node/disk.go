package node

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// defaultDiskPercent is from when on a disk is worth a ticket: a full one stops writing and asking.
const defaultDiskPercent = 80

// completeDisk refuses what is no share.
func (c *Config) completeDisk() error {
	if c.DiskPercent < 0 || c.DiskPercent > 100 {
		return errors.New("disk_percent: want 1 to 100, or 0 for the default")
	}
	if c.DiskPercent == 0 {
		c.DiskPercent = defaultDiskPercent
	}
	return nil
}

// disks tells how full the file systems are that this node writes to: that of its data folder and, when SQLite's file lies
// on another one, that of the database. A PostgreSQL server's disk is its own to watch. What cannot be read is left out:
// whether the database can be written is told as such.
func (n *Node) disks() []httpapi.DiskStatus {
	out := []httpapi.DiskStatus{}
	var first unix.Fsid
	place := func(name, folder string) {
		var s unix.Statfs_t
		if err := unix.Statfs(folder, &s); err != nil || s.Blocks == 0 || len(out) > 0 && s.Fsid == first {
			return
		}
		first = s.Fsid
		used, free := float64(s.Blocks-s.Bfree), float64(s.Bavail)                                                                            // what is kept for root is room for nobody else
		out = append(out, httpapi.DiskStatus{Place: name, UsedPercent: 100 * used / max(used+free, 1), FreeBytes: int64(s.Bavail) * s.Bsize}) //nolint:gosec // a disk has fewer than 2^63 bytes
	}
	place("data", n.cfg.Data)
	if n.cfg.Database.Driver == "sqlite" {
		place("database", filepath.Dir(n.cfg.Database.DSN))
	}
	return out
}

// roomy reports whether no disk is fuller than it should be.
func (n *Node) roomy() bool {
	for _, d := range n.disks() {
		if d.UsedPercent > float64(n.cfg.DiskPercent) {
			return false
		}
	}
	return true
}
