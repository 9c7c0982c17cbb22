package nodetest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/keystore"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// A node that is killed between its index snapshot and the end of its log opens the snapshot and reads the rest: what was
// withdrawn behind the snapshot does not answer, what came behind it does, and the snapshot is used.
func TestKill_IndexBehindItsSnapshot(t *testing.T) {
	o := &opened{world: newWorld(t, node.Database{Driver: "sqlite"})}
	first := o.entry("first")
	o.entry("second")
	p := o.start()
	o.follows(2)
	p.end()
	snapshot := filepath.Join(o.victim.Data, "index.snapshot")
	written, err := os.Stat(snapshot)
	must(t, err)

	p = o.start()
	if !strings.Contains(p.log.String(), `msg="index opened" member=310116-01 subjects=2`) {
		p.fail("the snapshot of the graceful stop is not used")
	}
	o.withdraw(first)
	o.entry("third")
	o.follows(4)
	p.kill()
	o.dead(p)
	now, err := os.Stat(snapshot)
	must(t, err)
	if !now.ModTime().Equal(written.ModTime()) {
		t.Fatal("the kill was not between the snapshot and the log")
	}

	x := o.index(snapshot)
	if x.Len() != 2 {
		t.Fatalf("%d subjects in the snapshot", x.Len())
	}
	must(t, x.CatchUp(t.Context()))
	for name, want := range map[string]int{"first": 0, "second": 1, "third": 1} {
		found, err := x.Find(t.Context(), asked(t, name), record.CivilDay(time.Now()), func(record.StreamID, map[record.GroupID]record.Level) bool { return true })
		must(t, err)
		if len(found.Candidates) != want {
			t.Errorf("%s: %d found, want %d", name, len(found.Candidates), want)
		}
	}
	p = o.start()
	if !strings.Contains(p.log.String(), `msg="index opened" member=310116-01 subjects=2`) {
		p.fail("the snapshot is not used after the kill")
	}
	p.end()
	if x := o.index(snapshot); x.Len() != 2 { // second and third, without reading the log
		t.Errorf("%d subjects in the snapshot of the stop after the kill", x.Len())
	}
}

// index opens the killed node's index as its next start does.
func (w *world) index(snapshot string) *federation.LogIndex {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.victim.Data, "storage.keys"))
	must(w.t, err)
	keys, err := keystore.Decode(b)
	must(w.t, err)
	s := w.reader(w.victim)
	w.t.Cleanup(func() { must(w.t, s.Close()) })
	x, refused, err := federation.OpenLogIndex(w.t.Context(), s, s, keys.Derive("match index"), snapshot)
	must(w.t, err)
	if refused != nil {
		w.t.Fatal(refused)
	}
	return x
}

// asked is the question for the number of person(name).
func asked(t *testing.T, name string) federation.Question {
	t.Helper()
	var p struct {
		Number string `json:"id_no"`
	}
	must(t, json.Unmarshal(person(name), &p))
	return federation.Question{IDNo: identifier.NewSecret(p.Number)}
}

// entry lets the peer publish an entry about somebody of that name.
func (w *world) entry(name string) record.RecordID {
	w.t.Helper()
	d, err := draft(record.Stream(peer, record.Records), "blacklist.person", person(name))
	must(w.t, err)
	_, err = w.peer.Append(w.t.Context(), record.Append{Drafts: []record.Draft{d}})
	must(w.t, err)
	return d.ID
}

func (w *world) withdraw(id record.RecordID) {
	w.t.Helper()
	d, err := draft(record.Stream(peer, record.Records), "blacklist.withdrawal", withdrawal("taken back"))
	must(w.t, err)
	d.Refs = []record.Ref{{Rel: record.Withdraws, ID: id, Version: 1}}
	_, err = w.peer.Append(w.t.Context(), record.Append{Drafts: []record.Draft{d}})
	must(w.t, err)
}

// follows waits until the killed node has the peer's first n records.
func (o *opened) follows(n uint64) {
	o.t.Helper()
	s := o.reader(o.victim)
	defer func() { must(o.t, s.Close()) }()
	o.eventually("the peer's records", func() bool {
		h, err := s.Head(context.Background(), record.Stream(peer, record.Records))
		return err == nil && h.Applied == n
	})
}
