package auth

import (
	"errors"
	"fmt"
	"time"
)

// Code is a stable word for a refusal. The border turns it into a status and a text; none of them says more than a caller
// who fails may know.
type Code string

// Codes of refused tokens.
const (
	TokenMissing   Code = "token_missing"
	TokenMalformed Code = "token_malformed" // size, dots, base64, not JSON
	TokenHeader    Code = "token_header"    // algorithm, type, or a header member that we do not use
	TokenClaims    Code = "token_claims"    // missing, unknown, duplicate or ill-formed claim, lifetime
	TokenKey       Code = "token_key"       // unknown or unfit key
	TokenSignature Code = "token_signature"
	TokenExpired   Code = "token_expired"
	TokenAudience  Code = "token_audience" // for another node, another federation or another use
	TokenBinding   Code = "token_binding"  // another method, URL or body
	TokenPeer      Code = "token_peer"     // not the member at the other end of the connection
	ClockSkew      Code = "clock_skew"
	Replayed       Code = "replayed" // used before, or expired before the floor of pruned ids
)

// Codes of refused people.
const (
	SignInFailed    Code = "sign_in_failed" // name or password; never which
	Locked          Code = "locked"
	AccountDisabled Code = "account_disabled"
	SessionEnded    Code = "session_ended"
	SessionReused   Code = "session_reused"
	LinkInvalid     Code = "link_invalid"
	PasswordWeak    Code = "password_weak"
	NameInvalid     Code = "name_invalid"
	RoleRefused     Code = "role_refused"

	UnitInvalid Code = "unit_invalid" // code, name or kind is ill-formed
	UnitUnknown Code = "unit_unknown" // no open unit of that code or name
	UnitTaken   Code = "unit_taken"
	UnitCycle   Code = "unit_cycle"  // a unit below itself
	UnitInUse   Code = "unit_in_use" // people or open units belong to it

	CertificateExpired Code = "certificate_expired" // of an enforcement certificate

	DelegateUnknown    Code = "delegate_unknown"    // no account of that name that may sign in
	DelegationTerm     Code = "delegation_term"     // no term, one that is over, or longer than a year
	DelegationDocument Code = "delegation_document" // no SHA-256 of the signed paper
	DelegationOverlaps Code = "delegation_overlaps" // somebody else acts on one of the days
)

// Refusal is a refusal with its code and, where one member of a body is to blame, a pointer to it. It carries nothing that
// was sent.
type Refusal struct {
	Code    Code
	Pointer string // RFC 6901
}

// Error returns the code.
func (r *Refusal) Error() string { return "refused: " + string(r.Code) }

func refuse(c Code) error { return &Refusal{Code: c} }

// CodeOf returns the code of a refusal; empty for an error that is none.
func CodeOf(err error) Code {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	var s *SkewError
	if errors.As(err, &s) {
		return ClockSkew
	}
	var l *LockedError
	if errors.As(err, &l) {
		return Locked
	}
	return ""
}

// SkewError: the issuer's clock and ours differ by more than the leeway. Both are told, so that an administrator can see
// which one is wrong; the token was genuine.
type SkewError struct{ Theirs, Ours time.Time }

// Error names both times.
func (e *SkewError) Error() string {
	return fmt.Sprintf("clock skew: issued at %s, now %s", e.Theirs.UTC().Format(time.RFC3339), e.Ours.UTC().Format(time.RFC3339))
}

// LockedError: too many failures for this account from this address.
type LockedError struct{ Until time.Time }

// Error says until when.
func (e *LockedError) Error() string { return "locked until " + e.Until.UTC().Format(time.RFC3339) }

// Errors of accounts.
var (
	// ErrRoleUnknown: no role, an unknown one, or one twice.
	ErrRoleUnknown = errors.New("role unknown or missing")
	// ErrRolesApart: roles that one person may not hold together (三权分立).
	ErrRolesApart = errors.New("roles that must be apart")
)
