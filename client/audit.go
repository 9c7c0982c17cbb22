package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pilinhub/pilin/record"
)

// Lookup is one audit record of a look-up: a question of the bureau's people, what it came to, an answer that the node
// gave, or an export of own records. What was asked for is not in it.
type Lookup struct {
	Record    string            `json:"record"`
	Kind      string            `json:"kind"` // asked, outcome, answered, exported
	Ask       string            `json:"ask,omitempty"`
	At        string            `json:"at"`
	Member    record.MemberID   `json:"member,omitempty"`
	Account   string            `json:"account,omitempty"`
	CertNo    string            `json:"cert_no,omitempty"`
	Purpose   string            `json:"purpose,omitempty"`
	WorkRef   *WorkRef          `json:"work_ref,omitempty"`
	QueryKind []string          `json:"query_kind,omitempty"`
	Scope     []record.MemberID `json:"scope,omitempty"`
	Refused   string            `json:"refused,omitempty"`
	State     string            `json:"state,omitempty"`
	Shown     []ShownRecord     `json:"shown,omitempty"`
	Outcome   string            `json:"outcome,omitempty"`
	Answered  int               `json:"answered,omitzero"`
	Total     int               `json:"total,omitzero"`

	// Of an export: record type, format, the days that it was narrowed to, records in the file, SHA-256 of the file.
	Type     string `json:"type,omitempty"`
	Format   string `json:"format,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Rows     int    `json:"rows,omitzero"`
	FileHash string `json:"file_hash,omitempty"`
}

// ShownRecord is an own record that an answer showed.
type ShownRecord struct {
	Record  string `json:"record"`
	Level   string `json:"level"`
	Outcome string `json:"outcome,omitempty"`
}

// LookupFilter chooses audit records; empty fields choose all.
type LookupFilter struct {
	Account, Ask, Record string
	From, To             string // civil days, both included
	Limit                int    // of a page, at most 200; 0 = 50
	Cursor               string // of the page before
}

// Lookups reads a page of the audit log of look-ups, newest first. next is the cursor of the page after it, empty on the
// last; a page may be empty without being the last.
func (d *Desk) Lookups(ctx context.Context, f LookupFilter) (rows []Lookup, next string, err error) {
	q := url.Values{}
	for name, v := range map[string]string{"account": f.Account, "ask": f.Ask, "record": f.Record, "from": f.From, "to": f.To, "cursor": f.Cursor} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	var page struct {
		Rows []Lookup `json:"rows"`
		Next string   `json:"next"`
	}
	err = d.call(ctx, http.MethodGet, "/api/v1/audit/lookups?"+q.Encode(), "", nil, &page)
	return page.Rows, page.Next, err
}
