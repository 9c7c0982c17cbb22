package node

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// otherPerson returns a document number that is well formed and not somebody's.
func otherPerson() string {
	body, sum := "31011619000101003", 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(body[i]-'0') * w
	}
	return body + "10X98765432"[sum%11:sum%11+1]
}

// fill appends n entries about another person to m's log, many at a time.
func (d *direct) fill(m record.MemberID, n int) {
	d.t.Helper()
	typ, _ := schemas.Lookup("blacklist.person", "1")
	split, err := typ.Split([]byte(strings.ReplaceAll(personPayload, somebody, otherPerson())))
	d.ok(err)
	for n > 0 {
		var drafts []record.Draft
		for range min(n, 100) {
			id, err := record.NewBits128(rand.Reader)
			d.ok(err)
			draft := record.Draft{Stream: record.Stream(m, record.Records), ID: id, Type: "blacklist.person", Schema: "1", Day: "2026-03-13",
				Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{}}
			for p, b := range split {
				draft.Parts[record.PartName(p)] = b
			}
			drafts = append(drafts, draft)
		}
		n -= len(drafts)
		_, err := d.nodes[m].append(d.t.Context(), record.Append{Drafts: drafts})
		d.ok(err)
	}
}

// disaster is a member whose machine burnt down after it had written a thousand records behind its last backup.
type disaster struct {
	*direct
	a, b, c record.MemberID
	s       record.StreamID
	gone    []record.RecordID // withdrawn or erased since the backup, by itself and by another
	size    uint64            // of its log when it was lost
	cfg     Config            // of the new machine
	backup  string
	keys    string
}

const behind = 1000

func burn(t *testing.T, on stack) *disaster {
	d := &disaster{direct: found(t, on, false, three...)}
	d.a, d.b, d.c = d.members[0], d.members[1], d.members[2]
	d.s = record.Stream(d.a, record.Records)
	d.released()
	withdrawn, erased, others := d.publish(d.a), d.publish(d.a), d.publish(d.b)
	d.everywhere(d.a, 2)
	d.everywhere(d.b, 1)
	d.gone = []record.RecordID{withdrawn, erased, others}
	d.backup, d.keys = filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "keys")
	m, err := BackUp(t.Context(), d.nodes[d.a].cfg, d.backup, d.keys)
	d.ok(err)
	if m.own() != 2 {
		t.Fatalf("backed up %d records", m.own())
	}
	d.until("audited", func() bool { return d.audits(d.a, "backed_up") == 1 })
	d.publish(d.a, record.Ref{Rel: record.Withdraws, ID: withdrawn, Version: 1})
	d.publish(d.a, record.Ref{Rel: record.Erases, ID: erased, Version: 1})
	d.publish(d.b, record.Ref{Rel: record.Withdraws, ID: others, Version: 1})
	d.fill(d.a, behind-2)
	d.size = 2 + behind
	d.everywhere(d.a, d.size)
	d.everywhere(d.b, 2)
	d.stop(d.nodes[d.a])
	old := d.nodes[d.a].cfg
	d.cfg = old
	d.cfg.Data = t.TempDir()
	if old.Database.Driver == "postgres" {
		d.cfg.Database.DSN = testsvc.Postgres(t)
	} else {
		d.cfg.Database.DSN = filepath.Join(d.cfg.Data, "pilin.db")
	}
	r, err := Restore(t.Context(), d.cfg, d.backup, d.keys)
	d.ok(err)
	if !r.Keys || r.Manifest.own() != 2 {
		t.Fatalf("restored: %+v", r)
	}
	if _, err := Restore(t.Context(), d.cfg, d.backup, ""); err == nil {
		t.Fatal("restored twice")
	}
	d.nodes[d.a].cfg = d.cfg
	return d
}

// silent fails if anything that was withdrawn or erased since the backup answers at a member.
func (d *disaster) silent(m record.MemberID) {
	d.t.Helper()
	got, err := d.asked(m)
	if err != nil {
		return // a question that could not be audited in time: nobody was shown anything
	}
	for _, h := range got.Hits {
		if slices.Contains(d.gone, h.Record) {
			d.t.Fatalf("%s: %s answers: withdrawn or erased since the backup", m, h.Record)
		}
	}
	for _, h := range got.Replica {
		if slices.Contains(d.gone, h.Record) {
			d.t.Fatalf("%s: %s shows from a copy: withdrawn or erased since the backup", m, h.Record)
		}
	}
}

// back waits until the restored node holds what the others do, confirms, and checks that nothing was lost or forked.
func (d *disaster) back(silent bool) {
	d.t.Helper()
	n := d.nodes[d.a]
	d.until("all is taken back", func() bool {
		d.silent(d.a)
		w, err := Rejoin(d.t.Context(), d.cfg, false, false)
		return err == nil && w.ready() && w.Size == d.size && (silent || len(w.Silent) == 0)
	})
	if n.t.release.Released() {
		d.t.Fatal("released before anybody confirmed")
	}
	if silent {
		if _, err := Rejoin(d.t.Context(), d.cfg, true, false); !errors.Is(err, ErrSilent) {
			d.t.Fatalf("confirmed with a silent member: %v", err)
		}
	}
	w, err := Rejoin(d.t.Context(), d.cfg, true, silent)
	d.ok(err)
	if silent != (len(w.Silent) == 1) {
		d.t.Fatalf("silent: %v", w.Silent)
	}
	d.until("released", func() bool { d.silent(d.a); return n.t.release.Released() && !n.isCopy() })
	if _, err := Rejoin(d.t.Context(), d.cfg, true, true); !errors.Is(err, ErrNotRestored) {
		d.t.Fatalf("rejoined twice: %v", err)
	}
}

// whole checks what must be true in the end: every member holds the same log, with the tail that was written before the
// release behind what was lost, nobody has evidence of a fork, and what was withdrawn or erased answers nowhere.
func (d *disaster) whole(tail record.RecordID) {
	d.t.Helper()
	d.everywhere(d.a, d.size+1)
	for _, m := range d.members {
		e, err := d.nodes[m].store.Evidence(d.t.Context())
		d.ok(err)
		h, err := d.nodes[m].store.Head(d.t.Context(), d.s)
		d.ok(err)
		if len(e) > 0 || h.Frozen != "" || slices.Contains(d.nodes[m].alarms.codes(), exchange.AlarmSelfFork) {
			d.t.Fatalf("%s: evidence %d, frozen %q, alarms %v", m, len(e), h.Frozen, d.nodes[m].alarms.codes())
		}
		if got := d.verified(m)[d.s]; got != d.size+1 {
			d.t.Errorf("%s proves %d records", m, got)
		}
		at, err := d.nodes[m].store.Record(d.t.Context(), tail)
		if err != nil || at.Seq != d.size {
			d.t.Errorf("%s has the tail at %d, %v", m, at.Seq, err)
		}
		d.silent(m)
	}
	n := d.nodes[d.a]
	if n.audit != record.Stream(d.a, record.Audit+".1") {
		d.t.Errorf("the audit goes on in %s", n.audit)
	}
	for _, event := range []string{"restored", "continued", "rejoined"} {
		d.until("audited: "+event, func() bool { return d.audits(d.a, event) == 1 })
	}
	d.until("all answer", func() bool { d.silent(d.b); return d.ask(d.b).K == 3 })
}

// The restore drill: a backup that is a thousand records old, on a new machine, with the others up, down, and one up. No
// fork, the tail that people wrote meanwhile comes behind what was lost, and what was withdrawn or erased never answers.
func TestLong_RestoreDrill(t *testing.T) {
	for _, on := range []stack{onHTTP, onOwnRedis} {
		name := map[stack]string{onHTTP: "sqlite", onOwnRedis: "postgres"}[on]
		t.Run(name+"/others_up", func(t *testing.T) {
			d := burn(t, on)
			d.again(d.a)
			tail := d.publish(d.a)
			d.back(false)
			d.whole(tail)
		})
		t.Run(name+"/others_down", func(t *testing.T) {
			d := burn(t, on)
			d.stop(d.nodes[d.b])
			d.stop(d.nodes[d.c])
			n := d.again(d.a)
			tail := d.publish(d.a) // recorded: people go on working
			d.until("waits", func() bool {
				d.silent(d.a)
				w, err := Rejoin(t.Context(), d.cfg, false, false)
				return err == nil && len(w.Silent) == 2
			})
			if _, err := Rejoin(t.Context(), d.cfg, true, true); !errors.Is(err, ErrNotReady) || n.t.release.Released() {
				t.Fatalf("confirmed with nobody heard: %v", err)
			}
			if h, err := n.store.Head(t.Context(), d.s); err != nil || h.Signed != 2 || h.Size != 3 {
				t.Fatalf("signed %d of %d, %v", h.Signed, h.Size, err)
			}
			d.stop(n)
			d.again(d.a)
			d.again(d.b)
			d.again(d.c)
			d.back(false)
			d.whole(tail)
		})
		t.Run(name+"/one_up", func(t *testing.T) {
			d := burn(t, on)
			d.stop(d.nodes[d.c])
			d.again(d.a)
			tail := d.publish(d.a)
			d.back(true)
			d.again(d.c)
			d.whole(tail)
		})
	}
}

// A backup of which a byte is missing, changed or too many is refused, and nothing is restored from it.
func TestNode_TornBackup(t *testing.T) {
	d := found(t, onHTTP, false, some(1)...)
	d.released()
	a := d.members[0]
	d.publish(a)
	cfg := d.nodes[a].cfg
	if _, err := BackUp(t.Context(), cfg, filepath.Join(t.TempDir(), "b"), ""); err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "b")
	if _, err := BackUp(t.Context(), cfg, both, filepath.Join(both, "keys")); err == nil {
		t.Error("keys beside the database")
	}
	for name, tear := range map[string]func(dir string) error{
		"no manifest":   func(dir string) error { return os.Remove(filepath.Join(dir, manifestFile)) },
		"no database":   func(dir string) error { return os.Remove(filepath.Join(dir, copyFile)) },
		"cut":           func(dir string) error { return os.Truncate(filepath.Join(dir, copyFile), 8192) },
		"half manifest": func(dir string) error { return os.Truncate(filepath.Join(dir, manifestFile), 100) },
		"bit": func(dir string) error {
			b, err := os.ReadFile(filepath.Join(dir, copyFile))
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 1
			return os.WriteFile(filepath.Join(dir, copyFile), b, 0o600)
		},
	} {
		dir := filepath.Join(t.TempDir(), "b")
		if _, err := BackUp(t.Context(), cfg, dir, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := CheckBackup(t.Context(), dir, nil); err != nil {
			t.Fatalf("whole: %v", err)
		}
		d.ok(tear(dir))
		to := cfg
		to.Data = t.TempDir()
		to.Database.DSN, to.Members.Listen = filepath.Join(to.Data, "pilin.db"), freePort(t)
		if _, err := Restore(t.Context(), to, dir, ""); !errors.Is(err, ErrTorn) {
			t.Errorf("%s: %v", name, err)
		}
		if entries, err := os.ReadDir(to.Data); err != nil || len(entries) > 0 {
			t.Errorf("%s: %v was written, %v", name, entries, err)
		}
	}
}

// A member that knows of an agreement exports its logs and backs up all the same: tools without keys leave agreements out.
func TestNode_ToolsBesideAgreement(t *testing.T) {
	d := found(t, onHTTP, false, some(2)...)
	d.released()
	a := d.members[0]
	_, err := d.nodes[a].newGroup(t.Context(), []record.MemberID{d.members[1]})
	d.ok(err)
	d.publish(a)
	dir := t.TempDir()
	if n, err := Export(t.Context(), d.nodes[a].cfg, filepath.Join(dir, "logs")); err != nil || n != 1 {
		t.Errorf("exported %d, %v", n, err)
	}
	if _, err := BackUp(t.Context(), d.nodes[a].cfg, filepath.Join(dir, "backup"), filepath.Join(dir, "keys")); err != nil {
		t.Error(err)
	}
	if _, err := CheckBackup(t.Context(), filepath.Join(dir, "backup"), nil); err != nil {
		t.Error(err)
	}
}
