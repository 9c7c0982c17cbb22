package blacklist_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// tb is what testing.TB and rapid.T have in common.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// memory is the part of a record.Log that the Register needs: a slice for each stream, with the origin's view of what was
// superseded or withdrawn.
type memory struct {
	seal    record.Sealer
	streams map[record.StreamID][]record.Stored
	slots   map[[2]string]slot
	before  func() // runs once before the next append: what another person does meanwhile
	reading func() // the same before the next reading of a subject
	fail    error
}

type slot struct {
	hash   [32]byte
	answer []byte
}

func newMemory(seed string) *memory {
	random := rand.NewChaCha8(sha256.Sum256([]byte(seed)))
	return &memory{streams: map[record.StreamID][]record.Stored{}, slots: map[[2]string]slot{},
		seal: record.Sealer{Random: random, Current: func(record.GroupID) (record.EpochKey, bool) { return record.EpochKey{ID: record.KeyID{1}}, true }}}
}

func (m *memory) Append(_ context.Context, a record.Append) (record.Appended, error) {
	if f := m.before; f != nil {
		m.before = nil
		f()
	}
	if m.fail != nil {
		return record.Appended{}, m.fail
	}
	if s, ok := m.slots[[2]string{a.Scope, a.Key}]; ok && a.Key != "" {
		if s.hash != a.BodyHash {
			return record.Appended{}, record.ErrIdempotencyConflict
		}
		return record.Appended{Repeated: true, Answer: s.answer}, nil
	}
	streams := maps.Clone(m.streams)
	var out record.Appended
	for _, d := range a.Drafts {
		list := slices.Clone(streams[d.Stream])
		subject, version := record.Meaning{ID: d.ID, Refs: d.Refs}.Subject()
		for _, st := range list {
			if s, v := st.Meaning.Subject(); s == subject && v == version {
				return record.Appended{}, record.ErrVersionTaken
			}
		}
		st, err := m.seal.Seal(d, uint64(len(list)))
		if err != nil {
			return record.Appended{}, err
		}
		streams[d.Stream] = append(gone(list, st), st)
		out.Records = append(out.Records, record.Placed{ID: d.ID, Stream: d.Stream, Seq: st.Seq, Leaf: st.Leaf})
	}
	var err error
	if out.Answer, err = a.Answer(out); err != nil {
		return record.Appended{}, err
	}
	m.streams = streams
	if a.Key != "" {
		m.slots[[2]string{a.Scope, a.Key}] = slot{a.BodyHash, out.Answer}
	}
	return out, nil
}

// gone takes away what a new record deletes of older ones of its subject.
func gone(list []record.Stored, by record.Stored) []record.Stored {
	ref, ok := by.Meaning.Change()
	if !ok || !ref.Rel.Deletes() {
		return list
	}
	for i, st := range list {
		if s, _ := st.Meaning.Subject(); s != ref.ID {
			continue
		}
		list[i].Parts = slices.Clone(st.Parts)
		for j, p := range list[i].Parts {
			if p.State != record.PartGone {
				list[i].Parts[j] = record.StoredPart{Name: p.Name, State: record.PartGone, Keys: p.Keys, GoneBy: by.Seq}
			}
		}
	}
	return list
}

func (m *memory) Answered(_ context.Context, scope, key string) ([]byte, [32]byte, error) {
	s, ok := m.slots[[2]string{scope, key}]
	if !ok {
		return nil, [32]byte{}, record.ErrNotFound
	}
	return s.answer, s.hash, nil
}

func (m *memory) Record(_ context.Context, id record.RecordID) (record.Stored, error) {
	for _, list := range m.streams {
		for _, st := range list {
			if st.Meaning.ID == id {
				return st, nil
			}
		}
	}
	return record.Stored{}, record.ErrNotFound
}

func (m *memory) Subject(_ context.Context, s record.StreamID, subject record.RecordID) ([]record.Stored, error) {
	if f := m.reading; f != nil {
		m.reading = nil
		f()
	}
	var out []record.Stored
	for _, st := range m.streams[s] {
		if id, _ := st.Meaning.Subject(); id == subject {
			out = append(out, st)
		}
	}
	return out, nil
}

func (m *memory) leaves(s record.StreamID) []tlog.Hash {
	var out []tlog.Hash
	for _, st := range m.streams[s] {
		out = append(out, st.Leaf)
	}
	return out
}

const self record.MemberID = "310116-01"

var (
	shared = record.Stream(self, record.Records)
	local  = record.Stream(self, record.Local)
)

// desk is a bureau with its people.
type desk struct {
	tb
	log *memory
	reg *blacklist.Register
	now time.Time
	n   int
	typ string // of the list entries that it makes; empty = of a person
}

// monday is when the demo's history is loaded (domain.md §7.3).
var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, record.CivilZone)

func newDesk(t tb, seed string) *desk {
	d := &desk{tb: t, log: newMemory(seed), now: monday}
	d.reg = &blacklist.Register{Log: d.log, Self: self, Synthetic: true, Random: rand.NewChaCha8(sha256.Sum256([]byte("ids " + seed))),
		Now: func() time.Time { return d.now }}
	return d
}

func person(account string, roles ...workflow.Role) blacklist.Request {
	return blacklist.Request{Actor: blacklist.Actor{Account: account, Certificate: "99000000001", Roles: roles, Unit: "SX-01"}}
}

var (
	officer  = person("acc-1", workflow.Officer)
	liaison  = person("acc-11", workflow.Liaison)
	reviewer = person("acc-31", workflow.LegalReviewer)
	head     = person("acc-41", workflow.Head)
	node     = person("node", workflow.System)
	// everybody has every role and has done nothing yet: what is refused to him, the table or a guard refuses.
	everybody = person("acc-99", workflow.Officer, workflow.Liaison, workflow.LegalReviewer, workflow.Head, workflow.System)
)

func (d *desk) must(done blacklist.Done, err error) blacklist.Done {
	d.Helper()
	if err != nil {
		d.Fatalf("%v", err)
	}
	return done
}

var ctx = context.Background()

// example reads a good example of the catalogue, changed.
func example(t tb, path string, set map[string]any) []byte {
	t.Helper()
	b, err := os.ReadFile("../schemas/" + path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]jsontext.Value
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for name, v := range set {
		if v == nil {
			delete(m, name)
			continue
		}
		if m[name], err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	if b, err = json.Marshal(m, json.Deterministic(true)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (d *desk) penaltyPayload(set map[string]any) []byte {
	d.Helper()
	d.n++
	all := map[string]any{"doc_no": fmt.Sprintf("测金卫医罚〔2025〕9%03d", d.n)}
	maps.Copy(all, set)
	return example(d, "penalty/examples/good/person.json", all)
}

func (d *desk) entryPayload(penalty string, set map[string]any) []byte {
	d.Helper()
	all := map[string]any{"penalty_refs": []string{penalty}}
	if set["open_case"] == true {
		all["valid_until"] = "2026-05-31" // 90 days from Monday
	}
	return d.thing(cmp.Or(d.typ, blacklist.TypePerson), all, set)
}

// thing makes a list entry's payload of any type. Who and what the catalogue's example names is not here.
func (d *desk) thing(typ string, sets ...map[string]any) []byte {
	d.Helper()
	all, path := map[string]any{}, "blacklist.person/examples/good/entry.json"
	switch typ {
	case blacklist.TypePremises:
		path = "blacklist.premises/examples/good/entry.json"
		all = map[string]any{"persons_seen": nil, "landlord_notice_at": nil, "first_seen": "2026-02-20", "last_seen": "2026-02-27"}
	case blacklist.TypeInstitution:
		path = "blacklist.institution/examples/good/clinic.json"
	case blacklist.TypeHandle:
		path = "blacklist.handle/examples/good/plate.json"
		all = map[string]any{"person_refs": nil, "premises_refs": nil, "used_from": "2026-02-20"}
	}
	if typ != blacklist.TypePerson {
		maps.Copy(all, map[string]any{"valid_until": "2028-08-28", "occurred_at": "2026-02-20T10:00:00+08:00"})
	}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return example(d, path, all)
}

// penalty publishes a penalty and returns its subject.
func (d *desk) penalty(set map[string]any) blacklist.On {
	d.Helper()
	return d.published(blacklist.Proposal{Type: blacklist.TypePenalty, Payload: d.penaltyPayload(set)})
}

// published takes a proposal all the way.
func (d *desk) published(p blacklist.Proposal) blacklist.On {
	d.Helper()
	return d.must(d.reg.Publish(ctx, liaison, d.approved(p))).On
}

func (d *desk) inReview(p blacklist.Proposal) blacklist.On {
	d.Helper()
	return d.must(d.reg.Submit(ctx, officer, d.must(d.reg.Draft(ctx, officer, p)).On)).On
}

func (d *desk) approved(p blacklist.Proposal) blacklist.On {
	d.Helper()
	return d.must(d.reg.Approve(ctx, reviewer, d.inReview(p))).On
}

func (d *desk) proposal() blacklist.Proposal {
	d.Helper()
	return blacklist.Proposal{Type: cmp.Or(d.typ, blacklist.TypePerson), Payload: d.entryPayload(d.penalty(nil).ID.String(), nil)}
}

// entry publishes a list entry on a penalty of its own.
func (d *desk) entry() blacklist.On {
	d.Helper()
	return d.published(d.proposal())
}

func (d *desk) view(on blacklist.On, asOf string) blacklist.Entry {
	d.Helper()
	e, err := d.reg.Entry(ctx, shared, on.ID, asOf)
	if err != nil {
		d.Fatal(err)
	}
	return e
}

// paper is what a step of a published subject says about itself.
func paper(code string) blacklist.Change {
	return blacklist.Change{ReasonCode: code, Reason: "合成数据,仅供测试", DocumentHash: hash64, LegalBasis: "行政处罚法第26条", Purpose: "CORRECT"}
}

const hash64 = "abababababababababababababababababababababababababababababababab"

// code returns the code of a refusal or of the first violation.
func code(err error) string {
	var no *blacklist.Refusal
	var bad *blacklist.Invalid
	switch {
	case err == nil:
		return ""
	case errors.As(err, &no):
		return no.Code
	case errors.As(err, &bad):
		return bad.Violations[0].Code
	}
	return err.Error()
}

func refusedWith(t *testing.T, want string, _ blacklist.Done, err error) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
}

func (d *desk) viewp(on blacklist.On) *blacklist.Entry {
	d.Helper()
	e := d.view(on, "")
	return &e
}
