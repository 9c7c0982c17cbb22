package transfer_test

import (
	"testing"

	"github.com/pilinhub/pilin/transfer"
)

// finalOf counts one penalty served on the day and returns its verdict and the end of its period for remedies.
func finalOf(t *testing.T, p transfer.Penalty, asOf string) string {
	t.Helper()
	q := question(nil, p)
	q.AsOf = day(asOf)
	r := transfer.Count(q)
	if len(r.Verdicts) != 1 {
		t.Fatalf("%+v", r.Verdicts)
	}
	v := r.Verdicts[0]
	if v.Verdict != transfer.Counts {
		return string(v.Reason)
	}
	if v.Final.IsZero() {
		return "open"
	}
	return v.Final.String()
}

// The end of the period for remedies (domain.md §6.4).
func TestCount_final_at(t *testing.T) {
	final := func(e transfer.Event, on string) transfer.Event { e.FinalOn = day(on); return e }
	applied, filed := event(transfer.ReviewApplied, "2025-02-01", ""), event(transfer.SuitFiled, "2025-05-01", "")
	for _, c := range []struct {
		name, served, asOf, want string
		told                     bool
		events                   []transfer.Event
	}{
		{"six months", "2025-01-15", "2026-03-13", "2025-07-15", true, nil},
		{"31 August", "2025-08-31", "2026-03-13", "2026-02-28", true, nil},
		{"31 August before a leap day", "2023-08-31", "2026-03-13", "2024-02-29", true, nil},
		{"30 August before a leap day", "2023-08-30", "2026-03-13", "2024-02-29", true, nil},
		{"31 October", "2024-10-31", "2026-03-13", "2025-04-30", true, nil},
		{"31 March", "2025-03-31", "2026-03-13", "2025-09-30", true, nil},
		{"a holiday moves nothing", "2025-04-01", "2026-03-13", "2025-10-01", true, nil},
		{"not told: a year", "2025-01-15", "2026-03-13", "2026-01-15", false, nil},
		{"not told on a leap day", "2024-02-29", "2026-03-13", "2025-02-28", false, nil},
		{"review open", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied}},
		{"review decided", "2025-01-15", "2026-03-13", "2025-03-18", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld)}},
		{"review dismissed", "2025-01-15", "2026-03-13", "2025-03-18", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Dismissed)}},
		{"review decided tomorrow", "2025-01-15", "2025-03-02", "open", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld)}},
		{"sued after review", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld), filed}},
		{"sued before the review is decided", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-05-03", transfer.Upheld), filed}},
		{"judgment not final", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{filed, event(transfer.Judgment, "2025-07-01", transfer.Upheld)}},
		{"judgment final", "2025-01-15", "2026-03-13", "2025-07-20", true, []transfer.Event{filed, final(event(transfer.Judgment, "2025-07-01", transfer.Dismissed), "2025-07-20")}},
		{"judgment final tomorrow", "2025-01-15", "2025-07-19", "open", true, []transfer.Event{filed, final(event(transfer.Judgment, "2025-07-01", transfer.Revoked), "2025-07-20")}},
		{"judgment revokes today", "2025-01-15", "2025-07-20", "annulled", true, []transfer.Event{filed, final(event(transfer.Judgment, "2025-07-01", transfer.Revoked), "2025-07-20")}},
		{"judgment revokes and is not final", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{event(transfer.Judgment, "2025-07-01", transfer.Void)}},
		{"a judgment counts from the day it is final", "2025-01-15", "2026-03-13", "2025-07-20", true, []transfer.Event{final(event(transfer.Judgment, "2025-07-01", transfer.Upheld), "2025-07-20"), event(transfer.ReviewDecided, "2025-07-10", transfer.Settled)}},
		{"a judgment ends the review too", "2025-01-15", "2026-03-13", "2025-07-20", true, []transfer.Event{applied, filed, final(event(transfer.Judgment, "2025-07-01", transfer.Upheld), "2025-07-20")}},
		{"review withdrawn early", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{applied, event(transfer.ReviewWithdrawn, "2025-03-03", "")}},
		{"review withdrawn late", "2025-01-15", "2026-03-13", "2025-08-03", true, []transfer.Event{applied, event(transfer.ReviewWithdrawn, "2025-08-03", "")}},
		{"suit withdrawn after review", "2025-01-15", "2026-03-13", "2025-05-09", true, []transfer.Event{event(transfer.ReviewDecided, "2025-04-20", transfer.Upheld), filed, event(transfer.SuitWithdrawn, "2025-05-09", "")}},
		{"suit withdrawn within 15 days of the review", "2025-01-15", "2026-03-13", "2025-05-05", true, []transfer.Event{event(transfer.ReviewDecided, "2025-04-20", transfer.Upheld), filed, event(transfer.SuitWithdrawn, "2025-05-02", "")}},
		{"review withdrawn while sued", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied, filed, event(transfer.ReviewWithdrawn, "2025-06-02", "")}},
		{"settled by withdrawal", "2025-01-15", "2026-03-13", "settled", true, []transfer.Event{applied, event(transfer.ReviewWithdrawn, "2025-03-03", transfer.Settled)}},
		{"settled, then varied", "2025-01-15", "2026-03-13", "2025-04-16", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Settled), event(transfer.ReviewDecided, "2025-04-01", transfer.Varied)}},
		{"settled, then dismissed", "2025-01-15", "2026-03-13", "settled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Settled), event(transfer.ReviewDecided, "2025-04-01", transfer.Dismissed)}},
		{"settled and upheld on one day", "2025-01-15", "2026-03-13", "2025-03-18", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld), event(transfer.ReviewDecided, "2025-03-03", transfer.Settled)}},
		{"varied and illegal on one day", "2025-01-15", "2026-03-13", "illegal_not_revoked", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.IllegalNotRevoked), event(transfer.ReviewDecided, "2025-03-03", transfer.Varied)}},
		{"settled after illegal", "2025-01-15", "2026-03-13", "settled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.IllegalNotRevoked), event(transfer.SuitWithdrawn, "2025-03-04", transfer.Settled)}},
		{"revoked, then upheld", "2025-01-15", "2026-03-13", "annulled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Revoked), event(transfer.ReviewDecided, "2025-03-04", transfer.Upheld)}},
		{"void by review", "2025-01-15", "2026-03-13", "annulled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Void)}},
		{"withdrawn as an outcome", "2025-01-15", "2026-03-13", "annulled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.OutcomeWithdrawn)}},
		{"stayed", "2025-01-15", "2026-03-13", "stayed", true, []transfer.Event{event(transfer.Stayed, "2025-03-03", "")}},
		{"stay lifted", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{event(transfer.StayLifted, "2025-03-04", ""), event(transfer.Stayed, "2025-03-03", "")}},
		{"stayed and lifted on one day", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{event(transfer.StayLifted, "2025-03-03", ""), event(transfer.Stayed, "2025-03-03", "")}},
		{"illegal goes before settled and stayed", "2025-01-15", "2026-03-13", "illegal_not_revoked", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.IllegalNotRevoked), event(transfer.Stayed, "2025-03-03", "")}},
		{"an event without a day", "2025-01-15", "2026-03-13", "record_incomplete", true, []transfer.Event{{Type: transfer.WithdrawnByIssuer}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := penalty("a", "330482-01", pinghu, 9002, c.served)
			p.Events, p.NotTold = c.events, !c.told
			if got := finalOf(t, p, c.asOf); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Announcements took 60 days before 2022-01-01 and take 30 since.
func TestCount_announced_service(t *testing.T) {
	for on, want := range map[string]string{"2021-12-31": "2022-09-01", "2022-01-01": "2022-07-31"} {
		p := with(b(), func(p *transfer.Penalty) {
			p.ServiceMode, p.Announced, p.Decided, p.ActFrom, p.ActTo = transfer.Announcement, day(on), day("2021-12-01"), day("2021-11-01"), day("2021-11-01")
		})
		if got := finalOf(t, p, "2026-03-13"); got != want {
			t.Errorf("announced on %s: final %s, want %s", on, got, want)
		}
	}
}
