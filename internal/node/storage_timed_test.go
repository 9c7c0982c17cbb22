package node

import (
	"database/sql"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
)

// This file takes the storage away from a node that serves, and gives it back: architecture.md §6, "disk full".

// moved starts a member's node, which has written nothing yet, on another database.
func (d *direct) moved(m record.MemberID, db Database) *Node {
	d.t.Helper()
	old := d.nodes[m]
	d.stop(old)
	old.cfg.Database = db
	_, err := Join(d.t.Context(), old.cfg, old.dir.Versions(1)...)
	d.ok(err)
	n := d.again(m)
	d.released()
	return n
}

// probe asks a node's people's listener and returns the status.
func (d *direct) probe(n *Node, path string) int {
	d.t.Helper()
	res, err := http.Get("http://" + n.cfg.People.Listen + path)
	d.ok(err)
	d.ok(res.Body.Close())
	return res.StatusCode
}

// without says what must be so while a node cannot write: it publishes nothing and asks nothing, because a look-up that
// cannot be audited is none; who asks it is told so; the process stays up and says what it lacks.
func (d *direct) without(n *Node, asker record.MemberID) {
	d.t.Helper()
	m := n.cfg.Member
	var err error
	d.t.Cleanup(func() {
		if d.t.Failed() {
			d.t.Logf("the last refusal: %v", err)
		}
	})
	d.until("refused", func() bool {
		_, err = d.publishIn(d.t.Context(), m)
		return errors.Is(err, record.ErrStorageFull)
	})
	if _, err := d.asked(m); !errors.Is(err, record.ErrStorageFull) {
		d.t.Errorf("a question without audit: %v", err)
	}
	a := d.ask(asker)
	if a.Outcome == federation.NoHit || a.K != len(d.members)-1 {
		d.t.Errorf("asked by another: %s %d/%d", a.Outcome, a.K, a.N)
	}
	if ready, _, err := Probe(d.t.Context(), n.cfg, ""); err != nil || ready {
		d.t.Errorf("probe: %t %v", ready, err)
	}
	if live, ready, publish := d.probe(n, "/livez"), d.probe(n, "/readyz"), d.probe(n, "/readyz/publish"); live != 200 || ready != 503 || publish != 503 {
		d.t.Errorf("livez %d, readyz %d, publish %d", live, ready, publish)
	}
}

// with says what must be so again without a restart.
func (d *direct) with(n *Node, asker record.MemberID) {
	d.t.Helper()
	m := n.cfg.Member
	var id record.RecordID
	d.until("written again", func() bool {
		var err error
		id, err = d.publishIn(d.t.Context(), m)
		return err == nil
	})
	d.until("at the others", func() bool {
		_, err := d.nodes[asker].store.Record(d.t.Context(), id)
		return err == nil
	})
	d.until("answers again", func() bool { a, err := d.asked(m); return err == nil && a.K == a.N })
	d.until("answered again", func() bool { a := d.ask(asker); return a.K == a.N })
	d.until("ready", func() bool { return d.probe(n, "/readyz") == 200 })
}

// A disk that is full, for SQLite on a small file system of its own.
func TestTimedStorage_DiskFull(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatalf("mount a small file system (wants root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	d := newDirect(t, onHTTP)
	d.released()
	a, b := d.members[0], d.members[1]
	n := d.moved(a, Database{Driver: "sqlite", DSN: filepath.Join(folder, "pilin.db")})
	d.with(n, b)
	n.cfg.DiskPercent = defaultDiskPercent
	if s := n.disks(); len(s) != 2 || s[1].Place != "database" || s[1].UsedPercent > 50 || s[1].FreeBytes < 1<<20 {
		t.Errorf("disks: %+v", s)
	}
	ballast, err := os.Create(filepath.Join(folder, "ballast"))
	d.ok(err)
	for block := make([]byte, 1<<16); ; {
		if _, err := ballast.Write(block); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			break
		}
	}
	d.ok(ballast.Close())
	d.without(n, b)
	if n.roomy() || d.probe(n, "/readyz/disk") != 503 {
		t.Error("a full disk is called roomy")
	}
	if s, err := n.status(t.Context()); err != nil || len(s.Advice) < 2 || s.Advice[0].Code != "storage" || s.Advice[0].Urgency != "page" || s.Advice[1].Code != "disk_filling" || len(s.Disks) != 2 || s.Disks[1].UsedPercent < 99 {
		t.Errorf("the page of health on a full disk: %+v, %v", s.Advice, err)
	}
	d.ok(os.Remove(ballast.Name()))
	d.with(n, b)
}

// A database that lets nobody write, and one that is gone, on a PostgreSQL of its own.
func TestTimedStorage_PostgresReadOnlyThenGone(t *testing.T) {
	server := testsvc.OwnPostgres(t)
	d := newDirect(t, onHTTP)
	d.released()
	a, b := d.members[0], d.members[1]
	dsn := server.Database()
	n := d.moved(a, Database{Driver: "postgres", DSN: dsn})
	d.with(n, b)

	// A standby answers reads and lets nobody write: what a node meets when its primary has been failed over. The server
	// counts as started once it takes writes, which is after its promotion.
	server.Stop()
	d.ok(os.WriteFile(filepath.Join(server.DataDir(), "standby.signal"), nil, 0o644))
	started := make(chan struct{})
	go func() { defer close(started); server.Start() }()
	db, err := sql.Open("postgres", dsn)
	d.ok(err)
	defer db.Close()
	d.until("a standby", func() bool {
		var standby bool
		return db.QueryRow("SELECT pg_is_in_recovery()").Scan(&standby) == nil && standby
	})
	d.without(n, b)
	_, err = db.Exec("SELECT pg_promote()")
	d.ok(err)
	<-started
	d.with(n, b)

	server.StopImmediate()
	d.without(n, b)
	server.Start()
	d.with(n, b)
}
