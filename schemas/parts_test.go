package schemas_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/schemas"
)

func decode(t testing.TB, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

func lookup(t testing.TB, name string) *schemas.Type {
	t.Helper()
	typ, ok := schemas.Lookup(name, "1")
	if !ok {
		t.Fatalf("no type %s", name)
	}
	return typ
}

func goodExample(t testing.TB, typ, name string) map[string]any {
	t.Helper()
	for _, e := range examples(t, "good") {
		if e.typ.Name() == typ && strings.HasSuffix(e.path, "/"+name+".json") {
			return decode(t, e.data)
		}
	}
	t.Fatalf("no good example %s of %s", name, typ)
	return nil
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func split(t testing.TB, typ *schemas.Type, payload []byte) map[string][]byte {
	t.Helper()
	parts, err := typ.Split(payload)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// TestJoinSplit: nothing is lost and nothing is added, whatever the order of the payload's members; what is split again
// gives the same bytes.
func TestJoinSplit(t *testing.T) {
	for _, e := range examples(t, "good") {
		t.Run(e.name(), func(t *testing.T) {
			parts := split(t, e.typ, e.data)
			joined, err := e.typ.Join(parts)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(decode(t, e.data), decode(t, joined)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(parts, split(t, e.typ, encode(t, decode(t, e.data)))); d != "" {
				t.Error("another order of members gives other bytes: " + d)
			}
			if vs := e.typ.Check(parts, asOf); len(vs) > 0 {
				t.Errorf("Check of its own parts: %v", vs)
			}
			for name, b := range parts {
				if !slices.Contains([]string{"card", "body", "home"}, name) || len(b) <= 2 || bytes.ContainsAny(b, "\n") {
					t.Errorf("part %s: %s", name, b)
				}
			}
		})
	}
}

func TestCardOfPerson(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	payload := goodExample(t, "blacklist.person", "entry")
	parts := split(t, typ, encode(t, payload))
	card := decode(t, parts["card"])
	want := map[string]any{"name_masked": "测某某", "birth_year": "1900", "id_verified": true, "id_type": "RIC", "sex": "1"}
	for k, v := range want {
		if card[k] != v {
			t.Errorf("card %s = %v, want %v", k, card[k], v)
		}
	}
	for _, canary := range []string{"测甲一", "320623190001159016", "320623000115901", "15400000001", "样例镇", "01-15", "测阿甲"} {
		if bytes.Contains(parts["card"], []byte(canary)) {
			t.Errorf("the card shows %s: %s", canary, parts["card"])
		}
	}
	for _, k := range []string{"photo_ref", "risk_note"} {
		if _, ok := decode(t, parts["body"])[k]; ok {
			t.Errorf("%s leaves by the road", k)
		}
		if _, ok := decode(t, parts["home"])[k]; !ok {
			t.Errorf("%s is not at home", k)
		}
	}
	l2, err := typ.Join(map[string][]byte{"card": parts["card"]})
	if err != nil || decode(t, l2)["name_masked"] != "测某某" {
		t.Errorf("a holder of the card alone sees %s (%v)", l2, err)
	}
	l3, err := typ.Join(map[string][]byte{"card": parts["card"], "body": parts["body"]})
	if err != nil {
		t.Fatal(err)
	}
	if v := decode(t, l3); v["name"] != "测甲一" || v["name_masked"] != nil || v["id_verified"] != nil {
		t.Errorf("a holder of the body sees %s", l3)
	}
}

// TestVerifiedFlag: 「证件已核验」 is said only of a number that is there and was read or confirmed.
func TestVerifiedFlag(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	for _, c := range []struct {
		quality string
		number  any
		want    bool
	}{{"police_verified", "320623190001159016", true}, {"card_read", "320623190001159016", true}, {"seen", "320623190001159016", false},
		{"self_stated", "320623190001159016", false}, {"card_read", nil, false}} {
		p := goodExample(t, "blacklist.person", "entry")
		p["id_quality"], p["id_no"] = c.quality, c.number
		if got := decode(t, split(t, typ, encode(t, p))["card"])["id_verified"]; got != c.want {
			t.Errorf("%s with number %v: %v, want %v", c.quality, c.number != nil, got, c.want)
		}
	}
}

// TestCardTellsNothingOfTheBody: two people who differ only in what L3 shows have the same card, except for its masked
// values (reliability-security.md §3, invariant 7).
func TestCardTellsNothingOfTheBody(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	entry := goodExample(t, "blacklist.person", "entry")
	base := split(t, typ, encode(t, entry))["card"]
	text := rapid.StringMatching(`[测样例甲乙丙a-z0-9]{1,20}`)
	rapid.Check(t, func(rt *rapid.T) {
		p := map[string]any{}
		for k, v := range entry {
			p[k] = v
		}
		p["name"] = "测" + text.Draw(rt, "name")
		p["birth_date"] = "1900-" + rapid.SampledFrom([]string{"02-01", "12-31", "06-06"}).Draw(rt, "birth")
		p["id_no"] = text.Draw(rt, "id_no")
		p["marks"] = text.Draw(rt, "marks")
		p["nationality"] = text.Draw(rt, "nationality")
		p["unit"] = text.Draw(rt, "unit")
		for _, optional := range []string{"id_no_old", "phones", "addresses", "name_variants", "hukou_region", "photo_ref", "risk_note", "work_ref", "modus"} {
			if rapid.Bool().Draw(rt, optional) {
				delete(p, optional)
			}
		}
		if card := split(t, typ, encode(t, p))["card"]; !bytes.Equal(card, base) {
			rt.Fatalf("cards differ:\n%s\n%s", base, card)
		}
	})
}

func TestCardOfPenalty(t *testing.T) {
	typ := lookup(t, "penalty")
	parts := split(t, typ, encode(t, goodExample(t, "penalty", "person")))
	respondent, _ := decode(t, parts["card"])["respondent"].(map[string]any)
	if d := cmp.Diff(map[string]any{"name_masked": "测某某", "birth_year": "1900", "id_verified": true, "id_type": "RIC", "id_quality": "card_read", "sex": "1"}, respondent); d != "" {
		t.Error(d)
	}
	org := split(t, typ, encode(t, goodExample(t, "penalty", "organisation")))
	if strings.Contains(string(org["card"]), "样例门诊部") || decode(t, org["card"])["respondent"] != nil {
		t.Errorf("the card of an organisation's penalty names it: %s", org["card"])
	}
	corrected := split(t, lookup(t, "penalty.correction"), encode(t, goodExample(t, "penalty.correction", "remedy")))
	inner, _ := decode(t, corrected["card"])["payload"].(map[string]any)
	if d := cmp.Diff(respondent, inner["respondent"]); d != "" {
		t.Error("a correction's card is cut in another way: " + d)
	}
}

// TestQuestionStaysHome: the text of a question is in part home and nowhere else.
func TestQuestionStaysHome(t *testing.T) {
	parts := split(t, lookup(t, "lookup.asked"), encode(t, goodExample(t, "lookup.asked", "spot_check")))
	for name, b := range parts {
		if has := bytes.Contains(b, []byte("测甲一")) || bytes.Contains(b, []byte(`"question"`)); has != (name == "home") {
			t.Errorf("part %s: %s", name, b)
		}
	}
	if len(parts["home"]) == 0 {
		t.Error("the question is lost")
	}
}

func TestSplitRefuses(t *testing.T) {
	typ := lookup(t, "penalty")
	for _, bad := range []string{``, `[]`, `{"x":1}`, `{"doc_no":"a","doc_no":"b"}`, `{"respondent":1}`, `{"respondent":{"x":1}}`, `{} {}`, `null`} {
		if parts, err := typ.Split([]byte(bad)); err == nil {
			t.Errorf("%s was split into %v", bad, parts)
		}
	}
	for _, bad := range []map[string][]byte{{"card": []byte(`[]`)}, {"card": []byte(`{`)}, {"card": []byte(`{"a":1}`), "body": []byte(`{"a":1}`)}} {
		if b, err := typ.Join(bad); err == nil {
			t.Errorf("%v was joined into %s", bad, b)
		}
	}
}

// TestCheckOfForeignParts: what another member sends is judged by the parts at hand.
func TestCheckOfForeignParts(t *testing.T) {
	edit := func(b []byte, f func(map[string]any)) []byte {
		v := decode(t, b)
		f(v)
		return encode(t, v)
	}
	for _, name := range []string{"blacklist.person/entry", "blacklist.person/history", "penalty/person", "penalty/organisation", "penalty/history_excel", "penalty.correction/remedy", "operation/plan", "blacklist.status/suspended"} {
		typName, ex, _ := strings.Cut(name, "/")
		typ := lookup(t, typName)
		parts := split(t, typ, encode(t, goodExample(t, typName, ex)))
		for _, level := range []map[string][]byte{{}, {"card": parts["card"]}, {"card": parts["card"], "body": parts["body"]}} {
			if vs := typ.Check(level, asOf); len(vs) > 0 {
				t.Errorf("%s with %d parts: %v", name, len(level), vs)
			}
			newer := map[string][]byte{}
			for k, b := range level {
				newer[k] = edit(b, func(v map[string]any) { v["of_a_later_version_"+k] = map[string]any{"deep": []any{"  ", nil}} })
			}
			if vs := typ.Check(newer, asOf); len(vs) > 0 {
				t.Errorf("%s with fields of a later version: %v", name, vs)
			}
			if b, err := typ.Join(newer); err != nil || len(level) > 0 && !bytes.Contains(b, []byte("of_a_later_version_card")) {
				t.Errorf("%s: a later version's field is lost: %s %v", name, b, err)
			}
		}
	}
	typ := lookup(t, "blacklist.person")
	parts := split(t, typ, encode(t, goodExample(t, "blacklist.person", "entry")))
	for name, c := range map[string]struct {
		parts map[string][]byte
		want  schemas.Violation
	}{
		"number on the card":     {map[string][]byte{"card": edit(parts["card"], func(v map[string]any) { v["id_no"] = "x" })}, schemas.Violation{Pointer: "/id_no", Code: "wrong_part"}},
		"photograph in the body": {map[string][]byte{"card": parts["card"], "body": edit(parts["body"], func(v map[string]any) { v["photo_ref"] = "x" })}, schemas.Violation{Pointer: "/photo_ref", Code: "wrong_part"}},
		"name as its own mask":   {map[string][]byte{"card": edit(parts["card"], func(v map[string]any) { v["name_masked"] = "测甲一" })}, schemas.Violation{Pointer: "/name_masked", Code: "wrong_part"}},
		"no sex on the card":     {map[string][]byte{"card": edit(parts["card"], func(v map[string]any) { delete(v, "sex") })}, schemas.Violation{Pointer: "/sex", Code: "required"}},
		"no name in the body":    {map[string][]byte{"card": parts["card"], "body": edit(parts["body"], func(v map[string]any) { delete(v, "name") })}, schemas.Violation{Pointer: "/name", Code: "required"}},
		"wrong check digit":      {map[string][]byte{"card": parts["card"], "body": edit(parts["body"], func(v map[string]any) { v["id_no"] = "320623190001159017"; delete(v, "id_no_old") })}, schemas.Violation{Pointer: "/id_no", Code: "check_digit"}},
		"sex against number":     {map[string][]byte{"card": edit(parts["card"], func(v map[string]any) { v["sex"] = "2" }), "body": parts["body"]}, schemas.Violation{Pointer: "/sex", Code: "conflict"}},
		"duplicate key":          {map[string][]byte{"card": []byte(`{"sex":"1","sex":"2"}`)}, schemas.Violation{Pointer: "/sex", Code: "json_duplicate"}},
	} {
		if vs := typ.Check(c.parts, asOf); !slices.Equal(vs, []schemas.Violation{c.want}) {
			t.Errorf("%s: %v, want %v", name, vs, c.want)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	typ := lookup(t, "penalty")
	payload := goodExample(t, "penalty", "person")
	parts := split(t, typ, encode(t, payload))
	want := []schemas.Identifier{
		{Kind: "doc_no", Value: "测松卫医罚〔2025〕9017", Pointer: "/doc_no"},
		{Kind: "decision", Value: "113101170000900343/测松卫医罚〔2025〕9017", Strong: true, Pointer: "/doc_no"},
		{Kind: "issuer_uscc", Value: "113101170000900343", Pointer: "/issuer_uscc"},
		{Kind: "name", Value: "测甲一", Pointer: "/respondent/name"},
		{Kind: "resident_id", Value: "320623190001159016", Strong: true, Pointer: "/respondent/id_no"},
		{Kind: "sex", Value: "1", Pointer: "/respondent/sex"},
		{Kind: "birth_date", Value: "1900-01-15", Pointer: "/respondent/birth_date"},
		{Kind: "region", Value: "320623", Pointer: "/respondent/hukou_region"},
		{Kind: "phone", Value: "15400000001", Pointer: "/respondent/phones/0/no"},
	}
	if d := cmp.Diff(want, typ.Identifiers(parts)); d != "" {
		t.Error(d)
	}
	for _, id := range typ.Identifiers(map[string][]byte{"card": parts["card"]}) {
		if strings.HasPrefix(id.Pointer, "/respondent") && id.Kind != "sex" {
			t.Errorf("a card gives %+v", id)
		}
	}
	correction := lookup(t, "penalty.correction")
	got := correction.Identifiers(split(t, correction, encode(t, goodExample(t, "penalty.correction", "remedy"))))
	if len(got) != len(want) || got[4].Pointer != "/payload/respondent/id_no" || got[4].Value != want[4].Value {
		t.Errorf("of a correction: %+v", got)
	}

	person := lookup(t, "blacklist.person")
	for number, expect := range map[string][]schemas.Identifier{
		"320623000115901":    {{Kind: "resident_id", Value: "320623190001159016", Strong: true, Pointer: "/id_no"}},
		"999999190001010015": {{Kind: "resident_id", Value: "999999190001010015", Strong: false, Pointer: "/id_no"}},
		"320623190001159017": nil,
	} {
		p := goodExample(t, "blacklist.person", "entry")
		p["id_no"] = number
		delete(p, "id_no_old")
		var got []schemas.Identifier
		for _, id := range person.Identifiers(split(t, person, encode(t, p))) {
			if id.Pointer == "/id_no" {
				got = append(got, id)
			}
		}
		if d := cmp.Diff(expect, got); d != "" {
			t.Errorf("%s: %s", number, d)
		}
	}
	if ids := person.Identifiers(map[string][]byte{"body": []byte(`{`)}); ids != nil {
		t.Errorf("broken parts give %v", ids)
	}
}
