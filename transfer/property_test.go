package transfer_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

func same(t *rapid.T, what string, want, got transfer.Result) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func numbers(r transfer.Result) [4]int { return [4]int{r.Basic, r.Strict, r.Pending, r.Potential} }

// The promises of domain.md §6.10 C1.

func TestCount_order_changes_nothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		want := transfer.Count(q)
		other := clone(q)
		other.Penalties = rapid.Permutation(other.Penalties).Draw(t, "order")
		for i := range other.Penalties {
			other.Penalties[i].Events = rapid.Permutation(other.Penalties[i].Events).Draw(t, "order of events")
		}
		same(t, "another order", want, transfer.Count(other))
	})
}

func TestCount_an_identical_duplicate_changes_nothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		want := transfer.Count(q)
		more := clone(q)
		for _, p := range q.Penalties {
			if rapid.Bool().Draw(t, "twice") {
				more.Penalties = append(more.Penalties, p)
			}
		}
		more.L1Answers = append(more.L1Answers, q.L1Answers...)
		same(t, "a duplicate", want, transfer.Count(more))
	})
}

func TestCount_an_excluded_decision_changes_no_number(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		want := transfer.Count(q)
		less := clone(q)
		less.Penalties = slices.DeleteFunc(less.Penalties, func(p transfer.Penalty) bool {
			for _, v := range want.Verdicts {
				if v.Verdict == transfer.Excluded && (v.Decision == p.RecordID || slices.Contains(v.Merged, p.RecordID)) {
					return true
				}
			}
			return false
		})
		if got := transfer.Count(less); numbers(got) != numbers(want) || got.Alert != want.Alert || got.Candidate != want.Candidate {
			t.Fatalf("without what is excluded: %+v, with it: %+v", got, want)
		}
	})
}

// Revoking, staying or suspending raises nothing, or names what it released.
func TestCount_a_fall_raises_only_by_release(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		if len(q.Penalties) == 0 {
			return
		}
		before := transfer.Count(q)
		fallen := clone(q)
		i := rapid.IntRange(0, len(q.Penalties)-1).Draw(t, "which")
		p := &fallen.Penalties[i]
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			p.Events = append(p.Events, transfer.Event{Type: transfer.WithdrawnByIssuer, At: drawDay(t, "day")})
		case 1:
			p.Events = append(p.Events, transfer.Event{Type: transfer.ReviewDecided, Outcome: transfer.Revoked, At: drawDay(t, "day")})
		case 2:
			p.Events = append(p.Events, transfer.Event{Type: transfer.Stayed, At: drawDay(t, "day")})
		case 3:
			if p.Suspended != nil {
				return // it has one: another day of it can be a lifting
			}
			p.Suspended = &transfer.Suspension{At: drawDay(t, "day"), By: "法制-01"}
		}
		after := transfer.Count(fallen)
		if (after.Basic > before.Basic || after.Strict > before.Strict) && len(after.Released) == 0 {
			t.Fatalf("%v rose to %v and nothing was released", numbers(before), numbers(after))
		}
		for _, r := range after.Released {
			if verdictOf(after, r.Decision) != transfer.Counts || verdictOf(after, r.By) == transfer.Counts {
				t.Fatalf("%+v in %+v", r, after.Verdicts)
			}
		}
	})
}

func verdictOf(r transfer.Result, decision string) transfer.Verdict {
	for _, v := range r.Verdicts {
		if v.Decision == decision {
			return v.Verdict
		}
	}
	return ""
}

func TestCount_objections_and_silent_members_change_no_number(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		want := transfer.Count(q)
		other := clone(q)
		for i := range other.Penalties {
			other.Penalties[i].Objections = []identifier.Date{drawDay(t, "objection"), drawDay(t, "objection")}
		}
		other.Answered = other.Total
		got := transfer.Count(other)
		if numbers(got) != numbers(want) || got.Alert != want.Alert || got.Candidate != want.Candidate || got.Incomplete() || !want.Incomplete() {
			t.Fatalf("%+v\n%+v", want, got)
		}
	})
}

// A fact of tomorrow is no fact: taking it out of the record changes nothing.
func TestCount_the_future_does_not_exist(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		want := transfer.Count(q)
		now := clone(q)
		for i := range now.Penalties {
			p := &now.Penalties[i]
			p.Events = slices.DeleteFunc(p.Events, func(e transfer.Event) bool { return e.At.After(q.AsOf) })
			for j := range p.Events {
				if p.Events[j].FinalOn.After(q.AsOf) {
					p.Events[j].FinalOn = identifier.Date{}
				}
			}
			if p.Suspended != nil {
				s := *p.Suspended
				if p.Suspended = &s; s.At.After(q.AsOf) {
					p.Suspended = nil
				}
				if s.Lifted.After(q.AsOf) {
					s.Lifted = identifier.Date{}
					if p.Suspended != nil {
						p.Suspended.Lifted = identifier.Date{}
					}
				}
			}
			p.Objections = slices.DeleteFunc(slices.Clone(p.Objections), func(d identifier.Date) bool { return d.After(q.AsOf) })
		}
		same(t, "without facts of tomorrow", want, transfer.Count(now))
	})
}

// A decision that loses a date, a code or a proof never turns into C, and never into E.
func TestCount_what_is_missing_decides_nothing(t *testing.T) {
	losses := []func(p *transfer.Penalty){
		func(p *transfer.Penalty) { p.ActFrom = identifier.Date{} }, func(p *transfer.Penalty) { p.ActTo = identifier.Date{} },
		func(p *transfer.Penalty) { p.Served = identifier.Date{} }, func(p *transfer.Penalty) { p.ServiceMode = "" },
		func(p *transfer.Penalty) { p.Announced = identifier.Date{} }, func(p *transfer.Penalty) { p.ServiceProof = false },
		func(p *transfer.Penalty) { p.Cause = "" }, func(p *transfer.Penalty) { p.Qualification = "" }, func(p *transfer.Penalty) { p.Kinds = nil },
		func(p *transfer.Penalty) { p.RespondentKind = "" }, func(p *transfer.Penalty) { p.IssuerKind = "" }, func(p *transfer.Penalty) { p.Practised = false },
		func(p *transfer.Penalty) {
			for i := range p.Events {
				p.Events[i].At = identifier.Date{}
			}
		},
		func(p *transfer.Penalty) {
			if p.Suspended != nil {
				s := *p.Suspended
				s.At = identifier.Date{}
				p.Suspended = &s
			}
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		if len(q.Penalties) == 0 {
			return
		}
		q.Penalties, q.L1Answers = q.Penalties[:1], nil // alone: no copy and no overlap answers for it
		before := transfer.Count(q)
		lost := clone(q)
		losses[rapid.IntRange(0, len(losses)-1).Draw(t, "what")](&lost.Penalties[0])
		after := transfer.Count(lost)
		if len(before.Verdicts) != len(after.Verdicts) {
			t.Fatalf("resolution changed: %+v %+v", before.Verdicts, after.Verdicts)
		}
		if len(before.Verdicts) == 0 {
			return
		}
		was, is := before.Verdicts[0], after.Verdicts[0]
		if was.Verdict != transfer.Counts && is.Verdict == transfer.Counts || was.Verdict != transfer.Excluded && is.Verdict == transfer.Excluded {
			t.Fatalf("%s %s became %s %s", was.Verdict, was.Reason, is.Verdict, is.Reason)
		}
	})
}

// The two halves of §6.1: lines of origins give what the records themselves give.
func TestCount_level_2_answers_count_like_replicas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		want := transfer.Count(q)
		halves := clone(q)
		halves.Penalties = nil
		for i := range q.Penalties {
			if rapid.Bool().Draw(t, "live") {
				halves.Lines = append(halves.Lines, transfer.Examine(&q.Subject, &q.Penalties[i], q.Links, q.AsOf))
			} else {
				halves.Penalties = append(halves.Penalties, q.Penalties[i])
			}
		}
		same(t, "by lines", want, transfer.Count(halves))
		if got := transfer.Basic(q.Subject, q.Penalties, q.Links, q.AsOf); got != want.Basic {
			t.Fatalf("a member of level 1 answers %d, its records give %d", got, want.Basic)
		}
	})
}

// Nothing but a link with its approver moves a person's record up: without approval a link changes nothing.
func TestCount_an_unapproved_link_changes_nothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		q.Links = nil
		want := transfer.Count(q)
		q.Links = []transfer.Link{{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "HMP", No: "H90000001"}}}
		same(t, "an unapproved link", want, transfer.Count(q))
	})
}
