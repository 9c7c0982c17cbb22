package httpapi_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/match"
)

// publishAs publishes a list entry of a type.
func (o *office) publishAs(typ string, payload obj) httpapi.Written {
	o.t.Helper()
	var w httpapi.Written
	o.ok("officer", "POST", "/api/v1/entries", obj{"type": typ, "payload": payload}, &w)
	for _, s := range []struct{ who, step string }{{"officer", "submit"}, {"reviewer", "approve"}, {"liaison", "publish"}} {
		o.ok(s.who, "POST", "/api/v1/entries/"+w.ID+"/"+s.step, obj{"version": w.Version}, &w)
	}
	return w
}

// thing is the catalogue's example of a list entry, resting on these penalties; without any, on the work it was found in.
func thing(t *testing.T, typ, name string, more obj, penalties ...string) obj {
	t.Helper()
	e := example(t, typ, name)
	for _, k := range []string{"persons_seen", "person_refs", "premises_refs", "penalty_refs", "landlord_notice_at"} {
		delete(e, k)
	}
	if len(penalties) > 0 {
		e["penalty_refs"] = penalties
	}
	for _, k := range []string{"last_seen", "used_from", "used_to"} {
		if e[k] != nil {
			e[k] = "2026-03-13"
		}
	}
	for k, v := range more {
		e[k] = v
	}
	return e
}

// TestPeople_a_place_a_plate_an_institution_found_elsewhere: what one member lists, an officer of another finds by the
// address, the plate, the number or the name of the institution, with the line that says why, and nothing is counted. At L1
// the number itself is answered and nothing more.
func TestPeople_a_place_a_plate_an_institution_found_elsewhere(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	penalty, person := b.penaltyAndEntry()
	premises := b.publishAs("blacklist.premises", thing(t, "blacklist.premises", "entry",
		obj{"persons_seen": []obj{{"ref": person.ID}}, "address": obj{"text": "浙江省平湖市样例街道示范路88弄6号402室", "region": "330482", "town": "样例街道"}}, penalty.ID))
	plate := b.publishAs("blacklist.handle", thing(t, "blacklist.handle", "plate", obj{"person_refs": []string{person.ID}, "premises_refs": []string{premises.ID}}, penalty.ID))
	phone := b.publishAs("blacklist.handle", thing(t, "blacklist.handle", "phone", obj{"value": "15400000077"}))
	clinic := b.publishAs("blacklist.institution", thing(t, "blacklist.institution", "clinic", obj{"name": "平湖市仁样口腔诊所"}, penalty.ID))
	for _, row := range []struct {
		name    string
		q       obj
		subject string
		outcome string
		code    string
		level   string
	}{
		{"address", obj{"address": "平湖样例街道示范路八十八弄6号402"}, premises.ID, "hit", "place_equal", "L3"},
		{"plate", obj{"plate": "浙F·OO000"}, plate.ID, "hit", "plate_equal", "L3"},
		{"telephone found in the work alone", obj{"phone": "154 0000 0077"}, phone.ID, "hit", "phone_equal", "L1"},
		{"institution", obj{"org": "仁样诊所"}, clinic.ID, "possible", "org_equal", "L3"},
		{"signboard", obj{"org": "样例镶牙", "address": "平湖市样例街道示范路88弄"}, premises.ID, "hit", "org_equal", "L3"},
		{"code of an institution", obj{"uscc": "91330482MA00090T9C"}, clinic.ID, "hit", "uscc_equal", "L3"},
	} {
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"question": row.q}), &ans)
		i := slices.IndexFunc(ans.Hits, func(h httpapi.AskHit) bool { return h.Subject == row.subject })
		if i < 0 || ans.Answered != 2 {
			t.Errorf("%s: %s %d/%d, %d hits", row.name, ans.Outcome, ans.Answered, ans.Total, len(ans.Hits))
			continue
		}
		h := ans.Hits[i]
		has := slices.ContainsFunc(h.Lines, func(l match.Evidence) bool { return l.Code == row.code })
		if !has || h.Outcome != row.outcome || h.Level != row.level || (h.Level == "L1") != (h.Card == nil && h.Body == nil && h.Score == 0) {
			t.Errorf("%s: %s at %s, score %.1f, %+v, card %s", row.name, h.Outcome, h.Level, h.Score, h.Lines, h.Card)
		}
		if ans.Count != nil {
			t.Errorf("%s: %d are counted", row.name, ans.Count.Basic)
		}
		for _, kept := range []string{"测房东", "15400000009", "现场所见"} {
			if bytes.Contains(h.Body, []byte(kept)) || bytes.Contains(h.Card, []byte(kept)) {
				t.Errorf("%s: %s left its node", row.name, kept)
			}
		}
	}
}

// TestPeople_entries_of_four_types: one path, the type in the body; what replaces an entry need not repeat it, and the list
// asks by it.
func TestPeople_entries_of_four_types(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, _ := o.penaltyAndEntry()
	ids := map[string]string{}
	for typ, name := range map[string]string{"blacklist.premises": "entry", "blacklist.handle": "plate", "blacklist.institution": "clinic"} {
		var w httpapi.Written
		o.ok("officer", "POST", "/api/v1/entries", obj{"type": typ, "payload": thing(t, typ, name, nil, penalty.ID)}, &w)
		o.ok("officer", "POST", "/api/v1/entries/"+w.ID+"/amend", obj{"version": 1, "payload": thing(t, typ, name, nil, penalty.ID)}, &w)
		w = o.publishAs(typ, thing(t, typ, name, nil, penalty.ID))
		ids[typ] = w.ID
		var e httpapi.Entry
		o.ok("liaison", "GET", "/api/v1/entries/"+w.ID, nil, &e)
		if e.Type != typ || e.State != "published" || e.Level != "L3" {
			t.Errorf("%+v", e)
		}
		o.ok("officer", "POST", "/api/v1/entries/"+w.ID+"/correct", obj{"version": 1, "payload": thing(t, typ, name, nil, penalty.ID), "reason_code": "completed", "diff_reason": "补正"}, &w)
		o.ok("reviewer", "POST", "/api/v1/entries/"+w.ID+"/approve", obj{"version": w.Version}, &w)
		if w.ID != ids[typ] || w.Version != 2 {
			t.Errorf("%s: %+v", typ, w)
		}
		step := obj{"version": 2, "reason": "存疑", "reason_code": "facts_doubt", "document_hash": "abababababababababababababababababababababababababababababababab", "legal_basis": "个人信息保护法第46条", "purpose": "CORRECT"}
		o.ok("liaison", "POST", "/api/v1/entries/"+w.ID+"/suspend", step, &w)
		if w.State != "suspended" {
			t.Errorf("%s: %+v", typ, w)
		}
	}
	for typ, id := range ids {
		var list rows
		o.ok("liaison", "GET", "/api/v1/entries?type="+typ, nil, &list)
		if len(list.Rows) != 1 || list.Rows[0].ID != id || list.Rows[0].Type != typ {
			t.Errorf("%s: %+v", typ, list.Rows)
		}
		o.ok("officer", "GET", "/api/v1/entries?stage=draft&state=draft&type="+typ, nil, &list)
		if len(list.Rows) != 1 || list.Rows[0].Type != typ {
			t.Errorf("drafts of %s: %+v", typ, list.Rows)
		}
		o.refused(request{as: "liaison", method: "GET", path: "/api/v1/penalties/" + id}, 404, "not_found")
	}
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/entries", body: `{"type":"penalty","payload":{}}`}, 422, "other_subject")
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/penalties", body: `{"type":"blacklist.handle","payload":{}}`}, 422, "other_subject")
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/entries", body: `{"type":"blacklist.none","payload":{}}`}, 422, "type_unknown")
	o.refused(request{as: "officer", method: "GET", path: "/api/v1/entries?type=penalty"}, 400, "query_invalid")
}
