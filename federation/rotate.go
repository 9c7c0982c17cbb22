package federation

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
)

// RotateSign draws a new signing key and keeps the old one among PastSign. It has effect when the member's statement of
// kind Rotate is in force.
func (k *Keys) RotateSign(random io.Reader) error {
	p, err := newSigning(random)
	if err != nil {
		return fmt.Errorf("rotate signing key: %w", err)
	}
	if k.Sign != nil {
		k.PastSign = append([]ed25519.PrivateKey{k.Sign}, k.PastSign...)
	}
	k.Sign = p
	return nil
}

// RotateTLS draws a new TLS key with its certificate, whose first day is day, and keeps the old ones among PastTLS. Effect
// as RotateSign.
func (k *Keys) RotateTLS(random io.Reader, day time.Time) error {
	p, err := newSigning(random)
	if err != nil {
		return fmt.Errorf("rotate TLS key: %w", err)
	}
	cert, err := certificate(p, k.Member, day)
	if err != nil {
		return fmt.Errorf("rotate TLS key: %w", err)
	}
	if k.TLS != nil {
		k.PastTLS = append([]Certified{{k.TLS, k.Cert}}, k.PastTLS...)
	}
	k.TLS, k.Cert = p, cert
	return nil
}

// RotateKEM draws a new encapsulation key and keeps the old one among PastKEM, which go on opening the epochs that were
// wrapped for them. Effect as RotateSign; the next charter version wraps its new epoch for the new key.
func (k *Keys) RotateKEM(random io.Reader) error {
	seed := make([]byte, 32)
	if _, err := io.ReadFull(random, seed); err != nil {
		return fmt.Errorf("rotate encapsulation key: %w", err)
	}
	p, err := ecdh.X25519().NewPrivateKey(seed)
	if err != nil {
		return fmt.Errorf("rotate encapsulation key: %w", err)
	}
	if k.KEM != nil {
		k.PastKEM = append([]*ecdh.PrivateKey{k.KEM}, k.PastKEM...)
	}
	k.KEM = p
	return nil
}

// As returns the keys as another member that holds entry e for this one knows them: e's current signing and TLS key first,
// whatever came since. False if either is not in the key file.
func (k *Keys) As(e Member) (*Keys, bool) {
	if k.Sign == nil || k.TLS == nil {
		return nil, false // lost
	}
	sign := slices.IndexFunc(append([]ed25519.PrivateKey{k.Sign}, k.PastSign...), func(p ed25519.PrivateKey) bool { return e.current().Equal(p.Public()) })
	pairs := append([]Certified{{k.TLS, k.Cert}}, k.PastTLS...)
	tls := slices.IndexFunc(pairs, func(p Certified) bool {
		c, err := x509.ParseCertificate(p.Cert)
		return err == nil && PublicKeyHash(c) == e.TLS
	})
	if e.Code != k.Member || sign < 0 || tls < 0 {
		return nil, false
	}
	was := *k
	was.Sign, was.PastSign = append([]ed25519.PrivateKey{k.Sign}, k.PastSign...)[sign], nil
	was.TLS, was.Cert, was.PastTLS = pairs[tls].Key, pairs[tls].Cert, nil
	return &was, true
}

// Before returns this member's entry as it was before each of its statements that no charter version holds yet, newest
// first: by one of them it is known to a member that has not heard all of these statements.
func (d *Directory) Before() []Member {
	v := d.now.Load()
	members, counters := cloneStanding(v.tip)
	var out []Member
	for _, p := range v.pending {
		was := members[p.Member]
		if foldOne(v.tip.Federation, members, counters, p.note) == nil && p.Member == d.Self() {
			out = append(out, was)
		}
	}
	slices.Reverse(out)
	return out
}

// NextStatement returns st as the member's next statement, made by whoever holds sg: its current signing key, or, if
// recovery says so, its recovery key. It is not in force before AddStatement has taken it, which decides whether it may be.
func (d *Directory) NextStatement(st Statement, sg *record.Signer, recovery bool) ([]byte, error) {
	st.Federation, st.Counter = d.Federation(), d.Counter(st.Member)+1
	if recovery {
		return RecoverStatement(st, sg)
	}
	return SignStatement(st, sg)
}
