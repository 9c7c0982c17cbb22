package auth

import (
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// EventKind is what happened to an account (schema account.event).
type EventKind string

// The kinds of events.
const (
	EventCreated    EventKind = "created"
	EventEnabled    EventKind = "enabled"
	EventDisabled   EventKind = "disabled"
	EventRoles      EventKind = "roles_changed"
	EventCredential EventKind = "credential_changed"
	EventSignedIn   EventKind = "signed_in"
	EventSignedOut  EventKind = "signed_out"
	EventFailed     EventKind = "sign_in_failed"
	EventLocked     EventKind = "locked"
	EventRevoked    EventKind = "token_revoked"
	EventRefused    EventKind = "refused" // signed in, but no role of the account allows what was asked for

	EventDelegated   EventKind = "delegated"        // the head's work, for a term
	EventUndelegated EventKind = "delegation_ended" // before its last day
	EventActed       EventKind = "acted"            // as acting head, what the account's own roles do not allow

	EventUnitAdded   EventKind = "unit_added"
	EventUnitChanged EventKind = "unit_changed"
	EventUnitClosed  EventKind = "unit_closed"
	EventAssigned    EventKind = "unit_assigned"       // of an account
	EventCertificate EventKind = "certificate_changed" // by a certificate roster
)

// Event is one line for the auditor: opaque ids and codes, nothing personal.
type Event struct {
	Kind    EventKind
	Account string // empty for a failed sign-in under a name that nobody has, and for what happens to a unit
	By      string // account that did it; empty when the node did
	Roles   []Role // after the event; of a refusal, those held
	Route   string // of a refusal: id of the operation in the OpenAPI document
	Lacking []Role // of a refusal: roles of which one would have done; empty where the state machine of a record decided
	Reason  Code
	At      time.Time

	Delegation *Delegation // that was given or ended, or under which was acted
	Subject    string      // of acted: what it was about; empty, or an id
	Until      string      // last civil day of a certificate
	Document   string      // SHA-256 of the roster that says so
	Unit       string      // that was added, changed or closed, or to which the account belongs; its code
	Parent     string      // of a unit; of one that is closed, where its people went
}

type eventBody struct {
	Event     EventKind `json:"event"`
	Account   string    `json:"account,omitzero"`
	By        string    `json:"by,omitzero"`
	Roles     []Role    `json:"roles,omitempty"`
	Route     string    `json:"route,omitzero"`
	Lacking   []Role    `json:"lacking,omitempty"`
	Reason    Code      `json:"reason,omitzero"`
	At        string    `json:"at"`
	Synthetic bool      `json:"synthetic"`

	Delegation string `json:"delegation,omitzero"`
	From       string `json:"from,omitzero"`
	Until      string `json:"until,omitzero"`
	Document   string `json:"document_hash,omitzero"`
	Subject    string `json:"subject,omitzero"`
	Unit       string `json:"unit,omitzero"`
	Parent     string `json:"parent,omitzero"`
}

// Draft makes the audit record of e for the stream (this node's audit stream).
func (e Event) Draft(s record.StreamID, random io.Reader, synthetic bool) (record.Draft, error) {
	id, err := record.NewBits128(random)
	if err != nil {
		return record.Draft{}, err
	}
	at := e.At.In(record.CivilZone)
	body := eventBody{Event: e.Kind, Account: e.Account, By: e.By, Roles: e.Roles, Route: e.Route, Lacking: e.Lacking, Reason: e.Reason,
		At: at.Format(time.RFC3339), Synthetic: synthetic, Subject: e.Subject, Until: e.Until, Document: e.Document,
		Unit: e.Unit, Parent: e.Parent}
	if d := e.Delegation; d != nil {
		body.Delegation, body.From, body.Until, body.Document = d.ID, d.From, d.Until, d.Document
	}
	b, err := json.Marshal(body)
	if err != nil {
		return record.Draft{}, fmt.Errorf("encode account event: %w", err)
	}
	return record.Draft{Stream: s, ID: id, Type: "account.event", Schema: "1", Day: at.Format(time.DateOnly),
		Parts: map[record.PartName][]byte{record.Body: b}}, nil
}
