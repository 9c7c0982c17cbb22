package httpapi_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

const (
	personID   = "320623190001159016" // of schemas/blacklist.person/examples/good/entry.json
	personName = "测甲一"
)

func question(more obj) obj {
	q := obj{"purpose": "RAID", "work_ref": obj{"kind": "case", "number": "测金卫医案〔2026〕9001"}, "question": obj{"id_no": personID}}
	for k, v := range more {
		if q[k] = v; v == nil {
			delete(q, k)
		}
	}
	return q
}

// audits returns the types and bodies of an office's audit records.
func (o *office) audits() (types []string, bodies []string) {
	o.t.Helper()
	gs, err := o.store.Groups(o.t.Context(), record.Stream(o.dir.Self(), record.Audit), 0, 500)
	must(o.t, err)
	for _, g := range gs {
		for _, st := range g.Records {
			for _, p := range st.Parts {
				if p.Name == record.Body {
					types, bodies = append(types, st.Meaning.Type), append(bodies, string(p.Bytes))
				}
			}
		}
	}
	return types, bodies
}

func TestPeople_a_question_is_answered_by_all(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	_, entry := b.penaltyAndEntry()
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	if ans.Outcome != "hit" || ans.Answered != 2 || ans.Total != 2 || !ans.Complete || len(ans.Members) != 2 {
		t.Fatalf("%+v", ans)
	}
	var seen bool
	for _, h := range ans.Hits {
		if h.Subject != entry.ID {
			continue
		}
		seen = true
		if h.Member != b.dir.Self() || h.Outcome != "hit" || h.State != "published" || h.Level != "L3" || !bytes.Contains(h.Card, []byte(`"name_masked":"测某某"`)) {
			t.Errorf("%+v %s", h, h.Card)
		}
		if !bytes.Contains(h.Body, []byte(`"id_no":"320****6"`)) || bytes.Contains(h.Body, []byte(personID)) || !bytes.Contains(h.Body, []byte(personName)) {
			t.Errorf("an officer's view at L3 is name and masked number: %s", h.Body)
		}
	}
	if !seen || ans.Counts.Hits == 0 {
		t.Errorf("%+v", ans)
	}
	// Audited on both sides before any byte of the answer.
	types, _ := a.audits()
	if !strings.Contains(strings.Join(types, " "), "lookup.asked") || !strings.Contains(strings.Join(types, " "), "lookup.outcome") {
		t.Errorf("asker's audit: %v", types)
	}
	if types, _ := b.audits(); !strings.Contains(strings.Join(types, " "), "lookup.answered") {
		t.Errorf("answerer's audit: %v", types)
	}

	var none httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(obj{"question": obj{"id_no": "310116190203049005"}}), &none)
	if none.Outcome != "no_hit" || none.Answered != 2 || len(none.Hits) != 0 {
		t.Errorf("%+v", none)
	}
	b.full = record.ErrStorageFull // b cannot audit, so it does not answer
	a.ok("officer", "POST", "/api/v1/asks", question(obj{"question": obj{"id_no": "310116190203049005"}}), &none)
	if none.Outcome != "incomplete" || none.Answered != 1 || none.Total != 2 {
		t.Errorf("%+v", none)
	}
}

func TestPeople_a_question_without_purpose_or_work_is_refused_and_audited(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	for _, row := range []struct {
		name  string
		q     obj
		code  string
		where string
	}{
		{"no purpose", question(obj{"purpose": nil}), "purpose_invalid", "/purpose"},
		{"unknown purpose", question(obj{"purpose": "CURIOSITY"}), "purpose_invalid", "/purpose"},
		{"no work reference", question(obj{"work_ref": nil}), "work_ref_invalid", "/work_ref/kind"},
		{"empty number", question(obj{"work_ref": obj{"kind": "case", "number": " "}}), "work_ref_invalid", "/work_ref/number"},
		{"nothing to look up", question(obj{"question": obj{"name": "老王"}}), "question_invalid", "/question"},
		{"day that is none", question(obj{"as_of": "2026-02-30"}), "as_of_invalid", "/as_of"},
		{"scope with a stranger", question(obj{"scope": []string{"999999-01"}}), "scope_invalid", "/scope"},
	} {
		before, _ := o.audits()
		b, err := json.Marshal(row.q)
		must(t, err)
		p := o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: string(b)}, 422, row.code)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != row.where {
			t.Errorf("%s: %+v", row.name, p.Errors)
		}
		types, bodies := o.audits()
		if len(types) != len(before)+1 || types[len(types)-1] != "lookup.asked" || !strings.Contains(bodies[len(bodies)-1], `"refused":"`+row.code+`"`) {
			t.Errorf("%s: audit %v %s", row.name, types[len(before):], bodies[len(before):])
		}
	}
}

func TestPeople_who_may_ask_and_what_he_sees(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	b.penaltyAndEntry()
	body := func(purpose string) string {
		j, err := json.Marshal(question(obj{"purpose": purpose}))
		must(t, err)
		return string(j)
	}
	for who, purpose := range map[string]string{"aide": "RAID", "admin": "RAID", "auditor": "AUDIT", "coordinator": "RAID", "officer": "AUDIT"} {
		a.refused(request{as: who, method: "POST", path: "/api/v1/asks", body: body(purpose)}, 403, "forbidden")
	}
	for who, purpose := range map[string]string{"coordinator": "JOINT", "officer": "STAT"} {
		var ans httpapi.AskAnswer
		a.ok(who, "POST", "/api/v1/asks", body(purpose), &ans)
		if ans.Counts.Hits == 0 || len(ans.Hits) != 0 || len(ans.FirstPicture) != 0 {
			t.Errorf("%s with %s: %+v", who, purpose, ans)
		}
	}
	// Bytes do not depend on what a person may not see: the identifier's middle, the home part.
	ask := func(o *office) string {
		var ans httpapi.AskAnswer
		o.ok("officer", "POST", "/api/v1/asks", question(obj{"question": obj{"name": personName, "birth_date": "1900-01-15"}, "ask": strings.Repeat("ab", 16)}), &ans)
		for i := range ans.Hits {
			ans.Hits[i].Record, ans.Hits[i].Subject = "", ""
		}
		j, err := json.Marshal(ans.Hits)
		must(t, err)
		return string(j)
	}
	g := offices(t, 2)
	c, d := g[0].open().staff(), g[1].open().staff()
	changed := func(o *office, phone string, note string) {
		e := example(t, "blacklist.person", "entry")
		penalty, err := o.store.Groups(t.Context(), record.Stream(o.dir.Self(), record.Records), 0, 1)
		must(t, err)
		e["penalty_refs"] = []string{penalty[0].Records[0].Meaning.ID.String()}
		e["phones"], e["risk_note"] = []obj{{"no": phone, "seen_on": "2025-07-03"}}, []string{note}
		o.publish("entries", e)
	}
	d.penaltyAndEntry()
	changed(b, "15400000001", "dogs")
	changed(d, "15499999901", "protection_needed")
	if x, y := ask(a), ask(c); x != y || !strings.Contains(x, "154****01") {
		t.Errorf("the bytes tell what is hidden:\n%s\n%s", x, y)
	}
}

func TestPeople_without_storage_there_is_no_question(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	j, err := json.Marshal(question(nil))
	must(t, err)
	o.full = record.ErrStorageFull
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: string(j)}, 503, "storage_full")
	e, err := json.Marshal(obj{"payload": example(t, "blacklist.person", "entry")})
	must(t, err)
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/entries", body: string(e)}, 503, "storage_full")
	o.refused(request{method: "POST", path: "/api/v1/sign-in", body: `{"name":"officer","password":"` + password + `"}`}, 503, "storage_full")
	o.full = record.ErrOutcomeUnknown
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: string(j)}, 503, "outcome_unknown")
	if res, _ := o.do(request{as: "officer", method: "GET", path: "/api/v1/status"}); res.StatusCode != 200 {
		t.Errorf("the process does not stay up: %d", res.StatusCode)
	}
	o.full = nil
	o.ok("officer", "POST", "/api/v1/asks", string(j), nil)
}
