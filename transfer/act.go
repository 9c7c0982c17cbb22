package transfer

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/workflow"
)

// TypeActSigned is the record of one officer's signature under a new act (ADR 9).
const TypeActSigned = "act.signed"

// States of an act.
const (
	ActSigned    workflow.State = "signed"    // by one officer
	ActConfirmed workflow.State = "confirmed" // by two with different certificates (domain.md §6.5)
	ActWithdrawn workflow.State = "withdrawn" // taken back, and signed by nobody since
)

// ActID is the subject of an act: that of the open question ask (id of its first asking). It is computed, so that the
// signatures are found by the question alone, also after a restart.
func ActID(ask record.Bits128) record.RecordID {
	h := sha256.Sum256(append([]byte("pilin act 1"), ask[:]...))
	return record.RecordID(h[:16])
}

// ActPlace reports whether a place lies in the county, or for a city's bureau in the city, of a member: its officers sign
// for no other (行政处罚法 arts. 22, 42; domain.md §5.3).
func ActPlace(m record.MemberID, place string) bool {
	region, _, _ := strings.Cut(string(m), "-")
	return place == region || len(place) == 6 && strings.HasSuffix(region, "00") && strings.HasPrefix(place, region[:4])
}

// ActSignature 签认 is what one officer signs for himself, under his own sign-in: account and certificate are those of the
// sign-in, never typed.
type ActSignature struct {
	Ask           record.Bits128
	Account       string
	Certificate   string
	At            identifier.Date // day of the act; of a continuing one its last day
	Place         string          // six digits
	Qualification Qualification
	Purpose       string
	WorkRef       struct{ Kind, Number string }
	Signed        time.Time
}

// Act is what the signatures under one question come to.
type Act struct {
	Stream        record.StreamID
	Ask           record.Bits128
	Last          record.StreamID // of the newest record
	Version       uint64          // of the newest record, in its stream; 0 = there is none
	At            identifier.Date
	Place         string
	Qualification Qualification
	Signed        []SignedBy    // whose signature stands, in order
	Passed        []SignedBy    // whose does not: taken back, replaced by signing anew, or for another act
	Leaving       []WithdrawnBy // signers who took theirs back, while others have not
	Withdrawn     []WithdrawnBy // withdrawals by which signatures came to stand no more
}

// SignedBy is one signature.
type SignedBy struct {
	Account     string
	Certificate string
	Signed      time.Time
	Record      record.RecordID
}

// State says how far the act is; empty if nobody has signed.
func (a *Act) State() workflow.State {
	switch len(a.Signed) {
	case 0:
		if len(a.Withdrawn) > 0 {
			return ActWithdrawn
		}
		return ""
	case 1:
		return ActSigned
	}
	return ActConfirmed
}

// Same reports whether a signature is for this very act.
func (a *Act) Same(s *ActSignature) bool {
	return a.At == s.At && a.Place == s.Place && a.Qualification == s.Qualification
}

// Has reports whether an officer's signature stands.
func (a *Act) Has(certificate string) bool {
	return slices.ContainsFunc(a.Signed, func(b SignedBy) bool { return strings.EqualFold(b.Certificate, certificate) })
}

// Takes reports whether a signature would stand: the first, one more for the same act, or the only signer's own for
// another one. A certificate, in either letter case, and an account sign once.
func (a *Act) Takes(s *ActSignature) bool {
	mine := func(b SignedBy) bool {
		return strings.EqualFold(b.Certificate, s.Certificate) || b.Account == s.Account
	}
	switch {
	case len(a.Signed) == 0:
		return true
	case a.Same(s):
		return !slices.ContainsFunc(a.Signed, mine)
	}
	return len(a.Signed) == 1 && strings.EqualFold(a.Signed[0].Certificate, s.Certificate) && a.Signed[0].Account == s.Account
}

// NewAct is the act as the count reads it; nil if nobody has signed.
func (a *Act) NewAct() *NewAct {
	if len(a.Signed) == 0 {
		return nil
	}
	n := &NewAct{At: a.At, Place: a.Place, TreatingConfirmed: true, Qualification: a.Qualification}
	for _, b := range a.Signed {
		n.Officers = append(n.Officers, b.Certificate)
	}
	return n
}

// actText is the payload (schemas/act.signed).
type actText struct {
	Ask           string          `json:"ask"`
	Member        record.MemberID `json:"member"`
	Account       string          `json:"account"`
	Certificate   string          `json:"cert_no"`
	At            string          `json:"act_at"`
	Place         string          `json:"act_place"`
	Qualification string          `json:"qualification_at_act"`
	Purpose       string          `json:"purpose"`
	WorkRef       workRefText     `json:"work_ref"`
	Signed        string          `json:"at"`
	Synthetic     bool            `json:"synthetic"`
}

type workRefText struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

// Draft makes the record of a signature that follows version after of its act; 0 = it is the first.
func (s *ActSignature) Draft(stream record.StreamID, after uint64, random io.Reader, synthetic bool) (record.Draft, error) {
	at := s.Signed.In(record.CivilZone)
	return actDraft(stream, TypeActSigned, s.Ask, at, after, random, actText{s.Ask.String(), stream.Member(), s.Account, s.Certificate, s.At.String(), s.Place,
		string(s.Qualification), s.Purpose, workRefText(s.WorkRef), at.Format(time.RFC3339), synthetic})
}

// actDraft makes a record of an act's subject.
func actDraft(stream record.StreamID, typ string, ask record.Bits128, at time.Time, after uint64, random io.Reader, payload any) (record.Draft, error) {
	d := record.Draft{Stream: stream, ID: ActID(ask), Type: typ, Schema: "1", Day: at.Format(time.DateOnly), Parts: map[record.PartName][]byte{}}
	if after > 0 {
		d.Refs = []record.Ref{{Rel: record.Follows, ID: d.ID, Version: after}}
		var err error
		if d.ID, err = record.NewBits128(random); err != nil {
			return d, err
		}
	}
	b, err := json.Marshal(payload)
	t, ok := schemas.Lookup(typ, "1")
	if err != nil || !ok {
		return d, fmt.Errorf("write %s: %w", typ, err)
	}
	if bad := t.Validate(b, d.Day); len(bad) > 0 {
		return d, fmt.Errorf("write %s: %s at %s", typ, bad[0].Code, bad[0].Pointer)
	}
	parts, err := t.Split(b)
	if err != nil {
		return d, fmt.Errorf("write %s: %w", typ, err)
	}
	for name, p := range parts {
		d.Parts[record.PartName(name)] = p
	}
	return d, nil
}

// FoldAct says what the records of an act's subject come to. It is pure, and the order of records plays no part. A record
// of another type, of another question, or for a place outside its bureau's county counts for nothing. After a restore the
// audit goes on in another stream: the records of all of them are one act.
func FoldAct(records []record.Stored) Act {
	var a Act
	sorted := slices.SortedStableFunc(slices.Values(records), func(x, y record.Stored) int {
		return cmp.Or(cmp.Compare(x.Stream.Number(), y.Stream.Number()), cmp.Compare(x.Seq, y.Seq))
	})
	for _, st := range sorted {
		if st.Meaning.IsZero() {
			continue
		}
		subject, version := st.Meaning.Subject()
		a.Last, a.Version = st.Stream, version // also of what counts for nothing: the next one follows it
		if w, ok := readWithdrawal(st); ok && ActID(w.Ask) == subject {
			a.withdraw(&w, st.Meaning.ID)
			continue
		}
		s, ok := readAct(st)
		if !ok || ActID(s.Ask) != subject {
			continue
		}
		a.Stream, a.Ask = st.Stream, s.Ask
		by := SignedBy{s.Account, s.Certificate, s.Signed, st.Meaning.ID}
		switch {
		case !a.Takes(&s):
			a.Passed = append(a.Passed, by)
			continue
		case !a.Same(&s):
			a.Passed, a.Signed = append(a.Passed, a.Signed...), nil
		}
		a.At, a.Place, a.Qualification = s.At, s.Place, s.Qualification
		a.Signed = append(a.Signed, by)
	}
	return a
}

// readAct reads one record; false if it is no signature that can count.
func readAct(st record.Stored) (ActSignature, bool) {
	if st.Meaning.Type != TypeActSigned || st.Unusable != "" || st.Stream.Kind() != record.Audit {
		return ActSignature{}, false
	}
	var t actText
	for _, p := range st.Parts {
		if p.Name == record.Body && p.State == record.PartPresent && json.Unmarshal(p.Bytes, &t) != nil {
			return ActSignature{}, false
		}
	}
	ask, err := record.ParseBits128(t.Ask)
	if err != nil {
		return ActSignature{}, false
	}
	day, err := identifier.ParseDate(t.At)
	q, known := ParseQualification(t.Qualification)
	if err != nil || !known || t.Account == "" || t.Certificate == "" || t.Member != st.Stream.Member() || !ActPlace(t.Member, t.Place) {
		return ActSignature{}, false
	}
	signed, err := time.Parse(time.RFC3339, t.Signed)
	s := ActSignature{Ask: ask, Account: t.Account, Certificate: t.Certificate, At: day, Place: t.Place, Qualification: q, Purpose: t.Purpose, Signed: signed}
	s.WorkRef.Kind, s.WorkRef.Number = t.WorkRef.Kind, t.WorkRef.Number
	return s, err == nil
}

// Accounts are those whose signature stands.
func (a *Act) Accounts() []string {
	var out []string
	for _, b := range a.Signed {
		out = append(out, b.Account)
	}
	return out
}

// ProjectAct is the read model of an act; false if the records are of something else.
func ProjectAct(records []record.Stored) (state workflow.State, version uint64, ok bool) {
	if len(records) == 0 || records[0].Meaning.Type != TypeActSigned && records[0].Meaning.Type != TypeActWithdrawn {
		return "", 0, false
	}
	a := FoldAct(records)
	state = a.State()
	if state == "" && records[0].Meaning.Type == TypeActWithdrawn {
		state = ActWithdrawn // what was signed stands in an older stream
	}
	return state, a.Version, state != ""
}
