package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// TestPeople_a_question_as_people_type_it: whatever is known of somebody finds the entry at the other member, with the line
// that says why, and nothing but a number counts penalties.
func TestPeople_a_question_as_people_type_it(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	_, entry := b.penaltyAndEntry()
	for _, row := range []struct {
		name    string
		q       obj
		outcome string
		code    string
	}{
		{"homophone", obj{"name": "测佳一", "birth_date": "1900"}, "possible", "name_homophone"},
		{"homophone and birth date", obj{"name": "测佳一", "birth_date": "1900-01-15"}, "hit", "name_homophone"},
		{"letters", obj{"name": "Ce Jiayi", "birth_date": "1900-01-15"}, "hit", "name_pinyin"},
		{"lost character", obj{"name": "测?一", "birth_date": "1900"}, "possible", "name_lost"},
		{"nickname and town", obj{"name": "阿甲", "address": "样例镇"}, "possible", "place_town"},
		{"name alone", obj{"name": personName}, "possible", "name_equal"},
		{"masked number and name", obj{"name": personName, "id_no": "3206**********9016"}, "hit", "id_part"},
		{"last digits", obj{"name": personName, "id_no": "9016"}, "possible", "id_part"},
		{"wrong check digit", obj{"id_no": "320623190001159017"}, "possible", "id_near"},
		{"telephone as written", obj{"phone": "+86 154-0000-0001"}, "hit", "phone_equal"},
		{"address", obj{"address": "金山样例镇测试村三组１２号"}, "hit", "place_equal"},
	} {
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"question": row.q}), &ans)
		i := slices.IndexFunc(ans.Hits, func(h httpapi.AskHit) bool { return h.Subject == entry.ID })
		if ans.Outcome != row.outcome || i < 0 || ans.Answered != 2 {
			t.Errorf("%s: %s %d/%d, %d hits", row.name, ans.Outcome, ans.Answered, ans.Total, len(ans.Hits))
			continue
		}
		h, sum, has := ans.Hits[i], 0.0, false
		for _, l := range h.Lines {
			sum += l.Bits
			has = has || l.Code == row.code
		}
		if d := sum - h.Score; !has || d > 0.05 || d < -0.05 {
			t.Errorf("%s: score %.1f of %.1f, %+v", row.name, h.Score, sum, h.Lines)
		}
		if len(ans.Subjects) != 1 || ans.CheckDigit != (row.name == "wrong check digit") || !ans.Fuzzy || len(ans.NotFuzzy) != 0 {
			t.Errorf("%s: %+v check digit %t fuzzy %t", row.name, ans.Subjects, ans.CheckDigit, ans.Fuzzy)
		}
		if named := row.q["name"] == personName; named != (ans.Namesakes == 1) {
			t.Errorf("%s: %d namesakes", row.name, ans.Namesakes)
		}
		if c := ans.Count; c != nil && (c.Basic != 0 || !strings.Contains(c.Lines[1].ZH, "不含") || !strings.Contains(c.Lines[2].ZH, "完整号码")) {
			t.Errorf("%s: %d counted, %s %s", row.name, c.Basic, c.Lines[1].ZH, c.Lines[2].ZH)
		}
		if _, who := row.q["name"]; who != (ans.Count != nil) && row.name != "wrong check digit" {
			t.Errorf("%s: counted %t", row.name, ans.Count != nil)
		}
	}
}

// TestPeople_the_sex_asked_reaches_the_count: domain.md §6.2 asks for name, birth date, sex and one more fact; without a number
// they make the decision wait for a reviewer.
func TestPeople_the_sex_asked_reaches_the_count(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	b.at("L3")
	pending := func(q obj) int {
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"question": q, "why": true}), &ans)
		if ans.Count == nil || ans.Count.Basic != 0 {
			t.Fatalf("%+v", ans.Count)
		}
		return ans.Count.Pending
	}
	who := obj{"name": personName, "birth_date": "1900-01-15", "phone": "15400000001"}
	if n := pending(who); n != 0 {
		t.Errorf("without the sex %d are pending", n)
	}
	for sex, want := range map[string]int{"1": 1, "男": 1, "2": 0} {
		who["sex"] = sex
		if n := pending(who); n != want {
			t.Errorf("sex %s: %d are pending, want %d", sex, n, want)
		}
	}
}
