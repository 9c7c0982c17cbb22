package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// Tally makes the function with which a Hub says what its own penalties, those of the stream own, mean for a count. A link
// that may not be told of to the asker at any level is not applied either.
func Tally(own record.StreamID, read Subjects, find FindFunc) federation.TallyFunc {
	return func(ctx context.Context, q federation.Question, asOf string, found []federation.Candidate, level func(map[record.GroupID]record.Level) record.Level) (federation.Tally, []federation.Disclosed, error) {
		day, err := identifier.ParseDate(asOf)
		if err != nil {
			return federation.Tally{}, nil, fmt.Errorf("tally: day: %w", err)
		}
		links, err := evidence(ctx, read, find, q, asOf, func(a map[record.GroupID]record.Level) bool { return level(a) > record.L0 })
		if err != nil {
			return federation.Tally{}, nil, fmt.Errorf("tally: %w", err)
		}
		if found, err = joined(ctx, find, q, links, asOf, own, found); err != nil {
			return federation.Tally{}, nil, fmt.Errorf("tally: %w", err)
		}
		var mine []transfer.Owned
		for _, c := range found {
			e, err := read.Entry(ctx, c.Stream, c.Subject, asOf)
			var gone *blacklist.Refusal
			switch {
			case errors.As(err, &gone):
				continue // neither entry nor penalty
			case err != nil:
				return federation.Tally{}, nil, fmt.Errorf("tally: %w", err)
			case e.Content.Header == nil:
				continue
			}
			mine = append(mine, transfer.Owned{Entry: e, Level: level(e.Audience)})
		}
		s, err := transfer.Share(subjectOf(q), mine, links, day)
		if err != nil {
			return federation.Tally{}, nil, fmt.Errorf("tally: %w", err)
		}
		out := federation.Tally{Rule: s.Rule, Facts: s.Facts, Lines: s.Lines, Basic: uint64(max(0, s.Basic))}
		var told []federation.Disclosed
		for _, o := range s.Told {
			told = append(told, federation.Disclosed{Record: o.Entry.Content.Meaning.ID, Subject: o.Entry.Subject, Version: o.Entry.Version, Level: o.Level})
		}
		return out, told, nil
	}
}

// subjectOf is the person of a question as the count knows him. Without a type a number is a resident's, as in the look-up.
func subjectOf(q federation.Question) transfer.Person {
	p := transfer.Person{Name: q.Name.Reveal(), IDType: q.IDType, IDNo: q.IDNo.Reveal(), IDCountry: q.IDCountry, Sex: sexOf(q.Sex)}
	if p.IDType == "" && p.IDNo != "" {
		p.IDType = identifier.TypeResident
	}
	if d, err := identifier.ParseDate(q.BirthDate.Reveal()); err == nil {
		p.Birth = transfer.Birth{Year: d.Year, Day: d}
	} else if y, err := strconv.Atoi(q.BirthDate.Reveal()); err == nil {
		p.Birth = transfer.Birth{Year: y} // of a year alone; the question's form was checked
	}
	if no := q.Phone.Reveal(); no != "" {
		p.Phones = []transfer.Phone{{No: no}}
	}
	return p
}

// sexOf reads the sex of a question; unknown unless it says one.
func sexOf(s string) identifier.Sex {
	switch s {
	case "1", "M", "男":
		return identifier.SexMale
	case "2", "F", "女":
		return identifier.SexFemale
	}
	return identifier.SexUnknown
}

// AskCount is the cross-region count of an answer. It names candidates; people decide.
type AskCount struct {
	Lines        []CountText   `json:"lines" doc:"Three: who answered; counted penalties with the alert; what to do now"`
	Rule         string        `json:"rule"`
	Basic        int           `json:"basic"`
	Strict       int           `json:"strict"`
	Pending      int           `json:"pending"`
	Potential    int           `json:"potential"`
	Again        bool          `json:"again"`
	Alert        string        `json:"alert" enum:"G0,GP0,G1,GP,G2,G3d,G3,G4"`
	Also         []string      `json:"also"`
	Candidate    bool          `json:"candidate"`
	Incomplete   bool          `json:"incomplete" doc:"Not everybody answered: the numbers are minimums"`
	Answered     int           `json:"answered"`
	Total        int           `json:"total"`
	Excluded     int           `json:"excluded" doc:"Decisions that do not count; their reasons with why"`
	FirstOffence CountFirst    `json:"first_offence" doc:"首违不罚: is this the first anywhere?"`
	Decisions    []CountReason `json:"decisions,omitempty" doc:"Each decision with its reason, on request"`
}

// CountText is a text in both languages.
type CountText struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// CountFirst answers whether this is the first offence anywhere.
type CountFirst struct {
	Answer    string    `json:"answer" enum:"yes,no,unknown"`
	Decisions []string  `json:"decisions"`
	Text      CountText `json:"text"`
}

// CountReason is one decision with its verdict.
type CountReason struct {
	Decision string   `json:"decision" doc:"Subject of the penalty; of a bare number member#1, member#2 …"`
	Verdict  string   `json:"verdict" enum:"C,P,E"`
	Reason   string   `json:"reason"`
	Level    string   `json:"level,omitempty"`
	Doc      string   `json:"doc,omitempty"`
	Served   string   `json:"served_at,omitempty"`
	Final    string   `json:"final_at,omitempty" doc:"Of a counted one: end of the period for remedies; absent = open"`
	Strict   bool     `json:"strict,omitzero"`
	Merged   []string `json:"merged"`
	Released []string `json:"released_by,omitempty" doc:"Counts only because these no longer stand"`
}

// mayCount reports whether the person is told the count: by role; an officer only with an enforcement certificate
// (domain.md §1.1, §1.3).
func mayCount(p auth.Principal, purpose federation.Purpose) bool {
	if purpose == federation.PurposeStat || purpose == federation.PurposeAudit {
		return false
	}
	for _, r := range p.Roles {
		if auth.May([]auth.Role{r}, auth.Count) && (r != auth.Officer || p.Certificate != "") {
			return true
		}
	}
	return false
}

// reckon counts what the members said; nil if the person is not told, or if the question does not say who. silent are the
// members that count as missing, among them this one if it cannot read its own evidence.
func (h *people) reckon(ctx context.Context, a *federation.Answer, who auth.Principal, req *federation.AskRequest, act *transfer.NewAct) (r *transfer.Result, silent []string) {
	day, err := identifier.ParseDate(a.AsOf)
	q := req.Question
	if err != nil || !mayCount(who, req.Purpose) || !q.Who() {
		return nil, nil
	}
	links, unread := h.evidence(ctx, req, a.AsOf)
	var said []transfer.Heard
	for _, m := range a.Members {
		heard := toHeard(m)
		heard.Full = heard.Full && !a.TestOnly && (unread == nil || m.Member != h.Directory.Self())
		said = append(said, heard)
	}
	all, silent := transfer.Collect(subjectOf(q), day, a.N, said)
	all.Links = links
	if act != nil && !act.At.After(day) {
		all.NewAct = act
	}
	res := transfer.Count(all)
	return &res, silent
}

// toHeard is what a member said, as the count reads it.
func toHeard(m federation.MemberAnswer) transfer.Heard {
	heard := transfer.Heard{Member: string(m.Member), Full: m.State == federation.Answered}
	if t := m.Tally; t != nil {
		heard.Rule, heard.Facts, heard.Lines = t.Rule, t.Facts, t.Lines
		heard.Basic = int(min(t.Basic, 1<<20))
	}
	return heard
}

// countOf writes a result for a person.
func (h *people) countOf(r *transfer.Result, silent []string, a *federation.Answer, req *federation.AskRequest, why bool) *AskCount {
	var missing []string
	for _, m := range silent {
		e, _ := h.Directory.Member(record.MemberID(m))
		missing = append(missing, e.Name+" "+m)
	}
	day, _ := identifier.ParseDate(h.dayOf(req))
	first := r.FirstOffence(subjectOf(req.Question), day)
	out := &AskCount{Rule: r.Rule, Basic: r.Basic, Strict: r.Strict, Pending: r.Pending, Potential: r.Potential, Again: r.Again, Alert: string(r.Alert),
		Also: []string{}, Candidate: r.Candidate, Incomplete: r.Incomplete(), Answered: r.Answered, Total: r.Total,
		FirstOffence: CountFirst{first.Answer, append([]string{}, first.Decisions...), CountText(first.Text)}}
	for _, t := range r.Guide(missing) {
		out.Lines = append(out.Lines, CountText(t))
	}
	if n := len(a.Cards); a.Fuzzy && n > 0 { // nobody may read the figure as if it spoke of them
		out.Lines[1].ZH += fmt.Sprintf("不含仅凭姓名、号码片段或地址等找到的 %d 个对象。", n)
		out.Lines[1].EN += fmt.Sprintf(" Not counted: %d found by name, part of a number or place alone.", n)
		out.Lines[2].ZH = "先核对证件,以完整号码再问一次。" + out.Lines[2].ZH
		out.Lines[2].EN = "Check the document first and ask again by the whole number. " + out.Lines[2].EN
	}
	for _, a := range r.Also {
		out.Also = append(out.Also, string(a))
	}
	for _, v := range r.Verdicts {
		if v.Verdict == transfer.Excluded {
			out.Excluded++
		}
		if !why {
			continue
		}
		c := CountReason{Decision: v.Decision, Verdict: string(v.Verdict), Reason: string(v.Reason), Level: string(v.Level), Doc: v.DocNo,
			Served: v.Served.String(), Final: v.Final.String(), Strict: v.Strict, Merged: append([]string{}, v.Merged...)}
		for _, p := range r.Released {
			if p.Decision == v.Decision {
				c.Released = append(c.Released, p.By)
			}
		}
		out.Decisions = append(out.Decisions, c)
	}
	return out
}

// dayOf is the civil day that a question is asked for.
func (h *people) dayOf(req *federation.AskRequest) string {
	if req.AsOf != "" {
		return req.AsOf
	}
	return record.CivilDay(h.Now())
}
