package federation

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// StatementKind says what a member states about itself.
type StatementKind string

// The kinds of member statements.
const (
	Rotate  StatementKind = "rotate"  // new signing, TLS or KEM key; the old signing key ends before From
	Address StatementKind = "address" // new address
	Leave   StatementKind = "leave"   // the member leaves
	Revoke  StatementKind = "revoke"  // Key is compromised from sequence From
)

// Statement 成员声明 is what one member says about itself, in force at once for it alone (charter.md §2). Fields that a
// kind does not use are zero.
type Statement struct {
	Federation record.FederationID
	Member     record.MemberID
	Counter    uint64 // the member's own, 1, 2, 3, … without gap
	Kind       StatementKind
	Key        ed25519.PublicKey
	TLS        Hash
	KEM        KEMKey
	Address    string
	From       uint64
	Text       string
	Hash       Hash
}

type statementText struct {
	Pilin      string              `json:"pilin"`
	V          int                 `json:"v"`
	Federation record.FederationID `json:"federation"`
	Member     record.MemberID     `json:"member"`
	Counter    uint64              `json:"counter"`
	Kind       StatementKind       `json:"kind"`
	Key        string              `json:"key"`
	TLS        string              `json:"tls"`
	KEM        string              `json:"kem"`
	Address    string              `json:"address"`
	From       uint64              `json:"from"`
}

// ParseStatement reads a statement note and checks its form, not who signed it.
func ParseStatement(b []byte) (*Statement, error) {
	s, err := readNote(b)
	if err != nil {
		return nil, fmt.Errorf("parse statement: %w", err)
	}
	st, err := parseStatementText(s)
	if err != nil {
		return nil, fmt.Errorf("parse statement: %w", err)
	}
	return st, nil
}

func parseStatementText(s signed) (*Statement, error) {
	var t statementText
	if err := decodeLine(s.text, &t); err != nil {
		return nil, err
	}
	if t.Pilin != "statement" || t.V != 1 {
		return nil, fmt.Errorf("%w: not a statement of format 1", ErrMalformed)
	}
	st := &Statement{Federation: t.Federation, Member: t.Member, Counter: t.Counter, Kind: t.Kind, Address: t.Address,
		From: t.From, Text: s.text, Hash: s.hash}
	var err error
	if t.Key != "" {
		st.Key, err = parsePublic(t.Key)
	}
	if t.TLS != "" && err == nil {
		st.TLS, err = ParseHash(t.TLS)
	}
	if t.KEM != "" && err == nil {
		st.KEM, err = parseKEM(t.KEM)
	}
	if err == nil {
		err = st.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return st, nil
}

func (st *Statement) check() error {
	key, tls, kem, address := len(st.Key) > 0, st.TLS != (Hash{}), st.KEM != (KEMKey{}), st.Address != ""
	if !st.Member.Valid() || st.Counter == 0 || st.Federation == (record.FederationID{}) {
		return errors.New("member, counter or federation")
	}
	fits := false
	switch st.Kind {
	case Rotate:
		fits = (key || tls || kem) && !address && (key || st.From == 0)
	case Address:
		fits = address && validAddress(st.Address) && !key && !tls && !kem && st.From == 0
	case Leave:
		fits = !address && !key && !tls && !kem && st.From == 0
	case Revoke:
		fits = key && !address && !tls && !kem
	}
	if !fits {
		return errors.New("fields do not fit the kind")
	}
	return nil
}

// validAddress reports whether s is https://host:port and nothing more: peers are called nowhere else.
func validAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxText && u.Scheme == "https" && u.Hostname() != "" && u.Port() != "" &&
		u.String() == "https://"+u.Host
}

// SignStatement returns st as a note signed with the member's current signing key.
func SignStatement(st Statement, sg *record.Signer) ([]byte, error) {
	return signStatement(st, sg, charterName(st.Member))
}

// RecoverStatement returns st as a note signed with the member's offline recovery key.
func RecoverStatement(st Statement, sg *record.Signer) ([]byte, error) {
	return signStatement(st, sg, recoveryName(st.Member))
}

func signStatement(st Statement, sg *record.Signer, name string) ([]byte, error) {
	if err := st.check(); err != nil {
		return nil, fmt.Errorf("sign statement: %w", err)
	}
	t := statementText{Pilin: "statement", V: 1, Federation: st.Federation, Member: st.Member, Counter: st.Counter,
		Kind: st.Kind, Address: st.Address, From: st.From}
	if len(st.Key) > 0 {
		t.Key = base64Text(st.Key)
	}
	if st.TLS != (Hash{}) {
		t.TLS = st.TLS.String()
	}
	if st.KEM != (KEMKey{}) {
		t.KEM = base64Text(st.KEM[:])
	}
	text, err := encodeLine(t)
	if err != nil {
		return nil, fmt.Errorf("sign statement: %w", err)
	}
	return sg.Note(name, text)
}

// applyStatement returns m as its statement makes it. The note must be signed by the member's current signing key, unless
// that is revoked, or by its recovery key.
func applyStatement(m Member, st *Statement, s signed) (Member, error) {
	own := s.by(charterName(m.Code), m.current()) && !m.IsRevoked(m.current())
	if !own && !s.by(recoveryName(m.Code), m.Recovery) {
		return m, fmt.Errorf("statement %d of %s: %w", st.Counter, m.Code, ErrSigners)
	}
	if m.State != Active {
		return m, fmt.Errorf("statement %d of %s: %w: not an active member", st.Counter, m.Code, ErrRefused)
	}
	m.Sign = slices.Clone(m.Sign)
	switch st.Kind {
	case Rotate:
		if len(st.Key) > 0 {
			m.Sign = append(m.Sign, SignKey{Key: st.Key, From: st.From})
		}
		if st.TLS != (Hash{}) {
			m.TLS = st.TLS
		}
		if st.KEM != (KEMKey{}) {
			m.KEM = st.KEM
		}
	case Address:
		m.Address = st.Address
	case Leave:
		m.State = Left
	case Revoke:
		m.Revoked = m.revoke(Revocation{Key: st.Key, CompromisedFrom: st.From})
	}
	if err := m.check(); err != nil {
		return m, fmt.Errorf("statement %d of %s: %w: %w", st.Counter, m.Code, ErrRefused, err)
	}
	return m, nil
}
