package transfer_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/transfer"
)

// entry is a published penalty with the example's content, changed.
func entry(t testing.TB, change func(payload map[string]any)) blacklist.Entry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "schemas", "penalty", "examples", "good", "person.json"))
	must(t, err)
	var payload map[string]any
	must(t, json.Unmarshal(b, &payload))
	if change != nil {
		change(payload)
	}
	b, err = json.Marshal(payload)
	must(t, err)
	typ, _ := schemas.Lookup("penalty", "1")
	parts, err := typ.Split(b)
	must(t, err)
	e := blacklist.Entry{Stream: record.Stream("310117-01", record.Records), Subject: record.RecordID{1}, Type: "penalty", Version: 3, Parts: map[record.PartName][]byte{}}
	for name, p := range parts {
		e.Parts[record.PartName(name)] = p
	}
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// share shares one penalty at a level and reckons what the asker makes of it.
func share(t testing.TB, e blacklist.Entry, l record.Level) (transfer.Shared, transfer.Result) {
	t.Helper()
	s, err := transfer.Share(subject(), []transfer.Owned{{Entry: e, Level: l}}, nil, day("2026-03-13"))
	must(t, err)
	q, silent := transfer.Collect(subject(), day("2026-03-13"), 1, []transfer.Heard{{Member: "310117-01", Rule: s.Rule, Facts: s.Facts, Lines: s.Lines, Basic: s.Basic, Full: true}})
	if len(silent) != 0 {
		t.Fatalf("silent: %v", silent)
	}
	return s, transfer.Count(q)
}

func TestShare_each_level_tells_no_more_than_it_may(t *testing.T) {
	e := entry(t, func(p map[string]any) {
		p["cause_text"], p["practitioner_page"] = "canary-text", "canary-page"
		p["respondent"].(map[string]any)["addresses"] = []map[string]any{{"text": "canary-address"}}
	})
	for _, l := range []record.Level{record.L0, record.L1, record.L2, record.L3} {
		s, r := share(t, e, l)
		all, err := json.Marshal(s.Facts)
		must(t, err)
		lines, err := json.Marshal(s.Lines)
		must(t, err)
		if strings.Contains(string(all)+string(lines), "canary") {
			t.Errorf("%s tells what the rule does not read", l)
		}
		if strings.Contains(string(lines), p1) || strings.Contains(string(lines), "测甲一") {
			t.Errorf("%s: a line names the person", l)
		}
		got := [4]int{len(s.Facts), len(s.Lines), s.Basic, len(s.Told)}
		want := map[record.Level][4]int{record.L0: {}, record.L1: {0, 0, 1, 1}, record.L2: {0, 1, 0, 1}, record.L3: {1, 0, 0, 1}}[l]
		if got != want {
			t.Errorf("%s: facts, lines, basic, told %v, want %v", l, got, want)
		}
		alert := map[record.Level]transfer.Alert{record.L0: transfer.G0, record.L1: transfer.GP0, record.L2: transfer.G1, record.L3: transfer.G1}[l]
		if r.Alert != alert {
			t.Errorf("%s: %s, want %s", l, r.Alert, alert)
		}
	}
}

// Whoever is a namesake only, or nobody to the count, has no fact told at any level.
func TestShare_tells_no_fact_of_a_namesake(t *testing.T) {
	e := entry(t, nil)
	for name, row := range map[string]struct {
		asked transfer.Person
		want  [4]int // facts, lines, basic, told
	}{
		"name alone":   {transfer.Person{Name: "测甲一"}, [4]int{0, 1, 0, 1}},
		"sounds alike": {transfer.Person{Name: "测佳一"}, [4]int{}},
		"number":       {transfer.Person{IDType: "RIC", IDNo: p1}, [4]int{1, 0, 0, 1}},
	} {
		s, err := transfer.Share(row.asked, []transfer.Owned{{Entry: e, Level: record.L3}}, nil, day("2026-03-13"))
		must(t, err)
		if got := [4]int{len(s.Facts), len(s.Lines), s.Basic, len(s.Told)}; got != row.want {
			t.Errorf("%s: facts, lines, basic, told %v, want %v", name, got, row.want)
		}
		for _, l := range s.Lines {
			if strings.Contains(string(l), "9017") {
				t.Errorf("%s: the line names the decision: %s", name, l)
			}
		}
	}
}

// Every member of a fact is one that the catalogue gives out at L3.
func TestFact_holds_nothing_above_L3(t *testing.T) {
	typ, _ := schemas.Lookup("penalty", "1")
	fact, err := transfer.Fact(new(entry(t, nil)), nil, day("2026-03-13"))
	must(t, err)
	var members map[string]jsontext.Value
	must(t, json.Unmarshal(fact, &members))
	for name := range members {
		if slices.Contains([]string{"record_id", "origin", "version", "respondent"}, name) {
			continue
		}
		ok := slices.ContainsFunc(typ.Fields(), func(f schemas.Field) bool {
			return (f.Pointer == "/"+name || strings.HasPrefix(f.Pointer, "/"+name+"/")) && f.Part != "home"
		})
		if !ok {
			t.Errorf("%s is no field of card or body", name)
		}
	}
	var respondent map[string]jsontext.Value
	must(t, json.Unmarshal(members["respondent"], &respondent))
	for name := range respondent {
		if slices.ContainsFunc(typ.Fields(), func(f schemas.Field) bool { return f.Pointer == "/respondent/"+name && f.Part == "home" }) {
			t.Errorf("respondent/%s never leaves its bureau", name)
		}
	}
}

// What status records say is in the fact, though the content does not say it.
func TestFact_with_what_happened_later(t *testing.T) {
	step := func(event string, day string) blacklist.Step {
		s := blacklist.Step{Day: day, By: blacklist.Person{User: "u-7"}}
		s.Event = map[string]blacklist.Step{"suspend": {Event: blacklist.EventSuspend}, "lift": {Event: blacklist.EventLift}, "void": {Event: blacklist.EventVoid}}[event].Event
		return s
	}
	for name, row := range map[string]struct {
		change func(e *blacklist.Entry)
		want   string
	}{
		"nothing":         {func(*blacklist.Entry) {}, "C counted"},
		"voided":          {func(e *blacklist.Entry) { e.History = []blacklist.Step{step("void", "2026-03-01")} }, "E annulled"},
		"voided tomorrow": {func(e *blacklist.Entry) { e.History = []blacklist.Step{step("void", "2026-03-14")} }, "C counted"},
		"suspended":       {func(e *blacklist.Entry) { e.History = []blacklist.Step{step("suspend", "2026-03-01")} }, "P suspended"},
		"suspended and lifted": {func(e *blacklist.Entry) {
			e.History = []blacklist.Step{step("suspend", "2026-03-01"), step("lift", "2026-03-05")}
		}, "C counted"},
		"a step without effect": {func(e *blacklist.Entry) {
			s := step("void", "2026-03-01")
			s.Ignored = true
			e.History = []blacklist.Step{s}
		}, "C counted"},
		"revoked, nobody knows when": {func(e *blacklist.Entry) { e.RemedyState = "revoked" }, "P record_incomplete"},
		"revoked by a review decided": {func(e *blacklist.Entry) {
			e.RemedyState, e.RemedyEvents = "revoked", []blacklist.RemedyEvent{{Type: "review_decided", At: "2026-03-01", Outcome: "revoked"}}
		}, "E annulled"},
	} {
		e := entry(t, nil)
		row.change(&e)
		for _, l := range []record.Level{record.L2, record.L3} {
			if _, r := share(t, e, l); reasonOf(t, r, e.Subject.String()) != row.want {
				t.Errorf("%s at %s: %s, want %s", name, l, reasonOf(t, r, e.Subject.String()), row.want)
			}
		}
	}
}

// A list entry that is suspended suspends the penalties that it rests on.
func TestShare_suspended_with_its_entry(t *testing.T) {
	e := entry(t, nil)
	person := blacklist.Entry{Stream: e.Stream, Subject: record.RecordID{2}, Type: blacklist.TypePerson, Recorded: blacklist.Suspended, SuspendedBy: "u-7",
		Parts: map[record.PartName][]byte{record.Body: []byte(`{"penalty_refs":["` + e.Subject.String() + `"]}`)}, History: []blacklist.Step{{Event: blacklist.EventSuspend, Day: "2026-03-01"}}}
	s, err := transfer.Share(subject(), []transfer.Owned{{Entry: person, Level: record.L3}, {Entry: e, Level: record.L2}}, nil, day("2026-03-13"))
	must(t, err)
	l, err := transfer.DecodeLine(s.Lines[0])
	if err != nil || l.Found != (transfer.Finding{Verdict: transfer.Pending, Reason: transfer.ReasonSuspended}) {
		t.Errorf("%v %+v", err, l.Found)
	}
}

func TestLine_comes_back_as_it_went(t *testing.T) {
	for _, p := range []transfer.Penalty{a(), b(), with(a(), func(p *transfer.Penalty) { p.Served = day("2027-01-01"); p.Respondent.Name = "测乙二" }),
		events(b(), event(transfer.ReviewDecided, "2025-10-01", transfer.Revoked)), with(a(), func(p *transfer.Penalty) { p.Respondent.IDNo = p2 })} {
		l := transfer.Examine(new(subject()), &p, nil, day("2026-03-13"))
		text, err := transfer.EncodeLine(&l)
		must(t, err)
		got, err := transfer.DecodeLine(text)
		must(t, err)
		again, err := transfer.EncodeLine(&got)
		must(t, err)
		if string(again) != string(text) {
			t.Errorf("%s\n%s", text, again)
		}
	}
}

func TestCollect_a_member_that_cannot_be_read_is_missing(t *testing.T) {
	fact, err := transfer.Fact(new(entry(t, nil)), nil, day("2026-03-13"))
	must(t, err)
	line := func(s string) []jsontext.Value { return []jsontext.Value{jsontext.Value(s)} }
	for name, h := range map[string]transfer.Heard{
		"partial":               {Member: "310117-01", Rule: transfer.RuleVersion, Facts: []jsontext.Value{fact}},
		"older release":         {Member: "310117-01", Full: true},
		"another rule":          {Member: "310117-01", Rule: "count-rule/2.0", Full: true},
		"speaks for another":    {Member: "310118-01", Rule: transfer.RuleVersion, Facts: []jsontext.Value{fact}, Full: true},
		"no penalty":            {Member: "310117-01", Rule: transfer.RuleVersion, Facts: line(`{}`), Full: true},
		"no line":               {Member: "310117-01", Rule: transfer.RuleVersion, Lines: line(`[]`), Full: true},
		"a word of its own":     {Member: "310117-01", Rule: transfer.RuleVersion, Lines: line(`{"record_id":"x","origin":"310117-01","version":"1","level":"R1","issuer":"x","doc":"y","decided_at":"2025-01-01","verdict":"E","reason":"because"}`), Full: true},
		"counts without dates":  {Member: "310117-01", Rule: transfer.RuleVersion, Lines: line(`{"record_id":"x","origin":"310117-01","version":"1","level":"R1","issuer":"x","doc":"y","decided_at":"2025-01-01"}`), Full: true},
		"a number out of reach": {Member: "310117-01", Rule: transfer.RuleVersion, Basic: 1 << 20, Full: true},
	} {
		q, silent := transfer.Collect(subject(), day("2026-03-13"), 1, []transfer.Heard{h})
		if r := transfer.Count(q); q.Answered != 0 || len(silent) != 1 || !r.Incomplete() {
			t.Errorf("%s: counts as answered", name)
		}
	}
}

// What the schema says beside service and remedies is in the fact: 有异议 as a flag, a transfer for G4, two officers'
// comparison for R2, a reviewer's confirmation.
func TestFact_with_the_later_facts(t *testing.T) {
	e := entry(t, func(p map[string]any) {
		p["objections"] = []string{"2026-03-01", "2027-01-01"}
		p["transferred"], p["transferred_at"] = true, "2026-03-13"
		p["photo_comparisons"] = []map[string]any{{"at": "2026-01-01", "officers": []string{"9900000000a", "9900000000A"}}, {"at": "2026-03-13", "officers": []string{"99000000001", "99000000002"}}}
		p["used_in_conviction"] = true
		p["confirmed"] = []map[string]any{{"reason": "prior_conviction", "at": "2026-03-13", "by": "acc-31"}}
	})
	for asOf, want := range map[string]struct {
		objection, transferred, photo bool
		verdict                       string
	}{
		"2026-03-13": {true, true, true, "C counted"},
		"2026-03-12": {true, false, false, "P prior_conviction"},
		"2026-02-28": {false, false, false, "P prior_conviction"},
	} {
		s, err := transfer.Share(subject(), []transfer.Owned{{Entry: e, Level: record.L2}}, nil, day(asOf))
		must(t, err)
		l, err := transfer.DecodeLine(s.Lines[0])
		must(t, err)
		if l.Objection != want.objection || l.Transferred != want.transferred || slices.Contains(l.Agreed, "photo") != want.photo {
			t.Errorf("%s: objection %v, transferred %v, agreed %v", asOf, l.Objection, l.Transferred, l.Agreed)
		}
		r := transfer.Reckon(transfer.Asked{Lines: []transfer.Line{l}, AsOf: day(asOf), Answered: 1, Total: 1})
		if got := reasonOf(t, r, e.Subject.String()); got != want.verdict {
			t.Errorf("%s: %s, want %s", asOf, got, want.verdict)
		}
	}
}

// A penalty that is the person's by evidence that lies at its origin is told as a line even where the asker is given
// facts: the asker may not have the evidence.
func TestShare_links_apply_where_the_evidence_lies(t *testing.T) {
	e := entry(t, func(p map[string]any) {
		respondent := p["respondent"].(map[string]any)
		respondent["id_type"], respondent["id_no"], respondent["name"] = "HMP", "H90000001", "CE JIA YI"
	})
	link := transfer.Link{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "HMP", No: "H90000001"}, ApprovedBy: "acc-31"}
	for _, row := range []struct {
		links []transfer.Link
		level record.Level
		want  [3]int // facts, lines, basic
		says  string
	}{
		{[]transfer.Link{link}, record.L3, [3]int{0, 1, 0}, "C counted"},
		{[]transfer.Link{link}, record.L2, [3]int{0, 1, 0}, "C counted"},
		{[]transfer.Link{link}, record.L1, [3]int{0, 0, 1}, "none"},
		{nil, record.L3, [3]int{0, 0, 0}, "none"}, // nothing says that it is his
		{nil, record.L2, [3]int{0, 0, 0}, "none"},
	} {
		s, err := transfer.Share(subject(), []transfer.Owned{{Entry: e, Level: row.level}}, row.links, day("2026-03-13"))
		must(t, err)
		if got := [3]int{len(s.Facts), len(s.Lines), s.Basic}; got != row.want {
			t.Errorf("%s, %d links: %v, want %v", row.level, len(row.links), got, row.want)
		}
		q, _ := transfer.Collect(subject(), day("2026-03-13"), 1, []transfer.Heard{{Member: "310117-01", Rule: s.Rule, Facts: s.Facts, Lines: s.Lines, Basic: s.Basic, Full: true}})
		if got := reasonOf(t, transfer.Count(q), e.Subject.String()); got != row.says {
			t.Errorf("%s, %d links: %s, want %s", row.level, len(row.links), got, row.says)
		}
	}
	// The asker's own evidence acts on facts: of who bears the name and the birth date under another document.
	alike := entry(t, func(p map[string]any) {
		respondent := p["respondent"].(map[string]any)
		respondent["id_type"], respondent["id_no"] = "HMP", "H90000001"
	})
	s, err := transfer.Share(subject(), []transfer.Owned{{Entry: alike, Level: record.L3}}, nil, day("2026-03-13"))
	must(t, err)
	q, _ := transfer.Collect(subject(), day("2026-03-13"), 1, []transfer.Heard{{Member: "310117-01", Rule: s.Rule, Facts: s.Facts, Lines: s.Lines, Basic: s.Basic, Full: true}})
	q.Links = []transfer.Link{link}
	if got := reasonOf(t, transfer.Count(q), alike.Subject.String()); got != "C counted" {
		t.Errorf("the asker's link: %s, %d facts", got, len(s.Facts))
	}
	joined := transfer.Joined(subject(), []transfer.Link{link, {A: link.B, B: link.A, ApprovedBy: "x"}, {A: link.A, B: transfer.Document{Type: "TWP", No: "90000001"}}}, day("2026-03-13"))
	if len(joined) != 1 || joined[0].No != "H90000001" {
		t.Errorf("%d documents joined", len(joined))
	}
}
