package auth

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
)

// Delegation 主持工作委托 lets a person do what the head may do in this node while its term runs (domain.md §1.1: acting head
// only by signed delegation with a term; T30 acting_head).
type Delegation struct {
	ID       string // 32 hex digits, random
	Account  string
	By       string // the head
	From     string // first civil day
	Until    string // last civil day
	Document string // SHA-256 of the signed paper, hex
	Ended    int64  // Unix seconds at which it was ended early; 0 = it runs its term
	Created  int64  // Unix seconds
}

// maxTerm bounds a term: whoever does the head's work for longer than a year is made head.
const maxTerm = 366 * 24 * time.Hour

// Runs reports whether it lets a person act at a moment.
func (d *Delegation) Runs(at time.Time) bool {
	day := record.CivilDay(at)
	return d.From <= day && day <= d.Until && (d.Ended == 0 || at.Unix() < d.Ended)
}

// Overlaps reports whether two delegations could run on one day.
func (d *Delegation) Overlaps(e *Delegation) bool {
	return d.Ended == 0 && e.Ended == 0 && d.From <= e.Until && e.From <= d.Until
}

// headed returns roles with that of the head; false if one person may not hold them together.
func headed(roles []Role) ([]Role, bool) {
	if slices.Contains(roles, Head) {
		return roles, false
	}
	all := append(slices.Clone(roles), Head)
	return all, together(all)
}

// AsHead returns the person as the delegation lets him act; himself if none runs.
func (p Principal) AsHead() Principal {
	if all, ok := headed(p.Roles); ok && p.Acting != "" && !p.AsActing {
		p.Roles, p.AsActing = all, true
	}
	return p
}

// MayAsHead reports whether a person may act by his delegation and not by his own roles. The right to delegate is not
// delegated.
func (p Principal) MayAsHead(a Act) bool { return a != Delegate && !p.May(a) && p.AsHead().May(a) }

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Delegate lets the account of a name act as head from one civil day to another, both included, by a signed paper. Errors:
// *Refusal with DelegateUnknown, DelegationTerm, DelegationDocument, RoleRefused (the person's roles and the head's must be
// apart, or he is the head) or DelegationOverlaps.
func (p *People) Delegate(ctx context.Context, by, name, from, until, document string) (Delegation, error) {
	p.changing.Lock()
	defer p.changing.Unlock()
	now := p.Now()
	first, err := time.ParseInLocation(time.DateOnly, from, record.CivilZone)
	if err != nil {
		return Delegation{}, refuseAt(DelegationTerm, "/until")
	}
	last, err := time.ParseInLocation(time.DateOnly, until, record.CivilZone)
	if err != nil || last.Before(first) || until < record.CivilDay(now) || last.Sub(first) > maxTerm {
		return Delegation{}, refuseAt(DelegationTerm, "/until")
	}
	if !hashForm.MatchString(document) {
		return Delegation{}, refuseAt(DelegationDocument, "/document_hash")
	}
	var a Account
	if nameForm.MatchString(name) {
		if a, err = p.Accounts.AccountByName(ctx, name); err != nil && !isNoAccount(err) {
			return Delegation{}, fmt.Errorf("read account: %w", err)
		}
	}
	if a.ID == "" || a.Disabled {
		return Delegation{}, refuseAt(DelegateUnknown, "/name")
	}
	if _, ok := headed(a.Roles); !ok {
		return Delegation{}, refuse(RoleRefused)
	}
	id, err := record.NewBits128(p.Random)
	if err != nil {
		return Delegation{}, err
	}
	d := Delegation{ID: id.String(), Account: a.ID, By: by, From: from, Until: until, Document: document, Created: now.Unix()}
	others, err := p.Accounts.Delegations(ctx)
	if err != nil {
		return Delegation{}, fmt.Errorf("read delegations: %w", err)
	}
	if slices.ContainsFunc(others, func(o Delegation) bool { return o.Overlaps(&d) }) {
		return Delegation{}, refuseAt(DelegationOverlaps, "/from")
	}
	if err := p.Audit(ctx, Event{Kind: EventDelegated, Account: a.ID, By: by, Delegation: &d, At: now}); err != nil {
		return Delegation{}, fmt.Errorf("audit delegation: %w", err)
	}
	if err := p.Accounts.PutDelegation(ctx, d); err != nil {
		return Delegation{}, fmt.Errorf("keep delegation: %w", err)
	}
	p.seen.forget(a.ID)
	return d, nil
}

// EndDelegation ends a delegation before its last day, at once; ErrNoDelegation if there is none, or it has ended.
func (p *People) EndDelegation(ctx context.Context, by, id string) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	all, err := p.Accounts.Delegations(ctx)
	if err != nil {
		return fmt.Errorf("read delegations: %w", err)
	}
	now := p.Now()
	i := slices.IndexFunc(all, func(d Delegation) bool { return d.ID == id && d.Ended == 0 && d.Until >= record.CivilDay(now) })
	if i < 0 {
		return ErrNoDelegation
	}
	d := all[i]
	if err := p.Audit(ctx, Event{Kind: EventUndelegated, Account: d.Account, By: by, Delegation: &d, At: now}); err != nil {
		return fmt.Errorf("audit end of delegation: %w", err)
	}
	if err := p.Accounts.EndDelegation(ctx, id, now.Unix()); err != nil {
		return fmt.Errorf("end delegation: %w", err)
	}
	p.seen.forget(d.Account)
	return nil
}

// Acted makes it durable that a person does something as acting head: route is the operation's id, subject what it is about
// (empty, or an id of 32 hex digits). It is written before the deed.
func (p *People) Acted(ctx context.Context, who Principal, route, subject string) error {
	e := Event{Kind: EventActed, Account: who.Account, Delegation: &Delegation{ID: who.Acting}, Route: route, Subject: subject, At: p.Now()}
	if err := p.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit act of the acting head: %w", err)
	}
	return nil
}
