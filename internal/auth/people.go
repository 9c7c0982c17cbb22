package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/pilinhub/pilin/record"
)

// How long things of people live.
const (
	AccessLifetime  = 10 * time.Minute
	RefreshLifetime = 12 * time.Hour     // a working day without a second sign-in
	SessionLifetime = 7 * 24 * time.Hour // after which the password is asked for again
	LinkLifetime    = 72 * time.Hour     // of a one-time link
	StandingFor     = 5 * time.Second    // how long a look at the account may be old
	lockLimit       = 5
	lockFor         = 15 * time.Minute
)

// People signs this bureau's people in and says who a token is. All fields are set before use.
type People struct {
	Federation record.FederationID
	Self       record.MemberID
	Key        ed25519.PrivateKey // signs access tokens of people and nothing else; may be drawn anew at each start
	Accounts   Accounts
	Sessions   Sessions
	Passwords  *Passwords
	// Audit makes an event durable; when it cannot, what it would have told does not happen.
	Audit  func(context.Context, Event) error
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader in a node

	seen standings
	// changing lets units, delegations and the roster be changed by one request of this process at a time: each looks at the
	// whole before it writes.
	changing sync.Mutex
}

// Principal is a person whose token was good a moment ago.
type Principal struct {
	Account     string
	Unit        string
	Certificate string
	Roles       []Role // in force now
	Held        []Role // of the account
	Family      string // the session
	Acting      string // delegation of the head's work that runs now; empty for none
	AsActing    bool   // Roles are with those that it gives
	Expired     bool   // the certificate has expired: Roles are without the officer's, Certificate is empty
}

// May reports whether the person's roles allow an act.
func (p Principal) May(a Act) bool { return May(p.Roles, a) }

// Tokens are what a sign-in gives.
type Tokens struct {
	Access         string
	AccessExpires  time.Time
	Refresh        string // good once
	RefreshExpires time.Time
	Account        string
	Roles          []Role
}

// personClaims are the claims of a person's access token: exactly these, all of them.
type personClaims struct {
	Iss string `json:"iss"`
	Aud string `json:"aud"`
	Sub string `json:"sub"`
	Sid string `json:"sid"`
	Iat int64  `json:"iat"`
	Exp int64  `json:"exp"`
	Jti string `json:"jti"`
}

func (c personClaims) GetExpirationTime() (*jwt.NumericDate, error) { return numeric(c.Exp), nil }
func (c personClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return numeric(c.Iat), nil }
func (c personClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c personClaims) GetIssuer() (string, error)                   { return c.Iss, nil }
func (c personClaims) GetSubject() (string, error)                  { return c.Sub, nil }
func (c personClaims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Aud}, nil }

func (p *People) issuer() string   { return principal(p.Federation, p.Self) }
func (p *People) audience() string { return p.issuer() + "/people" }

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,39}$`)

// SignIn checks a name and password. address is where the request came from. Errors: *Refusal with SignInFailed or
// AccountDisabled, *LockedError, or a store's; nobody is let in when a store or the audit log cannot be written.
func (p *People) SignIn(ctx context.Context, name, password string, address netip.Addr) (Tokens, error) {
	now := p.Now()
	key := attemptKey(name, address)
	until, err := p.Accounts.BeginAttempt(ctx, key, now.Unix(), lockLimit, int64(lockFor/time.Second))
	if err != nil {
		return Tokens{}, fmt.Errorf("count attempt: %w", err)
	}
	if until > 0 {
		return Tokens{}, &LockedError{Until: time.Unix(until, 0)}
	}
	var a Account
	if nameForm.MatchString(name) {
		a, err = p.Accounts.AccountByName(ctx, name)
		if err != nil && !errors.Is(err, ErrNoAccount) {
			return Tokens{}, fmt.Errorf("read account: %w", err)
		}
	}
	ok, err := p.Passwords.match(ctx, password, a.Password)
	if err != nil {
		return Tokens{}, err
	}
	if !ok {
		if err := p.Audit(ctx, Event{Kind: EventFailed, Account: a.ID, At: now}); err != nil {
			return Tokens{}, fmt.Errorf("audit failed sign-in: %w", err)
		}
		return Tokens{}, refuse(SignInFailed)
	}
	if a.Disabled { // told only to who knows the password
		if err := p.Audit(ctx, Event{Kind: EventFailed, Account: a.ID, Reason: AccountDisabled, At: now}); err != nil {
			return Tokens{}, fmt.Errorf("audit failed sign-in: %w", err)
		}
		return Tokens{}, refuse(AccountDisabled)
	}
	if err := p.Accounts.ClearAttempts(ctx, key); err != nil {
		return Tokens{}, fmt.Errorf("clear attempts: %w", err)
	}
	return p.start(ctx, a, now)
}

// attemptKey hides name and address: what is typed as a name is at times a password or somebody's number. An IPv6 client
// owns a whole /64.
func attemptKey(name string, address netip.Addr) [32]byte {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if pre, err := address.Prefix(64); err == nil {
			address = pre.Addr()
		}
	}
	return sha256.Sum256([]byte("pilin attempt 1\x00" + name + "\x00" + address.String()))
}

func (p *People) start(ctx context.Context, a Account, now time.Time) (Tokens, error) {
	family, err := record.NewBits128(p.Random)
	if err != nil {
		return Tokens{}, err
	}
	refresh, hash, err := p.secret()
	if err != nil {
		return Tokens{}, err
	}
	s := Session{Family: family.String(), Account: a.ID, Token: hash, Expires: now.Add(RefreshLifetime).Unix(), Ends: now.Add(SessionLifetime).Unix()}
	if err := p.Audit(ctx, Event{Kind: EventSignedIn, Account: a.ID, At: now}); err != nil {
		return Tokens{}, fmt.Errorf("audit sign-in: %w", err)
	}
	if err := p.Sessions.StartSession(ctx, s); err != nil {
		return Tokens{}, fmt.Errorf("start session: %w", err)
	}
	return p.tokens(a, s, refresh, now)
}

// secret draws 256 bits and returns them as text with their hash: only the hash is stored. A text with a hyphen in front
// is drawn again: a command line would take it for an option.
func (p *People) secret() (string, [32]byte, error) {
	b := make([]byte, 32)
	for {
		if _, err := io.ReadFull(p.Random, b); err != nil {
			return "", [32]byte{}, fmt.Errorf("draw secret: %w", err)
		}
		if text := base64.RawURLEncoding.EncodeToString(b); text[0] != '-' {
			return text, sha256.Sum256([]byte(text)), nil
		}
	}
}

func (p *People) tokens(a Account, s Session, refresh string, now time.Time) (Tokens, error) {
	jti, err := record.NewBits128(p.Random)
	if err != nil {
		return Tokens{}, err
	}
	exp := now.Add(AccessLifetime)
	access, err := sign(personClaims{Iss: p.issuer(), Aud: p.audience(), Sub: a.ID, Sid: s.Family, Iat: now.Unix(),
		Exp: exp.Unix(), Jti: jti.String()}, p.Key)
	if err != nil {
		return Tokens{}, fmt.Errorf("sign access token: %w", err)
	}
	return Tokens{Access: access, AccessExpires: exp, Refresh: refresh, RefreshExpires: time.Unix(s.Expires, 0), Account: a.ID, Roles: a.Roles}, nil
}

// Refresh trades a refresh token for new tokens. One that was traded before ends the whole family: SessionReused.
func (p *People) Refresh(ctx context.Context, refresh string) (Tokens, error) {
	now := p.Now()
	next, hash, err := p.secret()
	if err != nil {
		return Tokens{}, err
	}
	s, err := p.Sessions.RotateSession(ctx, sha256.Sum256([]byte(refresh)), hash, now.Unix(), now.Add(RefreshLifetime).Unix())
	switch {
	case errors.Is(err, ErrReused):
		p.seen.forget(s.Account)
		if s.Account != "" {
			if err := p.Audit(ctx, Event{Kind: EventRevoked, Account: s.Account, Reason: SessionReused, At: now}); err != nil {
				return Tokens{}, fmt.Errorf("audit reuse: %w", err)
			}
		}
		return Tokens{}, refuse(SessionReused)
	case errors.Is(err, ErrNoSession):
		return Tokens{}, refuse(SessionEnded)
	case err != nil:
		return Tokens{}, fmt.Errorf("rotate session: %w", err)
	}
	st, err := p.Sessions.Standing(ctx, s.Account, s.Family)
	if err != nil {
		return Tokens{}, fmt.Errorf("read account: %w", err)
	}
	if st.Account.Disabled || !st.Live {
		return Tokens{}, refuse(AccountDisabled)
	}
	return p.tokens(st.Account, s, next, now)
}

// SignOut ends the session of a person.
func (p *People) SignOut(ctx context.Context, who Principal) error {
	if err := p.Sessions.EndSession(ctx, who.Family); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	p.seen.forget(who.Account)
	if err := p.Audit(ctx, Event{Kind: EventSignedOut, Account: who.Account, At: p.Now()}); err != nil {
		return fmt.Errorf("audit sign-out: %w", err)
	}
	return nil
}

// Refused makes it durable that a person asked for what his roles do not allow: route is the operation's id, act what it
// needs (empty where more than the role decides). The caller refuses before or after, but in any case.
func (p *People) Refused(ctx context.Context, who Principal, route string, act Act) error {
	e := Event{Kind: EventRefused, Account: who.Account, Roles: who.Held, Route: route, Lacking: Allowing(act), At: p.Now()}
	if who.Expired {
		e.Reason = CertificateExpired
	}
	if err := p.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit refusal: %w", err)
	}
	return nil
}

// Verify says who an access token is. The account and the session are looked up in SQL, at most StandingFor ago: a
// disabled account, a lost role or an ended session counts within that time. A store that cannot be asked lets nobody in.
func (p *People) Verify(ctx context.Context, access string) (Principal, error) {
	var c, again personClaims
	h, err := preparse(access, &c)
	if err != nil {
		return Principal{}, err
	}
	pub := p.Key.Public().(ed25519.PublicKey)
	if h.Kid != keyID(pub) {
		return Principal{}, refuse(TokenKey)
	}
	if err := verifySignature(access, &again, pub); err != nil {
		return Principal{}, err
	}
	if again != c {
		return Principal{}, refuse(TokenClaims)
	}
	now := p.Now()
	switch life := c.Exp - c.Iat; {
	case c.Sub == "", c.Sid == "", !jtiForm.MatchString(c.Jti), c.Iat <= 0, c.Exp <= c.Iat, life > int64(AccessLifetime/time.Second):
		return Principal{}, refuse(TokenClaims)
	case c.Iss != p.issuer(), c.Aud != p.audience():
		return Principal{}, refuse(TokenAudience)
	case now.Unix() >= c.Exp: // no leeway: this node set both ends
		return Principal{}, refuse(TokenExpired)
	}
	if err := skewedAhead(c.Iat, now); err != nil {
		return Principal{}, err
	}
	return p.standing(ctx, c, now)
}

// skewedAhead refuses a token from the future. One from the past is bounded by its expiry.
func skewedAhead(iat int64, now time.Time) error {
	if theirs := time.Unix(iat, 0); theirs.Sub(now) > Leeway {
		return &SkewError{Theirs: theirs, Ours: now}
	}
	return nil
}

func (p *People) standing(ctx context.Context, c personClaims, now time.Time) (Principal, error) {
	st, ok := p.seen.get(c.Sub, c.Sid, now)
	if !ok {
		var err error
		st, err = p.Sessions.Standing(ctx, c.Sub, c.Sid)
		if errors.Is(err, ErrNoAccount) || errors.Is(err, ErrNoSession) {
			return Principal{}, refuse(SessionEnded)
		}
		if err != nil {
			return Principal{}, fmt.Errorf("read account: %w", err)
		}
		p.seen.put(c.Sub, c.Sid, st, now)
	}
	switch {
	case st.Account.Disabled:
		return Principal{}, refuse(AccountDisabled)
	case !st.Live:
		return Principal{}, refuse(SessionEnded)
	}
	a := st.Account
	who := Principal{Account: a.ID, Unit: a.Unit, Certificate: a.Certificate, Roles: a.Roles, Held: a.Roles, Family: c.Sid}
	if a.Expired(record.CivilDay(now)) {
		who.Expired, who.Certificate = true, ""
		who.Roles = without(a.Roles, Officer)
	}
	if i := slices.IndexFunc(st.Delegations, func(d Delegation) bool { return d.Runs(now) }); i >= 0 {
		if _, ok := headed(a.Roles); ok { // an administrator by now is none
			who.Acting = st.Delegations[i].ID
		}
	}
	return who, nil
}
