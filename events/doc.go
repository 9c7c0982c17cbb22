// Package events keeps joint operations 联合行动: so far a plan for a group of some members, their replies, start, end and
// cancellation (domain.md T08, §5.3). Plan and steps stand in the lead's log, each reply in the log of the one who gives
// it; all of them are sealed to the group, so that nothing of an operation can be read or is named at the others.
//
// Board writes: it checks the step on the tables of machine.go and appends records. Fold reads: it is pure and takes the
// records of all these streams. Founding a group with its key is federation's, given as a function; teams, draws,
// sightings and findings are not here yet.
package events

import (
	"context"
	"io"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// Log is what the Board needs of a record.Log; its promises are those of record.Log.
type Log interface {
	Append(context.Context, record.Append) (record.Appended, error)
	Answered(ctx context.Context, scope, key string) (answer []byte, bodyHash [32]byte, err error)
	Subject(context.Context, record.StreamID, record.RecordID) ([]record.Stored, error)
}

// Board 指挥看板 is a bureau's desk for joint operations. Its fields are set before use; it keeps no state and is safe for any
// number of goroutines if Random is.
type Board struct {
	Log       Log
	Self      record.MemberID
	Records   record.StreamID // own stream in use; zero is the first
	Now       func() time.Time
	Random    io.Reader // of record ids
	Synthetic bool      // the federation's property
	// NewGroup founds a sealed group of these members, Self among them, and returns once its key can be used for sealing.
	NewGroup func(ctx context.Context, members []record.MemberID) (record.GroupID, error)
	// Replies returns the records of type operation.reply that these members' streams hold here, at least those that answer
	// the plan; the Board looks for itself at what they answer.
	Replies func(ctx context.Context, plan record.RecordID, members []record.MemberID) ([]record.Stored, error)
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

// On names an operation: the lead's stream, the plan's record id, and the version of the plan that the caller has seen
// (of a reply it plays no part).
type On struct {
	Stream  record.StreamID
	ID      record.RecordID
	Version uint64
}

// Done is what a call did.
type Done struct {
	On                       // the operation; its version now
	Record   record.RecordID // the record that was appended
	State    workflow.State  // of the operation as far as this node knows, or of the own reply
	Appended record.Appended // receipts; of a repeat only Repeated and Answer are set
}

// Refusal is why a step is not taken: a stable code and, where one field is to blame, a pointer to it.
type Refusal struct{ Code, Pointer string }

// Codes of refusals beside those of package workflow (illegal_transition, wrong_role, guard:<name>).
const (
	VersionConflict     = "version_conflict"
	IdempotencyConflict = "idempotency_conflict"
	NotFound            = "not_found"   // no such operation that this member can read
	NotLead             = "not_lead"    // only the lead starts, ends and cancels
	NotInvited          = "not_invited" // only who is invited replies
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

// ViolationSynthetic: the payload says otherwise than the federation.
const ViolationSynthetic = "synthetic_mixed"
