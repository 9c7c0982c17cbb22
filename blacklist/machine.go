package blacklist

import (
	"slices"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// States of entries and penalties (domain.md §5.1, §5.2).
const (
	Drafting  workflow.State = "draft"
	InReview  workflow.State = "in_review"
	Approved  workflow.State = "approved"
	Discarded workflow.State = "discarded" // drafts that something else took the place of
	Published workflow.State = "published"
	Suspended workflow.State = "suspended" // hits show 核实中
	Withdrawn workflow.State = "withdrawn" // entries; content is deleted at every other member
	Expired   workflow.State = "expired"   // computed from valid_until, for a day
	Repaired  workflow.State = "repaired"  // entries; hidden like expired
	Voided    workflow.State = "voided"    // penalties: revoked, void, or withdrawn by the issuer
)

// Events of entries and penalties.
const (
	EventDraft             workflow.Event = "draft"
	EventAmend             workflow.Event = "amend"
	EventSubmit            workflow.Event = "submit"
	EventReturn            workflow.Event = "return"
	EventApprove           workflow.Event = "approve"
	EventPublish           workflow.Event = "publish"
	EventDiscard           workflow.Event = "discard" // of a draft: it is never published
	EventPropose           workflow.Event = "propose_correction"
	EventCorrect           workflow.Event = "correct"
	EventSuspend           workflow.Event = "suspend"
	EventLift              workflow.Event = "lift"
	EventProposeWithdrawal workflow.Event = "propose_withdrawal"
	EventConfirm           workflow.Event = "confirm" // of a suspension or proposed withdrawal: the entry is withdrawn
	EventEndOpenCase       workflow.Event = "end_open_case"
	EventExpire            workflow.Event = "expire"
	EventRepair            workflow.Event = "repair"
	EventReopen            workflow.Event = "reopen"
	EventServe             workflow.Event = "serve"
	EventRemedy            workflow.Event = "remedy"
	EventAnnul             workflow.Event = "annul" // a remedy event that ends the penalty
	EventVoid              workflow.Event = "void"
	EventProve             workflow.Event = "prove"    // service with its proof: from then on the penalty may count
	EventRestore           workflow.Event = "restore"  // a remedy event that ends what let the penalty wait
	EventObject            workflow.Event = "object"   // 异议 received: a flag
	EventTransfer          workflow.Event = "transfer" // 移送 delivered to the police
	EventCompare           workflow.Event = "compare"  // photographs compared by two officers
	EventSettle            workflow.Event = "settle"   // 法制确认: a reviewer decides what the count left to him
	EventWithdraw          workflow.Event = "withdraw" // of a link, at once
)

// facts are what the guards look at. They are read from records and the request, once for each step.
type facts struct {
	actor       string
	authors     []string // of the draft or its amendments
	reviewer    string   // who approved
	suspendedBy string
	reason      bool
	document    bool
	supported   bool // at least one penalty that stands, or an open case
	complete    bool
	purpose     bool
	covered     bool
	served      bool // one supporting penalty is served
	level       record.Level
	openCase    bool
	newPenalty  bool
	past        bool // valid_until is over
	kept        bool // a correction leaves out nothing that status records have added
	fresh       bool // the penalty is not served yet
	unproven    bool // nobody has entered the proof of service
}

// guards by name. Each is a sentence of domain.md §5.1, §5.2 or §4.4.
var guards = map[string]workflow.Guard[facts]{
	"supported":  func(f facts) bool { return f.supported },
	"complete":   func(f facts) bool { return f.complete },
	"reason":     func(f facts) bool { return f.reason },
	"document":   func(f facts) bool { return f.document },
	"not_author": func(f facts) bool { return f.actor != "" && len(f.authors) > 0 && !slices.Contains(f.authors, f.actor) }, // 行政处罚法 art. 57, L27
	"reviewed": func(f facts) bool {
		return f.reviewer != "" && len(f.authors) > 0 && !slices.Contains(f.authors, f.reviewer)
	},
	"not_suspender": func(f facts) bool { return f.actor != "" && f.suspendedBy != "" && f.actor != f.suspendedBy },
	"purpose":       func(f facts) bool { return f.purpose },
	"covered":       func(f facts) bool { return f.covered },
	"served_or_l1":  func(f facts) bool { return f.served || f.level <= record.L1 },
	"open_case":     func(f facts) bool { return f.openCase },
	"new_penalty":   func(f facts) bool { return f.newPenalty },
	"valid_until":   func(f facts) bool { return f.past },
	"nothing_lost":  func(f facts) bool { return f.kept },
	"not_served":    func(f facts) bool { return f.fresh },
	"not_proven":    func(f facts) bool { return f.unproven },
}

func who(roles ...workflow.Role) []workflow.Role { return roles }

// Clocks that the tables start.
var (
	decideTerm = workflow.Term{Name: "decide_suspension", N: 1, Unit: workflow.WorkingDays} // §5.1: within 1 wd, else alarm
	goneTerm   = workflow.Term{Name: "gone_everywhere", N: 3, Unit: workflow.WorkingDays}   // §5.1, L20: alarm at 3 wd
)

// drafting is the table of a draft up to its publication, the same for entries and penalties but for some guards.
func drafting(draft, publish []string) []workflow.Row {
	approve := append([]string{"not_author", "purpose", "covered"}, draft...)
	return []workflow.Row{
		{From: "", Event: EventDraft, Guards: draft, Who: who(workflow.Officer), To: Drafting},
		{From: Drafting, Event: EventAmend, Guards: draft, Who: who(workflow.Officer), To: Drafting},
		{From: Drafting, Event: EventSubmit, Guards: []string{"complete"}, Who: who(workflow.Officer), To: InReview},
		{From: Drafting, Event: EventDiscard, Guards: []string{"reason"}, Who: who(workflow.Officer), To: Discarded},
		{From: InReview, Event: EventReturn, Guards: []string{"reason"}, Who: who(workflow.LegalReviewer), To: Drafting},
		{From: InReview, Event: EventApprove, Guards: approve, Who: who(workflow.LegalReviewer), To: Approved},
		{From: Approved, Event: EventPublish, Guards: append(append([]string{"reviewed", "covered"}, draft...), publish...), Who: who(workflow.Liaison), To: Published},
	}
}

// EntryMachine is the table of list entries (domain.md §5.1).
var EntryMachine = workflow.Must("entry", append(drafting([]string{"supported"}, []string{"served_or_l1"}), []workflow.Row{
	{From: Published, Event: EventPropose, Guards: []string{"reason", "complete"}, Who: who(workflow.Officer, workflow.Liaison), To: Published},
	{From: Published, Event: EventCorrect, Guards: []string{"reason", "not_author", "purpose", "covered", "supported", "served_or_l1"}, Who: who(workflow.LegalReviewer), To: Published},
	{From: Published, Event: EventSuspend, Guards: []string{"reason", "document"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Suspended, Terms: []workflow.Term{decideTerm}},
	{From: Published, Event: EventProposeWithdrawal, Guards: []string{"reason", "document"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Suspended, Terms: []workflow.Term{decideTerm}},
	{From: Suspended, Event: EventLift, Guards: []string{"reason"}, Who: who(workflow.Head), To: Published},
	{From: Suspended, Event: EventConfirm, Guards: []string{"reason", "not_suspender"}, Who: who(workflow.Head), To: Withdrawn, Terms: []workflow.Term{goneTerm}},
	{From: Published, Event: EventEndOpenCase, Guards: []string{"reason", "open_case"}, Who: who(workflow.System), To: Withdrawn, Terms: []workflow.Term{goneTerm}},
	{From: Published, Event: EventExpire, Guards: []string{"valid_until"}, Who: who(workflow.Liaison, workflow.System), To: Expired},
	{From: Published, Event: EventRepair, Guards: []string{"document"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Repaired},
	{From: Withdrawn, Event: EventReopen, Guards: []string{"new_penalty"}, Who: who(workflow.Officer), To: Drafting},
	{From: Expired, Event: EventReopen, Guards: []string{"new_penalty"}, Who: who(workflow.Officer), To: Drafting},
	{From: Repaired, Event: EventReopen, Guards: []string{"new_penalty"}, Who: who(workflow.Officer), To: Drafting},
}...), guards)

// PenaltyMachine is the table of penalty records (domain.md §5.2): what happens to the decision itself is a status of the
// published record, entered by the legal reviewer alone where it ends the penalty.
var PenaltyMachine = workflow.Must("penalty", append(drafting(nil, nil), []workflow.Row{
	{From: Published, Event: EventPropose, Guards: []string{"reason", "complete", "nothing_lost"}, Who: who(workflow.Officer, workflow.Liaison), To: Published},
	{From: Published, Event: EventCorrect, Guards: []string{"reason", "not_author", "purpose", "covered", "nothing_lost"}, Who: who(workflow.LegalReviewer), To: Published},
	{From: Published, Event: EventServe, Guards: []string{"not_served"}, Who: who(workflow.Officer, workflow.Liaison), To: Published},
	{From: Suspended, Event: EventServe, Guards: []string{"not_served"}, Who: who(workflow.Officer, workflow.Liaison), To: Suspended},
	{From: Published, Event: EventProve, Guards: []string{"not_proven"}, Who: who(workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventProve, Guards: []string{"not_proven"}, Who: who(workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventRestore, Who: who(workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventRestore, Who: who(workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventSettle, Guards: []string{"reason", "document", "not_author"}, Who: who(workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventSettle, Guards: []string{"reason", "document", "not_author"}, Who: who(workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventObject, Who: who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventObject, Who: who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventTransfer, Guards: []string{"document"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventTransfer, Guards: []string{"document"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventCompare, Who: who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventCompare, Who: who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventRemedy, Who: who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventRemedy, Who: who(workflow.Officer, workflow.Liaison, workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventAnnul, Guards: []string{"document"}, Who: who(workflow.LegalReviewer), To: Published},
	{From: Suspended, Event: EventAnnul, Guards: []string{"document"}, Who: who(workflow.LegalReviewer), To: Suspended},
	{From: Published, Event: EventSuspend, Guards: []string{"reason"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Suspended, Terms: []workflow.Term{decideTerm}},
	{From: Suspended, Event: EventLift, Guards: []string{"reason"}, Who: who(workflow.Head), To: Published},
	{From: Published, Event: EventVoid, Guards: []string{"document"}, Who: who(workflow.LegalReviewer), To: Voided, Terms: []workflow.Term{goneTerm}},
	{From: Suspended, Event: EventVoid, Guards: []string{"document"}, Who: who(workflow.LegalReviewer), To: Voided, Terms: []workflow.Term{goneTerm}},
}...), guards)

// LinkMachine is the table of links (domain.md §6.2): approved by a legal reviewer who is none of its authors, and ended at
// once by whoever finds it wrong, because to end one only takes away what counted.
var LinkMachine = workflow.Must("link", append(drafting(nil, nil), workflow.Row{
	From: Published, Event: EventWithdraw, Guards: []string{"reason"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Withdrawn, Terms: []workflow.Term{goneTerm},
}), guards)
