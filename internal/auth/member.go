package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// memberLifetime is how long a token between members lives at most (wire.md §6).
const memberLifetime = time.Minute

// memberClaims are the claims of a token between members: exactly these, all of them.
type memberClaims struct {
	Iss string `json:"iss"`
	Aud string `json:"aud"`
	Fed string `json:"fed"`
	Iat int64  `json:"iat"`
	Exp int64  `json:"exp"`
	Jti string `json:"jti"`
	Htm string `json:"htm"`
	Htu string `json:"htu"`
	Bh  string `json:"bh"`
}

func (c memberClaims) GetExpirationTime() (*jwt.NumericDate, error) { return numeric(c.Exp), nil }
func (c memberClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return numeric(c.Iat), nil }
func (c memberClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c memberClaims) GetIssuer() (string, error)                   { return c.Iss, nil }
func (c memberClaims) GetSubject() (string, error)                  { return c.Iss, nil }
func (c memberClaims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Aud}, nil }

func numeric(unix int64) *jwt.NumericDate { return jwt.NewNumericDate(time.Unix(unix, 0)) }

func principal(f record.FederationID, m record.MemberID) string {
	return "pilin/" + f.String() + "/" + string(m)
}

// MemberIssuer makes this member's tokens for requests to others.
type MemberIssuer struct {
	Federation record.FederationID
	Self       record.MemberID
	Key        func() (ed25519.PrivateKey, error) // the signing key that the charter names now (SigningKey)
	Now        func() time.Time
	Random     io.Reader // crypto/rand.Reader in a node
}

// SigningKey returns the private half of the signing key that d names for its member now.
func SigningKey(d *federation.Directory, k *federation.Keys) func() (ed25519.PrivateKey, error) {
	return func() (ed25519.PrivateKey, error) {
		pub, ok := d.CurrentKey(k.Member)
		if !ok {
			return nil, fmt.Errorf("signing key of %s: not an active member", k.Member)
		}
		for _, p := range append([]ed25519.PrivateKey{k.Sign}, k.PastSign...) {
			if pub.Equal(p.Public()) {
				return p, nil
			}
		}
		return nil, fmt.Errorf("signing key of %s: the charter's is not in the key file", k.Member)
	}
}

// Issue returns a token for one request to another member: target is path and query as they will be sent.
func (i *MemberIssuer) Issue(to record.MemberID, method, target string, body []byte) (string, error) {
	key, err := i.Key()
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	jti, err := record.NewBits128(i.Random)
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	hash := sha256.Sum256(body)
	now := i.Now().Unix()
	t, err := sign(memberClaims{Iss: principal(i.Federation, i.Self), Aud: principal(i.Federation, to), Fed: i.Federation.String(),
		Iat: now, Exp: now + int64(memberLifetime/time.Second), Jti: jti.String(), Htm: method, Htu: target,
		Bh: hex.EncodeToString(hash[:])}, key)
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	return t, nil
}

// MemberRequest is what a member's token must be about.
type MemberRequest struct {
	Peer   record.MemberID // whom the TLS connection's certificate names in the charter of now
	Method string
	Target string // path and query as sent
	Body   [32]byte
}

// MemberTokens verifies tokens of other members.
type MemberTokens struct {
	Federation record.FederationID
	Self       record.MemberID
	Key        func(record.MemberID) (ed25519.PublicKey, bool) // fits Directory.CurrentKey
	IDs        UsedIDs
	Now        func() time.Time
}

var (
	jtiForm = regexp.MustCompile(`^[0-9a-f]{32}$`)
	bhForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Verify checks a token against the request that it came with and returns its one-use id. The caller must use the id up
// before it answers: in the transaction of the audit record, or by IDs.Use. Errors: *Refusal, *SkewError, or the store's
// when it cannot be asked; then the request is refused too.
func (v *MemberTokens) Verify(ctx context.Context, token string, r MemberRequest) (record.Use, error) {
	var c memberClaims
	h, err := preparse(token, &c)
	if err != nil {
		return record.Use{}, err
	}
	// The key is that of the member at the other end of the connection: a token names nobody else.
	key, ok := v.Key(r.Peer)
	if !ok || h.Kid != keyID(key) {
		return record.Use{}, refuse(TokenKey)
	}
	var again memberClaims
	if err := verifySignature(token, &again, key); err != nil {
		return record.Use{}, err
	}
	if again != c {
		return record.Use{}, refuse(TokenClaims) // our reader and the library's must agree on every claim
	}
	if err := v.claims(c, r); err != nil {
		return record.Use{}, err
	}
	floor, err := v.IDs.Floor(ctx)
	if err != nil {
		return record.Use{}, fmt.Errorf("read floor of used ids: %w", err)
	}
	if c.Exp <= floor {
		return record.Use{}, refuse(Replayed)
	}
	return record.Use{Kind: "jti", ID: string(r.Peer) + "/" + c.Jti, Expires: c.Exp}, nil
}

func (v *MemberTokens) claims(c memberClaims, r MemberRequest) error {
	now := v.Now()
	switch life := c.Exp - c.Iat; {
	case !jtiForm.MatchString(c.Jti), !bhForm.MatchString(c.Bh), c.Iat <= 0, c.Exp <= c.Iat, life > int64(memberLifetime/time.Second):
		return refuse(TokenClaims)
	case c.Fed != v.Federation.String(), c.Aud != principal(v.Federation, v.Self):
		return refuse(TokenAudience)
	case c.Iss != principal(v.Federation, r.Peer):
		return refuse(TokenPeer)
	}
	if err := skewed(c.Iat, now); err != nil {
		return err
	}
	switch {
	case now.Sub(time.Unix(c.Exp, 0)) > Leeway: // one use makes the leeway safe
		return refuse(TokenExpired)
	case c.Htm != r.Method, c.Htu != r.Target, c.Bh != hex.EncodeToString(r.Body[:]):
		return refuse(TokenBinding)
	}
	return nil
}

// Use verifies a token and uses its id up at once: for requests that write no audit record.
func (v *MemberTokens) Use(ctx context.Context, token string, r MemberRequest) error {
	u, err := v.Verify(ctx, token, r)
	if err != nil {
		return err
	}
	err = v.IDs.Use(ctx, u)
	if errors.Is(err, record.ErrReplayed) {
		return refuse(Replayed)
	}
	if err != nil {
		return fmt.Errorf("use token id: %w", err)
	}
	return nil
}
