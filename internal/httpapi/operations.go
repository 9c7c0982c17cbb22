package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

type planIn struct {
	Writing
	Body struct {
		Payload payload `json:"payload" doc:"A whole plan, schema operation; its participants are who is invited"`
	}
}

type replyIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Writing
	Body struct {
		Reason     string `json:"reason,omitempty" maxLength:"1000" doc:"Needed to decline"`
		Officers   int    `json:"officers,omitzero" minimum:"0" maximum:"1000" doc:"Officers that come"`
		Cars       int    `json:"cars,omitzero" minimum:"0" maximum:"100"`
		Contact    hidden `json:"contact,omitzero" doc:"Who is called on the day"`
		Phone      hidden `json:"phone,omitzero"`
		LegalBasis string `json:"legal_basis,omitempty" maxLength:"200"`
		Purpose    string `json:"purpose,omitempty" maxLength:"16" doc:"Absent = JOINT"`
	}
}

type leadIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Writing
	Body struct {
		Version    uint64 `json:"version" minimum:"1" doc:"Version of the plan that the caller has seen"`
		Reason     string `json:"reason,omitempty" maxLength:"1000" doc:"Needed to cancel"`
		LegalBasis string `json:"legal_basis,omitempty" maxLength:"200"`
		Purpose    string `json:"purpose,omitempty" maxLength:"16" doc:"Absent = JOINT"`
		OccurredAt string `json:"occurred_at,omitempty" maxLength:"40" doc:"RFC 3339; absent = now"`
	}
}

// Operation is a joint operation as this node knows it, as far as the person may see it.
type Operation struct {
	ID       string           `json:"id"`
	Lead     record.MemberID  `json:"lead"`
	Version  uint64           `json:"version"`
	State    string           `json:"state" enum:"proposed,confirmed,running,ended,cancelled"`
	Payload  payload          `json:"payload,omitempty" doc:"What the person may see of the plan"`
	Replies  []OperationReply `json:"replies"`
	ReplyBy  *time.Time       `json:"reply_by,omitempty"`
	History  []OperationStep  `json:"history"`
	Receipts *Receipts        `json:"receipts,omitempty" doc:"Who of the group has applied the newest record of the lead"`
}

// OperationReply is where one invited member stands.
type OperationReply struct {
	Member  record.MemberID `json:"member"`
	Name    string          `json:"name"`
	State   string          `json:"state" enum:"invited,accepted,declined"`
	Record  string          `json:"record,omitempty"`
	Payload payload         `json:"payload,omitempty"`
	Overdue bool            `json:"overdue,omitzero"`
}

// OperationStep is one record of its history.
type OperationStep struct {
	Member  record.MemberID `json:"member"`
	Event   string          `json:"event"`
	Record  string          `json:"record"`
	Day     string          `json:"day"`
	At      string          `json:"at,omitempty"`
	Ignored bool            `json:"ignored,omitzero"`
}

type operationOut struct{ Body Operation }

type operationsOut struct {
	Body struct {
		Operations []Operation `json:"operations" doc:"Latest start first, without history and receipts"`
	}
}

// maxOperations bounds a list of operations.
const maxOperations = 200

func (h *people) operationRoutes(api huma.API) {
	op := func(act auth.Act, name, method, path, summary string, status int) huma.Operation {
		o := h.op(api, act, name, method, "operations"+path, summary, status)
		o.Tags = []string{"operations"}
		return o
	}
	register(api, op(auth.Plan, "plan-operation", http.MethodPost, "", "Plan a joint operation and invite members 提出联合行动", http.StatusCreated), h.plan)
	register(api, op(auth.SeePlans, "list-operations", http.MethodGet, "", "Operations that this member takes part in 联合行动列表", http.StatusOK), h.operations)
	register(api, op(auth.SeePlans, "read-operation", http.MethodGet, "/{id}", "Read one operation 查看联合行动", http.StatusOK), h.operation)
	for _, r := range []struct {
		name, summary string
		do            func(context.Context, events.Request, events.On, events.Details) (events.Done, error)
	}{
		{"accept", "Take part 同意参加", func(ctx context.Context, q events.Request, on events.On, d events.Details) (events.Done, error) {
			return h.Board.Accept(ctx, q, on, d)
		}},
		{"decline", "Refuse; of the lead it cancels 不参加", func(ctx context.Context, q events.Request, on events.On, d events.Details) (events.Done, error) {
			return h.Board.Decline(ctx, q, on, d)
		}},
	} {
		register(api, op(auth.Reply, r.name+"-operation", http.MethodPost, "/{id}/"+r.name, r.summary, http.StatusOK), func(ctx context.Context, in *replyIn) (*writtenOut, error) {
			on, err := h.planAt(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			b := &in.Body
			d, err := r.do(ctx, in.board(ctx, "operations/"+in.ID+"/"+r.name), on, events.Details{Reason: b.Reason, Officers: b.Officers, Cars: b.Cars,
				Contact: b.Contact.Reveal(), Phone: b.Phone.Reveal(), LegalBasis: b.LegalBasis, Purpose: b.Purpose})
			return noted(ctx, d, err)
		})
	}
	for _, r := range []struct {
		name, summary string
		do            func(context.Context, events.Request, events.On, events.Change) (events.Done, error)
	}{
		{"start", "Start 开始", func(ctx context.Context, q events.Request, on events.On, c events.Change) (events.Done, error) {
			return h.Board.Start(ctx, q, on, c)
		}},
		{"end", "End 结束", func(ctx context.Context, q events.Request, on events.On, c events.Change) (events.Done, error) {
			return h.Board.End(ctx, q, on, c)
		}},
		{"cancel", "Call off 取消", func(ctx context.Context, q events.Request, on events.On, c events.Change) (events.Done, error) {
			return h.Board.Cancel(ctx, q, on, c)
		}},
	} {
		register(api, op(auth.Plan, r.name+"-operation", http.MethodPost, "/{id}/"+r.name, r.summary, http.StatusOK), func(ctx context.Context, in *leadIn) (*writtenOut, error) {
			on, err := h.planAt(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			b := &in.Body
			on.Version = b.Version
			d, err := r.do(ctx, in.board(ctx, "operations/"+in.ID+"/"+r.name), on, events.Change{Reason: b.Reason, LegalBasis: b.LegalBasis, Purpose: b.Purpose, OccurredAt: b.OccurredAt})
			return noted(ctx, d, err)
		})
	}
}

// board says who asks the Board, as request does for the Register.
func (w *Writing) board(ctx context.Context, route string) events.Request {
	r := w.request(ctx, route)
	return events.Request{Actor: events.Actor(r.Actor), Scope: r.Scope, Key: r.Key, BodyHash: r.BodyHash}
}

func noted(ctx context.Context, d events.Done, err error) (*writtenOut, error) {
	if err != nil {
		return nil, err
	}
	noteRecord(ctx, d.Record)
	return &writtenOut{Written{ID: d.ID.String(), Version: d.Version, Record: d.Record.String(), State: string(d.State)}}, nil
}

func (h *people) plan(ctx context.Context, in *planIn) (*writtenOut, error) {
	d, err := h.Board.Plan(ctx, in.board(ctx, "operations"), in.Body.Payload)
	var unfit *events.Invalid
	var refused *events.Refusal
	switch {
	case errors.As(err, &unfit):
		p := violations(unfit.Violations)
		for i := range p.Errors {
			p.Errors[i].Pointer = "/payload" + p.Errors[i].Pointer
		}
		return nil, p
	case errors.As(err, &refused) && refused.Pointer != "":
		return nil, &events.Refusal{Code: refused.Code, Pointer: "/payload" + refused.Pointer}
	}
	return noted(ctx, d, err)
}

// planAt finds the stream in which a plan stands.
func (h *people) planAt(ctx context.Context, id string) (events.On, error) {
	b, err := record.ParseBits128(id)
	if err != nil {
		return events.On{}, problem("not_found")
	}
	noteRecord(ctx, b)
	st, err := h.Log.Record(ctx, b)
	if err != nil {
		return events.On{}, err
	}
	return events.On{Stream: st.Stream, ID: b}, nil
}

func (h *people) operations(ctx context.Context, _ *nothing) (*operationsOut, error) {
	all, err := h.Operations(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b events.Operation) int { return b.StartAt.Compare(a.StartAt) })
	out := &operationsOut{}
	out.Body.Operations = []Operation{}
	for _, o := range all[:min(len(all), maxOperations)] {
		view, shown, err := h.show(ctx, o)
		if err != nil {
			return nil, err
		}
		if shown {
			view.History = []OperationStep{}
			out.Body.Operations = append(out.Body.Operations, view)
		}
	}
	return out, nil
}

func (h *people) operation(ctx context.Context, in *entryIn) (*operationOut, error) {
	on, err := h.planAt(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	o, err := h.Board.Operation(ctx, on.Stream, on.ID)
	if err != nil {
		return nil, err
	}
	out, shown, err := h.show(ctx, o)
	if err != nil {
		return nil, err
	}
	if !shown {
		return nil, problem("not_found") // under embargo it does not exist for those who go out
	}
	for i := len(o.History) - 1; i >= 0; i-- {
		if s := o.History[i]; s.Member == o.Lead {
			if out.Receipts, err = h.receipts(ctx, o.Stream, s.Seq, append([]record.MemberID{o.Lead}, o.Invited...)); err != nil {
				return nil, err
			}
			break
		}
	}
	return &operationOut{out}, nil
}

// show cuts an operation for the person; false if it is not there for him.
func (h *people) show(ctx context.Context, o events.Operation) (Operation, bool, error) {
	v := auth.ViewOfOperation(principalOf(ctx).Roles, o.Lead == h.Directory.Self(), h.Now().Before(o.EmbargoUntil))
	if v < auth.ViewMeta {
		return Operation{}, false, nil
	}
	out := Operation{ID: o.ID.String(), Lead: o.Lead, Version: o.Version, State: string(o.State), Replies: []OperationReply{}, History: []OperationStep{}}
	if !o.ReplyBy.IsZero() {
		out.ReplyBy = &o.ReplyBy
	}
	var err error
	if out.Payload, err = cutParts(events.TypeOperation, o.Parts, v); err != nil {
		return Operation{}, false, err
	}
	for _, r := range o.Replies {
		m, _ := h.Directory.Member(r.Member)
		x := OperationReply{Member: r.Member, Name: m.Name, State: string(r.State), Overdue: r.Overdue}
		if !r.Record.IsZero() {
			x.Record = r.Record.String()
		}
		if x.Payload, err = cutParts(events.TypeReply, r.Parts, v); err != nil {
			return Operation{}, false, err
		}
		out.Replies = append(out.Replies, x)
	}
	for _, s := range o.History {
		out.History = append(out.History, OperationStep{Member: s.Member, Event: string(s.Event), Record: s.Record.String(), Day: s.Day, At: s.At, Ignored: s.Ignored})
	}
	return out, true, nil
}
