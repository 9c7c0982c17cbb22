package transfer

import (
	"cmp"
	"slices"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Result is what the count comes to: facts, two numbers that serve two legal views, and a candidate for people to
// decide. It always names its rule.
type Result struct {
	Rule      string
	Basic     int // kept C: the view that a served, unrevoked decision is effective (公定力)
	Strict    int // the view that the period for remedies must have passed, and the person was warned
	Pending   int // P
	Potential int // Basic + Pending
	Again     bool
	Alert     Alert
	Also      []Alert // beside G4: the code that would stand without it
	Candidate bool    // enters the docket (§5.5)
	Answered  int
	Total     int
	Leads     []string // record ids at R3; they have no verdict
	Released  []Release
	Verdicts  []Judged // one for each decision, sorted by Decision

	// What the text of G3d says of the second decision: the day on which strict becomes 2, or that it never will because
	// an act came before the first warning.
	StrictFrom  identifier.Date
	BeforeFirst bool
}

// Incomplete reports that not all members answered: every number is then a minimum.
func (r *Result) Incomplete() bool { return r.Answered < r.Total }

// Count reckons a question (domain.md §6). It decides nothing and reads nothing but its argument.
func Count(q Question) Result {
	lines := slices.Clone(q.Lines)
	for i := range q.Penalties {
		lines = append(lines, Examine(&q.Subject, &q.Penalties[i], q.Links, q.AsOf))
	}
	return Reckon(Asked{Lines: lines, L1Answers: q.L1Answers, NewAct: q.NewAct, AsOf: q.AsOf, Answered: q.Answered, Total: q.Total})
}

// Basic is what a member of level 1 answers: its own count over its own records, a bare number (§6.1).
func Basic(s Person, own []Penalty, links []Link, asOf identifier.Date) int {
	return Count(Question{Subject: s, Penalties: own, Links: links, AsOf: asOf}).Basic
}

// Asked is what the asker has once every record has been examined where it lies.
type Asked struct {
	Lines     []Line
	L1Answers []L1Answer
	NewAct    *NewAct
	AsOf      identifier.Date
	Answered  int
	Total     int
}

// Reckon is the asker's half of §6.1: it drops superseded versions, merges copies, judges what is left to it, tests the
// overlap and makes the two counts and the alert.
func Reckon(a Asked) Result {
	r := Result{Rule: RuleVersion, Answered: a.Answered, Total: a.Total}
	var mine []Line
	for _, l := range newest(a.Lines) {
		switch l.Level {
		case "":
		case Lead:
			r.Leads = append(r.Leads, l.RecordID)
		default:
			mine = append(mine, l)
		}
	}
	ds := merge(mine)
	r.Released = settleOverlap(ds)
	var kept []*decision
	for _, d := range ds {
		if d.found.Verdict == Counts {
			kept = append(kept, d)
		}
	}
	at := a.AsOf
	if a.NewAct != nil {
		at = a.NewAct.At
	}
	strict := strictOf(kept, func(d *decision) bool { return !d.Final.IsZero() && !d.Final.After(at) })
	for _, d := range ds {
		r.Verdicts = append(r.Verdicts, d.judged(strict))
	}
	r.Verdicts = append(r.Verdicts, unitsOf(a.L1Answers)...)
	slices.SortFunc(r.Verdicts, func(a, b Judged) int { return cmp.Compare(a.Decision, b.Decision) })

	r.Basic, r.Strict = len(kept), len(strict)
	for _, v := range r.Verdicts {
		if v.Verdict == Pending {
			r.Pending++
		}
	}
	r.Potential = r.Basic + r.Pending
	r.Again = again(kept, a.NewAct)
	r.raise(kept, a.NewAct)
	if r.Again && r.Basic >= 2 && r.Strict < 2 {
		r.foresee(kept, at)
	}
	return r
}

func (d *decision) judged(strict []*decision) Judged {
	j := Judged{Decision: d.RecordID, Verdict: d.found.Verdict, Reason: d.found.Reason, Level: d.Level, DocNo: d.DocNo, Served: d.Served, Objection: d.Objection}
	for _, c := range d.copies {
		j.Merged = append(j.Merged, c.RecordID)
	}
	slices.Sort(j.Merged)
	if j.Verdict == Counts {
		j.Final, j.Strict = d.Final, slices.Contains(strict, d)
	}
	return j
}

// strictOf is the strict count (§6.4): of the kept decisions that are final, the first by service, and each later one
// whose act ended after that first service. The published debate of 2016 holds both views (domain.md §4.2); both are
// shown, none is chosen.
func strictOf(kept []*decision, final func(*decision) bool) []*decision {
	var out []*decision
	for _, d := range kept {
		if final(d) && (len(out) == 0 || d.ActTo.After(out[0].Served)) {
			out = append(out, d)
		}
	}
	return out
}

// confirmed reports a treating act that two officers of the place have signed, or that stands in a case file (行政处罚法
// art. 42; §6.5). A typed number confirms nothing and never comes here.
func (n *NewAct) confirmed() bool {
	return n != nil && (n.EstablishedInCase || n.TreatingConfirmed && distinct(n.Officers) >= 2)
}

// again is 「再次」 (解释 art. 2(4), §6.5): a confirmed treating act later than the second kept service, of a person who is
// established to have no qualification on that day. Whoever is counted at all is R1 or R1L.
func again(kept []*decision, n *NewAct) bool {
	return len(kept) >= 2 && n.confirmed() && n.Qualification.lacking() && n.At.After(kept[1].Served)
}

// raise sets alert, also and candidate (§6.6): one code, the first that fits.
func (r *Result) raise(kept []*decision, n *NewAct) {
	r.Alert = r.next()
	// 移送规定 arts. 3, 16: a third penalty where a transfer was due.
	missed := len(kept) > 2 && slices.ContainsFunc(kept[2:], func(d *decision) bool { return !d.Transferred && d.ActTo.After(kept[1].Served) })
	r.Candidate = r.Alert == G3 || r.Alert == G3d || r.Alert == GP && n.confirmed() && !n.Qualification.physician()
	if missed {
		r.Also, r.Alert = []Alert{r.Alert}, G4
	}
}

// next is the code apart from G4.
func (r *Result) next() Alert {
	switch {
	case r.Basic >= 2 && r.Again && r.Strict >= 2:
		return G3
	case r.Basic >= 2 && r.Again:
		return G3d
	case r.Basic >= 2:
		return G2
	case r.Potential >= 2:
		return GP
	case r.Basic == 1:
		return G1
	case r.Pending == 1:
		return GP0
	}
	return G0
}

// foresee says when strict becomes 2: on the first day after at on which a period ends and two are then counted.
func (r *Result) foresee(kept []*decision, at identifier.Date) {
	if len(strictOf(kept, func(*decision) bool { return true })) < 2 {
		r.BeforeFirst = true // whatever becomes final, an act came before the first warning
		return
	}
	var ends []identifier.Date
	for _, d := range kept {
		if d.Final.After(at) {
			ends = append(ends, d.Final)
		}
	}
	slices.SortFunc(ends, compareDays)
	for _, end := range ends {
		if len(strictOf(kept, func(d *decision) bool { return !d.Final.IsZero() && !d.Final.After(end) })) >= 2 {
			r.StrictFrom = end
			return
		}
	}
}
