package httpapi_test

import (
	"strings"
	"testing"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

func (o *office) signedActs() (rows []httpapi.ActRow) {
	o.t.Helper()
	var page struct {
		Rows []httpapi.ActRow `json:"rows"`
	}
	o.ok("auditor", "GET", "/api/v1/acts", nil, &page)
	return page.Rows
}

// A confirmed act is taken back by the legal reviewer alone or by both who signed it, with a reason, by records that are
// proven; the open question falls at once, and the act may be signed anew.
func TestPeople_an_act_is_taken_back(t *testing.T) {
	a := offices(t, 1)[0].open().staff()
	second, third := a.client(t, "a.second", auth.Officer), a.client(t, "a.third", auth.Officer)
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	act := client.Act{At: "2026-03-13", Place: "310116", Qualification: "none"}
	path := "/api/v1/asks/" + ans.Ask + "/act"
	signed := func() {
		t.Helper()
		a.ok("officer", "POST", path, obj{"at": act.At, "place": act.Place, "qualification_at_act": act.Qualification}, nil)
		if u, err := second.SignAct(t.Context(), ans.Ask, act); err != nil || u.Signed != 2 {
			t.Fatalf("%v %+v", err, u)
		}
	}
	back := func(as, reason string) request {
		return request{as: as, method: "POST", path: path + "/withdraw", body: `{"reason":"` + reason + `"}`}
	}
	now := func() (u httpapi.AskUpdate) {
		t.Helper()
		a.ok("officer", "GET", "/api/v1/asks/"+ans.Ask, nil, &u)
		return u
	}
	a.refused(back("reviewer", "核对有误"), 404, "not_found") // nothing is signed
	signed()
	_, err := third.WithdrawAct(t.Context(), ans.Ask, "现场核对有误")
	wantCode(t, err, "not_found")
	a.refused(back("reviewer", "误"), 422, "reason_invalid")
	a.refused(back("reviewer", "误录了 "+personID), 422, "reason_invalid")
	a.refused(back("liaison", "现场核对有误"), 403, "forbidden")

	// One of two undoes nothing alone.
	for range 2 {
		row, err := second.WithdrawAct(t.Context(), ans.Ask, "现场核对有误")
		if err != nil || row.State != "confirmed" || len(row.Leaving) != 1 || row.Leaving[0].As != "signer" || row.Leaving[0].Reason != "现场核对有误" {
			t.Fatalf("%v %+v", err, row)
		}
	}
	if u := now(); u.Signed != 2 {
		t.Errorf("%+v", u)
	}
	var row httpapi.ActRow
	a.ok("officer", "POST", path+"/withdraw", obj{"reason": "同意撤回"}, &row)
	if row.State != "withdrawn" || len(row.Signed) != 0 || len(row.Passed) != 2 || len(row.Withdrawn) != 2 {
		t.Errorf("%+v", row)
	}
	if u := now(); u.Signed != 0 || u.Cause != "act" {
		t.Errorf("%+v", u)
	}
	signed()
	for range 2 {
		a.ok("reviewer", "POST", path+"/withdraw", obj{"reason": "法制审核认为依据不足"}, &row)
	}
	if row.State != "withdrawn" || len(row.Withdrawn) != 3 || row.Withdrawn[2].As != "legal_reviewer" {
		t.Errorf("%+v", row)
	}
	rows := a.signedActs()
	if len(rows) != 1 || rows[0].State != "withdrawn" {
		t.Fatalf("%+v", rows)
	}
	a.ok("auditor", "GET", "/api/v1/records/"+rows[0].Withdrawn[2].Record+"/proof", nil, nil)
	types, _ := a.audits()
	if n := strings.Count(strings.Join(types, " "), "act.withdrawn"); n != 3 {
		t.Errorf("%d records of withdrawals, want 3", n)
	}
}

// What one officer signed before a restore, the second confirms behind it, and what was confirmed before it is taken back: the
// audit goes on in another stream, and the act is one.
func TestPeople_an_act_goes_on_after_a_restore(t *testing.T) {
	a := offices(t, 1)[0].open().staff()
	second := a.client(t, "a.second", auth.Officer)
	act := client.Act{At: "2026-03-13", Place: "310116", Qualification: "none"}
	var half, whole httpapi.AskAnswer
	for _, ans := range []*httpapi.AskAnswer{&half, &whole} {
		a.ok("officer", "POST", "/api/v1/asks", question(nil), ans)
		a.ok("officer", "POST", "/api/v1/asks/"+ans.Ask+"/act", obj{"at": act.At, "place": act.Place, "qualification_at_act": act.Qualification}, nil)
	}
	if u, err := second.SignAct(t.Context(), whole.Ask, act); err != nil || u.Signed != 2 {
		t.Fatalf("%v %+v", err, u)
	}
	a.hub.Audit = record.Stream(a.dir.Self(), record.Audit+".1")
	a.again()
	anew := client.NewDesk(a.server.URL, nil)
	anew.Resume(second.Session())
	other := act
	other.At = "2026-03-12"
	_, err := anew.SignAct(t.Context(), half.Ask, other)
	wantCode(t, err, "act_differs")
	if u, err := anew.SignAct(t.Context(), half.Ask, act); err != nil || u.Signed != 2 {
		t.Fatalf("%v %+v", err, u)
	}
	var row httpapi.ActRow
	a.ok("reviewer", "POST", "/api/v1/asks/"+whole.Ask+"/act/withdraw", obj{"reason": "现场核对有误"}, &row)
	if row.State != "withdrawn" || len(row.Passed) != 2 {
		t.Errorf("%+v", row)
	}
	states := map[string]string{}
	for _, r := range a.signedActs() {
		states[r.Ask] += r.State
	}
	if len(states) != 2 || states[half.Ask] != "confirmed" || states[whole.Ask] != "withdrawn" {
		t.Errorf("%v", states)
	}
}
