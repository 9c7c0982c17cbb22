package events

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Record types of operations.
const (
	TypeOperation = "operation"
	TypeReply     = "operation.reply"
	TypeStatus    = "operation.status"
)

// Operation is what plan, steps and replies say together.
type Operation struct {
	Stream   record.StreamID // the lead's
	ID       record.RecordID // of the plan
	Version  uint64          // of the plan: what a next step of the lead follows
	State    workflow.State
	Lead     record.MemberID
	Invited  []record.MemberID // beside the lead, in the plan's order
	Replies  []Reply           // one for each of Invited, in that order
	Audience map[record.GroupID]record.Level
	Parts    map[record.PartName][]byte // of the plan, as far as they are here
	// Title to EmbargoUntil are the plan's; the times are zero where the body is not here.
	Title, Kind                  string
	StartAt, EndAt, EmbargoUntil time.Time
	ReplyBy                      time.Time // zero = no due time
	History                      []Step

	recorded workflow.State // by the lead's records alone
	refused  bool           // the lead has declined
}

// Reply is where one invited member stands.
type Reply struct {
	Member record.MemberID
	State  workflow.State  // invited, accepted, declined
	Record record.RecordID // newest reply; zero = none yet
	Own    On              // subject and version of its replies in its own stream, which a next one follows
	Parts  map[record.PartName][]byte
	// Overdue says that reply_by is over without a reply.
	Overdue bool
}

// Step is one record of an operation, for the history on screen.
type Step struct {
	Member  record.MemberID
	Event   workflow.Event // empty where the record does not say
	Record  record.RecordID
	Seq     uint64 // in the member's stream; with Leaf what a receipt k/n is asked for
	Leaf    tlog.Hash
	Day     string
	At      string // RFC 3339; empty without the body
	Ignored bool   // no such step in that state, not from who may take it, or refused by its schema
}

// Errors of Fold.
var (
	// ErrNothing: the plan cannot be read here: not for this member, or not here yet.
	ErrNothing = errors.New("no readable plan")
	// ErrOtherType: the subject is no operation.
	ErrOtherType = errors.New("not an operation")
	// ErrMixed: records of more than one plan were given.
	ErrMixed = errors.New("records of more than one plan")
)

type planText struct {
	Title        string            `json:"title"`
	Kind         string            `json:"kind"`
	Lead         record.MemberID   `json:"lead_member"`
	Participants []record.MemberID `json:"participants"`
	StartAt      string            `json:"start_at"`
	EndAt        string            `json:"end_at"`
	EmbargoUntil string            `json:"embargo_until"`
	ReplyBy      string            `json:"reply_by"`
}

// Fold says how an operation stands at a moment; the zero time leaves out what the clock alone does (the start at start_at,
// overdue replies). plan are the records of the plan's subject in the lead's stream, replies any records of type
// operation.reply of other streams; those that answer another plan, or come from a member that is not invited, count for
// nothing. Fold is pure: the order of records plays no part.
func Fold(plan, replies []record.Stored, at time.Time) (Operation, error) {
	var o Operation
	for _, st := range bySeq(plan) {
		if st.Meaning.IsZero() {
			continue
		}
		subject, version := st.Meaning.Subject()
		if o.Version == 0 {
			if err := o.begin(st); err != nil {
				return Operation{}, err
			}
		} else if st.Stream != o.Stream || subject != o.ID {
			return Operation{}, ErrMixed
		} else {
			o.status(st)
		}
		o.Version = version
	}
	if o.Version == 0 {
		return Operation{}, ErrNothing
	}
	for _, st := range bySeq(replies) {
		o.reply(st)
	}
	o.settle(at)
	return o, nil
}

// bySeq orders records by stream and sequence: between streams there is no order, and none is needed.
func bySeq(records []record.Stored) []record.Stored {
	return slices.SortedStableFunc(slices.Values(records), func(a, b record.Stored) int {
		return cmp.Or(strings.Compare(string(a.Stream), string(b.Stream)), cmp.Compare(a.Seq, b.Seq))
	})
}

func (o *Operation) begin(st record.Stored) error {
	if _, change := st.Meaning.Change(); change {
		return ErrNothing
	}
	if st.Meaning.Type != TypeOperation {
		return fmt.Errorf("%w: %s", ErrOtherType, st.Meaning.Type)
	}
	var t planText
	parts := present(st)
	if card, ok := parts[record.Card]; !ok || st.Unusable != "" || json.Unmarshal(card, &t) != nil {
		return ErrNothing
	}
	if body, ok := parts[record.Body]; ok {
		if json.Unmarshal(body, &t) != nil {
			return ErrNothing
		}
	}
	if t.Lead != st.Stream.Member() {
		return ErrNothing // a plan in somebody else's name is nobody's
	}
	o.Stream, o.ID, o.Audience, o.Parts = st.Stream, st.Meaning.ID, st.Meaning.Audience, parts
	o.Lead, o.Title, o.Kind = t.Lead, t.Title, t.Kind
	for _, m := range t.Participants {
		if m != t.Lead && !slices.Contains(o.Invited, m) {
			o.Invited = append(o.Invited, m)
			o.Replies = append(o.Replies, Reply{Member: m, State: Invited})
		}
	}
	o.StartAt, o.EndAt, o.EmbargoUntil, o.ReplyBy = instant(t.StartAt), instant(t.EndAt), instant(t.EmbargoUntil), instant(t.ReplyBy)
	o.recorded = Proposed
	o.note(st, parts, EventPropose, false)
	return nil
}

// instant reads a time that the schema has checked; zero if there is none.
func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// note writes one line of the history.
func (o *Operation) note(st record.Stored, parts map[record.PartName][]byte, event workflow.Event, ignored bool) {
	var body struct {
		At string `json:"recorded_at"`
	}
	if b, ok := parts[record.Body]; ok {
		_ = json.Unmarshal(b, &body) // another form leaves the time empty
	}
	o.History = append(o.History, Step{Member: st.Stream.Member(), Event: event, Record: st.Meaning.ID, Seq: st.Seq, Leaf: st.Leaf, Day: st.Meaning.Day,
		At: body.At, Ignored: ignored})
}

// status lets one of the lead's steps act. Whether all had replied when he started was his to check; what he has started
// is running.
func (o *Operation) status(st record.Stored) {
	parts := present(st)
	var t struct {
		Status string `json:"status"`
	}
	ref, _ := st.Meaning.Change()
	if ref.Rel.Ends() {
		o.recorded = Cancelled
		o.note(st, parts, EventCancel, false)
		return
	}
	card, ok := parts[record.Card]
	if !ok || st.Unusable != "" || st.Meaning.Type != TypeStatus || json.Unmarshal(card, &t) != nil {
		o.note(st, parts, "", true)
		return
	}
	event := workflow.Event(t.Status)
	from := o.recorded
	if from == Proposed && event == EventStart {
		from = Confirmed
	}
	to, legal := OperationMachine.To(from, event)
	// A reply may be on its way still when the lead goes on, and the clock may have started before him.
	if !legal && event == EventEnd && from == Proposed {
		to, legal = Ended, true
	}
	if legal {
		o.recorded = to
	}
	o.note(st, parts, event, !legal)
}

// reply lets one reply act, if it is one to this plan.
func (o *Operation) reply(st record.Stored) {
	if st.Meaning.IsZero() || st.Meaning.Type != TypeReply || !Answers(st, o.ID) {
		return
	}
	parts := present(st)
	var t struct {
		Reply  workflow.Event  `json:"reply"`
		Member record.MemberID `json:"member"`
	}
	from := st.Stream.Member()
	card, ok := parts[record.Card]
	if !ok || st.Unusable != "" || json.Unmarshal(card, &t) != nil || t.Member != from {
		o.note(st, parts, "", true)
		return
	}
	if from == o.Lead {
		o.refused = o.refused || t.Reply == EventDecline
		o.note(st, parts, t.Reply, t.Reply != EventDecline)
		return
	}
	i := slices.IndexFunc(o.Replies, func(r Reply) bool { return r.Member == from })
	if i < 0 {
		o.note(st, parts, t.Reply, true)
		return
	}
	r := &o.Replies[i]
	to, legal := ReplyMachine.To(r.State, t.Reply)
	if legal {
		r.State, r.Record, r.Parts = to, st.Meaning.ID, parts
		r.Own.Stream = st.Stream
		r.Own.ID, r.Own.Version = st.Meaning.Subject()
	}
	o.note(st, parts, t.Reply, !legal)
}

// Answers reports whether a record answers the plan.
func Answers(st record.Stored, plan record.RecordID) bool {
	return slices.ContainsFunc(st.Meaning.Refs, func(r record.Ref) bool { return r.Rel == record.Answers && r.ID == plan })
}

// settle computes what follows from all of it.
func (o *Operation) settle(at time.Time) {
	accepted, open := 0, 0
	for i := range o.Replies {
		r := &o.Replies[i]
		switch r.State {
		case Accepted:
			accepted++
		case Invited:
			open++
			r.Overdue = !at.IsZero() && !o.ReplyBy.IsZero() && !at.Before(o.ReplyBy)
		}
	}
	o.State = o.recorded
	if o.State != Proposed {
		return
	}
	switch {
	case o.refused:
		o.State = Cancelled
	case open > 0 || accepted == 0:
	case !at.IsZero() && !o.StartAt.IsZero() && !at.Before(o.StartAt):
		o.State = Running
	default:
		o.State = Confirmed
	}
}

// Partners returns who takes part beside the lead: the invited members that have accepted.
func (o *Operation) Partners() []record.MemberID {
	var out []record.MemberID
	for _, r := range o.Replies {
		if r.State == Accepted {
			out = append(out, r.Member)
		}
	}
	return out
}

// present returns the content parts of a record that are here.
func present(st record.Stored) map[record.PartName][]byte {
	parts := map[record.PartName][]byte{}
	for _, p := range st.Parts {
		if p.State == record.PartPresent && p.Name != record.Meta {
			parts[p.Name] = p.Bytes
		}
	}
	return parts
}

// Row is what a read model keeps of an operation's plan or of a reply: no title, no place, no person.
type Row struct {
	Stream  record.StreamID
	Subject record.RecordID
	Type    string // operation or operation.reply
	Version uint64
	State   workflow.State  // of a plan by the lead's records alone; of a reply what it says
	Plan    record.RecordID // the plan itself, or what the reply answers
	Day     string          // civil day of the newest record
}

// Project makes the row of a subject of type operation or operation.reply; false for anything else.
func Project(records []record.Stored) (Row, bool) {
	sorted := slices.DeleteFunc(bySeq(records), func(st record.Stored) bool { return st.Meaning.IsZero() })
	if len(sorted) == 0 {
		return Row{}, false
	}
	first, last := sorted[0], sorted[len(sorted)-1]
	subject, version := last.Meaning.Subject()
	w := Row{Stream: first.Stream, Subject: subject, Type: first.Meaning.Type, Version: version, Day: last.Meaning.Day}
	switch w.Type {
	case TypeOperation:
		o, err := Fold(sorted, nil, time.Time{})
		if err != nil {
			return Row{}, false
		}
		w.State, w.Plan = o.State, o.ID
		return w, true
	case TypeReply:
		w.State = Invited
		for _, st := range sorted {
			var t struct {
				Reply workflow.Event `json:"reply"`
			}
			if json.Unmarshal(present(st)[record.Card], &t) == nil {
				if to, ok := ReplyMachine.To(w.State, t.Reply); ok {
					w.State = to
				}
			}
			for _, r := range st.Meaning.Refs {
				if r.Rel == record.Answers {
					w.Plan = r.ID
				}
			}
		}
		return w, true
	}
	return Row{}, false
}
