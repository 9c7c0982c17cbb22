package transfer

import (
	"cmp"
	"slices"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// standing is where the remedies of a penalty have come to (domain.md §6.4): a fold over its events.
type standing struct {
	outcome  Outcome // the one in force that is not for good; empty if none
	annulled bool    // revoked, void or withdrawn: for good
	stayed   bool    // enforcement is stayed
	undated  bool    // an event lacks its type or its day, so that nobody knows what is in force

	reviewOpen, suitOpen bool
	end                  identifier.Date // of the period, when nothing is open
}

// final returns the day on which the period for remedies has passed; no day while a remedy is open.
func (s *standing) final() identifier.Date {
	if s.reviewOpen || s.suitOpen {
		return identifier.Date{}
	}
	return s.end
}

// foldRemedies reads the events of a penalty as they stand at asOf. Their order in the record says nothing.
func foldRemedies(p *Penalty, served, asOf identifier.Date) standing {
	var s standing
	// 行政诉讼法 art. 46: six months; 行政复议法 art. 20: who was not told of the remedy has up to one year.
	if s.end = served.AddMonths(6); p.NotTold {
		s.end = served.AddMonths(12)
	}
	var events []Event
	for _, e := range p.Events {
		switch {
		case e.Type == "" || e.At.IsZero():
			s.undated = true
			continue
		case e.At.After(asOf):
			continue
		case e.Type == Judgment:
			// Until a judgment is final it changes nothing: it is an event of the day on which it becomes so (行政诉讼法 art. 85:
			// an appeal is open until then).
			if e.FinalOn.IsZero() || e.FinalOn.After(asOf) {
				continue
			}
			if e.FinalOn.After(e.At) {
				e.At = e.FinalOn
			}
		}
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(compareDays(a.At, b.At), cmp.Compare(slices.Index(eventOrder, a.Type), slices.Index(eventOrder, b.Type)),
			cmp.Compare(slices.Index(outcomeOrder, a.Outcome), slices.Index(outcomeOrder, b.Outcome)), compareDays(a.FinalOn, b.FinalOn))
	})
	for _, e := range events {
		s.step(e)
	}
	return s
}

// step takes one event that is in force.
func (s *standing) step(e Event) {
	switch e.Type {
	case Stayed:
		s.stayed = true // 行政复议法 art. 42: only in the cases listed there
	case StayLifted:
		s.stayed = false
	case ReviewApplied:
		s.reviewOpen = true
	case ReviewDecided:
		s.reviewOpen, s.end = false, e.At.AddDays(15) // 行政诉讼法 art. 45
		s.take(e.Outcome)
	case ReviewWithdrawn:
		s.reviewOpen, s.end = false, later(e.At, s.end)
		s.settle(e.Outcome)
	case SuitFiled:
		s.suitOpen = true
	case Judgment:
		s.reviewOpen, s.suitOpen, s.end = false, false, e.FinalOn
		s.take(e.Outcome)
	case SuitWithdrawn:
		s.suitOpen, s.end = false, later(e.At, s.end)
		s.settle(e.Outcome)
	case WithdrawnByIssuer:
		s.annulled = true
	}
}

// take lets an outcome come into force: what annuls is for good, of the others the last one holds, and a dismissal leaves
// the one before it as it was.
func (s *standing) take(o Outcome) {
	switch {
	case o.ends():
		s.annulled = true
	case o != Dismissed:
		s.outcome = o
	}
}

// settle is take for a withdrawal, which has no other outcome than a settlement.
func (s *standing) settle(o Outcome) {
	if o == Settled {
		s.take(o)
	}
}

func compareDays(a, b identifier.Date) int {
	switch {
	case a == b:
		return 0
	case a.IsZero() || a.Before(b):
		return -1
	}
	return 1
}

func later(a, b identifier.Date) identifier.Date {
	if a.Before(b) {
		return b
	}
	return a
}
