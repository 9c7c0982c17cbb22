package transfer

import (
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// TypeActWithdrawn is the record by which signatures under an act are taken back (ADR 9).
const TypeActWithdrawn = "act.withdrawn"

// ActWithdrawal 撤回签认 takes signatures back. What was signed stays in the log; it counts no more.
type ActWithdrawal struct {
	Ask         record.Bits128
	Account     string
	Certificate string // of a signer
	// Review: by a legal reviewer who signed nothing of it, who ends the act at once. Otherwise a signer, for himself: the act
	// ends when every signer has, so that nobody undoes alone what another signed too.
	Review bool
	Reason string // 4 to 200 characters, without identifiers
	At     time.Time
}

// WithdrawnBy is one withdrawal that counts.
type WithdrawnBy struct {
	Account     string
	Certificate string
	Review      bool
	Reason      string
	At          time.Time
	Record      record.RecordID
}

// Takes reports whether a withdrawal would change anything: see ActWithdrawal.
func (w *ActWithdrawal) Takes(a *Act) bool {
	if w.Review {
		return len(a.Signed) > 0 && !slices.ContainsFunc(a.Signed, func(b SignedBy) bool { return b.Account == w.Account })
	}
	return slices.ContainsFunc(a.Signed, func(b SignedBy) bool { return b.Account == w.Account && b.Certificate == w.Certificate }) &&
		!slices.ContainsFunc(a.Leaving, func(b WithdrawnBy) bool { return b.Account == w.Account })
}

func (a *Act) withdraw(w *ActWithdrawal, id record.RecordID) {
	if !w.Takes(a) {
		return
	}
	a.Leaving = append(a.Leaving, WithdrawnBy{w.Account, w.Certificate, w.Review, w.Reason, w.At, id})
	if !w.Review && len(a.Leaving) < len(a.Signed) {
		return
	}
	a.Passed, a.Withdrawn = append(a.Passed, a.Signed...), append(a.Withdrawn, a.Leaving...)
	a.Signed, a.Leaving = nil, nil
}

// withdrawnText is the payload (schemas/act.withdrawn).
type withdrawnText struct {
	Ask         string          `json:"ask"`
	Member      record.MemberID `json:"member"`
	Account     string          `json:"account"`
	Certificate string          `json:"cert_no,omitempty"`
	As          string          `json:"as"`
	Reason      string          `json:"reason"`
	At          string          `json:"at"`
	Synthetic   bool            `json:"synthetic"`
}

// Draft makes the record of a withdrawal that follows version after of its act in this stream; 0 = it is the first there.
func (w *ActWithdrawal) Draft(stream record.StreamID, after uint64, random io.Reader, synthetic bool) (record.Draft, error) {
	at, as := w.At.In(record.CivilZone), "signer"
	if w.Review {
		as = "legal_reviewer"
	}
	return actDraft(stream, TypeActWithdrawn, w.Ask, at, after, random,
		withdrawnText{w.Ask.String(), stream.Member(), w.Account, w.Certificate, as, w.Reason, at.Format(time.RFC3339), synthetic})
}

// readWithdrawal reads one record; false if it is no withdrawal that can count.
func readWithdrawal(st record.Stored) (ActWithdrawal, bool) {
	if st.Meaning.Type != TypeActWithdrawn || st.Unusable != "" || st.Stream.Kind() != record.Audit {
		return ActWithdrawal{}, false
	}
	var t withdrawnText
	for _, p := range st.Parts {
		if p.Name == record.Body && p.State == record.PartPresent && json.Unmarshal(p.Bytes, &t) != nil {
			return ActWithdrawal{}, false
		}
	}
	ask, err := record.ParseBits128(t.Ask)
	if err != nil || t.Account == "" || t.Member != st.Stream.Member() {
		return ActWithdrawal{}, false
	}
	at, err := time.Parse(time.RFC3339, t.At)
	return ActWithdrawal{Ask: ask, Account: t.Account, Certificate: t.Certificate, Review: t.As == "legal_reviewer", Reason: t.Reason, At: at}, err == nil
}
