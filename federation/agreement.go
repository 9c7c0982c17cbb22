package federation

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// Agreement 联合行动协议 makes a sealed group that the charter does not name (charter.md §4). Its ID is the SHA-256 of its
// text. Only the members that it names are ever told of it.
type Agreement struct {
	ID         Hash
	Federation record.FederationID
	Group      record.GroupID
	Founder    record.MemberID
	Members    []record.MemberID // sorted, the founder among them
	Day        string
	History    string
	Epochs     []Epoch
	Text       string
}

type agreementText struct {
	Pilin      string              `json:"pilin"`
	V          int                 `json:"v"`
	Federation record.FederationID `json:"federation"`
	Group      record.GroupID      `json:"group"`
	Founder    record.MemberID     `json:"founder"`
	Members    []record.MemberID   `json:"members"`
	Day        string              `json:"day"`
	History    string              `json:"history"`
	Epochs     []Epoch             `json:"epochs"`
}

// ParseAgreement reads an agreement note and checks its form, not its signature.
func ParseAgreement(b []byte) (*Agreement, error) {
	s, err := readNote(b)
	if err != nil {
		return nil, fmt.Errorf("parse agreement: %w", err)
	}
	a, err := parseAgreementText(s)
	if err != nil {
		return nil, fmt.Errorf("parse agreement: %w", err)
	}
	return a, nil
}

func parseAgreementText(s signed) (*Agreement, error) {
	var t agreementText
	if err := decodeLine(s.text, &t); err != nil {
		return nil, err
	}
	if t.Pilin != "agreement" || t.V != 1 {
		return nil, fmt.Errorf("%w: not an agreement of format 1", ErrMalformed)
	}
	a := &Agreement{ID: s.hash, Federation: t.Federation, Group: t.Group, Founder: t.Founder, Members: t.Members, Day: t.Day,
		History: t.History, Epochs: t.Epochs, Text: s.text}
	if err := a.check(); err != nil {
		return nil, unfit(err)
	}
	return a, nil
}

func (a *Agreement) check() error {
	switch {
	case a.Federation == record.FederationID{}, a.Group == record.All, !a.Group.Valid(), !validDay(a.Day):
		return errors.New("federation, group or day")
	case a.History != "all" && a.History != "none":
		return errors.New("history")
	case a.History == "none":
		return ErrHistoryNone
	case len(a.Members) < 2, !slices.Contains(a.Members, a.Founder):
		return errors.New("want at least two members, the founder among them")
	}
	return checkEpochs(a.Members, a.Epochs, map[record.KeyID]bool{})
}

// NewAgreement founds a sealed group of some active members of d's federation, in the name of d's own member, and returns
// the signed note. The caller stores it, gives it to AddAgreement, and names it in head exchanges with those it names.
func NewAgreement(random io.Reader, d *Directory, members []record.MemberID, day string) ([]byte, error) {
	id, err := record.NewBits128(random)
	if err != nil {
		return nil, fmt.Errorf("new agreement: %w", err)
	}
	a := &Agreement{Federation: d.Federation(), Group: record.GroupID(id.String()), Founder: d.Self(), Day: day, History: "all"}
	return a.sign(random, d, members)
}

// Extend returns the agreement's next note: the same group with these members from now on and a new epoch for them. Only
// the founder may.
func (a *Agreement) Extend(random io.Reader, d *Directory, members []record.MemberID, day string) ([]byte, error) {
	if a.Founder != d.Self() {
		return nil, fmt.Errorf("extend agreement: %w: founded by %s", ErrRefused, a.Founder)
	}
	next := *a
	next.Epochs, next.Day = slices.Clone(a.Epochs), day
	return next.sign(random, d, members)
}

func (a *Agreement) sign(random io.Reader, d *Directory, members []record.MemberID) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("new agreement: %w", err) }
	var entries []Member
	a.Members = nil
	for _, m := range append([]record.MemberID{a.Founder}, members...) {
		if slices.Contains(a.Members, m) {
			continue
		}
		e, ok := d.Member(m)
		if !ok || e.State != Active {
			return fail(fmt.Errorf("%w: %s is not an active member", ErrRefused, m))
		}
		a.Members, entries = append(a.Members, m), append(entries, e)
	}
	slices.Sort(a.Members)
	e, _, err := NewEpoch(random, a.Group, entries)
	if err != nil {
		return fail(err)
	}
	a.Epochs = append(a.Epochs, e)
	if err := a.check(); err != nil {
		return fail(err)
	}
	text, err := encodeLine(agreementText{"agreement", 1, a.Federation, a.Group, a.Founder, a.Members, a.Day, a.History, a.Epochs})
	if err != nil {
		return fail(err)
	}
	sg, err := d.currentSigner()
	if err != nil {
		return fail(err)
	}
	return sg.Note(agreementName(a.Founder), text)
}

// verifyAgreement checks that the founder, a member of this view, signed under a key of its history that is not revoked.
func (v *view) verifyAgreement(a *Agreement, s signed) error {
	f, ok := v.members[a.Founder]
	if !ok {
		return fmt.Errorf("agreement %s: founder %s: %w: no such member", a.ID, a.Founder, ErrMissing)
	}
	if a.Federation != v.tip.Federation {
		return fmt.Errorf("agreement %s: %w", a.ID, ErrOtherFederation)
	}
	for _, m := range a.Members {
		if _, ok := v.members[m]; !ok {
			return fmt.Errorf("agreement %s: %s: %w: no such member", a.ID, m, ErrMissing)
		}
	}
	for _, k := range f.Sign {
		if !f.IsRevoked(k.Key) && s.by(agreementName(a.Founder), k.Key) {
			return nil
		}
	}
	return fmt.Errorf("agreement %s: %w", a.ID, ErrSigners)
}

// extends reports whether a is b, an older note of the same group, with more epochs.
func (a *Agreement) extends(b *Agreement) bool {
	return a.Founder == b.Founder && a.History == b.History && len(a.Epochs) > len(b.Epochs) &&
		slices.EqualFunc(a.Epochs[:len(b.Epochs)], b.Epochs, sameEpoch)
}
