package schemas_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/schemas"
)

// TestReady: what a draft may lack and a published record may not.
func TestReady(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	p := goodExample(t, "blacklist.person", "entry")
	p["reviewed_by"] = p["created_by"]
	if vs := typ.Ready(encode(t, p), asOf); !slices.Equal(vs, []schemas.Violation{{Pointer: "/reviewed_by/user", Code: "same_person"}}) {
		t.Errorf("author reviews himself: %v", vs)
	}
	for _, k := range []string{"created_by", "reviewed_by", "recorded_at", "published_at"} {
		delete(p, k)
	}
	if vs := typ.Validate(encode(t, p), asOf); len(vs) > 0 {
		t.Errorf("a draft is refused: %v", vs)
	}
	if vs := typ.Ready(encode(t, p), asOf); len(vs) != 4 || vs[0].Code != "required" {
		t.Errorf("a draft is ready: %v", vs)
	}
	correction := lookup(t, "blacklist.correction")
	c := map[string]any{"payload": p, "reason_code": "other", "diff_reason": "样例"}
	if vs := correction.Ready(encode(t, c), asOf); len(vs) != 4 || !strings.HasPrefix(vs[0].Pointer, "/payload/") {
		t.Errorf("a correction of a draft is ready: %v", vs)
	}
}

func TestWarnings(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	for name, c := range map[string]struct {
		change map[string]any
		want   schemas.Violation
	}{
		"unknown region":  {map[string]any{"id_no": "999999190001010015", "birth_date": "1900-01-01"}, schemas.Violation{Pointer: "/id_no", Code: "region_unknown"}},
		"cross for X":     {map[string]any{"id_no": "33048219000202013×", "birth_date": "1900-02-02"}, schemas.Violation{Pointer: "/id_no", Code: "check_digit_form"}},
		"lost character":  {map[string]any{"name": "测□"}, schemas.Violation{Pointer: "/name", Code: "placeholder"}},
		"private use":     {map[string]any{"name": "测\ue000"}, schemas.Violation{Pointer: "/name", Code: "text_private_use"}},
		"hidden in name":  {map[string]any{"name": "测\u200b一"}, schemas.Violation{Pointer: "/name", Code: "text_hidden"}},
		"lookalikes":      {map[string]any{"name": "CE JI\u0410"}, schemas.Violation{Pointer: "/name", Code: "text_mixed_script"}},
		"bidi in name":    {map[string]any{"name": "测\u202e一"}, schemas.Violation{Pointer: "/name", Code: "text_bidi"}},
		"sixteen":         {map[string]any{"id_type": "UNK", "id_reason": "无", "id_no": nil, "birth_date": "2009-07-04"}, schemas.Violation{Pointer: "/birth_date", Code: "minor_14_to_17"}},
		"fourteen or not": {map[string]any{"id_type": "UNK", "id_reason": "无", "id_no": nil, "birth_date": "2011"}, schemas.Violation{Pointer: "/birth_date", Code: "minor_14_to_17"}},
		"service number":  {map[string]any{"phones": []any{map[string]any{"no": "12345"}}}, schemas.Violation{Pointer: "/phones/0/no", Code: "service_number"}},
	} {
		p := goodExample(t, "blacklist.person", "entry")
		delete(p, "id_no_old")
		delete(p, "photo_ref")
		for k, v := range c.change {
			if v == nil {
				delete(p, k)
			} else {
				p[k] = v
			}
		}
		b := encode(t, p)
		if vs := typ.Validate(b, asOf); len(vs) > 0 {
			t.Errorf("%s: refused: %v", name, vs)
		}
		if ws := typ.Warnings(b, asOf); !slices.Equal(ws, []schemas.Violation{c.want}) {
			t.Errorf("%s: warnings %v, want %v", name, ws, c.want)
		}
	}
	penalty := lookup(t, "penalty")
	p := goodExample(t, "penalty", "announced_and_contested")
	p["filed_at"], p["served_at"] = "2025-05-01", "2025-09-20"
	p["act_from"], p["act_to"], p["occurred_at"] = "2025-04-01", "2025-04-01", "2025-04-01T00:00:00+08:00"
	want := []schemas.Violation{{Pointer: "/decided_at", Code: "over_90_days"}, {Pointer: "/served_at", Code: "announcement_period"}}
	if ws := penalty.Warnings(encode(t, p), asOf); !slices.Equal(ws, want) {
		t.Errorf("warnings %v, want %v", ws, want)
	}
}

// TestDayOfReckoning: the same payload, two days: tomorrow is accepted, the day after is not.
func TestDayOfReckoning(t *testing.T) {
	typ := lookup(t, "penalty")
	b := encode(t, goodExample(t, "penalty", "person"))
	for day, want := range map[string]bool{"2025-08-24": true, "2025-08-23": false, "2026-05-29": true, "2085-07-02": true, "2085-07-03": false} {
		if vs := typ.Validate(b, day); (len(vs) == 0) != want {
			t.Errorf("as of %s: %v", day, vs)
		}
	}
	for _, day := range []string{"", "today", "2026-02-30"} {
		if vs := typ.Validate(b, day); !slices.Equal(vs, []schemas.Violation{{Code: "as_of"}}) {
			t.Errorf("as of %q: %v", day, vs)
		}
	}
}

// TestCivilDate: an act at 16:30 UTC is an act of the next day at +08:00, where the person is fourteen.
func TestCivilDate(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	p := goodExample(t, "blacklist.person", "identity_unknown")
	delete(p, "photo_ref")
	p["birth_date"] = "2012-03-13"
	for at, want := range map[string]int{"2026-03-13T15:59:59Z": 1, "2026-03-13T16:30:00Z": 0, "2026-03-13T23:59:59+08:00": 1, "2026-03-14T00:00:00+08:00": 0} {
		p["occurred_at"] = at
		if vs := typ.Validate(encode(t, p), asOf); len(vs) != want {
			t.Errorf("act at %s: %v", at, vs)
		}
	}
}

// patience is how long a refused document may take: longer where the race detector slows everything.
var patience = time.Second

// TestHostileDocuments: refused as malformed, at once, without building what they describe.
func TestHostileDocuments(t *testing.T) {
	typ := lookup(t, "blacklist.person")
	wide := func(n int) string { return `{"x":[` + strings.TrimSuffix(strings.Repeat("0,", n), ",") + `]}` }
	many := strings.Builder{}
	for i := range 10_001 {
		fmt.Fprintf(&many, `"k%d":0,`, i)
	}
	for name, c := range map[string]struct{ doc, code string }{
		"depth 33":          {strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33), "json_depth"},
		"depth 100,000":     {strings.Repeat(`[`, 100_000), "json_depth"},
		"10,001 keys":       {`{` + strings.TrimSuffix(many.String(), ",") + `}`, "json_members"},
		"10,001 items":      {wide(10_001), "json_members"},
		"1 MiB key":         {`{"` + strings.Repeat("k", 1<<20) + `":1}`, "json_size"},
		"long key":          {`{"` + strings.Repeat("k", 9<<10) + `":1}`, "json_string"},
		"10^5-digit number": {`{"x":` + strings.Repeat("9", 100_000) + `}`, "json_number"},
		"invalid UTF-8":     {"{\"name\":\"\xff\"}", "json_invalid"},
		"noncharacter":      {`{"name":"\uffff"}`, "json_control"},
		"infinity":          {`{"x":Infinity}`, "json_invalid"},
		"nothing":           {``, "json_invalid"},
		"spaces":            {`   `, "json_invalid"},
		"two documents":     {`{}{}`, "json_invalid"},
		"half":              {`{"name":"`, "json_invalid"},
		"folded duplicate":  {`{"name":"a","\u006eame":"b"}`, "json_duplicate"},
	} {
		start := time.Now()
		vs := typ.Validate([]byte(c.doc), asOf)
		if len(vs) != 1 || vs[0].Code != c.code || !vs[0].Malformed() {
			t.Errorf("%s: %v, want %s", name, vs, c.code)
		}
		if took := time.Since(start); took > patience {
			t.Errorf("%s took %v", name, took)
		}
		if len(vs) == 1 && len(vs[0].Pointer) > 200 {
			t.Errorf("%s: the answer repeats %d bytes of the input", name, len(vs[0].Pointer))
		}
	}
	// Just under the limits: every violation costs something, and no more than that.
	for name, doc := range map[string]string{
		"9,990 items":    wide(9_990),
		"9,000 unknown":  `{` + many.String()[:strings.Index(many.String(), `,"k9000"`)] + `}`,
		"4,900 reasons":  `{"intake":"history","penalty_refs":[` + strings.TrimSuffix(strings.Repeat("null,", 4_900), ",") + `],"null_reasons":{` + reasons(4_900) + `}}`,
		"9,000 the same": `{"penalty_refs":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 9_000), ",") + `]}`,
	} {
		start := time.Now()
		vs := typ.Validate([]byte(doc), asOf)
		if len(vs) == 0 || vs[0].Malformed() || len(vs) > schemas.MaxViolations {
			t.Errorf("%s: %d violations, first %v", name, len(vs), vs[0])
		}
		typ.Check(map[string][]byte{"card": []byte(doc), "body": []byte(doc)}, asOf)
		if took := time.Since(start); took > 2*patience {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func reasons(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"/penalty_refs/%d":"unreadable",`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// TestNoEcho: a number or name of a person in the wrong place, even as the name of a field, comes back in no pointer, no code
// and no error; a mistyped field name does.
func TestNoEcho(t *testing.T) {
	for _, canary := range []string{"320623190001159016", "15400000001", "测甲一", "测吐尔逊·测提", "Ce Jia", "3206231900x", "é", "1 1 1 1 1"} {
		for _, typ := range schemas.Types() {
			for _, doc := range []string{`{"` + canary + `":1}`, `{"x":{"` + canary + `":1}}`, `{"` + canary + `":1,"` + canary + `":2}`, `{"payload":{"` + canary + `":"a"}}`,
				`{"null_reasons":{"` + canary + `":"x"}}`, `{"null_reasons":{"/` + canary + `":"x"}}`, `{"respondent":{"` + canary + `":1}}`, `{"` + canary + `":` + strings.Repeat(`[`, 40)} {
				for _, v := range append(typ.Validate([]byte(doc), asOf), typ.Warnings([]byte(doc), asOf)...) {
					if strings.Contains(v.Pointer+v.Code, canary) {
						t.Errorf("%s: %s gives %+v", typ.Name(), doc, v)
					}
				}
			}
			if _, err := typ.Split([]byte(`{"` + canary + `":1}`)); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: Split says %v", typ.Name(), err)
			}
		}
	}
	person, _ := schemas.Lookup("blacklist.person", "1")
	if vs := person.Validate([]byte(`{"id_number":1}`), asOf); !slices.Contains(vs, schemas.Violation{Pointer: "/id_number", Code: "unknown_field"}) {
		t.Errorf("a mistyped field is not named: %v", vs)
	}
}

// FuzzValidate: no payload panics; what is valid can be split, joined to the same values, and checked.
func FuzzValidate(f *testing.F) {
	for _, kind := range []string{"good", "bad"} {
		for _, e := range examples(f, kind) {
			f.Add(e.typ.Name(), e.data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		typ, ok := schemas.Lookup(name, "1")
		if !ok {
			return
		}
		vs := typ.Validate(b, asOf)
		typ.Warnings(b, asOf)
		typ.Check(map[string][]byte{"card": b, "body": b}, asOf)
		typ.Identifiers(map[string][]byte{"body": b})
		parts, err := typ.Split(b)
		if len(vs) == 0 && err != nil {
			t.Fatalf("valid, but %v", err)
		}
		if err != nil {
			return
		}
		joined, err := typ.Join(parts)
		if err != nil {
			t.Fatal(err)
		}
		again, err := typ.Split(joined)
		if err != nil {
			t.Fatal(err)
		}
		for part := range parts {
			if len(vs) == 0 && !bytes.Equal(parts[part], again[part]) {
				t.Fatalf("part %s changes:\n%s\n%s", part, parts[part], again[part])
			}
		}
		if len(vs) == 0 {
			if vs := typ.Validate(joined, asOf); len(vs) > 0 {
				t.Fatalf("valid, but not after joining: %v", vs)
			}
			if vs := typ.Check(parts, asOf); len(vs) > 0 {
				t.Fatalf("valid, but its parts are not: %v", vs)
			}
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	typ := lookup(b, "penalty")
	p := encode(b, goodExample(b, "penalty", "person"))
	for b.Loop() {
		if len(typ.Validate(p, asOf)) > 0 {
			b.Fatal("refused")
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	typ := lookup(b, "penalty")
	p := encode(b, goodExample(b, "penalty", "person"))
	for b.Loop() {
		if _, err := typ.Split(p); err != nil {
			b.Fatal(err)
		}
	}
}
