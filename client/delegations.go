package client

import (
	"context"
	"net/http"
	"time"
)

// Delegation 主持工作委托 lets an account do what the head may do while its term runs.
type Delegation struct {
	ID           string    `json:"id"`
	Account      string    `json:"account"`
	By           string    `json:"by"`
	From         string    `json:"from"`  // first civil day
	Until        string    `json:"until"` // last civil day
	DocumentHash string    `json:"document_hash"`
	Ended        time.Time `json:"ended,omitzero"` // when it was ended early; zero: it runs its term
	Runs         bool      `json:"runs"`
}

// Delegate lets the person of a sign-in name act as head from one civil day to another, both included, by a signed paper
// with this SHA-256. Only the head himself may. A *Problem says why not: delegate_unknown, delegation_term,
// delegation_overlaps, role_refused.
func (d *Desk) Delegate(ctx context.Context, name, from, until, documentHash string) (Delegation, error) {
	var out Delegation
	err := d.call(ctx, http.MethodPost, "/api/v1/delegations", "", map[string]string{"name": name, "from": from, "until": until, "document_hash": documentHash}, &out)
	return out, err
}

// Delegations lists all, newest first.
func (d *Desk) Delegations(ctx context.Context) ([]Delegation, error) {
	var a struct {
		Delegations []Delegation `json:"delegations"`
	}
	err := d.call(ctx, http.MethodGet, "/api/v1/delegations", "", nil, &a)
	return a.Delegations, err
}

// EndDelegation ends one before its last day, at once.
func (d *Desk) EndDelegation(ctx context.Context, id string) error {
	return d.call(ctx, http.MethodPost, "/api/v1/delegations/"+id+"/end", "", struct{}{}, nil)
}
