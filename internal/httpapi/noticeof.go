package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Notice is one thing that somebody at the desk should know: ids, types, states and days. What a record says is read under
// its own path, with purpose where one is needed.
type Notice struct {
	Topic     auth.Topic      `json:"topic" enum:"entry,applied,draft,operation,ask,import,alarm" doc:"Also the event's name"`
	Member    record.MemberID `json:"member,omitempty" doc:"Whose record it is"`
	Type      string          `json:"type,omitempty" doc:"Record type of the subject"`
	Subject   string          `json:"subject,omitempty" doc:"Draft, published subject or plan"`
	Record    string          `json:"record,omitempty" doc:"The record that this is about"`
	Version   uint64          `json:"version,omitzero" doc:"Of the subject, by this record"`
	Event     string          `json:"event,omitempty" doc:"What happened: publish, correct, suspend, lift, confirm (withdrawn), submit, return, approve, propose, accept, …; of an import its step, of a question why it was asked again"`
	State     string          `json:"state,omitempty" doc:"To which state that led"`
	Day       string          `json:"day,omitempty" doc:"Civil date of the record"`
	Ask       string          `json:"ask,omitempty" doc:"The open question: read it at /asks/{ask}"`
	Seq       int             `json:"seq,omitzero" doc:"Of its last update"`
	Direction string          `json:"direction,omitempty" enum:"up,down,same"`
	Import    string          `json:"import,omitempty" doc:"The spreadsheet: read it at /imports/{import}"`
	Alarms    []string        `json:"alarms,omitempty" doc:"All codes that stand now; absent when none does any longer"`
	Duty      []MemberDuty    `json:"duty,omitempty" doc:"Whom to call now: at the other bureau whose record it is, at each member that the question is put to, of alarms at all others; as far as known"`
}

// told is a notice with what decides who hears of it.
type told struct {
	Notice
	auth.Hearing
	draft *blacklist.Sheet // of a draft; only who has to do with its unit hears of it
}

// noticeOf says what a record means to those at the desk; false if nothing. It reads the whole subject, because a state is
// what all its records come to.
func (h *people) noticeOf(ctx context.Context, st *record.Stored) (told, bool, error) {
	if st.Unusable != "" || st.Meaning.IsZero() {
		return told{}, false, nil
	}
	subject, version := st.Meaning.Subject()
	n := told{Notice: Notice{Member: st.Stream.Member(), Type: st.Meaning.Type, Subject: subject.String(), Record: st.Meaning.ID.String(), Version: version, Day: st.Meaning.Day}}
	n.Own = n.Member == h.Directory.Self()
	var fits bool
	var err error
	switch {
	case st.Stream.Kind() == record.Local:
		fits, err = h.draftNotice(ctx, st, subject, &n)
	case st.Meaning.Type == events.TypeOperation, st.Meaning.Type == events.TypeStatus, st.Meaning.Type == events.TypeReply:
		fits, err = h.operationNotice(ctx, st, subject, &n)
	default:
		fits, err = h.entryNotice(ctx, st, subject, &n)
	}
	var no *blacklist.Refusal
	var off *events.Refusal
	if errors.As(err, &no) || errors.As(err, &off) || errors.Is(err, record.ErrNotFound) {
		return told{}, false, nil // cannot be read here: nobody is told that it exists
	}
	return n, fits, err
}

func (h *people) entryNotice(ctx context.Context, st *record.Stored, subject record.RecordID, n *told) (bool, error) {
	e, err := h.Register.Entry(ctx, st.Stream, subject, "")
	if err != nil || e.Type == blacklist.TypeLink && !n.Own {
		return false, err // a link is evidence for the count and no entry
	}
	n.Topic, n.Type = auth.TopicEntry, e.Type
	return n.step(e.History), nil
}

// step takes event and state from a subject's history.
func (n *told) step(history []blacklist.Step) bool {
	i := slices.IndexFunc(history, func(s blacklist.Step) bool { return s.Record.String() == n.Record })
	if i < 0 || history[i].Ignored {
		return false
	}
	n.Event, n.State = string(history[i].Event), string(history[i].To)
	return true
}

// waits says who a draft waits for after a step. Whoever writes it needs no notice of his own keystrokes.
var waits = map[workflow.Event]auth.Act{
	blacklist.EventSubmit: auth.Review, blacklist.EventPropose: auth.Review, blacklist.EventReturn: auth.Draft, blacklist.EventApprove: auth.Publish,
}

func (h *people) draftNotice(ctx context.Context, st *record.Stored, subject record.RecordID, n *told) (bool, error) {
	d, err := h.Register.Sheet(ctx, subject)
	if err != nil || !n.step(d.History) {
		return false, err
	}
	n.Topic, n.Type, n.Next, n.draft = auth.TopicDraft, d.Type, waits[workflow.Event(n.Event)], &d
	return n.Next != "", nil
}

func (h *people) operationNotice(ctx context.Context, st *record.Stored, subject record.RecordID, n *told) (bool, error) {
	lead, plan := st.Stream, subject
	if st.Meaning.Type == events.TypeReply {
		var err error
		if lead, plan, err = h.answered(ctx, st, subject); err != nil || plan.IsZero() {
			return false, err
		}
	}
	o, err := h.Board.Operation(ctx, lead, plan)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(o.History, func(s events.Step) bool { return s.Record == st.Meaning.ID })
	if i < 0 || o.History[i].Ignored {
		return false, nil
	}
	n.Topic, n.Type, n.Subject, n.Event, n.State = auth.TopicOperation, events.TypeOperation, o.ID.String(), string(o.History[i].Event), string(o.State)
	n.Own, n.Embargoed = o.Lead == h.Directory.Self(), h.Now().Before(o.EmbargoUntil)
	return true, nil
}

// answered finds the plan that a reply answers: its first version names it.
func (h *people) answered(ctx context.Context, st *record.Stored, subject record.RecordID) (record.StreamID, record.RecordID, error) {
	records, err := h.Log.Subject(ctx, st.Stream, subject)
	if err != nil || len(records) == 0 {
		return "", record.RecordID{}, err
	}
	for _, ref := range records[0].Meaning.Refs {
		if ref.Rel == record.Answers {
			plan, err := h.Log.Record(ctx, ref.ID)
			return plan.Stream, ref.ID, err
		}
	}
	return "", record.RecordID{}, nil
}
