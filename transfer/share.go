package transfer

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Owned is one own record that a question may mean, and how much of it the asker may know.
type Owned struct {
	Entry blacklist.Entry
	Level record.Level
}

// Shared is what a member says of its own penalties (domain.md §6.1): by level facts, examined lines, a bare number.
type Shared struct {
	Rule  string
	Facts []jsontext.Value // L3, but for leads
	Lines []jsontext.Value // L2, and leads at L3
	Basic int              // L1
	Told  []Owned          // whose existence the three tell, for the audit record
}

// Share computes the origin's half over own records, whatever their state: an ordinary look-up may no longer show them,
// the count needs them. List entries among them tell which penalties are suspended with their entry. links is the evidence
// that lies here: a penalty that is the person's by it is told as a line at L3 too, because the asker may not have it. A
// penalty whose facts cannot be read is an error: nothing may be said as if it were not there.
func Share(s Person, own []Owned, links []Link, asOf identifier.Date) (Shared, error) {
	out := Shared{Rule: RuleVersion, Facts: []jsontext.Value{}, Lines: []jsontext.Value{}}
	suspended := suspendedWith(own)
	var bare []Penalty
	for _, o := range own {
		if o.Entry.Type != blacklist.TypePenalty || o.Level == record.L0 {
			continue
		}
		fact, err := Fact(&o.Entry, suspended[o.Entry.Subject.String()], asOf)
		if err != nil {
			return Shared{}, err
		}
		p, err := DecodePenalty(fact)
		if err != nil {
			return Shared{}, fmt.Errorf("own penalty %s: %w", o.Entry.Subject, err)
		}
		l := Examine(&s, &p, links, asOf)
		switch {
		case o.Level >= record.L2 && l.Level == "":
			continue // found by a likeness that the count does not know: nobody's penalty is told for that
		case o.Level == record.L3 && (l.Level != Lead || linkable(&s, &p)) && !slices.Contains(l.Agreed, factLink):
			out.Facts, out.Told = append(out.Facts, fact), append(out.Told, o)
		case o.Level >= record.L2: // of a namesake the line says that he is there, and no more
			b, err := EncodeLine(&l)
			if err != nil {
				return Shared{}, fmt.Errorf("own penalty %s: %w", o.Entry.Subject, err)
			}
			out.Lines, out.Told = append(out.Lines, b), append(out.Told, o)
		default:
			if Basic(s, []Penalty{p}, links, asOf) > 0 {
				bare, out.Told = append(bare, p), append(out.Told, o)
			}
		}
	}
	out.Basic = Basic(s, bare, links, asOf)
	return out, nil
}

// linkable reports that both bear a number, of different kinds: evidence at the asker may join them (R1L).
func linkable(s *Person, p *Penalty) bool {
	r := &p.Respondent
	return s.IDNo != "" && r.IDNo != "" && s.IDType != r.IDType
}

// suspendedWith maps penalties to the suspension of a list entry that rests on them (domain.md §5.1: person or record is
// plausibly wrong).
func suspendedWith(own []Owned) map[string]*Suspension {
	out := map[string]*Suspension{}
	for _, o := range own {
		e := o.Entry
		if e.Type != blacklist.TypePerson || e.Recorded != blacklist.Suspended || e.SuspendedBy == "" {
			continue
		}
		s := &Suspension{By: e.SuspendedBy}
		for _, step := range e.History {
			if day, err := identifier.ParseDate(step.Day); err == nil && step.Event == blacklist.EventSuspend && !step.Ignored {
				s.At = day
			}
		}
		for _, part := range e.Parts {
			var refs struct {
				Penalties []string `json:"penalty_refs"`
			}
			if json.Unmarshal(part, &refs) == nil {
				for _, id := range refs.Penalties {
					out[id] = s
				}
			}
		}
	}
	return out
}

// LinkOf is a link that a record states, as the count reads it.
func LinkOf(l blacklist.Link) Link {
	document := func(d blacklist.Document) Document { return Document{Type: d.Type, No: d.No, Country: d.Country} }
	return Link{A: document(l.A), B: document(l.B), ApprovedBy: l.Reviewer}
}

// Joined lists the documents that approved links join with a number of the person: what else to look for. Two links in a
// row are not followed (ADR 7).
func Joined(s Person, links []Link, asOf identifier.Date) []Document {
	var out []Document
	mine := s.numbers(asOf)
	for _, l := range links {
		for _, side := range [2][2]Document{{l.A, l.B}, {l.B, l.A}} {
			n, ok := side[0].read(asOf)
			if ok && l.ApprovedBy != "" && slices.Contains(mine, n) && !slices.Contains(out, side[1]) {
				out = append(out, side[1])
			}
		}
	}
	return out
}

// Heard is what one member said of its penalties, as it came.
type Heard struct {
	Member string
	Rule   string
	Facts  []jsontext.Value
	Lines  []jsontext.Value
	Basic  int
	Full   bool // it answered in full; what a partial answer says is a minimum
}

// Collect joins what members said to a question. A member counts as answered if it answered in full, by this rule, with
// nothing that cannot be read or speaks for somebody else; of any other whatever can be read is taken as a minimum. silent
// names those, in the order of said.
func Collect(s Person, asOf identifier.Date, total int, said []Heard) (q Question, silent []string) {
	q = Question{Subject: s, AsOf: asOf, Total: total}
	for _, h := range said {
		ok := h.Full && h.Rule == RuleVersion
		for _, b := range h.Facts {
			p, err := DecodePenalty(b)
			if err != nil || p.Origin != h.Member {
				ok = false
				continue
			}
			q.Penalties = append(q.Penalties, p)
		}
		if h.Rule == RuleVersion { // what another rule found is no finding of this one
			for _, b := range h.Lines {
				l, err := DecodeLine(b)
				if err != nil || l.Origin != h.Member {
					ok = false
					continue
				}
				q.Lines = append(q.Lines, l)
			}
			switch {
			case h.Basic < 0 || h.Basic > maxCountable:
				ok = false
			case h.Basic > 0:
				q.L1Answers = append(q.L1Answers, L1Answer{Member: h.Member, Countable: h.Basic})
			}
		}
		if ok {
			q.Answered++
		} else {
			silent = append(silent, h.Member)
		}
	}
	return q, silent
}

// Versions says how new each record was that a member told of, by record id. What cannot be read is left out.
func Versions(h Heard) map[string]int {
	out := map[string]int{}
	for _, b := range h.Facts {
		if p, err := DecodePenalty(b); err == nil {
			out[p.RecordID] = p.Version
		}
	}
	for _, b := range h.Lines {
		if l, err := DecodeLine(b); err == nil {
			out[l.RecordID] = l.Version
		}
	}
	return out
}
