package httpapi_test

import (
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/httpapi"
)

func TestPeople_an_answer_counts(t *testing.T) {
	f := offices(t, 3)
	a, b := f[0].open().staff(), f[1].open().staff()
	b.penaltyAndEntry()
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(obj{"why": true}), &ans)
	c := ans.Count
	if c == nil || len(c.Lines) != 3 || c.Answered != 3 || c.Total != 3 || c.Incomplete || len(c.Decisions) != 1 || c.Basic+c.Pending+c.Excluded != 1 {
		t.Fatalf("%+v", c)
	}
	if c.Basic != 1 || c.Alert != "G1" || c.FirstOffence.Answer != "no" {
		t.Errorf("%+v", c)
	}
	// The decisions come on request alone, and a member that cannot answer makes the numbers minimums.
	f[2].hub.Released = func() bool { return false }
	var less httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &less)
	if c := less.Count; c == nil || c.Alert != "G1" || !c.Incomplete || c.Answered != 2 || len(c.Decisions) != 0 || !strings.Contains(c.Lines[1].ZH, "2/3") || !strings.Contains(c.Lines[0].ZH, string(f[2].dir.Self())) {
		t.Errorf("%+v", less.Count)
	}
	f[2].hub.Released = func() bool { return true }
	// Who is not told the count gets the answer without it.
	for who, purpose := range map[string]string{"coordinator": "JOINT", "officer": "STAT"} {
		var none httpapi.AskAnswer
		a.ok(who, "POST", "/api/v1/asks", question(obj{"purpose": purpose}), &none)
		if none.Count != nil {
			t.Errorf("%s with %s is told %+v", who, purpose, none.Count)
		}
	}
	// What it tells of is in the answerer's audit log.
	_, bodies := b.audits()
	if !strings.Contains(strings.Join(bodies, " "), c.Decisions[0].Decision) {
		t.Error("the answerer's audit does not name the decision")
	}
	var clean httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(obj{"question": obj{"id_no": "330482190102209028"}}), &clean)
	if clean.Count == nil || clean.Count.Alert != "G0" || clean.Count.FirstOffence.Answer != "yes" {
		t.Errorf("%+v", clean.Count)
	}
}
