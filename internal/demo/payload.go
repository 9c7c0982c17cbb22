package demo

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// law is one article as a record cites it.
type law struct {
	Law     string `json:"law"`
	Version string `json:"version"`
	Art     string `json:"art"`
}

// causes gives the text and the basis of the causes that the demo uses (domain.md §2.6.3).
var causes = map[string]struct {
	text  string
	basis law
}{
	"UP01": {"非医师行医", law{"医师法", "2022-03-01", "59"}},
	"UP02": {"未取得医疗机构执业许可证擅自执业", law{"基本医疗卫生与健康促进法", "2020-06-01", "99-1"}},
	"UP03": {"诊所未经备案执业", law{"医疗机构管理条例", "2022-05-01", "43-2"}},
}

// object is a JSON object under construction.
type object map[string]any

func (d Decision) respondent() object {
	return object{"name": d.Person.Name, "id_type": "RIC", "id_no": d.Person.ID, "id_quality": "seen", "sex": d.Person.Sex,
		"birth_date": d.Person.Birth, "nationality": "156"}
}

// Penalty returns the decision as a penalty record's payload (domain.md T05).
func (d Decision) Penalty() ([]byte, error) {
	c := causes[d.Cause]
	return encode(object{
		"doc_no": d.No, "issuer_uscc": d.Issuer.Issuer, "issuer_name": "测" + d.Issuer.Name + "卫生健康委员会", "issuer_kind": "health_authority",
		"respondent_kind": "person", "respondent": d.respondent(), "practitioner_is_respondent": true,
		"cause_code": d.Cause, "cause_text": c.text, "violated_art": []law{c.basis}, "basis_art": []law{c.basis},
		"act_from": d.From, "act_to": d.To, "act_place": d.Issuer.Region, "qualification_at_act": d.Qualification,
		"kinds": []string{"P2a"}, "fine_fen": 2000000, "procedure": "ordinary",
		"filed_at": d.Filed, "decided_at": d.Decided, "served_at": d.Served, "service_mode": "DIR", "service_proof": true,
		"remedy_told": true, "remedy_state": "in_period", "performed": "none", "publicity_state": "published",
		"notice": object{"mode": "in_decision_text"}, "legal_basis": "行政处罚法第26条", "purpose": "CASE",
		"occurred_at": d.From + "T09:00:00+08:00", "valid_until": after(d.Served, 3), "retention_until": after(d.Served, 10),
		"intake": "live", "synthetic": true,
	})
}

// ListEntry returns a list entry's payload that stands on the penalty with the given record id (domain.md T01).
func (d Decision) ListEntry(penalty string) ([]byte, error) {
	entry := object{
		"name": d.Person.Name, "id_type": "RIC", "id_no": d.Person.ID, "id_quality": "seen", "sex": d.Person.Sex,
		"birth_date": d.Person.Birth, "nationality": "156", "qualification": d.Qualification, "qual_checked_at": d.Decided,
		"qual_source": "国家医师电子化注册系统(合成)", "specialities": []string{d.Kind}, "penalty_refs": []string{penalty},
		"open_case": false, "notice": object{"mode": "in_decision_text"}, "legal_basis": "行政处罚法第26条", "purpose": "CASE",
		"occurred_at": d.From + "T09:00:00+08:00", "valid_until": after(d.Served, 3), "retention_until": after(d.Served, 10),
		"intake": "live", "synthetic": true,
	}
	if d.Person.Alias != "" {
		entry["name_variants"] = []object{{"name": d.Person.Alias, "kind": "nickname"}}
	}
	if d.Person.Home != "" {
		entry["addresses"] = []object{{"text": d.Person.Home}}
	}
	return encode(entry)
}

// Operation returns the plan of the demo's joint operation (domain.md §7.3), for the morning of the given civil date.
func Operation(lead Bureau, invited []Bureau, day string) ([]byte, error) {
	participants := []string{string(lead.Member)}
	for _, b := range invited {
		participants = append(participants, string(b.Member))
	}
	return encode(object{
		"title": "样例行动", "kind": "joint_enforcement", "lead_member": lead.Member, "participants": participants,
		"areas":    []object{{"pair": "310116/330482", "name": "样例镇—样例街道"}, {"pair": "310116/310117"}},
		"start_at": day + "T06:30:00+08:00", "end_at": day + "T12:00:00+08:00", "embargo_until": day + "T06:30:00+08:00",
		"legal_basis": "行政处罚法第26条", "purpose": "JOINT", "synthetic": true,
	})
}

func encode(o object) ([]byte, error) { return json.Marshal(o, json.Deterministic(true)) }

// after returns the civil date that many years later.
func after(day string, years int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(fmt.Sprintf("demo: date %q: %v", day, err))
	}
	return t.AddDate(years, 0, 0).Format(time.DateOnly)
}
