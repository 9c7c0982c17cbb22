package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
)

// take takes a number for a person of an office.
func (o *office) take(as string) httpapi.SpotCheckBody {
	o.t.Helper()
	var s httpapi.SpotCheckBody
	o.ok(as, "POST", "/api/v1/spot-checks", obj{"second_certificate": "99000000002"}, &s)
	return s
}

func (o *office) untied(as string) (numbers []string) {
	o.t.Helper()
	var out struct {
		Untied []httpapi.SpotCheckBody `json:"untied"`
	}
	o.ok(as, "GET", "/api/v1/spot-checks", nil, &out)
	for _, s := range out.Untied {
		n := s.Number[len(s.Number)-3:]
		if s.Overdue {
			n += "!"
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func under(number string) string {
	return fmt.Sprintf(`{"purpose":"RAID","work_ref":{"kind":"spot_check","number":%q},"question":{"id_no":%q}}`, number, personID)
}

// A number in one request, good for questions at once; a fourth untied one is refused; tied, asked on under; closed, no
// more. All of it stands in the audit.
func TestPeople_spot_check_numbers(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	first := o.take("officer")
	if first.Number != "310116-01-XC-20260313-001" || first.State != "untied" || first.LastDay != "2026-03-18" || first.Place != "310116" || first.Cert != "99000000001" {
		t.Errorf("%+v", first)
	}
	o.ok("officer", "POST", "/api/v1/asks", under(first.Number), nil)
	second := o.take("officer")
	o.take("officer")
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/spot-checks", body: `{"second_certificate":"99000000002"}`}, http.StatusConflict, "spot_checks_untied")
	if got := o.untied("officer"); !slices.Equal(got, []string{"001", "002", "003"}) {
		t.Errorf("untied: %v", got)
	}
	other := o.take("liaison") // another's three are not his
	if other.Number != "310116-01-XC-20260313-004" {
		t.Errorf("%+v", other)
	}

	var s httpapi.SpotCheckBody
	o.ok("officer", "POST", "/api/v1/spot-checks/tie", obj{"number": first.Number, "work_ref": obj{"kind": "case", "number": "测金卫医案〔2026〕9001"}}, &s)
	if s.State != "tied" || s.WorkRef == nil || s.WorkRef.Kind != "case" || s.LastDay != "" {
		t.Errorf("%+v", s)
	}
	o.ok("officer", "POST", "/api/v1/asks", under(first.Number), nil)
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/spot-checks/close", body: fmt.Sprintf(`{"number":%q,"reason":"现场未发现违法"}`, first.Number)}, http.StatusConflict, "version_conflict")
	o.ok("reviewer", "POST", "/api/v1/spot-checks/close", obj{"number": second.Number, "reason": "现场未发现违法"}, &s)
	if s.State != "closed" || s.Reason != "现场未发现违法" {
		t.Errorf("%+v", s)
	}
	p := o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: under(second.Number)}, http.StatusUnprocessableEntity, "work_ref_not_held")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/work_ref/number" {
		t.Errorf("%+v", p.Errors)
	}
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: under("310116-01-XC-20260313-900")}, http.StatusUnprocessableEntity, "work_ref_not_held")
	if fourth := o.take("officer"); fourth.Number != "310116-01-XC-20260313-005" {
		t.Errorf("%+v", fourth)
	}

	events := map[string]int{}
	types, bodies := o.audits()
	for i, typ := range types {
		if typ == "spot_check.event" {
			for _, e := range []string{"issued", "refused", "tied", "closed"} {
				if strings.Contains(bodies[i], `"event":"`+e+`"`) {
					events[e]++
				}
			}
		}
		if typ == "lookup.asked" && strings.Contains(bodies[i], `"refused":"work_ref_not_held"`) {
			events["not held"]++
		}
	}
	if want := map[string]int{"issued": 5, "refused": 1, "tied": 1, "closed": 1, "not held": 2}; fmt.Sprint(events) != fmt.Sprint(want) {
		t.Errorf("audit %v, want %v", events, want)
	}
}

// Three working days, not three days: from Friday 13 March to Wednesday 18 March; then it is overdue for officer and
// coordinator.
func TestPeople_spot_check_overdue(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.take("officer")
	o.take("liaison")
	o.clock.move(5 * 24 * time.Hour) // Wednesday
	o.signInAgain("officer", "coordinator", "liaison")
	if got := o.untied("officer"); !slices.Equal(got, []string{"001"}) {
		t.Errorf("on the last day: %v", got)
	}
	o.clock.move(24 * time.Hour)
	o.signInAgain("officer", "coordinator", "liaison")
	if got := o.untied("officer"); !slices.Equal(got, []string{"001!"}) {
		t.Errorf("officer: %v", got)
	}
	if got := o.untied("coordinator"); !slices.Equal(got, []string{"001!", "002!"}) {
		t.Errorf("coordinator: %v", got)
	}
}

// Who may not have a number, and what of a request is wrong.
func TestPeople_spot_check_refusals(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	mine := o.take("officer")
	o.person("stranger", auth.Officer)
	for name, row := range map[string]struct {
		as, path, body string
		status         int
		code, pointer  string
	}{
		"coordinator":             {"coordinator", "", `{"second_certificate":"99000000002"}`, 403, "forbidden", ""},
		"alone":                   {"officer", "", `{"second_certificate":"99000000001"}`, 422, "certificate_missing", "/second_certificate"},
		"ill-formed certificate":  {"officer", "", `{"second_certificate":"执法证"}`, 422, "certificate_missing", "/second_certificate"},
		"nobody beside":           {"officer", "", `{}`, 422, "invalid", "/second_certificate"},
		"place":                   {"officer", "", `{"second_certificate":"99000000002","place":"金山"}`, 422, "place_invalid", "/place"},
		"another's number":        {"stranger", "/close", `{"number":"` + mine.Number + `","reason":"现场未发现违法"}`, 404, "not_found", ""},
		"no such number":          {"reviewer", "/close", `{"number":"310116-01-XC-20260313-900","reason":"现场未发现违法"}`, 404, "not_found", ""},
		"no reason":               {"officer", "/close", `{"number":"` + mine.Number + `","reason":" 无 "}`, 422, "reason_invalid", "/reason"},
		"a number in the reason":  {"officer", "/close", `{"number":"` + mine.Number + `","reason":"当事人电话 19900000000"}`, 422, "reason_invalid", "/reason"},
		"tied to an inspection":   {"officer", "/tie", `{"number":"` + mine.Number + `","work_ref":{"kind":"inspection","number":"1"}}`, 422, "tie_invalid", "/work_ref"},
		"the auditor ties":        {"auditor", "/tie", `{"number":"` + mine.Number + `","work_ref":{"kind":"case","number":"1"}}`, 403, "forbidden", ""},
		"the coordinator ties it": {"coordinator", "/tie", `{"number":"` + mine.Number + `","work_ref":{"kind":"case","number":"1"}}`, 403, "forbidden", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := o.refused(request{as: row.as, method: "POST", path: "/api/v1/spot-checks" + row.path, body: row.body}, row.status, row.code)
			if row.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != row.pointer) {
				t.Errorf("%+v", p.Errors)
			}
		})
	}
	if got := o.untied("stranger"); len(got) != 0 {
		t.Errorf("a stranger sees %v", got)
	}
	body, key := `{"second_certificate":"99000000002"}`, "one tap"
	a, first := o.do(request{as: "stranger", method: "POST", path: "/api/v1/spot-checks", body: body, key: key})
	b, again := o.do(request{as: "stranger", method: "POST", path: "/api/v1/spot-checks", body: body, key: key})
	if a.StatusCode != 201 || b.StatusCode != 201 || string(first) != string(again) {
		t.Errorf("a repeat: %s %s", first, again)
	}
	o.refused(request{as: "stranger", method: "POST", path: "/api/v1/spot-checks", body: `{"second_certificate":"99000000003"}`, key: key}, 422, "idempotency_body")
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: fmt.Sprintf(`{"purpose":"RAID","question":{"id_no":%q}}`, personID)}, 422, "work_ref_invalid")
	if types, bodies := o.audits(); types[len(types)-1] != "lookup.asked" || !strings.Contains(bodies[len(bodies)-1], `"refused":"work_ref_invalid"`) {
		t.Errorf("a question without reference is not audited: %v", types)
	}
}
