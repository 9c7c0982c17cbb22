package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/schemas"
)

// delegated is what the auditor reads of delegations.
type delegated struct {
	Event, Account, By, Route, Delegation, From, Until, Subject string
	Document                                                    string `json:"document_hash"`
}

// acts returns the audit records of delegations and of what was done under them.
func (o *office) acts() (out []delegated) {
	o.t.Helper()
	schema, _ := schemas.Lookup("account.event", "1")
	types, bodies := o.audits()
	for i, b := range bodies {
		var d delegated
		if types[i] != "account.event" || json.Unmarshal([]byte(b), &d, json.MatchCaseInsensitiveNames(true)) != nil || d.Delegation == "" {
			continue
		}
		if vs := schema.Validate([]byte(b), "2026-03-13"); len(vs) > 0 {
			o.t.Errorf("%s: %v", b, vs)
		}
		out = append(out, d)
	}
	return out
}

// While the term runs the named person does what the head may do, and each such deed names the delegation in the audit log
// first; before and after it he may not, by himself.
func TestPeople_acting_head(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, entry := o.penaltyAndEntry()
	paper := strings.Repeat("ab", 32)
	give := func(name, from, until, hash string) request {
		b, err := json.Marshal(obj{"name": name, "from": from, "until": until, "document_hash": hash})
		must(t, err)
		return request{as: "head", method: "POST", path: "/api/v1/delegations", body: string(b)}
	}
	body := func(version uint64, more obj) string {
		b := obj{"version": version, "reason": "核实", "legal_basis": "行政处罚法第54条", "purpose": "CORRECT", "document_hash": paper, "reason_code": "wrong_person"}
		for k, v := range more {
			b[k] = v
		}
		if more["status"] != nil {
			delete(b, "reason_code")
		}
		out, err := json.Marshal(b)
		must(t, err)
		return string(out)
	}
	var w httpapi.Written
	o.ok("reviewer", "POST", "/api/v1/entries/"+entry.ID+"/withdraw", body(1, nil), &w)
	confirm := request{as: "liaison", method: "POST", path: "/api/v1/entries/" + entry.ID + "/confirm", body: body(w.Version, nil)}
	o.refused(confirm, 403, "forbidden")

	for name, row := range map[string]struct {
		r       request
		status  int
		code    string
		pointer string
	}{
		"nobody":           {give("c.nobody", "2026-03-13", "2026-03-20", paper), 422, "delegate_unknown", "/name"},
		"no end":           {give("liaison", "2026-03-13", "", paper), 422, "delegation_term", "/until"},
		"over":             {give("liaison", "2026-03-01", "2026-03-12", paper), 422, "delegation_term", "/until"},
		"longer than life": {give("liaison", "2026-03-13", "2027-03-15", paper), 422, "delegation_term", "/until"},
		"no paper":         {give("liaison", "2026-03-13", "2026-03-20", ""), 422, "delegation_document", "/document_hash"},
		"administrator":    {give("admin", "2026-03-13", "2026-03-20", paper), 422, "role_refused", ""},
		"himself":          {give("head", "2026-03-13", "2026-03-20", paper), 422, "role_refused", ""},
	} {
		p := o.refused(row.r, row.status, row.code)
		if row.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != row.pointer || p.Errors[0].Detail == "") {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
	notHead := give("officer", "2026-03-13", "2026-03-20", paper)
	notHead.as = "liaison"
	o.refused(notHead, 403, "forbidden")

	var d httpapi.DelegationBody
	o.ok("head", "POST", "/api/v1/delegations", obj{"name": "liaison", "from": "2026-03-13", "until": "2026-03-14", "document_hash": paper}, &d)
	if !d.Runs || len(d.Account) != 32 || d.Account == d.By {
		t.Errorf("%+v", d)
	}
	o.refused(give("officer", "2026-03-14", "2026-03-20", paper), 409, "delegation_overlaps")
	o.refused(notHead, 403, "forbidden") // a delegation is not delegated on

	// By the route: only the head confirms. By the state of a record: only the head lifts.
	before := len(o.acts())
	o.ok("liaison", "POST", confirm.path, confirm.body, &w)
	if w.State != "withdrawn" {
		t.Errorf("%+v", w)
	}
	status := "/api/v1/penalties/" + penalty.ID + "/status"
	o.ok("reviewer", "POST", status, body(1, obj{"status": "suspended"}), &w)
	lift := request{as: "liaison", method: "POST", path: status, body: body(w.Version, obj{"status": "lifted"})}
	o.refused(request{as: "officer", method: "POST", path: status, body: lift.body}, 403, "forbidden")
	o.ok("liaison", "POST", status, lift.body, &w)
	acts := o.acts()[before:]
	for i, want := range []delegated{{Event: "acted", Route: "confirm-entry", Subject: entry.ID}, {Event: "acted", Route: "status-penalty", Subject: penalty.ID}} {
		if want.Account, want.Delegation = d.Account, d.ID; i >= len(acts) || acts[i] != want {
			t.Errorf("%+v, want %+v", acts, want)
		}
	}
	// What his own roles allow he does as himself.
	o.ok("liaison", "POST", status, body(w.Version, obj{"status": "suspended"}), &w)
	if got := len(o.acts()); got != before+2 {
		t.Errorf("%d deeds as acting head", got-before)
	}

	// The day after the term he may not, and nobody has done anything for that.
	o.clock.move(2 * 24 * time.Hour)
	o.signInAgain("liaison", "head", "auditor")
	lift.body = body(w.Version, obj{"status": "lifted"})
	o.refused(lift, 403, "forbidden")

	// Ended early he may not at once.
	o.ok("head", "POST", "/api/v1/delegations", obj{"name": "liaison", "from": "2026-03-15", "until": "2026-03-20", "document_hash": paper}, &d)
	o.ok("liaison", "GET", "/api/v1/acts", nil, nil) // legal reviewer, head and auditor only
	o.ok("head", "POST", "/api/v1/delegations/"+d.ID+"/end", obj{}, nil)
	o.refused(lift, 403, "forbidden")
	o.refused(request{as: "head", method: "POST", path: "/api/v1/delegations/" + d.ID + "/end", body: "{}"}, 404, "not_found")
	var all struct {
		Delegations []httpapi.DelegationBody `json:"delegations"`
	}
	o.ok("auditor", "GET", "/api/v1/delegations", nil, &all)
	if len(all.Delegations) != 2 || all.Delegations[0].ID != d.ID || all.Delegations[0].Ended == nil || all.Delegations[0].Runs || all.Delegations[1].Runs {
		t.Errorf("%+v", all)
	}
	var events []string
	for _, a := range o.acts() {
		events = append(events, a.Event)
		if a.Event != "acted" && (a.Document != paper || a.By == "" || a.From == "" || a.Until == "") {
			t.Errorf("%+v", a)
		}
	}
	if got := strings.Join(events, " "); got != "delegated acted acted delegated acted delegation_ended" {
		t.Error(got)
	}
}

// A person who became an administrator after he was named acts as head no more: the two are apart.
func TestPeople_acting_head_is_no_administrator(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	var d httpapi.DelegationBody
	o.ok("head", "POST", "/api/v1/delegations", obj{"name": "aide", "from": "2026-03-13", "until": "2026-03-14", "document_hash": strings.Repeat("ab", 32)}, &d)
	o.ok("aide", "GET", "/api/v1/entries", nil, nil)
	must(t, o.people.SetRoles(t.Context(), "", d.Account, []auth.Role{auth.SysAdmin}))
	o.refused(request{as: "aide", method: "GET", path: "/api/v1/entries"}, 403, "forbidden")
}
