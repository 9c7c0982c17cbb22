// Package blacklist keeps list entries 协查名单 and penalties 行政处罚 of one bureau: drafts and their review, publishing,
// correction, suspension, withdrawal, expiry and repair, and what a stream of records says about an entry as of a day
// (domain.md §5.1, §5.2). It is an internal index of facts that a bureau lawfully holds, never a public list of sanctions
// (§0.4).
//
// Register writes: it checks the step on the tables of machine.go and appends records. Fold reads: it is pure, and the same
// for own and foreign entries. A draft lives in the stream local; what is published goes to the stream records and from
// there by itself to every member. Who a person is and what he may see is internal/auth's; storage, transport and
// questions are record's, internal/sqlstore's and federation's.
package blacklist

import (
	"context"
	"io"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// Log is what the Register needs of a record.Log; its promises are those of record.Log.
type Log interface {
	Append(context.Context, record.Append) (record.Appended, error)
	Answered(ctx context.Context, scope, key string) (answer []byte, bodyHash [32]byte, err error)
	Record(context.Context, record.RecordID) (record.Stored, error)
	Subject(context.Context, record.StreamID, record.RecordID) ([]record.Stored, error)
}

// Register 登记簿 is a bureau's desk for entries and penalties. Its fields are set before use; it keeps no state and is safe
// for any number of goroutines if Random is.
type Register struct {
	Log  Log
	Self record.MemberID
	// Records and Local are the own streams in use; zero is the first of each kind.
	Records, Local record.StreamID
	Now            func() time.Time
	Random         io.Reader // of record ids
	// Synthetic is the federation's property: payloads that say otherwise are refused.
	Synthetic bool
	// Covers reports whether agreement and impact assessment of this member allow to publish the type at the level (guard
	// of domain.md §5.1). nil allows everything: a synthetic federation.
	Covers func(typ string, level record.Level) bool
	// Calendar counts working days; nil is workflow.Statutory().
	Calendar *workflow.Calendar
}

// Actor is the person who acts, as internal/auth has established.
type Actor struct {
	Account     string // opaque account id
	Certificate string // 执法证号; empty if he has none
	Roles       []workflow.Role
	Unit        string // unit code inside the member; may be empty
}

// Request is who asks, and the idempotency slot of the request: same Scope and Key with the same BodyHash get the first
// answer again. Without a Key every call is a new one.
type Request struct {
	Actor      Actor
	Scope, Key string
	BodyHash   [32]byte
	// Answer makes the bytes that are kept for repeats; nil keeps Done's own fields, so that a repeat returns them.
	Answer func(Done) ([]byte, error)
}

// On names a draft or a published subject and the version that the caller has seen.
type On struct {
	ID      record.RecordID
	Version uint64
}

// Done is what an operation did.
type Done struct {
	On                       // the draft, or of a published change the subject, and its version now
	Record   record.RecordID // the record that was appended to records, or else to local
	State    workflow.State
	Appended record.Appended // receipts; of a repeat only Repeated and Answer are set
}

// Refusal is why a step is not taken: a stable code and, where one field is to blame, a pointer to it.
type Refusal struct{ Code, Pointer string }

// Codes of refusals beside those of package workflow (illegal_transition, wrong_role, guard:<name>).
const (
	VersionConflict     = "version_conflict"     // somebody else was faster: read again and decide again
	IdempotencyConflict = "idempotency_conflict" // the key was used with another body
	NotFound            = "not_found"            // no such draft or subject of this member
	UnknownType         = "unknown_type"
	OtherSubject        = "other_subject" // a correction of another type than the subject's
	UnknownAccount      = "account_missing"
)

// Error returns the code and pointer; no value of a payload is in them.
func (r *Refusal) Error() string { return "refused: " + r.Code + " " + r.Pointer }

// Invalid is a payload that may not go on as it is.
type Invalid struct{ Violations []schemas.Violation }

// Error names the first violation.
func (e *Invalid) Error() string {
	return "payload refused: " + e.Violations[0].Code + " at " + e.Violations[0].Pointer
}

// Codes of violations beside those of package schemas.
const (
	ViolationSynthetic = "synthetic_mixed"   // real data in a synthetic federation, or the other way round
	ViolationReference = "reference_unknown" // no published penalty or entry with this id is here
	// ViolationOpenCaseTerm: an entry of an open case ends 90 days after it is written at the latest (T01).
	ViolationOpenCaseTerm = "open_case_term"
	ViolationRemedyEvent  = "remedy_event_illegal"
	ViolationRemedyState  = "remedy_state_conflict"
	// ViolationNotRecorded: a confirmation or comparison that no status record says, typed into a penalty.
	ViolationNotRecorded = "not_recorded"
)
