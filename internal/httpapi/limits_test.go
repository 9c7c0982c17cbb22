package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// A spent budget is a 429 that says when to come again, in both languages, and does not repeat what was asked; programs
// read the time from the client's error.
func TestPeople_spent_budget(t *testing.T) {
	for code, retry := range map[string]time.Duration{federation.SpentRate: 2500 * time.Millisecond, federation.SpentSubjects: 9 * time.Hour} {
		t.Run(code, func(t *testing.T) {
			o := offices(t, 1)[0].open()
			d := o.client(t, "officer", "officer")
			o.hub.Spend = func(context.Context, federation.Charge) *federation.SpentError {
				return &federation.SpentError{Code: code, Retry: retry}
			}
			_, err := d.Ask(t.Context(), client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测1"}, Question: client.Question{IDNo: personID}})
			var p *client.Problem
			if !errors.As(err, &p) || p.Status != http.StatusTooManyRequests || p.Code != code || p.Detail == "" || p.DetailEn == "" || p.RetryAfter != retry.Round(time.Second) {
				t.Fatalf("%v %+v", err, p)
			}
			if strings.Contains(fmt.Sprintf("%+v", p), personID) {
				t.Error("the answer repeats the question")
			}
			types, bodies := o.audits()
			if n := len(types) - 1; types[n] != "lookup.asked" || !strings.Contains(bodies[n], `"refused":"`+code+`"`) {
				t.Errorf("not audited: %v", types)
			}
		})
	}
}

// Between members a spent budget is the same problem on the wire, and the asker's Hub is told its code.
func TestMembers_spent_budget(t *testing.T) {
	s := members(t, 2)
	s[1].reply = func(context.Context, record.MemberID, []byte, record.Use) ([]byte, error) {
		return nil, &federation.SpentError{Code: federation.SpentRate, Retry: time.Millisecond}
	}
	_, err := s[0].peers(t).Ask(t.Context(), s[1].keys.Member, []byte(`{}`))
	var refused *federation.PeerRefusal
	if !errors.As(err, &refused) || refused.Code != federation.SpentRate {
		t.Errorf("%v", err)
	}
	if !strings.Contains(s[1].log.String(), `"status":429`) {
		t.Errorf("no 429 in %s", s[1].log)
	}
}

// A member that sends too much is told so on every route but the question's, with a time to come again, before its token is
// looked at: the same token serves afterwards. Others are served meanwhile.
func TestMembers_too_many_requests(t *testing.T) {
	f := members(t, 3)
	a, b := f[0], f[1]
	full := true
	b.admit = func(from record.MemberID) error {
		if full && from == a.keys.Member {
			return &federation.SpentError{Code: federation.SpentRate, Retry: 2500 * time.Millisecond}
		}
		return nil
	}
	p, s := a.peers(t), record.Stream(b.keys.Member, record.Records)
	for name, call := range map[string]func() error{
		"heads":     func() error { _, err := p.Heads(t.Context(), b.keys.Member, []byte(`{"v":1}`)); return err },
		"range":     func() error { _, err := p.Range(t.Context(), b.keys.Member, s, 0); return err },
		"leaves":    func() error { _, err := p.Leaves(t.Context(), b.keys.Member, s, 1); return err },
		"charter":   func() error { _, _, err := p.Charter(t.Context(), b.keys.Member, 1); return err },
		"agreement": func() error { _, err := p.Agreement(t.Context(), b.keys.Member, federation.Hash{}); return err },
	} {
		var refused *federation.PeerRefusal
		if err := call(); !errors.As(err, &refused) || refused.Code != federation.SpentRate || refused.Retry != 3*time.Second {
			t.Errorf("%s: %v %+v", name, err, refused)
		}
	}
	if _, err := p.Ask(t.Context(), b.keys.Member, []byte(`{}`)); err != nil {
		t.Errorf("a question: %v", err)
	}
	if _, _, err := f[2].peers(t).Charter(t.Context(), b.keys.Member, 1); err != nil {
		t.Errorf("another member: %v", err)
	}
	const target = "/member/v1/charter?from=1"
	token, err := a.issue(b.keys.Member, "GET", target, nil)
	must(t, err)
	for _, want := range []int{http.StatusTooManyRequests, http.StatusOK, http.StatusUnauthorized} {
		res, err := b.send(t, b.httpClient(a.keys), raw{method: "GET", target: target, token: token})
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != want || (want == http.StatusTooManyRequests) != (res.Header.Get("Retry-After") == "3") {
			t.Errorf("the same token: %d, want %d; Retry-After %q", res.StatusCode, want, res.Header.Get("Retry-After"))
		}
		full = false
	}
}
