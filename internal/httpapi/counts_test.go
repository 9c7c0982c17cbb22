package httpapi_test

import (
	"testing"

	"github.com/go-json-experiment/json"
)

// countQuestion is a question about one penalty, with more or other members in it.
func countQuestion(more obj) string {
	respondent := obj{"name": personName, "id_type": "RIC", "id_no": personID, "sex": "1", "birth_date": "1900-01-15"}
	p := obj{"record_id": "r1", "origin": "330482-01", "doc_no": "测平卫医罚〔2024〕9002号", "issuer_uscc": "113304820000900264", "issuer_kind": "health_authority",
		"respondent_kind": "person", "respondent": respondent, "cause_code": "UP01", "act_from": "2024-09-21", "act_to": "2024-10-09", "act_place": "330482",
		"qualification_at_act": "none", "kinds": []string{"P2a"}, "decided_at": "2024-11-10", "served_at": "2024-11-15", "service_mode": "DIR", "service_proof": true}
	for k, v := range more {
		p[k] = v
	}
	b, err := json.Marshal(obj{"subject": respondent, "penalties": []obj{p}, "as_of": "2026-03-13", "answered": 6, "total": 7})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestPeople_count(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	var r struct {
		Rule       string `json:"rule"`
		Basic      int    `json:"basic"`
		Alert      string `json:"alert"`
		Incomplete bool   `json:"incomplete"`
		Verdicts   []struct {
			Decision string `json:"decision"`
			Reason   string `json:"reason"`
		} `json:"verdicts"`
	}
	var q obj
	must(t, json.Unmarshal([]byte(countQuestion(nil)), &q))
	o.ok("officer", "POST", "/api/v1/count", q, &r)
	if r.Rule != "count-rule/1.0" || r.Basic != 1 || r.Alert != "G1" || !r.Incomplete || len(r.Verdicts) != 1 || r.Verdicts[0].Reason != "counted" {
		t.Errorf("%+v", r)
	}
	// Refused with the place, and nothing of the person in the answer.
	p := o.refused(request{as: "officer", method: "POST", path: "/api/v1/count", body: countQuestion(obj{"act_to": "2024-09-20"})}, 422, "invalid")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/penalties/0/act_to" || p.Errors[0].Code != "date_order" {
		t.Errorf("%+v", p.Errors)
	}
	// Who administers or audits reckons nothing; a coordinator gets figures only.
	for _, name := range []string{"admin", "auditor", "coordinator", "aide"} {
		o.refused(request{as: name, method: "POST", path: "/api/v1/count", body: countQuestion(nil)}, 403, "forbidden")
	}
}
