package federation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

func TestHub_Ask(t *testing.T) {
	c := open(t, 3, true)
	a := c.desks[0]
	e := c.publish(c.desks[1], record.L3, entryAt{id: testID}, true)

	got, err := a.Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.Hit || got.K != 3 || got.N != 3 || len(got.Hits) != 1 || len(got.Replica) != 0 || !got.Complete() {
		t.Fatalf("%s %d/%d, %d hits, %d copies", got.Outcome, got.K, got.N, len(got.Hits), len(got.Replica))
	}
	h := got.Hits[0]
	if h.Member != c.code(1) || h.Subject != e.subject || h.Level != record.L3 || string(h.Card) != `{"name_masked":"测某某"}` || string(h.Body) != `{"name":"测甲乙"}` {
		t.Errorf("hit %+v card %s body %s", h, h.Card, h.Body)
	}
	for _, m := range got.Members {
		if strings.Contains(string(m.Note), "canary-home") {
			t.Error("home left the node")
		}
	}
	none, err := a.Ask(t.Context(), ask(byID(otherID)))
	must(t, err)
	if none.Outcome != federation.NoHit || none.K != 3 || none.N != 3 {
		t.Errorf("%s %d/%d", none.Outcome, none.K, none.N)
	}
	if want := []string{"lookup.asked", "lookup.answered", "lookup.outcome", "lookup.asked", "lookup.answered", "lookup.outcome"}; !slices.Equal(a.log.types(), want) {
		t.Errorf("asker's audit: %v", a.log.types())
	}
	if want := []string{"lookup.answered", "lookup.answered"}; !slices.Equal(c.desks[2].log.types(), want) {
		t.Errorf("answerer's audit: %v", c.desks[2].log.types())
	}
}

// TestHub_audit: audit records fit their schema, the question stands in home alone, at the asker alone.
func TestHub_audit(t *testing.T) {
	c := open(t, 2, true)
	c.publish(c.desks[1], record.L3, entryAt{id: testID}, false)
	for _, q := range []federation.AskRequest{ask(byID(testID)), {Account: "u", Purpose: "NOSY"}, {}} {
		_, _ = c.desks[0].Ask(t.Context(), q)
	}
	for _, d := range c.desks {
		for _, draft := range d.log.audit {
			typ, ok := schemas.Lookup(draft.Type, draft.Schema)
			if !ok {
				t.Fatalf("no schema of %s", draft.Type)
			}
			parts := map[string][]byte{}
			for name, b := range draft.Parts {
				parts[string(name)] = b
			}
			payload, err := typ.Join(parts)
			must(t, err)
			if v := typ.Validate(payload, "2026-03-13"); len(v) > 0 {
				t.Errorf("%s: %v\n%s", draft.Type, v, payload)
			}
			split, err := typ.Split(payload)
			must(t, err)
			if len(split) != len(parts) {
				t.Errorf("%s: schema has %d parts, record %d", draft.Type, len(split), len(parts))
			}
			for name, b := range draft.Parts {
				if strings.Contains(string(b), testID) && (name != record.Home || d != c.desks[0]) {
					t.Errorf("%s of %s: the question stands in %s", draft.Type, d.dir.Self(), name)
				}
			}
			if draft.Stream.Kind() != record.Audit || len(draft.Audience) != 0 {
				t.Errorf("%s: stream %s", draft.Type, draft.Stream)
			}
		}
	}
	if got := c.desks[0].log.types(); !slices.Equal(got, []string{"lookup.asked", "lookup.answered", "lookup.outcome", "lookup.asked", "lookup.asked"}) {
		t.Errorf("refusals are not audited: %v", got)
	}
}

func TestHub_Ask_refused(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*federation.AskRequest)
		code   string
	}{
		"no purpose":      {func(r *federation.AskRequest) { r.Purpose = "" }, federation.RefusedPurpose},
		"unknown purpose": {func(r *federation.AskRequest) { r.Purpose = "raid" }, federation.RefusedPurpose},
		"no reference":    {func(r *federation.AskRequest) { r.WorkRef = federation.WorkRef{} }, federation.RefusedWorkRef},
		"unknown kind":    {func(r *federation.AskRequest) { r.WorkRef.Kind = "gossip" }, federation.RefusedWorkRef},
		"number of a day to come": {func(r *federation.AskRequest) {
			r.WorkRef = federation.WorkRef{Kind: "spot_check", Number: "310110-01-XC-20260320-001"}
		}, federation.RefusedWorkRef},
		"blank number":          {func(r *federation.AskRequest) { r.WorkRef.Number = "  " }, federation.RefusedWorkRef},
		"empty question":        {func(r *federation.AskRequest) { r.Question = federation.Question{} }, federation.RefusedQuestion},
		"nickname alone":        {func(r *federation.AskRequest) { r.Question = federation.Question{Name: identifier.NewSecret("老王")} }, federation.RefusedQuestion},
		"sex":                   {func(r *federation.AskRequest) { r.Question.Sex = "x" }, federation.RefusedQuestion},
		"county":                {func(r *federation.AskRequest) { r.Question.County = "金山" }, federation.RefusedQuestion},
		"birth date ill-formed": {func(r *federation.AskRequest) { r.Question.BirthDate = identifier.NewSecret("1902-02-30") }, federation.RefusedQuestion},
		"no account":            {func(r *federation.AskRequest) { r.Account = "" }, federation.RefusedPerson},
		"certificate":           {func(r *federation.AskRequest) { r.Certificate = "执法证" }, federation.RefusedPerson},
		"day":                   {func(r *federation.AskRequest) { r.AsOf = "2026-02-30" }, federation.RefusedAsOf},
		"unknown member":        {func(r *federation.AskRequest) { r.Scope = []record.MemberID{"999999-01"} }, federation.RefusedScope},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, 2, true)
			req := ask(byID(testID))
			row.change(&req)
			_, err := c.desks[0].Ask(t.Context(), req)
			var ref *federation.Refusal
			if !errors.As(err, &ref) || ref.Code != row.code {
				t.Fatalf("%v, want %s", err, row.code)
			}
			if strings.Contains(err.Error(), testID) || strings.Contains(err.Error(), testName) {
				t.Error("the error shows the question")
			}
			if got := c.desks[0].log.types(); !slices.Equal(got, []string{"lookup.asked"}) || len(c.desks[1].log.audit) > 0 {
				t.Errorf("audit %v and %d at the other", got, len(c.desks[1].log.audit))
			}
		})
	}
}

// TestHub_Ask_unaudited: without a durable record nothing is asked and nothing is answered.
func TestHub_Ask_unaudited(t *testing.T) {
	c := open(t, 2, true)
	called := false
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		called = true
		return c.deliver(ctx, from, to, body)
	}
	c.desks[0].log.fail = record.ErrStorageFull
	if _, err := c.desks[0].Ask(t.Context(), ask(byID(testID))); !errors.Is(err, record.ErrStorageFull) || called {
		t.Errorf("asker's disk full: %v, asked %v", err, called)
	}
	if _, err := c.desks[0].Ask(t.Context(), federation.AskRequest{}); !errors.Is(err, record.ErrStorageFull) {
		t.Errorf("refusal not audited: %v", err)
	}
	c.desks[0].log.fail, c.desks[1].log.fail = nil, record.ErrStorageFull
	got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.Incomplete || got.Members[1].State != federation.Refused || got.Members[1].Reason != "storage_full" {
		t.Errorf("answerer's disk full: %s, %+v", got.Outcome, got.Members[1])
	}
}

// TestHub_Ask_deadline: under a fake clock every ask ends at the deadline exactly, names who is missing and leaves no
// goroutine that its transport would not have ended.
func TestHub_Ask_deadline(t *testing.T) {
	for _, silent := range []int{0, 1, 2} {
		t.Run(fmt.Sprintf("%d silent", silent), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := open(t, 3, true)
				zero := time.Now()
				c.now = func() time.Time { return start.Add(time.Since(zero)) }
				released := make(chan struct{})
				c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
					if i := slices.Index(c.desks, to); i <= silent {
						<-released // black-holed: the context does not end it
						return nil, federation.ErrUnreachable
					}
					time.Sleep(1999 * time.Millisecond)
					return c.deliver(ctx, from, to, body)
				}
				begin := time.Now()
				got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
				must(t, err)
				took := time.Since(begin)
				if silent == 0 {
					if took != 1999*time.Millisecond || got.Outcome != federation.NoHit {
						t.Errorf("%s after %s", got.Outcome, took)
					}
				} else if took != federation.DefaultDeadline || got.Outcome != federation.Incomplete || got.K != 3-silent || got.N != 3 ||
					!slices.Equal(got.Missing(), []record.MemberID{c.code(1), c.code(2)}[:silent]) {
					t.Errorf("%s %d/%d missing %v after %s", got.Outcome, got.K, got.N, got.Missing(), took)
				}
				for _, m := range got.Members[1 : 1+silent] {
					if m.State != federation.Timeout {
						t.Errorf("%s: %s", m.Member, m.State)
					}
				}
				close(released)
				synctest.Wait()
			})
		})
	}
}

// TestHub_Ask_scope: n shrinks only by the asker's choice, and the answer prints it.
func TestHub_Ask_scope(t *testing.T) {
	c := open(t, 4, true)
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		if to == c.desks[3] {
			return nil, federation.ErrUnreachable
		}
		return c.deliver(ctx, from, to, body)
	}
	got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.Incomplete || got.K != 3 || got.N != 4 || got.Scoped {
		t.Errorf("%s %d/%d scoped %v", got.Outcome, got.K, got.N, got.Scoped)
	}
	req := ask(byID(testID))
	req.Scope = []record.MemberID{c.code(2), c.code(0), c.code(2)}
	got, err = c.desks[0].Ask(t.Context(), req)
	must(t, err)
	if got.Outcome != federation.NoHit || got.N != 2 || !got.Scoped || !slices.Equal(got.Scope, []record.MemberID{c.code(0), c.code(2)}) {
		t.Errorf("%s %d/%d scope %v", got.Outcome, got.K, got.N, got.Scope)
	}
	if len(c.desks[1].log.audit) != 1 {
		t.Error("a member out of scope was asked")
	}
}

// TestHub_Ask_replica: copies show first, with their age, and never count; the origin's answer beats a copy that is not
// newer.
func TestHub_Ask_replica(t *testing.T) {
	c := open(t, 3, true)
	e := c.publish(c.desks[1], record.L3, entryAt{id: testID}, true)
	first := make(chan []federation.ReplicaHit, 1)
	req := ask(byID(testID))
	req.First = func(r []federation.ReplicaHit) { first <- r }
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		return nil, federation.ErrUnreachable
	}
	got, err := c.desks[0].Ask(t.Context(), req)
	must(t, err)
	if got.Outcome != federation.Incomplete || got.K != 1 || got.N != 3 || len(got.Hits) != 0 || len(got.Replica) != 1 {
		t.Fatalf("cut off: %s %d/%d, %d copies", got.Outcome, got.K, got.N, len(got.Replica))
	}
	if r := got.Replica[0]; r.Age != time.Minute || r.Gone || r.Subject != e.subject || r.Member != c.code(1) {
		t.Errorf("copy %+v", r)
	}
	if r := <-first; len(r) != 1 {
		t.Error("the copy was not shown first")
	}
	// Withdrawn at the origin, which is reachable; not yet here.
	c.call = nil
	c.withdraw(c.desks[1], e)
	got, err = c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.NoHit || len(got.Replica) != 1 || !got.Replica[0].Gone {
		t.Errorf("withdrawn at origin: %s, %+v", got.Outcome, got.Replica)
	}
	// The origin answers partially: the copy stands, unflagged.
	c.desks[1].Released = func() bool { return false }
	got, err = c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.Incomplete || len(got.Replica) != 1 || got.Replica[0].Gone {
		t.Errorf("partial origin: %s, %+v", got.Outcome, got.Replica)
	}
}

// TestHub_Ask_newer_copy: a copy that is newer than what its origin's answer covers forbids "no hit".
func TestHub_Ask_newer_copy(t *testing.T) {
	c := open(t, 2, true)
	e := c.publish(c.desks[1], record.L3, entryAt{id: testID}, true)
	c.desks[1].entries = nil
	c.desks[0].entries[0].view.Record.Seq = 7
	got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.K != 2 || got.Outcome != federation.Incomplete || len(got.Replica) != 1 || got.Replica[0].Gone {
		t.Errorf("%s %d/%d, copies %+v", got.Outcome, got.K, got.N, got.Replica)
	}
	cert, err := c.desks[0].Certificate(got)
	must(t, err)
	if back, err := federation.VerifyAnswer(cert, c.directory(-1)); err != nil || back.Outcome != federation.Incomplete {
		t.Errorf("certificate: %v", err)
	}
	// An older version of what the origin names is not shown beside it, a newer one is.
	for version, copies := range map[uint64]int{1: 0, 2: 1} {
		c.desks[0].entries[0].view.Version = version
		c.desks[1].entries = []entryAt{e}
		got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
		must(t, err)
		if got.Outcome != federation.Hit || len(got.Replica) != copies {
			t.Errorf("copy of version %d: %s, %d copies", version, got.Outcome, len(got.Replica))
		}
	}
}

// TestHub_Ask_no_checkpoint: an answer over records without their signed checkpoint does not count, also when nothing is
// known of the member's records here.
func TestHub_Ask_no_checkpoint(t *testing.T) {
	c := open(t, 2, true)
	c.commit(c.desks[1], 3)
	c.commit(c.desks[0], 3)
	v := &vector{county: c, t: t}
	for name, change := range map[string]func(text string) string{
		"left out": func(text string) string {
			i := strings.Index(text, `"checkpoint":"`) + len(`"checkpoint":"`)
			return text[:i] + text[i+strings.Index(text[i:], `"`):]
		},
		"signature spoiled": func(text string) string {
			i := strings.Index(text, `\n","index"`) - 20
			return text[:i] + strings.Map(func(r rune) rune {
				if r >= 'a' && r < 'z' {
					return r + 1
				}
				return r
			}, text[i:i+10]) + text[i+10:]
		},
		"of another member": func(text string) string {
			i := strings.Index(text, `"checkpoint":"`) + len(`"checkpoint":"`)
			return text[:i] + strings.ReplaceAll(string(c.desks[0].log.heads[c.desks[0].Records].Checkpoint), "\n", `\n`) + text[i+strings.Index(text[i:], `"`):]
		},
	} {
		c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
			return signedBy(own, func(_ *vector, text string) string { return change(text) })(v, ctx, from, to, body)
		}
		got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
		must(t, err)
		if m := got.Members[1]; m.State != federation.Incompatible || m.Reason != federation.ReasonCheckpoint || got.Outcome != federation.Incomplete {
			t.Errorf("%s: %s, %s %s", name, got.Outcome, m.State, m.Reason)
		}
	}
}

// TestHub_Ask_behind: a member that speaks for fewer records than it has signed to us does not count.
func TestHub_Ask_behind(t *testing.T) {
	c := open(t, 2, true)
	c.commit(c.desks[1], 9)
	c.desks[0].log.heads[c.desks[1].Records] = c.desks[1].log.heads[c.desks[1].Records]
	c.commit(c.desks[1], 5)
	got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.Incomplete || got.Members[1].State != federation.Partial || got.Members[1].Reason != federation.ReasonBehindReplica {
		t.Errorf("%s, %+v", got.Outcome, got.Members[1])
	}
}

// TestHub_levels: what an asker is told of an entry at each level, by an identifier and by name.
func TestHub_levels(t *testing.T) {
	weak := federation.Question{Name: identifier.NewSecret(testName), BirthDate: identifier.NewSecret("1902-03-04")}
	for _, row := range []struct {
		level       record.Level
		hit, weak   bool
		card, bodyT bool
	}{
		{record.L0, false, false, false, false},
		{record.L1, true, false, false, false},
		{record.L2, true, true, true, false},
		{record.L3, true, true, true, true},
	} {
		t.Run(row.level.String(), func(t *testing.T) {
			c := open(t, 2, true)
			c.publish(c.desks[1], row.level, entryAt{id: testID, weak: testName + "1902-03-04"}, false)
			for _, q := range []struct {
				question federation.Question
				want     bool
				outcome  federation.Outcome
			}{{byID(testID), row.hit, federation.Hit}, {weak, row.weak, federation.Possible}} {
				got, err := c.desks[0].Ask(t.Context(), ask(q.question))
				must(t, err)
				if !q.want {
					if got.Outcome != federation.NoHit || len(got.Hits) != 0 {
						t.Errorf("%s with %d hits", got.Outcome, len(got.Hits))
					}
					continue
				}
				if got.Outcome != q.outcome || len(got.Hits) != 1 || (got.Hits[0].Card != nil) != row.card || (got.Hits[0].Body != nil) != row.bodyT {
					t.Errorf("%s, %+v", got.Outcome, got.Hits)
				}
			}
		})
	}
}

// TestHub_sealed: an entry for some members only is not there for the others.
func TestHub_sealed(t *testing.T) {
	c := open(t, 3, true)
	note, err := federation.NewAgreement(c.random, c.desks[0].dir, []record.MemberID{c.code(1)}, day0)
	must(t, err)
	ag, err := federation.ParseAgreement(note)
	must(t, err)
	for _, d := range c.desks[:2] {
		_, err := d.dir.AddAgreement(note)
		must(t, err)
	}
	e := c.publish(c.desks[0], record.L3, entryAt{id: testID}, false)
	st, err := (&record.Sealer{Random: c.random, Current: c.desks[0].dir.CurrentEpoch}).Seal(record.Draft{Stream: e.stream, ID: e.subject, Type: "blacklist.person",
		Schema: "1", Day: day0, Audience: map[record.GroupID]record.Level{ag.Group: record.L3},
		Parts: map[record.PartName][]byte{record.Card: []byte(`{"a":1}`), record.Body: []byte(`{"b":1}`)}}, 0)
	must(t, err)
	c.desks[0].entries[0].view.Record = st
	for i, want := range []federation.Outcome{federation.Hit, federation.Hit, federation.NoHit} {
		got, err := c.desks[i].Ask(t.Context(), ask(byID(testID)))
		must(t, err)
		if got.Outcome != want {
			t.Errorf("member %d: %s", i, got.Outcome)
		}
	}
}

// TestHub_testOnly: a member without agreement data asks and answers with purpose TEST only, and "no hit" is impossible.
func TestHub_testOnly(t *testing.T) {
	a := &alliance{t: t, random: seeded("test only hub")}
	var requests [][]byte
	for i := range 3 {
		k := a.bureau()
		e := entry(k.Member)
		if i == 1 {
			e.PIPIANo = ""
		}
		r, err := federation.NewRequest(k, e)
		must(t, err)
		requests = append(requests, r)
	}
	text, err := federation.Found(a.random, federation.Founding{Name: "测", Day: day0}, requests...)
	must(t, err)
	a.first = a.sign(text, 0, 1, 2)
	c := openAlliance(t, a)
	c.publish(c.desks[0], record.L3, entryAt{id: testID}, true)

	got, err := c.desks[2].Ask(t.Context(), ask(byID(otherID)))
	must(t, err)
	if got.Outcome != federation.Incomplete || got.Members[1].State != federation.Refused || got.Members[1].Reason != federation.RefusedTestOnly || got.K != 2 {
		t.Errorf("full member asks: %s %d/%d %+v", got.Outcome, got.K, got.N, got.Members[1])
	}
	scoped := ask(byID(otherID))
	scoped.Scope = []record.MemberID{c.code(0), c.code(2)}
	got, err = c.desks[2].Ask(t.Context(), scoped)
	must(t, err)
	if got.Outcome != federation.NoHit {
		t.Errorf("scope without it: %s", got.Outcome)
	}
	var ref *federation.Refusal
	if _, err := c.desks[1].Ask(t.Context(), ask(byID(testID))); !errors.As(err, &ref) || ref.Code != federation.RefusedTestOnly {
		t.Errorf("it asks for a raid: %v", err)
	}
	for i := range c.desks {
		exercise := ask(byID(testID))
		exercise.Purpose = federation.PurposeTest
		got, err := c.desks[i].Ask(t.Context(), exercise)
		must(t, err)
		if got.Outcome != federation.Incomplete || got.K != 3 || len(got.Hits) != 0 || len(got.Replica) != 0 {
			t.Errorf("exercise by %d: %s %d/%d, %d hits, %d copies", i, got.Outcome, got.K, got.N, len(got.Hits), len(got.Replica))
		}
	}
	// In a synthetic federation an exercise finds and does not find.
	c = open(t, 2, true)
	c.publish(c.desks[0], record.L3, entryAt{id: testID}, false)
	for id, want := range map[string]federation.Outcome{testID: federation.Hit, otherID: federation.NoHit} {
		exercise := ask(byID(id))
		exercise.Purpose = federation.PurposeTest
		got, err := c.desks[1].Ask(t.Context(), exercise)
		must(t, err)
		if got.Outcome != want {
			t.Errorf("synthetic exercise: %s, want %s", got.Outcome, want)
		}
	}
}

// TestVerifyAnswer: a certificate verifies with the charter alone, and no claim can be bettered.
func TestVerifyAnswer(t *testing.T) {
	c := open(t, 3, true)
	c.publish(c.desks[1], record.L3, entryAt{id: testID}, true)
	down := false
	c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
		if down && to == c.desks[2] {
			return nil, federation.ErrUnreachable
		}
		return c.deliver(ctx, from, to, body)
	}
	outsider := c.directory(-1)
	certify := func(id string) ([]byte, *federation.Answer) {
		t.Helper()
		a, err := c.desks[0].Ask(t.Context(), ask(byID(id)))
		must(t, err)
		cert, err := c.desks[0].Certificate(a)
		must(t, err)
		back, err := federation.VerifyAnswer(cert, outsider)
		must(t, err)
		if back.Outcome != a.Outcome || back.K != a.K || back.N != a.N || len(back.Hits) != len(a.Hits) || back.AsOf != a.AsOf {
			t.Errorf("read back %s %d/%d, want %s %d/%d", back.Outcome, back.K, back.N, a.Outcome, a.K, a.N)
		}
		return cert, a
	}
	certify(testID)
	clean, _ := certify(otherID)
	down = true
	holed, answer := certify(otherID)
	if answer.Outcome != federation.Incomplete {
		t.Fatal(answer.Outcome)
	}
	resign := func(cert []byte, change ...string) []byte {
		text := strings.NewReplacer(change...).Replace(string(cert[:strings.LastIndex(string(cert), "\n\n")+1]))
		n, err := c.keys[0].Signer().Note("pilin/"+outsider.Federation().String()+"/"+string(c.code(0))+"/certificate", text)
		must(t, err)
		return n
	}
	if _, err := federation.VerifyAnswer(resign(clean), outsider); err != nil {
		t.Fatalf("signed again: %v", err)
	}
	for name, bad := range map[string][]byte{
		"not signed by the asker": []byte(strings.Replace(string(clean), `"k":3`, `"k":2`, 1)),
		"incomplete made no_hit":  resign(holed, `"outcome":"incomplete"`, `"outcome":"no_hit"`),
		"k raised":                resign(holed, `"outcome":"incomplete","k":2`, `"outcome":"no_hit","k":3`),
		"unreachable answered":    resign(holed, `"outcome":"incomplete","k":2`, `"outcome":"no_hit","k":3`, `"unreachable"`, `"answered"`),
		"member left out": resign(holed, `"outcome":"incomplete","k":2,"n":3`, `"outcome":"no_hit","k":2,"n":2`,
			`,{"member":"`+string(c.code(2))+`","state":"unreachable","reason":"","note":""}`, ""),
		"another question": resign(clean, otherID, testID),
		"answers reused":   resign(clean, `"salt":"`, `"salt":"00`),
	} {
		if a, err := federation.VerifyAnswer(bad, outsider); err == nil {
			t.Errorf("%s: verified as %s %d/%d", name, a.Outcome, a.K, a.N)
		}
	}
	// The certificate of a member without a valid key of this federation is nothing.
	if _, err := federation.VerifyAnswer(clean, open(t, 2, true).directory(-1)); err == nil {
		t.Error("verified under another charter")
	}
}

func TestQuestion_redacted(t *testing.T) {
	q := federation.Question{Name: identifier.NewSecret(testName), IDNo: identifier.NewSecret(testID)}
	b, err := json.Marshal(q)
	must(t, err)
	for _, s := range []string{fmt.Sprint(q), fmt.Sprintf("%+v %#v %q %x", q, q, q, q), fmt.Sprintf("%+v", ask(q)), string(b)} {
		if strings.Contains(s, testID) || strings.Contains(s, testName) || strings.Contains(s, fmt.Sprintf("%x", testID)) {
			t.Errorf("printed: %s", s)
		}
	}
}
