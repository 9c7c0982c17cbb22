package blacklist

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Entry is what the records of one subject say of it: a list entry, a penalty or a link, own or another member's.
type Entry struct {
	Stream  record.StreamID
	Subject record.RecordID
	Type    string         // of the first record: a list entry's, penalty, identity.link
	Version uint64         // newest
	State   workflow.State // as of the day that was asked for
	// Recorded is the state that records alone give, without the day: what a next step starts from.
	Recorded   workflow.State
	ValidUntil string // last day of ordinary look-ups; empty while the card is not here
	Audience   map[record.GroupID]record.Level
	// Content is the record that carries the content in force; its zero value while there is none (ended, or not here).
	Content record.Stored
	// Parts are the content's parts at hand, as parts of Type: a correction is unwrapped.
	Parts    map[record.PartName][]byte
	OpenCase bool
	// Of a penalty, with what its status records add.
	Served       bool
	RemedyState  string
	RemedyEvents []RemedyEvent
	// SuspendedBy is the account that suspended it; empty when it is not, or where the body is not here.
	SuspendedBy string
	// Waiting says that a part of a status record is still to come, so that State may lag.
	Waiting bool
	History []Step

	added       map[string]any // members of a penalty that status records have changed
	transferred bool
	objections  []string
}

// Step is one record of a subject, for the history on screen.
type Step struct {
	Event      workflow.Event // empty where the record does not say (its part is not here)
	To         workflow.State
	Record     record.RecordID
	Version    uint64
	Seq        uint64 // with Leaf: what a receipt k/n is asked for
	Leaf       tlog.Hash
	Day        string // civil date of the header
	At         string // RFC 3339, when the record was made; empty without the part
	By         Person // opaque account and certificate number; zero without the body
	Reviewer   Person
	Approver   Person
	ReasonCode string
	Ignored    bool // the table has no such step, or its schema refuses the record
}

// Errors of Fold, told apart from a withdrawn entry: nothing can be said at all.
var (
	// ErrNothing: no record that can be read begins the subject.
	ErrNothing = errors.New("no readable record begins the subject")
	// ErrOtherType: the subject is neither an entry nor a penalty nor a link nor a roster.
	ErrOtherType = errors.New("not an entry, penalty or link")
	// ErrMixed: records of more than one subject or stream were given.
	ErrMixed = errors.New("records of more than one subject")
)

// Fold says what the records of one subject amount to as of a civil date; an empty asOf computes neither expiry nor the
// day of an annulment. It is pure: the order of records plays no part, nor does any clock. Expiry needs no record (I5).
func Fold(records []record.Stored, asOf string) (Entry, error) {
	e := Entry{added: map[string]any{}}
	sorted := slices.SortedStableFunc(slices.Values(records), func(a, b record.Stored) int { return cmp.Compare(a.Seq, b.Seq) })
	var k kind
	for _, st := range sorted {
		if st.Meaning.IsZero() {
			continue // withheld, or without effect
		}
		subject, version := st.Meaning.Subject()
		if e.Version == 0 {
			if _, change := st.Meaning.Change(); change {
				return Entry{}, ErrNothing
			}
			var ok bool
			if k, ok = kindOf(st.Meaning.Type); !ok {
				return Entry{}, fmt.Errorf("%w: %s", ErrOtherType, st.Meaning.Type)
			}
			e.Stream, e.Subject, e.Type = st.Stream, subject, k.typ
		}
		if st.Stream != e.Stream || subject != e.Subject {
			return Entry{}, ErrMixed
		}
		e.Version = version
		e.take(k, st, version)
	}
	if e.Version == 0 {
		return Entry{}, ErrNothing
	}
	e.State = e.Recorded
	if asOf != "" {
		e.State = stateOn(e.Recorded, e.AnnulledOn(), e.ValidUntil, asOf)
	}
	return e, nil
}

// stateOn computes what depends on the day alone: a penalty that has been annulled by then, and expiry.
func stateOn(recorded workflow.State, annulledOn, validUntil, day string) workflow.State {
	switch {
	case recorded != Published && recorded != Suspended:
	case annulledOn != "" && annulledOn <= day:
		return Voided
	case validUntil != "" && validUntil < day:
		return Expired
	}
	return recorded
}

// AnnulledOn returns the first day from which a remedy event ends the penalty; empty if none does.
func (e *Entry) AnnulledOn() string {
	first := ""
	for _, r := range e.RemedyEvents {
		if on := r.annuls(); on != "" && (first == "" || on < first) {
			first = on
		}
	}
	return first
}

// Visible reports whether an ordinary look-up of that day shows it: published, or suspended with 核实中. A link is evidence
// for the count and no entry, a roster is neither: they are never shown.
func (e *Entry) Visible() bool {
	return e.Type != TypeLink && e.Type != TypeRoster && (e.State == Published || e.State == Suspended)
}

// take lets one record act.
func (e *Entry) take(k kind, st record.Stored, version uint64) {
	s := Step{Record: st.Meaning.ID, Version: version, Seq: st.Seq, Leaf: st.Leaf, Day: st.Meaning.Day}
	parts := present(st)
	said := members(parts)
	_ = json.Unmarshal(said["reason_code"], &s.ReasonCode)
	ref, change := st.Meaning.Change()
	switch {
	case !change:
		s.Event = EventPublish
		e.Recorded = Published
		e.contentOf(st, parts, said)
	case ref.Rel.Ends():
		// The content is gone whatever the payload says, and what suspended it with it: who ended it and why stands in the
		// record's own parts.
		s.Event = EventConfirm
		if k.typ == TypeLink || k.typ == TypeRoster {
			s.Event = EventWithdraw
		}
		e.Recorded, e.SuspendedBy = Withdrawn, ""
		e.content(record.Stored{}, nil)
	case ref.Rel == record.Supersedes:
		// What stood before is gone at every other member, so nothing of it may count here either.
		s.Event = EventCorrect
		e.Recorded, e.SuspendedBy, e.added = Published, "", map[string]any{}
		if st.Meaning.Type == k.correction {
			e.content(st, unwrap(parts))
			said = members(e.Parts)
		} else {
			e.content(record.Stored{}, nil)
		}
	case st.Meaning.Type == k.status:
		s = e.status(k, st, parts, s)
	default:
		s.Ignored = true
	}
	if change && ref.Rel == record.Supersedes && st.Unusable != "" {
		e.content(record.Stored{}, nil)
		s.Ignored = true
	}
	p := readMembers(said)
	s.By, s.Reviewer, s.Approver, s.At = p.CreatedBy, p.ReviewedBy, p.ApprovedBy, p.RecordedAt
	if at, ok := said["published_at"]; ok && (!change || ref.Rel == record.Supersedes) {
		_ = json.Unmarshal(at, &s.At)
	}
	s.To = e.Recorded
	e.History = append(e.History, s)
}

// content makes st the record in force. Its facts replace all that stood before.
func (e *Entry) content(st record.Stored, parts map[record.PartName][]byte) {
	e.contentOf(st, parts, members(parts))
}

// contentOf is content where the members of the parts have been read.
func (e *Entry) contentOf(st record.Stored, parts map[record.PartName][]byte, said map[string]jsontext.Value) {
	if st.Unusable != "" {
		st, parts, said = record.Stored{}, nil, nil
	}
	p := readMembers(said)
	e.Content, e.Parts = st, parts
	e.OpenCase, e.RemedyState, e.RemedyEvents = p.OpenCase, p.RemedyState, p.RemedyEvents
	e.Served, e.transferred, e.objections = p.ServedAt != "", p.Transferred, p.Objections
	e.ValidUntil = p.ValidUntil
	if st.Header != nil {
		e.Audience = st.Meaning.Audience
	}
}

// status lets a status record act.
func (e *Entry) status(k kind, st record.Stored, parts map[record.PartName][]byte, s Step) Step {
	card, ok := parts[record.Card]
	if !ok {
		e.Waiting = e.Waiting || waiting(st)
		s.Ignored = true
		return s
	}
	var c statusCard
	if st.Unusable != "" || json.Unmarshal(card, &c) != nil {
		s.Ignored = true
		return s
	}
	s.Event = c.event(k)
	to, legal := k.machine.To(e.Recorded, s.Event)
	if !legal {
		s.Ignored = true
		return s
	}
	e.Recorded = to
	switch s.Event {
	case EventSuspend:
		e.SuspendedBy = readMembers(members(parts)).CreatedBy.User
	case EventLift:
		e.SuspendedBy = ""
	case EventServe:
		e.Served = true
		e.added["served_at"], e.added["service_mode"] = c.ServedAt, c.ServiceMode
		if len(c.ServiceProof) > 0 {
			e.added["service_proof"] = c.ServiceProof
		}
		if c.AnnouncedAt != "" {
			e.added["announced_at"] = c.AnnouncedAt
		}
		if e.RemedyState == "" || e.RemedyState == "none" {
			e.remedy("in_period")
		}
	case EventRemedy, EventAnnul:
		e.RemedyEvents = append(slices.Clone(e.RemedyEvents), *c.RemedyEvent)
		e.added["remedy_events"] = e.RemedyEvents
		// The table alone says what follows: a remedy_state typed beside the event could turn a penalty that waits into one
		// that counts (domain.md §6.3, C1).
		if to, ok := after(e.RemedyState, *c.RemedyEvent); ok {
			e.remedy(to)
		}
	case EventVoid:
		e.remedy(map[string]string{"revoked": "revoked", "revoked_redo": "revoked", "void": "void", "withdrawn_by_issuer": "withdrawn"}[c.Outcome])
	default:
		e.later(s.Event, &c, st, parts)
	}
	return s
}

func (e *Entry) remedy(state string) {
	e.RemedyState = state
	e.added["remedy_state"] = state
}

// statusCard is what the card of a status record says.
type statusCard struct {
	Status       string         `json:"status"`
	ServedAt     string         `json:"served_at"`
	ServiceMode  string         `json:"service_mode"`
	ServiceProof jsontext.Value `json:"service_proof"`
	AnnouncedAt  string         `json:"announced_at"`
	RemedyEvent  *RemedyEvent   `json:"remedy_event"`
	Outcome      string         `json:"outcome"`

	ObjectionAt   string `json:"objection_at"`
	TransferredAt string `json:"transferred_at"`
	ComparedAt    string `json:"compared_at"`
	Confirms      string `json:"confirms"`
}

// event returns the table's event; empty for a status that this release does not know.
func (c statusCard) event(k kind) workflow.Event {
	if k.entry {
		return map[string]workflow.Event{"suspended": EventSuspend, "resumed": EventLift, "repaired": EventRepair, "expired": EventExpire}[c.Status]
	}
	switch {
	case c.Status == "remedy_event" && c.RemedyEvent == nil:
		return ""
	case c.Status == "remedy_event" && c.RemedyEvent.negative():
		return EventAnnul
	}
	return penaltyEvents[c.Status]
}

// Payload returns the content joined to one payload, with what status records have added to a penalty since: what a
// correction starts from. ErrNothing while there is no content.
func (e *Entry) Payload() ([]byte, error) {
	if len(e.Parts) == 0 {
		return nil, ErrNothing
	}
	parts := map[string][]byte{}
	for name, b := range e.Parts {
		parts[string(name)] = b
	}
	b, err := schema(e.Type).Join(parts)
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", e.Subject, err)
	}
	if len(e.added) == 0 {
		return b, nil
	}
	return with(b, e.added)
}

// Deadlines returns the clocks that run for the entry at now, from its history alone.
func (e *Entry) Deadlines(now time.Time, c *workflow.Calendar) ([]workflow.Due, error) {
	k, ok := kindOf(e.Type)
	if !ok {
		return nil, ErrOtherType
	}
	past := []workflow.Past{{Event: EventDraft, To: Drafting}, {Event: EventSubmit, To: InReview}, {Event: EventApprove, To: Approved}}
	for _, s := range e.History {
		if s.Ignored {
			continue
		}
		at, err := time.Parse(time.RFC3339, s.At)
		if err != nil {
			// Only the day is known: the clock starts with it.
			if at, err = time.ParseInLocation(time.DateOnly, s.Day, record.CivilZone); err != nil {
				return nil, fmt.Errorf("deadlines of %s: %w", e.Subject, err)
			}
		}
		if k.entry && s.To == Withdrawn && past[len(past)-1].To == Published {
			// The suspension before it is gone with the rest, or the node ended an open case.
			past = append(past, workflow.Past{Event: EventSuspend, To: Suspended, At: at})
		}
		past = append(past, workflow.Past{Event: s.Event, To: s.To, At: at})
	}
	return k.machine.Deadlines(past, now, c)
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

func waiting(st record.Stored) bool {
	return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.State == record.PartPending })
}

// members joins the members of parts on the first level; parts are disjoint there.
func members(parts map[record.PartName][]byte) map[string]jsontext.Value {
	out := map[string]jsontext.Value{}
	for _, b := range parts {
		var m map[string]jsontext.Value
		if json.Unmarshal(b, &m) == nil {
			maps.Copy(out, m)
		}
	}
	return out
}

// unwrap takes the payload out of a correction's parts.
func unwrap(parts map[record.PartName][]byte) map[record.PartName][]byte {
	out := map[record.PartName][]byte{}
	for name, b := range parts {
		var c struct {
			Payload jsontext.Value `json:"payload"`
		}
		if json.Unmarshal(b, &c) == nil && len(c.Payload) > 0 {
			out[name] = c.Payload
		}
	}
	return out
}
