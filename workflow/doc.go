// Package workflow is the one engine behind every state machine of the field (domain.md §5): a machine is a table of rows
// (from, event, guards, who, to, effects, terms), and Step says for a state, an event, the roles of the person and the
// facts what follows, or refuses with a stable code. It also computes terms: in hours, days, working days and months,
// with the calendar of statutory holidays as data.
//
// It keeps nothing and does nothing: states are folded from records by blacklist, events and transfer, effects are
// carried out by them, people are known by auth. A bureau may add steps to a table; Extend refuses whatever would let an
// entry pass without a guard or a role that the law's table demands.
package workflow

// State is where a subject stands. The empty State is before its first record.
type State string

// Event is what somebody wants to do, or what happened.
type Event string

// Role is what a person may be at a bureau (domain.md §1.1).
type Role string

// The roles that tables name.
const (
	Officer       Role = "officer"        // 执法人员
	Liaison       Role = "liaison"        // 联络员
	Coordinator   Role = "coordinator"    // 牵头单位联络人
	LegalReviewer Role = "legal_reviewer" // 法制审核人员
	Head          Role = "head"           // 单位负责人
	// System is the node itself, where the law leaves nothing to decide. No account has it.
	System Role = "system"
)

// Row is one line of a table.
type Row struct {
	From    State
	Event   Event
	Guards  []string // names of pure functions over the facts; all must hold
	Who     []Role   // any of them
	To      State
	Effects []string // names of what the domain does beside appending the record
	Terms   []Term   // clocks that begin with the transition and run while the subject stays in To
}

// Transition is a step that is allowed.
type Transition struct {
	From    State
	Event   Event
	To      State
	Effects []string
	Terms   []Term
}

// Codes of refusals; a guard's is "guard:" and its name.
const (
	IllegalTransition = "illegal_transition" // the table has no such step
	WrongRole         = "wrong_role"
	guardPrefix       = "guard:"
)

// Refusal is why a step is not taken. It names no person and no value.
type Refusal struct {
	Code  string
	From  State
	Event Event
}

// Error returns code, event and state.
func (r *Refusal) Error() string {
	return "step refused: " + r.Code + ": " + string(r.Event) + " from " + string(r.From)
}
