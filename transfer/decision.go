package transfer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// decision is one decision with all its copies: the kept one, taken whole, and the others (§6.3 step 1).
type decision struct {
	Line
	copies []Line
	found  Finding // the verdict, first by the steps, then by the overlap
	over   Finding // the verdict if steps 3, 13 and copies_differ were passed over
}

// newest drops superseded versions: of a record id only the highest version exists (§6.1). Two different contents of one
// version are a fault of the origin; the order of the input must not choose between them, so their text does.
func newest(lines []Line) []Line {
	best := map[string]Line{}
	for _, l := range lines {
		b, seen := best[l.RecordID]
		if !seen || l.Version > b.Version || l.Version == b.Version && fmt.Sprint(l) < fmt.Sprint(b) {
			best[l.RecordID] = l
		}
	}
	out := make([]Line, 0, len(best))
	for _, l := range best {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Line) int { return cmp.Compare(a.RecordID, b.RecordID) })
	return out
}

// merge makes one decision of the copies of it: the same issuer and number (§3.11; the members that hold it prove
// nothing). Kept is the copy whose origin is closest to the issuer, then the highest version, then the smallest record id.
func merge(lines []Line) []*decision {
	type key struct{ issuer, docNo string }
	byKey := map[key][]Line{}
	for _, l := range lines {
		k := key{l.Issuer, l.DocNo}
		byKey[k] = append(byKey[k], l)
	}
	out := make([]*decision, 0, len(byKey))
	for _, copies := range byKey {
		slices.SortFunc(copies, func(a, b Line) int {
			return cmp.Or(cmp.Compare(distance(a), distance(b)), cmp.Compare(b.Version, a.Version), cmp.Compare(a.RecordID, b.RecordID))
		})
		d := &decision{Line: copies[0], copies: copies[1:]}
		d.found, d.over = d.judge(false), d.judge(true)
		out = append(out, d)
	}
	// The order of the overlap (§6.3): service, decision, issuer, 文号.
	slices.SortFunc(out, func(a, b *decision) int {
		return cmp.Or(compareDays(a.Served, b.Served), compareDays(a.Decided, b.Decided), cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.DocNo, b.DocNo))
	})
	return out
}

// distance is how far the copy's origin stands from the issuer, by the region in its code and characters 3–8 of the
// issuer's: 0 same county, 1 its city, 2 same city, 3 same province, 4 other.
func distance(l Line) int {
	if len(l.Issuer) < 8 || len(l.Origin) < 6 {
		return 4
	}
	issuer, origin := l.Issuer[2:8], l.Origin[:6]
	switch {
	case origin == issuer:
		return 0
	case origin == issuer[:4]+"00":
		return 1
	case origin[:4] == issuer[:4]:
		return 2
	case origin[:2] == issuer[:2]:
		return 3
	}
	return 4
}

// differs reports that a sure copy says annulled or stayed where the kept one does not (§6.3 step 8). The kept copy says
// nothing of annulment here: it would be excluded.
func (d *decision) differs() bool {
	return slices.ContainsFunc(d.copies, func(c Line) bool {
		return c.Level.counts() && (c.Annulled && !d.Annulled || c.Stayed && !d.Stayed)
	})
}

// judge adds the asker's steps to what the origin found: copies_differ after the last exclusion of step 8, step 15
// before step 16, and 17.
func (d *decision) judge(passOver bool) Finding {
	f := d.Found
	if passOver {
		f = d.PassedOver
	}
	switch {
	case f.Verdict == Excluded:
		return f
	case !passOver && d.differs():
		return Finding{Pending, CopiesDiffer}
	case f.Verdict == Pending && f.Reason != PriorConviction:
		return f
	case d.Level == Probable:
		return Finding{Pending, IdentityR2} // 行政处罚法 art. 40: facts must be clear
	case d.Level == Conflict:
		return Finding{Pending, IdentityRX}
	case f.Verdict == Pending:
		return f
	}
	return Finding{Counts, Counted}
}

// overlap decides which of the decisions of class C stand for acts of their own (行政处罚法 arts. 25, 29). It takes them in
// order and returns what each one comes to; only what is kept absorbs.
func overlap(counting []*decision) map[*decision]Finding {
	out := make(map[*decision]Finding, len(counting))
	var kept []*decision
	for _, d := range counting {
		f := Finding{Counts, Counted}
		for _, k := range kept {
			if !sharesDay(d, k) {
				continue
			}
			if d.Issuer == k.Issuer || d.ActPlace != "" && d.ActPlace == k.ActPlace {
				f = Finding{Excluded, SameAct}
				break
			}
			f = Finding{Pending, ParallelAct}
		}
		if out[d] = f; f.Verdict == Counts {
			kept = append(kept, d)
		}
	}
	return out
}

// sharesDay reports two acts whose closed intervals meet.
func sharesDay(a, b *decision) bool { return !a.ActFrom.After(b.ActTo) && !b.ActFrom.After(a.ActTo) }

// Release names a decision that is kept only because another one, By, no longer stands (§6.3).
type Release struct {
	Decision string // record ids
	By       string
}

// settleOverlap gives every decision its final verdict and names what was released. ds is in the order of the overlap.
func settleOverlap(ds []*decision) []Release {
	var counting []*decision
	for _, d := range ds {
		if d.found.Verdict == Counts {
			counting = append(counting, d)
		}
	}
	now := overlap(counting)
	var released []Release
	for i, x := range ds {
		if x.found.Verdict == Counts || x.over.Verdict != Counts || !touches(x, ds[i+1:], now) {
			continue
		}
		// What would be if x still stood: x alone is put back.
		var then []*decision
		for _, d := range ds {
			if d == x || d.found.Verdict == Counts {
				then = append(then, d)
			}
		}
		before := overlap(then)
		for _, d := range counting {
			if now[d].Verdict == Counts && before[d].Verdict != Counts {
				released = append(released, Release{d.RecordID, x.RecordID})
			}
		}
	}
	for d, f := range now {
		d.found = f
	}
	slices.SortFunc(released, func(a, b Release) int { return cmp.Or(cmp.Compare(a.Decision, b.Decision), cmp.Compare(a.By, b.By)) })
	return released
}

// touches reports whether x shares a day with a later decision that is kept now. Where it does not, putting x back can
// change none that is kept: the first that changed would have to meet x itself.
func touches(x *decision, later []*decision, now map[*decision]Finding) bool {
	return slices.ContainsFunc(later, func(d *decision) bool { return now[d].Verdict == Counts && sharesDay(x, d) })
}

// unitsOf makes the lines of what members of level 1 answered: each unit is P, because it can be neither merged nor tested
// for overlap (§6.1). A member answers once; of two answers the larger number stands.
func unitsOf(answers []L1Answer) []Judged {
	most := map[string]int{}
	for _, a := range answers {
		most[a.Member] = max(most[a.Member], a.Countable)
	}
	var out []Judged
	for member, n := range most {
		for i := range n {
			out = append(out, Judged{Decision: member + "#" + strconv.Itoa(i+1), Verdict: Pending, Reason: ReasonL1})
		}
	}
	return out
}

// Judged is what the count says of one decision.
type Judged struct {
	Decision  string // record id of the kept copy; of an L1 answer member#1, member#2 …
	Verdict   Verdict
	Reason    Reason
	Level     Level
	DocNo     string   // normalised
	Merged    []string // record ids of the other copies
	Served    identifier.Date
	Objection bool
	Final     identifier.Date // of a C; no day = not final
	Strict    bool            // of a C: it is one of the strict count
}
