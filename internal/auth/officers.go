package auth

import (
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

// CertificateOver reports whether a certificate is known to this bureau and has expired, whoever holds it.
func (p *People) CertificateOver(ctx context.Context, number string) (bool, error) {
	all, err := p.Accounts.ListAccounts(ctx)
	if err != nil {
		return false, fmt.Errorf("list accounts: %w", err)
	}
	over, today := false, record.CivilDay(p.Now())
	for i := range all {
		if a := &all[i]; strings.EqualFold(a.Certificate, number) {
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
	Fault   string // why nothing is done: account_disabled, officer_roles, unit_unknown; empty for none
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
	all, err := p.Accounts.ListAccounts(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list accounts: %w", err)
	}
	named := map[string]bool{}
	for _, o := range roster {
		e, err := p.enrol(ctx, by, all, o, document, dry)
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

func (p *People) enrol(ctx context.Context, by string, all []Account, o Certified, document string, dry bool) (Enrolment, error) {
	holder := slices.IndexFunc(all, func(a Account) bool { return a.Certificate == o.Certificate })
	i := holder
	name := o.Account
	if name != "" {
		i = slices.IndexFunc(all, func(a Account) bool { return a.Name == name })
	} else if i >= 0 {
		name = all[i].Name
	} else {
		name = "o." + strings.ToLower(o.Certificate)
		i = slices.IndexFunc(all, func(a Account) bool { return a.Name == name })
	}
	e := Enrolment{Account: name, Done: EnrolledPassed}
	unit, err := p.unitOf(ctx, o.Unit)
	if CodeOf(err) == UnitUnknown {
		e.Fault = string(UnitUnknown)
		return e, nil
	} else if err != nil {
		return e, err
	}
	o.Unit = unit
	today := record.CivilDay(p.Now())
	switch {
	case holder >= 0 && holder != i:
		e.Fault = "officer_roles"
		return e, nil
	case i < 0 && o.Until < today:
		return e, nil
	case i < 0:
		return p.newOfficer(ctx, by, e, o, document, dry)
	}
	a := all[i]
	if unit == "" {
		unit = a.Unit
	}
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
