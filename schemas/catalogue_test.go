package schemas_test

import (
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/schemas"
)

func TestCatalogue(t *testing.T) {
	want := []string{
		"account.event",
		"act.signed",
		"act.withdrawn",
		"blacklist.correction",
		"blacklist.handle",
		"blacklist.institution",
		"blacklist.person",
		"blacklist.premises",
		"blacklist.status",
		"blacklist.withdrawal",
		"charter",
		"duty_roster",
		"entry.draft",
		"entry.step",
		"handle.correction",
		"identity.link",
		"identity.withdrawal",
		"institution.correction",
		"lookup.answered",
		"lookup.asked",
		"lookup.exported",
		"lookup.outcome",
		"node.event",
		"operation",
		"operation.reply",
		"operation.status",
		"penalty",
		"penalty.correction",
		"penalty.status",
		"premises.correction",
		"roster.withdrawal",
		"spot_check.event",
	}
	var got []string
	for _, typ := range schemas.Types() {
		got = append(got, typ.Name())
		if found, ok := schemas.Lookup(typ.Name(), typ.Version()); !ok || found != typ {
			t.Errorf("Lookup(%s, %s)", typ.Name(), typ.Version())
		}
		if typ.Title() == "" {
			t.Errorf("%s has no Chinese name", typ.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("types %v, want %v", got, want)
	}
	for _, no := range [][2]string{{"penalty", "2"}, {"common", "1"}, {"", ""}, {"blacklist", "person 1"}} {
		if _, ok := schemas.Lookup(no[0], no[1]); ok {
			t.Errorf("Lookup(%q, %q) found something", no[0], no[1])
		}
	}
}

// TestAnnotations is the lint of the catalogue: no field without part, class and level, none that contradicts itself,
// and no strong identifier on a card unless everybody may know it (domain.md §2.2, §2.3).
func TestAnnotations(t *testing.T) {
	parts := map[string]string{"L2": "card", "L3": "body", "REQ": "home", "NO": "home"}
	retention := []string{"PUB", "CASE", "LEAD", "OP", "LOG3", "EPH", ""}
	names := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, typ := range schemas.Types() {
		body := false
		derived := false
		for _, f := range typ.Fields() {
			at := typ.Name() + f.Pointer
			switch {
			case f.Part == "" || f.Class == "" || f.Vis == "":
				t.Errorf("%s: part %q, class %q, vis %q", at, f.Part, f.Class, f.Vis)
			case parts[f.Vis] != f.Part:
				t.Errorf("%s: vis %s in part %s", at, f.Vis, f.Part)
			case f.Class == "C4" && f.Part != "home":
				t.Errorf("%s: class C4 in part %s", at, f.Part)
			case f.Strong && f.Part == "card" && f.Class != "C0" && f.Class != "C1":
				t.Errorf("%s: strong identifier of class %s on the card", at, f.Class)
			case !regexp.MustCompile(`^C[0-4]$`).MatchString(f.Class):
				t.Errorf("%s: class %s", at, f.Class)
			case !slices.Contains(retention, f.Retention):
				t.Errorf("%s: retention %s", at, f.Retention)
			}
			// Of a person nothing that identifies stands on a card but sex; masks are derived. Of an institution what is
			// public anyhow does (T03).
			public := f.Class == "C0" && slices.Contains([]string{"org_name", "uscc", "reg_no", "filing_no", "org_other_no"}, f.Kind)
			if f.Kind != "" && f.Part == "card" && !public && !slices.Contains([]string{"sex", "doc_no", "issuer_uscc"}, f.Kind) {
				t.Errorf("%s: identifier %s on the card", at, f.Kind)
			}
			inner := strings.Count(f.Pointer, "/") > 1 && !strings.HasPrefix(f.Pointer, "/payload/") && !strings.HasPrefix(f.Pointer, "/respondent/")
			if f.Title == "" && !strings.HasSuffix(f.Pointer, "/*") || f.Description == "" && !inner && !strings.Contains(strings.TrimPrefix(f.Pointer, "/payload/"), "/") {
				t.Errorf("%s: title %q, description %q", at, f.Title, f.Description)
			}
			segments := strings.Split(f.Pointer, "/")
			if last := segments[len(segments)-1]; last != "*" && !names.MatchString(last) {
				t.Errorf("%s: name", at)
			}
			derived = derived || f.CardAs != ""
			body = body || f.Part == "body"
			if f.CardAs != "" && (f.Part == "card" || f.CardName == "") {
				t.Errorf("%s: derived value %s %q of a field in part %s", at, f.CardAs, f.CardName, f.Part)
			}
			if f.CardAs != "" && !slices.Contains([]string{"mask_name", "year", "verified_flag", "copy"}, f.CardAs) {
				t.Errorf("%s: derived as %s", at, f.CardAs)
			}
			if f.CardAs == "copy" && f.Class > "C1" {
				t.Errorf("%s: a copy of class %s on the card", at, f.Class)
			}
		}
		if derived && !body {
			t.Errorf("%s derives card values but has no body", typ.Name())
		}
	}
}

// TestSchemasRefuseUnknown: every object of every schema says additionalProperties, so that nothing travels unseen.
func TestSchemasRefuseUnknown(t *testing.T) {
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			isObject := v["type"] == "object"
			if list, ok := v["type"].([]any); ok {
				isObject = slices.Contains(list, any("object"))
			}
			if _, has := v["additionalProperties"]; isObject && !has && !strings.HasSuffix(at, "/if") {
				t.Errorf("%s: object without additionalProperties", at)
			}
			for k, m := range v {
				walk(at+"/"+k, m)
			}
		case []any:
			for _, m := range v {
				walk(at+"/*", m)
			}
		}
	}
	files := []string{"common/v1.schema.json"}
	for _, typ := range schemas.Types() {
		files = append(files, typ.Name()+"/v"+typ.Version()+".schema.json")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		walk(f, v)
	}
}

// TestTexts: every code that the package can emit has words in both languages, and no words are left over. The codes are
// read from the source, from the bad examples, and from the reasons of package identifier.
func TestTexts(t *testing.T) {
	emitted := map[string]bool{}
	literal := regexp.MustCompile(`(?:report|warn|fail)\(.*"([a-z][a-z0-9_]+)"\)$|Violation\{+.*, "([a-z0-9_]+)"\}|return "([a-z_]+)"$|code(?:, at)? :?= "([a-z_]+)"`)
	reason := regexp.MustCompile(`Reason\w* +Reason = "([a-z0-9_]+)"`)
	for file, form := range map[string]*regexp.Regexp{"validate.go": literal, "rules.go": literal, "grounds.go": literal, "roster.go": literal, "value.go": literal, "parts.go": literal, "identifier/doc.go": reason} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(b), "\n") {
			for _, m := range form.FindAllStringSubmatch(line, -1) {
				emitted[strings.Join(m[1:], "")] = true
			}
		}
	}
	for _, e := range examples(t, "bad") {
		for _, v := range e.typ.Validate(e.data, asOf) {
			emitted[v.Code] = true
		}
		for _, v := range e.typ.Warnings(e.data, asOf) {
			emitted[v.Code] = true
		}
	}
	for _, flag := range []string{"bidi", "hidden", "private_use", "not_nfc"} {
		emitted["text_"+flag] = true
	}
	if len(emitted) < 50 {
		t.Errorf("only %d codes found in the source: %v", len(emitted), emitted)
	}
	general, _ := schemas.Texts("no such code")
	var missing []string
	for code := range emitted {
		zh, en := schemas.Texts(code)
		if code != "invalid" && zh == general || zh == "" || en == "" {
			missing = append(missing, code)
		}
	}
	sort.Strings(missing)
	if len(missing) > 0 {
		t.Errorf("no text for %v", missing)
	}
}
