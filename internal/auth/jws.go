package auth

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"github.com/pilinhub/pilin/record"
)

// maxToken bounds a compact token in bytes.
const maxToken = 8 << 10

// Leeway is how far an issuer's clock may differ from ours.
const Leeway = 5 * time.Minute

const (
	tokenAlg = "EdDSA"
	tokenTyp = "at+jwt"
)

// header is the only JOSE header that we write or read. Anything else in it (crit, jwk, jku, x5u, x5c, a case variant)
// is refused as an unknown member.
type header struct {
	Alg string `json:"alg"`
	Typ string `json:"typ"`
	Kid string `json:"kid"`
}

// preparse cuts a token and decodes header and claims strictly, because the library accepts unknown crit, any typ,
// duplicate and case-variant claims and several spellings of one signature (reliability-security.md M10). Nothing that
// it returns is to be believed before the signature is verified.
func preparse(token string, claims any) (header, error) {
	var h header
	switch {
	case token == "":
		return h, refuse(TokenMissing)
	case len(token) > maxToken, strings.Count(token, ".") != 2:
		return h, refuse(TokenMalformed)
	}
	parts := strings.Split(token, ".")
	var raw [3][]byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p)
		if err != nil || len(b) == 0 || strings.ContainsAny(p, "\r\n") {
			return h, refuse(TokenMalformed)
		}
		raw[i] = b
	}
	if len(raw[2]) != ed25519.SignatureSize {
		return h, refuse(TokenMalformed)
	}
	if err := json.Unmarshal(raw[0], &h, json.RejectUnknownMembers(true)); err != nil || h.Alg != tokenAlg || h.Typ != tokenTyp {
		return h, refuse(TokenHeader)
	}
	if err := json.Unmarshal(raw[1], claims, json.RejectUnknownMembers(true)); err != nil {
		return h, refuse(TokenClaims)
	}
	return h, nil
}

// verifySignature hands a token that passed preparse to the library. Its checks of claims are left off: ours follow the
// signature, so that only the holder of the key learns why, and they are stricter in every point.
func verifySignature(token string, into jwt.Claims, key ed25519.PublicKey) error {
	if !record.ValidPublicKey(key) {
		return refuse(TokenKey)
	}
	p := jwt.NewParser(jwt.WithValidMethods([]string{tokenAlg}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	t, err := p.ParseWithClaims(token, into, func(*jwt.Token) (any, error) { return key, nil })
	if err != nil || !t.Valid {
		return refuse(TokenSignature)
	}
	return nil
}

// sign writes a compact token.
func sign(claims jwt.Claims, key ed25519.PrivateKey) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	t.Header["typ"] = tokenTyp
	t.Header["kid"] = keyID(key.Public().(ed25519.PublicKey))
	return t.SignedString(key)
}

// keyID is the first 16 hex digits of the key's SHA-256 (wire.md §6).
func keyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:8])
}

// skewed returns a SkewError if iat is further from now than the leeway.
func skewed(iat int64, now time.Time) error {
	theirs := time.Unix(iat, 0)
	if d := theirs.Sub(now); d > Leeway || d < -Leeway {
		return &SkewError{Theirs: theirs, Ours: now}
	}
	return nil
}
