package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// resident completes 17 digits by their check character.
func resident(t *testing.T, body string) string {
	t.Helper()
	c, ok := identifier.ResidentCheck(body)
	if !ok {
		t.Fatal(body)
	}
	return body + string(c)
}

// TestPeople_content_catalogue is reliability-security.md §4.2 as far as it is about what stands in a record. A draft may
// be unfinished; handing it in is where everything must be right.
func TestPeople_content_catalogue(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, _ := o.penaltyAndEntry()
	var endingX string // a number of the same birth day and sex that ends in X
	for n := 1; !strings.HasSuffix(endingX, "X"); n += 2 {
		endingX = resident(t, fmt.Sprintf("32062319000115%03d", n))
	}
	for _, row := range []struct {
		name, field string
		value       any
		want        string // pointer inside the payload; "" = accepted
	}{
		{"as it is", "marks", "左手有疤", ""},
		{"null for required", "name", nil, "/name"},
		{"empty", "name", "", "/name"},
		{"white space", "name", "  ", "/name"},
		{"name that is not NFC", "name", "测e\u0301", ""},
		{"rare Han", "name", "测𠮷", ""},
		{"middle dot", "name", "测甲·测乙", ""},
		{"SQL in a name", "name", "'; drop table person; --", ""},
		{"JNDI in a name", "name", "${jndi:ldap://x}", ""},
		{"bidi in an identifier", "id_no", "320623190001159016\u202e", "/id_no"},
		{"zero width in an identifier", "id_no", "32062319000115901\u200b6", "/id_no"},
		{"BOM in an identifier", "id_no", "\ufeff320623190001159016", "/id_no"},
		{"bidi in free text", "marks", "左手\u202e有疤", ""},
		{"Cyrillic in an identifier", "id_no", "32062319000115901а", "/id_no"},
		{"full-width digits", "id_no", "３２０６２３１９０００１１５９０１６", ""},
		{"bad check digit", "id_no", "320623190001159017", "/id_no"},
		{"impossible date in the number", "id_no", "320623190002309016", "/id_no"},
		{"15 digits of the same person", "id_no", "320623000115901", ""},
		{"15 digits, impossible date", "id_no", "320623000230901", "/id_no"},
		{"15 digits of another person beside it", "id_no_old", "320623000115903", "/id_no_old"},
		{"15 digits of the same person beside it", "id_no_old", "320623000115901", ""},
		{"lower-case x", "id_no", strings.ToLower(endingX), ""},
		{"full-width Ｘ", "id_no", strings.Replace(endingX, "X", "Ｘ", 1), ""},
		{"lower-case x where a digit belongs", "id_no", "32062319000115901x", "/id_no"},
		{"born in the future by the number", "id_no", resident(t, "32062320990115901"), "/id_no"},
		{"born before 1900 by the number", "id_no", resident(t, "32062318990115901"), "/id_no"},
		{"retired area code", "id_no", resident(t, "32062119000115901"), ""},
		{"area code of a county that no table holds", "id_no", resident(t, "32069919000115901"), ""},
		{"private use in a name", "name", "测\ue000", ""},
		{"private use in an identifier", "id_no", "32062319000115901\ue000", "/id_no"},
		{"Cyrillic letter in a Latin name", "name", "CE JI\u0410", ""},
		{"Roman numeral Ⅹ for X", "id_no", strings.Replace(endingX, "X", "Ⅹ", 1), ""},
		{"variation selector in an identifier", "id_no", "320623190001159016\ufe00", "/id_no"},
		{"tag character in an identifier", "id_no", "320623190001159016\U000e0031", "/id_no"},
		{"2025-02-29", "qual_checked_at", "2025-02-29", "/qual_checked_at"},
		{"0000-00-00", "qual_checked_at", "0000-00-00", "/qual_checked_at"},
		{"year 99999", "qual_checked_at", "99999-01-01", "/qual_checked_at"},
		{"slashes", "qual_checked_at", "2025/1/2", "/qual_checked_at"},
		{"Excel serial", "qual_checked_at", "45678", "/qual_checked_at"},
		{"year of the Republic", "qual_checked_at", "114-01-02", "/qual_checked_at"},
		{"leap second", "occurred_at", "2025-06-30T23:59:60Z", "/occurred_at"},
		{"time without zone", "occurred_at", "2025-07-04T10:30:00", "/occurred_at"},
		{"time with zone", "occurred_at", "2025-07-04T10:30:00+08:00", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := example(t, "blacklist.person", "entry")
			if row.field == "id_no" {
				delete(e, "id_no_old") // it is of the number that the row replaces
			}
			e["penalty_refs"], e[row.field] = []string{penalty.ID}, row.value
			b, err := json.Marshal(obj{"payload": e})
			must(t, err)
			res, got := o.do(request{as: "officer", method: "POST", path: "/api/v1/entries", body: string(b)})
			if res.StatusCode == 201 {
				var w httpapi.Written
				must(t, json.Unmarshal(got, &w))
				res, got = o.do(request{as: "officer", method: "POST", path: "/api/v1/entries/" + w.ID + "/submit", body: `{"version":1}`})
			}
			if row.want == "" {
				if res.StatusCode != 200 {
					t.Errorf("%d %s", res.StatusCode, got)
				}
				return
			}
			if p := problemIn(t, res); p.Status != 422 || !hasPointer(p, "/payload"+row.want) {
				t.Errorf("%d %+v, want 422 at %s", p.Status, p.Errors, row.want)
			}
		})
	}
}

// TestPeople_penalty_dates is the row about dates of a penalty. The office's clock stands at 2026-03-13.
func TestPeople_penalty_dates(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	for _, row := range []struct {
		name string
		set  obj
		want string // pointer inside the payload and code; "" = accepted
	}{
		{"as it is", nil, ""},
		{"decided two days ahead", obj{"decided_at": "2026-03-15", "served_at": nil, "service_mode": nil, "remedy_events": nil, "remedy_state": "not_due"}, "/decided_at date_future"},
		{"acted in the future", obj{"act_to": "2030-01-01"}, "/act_to date_future"},
		{"acted over 60 years ago", obj{"act_from": "1965-07-02"}, "/act_from date_too_old"},
		{"acted before birth", obj{"act_from": "2005-07-02", "respondent.birth_date": "2006-01-15", "respondent.id_no": nil}, "/act_from before_birth"},
		{"acted before the birth that the number tells", obj{"act_from": "1999-12-31", "respondent.birth_date": nil, "respondent.id_no": resident(t, "32062320000115901")}, "/act_from before_birth"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := example(t, "penalty", "person")
			for k, v := range row.set {
				m := p
				if in, ok := strings.CutPrefix(k, "respondent."); ok {
					m, k = p["respondent"].(map[string]any), in
				}
				if m[k] = v; v == nil {
					delete(m, k)
				}
			}
			b, err := json.Marshal(obj{"payload": p})
			must(t, err)
			res, got := o.do(request{as: "officer", method: "POST", path: "/api/v1/penalties", body: string(b)})
			if res.StatusCode == 201 {
				var w httpapi.Written
				must(t, json.Unmarshal(got, &w))
				res, got = o.do(request{as: "officer", method: "POST", path: "/api/v1/penalties/" + w.ID + "/submit", body: `{"version":1}`})
			}
			if row.want == "" {
				if res.StatusCode != 200 {
					t.Errorf("%d %s", res.StatusCode, got)
				}
				return
			}
			pointer, code, _ := strings.Cut(row.want, " ")
			if p := problemIn(t, res); p.Status != 422 || !slices.ContainsFunc(p.Errors, func(e httpapi.FieldError) bool { return e.Pointer == "/payload"+pointer && e.Code == code }) {
				t.Errorf("%d %+v, want 422 at %s", p.Status, p.Errors, row.want)
			}
		})
	}
}

// A record with the 15-digit number is found by the 18-digit one and the other way round, by a lower-case x, and by a name
// that only looks alike never more than possibly.
func TestPeople_one_person_in_several_spellings(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, _ := o.penaltyAndEntry()
	publish := func(set obj) string {
		e := example(t, "blacklist.person", "entry")
		delete(e, "id_no_old")
		e["penalty_refs"] = []string{penalty.ID}
		for k, v := range set {
			e[k] = v
		}
		return o.publish("entries", e).ID
	}
	old := publish(obj{"id_no": "320623000115903"}) // its 18 digits: 320623 19000115 903 and a check character
	whole := resident(t, "32062319000115903")
	spoof := publish(obj{"id_no": "320623000115905", "name": "CE JI\u0410"})
	for _, row := range []struct {
		name, subject, outcome string
		question               obj
	}{
		{"15 digits by 18", old, "hit", obj{"id_no": whole}},
		{"15 digits by 15", old, "hit", obj{"id_no": "320623000115903"}},
		{"lookalike name", spoof, "possible", obj{"name": "Ce Jia", "birth_date": "1900-01-15"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var a httpapi.AskAnswer
			o.ok("officer", "POST", "/api/v1/asks", question(obj{"question": row.question}), &a)
			if a.Outcome != row.outcome || !slices.ContainsFunc(a.Hits, func(h httpapi.AskHit) bool { return h.Subject == row.subject }) {
				t.Errorf("%s %+v", a.Outcome, a.Hits)
			}
		})
	}
}
