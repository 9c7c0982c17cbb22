package events

import "github.com/pilinhub/pilin/workflow"

// States of an operation, as far as this version goes (domain.md §5.3), and of one member's part in it.
const (
	Proposed  workflow.State = "proposed"
	Confirmed workflow.State = "confirmed" // everybody who was invited has replied, and at least one accepts
	Running   workflow.State = "running"
	Ended     workflow.State = "ended"
	Cancelled workflow.State = "cancelled"

	Invited  workflow.State = "invited"
	Accepted workflow.State = "accepted"
	Declined workflow.State = "declined" // final: a refusal removes that member
)

// Events.
const (
	EventPropose  workflow.Event = "propose"
	EventConfirm  workflow.Event = "confirm" // follows from the replies; nobody does it
	EventStart    workflow.Event = "start"
	EventBegin    workflow.Event = "begin" // at start_at, by the clock
	EventEnd      workflow.Event = "end"
	EventCancel   workflow.Event = "cancel"
	EventWithdraw workflow.Event = "lead_declines" // the lead's refusal cancels

	EventInvite  workflow.Event = "invite"
	EventAccept  workflow.Event = "accept"
	EventDecline workflow.Event = "decline"
)

// facts are what the guards look at.
type facts struct {
	invited int // members beside the lead
	reason  bool
	open    bool // the operation can still be replied to
}

var guards = map[string]workflow.Guard[facts]{
	"invited": func(f facts) bool { return f.invited > 0 },
	"reason":  func(f facts) bool { return f.reason },
	"open":    func(f facts) bool { return f.open },
}

var (
	planners = []workflow.Role{workflow.Coordinator, workflow.Liaison}
	leaders  = []workflow.Role{workflow.Coordinator, workflow.Liaison, workflow.Head}
	repliers = []workflow.Role{workflow.Liaison, workflow.Head}
	nobody   = []workflow.Role{workflow.System}
)

// OperationMachine is the table of operations. That it is the lead who acts is the Board's to check.
var OperationMachine = workflow.Must("operation", []workflow.Row{
	{From: "", Event: EventPropose, Guards: []string{"invited"}, Who: planners, To: Proposed},
	{From: Proposed, Event: EventConfirm, Who: nobody, To: Confirmed},
	{From: Proposed, Event: EventCancel, Guards: []string{"reason"}, Who: leaders, To: Cancelled},
	{From: Confirmed, Event: EventCancel, Guards: []string{"reason"}, Who: leaders, To: Cancelled},
	{From: Proposed, Event: EventWithdraw, Guards: []string{"reason"}, Who: repliers, To: Cancelled},
	{From: Confirmed, Event: EventWithdraw, Guards: []string{"reason"}, Who: repliers, To: Cancelled},
	{From: Confirmed, Event: EventStart, Who: leaders, To: Running},
	{From: Confirmed, Event: EventBegin, Who: nobody, To: Running},
	{From: Running, Event: EventEnd, Who: leaders, To: Ended},
}, guards)

// ReplyMachine is the table of one member's replies.
var ReplyMachine = workflow.Must("reply", []workflow.Row{
	{From: "", Event: EventInvite, Who: nobody, To: Invited},
	{From: Invited, Event: EventAccept, Guards: []string{"open"}, Who: repliers, To: Accepted},
	{From: Invited, Event: EventDecline, Guards: []string{"open", "reason"}, Who: repliers, To: Declined},
	{From: Accepted, Event: EventDecline, Guards: []string{"open", "reason"}, Who: repliers, To: Declined},
}, guards)
