package client

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

// Operation is a joint operation as the node knows it, as far as the person may see it.
type Operation struct {
	ID       string           `json:"id"`
	Lead     record.MemberID  `json:"lead"`
	Version  uint64           `json:"version"`
	State    string           `json:"state"`
	Payload  jsontext.Value   `json:"payload"`
	Replies  []OperationReply `json:"replies"`
	ReplyBy  *time.Time       `json:"reply_by"`
	History  []OperationStep  `json:"history"`
	Receipts *Receipts        `json:"receipts"`
}

// OperationReply is where one invited member stands.
type OperationReply struct {
	Member  record.MemberID `json:"member"`
	Name    string          `json:"name"`
	State   string          `json:"state"`
	Record  string          `json:"record"`
	Payload jsontext.Value  `json:"payload"`
	Overdue bool            `json:"overdue"`
}

// OperationStep is one record of its history.
type OperationStep struct {
	Member  record.MemberID `json:"member"`
	Event   string          `json:"event"`
	Record  string          `json:"record"`
	Day     string          `json:"day"`
	At      string          `json:"at"`
	Ignored bool            `json:"ignored"`
}

// OperationAnswer is what a reply says beside yes or no.
type OperationAnswer struct {
	Reason     string `json:"reason,omitempty"` // needed to decline
	Officers   int    `json:"officers,omitzero"`
	Cars       int    `json:"cars,omitzero"`
	Contact    string `json:"contact,omitempty"`
	Phone      string `json:"phone,omitempty"`
	LegalBasis string `json:"legal_basis,omitempty"`
	Purpose    string `json:"purpose,omitempty"`
}

// OperationChange is what a step of the lead says.
type OperationChange struct {
	Version    uint64 `json:"version"`
	Reason     string `json:"reason,omitempty"` // needed to cancel
	LegalBasis string `json:"legal_basis,omitempty"`
	Purpose    string `json:"purpose,omitempty"`
	OccurredAt string `json:"occurred_at,omitempty"`
}

// Plan proposes a joint operation: a whole payload of the schema operation.
func (d *Desk) Plan(ctx context.Context, key string, payload jsontext.Value) (Written, error) {
	return d.write(ctx, "/api/v1/operations", key, struct {
		Payload jsontext.Value `json:"payload"`
	}{payload})
}

// Accept takes part in an operation.
func (d *Desk) Accept(ctx context.Context, id, key string, a OperationAnswer) (Written, error) {
	return d.write(ctx, "/api/v1/operations/"+id+"/accept", key, a)
}

// Decline refuses; of the lead it cancels the operation.
func (d *Desk) Decline(ctx context.Context, id, key string, a OperationAnswer) (Written, error) {
	return d.write(ctx, "/api/v1/operations/"+id+"/decline", key, a)
}

// Lead takes a step of the lead: start, end, cancel.
func (d *Desk) Lead(ctx context.Context, id, name, key string, c OperationChange) (Written, error) {
	return d.write(ctx, "/api/v1/operations/"+id+"/"+name, key, c)
}

// Operations lists the operations that the bureau leads or is invited to.
func (d *Desk) Operations(ctx context.Context) ([]Operation, error) {
	var a struct {
		Operations []Operation `json:"operations"`
	}
	err := d.call(ctx, http.MethodGet, "/api/v1/operations", "", nil, &a)
	return a.Operations, err
}

// Operation reads one operation.
func (d *Desk) Operation(ctx context.Context, id string) (Operation, error) {
	var o Operation
	err := d.call(ctx, http.MethodGet, "/api/v1/operations/"+id, "", nil, &o)
	return o, err
}

// Account is one person who may sign in, as an administrator sees him.
type Account struct {
	ID          string   `json:"id,omitempty"`
	Name        string   `json:"name"`
	Unit        string   `json:"unit,omitempty"`
	Certificate string   `json:"certificate,omitempty"`
	Until       string   `json:"certificate_until,omitempty"` // last civil day of the certificate, by the certificate roster
	Roles       []string `json:"roles"`
	Disabled    bool     `json:"disabled,omitzero"`
	Link        string   `json:"link,omitempty"` // secret of a one-time link; shown once
}

// CreateAccount creates an account from name, unit, certificate and roles; the answer has its one-time link.
func (d *Desk) CreateAccount(ctx context.Context, a Account) (Account, error) {
	a.ID, a.Disabled, a.Link, a.Until = "", false, "", ""
	var out Account
	err := d.call(ctx, http.MethodPost, "/api/v1/accounts", "", a, &out)
	return out, err
}

// Accounts lists all accounts.
func (d *Desk) Accounts(ctx context.Context) ([]Account, error) {
	var a struct {
		Accounts []Account `json:"accounts"`
	}
	err := d.call(ctx, http.MethodGet, "/api/v1/accounts", "", nil, &a)
	return a.Accounts, err
}

// DisableAccount refuses an account from now on, or lets it in again.
func (d *Desk) DisableAccount(ctx context.Context, id string, disabled bool) error {
	name := "disable"
	if !disabled {
		name = "enable"
	}
	return d.call(ctx, http.MethodPost, "/api/v1/accounts/"+id+"/"+name, "", struct{}{}, nil)
}

// NewLink makes a new one-time link for an account.
func (d *Desk) NewLink(ctx context.Context, id string) (string, error) {
	var a Account
	err := d.call(ctx, http.MethodPost, "/api/v1/accounts/"+id+"/link", "", struct{}{}, &a)
	return a.Link, err
}

// SetRoles replaces an account's roles.
func (d *Desk) SetRoles(ctx context.Context, id string, roles []string) error {
	return d.call(ctx, http.MethodPost, "/api/v1/accounts/"+id+"/roles", "", map[string][]string{"roles": roles}, nil)
}
