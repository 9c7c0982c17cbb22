package nodetest_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/lib/pq"

	"github.com/pilinhub/pilin/record"
)

// This file is how the test holds the process that it kills, and how it asks PostgreSQL whether it syncs.

// process is one life of the node.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan said // closed when the process is gone and everything it said was taken
	log   *lockedBuffer
	late  *time.Timer
	err   error // of reading its lines, readable after lines is closed
}

// patience is how long a life may last: one whose kill never comes proves nothing.
const patience = 2 * time.Minute

// spawn starts the process; point is the value of PILIN_FAULT, empty for none.
func (w *world) spawn(point string) *process {
	w.t.Helper()
	p := &process{t: w.t, cmd: exec.Command(os.Args[0]), lines: make(chan said), log: &lockedBuffer{}}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PILIN_FAULT=") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, childEnv+"="+w.config)
	if point != "" {
		p.cmd.Env = append(p.cmd.Env, "PILIN_FAULT="+point)
	}
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	must(w.t, err)
	p.stdin, err = p.cmd.StdinPipe()
	must(w.t, err)
	must(w.t, p.cmd.Start())
	p.late = time.AfterFunc(patience, p.kill)
	w.t.Cleanup(p.kill)
	go func() {
		defer close(p.lines)
		r := bufio.NewReader(out)
		for {
			b, err := r.ReadBytes('\n')
			if err != nil {
				return // what stands behind the last newline had not left
			}
			var s said
			if p.err = json.Unmarshal(b, &s); p.err != nil {
				return
			}
			p.lines <- s
		}
	}()
	return p
}

// order tells the process what to do. A process that is dead already does not hear it.
func (p *process) order(o order) {
	p.t.Helper()
	b, err := json.Marshal(o)
	must(p.t, err)
	if _, err := p.stdin.Write(append(b, '\n')); err != nil && !errors.Is(err, syscall.EPIPE) {
		p.t.Fatal(err)
	}
}

func (p *process) kill() { _ = p.cmd.Process.Kill() } // an error says that it is gone

// killedBy checks that it was SIGKILL that ended the process, at point, or our own when point is empty.
func (p *process) killedBy(point string) {
	p.t.Helper()
	inTime := p.late.Stop()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || p.err != nil {
		p.fail("ended with %v, want SIGKILL; reading it: %v", err, p.err)
	}
	if !inTime {
		p.fail("alive for %s", patience)
	}
	if at := strings.Contains(p.log.String(), "fault: "+point+"\n"); point != "" && !at {
		p.fail("was not killed at %s", point)
	}
}

// end lets the process end by itself and checks that it does so in order.
func (p *process) end() {
	p.t.Helper()
	must(p.t, p.stdin.Close())
	for range p.lines {
		continue
	}
	p.late.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.fail("ended with %v", err)
	}
}

// fail ends the test and shows what the process logged last.
func (p *process) fail(format string, args ...any) {
	p.t.Helper()
	text := p.log.String()
	p.t.Logf("the node logged last:\n%s", text[max(0, len(text)-4000):])
	p.t.Fatalf(format, args...)
}

// publisher appends at the peer while the node lives.
type publisher struct {
	w    *world
	most int // how much it appends at most
	stop chan struct{}
	done chan error
}

// publishEvery is the pause between two entries of the peer.
const publishEvery = 50 * time.Millisecond

// begin starts it, once.
func (p *publisher) begin() {
	if p.done != nil {
		return
	}
	p.stop, p.done = make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(publishEvery)
		defer tick.Stop()
		for range p.most {
			select {
			case <-p.stop:
				p.done <- nil
				return
			case <-tick.C:
				if err := p.w.publish(context.Background()); err != nil {
					p.done <- err
					return
				}
			}
		}
		p.done <- nil
	}()
}

// end stops it and waits.
func (p *publisher) end() {
	if p.done == nil {
		return
	}
	close(p.stop)
	if err := <-p.done; err != nil {
		p.w.t.Errorf("append at the peer: %v", err)
	}
}

// wal asks PostgreSQL how often it has synced its log.
type wal struct {
	t      *testing.T
	db     *sql.DB
	syncs  int64
	groups int64
}

// newWAL also holds the server to what makes an acknowledgement durable.
func newWAL(t *testing.T, dsn string) *wal {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	must(t, err)
	db.SetMaxIdleConns(0) // the server is stopped between two questions
	t.Cleanup(func() { db.Close() })
	w := &wal{t: t, db: db}
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var v string
		must(t, db.QueryRowContext(t.Context(), "SHOW "+name).Scan(&v))
		if v != "on" {
			t.Fatalf("%s is %s: nothing would be proven", name, v)
		}
	}
	return w
}

// slow makes each commit of connections that are opened from now on take this long, so that an answer which does not wait
// for its commit is far ahead of it; 0 sets it back.
func (w *wal) slow(d time.Duration) {
	w.t.Helper()
	var name string
	must(w.t, w.db.QueryRowContext(w.t.Context(), "SELECT current_database()").Scan(&name))
	for setting, v := range map[string]int64{"commit_delay": d.Microseconds(), "commit_siblings": 0} {
		_, err := w.db.ExecContext(w.t.Context(), fmt.Sprintf("ALTER DATABASE %s SET %s = %d", pq.QuoteIdentifier(name), setting, v))
		must(w.t, err)
	}
}

func (w *wal) read() (syncs, groups int64) {
	w.t.Helper()
	must(w.t, w.db.QueryRowContext(w.t.Context(), "SELECT wal_sync, (SELECT count(*) FROM commit_group WHERE stream=$1) FROM pg_stat_wal",
		string(record.Stream(killed, record.Records))).Scan(&syncs, &groups))
	return syncs, groups
}

// begin notes how things stand before the clients start.
func (w *wal) begin() { w.syncs, w.groups = w.read() }

// check wants at least one sync of the write-ahead log for each commit group of the records stream that was written since:
// they are written one behind the other, each in its own transaction, so no two of them share one.
func (w *wal) check() {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 1; n > 0; { // a backend tells its figures when it leaves
		must(w.t, w.db.QueryRowContext(w.t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&n))
		select {
		case <-tick.C:
		case <-w.t.Context().Done():
			return
		}
	}
	syncs, groups := w.read()
	if syncs-w.syncs < groups-w.groups {
		w.t.Errorf("%d commit groups, but the write-ahead log was synced %d times", groups-w.groups, syncs-w.syncs)
	}
}
