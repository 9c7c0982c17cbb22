package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxAnswer bounds what a Desk reads of one answer.
const maxAnswer = 16 << 20

// Desk is one person's session at his bureau's node, over the people's listener. It renews its access token by itself. It
// is safe for use by several goroutines. Make it with NewDesk.
type Desk struct {
	base string
	http *http.Client

	mu      sync.Mutex
	session Session
}

// Session is what a Desk holds while signed in. Whoever stores it stores a secret: the refresh token is good for hours.
type Session struct {
	Account        string    `json:"account"` // opaque id
	Roles          []string  `json:"roles"`
	Access         string    `json:"access"`
	AccessExpires  time.Time `json:"access_expires"`
	Refresh        string    `json:"refresh"`
	RefreshExpires time.Time `json:"refresh_expires"`
}

// NewDesk returns a Desk for a node's people's listener, e.g. http://127.0.0.1:8080. h is the HTTP client to use; nil is
// one with a time limit of 15 seconds.
func NewDesk(base string, h *http.Client) *Desk {
	if h == nil {
		h = &http.Client{Timeout: 15 * time.Second}
	}
	return &Desk{base: strings.TrimSuffix(base, "/"), http: h}
}

// SignIn signs in with a name and password. A *Problem says why not: sign_in_failed, locked, account_disabled.
func (d *Desk) SignIn(ctx context.Context, name, password string) error {
	var s Session
	if err := d.send(ctx, "", http.MethodPost, "/api/v1/sign-in", "", map[string]string{"name": name, "password": password}, &s); err != nil {
		return err
	}
	d.Resume(s)
	return nil
}

// Session returns what is held, to be resumed later.
func (d *Desk) Session() Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session
}

// Resume takes up a session that was held before.
func (d *Desk) Resume(s Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = s
}

// SignOut ends the session at the node and here.
func (d *Desk) SignOut(ctx context.Context) error {
	err := d.call(ctx, http.MethodPost, "/api/v1/sign-out", "", struct{}{}, nil)
	d.Resume(Session{})
	return err
}

// UseLink chooses a password with the secret of a one-time link. No session is needed.
func (d *Desk) UseLink(ctx context.Context, link, password string) error {
	return d.send(ctx, "", http.MethodPost, "/api/v1/password", "", map[string]string{"link": link, "password": password}, nil)
}

// ErrSignedOut: no session is held.
var ErrSignedOut = errors.New("not signed in")

// renewBefore is how long before its end an access token is renewed.
const renewBefore = 30 * time.Second

// token returns a good access token. Renewals are one after the other: a refresh token is good once.
func (d *Desk) token(ctx context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.session.Access == "":
		return "", ErrSignedOut
	case time.Until(d.session.AccessExpires) > renewBefore, d.session.Refresh == "":
		return d.session.Access, nil
	}
	return d.renew(ctx)
}

// renew fetches a new access token; mu is held.
func (d *Desk) renew(ctx context.Context) (string, error) {
	var s Session
	if err := d.send(ctx, "", http.MethodPost, "/api/v1/refresh", "", map[string]string{"refresh": d.session.Refresh}, &s); err != nil {
		return "", err
	}
	d.session = s
	return s.Access, nil
}

// renewed returns another token than one that the node did not know: its key of access tokens lives as long as its
// process, so after a restart every one of them must be renewed. false if there is no other.
func (d *Desk) renewed(ctx context.Context, refused string, err error) (string, bool) {
	var p *Problem
	if !errors.As(err, &p) || p.Code != "token_key" && p.Code != "token_signature" {
		return "", false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session.Access != refused { // another goroutine has been here
		return d.session.Access, d.session.Access != ""
	}
	if d.session.Refresh == "" {
		return "", false
	}
	token, err := d.renew(ctx)
	return token, err == nil
}

// call makes a request of the session.
func (d *Desk) call(ctx context.Context, method, path, key string, body, into any) error {
	token, err := d.token(ctx)
	if err != nil {
		return err
	}
	err = d.send(ctx, token, method, path, key, body, into)
	if again, ok := d.renewed(ctx, token, err); ok { // nothing was done under the refused one
		err = d.send(ctx, again, method, path, key, body, into)
	}
	return err
}

// send makes one request. An answer that is no success is a *Problem.
func (d *Desk) send(ctx context.Context, token, method, path, key string, body, into any) error {
	var b []byte
	var err error
	if body != nil {
		if b, err = encode(body); err != nil {
			return fmt.Errorf("encode request to %s: %w", route(path), err)
		}
	}
	return d.transfer(ctx, token, method, path, "application/json", key, b, into)
}

// encode writes a request's body.
func encode(body any) ([]byte, error) { return json.Marshal(body, json.Deterministic(true)) }

// transfer makes one request whose body is written already.
func (d *Desk) transfer(ctx context.Context, token, method, path, contentType, key string, b []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("request to %s: %w", route(path), err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := d.http.Do(r)
	if err != nil {
		return fmt.Errorf("reach the node: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		p, err := readProblem(res)
		if err != nil {
			return fmt.Errorf("status %d of %s: %w", res.StatusCode, route(path), err)
		}
		return p
	}
	if into == nil {
		return nil
	}
	got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil || len(got) > maxAnswer {
		return fmt.Errorf("read answer of %s: broken off or too large", route(path))
	}
	if err := json.Unmarshal(got, into); err != nil {
		return fmt.Errorf("read answer of %s: not of this API", route(path))
	}
	return nil
}

// route cuts a query off: it does not belong into an error.
func route(path string) string {
	p, _, _ := strings.Cut(path, "?")
	return p
}

// NewKey draws an idempotency key. A caller that may have to repeat a write draws one and passes it both times.
func NewKey() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// write makes a request that writes. Without an answer it is repeated once under the same key: the node does it once.
func (d *Desk) write(ctx context.Context, path, key string, body any) (Written, error) {
	if key == "" {
		key = NewKey()
	}
	var w Written
	err := d.call(ctx, http.MethodPost, path, key, body, &w)
	var unsent *url.Error
	if errors.As(err, &unsent) && ctx.Err() == nil {
		err = d.call(ctx, http.MethodPost, path, key, body, &w)
	}
	return w, err
}

// Written is what a write answers.
type Written struct {
	ID      string `json:"id"`      // draft, published subject or operation
	Version uint64 `json:"version"` // its version now: named in the next step
	Record  string `json:"record"`  // the record that was appended
	State   string `json:"state"`
}

// Family is a kind of subject that a bureau writes: its path in the API.
type Family string

// The families.
const (
	Entries   Family = "entries"   // list entries, of the four types below
	Penalties Family = "penalties" // penalty
	Links     Family = "links"     // identity.link
	Rosters   Family = "rosters"   // duty_roster 值班表
)

// The types of list entries, for Proposal and Filter.
const (
	EntryPerson      = "blacklist.person"
	EntryPremises    = "blacklist.premises"    // 场所
	EntryInstitution = "blacklist.institution" // 机构
	EntryHandle      = "blacklist.handle"      // 电话·车辆·账号: a lead, never a count
)

// Proposal is what an author hands in.
type Proposal struct {
	Type    string         `json:"type,omitempty"` // of an entry: empty = of a person, or of what it replaces
	Payload jsontext.Value `json:"payload"`
	Level   string         `json:"level,omitempty"` // L1, L2, L3; empty = the type's default
}

// Step is what a step of a draft or a published subject says; which members it needs depends on the step.
type Step struct {
	Version      uint64   `json:"version"` // the version that the caller has seen
	ReasonCode   string   `json:"reason_code,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	DocumentHash string   `json:"document_hash,omitempty"`
	LegalBasis   string   `json:"legal_basis,omitempty"`
	Purpose      string   `json:"purpose,omitempty"`
	OccurredAt   string   `json:"occurred_at,omitempty"`
	WorkRef      *WorkRef `json:"work_ref,omitempty"`
}

// WorkRef is 工作编号 (domain.md §2.1.2).
type WorkRef struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

// Draft begins a draft. key is the idempotency key; empty draws one.
func (d *Desk) Draft(ctx context.Context, f Family, key string, p Proposal) (Written, error) {
	return d.write(ctx, "/api/v1/"+string(f), key, p)
}

// Amend replaces a draft by a whole new version.
func (d *Desk) Amend(ctx context.Context, f Family, id, key string, version uint64, p Proposal) (Written, error) {
	return d.write(ctx, "/api/v1/"+string(f)+"/"+id+"/amend", key, struct {
		Version uint64 `json:"version"`
		Proposal
	}{version, p})
}

// Correct proposes the whole new payload of a published subject; another person approves it.
func (d *Desk) Correct(ctx context.Context, f Family, id, key string, version uint64, p Proposal, reasonCode, diffReason string) (Written, error) {
	return d.write(ctx, "/api/v1/"+string(f)+"/"+id+"/correct", key, struct {
		Version    uint64 `json:"version"`
		ReasonCode string `json:"reason_code"`
		DiffReason string `json:"diff_reason"`
		Proposal
	}{version, reasonCode, diffReason, p})
}

// Step takes a step by name: submit, return, approve, publish; of entries also suspend, withdraw, lift, confirm, repair;
// of links also withdraw.
func (d *Desk) Step(ctx context.Context, f Family, id, name, key string, s Step) (Written, error) {
	return d.write(ctx, "/api/v1/"+string(f)+"/"+id+"/"+name, key, s)
}

// PenaltyStatus is one status of a published penalty (schema penalty.status).
type PenaltyStatus struct {
	Step
	Status       string         `json:"status"` // served, remedy_event, suspended, lifted, voided, objection, transferred, photo_compared, confirmed
	ServedAt     string         `json:"served_at,omitempty"`
	ServiceMode  string         `json:"service_mode,omitempty"`
	ServiceProof jsontext.Value `json:"service_proof,omitempty"`
	AnnouncedAt  string         `json:"announced_at,omitempty"`
	RemedyEvent  jsontext.Value `json:"remedy_event,omitempty"`
	RemedyState  string         `json:"remedy_state,omitempty"`
	Outcome      string         `json:"outcome,omitempty"`

	ObjectionAt   string   `json:"objection_at,omitempty"`   // of objection: day on which any member received it
	TransferredAt string   `json:"transferred_at,omitempty"` // of transferred: day on which the police received it
	ComparedAt    string   `json:"compared_at,omitempty"`    // of photo_compared
	Officers      []string `json:"officers,omitempty"`       // of photo_compared: certificate numbers, two at least
	Confirms      string   `json:"confirms,omitempty"`       // of confirmed: the reason that the legal reviewer has decided
}

// PenaltyStatus records what happened to a published penalty since.
func (d *Desk) PenaltyStatus(ctx context.Context, id, key string, s PenaltyStatus) (Written, error) {
	return d.write(ctx, "/api/v1/penalties/"+id+"/status", key, s)
}
