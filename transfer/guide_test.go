package transfer_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pilinhub/pilin/transfer"
)

// results gives one result for each alert, complete and not.
func results() map[string]transfer.Result {
	c := with(b(), func(p *transfer.Penalty) {
		p.RecordID, p.DocNo = "c", "测卫医罚〔2026〕9099号"
		p.ActFrom, p.ActTo, p.Decided, p.Served = day("2025-10-01"), day("2025-10-01"), day("2025-11-01"), day("2025-11-05")
	})
	pending := func(p transfer.Penalty) transfer.Penalty {
		p.ServiceProof = false
		return p
	}
	out := map[string]transfer.Result{}
	for _, q := range []transfer.Question{question(nil), question(nil, pending(a())), question(nil, a()), question(nil, a(), pending(b())), question(nil, a(), b()),
		question(act("2026-03-13"), a(), b()), question(act("2026-03-13"), a(), events(b(), event(transfer.ReviewApplied, "2025-10-01", ""))), question(act("2026-03-13"), a(), b(), c)} {
		r := transfer.Count(q)
		out[string(r.Alert)] = r
		q.Answered = 6
		less := transfer.Count(q)
		out[string(less.Alert)+" 6/7"] = less
	}
	return out
}

// Three lines for every alert, in both languages, and no word that says what only a court may say (domain.md §6.6).
func TestGuide_no_text_judges(t *testing.T) {
	all := results()
	if len(all) != 16 {
		t.Fatalf("%d results, want each alert complete and not", len(all))
	}
	for name, r := range all {
		var said strings.Builder
		for i, l := range r.Guide([]string{"松江"}) {
			if l.ZH == "" || l.EN == "" {
				t.Errorf("%s: line %d is empty", name, i+1)
			}
			said.WriteString(l.ZH + l.EN)
		}
		for other, o := range all {
			c := r.Since(&o)
			said.WriteString(c.Text.ZH + c.Text.EN)
			back := o.Since(&r)
			if (c.Direction == "up") != (back.Direction == "down") || c.Direction == "down" != (back.Direction == "up") ||
				utf8.RuneCountInString(c.Text.ZH) != utf8.RuneCountInString(back.Text.ZH) {
				t.Errorf("%s → %s is told otherwise than back: %+v %+v", other, name, c, back)
			}
		}
		f := r.FirstOffence(subject(), day("2026-03-13"))
		said.WriteString(f.Text.ZH + f.Text.EN)
		for _, bad := range []string{"涉嫌", "犯罪", "有效处罚", "crime", "guilty", "offender"} {
			if strings.Contains(said.String(), bad) {
				t.Errorf("%s says %s: %s", name, bad, said.String())
			}
		}
		if r.Incomplete() != strings.Contains(said.String(), "松江") || !strings.Contains(said.String(), string(r.Alert)) {
			t.Errorf("%s: %s", name, said.String())
		}
	}
}

func TestFirstOffence(t *testing.T) {
	nobody := subject()
	nobody.IDNo = ""
	for name, row := range map[string]struct {
		q    transfer.Question
		who  transfer.Person
		want string
	}{
		"nothing anywhere":    {question(nil), subject(), "yes"},
		"a name alone":        {question(nil), nobody, "unknown"},
		"one counts":          {question(nil, a()), subject(), "no"},
		"not punished":        {question(nil, with(a(), func(p *transfer.Penalty) { p.Kinds = []string{"NONE"} })), subject(), "no"},
		"qualified then":      {question(nil, with(a(), func(p *transfer.Penalty) { p.Qualification = transfer.QualifiedRegistered })), subject(), "no"},
		"revoked":             {question(nil, events(a(), event(transfer.ReviewDecided, "2025-01-01", transfer.Revoked))), subject(), "yes"},
		"of an organisation":  {question(nil, with(a(), func(p *transfer.Penalty) { p.RespondentKind = transfer.Organisation })), subject(), "yes"},
		"of a person unclear": {question(nil, with(a(), func(p *transfer.Penalty) { p.Respondent.Name = "测乙二" })), subject(), "unknown"},
		"a bare number":       {transfer.Question{Subject: subject(), AsOf: day("2026-03-13"), Answered: 7, Total: 7, L1Answers: []transfer.L1Answer{{Member: "330482-01", Countable: 1}}}, subject(), "unknown"},
		"one is missing":      {transfer.Question{Subject: subject(), AsOf: day("2026-03-13"), Answered: 6, Total: 7}, subject(), "unknown"},
		"missing, and one":    {transfer.Question{Subject: subject(), AsOf: day("2026-03-13"), Answered: 6, Total: 7, Penalties: []transfer.Penalty{a()}}, subject(), "no"},
	} {
		r := transfer.Count(row.q)
		if f := r.FirstOffence(row.who, day("2026-03-13")); f.Answer != row.want || f.Text.ZH == "" {
			t.Errorf("%s: %s, want %s", name, f.Answer, row.want)
		}
	}
}
