package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/transfer"
)

// The table of domain.md §6.10, by its row numbers. Rows 40 to 42 belong to other features.
func TestCount_table(t *testing.T) {
	x := act("2026-03-13")
	// twice asks with A, the given second penalty, and X.
	twice := func(second ...transfer.Penalty) transfer.Question {
		return question(x, append([]transfer.Penalty{a()}, second...)...)
	}
	change := func(f func(p *transfer.Penalty)) transfer.Question { return twice(with(b(), f)) }
	person := func(f func(p *transfer.Person)) func(*transfer.Penalty) {
		return func(p *transfer.Penalty) { f(&p.Respondent) }
	}
	late := func(served string) transfer.Penalty { return penalty("b", "310117-01", songjian, 9017, served) }
	jail := func(p *transfer.Penalty) { p.UsedInConviction = true }
	unknown := func(p *transfer.Penalty) { p.Qualification = transfer.QualificationUnknown }
	suspended := func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-03-01"), By: "法制-02"} }

	cases := []struct {
		row   string
		q     transfer.Question
		want  string // basic/strict/pending alert [candidate]
		means map[string]string
	}{
		{"1", question(x), "0/0/0 G0", nil},
		{"2", question(x, a()), "1/1/0 G1", nil},
		{"3", twice(b()), "2/2/0 G3 candidate", nil},
		{"4", question(nil, a(), b()), "2/2/0 G2", nil},
		{"5", twice(late("2026-01-20")), "2/1/0 G3d candidate", nil},
		{"6", twice(events(b(), event(transfer.ReviewDecided, "2025-10-01", transfer.Revoked))), "1/1/0 G1", map[string]string{"b": "E annulled"}},
		{"7", twice(events(b(), event(transfer.ReviewDecided, "2025-10-01", transfer.RevokedRedo)),
			penalty("c", "310117-01", songjian, 9030, "2025-12-01")), "2/1/0 G3d candidate", map[string]string{"b": "E annulled"}},
		{"8", change(func(p *transfer.Penalty) { p.RespondentKind = transfer.Organisation }), "1/1/0 G1", map[string]string{"b": "E organisation"}},
		{"9", question(x, with(b(), func(p *transfer.Penalty) { p.Qualification = transfer.QualifiedUnregistered }),
			with(a(), func(p *transfer.Penalty) { p.Qualification = transfer.QualifiedUnregistered })), "0/0/0 G0", map[string]string{"a": "E qualified", "b": "E qualified"}},
		{"10", change(func(p *transfer.Penalty) { p.Cause, p.Practised = "UP02", false }), "1/1/1 GP candidate", map[string]string{"b": "P practitioner_unclear"}},
		{"11", change(func(p *transfer.Penalty) { p.Kinds = []string{"BAN", "STOP"} }), "1/1/0 G1", map[string]string{"b": "E not_penalty"}},
		{"12", twice(with(a(), func(p *transfer.Penalty) { p.RecordID, p.Origin = "0", "330400-01" })), "1/1/0 G1", map[string]string{"a": "C counted", "0": "none"}},
		{"13", twice(with(a(), func(p *transfer.Penalty) { p.RecordID, p.DocNo, p.Cause = "b", "测卫医罚〔2024〕9003号", "UP02" })), "1/1/0 G1", map[string]string{"b": "E same_act"}},
		{"14", change(func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2024-10-09"), day("2024-10-12") }), "1/1/1 GP candidate", map[string]string{"b": "P parallel_act"}},
		{"15", question(act("2025-08-01"), a(), b()), "2/1/0 G2", nil},
		{"16", func() transfer.Question {
			q := twice(b())
			q.NewAct = &transfer.NewAct{At: x.At, Qualification: transfer.Unqualified}
			return q
		}(), "2/2/0 G2", nil},
		{"17 55", change(person(func(p *transfer.Person) { p.IDType, p.IDNo = "", "" })), "1/1/1 GP candidate", map[string]string{"b": "P identity_r2"}},
		{"18", change(person(func(p *transfer.Person) { *p = transfer.Person{Name: "测甲一"} })), "1/1/0 G1", map[string]string{"b": "none"}},
		{"19", question(x, with(a(), person(func(p *transfer.Person) { p.IDNo = "320623000115901" })), b()), "2/2/0 G3 candidate", nil},
		{"20", change(func(p *transfer.Penalty) { p.ServiceProof = false }), "1/1/1 GP candidate", map[string]string{"b": "P service_unproven"}},
		{"21", change(func(p *transfer.Penalty) { p.IssuerKind = transfer.TownOrStreet }), "1/1/1 GP candidate", map[string]string{"b": "P issuer_unclear"}},
		{"22", change(func(p *transfer.Penalty) { p.IssuerKind = transfer.OtherIssuer }), "1/1/0 G1", map[string]string{"b": "E issuer_kind"}},
		{"23", twice(events(b(), event(transfer.ReviewApplied, "2025-10-01", ""))), "2/1/0 G3d candidate", nil},
		{"24", twice(events(b(), event(transfer.ReviewDecided, "2026-03-05", transfer.Upheld), event(transfer.ReviewApplied, "2025-10-01", ""))), "2/1/0 G3d candidate", nil},
		{"25", twice(events(b(), event(transfer.ReviewDecided, "2025-10-01", transfer.IllegalNotRevoked))), "1/1/1 GP candidate", map[string]string{"b": "P illegal_not_revoked"}},
		{"26", change(func(p *transfer.Penalty) { p.NotTold = true }), "2/1/0 G3d candidate", nil},
		{"27", twice(events(b(), event(transfer.ReviewDecided, "2025-10-01", transfer.Varied))), "2/2/0 G3 candidate", nil},
		{"28", question(x, penalty("a", "330482-01", pinghu, 9002, "2010-05-01"), penalty("b", "310117-01", songjian, 9017, "2015-06-01")), "2/2/0 G3 candidate", nil},
		{"29", twice(b(), with(penalty("c", "310116-01", jinshan, 9001, "2026-02-10"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2026-01-05"), day("2026-01-05") })),
			"3/2/0 G4 candidate", nil},
		{"30", question(x, with(a(), jail), with(b(), jail)), "0/0/2 GP candidate", map[string]string{"a": "P prior_conviction"}},
		{"31", change(func(p *transfer.Penalty) { p.RespondentKind = transfer.SoleTrader }), "1/1/1 GP candidate", map[string]string{"b": "P sole_trader"}},
		{"32", change(func(p *transfer.Penalty) { p.Cause, p.Qualification = "UP03", "" }), "1/1/1 GP candidate", map[string]string{"b": "P qualification_unclear"}},
		{"33", question(x, with(penalty("a", "330482-01", pinghu, 9002, "2025-03-01"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2025-01-10"), day("2025-01-10") }),
			with(late("2025-04-01"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2025-02-10"), day("2025-02-10") })), "2/1/0 G3d candidate", nil},
		{"34", change(person(func(p *transfer.Person) { p.Sex, p.Birth = "2", transfer.Birth{Year: 1908} })), "1/1/1 GP candidate", map[string]string{"b": "P identity_rx"}},
		{"35", twice(late("2026-03-14")), "1/1/0 G1", map[string]string{"b": "E service_future"}},
		{"36", question(x, with(a(), unknown), with(b(), unknown)), "0/0/2 GP candidate", nil},
		{"37", func() transfer.Question { q := question(x, a()); q.Answered = 6; return q }(), "1/1/0 G1 incomplete", nil},
		{"38", question(x, events(a(), event(transfer.WithdrawnByIssuer, "2026-03-01", "")), b()), "1/1/0 G1", nil},
		{"43", func() transfer.Question {
			q := question(x, a(), b())
			q.Subject.IDType, q.Subject.IDNo = "", ""
			return q
		}(), "0/0/2 GP candidate", map[string]string{"a": "P identity_r2", "b": "P identity_r2"}},
		{"44", func() transfer.Question {
			permit := person(func(p *transfer.Person) { p.IDType, p.IDNo = "HMP", "H90000001" })
			q := question(x, with(a(), permit), with(b(), permit))
			q.Subject.IDType, q.Subject.IDNo = "HMP", "H9000000102"
			return q
		}(), "2/2/0 G3 candidate", nil},
		{"45", func() transfer.Question {
			q := twice(b())
			n := *x
			n.Qualification = transfer.QualifiedRegistered
			q.NewAct = &n
			return q
		}(), "2/2/0 G2", nil},
		{"46", change(func(p *transfer.Penalty) { p.ActFrom = day("") }), "1/1/1 GP candidate", map[string]string{"b": "P act_unknown"}},
		{"47", change(suspended), "1/1/1 GP candidate", map[string]string{"b": "P suspended"}},
		{"48", change(func(p *transfer.Penalty) {
			for range 1000 {
				p.Objections = append(p.Objections, day("2026-01-01"))
			}
		}), "2/2/0 G3 candidate", nil},
		{"49", twice(b(), with(events(b(), event(transfer.WithdrawnByIssuer, "2026-01-01", "")), func(p *transfer.Penalty) { p.RecordID, p.Origin = "z", "330482-01" })),
			"1/1/1 GP candidate", map[string]string{"b": "P copies_differ"}},
		{"50", twice(events(b(), event(transfer.ReviewDecided, "2025-10-01", transfer.Settled))), "1/1/1 GP candidate", map[string]string{"b": "P settled"}},
		{"51", change(func(p *transfer.Penalty) { p.Qualification = transfer.TCMSpecialist }), "1/1/0 G1", map[string]string{"b": "E qualified"}},
		{"52", question(x, with(events(a(), event(transfer.WithdrawnByIssuer, "2025-01-01", "")), func(p *transfer.Penalty) { p.ActFrom = day("2024-01-01") }),
			with(penalty("c", "330482-01", pinghu, 9010, "2025-08-28"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2024-02-01"), day("2024-02-29") }),
			with(penalty("d", "330482-01", pinghu, 9011, "2025-11-25"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2024-06-01"), day("2024-06-30") })),
			"2/1/0 G3d candidate c<a d<a", nil},
		{"53", func() transfer.Question {
			q := twice()
			q.L1Answers = []transfer.L1Answer{{Member: "330421-01", Countable: 1}}
			return q
		}(), "1/1/1 GP candidate", map[string]string{"330421-01#1": "P l1_answer"}},
		{"54", func() transfer.Question {
			q := twice(b())
			n := *x
			n.Officers = n.Officers[:1]
			q.NewAct = &n
			return q
		}(), "2/2/0 G2", nil},
	}
	for _, c := range cases {
		t.Run("row "+c.row, func(t *testing.T) {
			r := transfer.Count(c.q)
			got := fmt.Sprintf("%d/%d/%d %s", r.Basic, r.Strict, r.Pending, r.Alert)
			if r.Candidate {
				got += " candidate"
			}
			if r.Incomplete() {
				got += " incomplete"
			}
			for _, p := range r.Released {
				got += " " + p.Decision + "<" + p.By
			}
			if got != c.want {
				t.Errorf("got %s, want %s; %v", got, c.want, r.Verdicts)
			}
			for decision, want := range c.means {
				if got := reasonOf(t, r, decision); got != want {
					t.Errorf("%s: got %s, want %s", decision, got, want)
				}
			}
			if r.Rule != transfer.RuleVersion || r.Potential != r.Basic+r.Pending {
				t.Errorf("rule %q, potential %d", r.Rule, r.Potential)
			}
			for _, text := range r.Texts() {
				for _, word := range []string{"涉嫌", "犯罪", "有效处罚"} {
					if strings.Contains(text.ZH, word) {
						t.Errorf("the text judges: %s", text.ZH)
					}
				}
				if text.ZH == "" || text.EN == "" {
					t.Errorf("a text is missing in one language: %q %q", text.ZH, text.EN)
				}
			}
		})
	}
}
