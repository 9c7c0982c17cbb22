package federation

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// Keys are one member's secrets. Sign, KEM and TLS live on the node; Recovery is written to a separate file that is
// taken offline, and is nil on a running node.
type Keys struct {
	Member   record.MemberID
	Sign     ed25519.PrivateKey
	PastSign []ed25519.PrivateKey // older ones: a stream shorter than the newest key's From is still signed by them
	KEM      *ecdh.PrivateKey
	PastKEM  []*ecdh.PrivateKey // older ones: epochs that were wrapped for them
	TLS      ed25519.PrivateKey
	Cert     []byte      // DER, self-signed by TLS; the charter pins its public key and nothing else of it counts
	PastTLS  []Certified // older ones: until every member has heard of a new one, a member that has not is reached with them
	Recovery ed25519.PrivateKey
}

// Certified is a TLS key and its self-signed certificate (DER).
type Certified struct {
	Key  ed25519.PrivateKey
	Cert []byte
}

// GenerateKeys draws all keys of a member from random. day is the certificate's first; peers ignore its validity.
func GenerateKeys(random io.Reader, m record.MemberID, day time.Time) (*Keys, error) {
	if !m.Valid() {
		return nil, fmt.Errorf("generate keys: member code %q ill-formed", m)
	}
	k := &Keys{Member: m}
	var err error
	if k.Sign, err = newSigning(random); err == nil {
		if k.TLS, err = newSigning(random); err == nil {
			k.Recovery, err = newSigning(random)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	seed := make([]byte, 32)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	if k.KEM, err = ecdh.X25519().NewPrivateKey(seed); err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	if k.Cert, err = certificate(k.TLS, m, day); err != nil {
		return nil, fmt.Errorf("generate keys: certificate: %w", err)
	}
	return k, nil
}

func newSigning(random io.Reader) (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// certificate is self-signed and lasts a hundred years: the charter decides how long it is valid.
func certificate(key ed25519.PrivateKey, m record.MemberID, day time.Time) ([]byte, error) {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: string(m)},
		DNSNames:     []string{string(m)},
		NotBefore:    day.Add(-24 * time.Hour),
		NotAfter:     day.AddDate(100, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	return x509.CreateCertificate(nil, t, t, key.Public(), key)
}

// Signer returns the signer of the member's current signing key.
func (k *Keys) Signer() *record.Signer { return record.NewSigner(k.Sign) }

// SignerOf returns the signer whose public key is pub, current or past.
func (k *Keys) SignerOf(pub ed25519.PublicKey) (*record.Signer, bool) {
	for _, p := range append([]ed25519.PrivateKey{k.Sign}, k.PastSign...) {
		if pub.Equal(p.Public()) {
			return record.NewSigner(p), true
		}
	}
	return nil, false
}

// KEMPublic returns the key that epoch keys are wrapped for.
func (k *Keys) KEMPublic() KEMKey { return KEMKey(k.KEM.PublicKey().Bytes()) }

// SPKI returns what the charter pins of the member's certificate.
func (k *Keys) SPKI() (Hash, error) {
	c, err := x509.ParseCertificate(k.Cert)
	if err != nil {
		return Hash{}, fmt.Errorf("read own certificate: %w", err)
	}
	return PublicKeyHash(c), nil
}

// PublicKeyHash returns the SHA-256 of a certificate's SubjectPublicKeyInfo, to be compared with Directory.PinnedTLS.
func PublicKeyHash(c *x509.Certificate) Hash { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// kems returns all KEM keys, the current one first.
func (k *Keys) kems() []*ecdh.PrivateKey { return append([]*ecdh.PrivateKey{k.KEM}, k.PastKEM...) }

type keysText struct {
	Pilin    string          `json:"pilin"`
	V        int             `json:"v"`
	Member   record.MemberID `json:"member"`
	Sign     []byte          `json:"sign"`
	PastSign [][]byte        `json:"past_sign"`
	KEM      []byte          `json:"kem"`
	PastKEM  [][]byte        `json:"past_kem"`
	TLS      []byte          `json:"tls"`
	Cert     []byte          `json:"cert"`
	PastTLS  []certifiedText `json:"past_tls,omitempty"`
}

type certifiedText struct {
	TLS  []byte `json:"tls"`
	Cert []byte `json:"cert"`
}

type recoveryText struct {
	Pilin    string          `json:"pilin"`
	V        int             `json:"v"`
	Member   record.MemberID `json:"member"`
	Recovery []byte          `json:"recovery"`
}

// Encode returns the node's key file: JSON, secret, without the recovery key. The caller writes it with mode 0600.
func (k *Keys) Encode() ([]byte, error) {
	t := keysText{Pilin: "keys", V: 1, Member: k.Member, Sign: k.Sign.Seed(), PastSign: [][]byte{}, KEM: k.KEM.Bytes(),
		PastKEM: [][]byte{}, TLS: k.TLS.Seed(), Cert: k.Cert}
	for _, p := range k.PastSign {
		t.PastSign = append(t.PastSign, p.Seed())
	}
	for _, p := range k.PastKEM {
		t.PastKEM = append(t.PastKEM, p.Bytes())
	}
	for _, p := range k.PastTLS {
		t.PastTLS = append(t.PastTLS, certifiedText{p.Key.Seed(), p.Cert})
	}
	text, err := encodeLine(t)
	return []byte(text), err
}

// DecodeKeys reads a key file. Its errors show nothing of its content.
func DecodeKeys(b []byte) (*Keys, error) {
	var t keysText
	if err := decodeJSON(b, &t, json.RejectUnknownMembers(true)); err != nil || t.Pilin != "keys" || t.V != 1 || !t.Member.Valid() {
		return nil, fmt.Errorf("decode key file: %w", ErrMalformed)
	}
	k := &Keys{Member: t.Member, Cert: t.Cert}
	var bad error
	k.Sign, bad = fromSeed(t.Sign, bad)
	k.TLS, bad = fromSeed(t.TLS, bad)
	for _, s := range t.PastSign {
		var p ed25519.PrivateKey
		p, bad = fromSeed(s, bad)
		k.PastSign = append(k.PastSign, p)
	}
	for i, s := range append([][]byte{t.KEM}, t.PastKEM...) {
		p, err := ecdh.X25519().NewPrivateKey(s)
		bad = errors.Join(bad, err)
		if i == 0 {
			k.KEM = p
		} else {
			k.PastKEM = append(k.PastKEM, p)
		}
	}
	if bad != nil {
		return nil, fmt.Errorf("decode key file of %s: %w", t.Member, ErrMalformed)
	}
	for _, p := range t.PastTLS {
		key, err := fromSeed(p.TLS, nil)
		if err != nil || !certifies(p.Cert, key) {
			return nil, fmt.Errorf("decode key file of %s: %w: past certificate", t.Member, ErrMalformed)
		}
		k.PastTLS = append(k.PastTLS, Certified{key, p.Cert})
	}
	if !certifies(k.Cert, k.TLS) {
		return nil, fmt.Errorf("decode key file of %s: %w: certificate", t.Member, ErrMalformed)
	}
	return k, nil
}

func certifies(cert []byte, key ed25519.PrivateKey) bool {
	c, err := x509.ParseCertificate(cert)
	return err == nil && key.Public().(ed25519.PublicKey).Equal(c.PublicKey)
}

func fromSeed(b []byte, before error) (ed25519.PrivateKey, error) {
	if len(b) != ed25519.SeedSize {
		return nil, errors.Join(before, errors.New("key length"))
	}
	return ed25519.NewKeyFromSeed(b), before
}

// EncodeRecovery returns the recovery file, which belongs in a safe and not on the node.
func (k *Keys) EncodeRecovery() ([]byte, error) {
	if k.Recovery == nil {
		return nil, errors.New("encode recovery key: not here")
	}
	text, err := encodeLine(recoveryText{"recovery", 1, k.Member, k.Recovery.Seed()})
	return []byte(text), err
}

// DecodeRecovery reads a recovery file.
func DecodeRecovery(b []byte) (record.MemberID, ed25519.PrivateKey, error) {
	var t recoveryText
	err := decodeJSON(b, &t, json.RejectUnknownMembers(true))
	if err != nil || t.Pilin != "recovery" || t.V != 1 || !t.Member.Valid() || len(t.Recovery) != ed25519.SeedSize {
		return "", nil, fmt.Errorf("decode recovery file: %w", ErrMalformed)
	}
	return t.Member, ed25519.NewKeyFromSeed(t.Recovery), nil
}
