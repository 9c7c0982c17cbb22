package transfer_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/transfer"
)

// written is a question in which nothing is refused.
const written = `{"subject":{"name":"测甲一","name_variants":["测小一"],"id_type":"RIC","id_no":"320623190001159016","id_no_old":"320623000115901","id_quality":"seen",
"sex":"1","birth_date":"1900","hukou_region":"320623","phones":[{"no":"15400000001","from":"2020-01-01","to":null}]},
"penalties":[{"record_id":"a","origin":"330482-01","version":2,"doc_no":"测平卫医罚〔2024〕9002号","issuer_uscc":"113304820000900264","issuer_kind":"health_authority",
"respondent_kind":"person","respondent":{"id_type":"RIC","id_no":"320623190001159016","birth_date":"1900-01-15"},"practitioner_is_respondent":true,"cause_code":"UP01",
"act_from":"2024-09-21","act_to":"2024-10-09","act_place":"330482","qualification_at_act":"none","kinds":["P2a","BAN"],"decided_at":"2024-11-10",
"served_at":"2024-11-15","service_mode":"DIR","announced_at":"","service_proof":"00ff","remedy_told":true,"used_in_conviction":false,"transferred":false,
"suspended":{},"objections":["2026-01-01"],"photo_compared_by":["99000000001"],"remedy_events":[{"type":"review_applied","at":"2025-01-02T01:00:00Z"},{"type":"review_decided","at":"2025-02-02","outcome":"upheld"}]}],
"links":[{"a":{"id_type":"HMP","id_no":"H90000001"},"b":{"id_type":"PPT","id_no":"E99999999","id_country":"CHN"},"approved_by":"法制-01"}],
"l1_answers":[{"member":"330421-01","countable":1}],
"new_act":{"from":"2026-03-01","to":"2026-03-13","place":"310116","treating_confirmed":true,"officers":["99000000001","99000000002"],"officers_typed":[],"qualification_at_act":"none"},
"as_of":"2026-03-13","answered":6,"total":7}`

func TestDecode(t *testing.T) {
	q, err := transfer.Decode([]byte(written))
	if err != nil {
		t.Fatal(err)
	}
	p := q.Penalties[0]
	if q.Subject.Birth != (transfer.Birth{Year: 1900}) || p.Respondent.Birth.Day != day("1900-01-15") || !p.ServiceProof || p.NotTold || p.Suspended != nil ||
		p.Version != 2 || p.Events[0].At != day("2025-01-02") || len(p.Events) != 2 || !q.Subject.Phones[0].To.IsZero() || q.NewAct.At != day("2026-03-13") ||
		q.L1Answers[0].Countable != 1 || q.Links[0].B.Country != "CHN" || q.Answered != 6 || len(p.Kinds) != 2 {
		t.Errorf("%+v", q)
	}
	if r := transfer.Count(q); r.Basic != 1 || r.Pending != 1 || r.Verdicts[1].Final != day("2025-05-15") && r.Verdicts[1].Final != day("2025-02-17") {
		t.Errorf("%+v", r)
	}
}

// set replaces the value at a pointer; an empty value takes the member out.
func set(t *testing.T, pointer, value string) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(written), &v); err != nil {
		t.Fatal(err)
	}
	names := strings.Split(pointer, "/")[1:]
	at := v
	for _, n := range names[:len(names)-1] {
		switch x := at.(type) {
		case map[string]any:
			at = x[n]
		case []any:
			at = x[n[0]-'0']
		}
	}
	last := names[len(names)-1]
	var put any = jsontext.Value(value)
	switch x := at.(type) {
	case map[string]any:
		if x[last] = put; value == "" {
			delete(x, last)
		}
	case []any:
		x[last[0]-'0'] = put
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode_refuses_with_the_place(t *testing.T) {
	for _, c := range []struct{ pointer, value, at, code string }{
		{"/as_of", "", "", "required"},
		{"/as_of", `null`, "", "required"},
		{"/as_of", `" "`, "", "required"},
		{"/answered", "", "", "required"},
		{"/total", "", "", "required"},
		{"/answered", "8", "", "range"},
		{"/answered", "-1", "", "range"},
		{"/answered", `"6"`, "", "type"},
		{"/answered", `6.0`, "", "type"},
		{"/penalties/0", "{}", "/penalties/0/record_id", "required"},
		{"/penalties/0", "null", "/penalties/0/record_id", "required"},
		{"/penalties/0", "[1]", "/penalties/0", "type"},
		{"/penalties", "{\"a\":1}", "", "type"},
		{"/penalties/0/record_id", "", "", "required"},
		{"/penalties/0/origin", `""`, "", "required"},
		{"/penalties/0/doc_no", "null", "", "required"},
		{"/penalties/0/issuer_uscc", "", "", "required"},
		{"/penalties/0/decided_at", "", "", "required"},
		{"/penalties/0/decided_at", `"2024-02-30"`, "", "format"},
		{"/penalties/0/served_at", `"15.11.2024"`, "", "format"},
		{"/penalties/0/served_at", `"2024-11-15T08:00:00"`, "", "format"},
		{"/penalties/0/served_at", `"2024-11-15T25:00:00Z"`, "", "format"},
		{"/penalties/0/served_at", `20241115`, "", "type"},
		{"/penalties/0/origin", `"330482"`, "", "pattern"},
		{"/penalties/0/origin", `"330482-1"`, "", "pattern"},
		{"/penalties/0/act_place", `"3304"`, "", "pattern"},
		{"/penalties/0/act_to", `"2024-09-20"`, "", "date_order"},
		{"/penalties/0/issuer_kind", `"police"`, "", "enum"},
		{"/penalties/0/respondent_kind", `"Person"`, "", "enum"},
		{"/penalties/0/qualification_at_act", `"nurse"`, "", "enum"},
		{"/penalties/0/kinds/1", `"P7"`, "", "enum"},
		{"/penalties/0/kinds/0", `2`, "", "type"},
		{"/penalties/0/service_mode", `"FAX"`, "", "enum"},
		{"/penalties/0/service_proof", `1`, "", "type"},
		{"/penalties/0/remedy_told", `"false"`, "", "type"},
		{"/penalties/0/version", `"1"`, "", "type"},
		{"/penalties/0/objections/0", `"yesterday"`, "", "format"},
		{"/penalties/0/suspended", `{"at":"2026-13-01"}`, "/penalties/0/suspended/at", "format"},
		{"/penalties/0/remedy_events/0/type", `"appeal"`, "", "enum"},
		{"/penalties/0/remedy_events/1/outcome", "", "", "required"},
		{"/penalties/0/remedy_events/1/outcome", `"won"`, "", "enum"},
		{"/penalties/0/remedy_events/0", `{"type":"judgment","at":"2025-01-01"}`, "/penalties/0/remedy_events/0/outcome", "required"},
		{"/penalties/0/remedy_events/1/final_on", `"never"`, "", "format"},
		{"/penalties/0/respondent/sex", `"M"`, "", "enum"},
		{"/penalties/0/respondent/sex", `1`, "", "type"},
		{"/subject/id_type", `"ID"`, "", "enum"},
		{"/subject/id_quality", `"sure"`, "", "enum"},
		{"/subject/birth_date", `"1900-02-29"`, "", "format"},
		{"/subject/birth_date", `"00"`, "", "format"},
		{"/subject/birth_date", `"0000"`, "", "format"},
		{"/subject/phones/0/from", `"2020"`, "", "format"},
		{"/links/0/a/id_type", `"X"`, "", "enum"},
		{"/l1_answers/0/countable", `-1`, "", "range"},
		{"/l1_answers/0/countable", `1000000000`, "", "range"},
		{"/new_act", `{"treating_confirmed":true}`, "/new_act/at", "required"},
		{"/new_act", `{"from":"2026-03-01"}`, "/new_act/at", "required"},
		{"/new_act", `{"at":"2026-03-14"}`, "/new_act/at", "date_future"},
		{"/new_act", `{"from":"2026-03-02","to":"2026-03-01"}`, "/new_act/to", "date_order"},
		{"/new_act", `{"at":"2026-03-01","to":"2026-03-02"}`, "/new_act/at", "date_order"},
		{"/new_act/qualification_at_act", `"some"`, "", "enum"},
	} {
		t.Run(c.pointer+" "+c.value, func(t *testing.T) {
			if c.at == "" {
				c.at = c.pointer
			}
			_, err := transfer.Decode(set(t, c.pointer, c.value))
			var r *transfer.Refused
			if !errors.As(err, &r) || r.Pointer != c.at || r.Code != c.code {
				t.Errorf("got %v, want %s %s", err, c.at, c.code)
			}
		})
	}
	for _, bad := range []string{"", "null", "[]", "7", "{", `{"as_of":"2026-03-13","as_of":"2026-03-13"}`, "{} {}", "{\"a\":\"\xff\"}"} {
		if _, err := transfer.Decode([]byte(bad)); err == nil {
			t.Errorf("%q is no question", bad)
		}
	}
}

// What the format does not call invalid is taken: unknown members, open cause codes, lists with nothing in them.
func TestDecode_takes(t *testing.T) {
	for pointer, value := range map[string]string{"/comment": `"x"`, "/penalties/0/cause_code": `"QQ"`, "/penalties/0/remedy_events": `[{},null]`, "/new_act": `{}`,
		"/penalties/0/kinds": `[]`, "/subject": `null`, "/penalties/0/act_from": `null`, "/penalties/0/kinds/0": `null`, "/new_act/from": "null",
		"/as_of": `"2026-03-13T15:59:59Z"`, "/links": `[{}]`, "/penalties/0/served_at": `"2024-11-15t08:00:00.123456789123+08:00"`} {
		if _, err := transfer.Decode(set(t, pointer, value)); err != nil {
			t.Errorf("%s %s: %v", pointer, value, err)
		}
	}
	// 16:00 UTC is the next day at +08:00.
	if _, err := transfer.Decode(set(t, "/new_act/to", `"2026-03-13T16:00:00Z"`)); err == nil {
		t.Error("an act of tomorrow was taken")
	}
}

// Whatever the bytes: no panic, an answer that is one JSON object on one line, and the same answer again.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(written))
	f.Add([]byte(`{"as_of":"2026-03-13","answered":0,"total":0,"id":"x"}`))
	f.Add([]byte(`{"as_of":"2024-08-31","answered":1,"total":2,"penalties":[{"record_id":"a"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, ok := transfer.Answer(b, true)
		if !jsontext.Value(answer).IsValid() || bytes.ContainsRune(answer, '\n') {
			t.Fatalf("%q", answer)
		}
		again, okAgain := transfer.Answer(b, true)
		if ok != okAgain || !bytes.Equal(answer, again) {
			t.Fatalf("%s\n%s", answer, again)
		}
		if _, err := transfer.Decode(b); (err == nil) != ok {
			t.Fatalf("%v %v", err, ok)
		}
	})
}
