package auth

import (
	"context"
	"errors"

	"github.com/pilinhub/pilin/record"
)

// Errors that the stores report; callers test them with errors.Is. Any other error means that the store could not be
// asked, and then nobody is let in.
var (
	// ErrNoAccount: no account of that name or id.
	ErrNoAccount = errors.New("no such account")
	// ErrAccountTaken: an account of that name exists, disabled ones included: a name is never given to another person.
	ErrAccountTaken = errors.New("account name taken")
	// ErrNoSession: the refresh token is unknown, expired, or its family has ended.
	ErrNoSession = errors.New("no such session")
	// ErrReused: a refresh token that was rotated away came again: somebody else has it. The family has ended.
	ErrReused = errors.New("refresh token used twice")
	// ErrNoDelegation: no delegation of that id runs or will run.
	ErrNoDelegation = errors.New("no such delegation")
	// ErrNoLink: the one-time link is unknown, used or expired.
	ErrNoLink = errors.New("no such one-time link")
)

// Account is one person of this bureau who may sign in. No name of a person is kept here: whoever needs it looks up the
// certificate number in the bureau's own roster.
type Account struct {
	ID          string // 32 hex digits, random; what records and other members are told
	Name        string // sign-in name, ^[a-z][a-z0-9._-]{1,39}$, unique for ever
	Unit        string // code of a Unit; empty: the bureau itself
	Certificate string // 执法证号; empty for those who hold none
	// CertificateUntil is the last civil day of the certificate, by the certificate roster; empty: no roster has said.
	CertificateUntil string
	Roles            []Role
	Password         string // argon2id hash; empty until the person has chosen one through a one-time link
	Disabled         bool
	Created          int64 // Unix seconds
}

// Accounts keeps accounts, one-time links and failed attempts. All methods may be called at once; each is one transaction.
type Accounts interface {
	// CreateAccount adds an account; ErrAccountTaken.
	CreateAccount(ctx context.Context, a Account) error
	// Account returns an account by id; ErrNoAccount.
	Account(ctx context.Context, id string) (Account, error)
	// AccountByName returns an account by sign-in name; ErrNoAccount.
	AccountByName(ctx context.Context, name string) (Account, error)
	// ListAccounts returns all accounts, sorted by name.
	ListAccounts(ctx context.Context) ([]Account, error)
	// SetDisabled disables or enables; when disabling, every session of the account ends in the same transaction.
	SetDisabled(ctx context.Context, id string, disabled bool) error
	// SetRoles replaces the roles.
	SetRoles(ctx context.Context, id string, roles []Role) error
	// SetCertificate replaces certificate, its last day, and unit.
	SetCertificate(ctx context.Context, id, certificate, until, unit string) error
	// PutDelegation keeps a delegation of the head's work.
	PutDelegation(ctx context.Context, d Delegation) error
	// EndDelegation writes when a delegation was ended early (Unix seconds); ending it twice keeps the first.
	EndDelegation(ctx context.Context, id string, at int64) error
	// Delegations returns all, newest first.
	Delegations(ctx context.Context) ([]Delegation, error)
	// Units returns all units, open and closed, by code.
	Units(ctx context.Context) (Tree, error)
	// PutUnit adds a unit, or replaces name, kind and parent of one.
	PutUnit(ctx context.Context, u Unit) error
	// CloseUnit closes a unit at a moment (Unix seconds) after moving its accounts and open sub-units to another one, where
	// into is not nil; ErrUnitInUse if some are left. All or nothing.
	CloseUnit(ctx context.Context, code string, at int64, into *string) error
	// SetUnit replaces an account's unit.
	SetUnit(ctx context.Context, account, unit string) error
	// PutLink keeps the SHA-256 of a one-time link's secret for an account until expires (Unix seconds). An older link of
	// the account stops working.
	PutLink(ctx context.Context, secret [32]byte, account string, expires int64) error
	// UseLink sets the password hash of the link's account, ends its sessions and deletes the link, in one transaction.
	// ErrNoLink if it is unknown, used, or expires <= now.
	UseLink(ctx context.Context, secret [32]byte, now int64, password string) (account string, err error)
	// BeginAttempt counts an attempt to sign in as failed before the password is looked at, so that attempts made at once
	// cannot pass the limit together. key hides account name and address. If the key is locked at now it returns until
	// when and counts nothing; else 0. The attempt that reaches limit locks the key until now+lock, and is itself still
	// let through. A count whose last attempt is lock seconds old starts anew.
	BeginAttempt(ctx context.Context, key [32]byte, now int64, limit int, lock int64) (lockedUntil int64, err error)
	// ClearAttempts forgets the count after a success.
	ClearAttempts(ctx context.Context, key [32]byte) error
}

// Session is one sign-in: a family of refresh tokens of which only the newest is good.
type Session struct {
	Family  string // 32 hex digits, random
	Account string
	Token   [32]byte // SHA-256 of the current refresh token
	Expires int64    // Unix seconds at which the current refresh token ends
	Ends    int64    // Unix seconds after which the family cannot be extended any more
}

// Standing is what decides about an access token that is good in itself.
type Standing struct {
	Account Account
	Live    bool // the session has not ended

	Delegations []Delegation // of the head's work to this account, that were not ended early
}

// Sessions keeps refresh tokens. All methods may be called at once; each is one transaction.
type Sessions interface {
	// StartSession adds a family.
	StartSession(ctx context.Context, s Session) error
	// RotateSession replaces a family's current token by next with a new expiry (at most Ends) and returns the session.
	// If old was rotated away before, the family ends and ErrReused is returned with the session, so that the audit record
	// can name the account; if it is unknown, expired (Expires <=
	// now) or of an ended family, ErrNoSession. Hashes rotated away are kept until the family's Ends.
	RotateSession(ctx context.Context, old, next [32]byte, now, expires int64) (Session, error)
	// EndSession ends a family; ending it twice is no error.
	EndSession(ctx context.Context, family string) error
	// Standing returns the account and whether the family lives; ErrNoAccount, ErrNoSession.
	Standing(ctx context.Context, account, family string) (Standing, error)
	// PruneSessions deletes families whose Ends is before.
	PruneSessions(ctx context.Context, before int64) error
}

// UsedIDs remembers ids that may be used once. The same ids can be used up by record.Append.Uses inside the transaction
// of an audit record; both ways know of each other.
type UsedIDs interface {
	// Use takes u, or returns record.ErrReplayed if it was taken before or u.Expires is at or below the floor.
	Use(ctx context.Context, u record.Use) error
	// Floor returns the stored floor in Unix seconds: ids that expire at or before it may have been pruned, so they are
	// refused whatever the clock says.
	Floor(ctx context.Context) (int64, error)
}
