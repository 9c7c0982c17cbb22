package federation

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// Entry is what a bureau says about itself when it asks to be a member; keys come from its Keys.
type Entry struct {
	Name, Address                   string
	AgreementNo, PIPIANo, Retention string // empty: the member is test_ok (Member.TestOnly)
}

type requestText struct {
	Pilin       string            `json:"pilin"`
	V           int               `json:"v"`
	Code        record.MemberID   `json:"code"`
	Name        string            `json:"name"`
	State       State             `json:"state"`
	Sign        []SignKey         `json:"sign"`
	KEM         KEMKey            `json:"kem"`
	TLS         Hash              `json:"tls"`
	Recovery    ed25519.PublicKey `json:"recovery"`
	Address     string            `json:"address"`
	AgreementNo string            `json:"agreement_no"`
	PIPIANo     string            `json:"pipia_no"`
	Retention   string            `json:"retention"`
}

// NewRequest returns the request file of `pilin init`: the member's charter entry, signed by itself. Keys must hold the
// recovery key, which goes offline afterwards.
func NewRequest(k *Keys, e Entry) ([]byte, error) {
	if k.Recovery == nil {
		return nil, errors.New("new request: recovery key missing")
	}
	spki, err := k.SPKI()
	if err != nil {
		return nil, fmt.Errorf("new request: %w", err)
	}
	m := Member{Code: k.Member, Name: e.Name, State: Active, Sign: []SignKey{{Key: k.Signer().Public()}}, KEM: k.KEMPublic(),
		TLS: spki, Recovery: record.NewSigner(k.Recovery).Public(), Address: e.Address,
		AgreementNo: e.AgreementNo, PIPIANo: e.PIPIANo, Retention: e.Retention}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("new request: %w", err)
	}
	text, err := encodeLine(requestText{"request", 1, m.Code, m.Name, m.State, m.Sign, m.KEM, m.TLS, m.Recovery, m.Address,
		m.AgreementNo, m.PIPIANo, m.Retention})
	if err != nil {
		return nil, fmt.Errorf("new request: %w", err)
	}
	return k.Signer().Note(charterName(m.Code), text)
}

// ParseRequest reads a request and verifies that it is signed by the key that it brings. That the bureau stands behind
// that key is for people to find out: Fingerprint, by phone.
func ParseRequest(b []byte) (Member, error) {
	s, err := readNote(b)
	if err != nil {
		return Member{}, fmt.Errorf("parse request: %w", err)
	}
	var t requestText
	if err := decodeLine(s.text, &t); err != nil {
		return Member{}, fmt.Errorf("parse request: %w", err)
	}
	m := Member{Code: t.Code, Name: t.Name, State: t.State, Sign: t.Sign, KEM: t.KEM, TLS: t.TLS, Recovery: t.Recovery,
		Address: t.Address, AgreementNo: t.AgreementNo, PIPIANo: t.PIPIANo, Retention: t.Retention}
	if t.Pilin != "request" || t.V != 1 || m.State != Active || !fresh(m) {
		return Member{}, fmt.Errorf("parse request: %w: not a request of format 1", ErrMalformed)
	}
	if err := m.check(); err != nil {
		return Member{}, fmt.Errorf("parse request: %w: %w", ErrMalformed, err)
	}
	if !s.by(charterName(m.Code), m.current()) {
		return Member{}, fmt.Errorf("parse request of %s: %w", m.Code, ErrSigners)
	}
	return m, nil
}

// Fingerprint returns what is read out by phone before a request or charter is signed: the first 20 hex digits of the
// text's SHA-256 in groups of four. The input may be unsigned text or a note.
func Fingerprint(b []byte) string {
	h := textHash(b).String()[:20]
	var groups []string
	for ; h != ""; h = h[4:] {
		groups = append(groups, h[:4])
	}
	return strings.Join(groups, " ")
}
