package auth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// Expired reports whether the account's certificate is no longer valid on a civil day. One of which no roster has said an
// end does not expire here.
func (a *Account) Expired(today string) bool {
	return a.CertificateUntil != "" && a.CertificateUntil < today
}

// CertificateOver reports whether a certificate is known to this bureau and has expired, whoever holds it. A disabled account
// speaks only where no other has the number: what its last roster said, or none, is of before.
func (p *People) CertificateOver(ctx context.Context, number string) (bool, error) {
	all, err := p.Accounts.ListAccounts(ctx)
	if err != nil {
		return false, fmt.Errorf("list accounts: %w", err)
	}
	over, today := false, record.CivilDay(p.Now())
	i := holder(all, number)
	for j := range all {
		if a := &all[j]; strings.EqualFold(a.Certificate, number) && a.Disabled == all[i].Disabled {
			if !a.Expired(today) {
				return false, nil
			}
			over = true
		}
	}
	return over, nil
}

// Certified is one person of the certificate roster (domain.md §1.1).
type Certified struct {
	Certificate string
	Until       string // last civil day
	Account     string // sign-in name; empty: the account that has the certificate, or else one made of it
	Unit        string // empty: as it is
}

// Enrolment is what a certificate roster does to one person.
type Enrolment struct {
	Account string // sign-in name
	Done    Enrolled
	Fault   string // why nothing is done: account_disabled, officer_roles, officer_twice, unit_unknown; empty for none
	Link    string // secret of the one-time link of a new account
}

// Enrolled is what is done.
type Enrolled string

// What a roster does.
const (
	EnrolledNew       Enrolled = "created"
	EnrolledChanged   Enrolled = "updated"
	EnrolledUnchanged Enrolled = "unchanged"
	EnrolledPassed    Enrolled = "passed" // no account: the certificate has expired, or there is a fault
)

// Enrol lets accounts follow the bureau's certificate roster: who has none gets one as an officer with a one-time link, the
// certificate's last day is that of the roster, and a unit where it names one. Whoever the roster does not name stays as he
// is and is returned in absent, by sign-in name: the last day that an earlier one told goes on to hold. The same roster a
// second time changes nothing. dry does nothing and tells what would be done. document is the SHA-256 of the roster's file.
func (p *People) Enrol(ctx context.Context, by string, roster []Certified, document string, dry bool) (done []Enrolment, absent []string, err error) {
	p.changing.Lock()
	defer p.changing.Unlock()
	all, err := p.Accounts.ListAccounts(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list accounts: %w", err)
	}
	named, followed := map[string]bool{}, map[string]bool{}
	for _, o := range roster {
		e, i, err := p.officerOf(ctx, all, &o)
		if err == nil && e.Fault == "" && followed[e.Account] {
			e.Fault = "officer_twice" // the later line would undo the earlier one
		}
		if err == nil && e.Fault == "" {
			followed[e.Account] = true
			e, err = p.enrol(ctx, by, all, i, e, o, document, dry)
		}
		if err != nil {
			return done, nil, err
		}
		named[e.Account] = true
		done = append(done, e)
	}
	for i := range all {
		if a := &all[i]; a.Certificate != "" && !a.Disabled && !named[a.Name] {
			absent = append(absent, a.Name)
		}
	}
	return done, absent, nil
}

// holder returns the account that has a certificate: one that is in use before a disabled one, which may be the same person's
// of before; -1 if there is none. Letter case tells no certificates apart: who typed the account in may have used either.
func holder(all []Account, certificate string) int {
	at := -1
	for i := range all {
		if strings.EqualFold(all[i].Certificate, certificate) && (at < 0 || all[at].Disabled && !all[i].Disabled) {
			at = i
		}
	}
	return at
}

// officerOf finds the account of a line of the roster: its index in all, -1 for none yet. It writes the code of the unit into
// the line.
func (p *People) officerOf(ctx context.Context, all []Account, o *Certified) (Enrolment, int, error) {
	held := holder(all, o.Certificate)
	byName := func(name string) int { return slices.IndexFunc(all, func(a Account) bool { return a.Name == name }) }
	e, i := Enrolment{Account: o.Account, Done: EnrolledPassed}, held
	switch {
	case e.Account != "":
		if i = byName(e.Account); held >= 0 && held != i && !all[held].Disabled {
			e.Fault = "officer_roles"
		}
	case i >= 0:
		e.Account = all[i].Name
	default:
		e.Account = "o." + strings.ToLower(o.Certificate)
		if i = byName(e.Account); i >= 0 && all[i].Certificate != "" { // of somebody else: nobody said that it is his
			e.Fault = "officer_roles"
		}
	}
	unit, err := p.unitOf(ctx, o.Unit)
	if CodeOf(err) == UnitUnknown {
		e.Fault, err = string(UnitUnknown), nil
	}
	o.Unit = unit
	return e, i, err
}

// enrol lets the account at i follow its line; -1 makes one.
func (p *People) enrol(ctx context.Context, by string, all []Account, i int, e Enrolment, o Certified, document string, dry bool) (Enrolment, error) {
	today := record.CivilDay(p.Now())
	switch {
	case i < 0 && o.Until < today:
		return e, nil
	case i < 0:
		return p.newOfficer(ctx, by, e, o, document, dry)
	}
	a := all[i]
	unit := cmp.Or(o.Unit, a.Unit)
	switch {
	case a.Certificate == o.Certificate && a.CertificateUntil == o.Until && a.Unit == unit:
		e.Done = EnrolledUnchanged
		return e, nil
	case a.Disabled:
		e.Fault = "account_disabled"
		return e, nil
	case !together(append(without(a.Roles, Officer), Officer)):
		e.Fault = "officer_roles"
		return e, nil
	}
	if e.Done = EnrolledChanged; dry {
		return e, nil
	}
	if err := p.Audit(ctx, Event{Kind: EventCertificate, Account: a.ID, By: by, Until: o.Until, Document: document, At: p.Now()}); err != nil {
		return e, fmt.Errorf("audit certificate: %w", err)
	}
	if err := p.Accounts.SetCertificate(ctx, a.ID, o.Certificate, o.Until, unit); err != nil {
		return e, fmt.Errorf("set certificate: %w", err)
	}
	p.seen.forget(a.ID)
	return e, nil
}

func (p *People) newOfficer(ctx context.Context, by string, e Enrolment, o Certified, document string, dry bool) (Enrolment, error) {
	if e.Done = EnrolledNew; dry {
		return e, nil
	}
	a, link, err := p.Create(ctx, by, NewAccount{Name: e.Account, Unit: o.Unit, Certificate: o.Certificate, CertificateUntil: o.Until, Roles: []Role{Officer}})
	if err != nil {
		return e, err
	}
	if err := p.Audit(ctx, Event{Kind: EventCertificate, Account: a.ID, By: by, Until: o.Until, Document: document, At: p.Now()}); err != nil {
		return e, fmt.Errorf("audit certificate: %w", err)
	}
	e.Link = link
	return e, nil
}

// together reports whether one person may hold the roles.
func together(roles []Role) bool { return CheckRoles(roles) == nil }

func without(roles []Role, r Role) []Role {
	return slices.DeleteFunc(slices.Clone(roles), func(x Role) bool { return x == r })
}
