package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/pilinhub/pilin/record"
)

// NewAccount is what an administrator types in.
type NewAccount struct {
	Name        string
	Unit        string
	Certificate string
	// CertificateUntil is the last civil day of the certificate; empty where no roster says.
	CertificateUntil string
	Roles            []Role
}

var certificateForm = regexp.MustCompile(`^[0-9A-Za-z]{6,20}$`)

// Create adds an account without a password and returns it with the secret of the one-time link through which its owner
// chooses one. by is empty when the node itself does it. Errors: *Refusal with NameInvalid, RoleRefused or UnitUnknown, ErrAccountTaken.
func (p *People) Create(ctx context.Context, by string, n NewAccount) (Account, string, error) {
	if !nameForm.MatchString(n.Name) || len(n.Unit) > 64 || n.Certificate != "" && !certificateForm.MatchString(n.Certificate) {
		return Account{}, "", refuse(NameInvalid)
	}
	if err := CheckRoles(n.Roles); err != nil {
		return Account{}, "", refuse(RoleRefused)
	}
	n.Certificate = strings.ToUpper(n.Certificate) // as the roster and identifier.ParseCertificate write it
	var err error
	if n.Unit, err = p.unitOf(ctx, n.Unit); err != nil {
		return Account{}, "", err
	}
	id, err := record.NewBits128(p.Random)
	if err != nil {
		return Account{}, "", err
	}
	now := p.Now()
	a := Account{ID: id.String(), Name: n.Name, Unit: n.Unit, Certificate: n.Certificate, CertificateUntil: n.CertificateUntil, Roles: n.Roles, Created: now.Unix()}
	if _, err := p.Accounts.AccountByName(ctx, n.Name); err == nil {
		return Account{}, "", ErrAccountTaken
	} else if !isNoAccount(err) {
		return Account{}, "", fmt.Errorf("read account: %w", err)
	}
	if err := p.Audit(ctx, Event{Kind: EventCreated, Account: a.ID, By: by, Roles: a.Roles, At: now}); err != nil {
		return Account{}, "", fmt.Errorf("audit new account: %w", err)
	}
	if err := p.Accounts.CreateAccount(ctx, a); err != nil {
		return Account{}, "", fmt.Errorf("create account: %w", err)
	}
	link, err := p.link(ctx, a.ID, now)
	return a, link, err
}

func isNoAccount(err error) bool { return errors.Is(err, ErrNoAccount) }

// FirstAdministrator creates the node's administrator at init and returns the secret of the one-time link, once: a node
// that has any account makes no second one this way (ErrAccountTaken).
func (p *People) FirstAdministrator(ctx context.Context) (string, error) {
	all, err := p.Accounts.ListAccounts(ctx)
	if err != nil {
		return "", fmt.Errorf("list accounts: %w", err)
	}
	if len(all) > 0 {
		return "", ErrAccountTaken
	}
	_, link, err := p.Create(ctx, "", NewAccount{Name: "admin", Roles: []Role{SysAdmin}})
	return link, err
}

// NewLink gives an account a new one-time link, for a forgotten password; an older link stops working. The password stays
// until the link is used.
func (p *People) NewLink(ctx context.Context, by, account string) (string, error) {
	if _, err := p.Accounts.Account(ctx, account); err != nil {
		return "", err
	}
	now := p.Now()
	if err := p.Audit(ctx, Event{Kind: EventCredential, Account: account, By: by, At: now}); err != nil {
		return "", fmt.Errorf("audit new link: %w", err)
	}
	return p.link(ctx, account, now)
}

func (p *People) link(ctx context.Context, account string, now time.Time) (string, error) {
	text, hash, err := p.secret()
	if err != nil {
		return "", err
	}
	if err := p.Accounts.PutLink(ctx, hash, account, now.Add(LinkLifetime).Unix()); err != nil {
		return "", fmt.Errorf("keep one-time link: %w", err)
	}
	return text, nil
}

// UseLink sets the password of the account that the link is for. Errors: *Refusal with PasswordWeak or LinkInvalid,
// *LockedError after too many wrong links from one address.
func (p *People) UseLink(ctx context.Context, secret, password string, address netip.Addr) error {
	if !strong(password, "pilin") {
		return refuse(PasswordWeak)
	}
	key := attemptKey("\x00link", address)
	until, err := p.Accounts.BeginAttempt(ctx, key, p.Now().Unix(), lockLimit, int64(lockFor/time.Second))
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if until > 0 {
		return &LockedError{Until: time.Unix(until, 0)}
	}
	hash, err := p.Passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	now := p.Now()
	account, err := p.Accounts.UseLink(ctx, sha256.Sum256([]byte(secret)), now.Unix(), hash)
	if errors.Is(err, ErrNoLink) {
		return refuse(LinkInvalid)
	}
	if err != nil {
		return fmt.Errorf("use one-time link: %w", err)
	}
	p.seen.forget(account)
	if err := p.Audit(ctx, Event{Kind: EventCredential, Account: account, By: account, At: now}); err != nil {
		return fmt.Errorf("audit new password: %w", err)
	}
	if err := p.Accounts.ClearAttempts(ctx, key); err != nil {
		return fmt.Errorf("clear attempts: %w", err)
	}
	return nil
}

// Disable refuses an account from now on: at this process at once, at another one of this node within StandingFor.
// Enabling it again does not bring its sessions back.
func (p *People) Disable(ctx context.Context, by, account string, disabled bool) error {
	if _, err := p.Accounts.Account(ctx, account); err != nil {
		return err
	}
	e := Event{Kind: EventDisabled, Account: account, By: by, At: p.Now()}
	if !disabled {
		e.Kind = EventEnabled
	}
	if err := p.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit account: %w", err)
	}
	if err := p.Accounts.SetDisabled(ctx, account, disabled); err != nil {
		return fmt.Errorf("disable account: %w", err)
	}
	p.seen.forget(account)
	return nil
}

// SetRoles replaces an account's roles. Error: *Refusal with RoleRefused.
func (p *People) SetRoles(ctx context.Context, by, account string, roles []Role) error {
	if err := CheckRoles(roles); err != nil {
		return refuse(RoleRefused)
	}
	if _, err := p.Accounts.Account(ctx, account); err != nil {
		return err
	}
	if err := p.Audit(ctx, Event{Kind: EventRoles, Account: account, By: by, Roles: roles, At: p.Now()}); err != nil {
		return fmt.Errorf("audit roles: %w", err)
	}
	if err := p.Accounts.SetRoles(ctx, account, roles); err != nil {
		return fmt.Errorf("set roles: %w", err)
	}
	p.seen.forget(account)
	return nil
}
