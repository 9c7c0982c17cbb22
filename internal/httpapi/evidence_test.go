package httpapi_test

import (
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// linkOf is the payload of a link between the person's card and his permit.
func linkOf(t *testing.T) obj {
	l := example(t, "identity.link", "residence_card")
	l["a"], l["b"] = obj{"id_type": "RIC", "id_no": personID}, obj{"id_type": "HMP", "id_no": "H90000001"}
	return l
}

// onPermit is a penalty that knows the person by his permit alone, under this name.
func onPermit(t *testing.T, name string) obj {
	p := example(t, "penalty", "person")
	r := p["respondent"].(map[string]any)
	r["name"], r["id_type"], r["id_no"] = name, "HMP", "H90000001"
	delete(r, "phones")
	return p
}

// A link that lies at the penalty's origin makes the penalty count there, is no hit by itself, and once withdrawn is as if
// it had never been.
func TestPeople_a_link_acts_where_it_lies(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	b.publish("penalties", onPermit(t, "CE JIA YI"))
	ask := func() *httpapi.AskCount {
		t.Helper()
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"why": true}), &ans)
		if len(ans.Hits) != 0 {
			t.Errorf("a hit: %+v", ans.Hits)
		}
		return ans.Count
	}
	if c := ask(); c.Alert != "G0" {
		t.Fatalf("without a link: %+v", c)
	}
	w := b.publish("links", linkOf(t))
	if c := ask(); c.Alert != "G1" || len(c.Decisions) != 1 || c.Decisions[0].Level != "R1L" {
		t.Errorf("with a link: %+v", c)
	}
	b.refused(request{as: "officer", method: "POST", path: "/api/v1/links/" + w.ID + "/withdraw", body: `{"version":1}`}, 403, "forbidden")
	b.ok("liaison", "POST", "/api/v1/links/"+w.ID+"/withdraw", obj{"version": 1, "reason_code": "wrong_person", "reason": "为他人", "legal_basis": "行政处罚法第26条", "purpose": "CORRECT"}, &w)
	if c := ask(); c.Alert != "G0" || w.State != "withdrawn" {
		t.Errorf("withdrawn: %s %+v", w.State, c)
	}
}

// A link that lies at the asker acts on what other members tell.
func TestPeople_a_link_acts_at_the_asker(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	b.publish("penalties", onPermit(t, "测甲一"))
	ask := func() *httpapi.AskCount {
		t.Helper()
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"why": true, "question": obj{"id_no": personID, "name": "测甲一", "birth_date": "1900-01-15"}}), &ans)
		return ans.Count
	}
	if c := ask(); c.Basic != 0 {
		t.Fatalf("without a link: %+v", c)
	}
	a.publish("links", linkOf(t))
	if c := ask(); c.Alert != "G1" || len(c.Decisions) != 1 || c.Decisions[0].Level != "R1L" {
		t.Errorf("with a link: %+v", c)
	}
}

// What a reviewer confirms, an objection and a transfer are told to the asker.
func TestPeople_later_facts_of_a_penalty_reach_the_asker(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	p := example(t, "penalty", "person")
	p["used_in_conviction"] = true
	w := b.publish("penalties", p)
	ask := func() string {
		t.Helper()
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"why": true}), &ans)
		if len(ans.Count.Decisions) != 1 {
			t.Fatalf("%+v", ans.Count)
		}
		return ans.Count.Decisions[0].Verdict + " " + ans.Count.Decisions[0].Reason
	}
	status := func(who string, more obj) {
		t.Helper()
		body := obj{"version": w.Version, "reason": "核实", "document_hash": strings.Repeat("ab", 32), "legal_basis": "行政处罚法第26条", "purpose": "CORRECT"}
		for k, v := range more {
			body[k] = v
		}
		b.ok(who, "POST", "/api/v1/penalties/"+w.ID+"/status", body, &w)
	}
	status("officer", obj{"status": "objection", "objection_at": "2026-03-01"})
	status("officer", obj{"status": "photo_compared", "compared_at": "2026-03-01", "officers": []string{"99000000001", "99000000002"}})
	status("liaison", obj{"status": "transferred", "transferred_at": "2026-03-02"})
	if got := ask(); got != "P prior_conviction" {
		t.Errorf("before: %s", got)
	}
	status("reviewer", obj{"status": "confirmed", "confirms": "prior_conviction"})
	if got := ask(); got != "C counted" {
		t.Errorf("confirmed: %s", got)
	}
}
