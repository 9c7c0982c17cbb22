package blacklist

import "github.com/pilinhub/pilin/workflow"

// RemedyEvent 救济事项 is one event of reconsideration or litigation, as penalty and penalty.status carry it.
type RemedyEvent struct {
	Type    string  `json:"type"`
	At      string  `json:"at"` // civil date; of review_decided the day the decision reached the person
	Outcome string  `json:"outcome,omitempty"`
	FinalOn *string `json:"final_on,omitempty"` // of a judgment; without it the judgment is not final yet
}

// event is the event of the remedy machine. Of a withdrawal only a settlement is an outcome.
func (e RemedyEvent) event() workflow.Event {
	if e.Outcome != "" && (e.Type == "review_decided" || e.Type == "judgment" || e.Outcome == "settled") {
		return workflow.Event(e.Type + ":" + e.Outcome)
	}
	return workflow.Event(e.Type)
}

// annuls returns the day from which the event ends the penalty; empty if it does not, or not yet. A judgment counts only
// from the day it is final (domain.md §6.3 step 3).
func (e RemedyEvent) annuls() string {
	switch {
	case e.Type == "withdrawn_by_issuer":
		return e.At
	case e.Outcome != "revoked" && e.Outcome != "revoked_redo" && e.Outcome != "void" && e.Outcome != "withdrawn_by_issuer":
		return ""
	case e.Type == "review_decided":
		return e.At
	case e.Type == "judgment" && e.FinalOn != nil:
		return *e.FinalOn
	}
	return ""
}

// negative reports whether the event is one that only the legal reviewer enters, with the paper.
func (e RemedyEvent) negative() bool {
	final := e
	final.FinalOn = &e.At
	return final.annuls() != ""
}

// restores reports whether an event ends what lets a penalty wait: a stay, a settlement, or the finding that it was illegal.
// Only the legal reviewer enters such a one (domain.md §6.3, C1).
func (e RemedyEvent) restores(state string) bool {
	waits := state == "settled" || state == "illegal_not_revoked"
	return e.Type == "stay_lifted" || waits && (e.Type == "review_decided" || e.Type == "judgment")
}

// RemedyMachine is the table of remedy_state (domain.md §5.2). Facts of the world are recorded, so it has no guards: a
// remedy that was admitted late is entered all the same. stayed and stay_lifted are flags and leave the state alone.
var RemedyMachine = workflow.Must[struct{}]("remedy", remedyRows(), nil)

func remedyRows() []workflow.Row {
	anyone := who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer)
	rows := []workflow.Row{{From: "", Event: "begin", Who: anyone, To: "none"}, {From: "none", Event: "served", Who: anyone, To: "in_period"},
		{From: "in_period", Event: "lapse", Who: anyone, To: "lapsed"}, {From: "suit_period", Event: "lapse", Who: anyone, To: "final"}}
	add := func(event string, to workflow.State, from ...workflow.State) {
		for _, f := range from {
			rows = append(rows, workflow.Row{From: f, Event: workflow.Event(event), Who: anyone, To: to})
		}
	}
	add("review_applied", "review_pending", "in_period", "lapsed")
	add("suit_filed", "suit_pending", "in_period", "lapsed", "suit_period", "varied")
	// 和解: settled also as the outcome of a withdrawal, until the reviewer enters what came of it (domain.md §6.4).
	add("review_withdrawn:settled", "settled", "review_pending")
	add("suit_withdrawn:settled", "settled", "suit_pending")
	add("review_withdrawn", "in_period", "review_pending")
	add("suit_withdrawn", "in_period", "suit_pending")
	for outcome, to := range map[string]workflow.State{"upheld": "suit_period", "dismissed": "suit_period", "varied": "varied", "revoked": "revoked",
		"revoked_redo": "revoked", "illegal_not_revoked": "illegal_not_revoked", "void": "void", "withdrawn_by_issuer": "withdrawn", "settled": "settled"} {
		add("review_decided:"+outcome, to, "review_pending", "settled")
	}
	for outcome, to := range map[string]workflow.State{"upheld": "upheld_final", "dismissed": "upheld_final", "varied": "varied", "revoked": "revoked",
		"revoked_redo": "revoked", "illegal_not_revoked": "illegal_not_revoked", "void": "void", "withdrawn_by_issuer": "withdrawn", "settled": "settled"} {
		add("judgment:"+outcome, to, "suit_pending", "settled")
	}
	live := []workflow.State{"none", "in_period", "lapsed", "review_pending", "suit_period", "suit_pending", "final", "upheld_final", "varied",
		"illegal_not_revoked", "settled"}
	add("withdrawn_by_issuer", "withdrawn", live...)
	for _, s := range live {
		add("stayed", s, s)
		add("stay_lifted", s, s)
	}
	return rows
}

// after returns the remedy state that follows e; false if the table has no such step.
func after(state string, e RemedyEvent) (string, bool) {
	s := workflow.State(state)
	if s == "" || s == "none" {
		// The files of old cases begin in the middle: a remedy says by itself that the decision was served.
		if to, ok := RemedyMachine.To("none", e.event()); ok {
			return string(to), true
		}
		s = "in_period"
	}
	to, ok := RemedyMachine.To(s, e.event())
	return string(to), ok
}
