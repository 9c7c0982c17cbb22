package blacklist

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// Document is a numbered identity document as a link states it. Its number is as written.
type Document struct {
	Type    string `json:"id_type"`
	No      string `json:"id_no"`
	Country string `json:"id_country"`
}

// Link 身份关联 is evidence in force that two documents are one person's (domain.md §6.2, R1L).
type Link struct {
	A, B     Document
	Reviewer string // account of the legal reviewer who approved it
}

// EvidenceFor returns the entry of a subject if it is a link in force that day, own or another member's, and its Link. False,
// which is no error, for anything else; whatever is no link is not folded.
func (r *Register) EvidenceFor(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (Entry, Link, bool, error) {
	records, err := r.Log.Subject(ctx, s, subject)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return Entry{}, Link{}, false, nil
	case err != nil:
		return Entry{}, Link{}, false, fmt.Errorf("read subject %s of %s: %w", subject, s, err)
	case !slices.ContainsFunc(records, func(st record.Stored) bool { return st.Meaning.Type == TypeLink }):
		return Entry{}, Link{}, false, nil
	}
	e, err := Fold(records, asOf)
	if errors.Is(err, ErrNothing) || errors.Is(err, ErrOtherType) {
		return Entry{}, Link{}, false, nil
	}
	l, ok := e.Link()
	return e, l, ok, err
}

// Link returns the link of an entry, as of the day for which the entry was folded. False if the entry is none, is not in
// force (withdrawn: as if it had never been), names no reviewer, or if its body is not here.
func (e *Entry) Link() (Link, bool) {
	if e.Type != TypeLink || e.State != Published {
		return Link{}, false
	}
	m := members(e.Parts)
	l := Link{Reviewer: readMembers(m).ReviewedBy.User}
	if json.Unmarshal(m["a"], &l.A) != nil || json.Unmarshal(m["b"], &l.B) != nil || l.Reviewer == "" {
		return Link{}, false
	}
	return l, true
}

// WithdrawLink ends a link at once, with a reason code of identity.withdrawal. Its content is deleted at every other
// member and every count is as if it had never been; there is no undo, and a new link may be published.
func (r *Register) WithdrawLink(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return r.take(ctx, req, only(TypeLink), change{on: on, event: EventWithdraw, Change: c, ends: true})
}
