package federation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// purse grants so many questions and remembers what it was asked.
type purse struct {
	left    int
	charges []federation.Charge
}

func (p *purse) spend(_ context.Context, c federation.Charge) *federation.SpentError {
	p.charges = append(p.charges, c)
	if p.left--; p.left < 0 {
		return &federation.SpentError{Code: federation.SpentRate, Retry: 7 * time.Second}
	}
	return nil
}

// A question beyond the asker's budget does not leave; that it was refused is audited, and it says when to come again.
// What is ill-formed costs nothing, nor what the node asks anew by itself.
func TestHub_Ask_budget(t *testing.T) {
	c := open(t, 2, true)
	p := &purse{left: 1}
	c.desks[0].Spend = p.spend
	req := ask(byID(testID))
	bad := req
	bad.WorkRef.Number = " "
	if _, err := c.desks[0].Ask(t.Context(), bad); err == nil || len(p.charges) != 0 {
		t.Errorf("ill-formed: %v, %d charges", err, len(p.charges))
	}
	if _, err := c.desks[0].Ask(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	_, err := c.desks[0].Ask(t.Context(), req)
	var spent *federation.SpentError
	if !errors.As(err, &spent) || spent.Code != federation.SpentRate || spent.Retry != 7*time.Second || strings.Contains(err.Error(), testID) {
		t.Fatalf("%v", err)
	}
	if got := c.desks[0].log.types(); !slices.Equal(got, []string{"lookup.asked", "lookup.asked", "lookup.answered", "lookup.outcome", "lookup.asked"}) {
		t.Errorf("audit %v", got)
	}
	if len(c.desks[1].log.audit) != 1 {
		t.Errorf("%d questions reached the other", len(c.desks[1].log.audit))
	}
	req.Anew = true
	if _, err := c.desks[0].Ask(t.Context(), req); err != nil || len(p.charges) != 2 {
		t.Errorf("asked anew: %v, %d charges", err, len(p.charges))
	}
	if got := p.charges[0]; got.Member != c.desks[0].dir.Self() || got.Account != "u-1" || !strings.Contains(got.Subject.Reveal(), testID) {
		t.Errorf("charged %v", got)
	}
}

// The answering member counts for itself: beyond its budget it looks nothing up, audits that, and the answer is incomplete.
// A repeat of an answered ask costs nothing, and the refused ask id is not used up.
func TestHub_Reply_budget(t *testing.T) {
	c := open(t, 2, true)
	p := &purse{left: 1}
	c.desks[1].Spend = p.spend
	var body []byte
	c.call = func(ctx context.Context, from, to *desk, b []byte) ([]byte, error) {
		if to == c.desks[1] {
			body = b
		}
		return c.deliver(ctx, from, to, b)
	}
	if a, err := c.desks[0].Ask(t.Context(), ask(byID(testID))); err != nil || a.K != 2 {
		t.Fatalf("%v %v", a, err)
	}
	if _, err := c.desks[1].Reply(t.Context(), c.desks[0].dir.Self(), body, c.token()); err != nil || len(p.charges) != 1 {
		t.Errorf("a repeat: %v, %d charges", err, len(p.charges))
	}
	a, err := c.desks[0].Ask(t.Context(), ask(byID(testID)))
	if err != nil || a.Outcome != federation.Incomplete || a.Members[1].State != federation.Refused || a.Members[1].Reason != federation.SpentRate {
		t.Fatalf("%+v %v", a, err)
	}
	if got := c.desks[1].log.types(); !slices.Equal(got, []string{"lookup.answered", "lookup.answered"}) {
		t.Errorf("audit at the answering member: %v", got)
	}
	if last := c.desks[1].log.audit[1]; !strings.Contains(string(last.Parts[record.Body]), `"reason":"rate_limited"`) {
		t.Errorf("%s", last.Parts[record.Body])
	}
	p.left = 1
	if _, err := c.desks[1].Reply(t.Context(), c.desks[0].dir.Self(), body, c.token()); err != nil {
		t.Errorf("the refused ask, later: %v", err)
	}
	if got := p.charges[0]; got.Member != c.desks[0].dir.Self() {
		t.Errorf("charged %v", got)
	}
}

// Each variation of a question is another subject; the form it is typed in is not.
func TestHub_Ask_subjects(t *testing.T) {
	c := open(t, 1, true)
	p := &purse{left: 100}
	c.desks[0].Spend = p.spend
	put := func(change func(*federation.AskRequest)) string {
		req := ask(byID(testID))
		change(&req)
		if _, err := c.desks[0].Ask(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		return p.charges[len(p.charges)-1].Subject.Reveal()
	}
	first := put(func(*federation.AskRequest) {})
	if put(func(r *federation.AskRequest) { r.Question = byID(" " + testID + " ") }) != first {
		t.Error("spaces make another subject")
	}
	if put(func(r *federation.AskRequest) { r.Question.County = "310116" }) == first {
		t.Error("a county more makes no other subject")
	}
}

// A number that the officer does not hold is refused before it leaves, with an audit record that does not repeat it.
func TestHub_Ask_notHeld(t *testing.T) {
	c := open(t, 2, true)
	c.desks[0].Holds = func(_ context.Context, r *federation.AskRequest) (*federation.Refusal, error) {
		if r.WorkRef.Number == "310110-01-XC-20260313-001" {
			return &federation.Refusal{Code: federation.RefusedNotHeld, Pointer: "/work_ref/number"}, nil
		}
		return nil, nil
	}
	req := ask(byID(testID))
	req.WorkRef = federation.WorkRef{Kind: "spot_check", Number: "310110-01-XC-20260313-001"}
	_, err := c.desks[0].Ask(t.Context(), req)
	var ref *federation.Refusal
	if !errors.As(err, &ref) || ref.Code != federation.RefusedNotHeld || ref.Pointer != "/work_ref/number" {
		t.Fatalf("%v", err)
	}
	audit := c.desks[0].log.audit
	if len(audit) != 1 || len(c.desks[1].log.audit) != 0 || !strings.Contains(string(audit[0].Parts[record.Body]), `"refused":"work_ref_not_held"`) || strings.Contains(string(audit[0].Parts[record.Body]), "-XC-") {
		t.Errorf("%v", audit)
	}
}

// A number can only be of the member that asks: another's is refused by whoever answers, this one's is not.
func TestHub_Reply_anothersNumber(t *testing.T) {
	c := open(t, 2, true)
	for number, want := range map[string]federation.MemberState{"310110-01-XC-20260313-001": federation.Answered, "310111-01-XC-20260313-001": federation.Refused} {
		req := ask(byID(testID))
		req.WorkRef = federation.WorkRef{Kind: "spot_check", Number: number}
		a, err := c.desks[0].Ask(t.Context(), req)
		if err != nil || a.Members[1].State != want || want == federation.Refused && a.Members[1].Reason != federation.RefusedNotHeld {
			t.Errorf("%s: %v %v", number, a.Members[1].State, err)
		}
	}
}
