package blacklist

import (
	"context"

	"github.com/go-json-experiment/json"
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
	return r.take(ctx, req, TypeLink, change{on: on, event: EventWithdraw, Change: c, ends: true})
}
