package auth_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// fields are those of a type, as the border hands them over.
func fields(t testing.TB, typ string) []auth.Field {
	t.Helper()
	ty, ok := schemas.Lookup(typ, "1")
	if !ok {
		t.Fatalf("no type %s", typ)
	}
	var out []auth.Field
	for _, f := range ty.Fields() {
		out = append(out, auth.Field{Pointer: f.Pointer, Part: record.PartName(f.Part), Class: f.Class, Vis: f.Vis, Kind: f.Kind, Derived: f.CardName})
	}
	return out
}

// TestViewOf is domain.md §2.3, "Receiving side, by role".
func TestViewOf(t *testing.T) {
	list := auth.Situation{}
	own := auth.Situation{Own: true}
	answer := auth.Situation{Purpose: federation.PurposeRaid}
	opened := auth.Situation{Purpose: federation.PurposeRaid, Opened: true}
	figures := auth.Situation{Purpose: federation.PurposeStat}
	assigned := auth.Situation{Assigned: true}
	for _, row := range []struct {
		role                                         auth.Role
		list, own, answer, opened, figures, assigned auth.View
	}{
		{auth.Officer, auth.ViewNone, auth.ViewCard, auth.ViewMasked, auth.ViewOpened, auth.ViewCount, auth.ViewNone},
		{auth.Liaison, auth.ViewNone, auth.ViewHome, auth.ViewMasked, auth.ViewOpened, auth.ViewCount, auth.ViewNone},
		{auth.LegalReviewer, auth.ViewNone, auth.ViewHome, auth.ViewMasked, auth.ViewOpened, auth.ViewCount, auth.ViewNone},
		{auth.Head, auth.ViewNone, auth.ViewHome, auth.ViewMasked, auth.ViewOpened, auth.ViewCount, auth.ViewNone},
		{auth.Coordinator, auth.ViewCount, auth.ViewCount, auth.ViewCount, auth.ViewCount, auth.ViewCount, auth.ViewCount},
		{auth.Sentinel, 0, 0, 0, 0, 0, 0},
		{auth.Aide, 0, 0, 0, 0, 0, 0},
		{auth.Supervisor, 0, 0, 0, 0, 0, auth.ViewOpened},
		{auth.Auditor, auth.ViewMeta, auth.ViewMeta, auth.ViewMeta, auth.ViewMeta, auth.ViewMeta, auth.ViewMeta},
		{auth.SecurityAdmin, 0, 0, 0, 0, 0, 0},
		{auth.SysAdmin, 0, 0, 0, 0, 0, 0},
		{auth.AuditAdmin, 0, 0, 0, 0, 0, 0},
	} {
		for _, c := range []struct {
			what string
			s    auth.Situation
			want auth.View
		}{{"list", list, row.list}, {"own", own, row.own}, {"answer", answer, row.answer}, {"opened", opened, row.opened},
			{"figures", figures, row.figures}, {"assigned", assigned, row.assigned}} {
			if got := auth.ViewOf([]auth.Role{row.role}, c.s); got != c.want {
				t.Errorf("%s, %s: view %d, want %d", row.role, c.what, got, c.want)
			}
		}
	}
	if got := auth.ViewOf([]auth.Role{auth.Officer}, auth.Situation{Own: true, Author: true}); got != auth.ViewHome {
		t.Errorf("an officer does not see what he wrote: %d", got)
	}
	if got := auth.ViewOf([]auth.Role{auth.Coordinator, auth.Officer}, answer); got != auth.ViewMasked {
		t.Errorf("of two roles the larger view counts: %d", got)
	}
}

func TestViewOfOperation(t *testing.T) {
	for _, row := range []struct {
		role           auth.Role
		own, embargoed bool
		want           auth.View
	}{
		{auth.Liaison, true, true, auth.ViewHome}, {auth.Liaison, false, true, auth.ViewOpened}, {auth.Coordinator, false, false, auth.ViewOpened},
		{auth.Officer, true, true, auth.ViewNone}, {auth.Officer, false, true, auth.ViewNone}, {auth.Officer, false, false, auth.ViewOpened},
		{auth.Auditor, true, false, auth.ViewMeta}, {auth.Aide, true, false, auth.ViewNone}, {auth.SysAdmin, true, false, auth.ViewNone},
	} {
		if got := auth.ViewOfOperation([]auth.Role{row.role}, row.own, row.embargoed); got != row.want {
			t.Errorf("%+v: %d", row, got)
		}
	}
}

func example(t testing.TB, typ string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "schemas", typ, "examples", "good", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no good example of %s", typ)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	ty, _ := schemas.Lookup(typ, "1")
	parts, err := ty.Split(b)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestCut_masks(t *testing.T) {
	body := []byte(`{"name":"测甲一","id_no":"310101190001019001","id_no_old":"310101000101901","phones":[{"no":"15400000123","seen_on":"2026-01-02"},{"no":"123"}],"risk_note":"x","unheard_of":1,"notice":null}`)
	fs := fields(t, "blacklist.person")
	for v, want := range map[auth.View]string{
		auth.ViewNone: "", auth.ViewCount: "", auth.ViewMeta: "", auth.ViewCard: "",
		auth.ViewMasked: `{"name":"测甲一","id_no":"310****1","id_no_old":"310****1","phones":[{"no":"154****23","seen_on":"2026-01-02"},{"no":"****"}],"notice":null}`,
		auth.ViewOpened: `{"name":"测甲一","id_no":"310101190001019001","id_no_old":"310101000101901","phones":[{"no":"15400000123","seen_on":"2026-01-02"},{"no":"123"}],"notice":null}`,
	} {
		got, err := auth.Cut(record.Body, body, v, fs)
		if err != nil || string(got) != want {
			t.Errorf("view %d: %s %v, want %s", v, got, err, want)
		}
	}
	card := []byte(`{"name_masked":"测某某","id_type":"RIC","id_verified":"verified","birth_year":"1900","sex":"1","name":"测甲一"}`)
	want := `{"name_masked":"测某某","id_type":"RIC","id_verified":"verified","birth_year":"1900","sex":"1"}`
	for _, v := range []auth.View{auth.ViewCard, auth.ViewMasked, auth.ViewOpened, auth.ViewHome} {
		if got, err := auth.Cut(record.Card, card, v, fs); err != nil || string(got) != want {
			t.Errorf("card at view %d: %s %v", v, got, err)
		}
	}
	if got, err := auth.Cut(record.Home, []byte(`{"risk_note":["a"],"photo_ref":"x"}`), auth.ViewOpened, fs); err != nil || got != nil {
		t.Errorf("home shown to who opened a record: %s %v", got, err)
	}
}

func TestCut_refuses_by_default(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"unknown type", `{"a":1,"b":{"c":2}}`, ""},
		{"empty", `{}`, ""},
	} {
		if got, err := auth.Cut(record.Body, []byte(row.in), auth.ViewHome, nil); err != nil || string(got) != row.want {
			t.Errorf("%s: %s %v", row.name, got, err)
		}
	}
	fs := []auth.Field{{Pointer: "/source", Part: record.Home, Class: "C4", Vis: "NO"}, {Pointer: "/x", Part: record.Body, Vis: "L3"}}
	for _, in := range []string{`{"source":"informer"}`, `{"x":1}`} {
		for _, p := range []record.PartName{record.Home, record.Body} {
			if got, err := auth.Cut(p, []byte(in), auth.ViewHome, fs); err != nil || got != nil {
				t.Errorf("%s in %s: %s %v", in, p, got, err)
			}
		}
	}
	for _, bad := range []string{`[]`, `"310101190001019001"`, `{"name":`, `{"name":"a"`, `nope`} {
		got, err := auth.Cut(record.Body, []byte(bad), auth.ViewHome, fields(t, "blacklist.person"))
		if err == nil || got != nil || strings.Contains(fmt.Sprint(err), "3101") {
			t.Errorf("%s: %s %v", bad, got, err)
		}
	}
}

// leaf is one scalar of a document: where it is, and the names on the way with * for an index.
type leaf struct {
	pointer jsontext.Pointer
	pattern string
}

func leaves(v any, at jsontext.Pointer, pattern string) []leaf {
	var out []leaf
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			out = append(out, leaves(m, at.AppendToken(k), pattern+"/"+k)...)
		}
	case []any:
		for i, m := range v {
			out = append(out, leaves(m, at.AppendToken(fmt.Sprint(i)), pattern+"/*")...)
		}
	default:
		out = append(out, leaf{at, pattern})
	}
	slices.SortFunc(out, func(a, b leaf) int { return strings.Compare(string(a.pointer), string(b.pointer)) })
	return out
}

// set returns the document with another scalar at the pointer.
func set(v any, tokens []string, to any) any {
	if len(tokens) == 0 {
		return to
	}
	switch v := v.(type) {
	case map[string]any:
		v[tokens[0]] = set(v[tokens[0]], tokens[1:], to)
	case []any:
		var i int
		_, _ = fmt.Sscan(tokens[0], &i)
		v[i] = set(v[i], tokens[1:], to)
	}
	return v
}

// TestCut_non_interference: what is above the view changes no byte, what is inside it changes some. The expectation is
// made from the schema's annotations anew, not from the cut's own tree.
func TestCut_non_interference(t *testing.T) {
	for _, typ := range []string{"blacklist.person", "penalty", "operation"} {
		parts := example(t, typ)
		fs := fields(t, typ)
		t.Run(typ, func(t *testing.T) {
			var hiddenSeen, plainSeen, maskedSeen int
			rapid.Check(t, func(rt *rapid.T) {
				name := rapid.SampledFrom([]string{"card", "body", "home"}).Draw(rt, "part")
				b, ok := parts[name]
				if !ok {
					rt.SkipNow()
				}
				view := auth.View(rapid.IntRange(0, int(auth.ViewHome)).Draw(rt, "view"))
				var doc any
				if err := json.Unmarshal(b, &doc); err != nil {
					rt.Fatal(err)
				}
				all := leaves(doc, "", "")
				if len(all) == 0 {
					rt.SkipNow()
				}
				l := all[rapid.IntRange(0, len(all)-1).Draw(rt, "leaf")]
				middle := rapid.StringMatching(`[a-z0-9]{6}`).Draw(rt, "new value")
				one := remake(rt, b, l.pointer, "aaa"+"000000"+"zz")
				two := remake(rt, b, l.pointer, "aaa"+middle+"zz")
				a := cut(rt, name, one, view, fs)
				z := cut(rt, name, two, view, fs)
				same := bytes.Equal(a, z)
				switch want := expected(fs, name, l.pattern, view); {
				case want == "hidden" && !same:
					rt.Fatalf("%s is above view %d and changed the bytes:\n%s\n%s", l.pattern, view, a, z)
				case want == "masked" && !same:
					rt.Fatalf("the hidden middle of %s changed the bytes at view %d:\n%s\n%s", l.pattern, view, a, z)
				case want == "plain" && same && middle != "000000":
					rt.Fatalf("%s is inside view %d and changed nothing: %s", l.pattern, view, a)
				case want == "hidden":
					hiddenSeen++
				case want == "masked":
					maskedSeen++
				default:
					plainSeen++
				}
			})
			if hiddenSeen == 0 || plainSeen == 0 {
				t.Errorf("hidden %d, plain %d, masked %d: one side was never tried", hiddenSeen, plainSeen, maskedSeen)
			}
		})
	}
}

func remake(t *rapid.T, b []byte, at jsontext.Pointer, to string) []byte {
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for tok := range at.Tokens() {
		tokens = append(tokens, tok)
	}
	out, err := json.Marshal(set(doc, tokens, to), json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func cut(t *rapid.T, part string, b []byte, v auth.View, fs []auth.Field) []byte {
	out, err := auth.Cut(record.PartName(part), b, v, fs)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// expected says from the annotations how a leaf shows: by the longest listed field that it lies in.
func expected(fs []auth.Field, part, pattern string, v auth.View) string {
	var best *auth.Field
	for i, f := range fs {
		if f.Derived != "" && part == "card" && pattern == f.Pointer[:strings.LastIndexByte(f.Pointer, '/')]+"/"+f.Derived {
			return map[bool]string{true: "plain", false: "hidden"}[v >= auth.ViewCard]
		}
		if string(f.Part) == part && (pattern == f.Pointer || strings.HasPrefix(pattern, f.Pointer+"/")) && (best == nil || len(f.Pointer) > len(best.Pointer)) {
			best = &fs[i]
		}
	}
	if best == nil {
		return "hidden"
	}
	need := map[string]auth.View{"L2": auth.ViewCard, "L3": auth.ViewMasked, "REQ": auth.ViewHome, "NO": auth.ViewHome}[best.Vis]
	switch {
	case v < need:
		return "hidden"
	case v == auth.ViewMasked && (best.Kind == "document" || best.Kind == "resident_id" || best.Kind == "phone"):
		return "masked"
	}
	return "plain"
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"name":"测甲一","phones":[{"no":"15400000123"}]}`))
	f.Add([]byte(`{"notice":{"mode":"separate"},"x":[[{}]]}`))
	fs := fields(f, "blacklist.person")
	f.Fuzz(func(t *testing.T, b []byte) {
		for v := auth.ViewNone; v <= auth.ViewHome; v++ {
			for _, p := range record.PartOrder {
				out, err := auth.Cut(p, b, v, fs)
				if err == nil && out != nil && !jsontext.Value(out).IsValid() {
					t.Errorf("%s at %d: %q", p, v, out)
				}
			}
		}
	})
}
