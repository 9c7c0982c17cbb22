package transfer_test

import (
	"testing"

	"github.com/pilinhub/pilin/transfer"
)

// Which copy is kept (domain.md §6.3 step 1).
func TestCount_copies(t *testing.T) {
	copyOf := func(id, origin string, version int) transfer.Penalty {
		return with(b(), func(p *transfer.Penalty) {
			p.RecordID, p.Origin, p.Version, p.IssuerUSCC = id, origin, version, "11 330482 0000900264"
		})
	}
	stayed := func(p transfer.Penalty) transfer.Penalty { return events(p, event(transfer.Stayed, "2026-01-01", "")) }
	for _, c := range []struct {
		name   string
		copies []transfer.Penalty
		kept   string
		want   string
	}{
		{"its county before its city", []transfer.Penalty{copyOf("a", "330400-01", 9), copyOf("b", "330482-02", 1)}, "b", "C counted"},
		{"its city before another county of it", []transfer.Penalty{copyOf("a", "330421-01", 9), copyOf("b", "330400-01", 1)}, "b", "C counted"},
		{"the city before the province", []transfer.Penalty{copyOf("a", "330100-01", 9), copyOf("b", "330421-01", 1)}, "b", "C counted"},
		{"the province before others", []transfer.Penalty{copyOf("a", "310116-01", 9), copyOf("b", "330100-01", 1)}, "b", "C counted"},
		{"the higher version", []transfer.Penalty{copyOf("a", "330482-01", 1), copyOf("b", "330482-01", 2)}, "b", "C counted"},
		{"the smaller id", []transfer.Penalty{copyOf("b", "330482-01", 2), copyOf("a", "330482-01", 2)}, "a", "C counted"},
		{"a copy is stayed", []transfer.Penalty{copyOf("a", "330482-01", 1), stayed(copyOf("b", "310116-01", 1))}, "a", "P copies_differ"},
		{"all are stayed", []transfer.Penalty{stayed(copyOf("a", "330482-01", 1)), stayed(copyOf("b", "310116-01", 1))}, "a", "P stayed"},
		{"the kept one is annulled", []transfer.Penalty{events(copyOf("a", "330482-01", 1), event(transfer.WithdrawnByIssuer, "2026-01-01", "")), copyOf("b", "310116-01", 1)}, "a", "E annulled"},
		{"a copy is settled", []transfer.Penalty{copyOf("a", "330482-01", 1), events(copyOf("b", "310116-01", 1), event(transfer.ReviewDecided, "2026-01-01", transfer.Settled))}, "a", "C counted"},
		{"a doubtful copy is annulled", []transfer.Penalty{copyOf("a", "330482-01", 1), with(events(copyOf("b", "310116-01", 1), event(transfer.WithdrawnByIssuer, "2026-01-01", "")),
			func(p *transfer.Penalty) { p.Respondent.IDQuality = transfer.SelfStated })}, "a", "C counted"},
		{"differing goes before proof", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.ServiceProof = false }), stayed(copyOf("b", "310116-01", 1))}, "a", "P copies_differ"},
		{"exclusion goes before differing", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.Cause = "IN01" }), stayed(copyOf("b", "310116-01", 1))}, "a", "E cause_n"},
		{"a superseded version is gone", []transfer.Penalty{events(copyOf("a", "330482-01", 1), event(transfer.WithdrawnByIssuer, "2026-01-01", "")), copyOf("a", "330482-01", 2)}, "a", "C counted"},
		{"a kept copy at R2 decides", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.Respondent.IDNo = "" }), copyOf("b", "310116-01", 1)}, "a", "P identity_r2"},
		{"a copy at R3 is no copy", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.Respondent = transfer.Person{Name: "测甲一"} }), copyOf("b", "310116-01", 1)}, "b", "C counted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := transfer.Count(question(nil, c.copies...))
			if len(r.Verdicts) != 1 || r.Verdicts[0].Decision != c.kept || reasonOf(t, r, c.kept) != c.want {
				t.Errorf("got %+v", r.Verdicts)
			}
		})
	}
}

// What makes two numbers one decision (domain.md §3.11).
func TestCount_numbers_of_decisions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		one  bool
	}{
		{"测金卫医罚〔2025〕9001号", "测金卫医罚【2025】009001号", true},
		{"测金卫医罚〔2025〕9001号", "测金卫医罚字(2025)第9001号", true},
		{"测金卫医罚〔2025〕9001号", "测金卫医罚 [2025] ９００１", true},
		{"测金卫医罚〔2025〕11-1号", "测金卫医罚〔2025〕11—1号", true},
		{"测金卫医罚〔2025〕11-1号", "测金卫医罚〔2025〕11-2号", false},
		{"测金卫医罚〔2025〕9001号", "测金卫医罚〔2025〕9002号", false},
		{"测金卫医罚〔25〕9001号", "测金卫医罚(25)9001", true},
		{"卫医罚9001", "卫医罚9001号", true},
		{"卫医罚9001", "卫医罚9002", false},
		// §6.3 step 1: a number that fails the pattern merges on its normalised text.
		{"测卫医罚字〔2025〕第A9001号", "测卫医罚【2025】A9001", true},
		{"测卫医罚〔2025〕009066-1-1号", "测卫医罚〔2025〕9066-1-1号", true},
		{"测卫医罚〔2025〕9066-1-1号", "测卫医罚〔2025〕9066-1-2号", false},
		{"测卫医罚〔2025〕A9001号", "测卫医罚〔2024〕A9001号", false},
	} {
		p := with(b(), func(p *transfer.Penalty) { p.DocNo = c.a })
		q := with(b(), func(p *transfer.Penalty) { p.RecordID, p.DocNo = "c", c.b })
		if r := transfer.Count(question(nil, p, q)); (len(r.Verdicts) == 1) != c.one {
			t.Errorf("%s, %s: %+v", c.a, c.b, r.Verdicts)
		}
	}
	p, q := b(), with(b(), func(p *transfer.Penalty) { p.RecordID, p.IssuerUSCC = "c", "1131 0117 0000 9003 43" })
	if r := transfer.Count(question(nil, p, q)); len(r.Verdicts) != 1 {
		t.Errorf("spaces in an issuer's code: %+v", r.Verdicts)
	}
}
