package federation

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
)

// certificateText is the text of a certificate's note: the ask and every signed answer verbatim, so that whoever has the
// charter can check what was asked, who answered, and what follows.
type certificateText struct {
	Pilin      string              `json:"pilin"`
	V          int                 `json:"v"`
	Federation record.FederationID `json:"federation"`
	Charter    charterRefText      `json:"charter"`
	Member     record.MemberID     `json:"member"`
	At         string              `json:"at"`
	Outcome    Outcome             `json:"outcome"`
	K          int                 `json:"k"`
	N          int                 `json:"n"`
	Scoped     bool                `json:"scoped"`
	TestOnly   bool                `json:"test_only"`
	Body       string              `json:"body"` // the ask as it was sent
	Salt       Hash                `json:"salt"` // with the question it gives the nonce that every answer repeats
	Answers    []certifiedAnswer   `json:"answers"`
}

type certifiedAnswer struct {
	Member record.MemberID `json:"member"`
	State  MemberState     `json:"state"`
	Reason string          `json:"reason"`
	Note   string          `json:"note"` // empty if there is none
}

func certificateName(fed record.FederationID, m record.MemberID) string {
	return "pilin/" + fed.String() + "/" + string(m) + "/certificate"
}

// MaxCertificate bounds a certificate in bytes.
const MaxCertificate = 64 << 20

// Certificate 核查凭证 returns an answer as a note signed by this member, with everything needed to verify it offline
// (VerifyAnswer). It shows the question: it is for the file of the case alone. Copies count for nothing and are left out.
func (h *Hub) Certificate(a *Answer) ([]byte, error) {
	t := certificateText{Pilin: "certificate", V: 1, Federation: a.Federation, Charter: writeRef(a.Charter), Member: a.asker,
		At: a.At.In(record.CivilZone).Format(time.RFC3339), Outcome: a.Outcome, K: a.K, N: a.N, Scoped: a.Scoped,
		TestOnly: a.TestOnly, Body: string(a.body), Salt: a.salt}
	for _, m := range a.Members {
		t.Answers = append(t.Answers, certifiedAnswer{m.Member, m.State, m.Reason, string(m.Note)})
	}
	text, err := encodeLine(t)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	sg, err := h.Directory.CurrentSigner()
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return sg.Note(certificateName(a.Federation, a.asker), text)
}

// VerifyAnswer checks a certificate with the charter alone: the asker's signature, each answer's signature, that all are
// about this question, and that outcome, k and n follow from them. n must be the active members of the charter version
// named unless the certificate says that it was scoped. It returns the answer, without copies of records.
func VerifyAnswer(certificate []byte, d *Directory) (*Answer, error) {
	fail := func(what string) (*Answer, error) { return nil, fmt.Errorf("verify answer: %w: %s", ErrRefused, what) }
	t, ok := openCertificate(certificate, d)
	if !ok {
		return fail("not signed by the member that asked")
	}
	ask, err := decodeAsk([]byte(t.Body))
	switch {
	case err != nil || ask.Member != t.Member || ask.Federation != t.Federation || ask.Charter != t.Charter:
		return fail("the ask is not the certificate's")
	case t.Federation != d.Federation() || !d.Known(t.Charter.ref()):
		return fail("unknown federation or charter version")
	case nonceOf(t.Salt, string(ask.Question)) != ask.Nonce:
		return fail("the nonce does not belong to the question")
	}
	a := &Answer{Ask: ask.Ask, Federation: t.Federation, Charter: t.Charter.ref(), AsOf: ask.AsOf, Scoped: t.Scoped, N: len(t.Answers),
		TestOnly: t.TestOnly, Fuzzy: ask.Fuzzy, CheckDigit: ask.question.engineQuestion(ask.AsOf).WrongCheckDigit(), asker: t.Member, body: []byte(t.Body), question: string(ask.Question), salt: t.Salt, nonce: ask.Nonce}
	if a.At, err = time.Parse(time.RFC3339, t.At); err != nil {
		return fail("time")
	}
	var parts []*answerText
	for _, c := range t.Answers {
		a.Scope = append(a.Scope, c.Member)
		p, m := certified(a, d, c)
		if m.State == Answered && c.State == Partial {
			m.State, m.Reason = c.State, c.Reason // the asker trusted it less than its text says
		}
		if m.State != c.State {
			return fail("the answer of " + string(c.Member) + " is not what is claimed")
		}
		a.Members, parts = append(a.Members, m), append(parts, p)
	}
	if !ascending(a.Scope) || !t.Scoped && !slices.Equal(a.Scope, d.activeAt(a.Charter, a.Scope)) {
		return fail("the scope is not the active members")
	}
	if !t.TestOnly && d.testOnlyAt(a.Charter, append(slices.Clone(a.Scope), t.Member), ask.Purpose) {
		return fail("a member without agreement data, or an exercise")
	}
	a.merge(parts, nil)
	if a.Outcome == NoHit && t.Outcome == Incomplete {
		a.Outcome = Incomplete // a copy held by the asker was newer than what its origin's answer covers
	}
	if a.K != t.K || a.N != t.N || a.Outcome != t.Outcome {
		return fail("outcome, k or n do not follow from the answers")
	}
	return a, nil
}

// openCertificate reads a certificate that the member that it names signed.
func openCertificate(b []byte, d *Directory) (*certificateText, bool) {
	s, err := readNoteOf(b, MaxCertificate)
	if err != nil {
		return nil, false
	}
	var t certificateText
	if err := decodeJSON([]byte(s.text), &t); err != nil || t.Pilin != "certificate" || t.V != 1 {
		return nil, false
	}
	m, ok := d.Member(t.Member)
	return &t, ok && s.by(certificateName(t.Federation, t.Member), m.trusted()...)
}

// certified checks one answer of a certificate; without a note the member's state stands as claimed and does not count.
func certified(a *Answer, d *Directory, c certifiedAnswer) (*answerText, MemberAnswer) {
	out := MemberAnswer{Member: c.Member, State: c.State, Reason: reasonCode(c.Reason, "")}
	if c.Note == "" {
		if c.State == Answered {
			out.State = Incompatible
		}
		return nil, out
	}
	want := a.expect(d, c.Member)
	if m, ok := d.Member(c.Member); ok {
		want.keys = m.trusted()
	}
	p, state, reason := checkAnswer([]byte(c.Note), want)
	out.State, out.Reason, out.Note = state, reason, []byte(c.Note)
	if p != nil {
		out.Index, out.Checkpoint = p.Index, []byte(p.Checkpoint)
	}
	return p, out
}

// trusted returns the keys of a member's history that are not revoked: a certificate may be older than the newest.
func (m Member) trusted() []ed25519.PublicKey {
	var out []ed25519.PublicKey
	for _, k := range m.Sign {
		if !m.IsRevoked(k.Key) {
			out = append(out, k.Key)
		}
	}
	return out
}

// activeAt returns the active members of one version, without those outside scope that have left since by a statement of
// their own: it may have been in force when the question was asked.
func (d *Directory) activeAt(r record.CharterRef, scope []record.MemberID) []record.MemberID {
	st := d.now.Load().chain.find(r.Hash)
	if st == nil {
		return nil
	}
	return slices.DeleteFunc(st.active(), func(m record.MemberID) bool {
		e, _ := d.Member(m)
		return e.State == Left && !slices.Contains(scope, m)
	})
}

// testOnlyAt reports whether "no hit" was impossible for these members under one version.
func (d *Directory) testOnlyAt(r record.CharterRef, members []record.MemberID, p Purpose) bool {
	st := d.now.Load().chain.find(r.Hash)
	if st == nil {
		return true
	}
	return p == PurposeTest && !st.Synthetic || slices.ContainsFunc(members, func(m record.MemberID) bool {
		e, ok := st.Member(m)
		return !ok || e.TestOnly(st.Synthetic)
	})
}
