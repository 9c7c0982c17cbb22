package events_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// tb is what testing.TB and rapid.T have in common.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

var ctx = context.Background()

// The members of the demo's operation (domain.md §7.3), and one that is not in it.
const (
	jinshan   record.MemberID = "310116-01"
	songjiang record.MemberID = "310117-01"
	pinghu    record.MemberID = "330482-01"
	wujiang   record.MemberID = "320509-01"
	jiashan   record.MemberID = "330421-01"
)

// alliance is all members' nodes in one place: each sees of the others' streams what the groups give it, at once.
type alliance struct {
	tb
	seal    record.Sealer
	streams map[record.StreamID][]record.Stored
	groups  map[record.GroupID][]record.MemberID
	slots   map[[2]string]slot
	boards  map[record.MemberID]*events.Board
	now     time.Time
	hidden  map[record.RecordID]bool // records that have not arrived at anybody else yet
	before  func()                   // runs once before the next append
	founded int
	fail    error
}

type slot struct {
	hash   [32]byte
	answer []byte
}

func newAlliance(t tb) *alliance {
	random := rand.NewChaCha8(sha256.Sum256([]byte("events")))
	a := &alliance{tb: t, streams: map[record.StreamID][]record.Stored{}, groups: map[record.GroupID][]record.MemberID{}, slots: map[[2]string]slot{},
		boards: map[record.MemberID]*events.Board{}, hidden: map[record.RecordID]bool{}, now: time.Date(2026, 4, 1, 9, 0, 0, 0, record.CivilZone)}
	a.seal = record.Sealer{Random: random, Current: func(g record.GroupID) (record.EpochKey, bool) {
		_, ok := a.groups[g]
		return record.EpochKey{ID: record.KeyID{1}}, ok
	}}
	for _, m := range []record.MemberID{jinshan, songjiang, pinghu, wujiang, jiashan} {
		n := &node{a, m}
		a.boards[m] = &events.Board{Log: n, Self: m, Now: func() time.Time { return a.now }, Random: random, Synthetic: true,
			NewGroup: func(_ context.Context, members []record.MemberID) (record.GroupID, error) {
				if a.fail != nil {
					return "", a.fail
				}
				id, err := record.NewBits128(random)
				a.founded++
				a.groups[record.GroupID(id.String())] = slices.Clone(members)
				return record.GroupID(id.String()), err
			},
			Replies: func(_ context.Context, _ record.RecordID, members []record.MemberID) ([]record.Stored, error) {
				var out []record.Stored
				for _, o := range members {
					for _, st := range n.sees(record.Stream(o, record.Records)) {
						if st.Meaning.Type == events.TypeReply {
							out = append(out, st)
						}
					}
				}
				return out, nil
			}}
	}
	return a
}

// node is one member's log.
type node struct {
	a    *alliance
	self record.MemberID
}

func (n *node) Append(_ context.Context, ap record.Append) (record.Appended, error) {
	a := n.a
	if f := a.before; f != nil {
		a.before = nil
		f()
	}
	if s, ok := a.slots[[2]string{ap.Scope, ap.Key}]; ok && ap.Key != "" {
		if s.hash != ap.BodyHash {
			return record.Appended{}, record.ErrIdempotencyConflict
		}
		return record.Appended{Repeated: true, Answer: s.answer}, nil
	}
	var out record.Appended
	for _, d := range ap.Drafts {
		subject, version := record.Meaning{ID: d.ID, Refs: d.Refs}.Subject()
		for _, st := range a.streams[d.Stream] {
			if s, v := st.Meaning.Subject(); s == subject && v == version {
				return record.Appended{}, record.ErrVersionTaken
			}
		}
		st, err := a.seal.Seal(d, uint64(len(a.streams[d.Stream])))
		if err != nil {
			return record.Appended{}, err
		}
		a.streams[d.Stream] = append(a.streams[d.Stream], st)
		out.Records = append(out.Records, record.Placed{ID: d.ID, Stream: d.Stream, Seq: st.Seq, Leaf: st.Leaf})
	}
	var err error
	if out.Answer, err = ap.Answer(out); err != nil {
		return record.Appended{}, err
	}
	if ap.Key != "" {
		a.slots[[2]string{ap.Scope, ap.Key}] = slot{ap.BodyHash, out.Answer}
	}
	return out, nil
}

func (n *node) Answered(_ context.Context, scope, key string) ([]byte, [32]byte, error) {
	s, ok := n.a.slots[[2]string{scope, key}]
	if !ok {
		return nil, [32]byte{}, record.ErrNotFound
	}
	return s.answer, s.hash, nil
}

func (n *node) Subject(_ context.Context, s record.StreamID, subject record.RecordID) ([]record.Stored, error) {
	var out []record.Stored
	for _, st := range n.sees(s) {
		if id, _ := st.Meaning.Subject(); id == subject || st.Meaning.IsZero() {
			out = append(out, st)
		}
	}
	return out, nil
}

// sees returns a stream as this node holds it: of a record for a group that it is not in the header alone.
func (n *node) sees(s record.StreamID) []record.Stored {
	var out []record.Stored
	for _, st := range n.a.streams[s] {
		if s.Member() == n.self {
			out = append(out, st)
			continue
		}
		if n.a.hidden[st.Meaning.ID] {
			continue
		}
		in := false
		for g := range st.Meaning.Audience {
			in = in || slices.Contains(n.a.groups[g], n.self)
		}
		if !in {
			st.Meaning, st.Parts = record.Meaning{}, nil
		}
		st.Parts = slices.DeleteFunc(slices.Clone(st.Parts), func(p record.StoredPart) bool { return p.Name == record.Home })
		out = append(out, st)
	}
	return out
}

func person(account string, roles ...workflow.Role) events.Request {
	return events.Request{Actor: events.Actor{Account: account, Certificate: "99000000001", Roles: roles, Unit: "SX-01"}}
}

var (
	liaison   = person("acc-11", workflow.Liaison)
	everybody = person("acc-99", workflow.Officer, workflow.Liaison, workflow.Coordinator, workflow.LegalReviewer, workflow.Head, workflow.System)
)

// plan is a payload of the demo's operation, changed.
func plan(t tb, set map[string]any) []byte {
	t.Helper()
	b, err := os.ReadFile("../schemas/operation/examples/good/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]jsontext.Value
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"lead_member": jinshan, "participants": []record.MemberID{jinshan, songjiang, pinghu, wujiang}, "start_at": "2026-04-15T06:30:00+08:00",
		"end_at": "2026-04-15T12:00:00+08:00", "embargo_until": "2026-04-15T06:30:00+08:00", "reply_by": "2026-04-10T18:00:00+08:00"}
	maps.Copy(all, set)
	for name, v := range all {
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

var (
	yes  = events.Details{Officers: 4, Cars: 1, Contact: "联络员-平湖", Phone: "15400000009", LegalBasis: "行政处罚法第26条"}
	no   = events.Details{Reason: "当日另有任务", LegalBasis: "行政处罚法第26条"}
	step = events.Change{Reason: "台风", LegalBasis: "行政处罚法第26条"}
)

func (a *alliance) must(done events.Done, err error) events.Done {
	a.Helper()
	if err != nil {
		a.Fatalf("%v", err)
	}
	return done
}

func (a *alliance) proposed() events.On {
	a.Helper()
	return a.must(a.boards[jinshan].Plan(ctx, liaison, plan(a, nil))).On
}

// confirmed lets everybody accept.
func (a *alliance) confirmed() events.On {
	a.Helper()
	on := a.proposed()
	for _, m := range []record.MemberID{songjiang, pinghu, wujiang} {
		a.must(a.boards[m].Accept(ctx, liaison, on, yes))
	}
	return on
}

func (a *alliance) at(m record.MemberID, on events.On) events.Operation {
	a.Helper()
	o, err := a.boards[m].Operation(ctx, on.Stream, on.ID)
	if err != nil {
		a.Fatal(err)
	}
	return o
}

// code returns the code of a refusal or of the first violation.
func code(err error) string {
	var no *events.Refusal
	var bad *events.Invalid
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

func refusedWith(t *testing.T, want string, _ events.Done, err error) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
}
