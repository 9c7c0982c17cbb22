package transfer

import (
	"fmt"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// First answers "is this the first offence anywhere?" for 首违不罚 (行政处罚法 art. 33, domain.md §4.4 L17).
type First struct {
	Answer    string   // yes, no, unknown
	Decisions []string // record ids that speak against it
	Text      Text
}

// FirstOffence reads the answer off a result: any decision about this very person that stands speaks against a first
// offence, also one that does not count (art. 33 asks for a violation, not for a countable penalty; a decision not to
// punish is one). What was annulled is none, and an organisation's is not his. What waits for a reviewer, and a copy of
// nobody knows whom, leaves it open. A "yes" needs everybody's answer and a valid number: a name finds namesakes.
func (r *Result) FirstOffence(s Person, asOf identifier.Date) First {
	var f First
	open := r.Incomplete() || len(s.numbers(asOf)) == 0
	for _, v := range r.Verdicts {
		switch {
		case v.Verdict == Excluded && (v.Reason == Annulled || v.Reason == ReasonOrganisation || v.Reason == ServiceFuture):
		case v.Level.counts() && v.Reason != CopiesDiffer && v.Reason != RecordIncomplete && v.Reason != ReasonSuspended:
			f.Decisions = append(f.Decisions, v.Decision)
		default:
			open = true
		}
	}
	switch {
	case len(f.Decisions) > 0:
		f.Answer = "no"
		f.Text = Text{fmt.Sprintf("不是首次:已有 %d 件决定(含不予处罚和不计次的)。", len(f.Decisions)),
			fmt.Sprintf("Not the first: %d decisions exist (those not to punish, and those that do not count, included).", len(f.Decisions))}
	case open:
		f.Answer = "unknown"
		f.Text = Text{"尚不能判断是否首次:答复不全、身份未核实或有待确认项。", "Whether it is the first cannot be said yet: answers are missing, the identity is not verified, or items are pending."}
	default:
		f.Answer = "yes"
		f.Text = Text{fmt.Sprintf("联盟内未发现以往决定(%d/%d 均已答复);是否轻微并及时改正由承办人认定。", r.Answered, r.Total),
			fmt.Sprintf("No earlier decision was found in the alliance (%d/%d answered); whether it was slight and corrected in time is for the officer to judge.", r.Answered, r.Total)}
	}
	return f
}
