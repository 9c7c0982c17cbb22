package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// actingKey is where authed leaves the seat that a person may take whose delegation of the head's work runs.
type actingKey struct{}

// actingSeat lets a request be done as acting head, once its person's own roles were found not to do. Nothing was done then:
// who may do a thing is decided before it is.
type actingSeat struct {
	people         *auth.People
	who            auth.Principal
	route, subject string
}

// take audits that the person acts as head, and returns the context in which he does.
func (s *actingSeat) take(ctx context.Context) (context.Context, error) {
	if err := s.people.Acted(ctx, s.who, s.route, s.subject); err != nil {
		return ctx, err
	}
	return context.WithValue(ctx, principalKey{}, s.who.AsHead()), nil
}

// idOf is what a request is about, for the audit record: its path's id, empty if it names none.
func idOf(ctx huma.Context) string {
	id, err := record.ParseBits128(ctx.Param("id"))
	if err != nil {
		return ""
	}
	return id.String()
}

// DelegationBody 主持工作委托 lets an account do what the head may do while its term runs.
type DelegationBody struct {
	ID           string     `json:"id"`
	Account      string     `json:"account" doc:"Opaque account id"`
	By           string     `json:"by" doc:"Opaque account id of the head"`
	From         string     `json:"from" doc:"First civil day"`
	Until        string     `json:"until" doc:"Last civil day"`
	DocumentHash string     `json:"document_hash" doc:"SHA-256 of the signed paper; acting_head.delegation_hash of the duty roster"`
	Ended        *time.Time `json:"ended,omitempty" doc:"When it was ended early"`
	Runs         bool       `json:"runs" doc:"It lets the person act now"`
}

type delegateIn struct {
	Body struct {
		Name         string `json:"name" maxLength:"40" doc:"Sign-in name of who is to act"`
		From         string `json:"from" maxLength:"10" doc:"First civil day, YYYY-MM-DD"`
		Until        string `json:"until" maxLength:"10" doc:"Last civil day; 366 days at most"`
		DocumentHash string `json:"document_hash" maxLength:"64" doc:"SHA-256 of the signed delegation, hex"`
	}
}

type delegationOut struct{ Body DelegationBody }

type delegationsOut struct {
	Body struct {
		Delegations []DelegationBody `json:"delegations" doc:"Newest first"`
	}
}

type delegationIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Empty
}

func (h *people) delegationRoutes(api huma.API) {
	op := func(act auth.Act, id, method, path, summary string, status int) huma.Operation {
		o := h.op(api, act, id, method, "delegations"+path, summary, status)
		o.Tags = []string{"accounts"}
		return o
	}
	give := op(auth.Delegate, "delegate", http.MethodPost, "", "Let somebody act as head for a term 委托主持工作", http.StatusCreated)
	give.Description = "By the head himself, for a paper that he has signed. While the term runs the person may do what the head may do, besides his own work, but not delegate; afterwards not, by itself. What he does so, and his own roles would not allow, is in the audit log before it is done (account.event acted: delegation, operation, subject)."
	register(api, give, h.delegate)
	register(api, op(auth.SeeDelegations, "list-delegations", http.MethodGet, "", "Delegations of the head's work 主持工作委托", http.StatusOK), h.delegations)
	register(api, op(auth.Delegate, "end-delegation", http.MethodPost, "/{id}/end", "End a delegation at once 提前终止委托", http.StatusNoContent), func(ctx context.Context, in *delegationIn) (*nothing, error) {
		return nil, h.People.EndDelegation(ctx, principalOf(ctx).Account, in.ID)
	})
}

func (h *people) delegate(ctx context.Context, in *delegateIn) (*delegationOut, error) {
	d, err := h.People.Delegate(ctx, principalOf(ctx).Account, in.Body.Name, in.Body.From, in.Body.Until, in.Body.DocumentHash)
	if err != nil {
		return nil, err
	}
	return &delegationOut{delegationText(&d, h.Now())}, nil
}

func (h *people) delegations(ctx context.Context, _ *nothing) (*delegationsOut, error) {
	all, err := h.People.Accounts.Delegations(ctx)
	if err != nil {
		return nil, err
	}
	out := &delegationsOut{}
	out.Body.Delegations = []DelegationBody{}
	for i := range all {
		out.Body.Delegations = append(out.Body.Delegations, delegationText(&all[i], h.Now()))
	}
	return out, nil
}

func delegationText(d *auth.Delegation, now time.Time) DelegationBody {
	out := DelegationBody{ID: d.ID, Account: d.Account, By: d.By, From: d.From, Until: d.Until, DocumentHash: d.Document, Runs: d.Runs(now)}
	if d.Ended != 0 {
		at := time.Unix(d.Ended, 0).In(record.CivilZone)
		out.Ended = &at
	}
	return out
}
