package client

import (
	"context"
	"net/http"
	"net/url"
)

// OfficerRow is a line of a certificate roster and what it does.
type OfficerRow struct {
	Row         int           `json:"row"`
	State       string        `json:"state"` // ok, warning, problem, skipped
	Certificate string        `json:"certificate,omitempty"`
	ValidUntil  string        `json:"valid_until,omitempty"` // last civil day
	Account     string        `json:"account,omitempty"`     // sign-in name
	Done        string        `json:"done,omitempty"`        // created, updated, unchanged, passed
	Link        string        `json:"link,omitempty"`        // secret of a new account's one-time link; shown once
	Issues      []ImportIssue `json:"issues"`
}

// Officers is what a certificate roster did, or would do.
type Officers struct {
	FileHash  string       `json:"file_hash"` // SHA-256, hex
	DryRun    bool         `json:"dry_run"`
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Unchanged int          `json:"unchanged"`
	Problems  int          `json:"problems"` // rows that stayed out
	Rows      []OfficerRow `json:"rows"`
	Absent    []string     `json:"absent"` // accounts with a certificate that the roster does not name
}

// ImportOfficers lets accounts follow a certificate roster 执法证名册, .xlsx or CSV; dry changes nothing. encoding is of a text
// file; empty: it is found out.
func (d *Desk) ImportOfficers(ctx context.Context, file []byte, encoding string, dry bool) (Officers, error) {
	q := url.Values{}
	if encoding != "" {
		q.Set("encoding", encoding)
	}
	if dry {
		q.Set("dry_run", "true")
	}
	token, err := d.token(ctx)
	if err != nil {
		return Officers{}, err
	}
	var out Officers
	err = d.transfer(ctx, token, http.MethodPost, "/api/v1/officers?"+q.Encode(), "application/octet-stream", "", file, &out)
	return out, err
}

// OfficersCopy returns the roster that is handed in, with a column of reasons and bad cells marked.
func (d *Desk) OfficersCopy(ctx context.Context, file []byte, encoding string) ([]byte, error) {
	q := url.Values{}
	if encoding != "" {
		q.Set("encoding", encoding)
	}
	return d.download(ctx, http.MethodPost, "/api/v1/officers/copy?"+q.Encode(), "application/octet-stream", file)
}

// OfficersTemplate returns an empty roster.
func (d *Desk) OfficersTemplate(ctx context.Context) ([]byte, error) {
	return d.download(ctx, http.MethodGet, "/api/v1/officers/template", "", nil)
}
