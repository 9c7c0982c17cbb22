package federation_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// heard asks once and returns the body that the other desk got.
func heard(t *testing.T, c *county, req federation.AskRequest) []byte {
	t.Helper()
	var body []byte
	before := c.call
	c.call = func(_ context.Context, _, _ *desk, b []byte) ([]byte, error) {
		body = bytes.Clone(b)
		return nil, federation.ErrUnreachable
	}
	defer func() { c.call = before }()
	_, err := c.desks[0].Ask(t.Context(), req)
	must(t, err)
	return body
}

func TestHub_Reply_strict(t *testing.T) {
	c := open(t, 2, true)
	body := string(heard(t, c, ask(byID(testID))))
	b := c.desks[1]
	for name, row := range map[string]struct {
		body string
		from record.MemberID
		want error
	}{
		"garbage":            {"garbage", c.code(0), federation.ErrMalformed},
		"empty":              {"", c.code(0), federation.ErrMalformed},
		"unknown identifier": {strings.Replace(body, `"id_no"`, `"face"`, 1), c.code(0), federation.ErrMalformed},
		"unknown member":     {strings.Replace(body, `"v":1`, `"v":1,"w":2`, 1), c.code(0), federation.ErrMalformed},
		"duplicate member":   {strings.Replace(body, `"v":1`, `"v":1,"v":1`, 1), c.code(0), federation.ErrMalformed},
		"case variant":       {strings.Replace(body, `"purpose"`, `"Purpose"`, 1), c.code(0), federation.ErrMalformed},
		"later format":       {strings.Replace(body, `"v":1`, `"v":2`, 1), c.code(0), federation.ErrMalformed},
		"too large":          {body + strings.Repeat(" ", federation.MaxAsk), c.code(0), federation.ErrMalformed},
		"in another's name":  {body, c.code(1), federation.ErrNotSender},
		"another federation": {strings.Replace(body, b.dir.Federation().String(), strings.Repeat("ab", 32), 1), c.code(0), federation.ErrOtherFederation},
		"stranger":           {strings.Replace(body, string(c.code(0)), "999999-01", 1), "999999-01", federation.ErrNotMember},
	} {
		t.Run(name, func(t *testing.T) {
			note, err := b.Reply(t.Context(), row.from, []byte(row.body), c.token())
			if !errors.Is(err, row.want) || note != nil {
				t.Errorf("%v, want %v", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), testID) {
				t.Error("the error shows the question")
			}
		})
	}
	if len(b.log.audit) != 0 {
		t.Errorf("what is no ask was audited: %v", b.log.types())
	}
}

// TestHub_Reply_refused: what the answerer will not answer is a signed, audited refusal, whatever the asker checked.
func TestHub_Reply_refused(t *testing.T) {
	for name, change := range map[string][3]string{
		"purpose":  {`"RAID"`, `"NOSY"`, federation.RefusedPurpose},
		"work ref": {`"inspection"`, `""`, federation.RefusedWorkRef},
		"question": {`"id_no":"` + testID + `"`, ``, federation.RefusedQuestion},
		"account":  {`"u-1"`, `""`, federation.RefusedPerson},
		"day":      {`"2026-03-13"`, `"2026-13-13"`, federation.RefusedAsOf},
		"far day":  {`"2026-03-13"`, `"2024-03-13"`, federation.RefusedAsOf},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, 2, true)
			c.publish(c.desks[1], record.L3, entryAt{id: testID}, false)
			c.desks[1].AsOfDays = 1
			c.call = func(ctx context.Context, from, to *desk, body []byte) ([]byte, error) {
				return c.deliver(ctx, from, to, bytes.Replace(body, []byte(change[0]), []byte(change[1]), 1))
			}
			got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
			must(t, err)
			want := federation.Refused
			if strings.HasSuffix(name, "day") {
				want = federation.Incompatible // its answer repeats another day than ours
			}
			if m := got.Members[1]; m.State != want || m.State == federation.Refused && m.Reason != change[2] || got.Outcome != federation.Incomplete {
				t.Errorf("%s, %+v", got.Outcome, m)
			}
			b := c.desks[1].log.audit
			if len(b) != 1 || !bytes.Contains(b[0].Parts[record.Body], []byte(`"refused"`)) || !bytes.Contains(b[0].Parts[record.Body], []byte(change[2])) {
				t.Errorf("audit of the refusal: %v", c.desks[1].log.types())
			}
		})
	}
}

func TestHub_Reply_repeat(t *testing.T) {
	c := open(t, 2, true)
	now := start
	c.now = func() time.Time { return now }
	b := c.desks[1]
	e := c.publish(b, record.L3, entryAt{id: testID}, false)
	body := heard(t, c, ask(byID(testID)))
	token := c.token()
	first, err := b.Reply(t.Context(), c.code(0), body, token)
	must(t, err)
	if !bytes.Contains(first, []byte(e.subject.String())) {
		t.Fatal("no hit")
	}
	if _, err := b.Reply(t.Context(), c.code(0), body, token); !errors.Is(err, record.ErrReplayed) {
		t.Errorf("same token: %v", err)
	}
	// A new entry appears: a repeat shows only what its audit record names.
	c.publish(b, record.L3, entryAt{id: testID}, false)
	second, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	if !bytes.Equal(second, first) {
		t.Errorf("repeat differs:\n%s\n%s", first, second)
	}
	if got := b.log.types(); len(got) != 1 {
		t.Errorf("audit: %v", got)
	}
	// Same id, other question.
	other := bytes.Replace(body, []byte(testID), []byte(otherID), 1)
	if _, err := b.Reply(t.Context(), c.code(0), other, c.token()); !errors.Is(err, record.ErrReplayed) {
		t.Errorf("same ask id, other question: %v", err)
	}
	view := b.View
	b.View = func(context.Context, record.StreamID, record.RecordID, string) (federation.SubjectView, bool, error) {
		return federation.SubjectView{}, false, errBroken
	}
	unread, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	if !bytes.Contains(unread, []byte(`"partial","reason":"storage"`)) {
		t.Errorf("record unreadable: %s", unread)
	}
	b.View = view
	// The record changed since: nothing is shown that the audit record does not name, and the answer says so.
	b.entries[0].view.Record.Meaning.ID[0] ^= 1
	changed, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	if bytes.Contains(changed, []byte(e.subject.String())) || !bytes.Contains(changed, []byte(`"partial","reason":"changed"`)) {
		t.Errorf("changed record: %s", changed)
	}
	c.withdraw(b, e)
	gone, err := b.Reply(t.Context(), c.code(0), body, c.token())
	must(t, err)
	if bytes.Contains(gone, []byte(e.subject.String())) {
		t.Error("a withdrawn entry is shown in a repeat")
	}
	now = now.Add(61 * time.Second)
	if _, err := b.Reply(t.Context(), c.code(0), body, c.token()); !errors.Is(err, record.ErrReplayed) {
		t.Errorf("after the token's life: %v", err)
	}
}

// TestHub_Reply_partial_repeat: a repeat of a partial answer is not better than the first.
func TestHub_Reply_partial_repeat(t *testing.T) {
	c := open(t, 2, true)
	b := c.desks[1]
	c.publish(b, record.L3, entryAt{id: testID}, false)
	released := false
	b.Released = func() bool { return released }
	body := heard(t, c, ask(byID(testID)))
	for range 2 {
		note, err := b.Reply(t.Context(), c.code(0), body, c.token())
		must(t, err)
		if !bytes.Contains(note, []byte(`"state":"partial","reason":"unreleased","checkpoint":""`)) || !bytes.Contains(note, []byte(`"hits":[]`)) {
			t.Errorf("%s", note)
		}
		released = true
	}
}

func TestHub_Reply_partial(t *testing.T) {
	for name, row := range map[string]struct {
		set    func(c *county, b *desk)
		reason string
		hit    bool
	}{
		"index behind": {func(c *county, b *desk) { b.applied[b.Records]-- }, federation.ReasonIndexBehind, true},
		"unsigned tail": {func(c *county, b *desk) {
			h := b.log.heads[b.Records]
			h.Size++
			b.log.heads[b.Records], b.applied[b.Records] = h, h.Size
		}, federation.ReasonUnreleased, true},
		"record unreadable": {func(c *county, b *desk) {
			b.View = func(context.Context, record.StreamID, record.RecordID, string) (federation.SubjectView, bool, error) {
				return federation.SubjectView{}, false, errBroken
			}
		}, federation.ReasonStorage, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, 2, true)
			b := c.desks[1]
			b.IndexWait = time.Millisecond
			c.publish(b, record.L3, entryAt{id: testID}, false)
			row.set(c, b)
			got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
			must(t, err)
			m := got.Members[1]
			if m.State != federation.Partial || m.Reason != row.reason || got.K != 1 || (got.Outcome == federation.Hit) != row.hit {
				t.Errorf("%s %d/%d, %+v", got.Outcome, got.K, got.N, m)
			}
			if none, err := c.desks[0].Ask(t.Context(), ask(byID(otherID))); err != nil || row.hit && none.Outcome != federation.Incomplete {
				t.Errorf("%v, %v", none.Outcome, err)
			}
		})
	}
	c := open(t, 2, true)
	c.desks[1].broken = errBroken
	got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
	must(t, err)
	if got.Outcome != federation.Incomplete || got.Members[1].State == federation.Answered {
		t.Errorf("index unreadable: %s, %+v", got.Outcome, got.Members[1])
	}
}

// TestHub_stale: different charter versions on the two sides are an error that names both, never an answer.
func TestHub_stale(t *testing.T) {
	for _, newer := range []int{0, 1} {
		c := open(t, 2, true)
		v2 := c.sign(c.renewed(c.first), 0, 1)
		_, err := c.desks[newer].dir.Add(v2)
		must(t, err)
		got, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
		must(t, err)
		if got.Outcome != federation.Incomplete || got.Members[1].State != federation.StaleCharter {
			t.Errorf("newer at %d: %s, %+v", newer, got.Outcome, got.Members[1])
		}
		if types := c.desks[1].log.types(); len(types) != 1 {
			t.Errorf("audit: %v", types)
		}
		_, err = c.desks[1-newer].dir.Add(v2)
		must(t, err)
		got, err = c.desks[0].Ask(t.Context(), ask(byID(testID)))
		must(t, err)
		if got.Outcome != federation.NoHit {
			t.Errorf("after the fetch: %s", got.Outcome)
		}
	}
}
