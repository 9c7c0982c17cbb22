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
