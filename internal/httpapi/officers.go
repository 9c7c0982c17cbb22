package httpapi

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
)

// RosterFile is a certificate roster as the whole body.
type RosterFile struct {
	Sheet    string `query:"sheet" maxLength:"64" doc:"Absent = the first visible sheet"`
	Encoding string `query:"encoding" enum:"utf-8,gbk,gb18030,utf-16le,utf-16be" doc:"Of a text file; absent = found out"`
	RawBody  []byte `contentType:"application/octet-stream"`
}

type officersIn struct {
	DryRun bool `query:"dry_run" doc:"Change nothing, tell what would be done"`
	RosterFile
}

// OfficerRow is a line of a certificate roster and what it does. The person's name is not in it: no account holds one.
type OfficerRow struct {
	Row         int           `json:"row" doc:"As the spreadsheet program numbers it"`
	State       string        `json:"state" enum:"ok,warning,problem,skipped"`
	Certificate string        `json:"certificate,omitempty" doc:"执法证号"`
	ValidUntil  string        `json:"valid_until,omitempty" doc:"Last civil day of the certificate"`
	Account     string        `json:"account,omitempty" doc:"Sign-in name"`
	Done        string        `json:"done,omitempty" enum:"created,updated,unchanged,passed" doc:"passed: no account, because the certificate has expired"`
	Link        string        `json:"link,omitempty" doc:"Secret of a new account's one-time link; shown once, for 72 hours"`
	Issues      []ImportIssue `json:"issues"`
}

// OfficersBody is what a certificate roster did, or would do.
type OfficersBody struct {
	FileHash  string       `json:"file_hash" doc:"SHA-256"`
	DryRun    bool         `json:"dry_run"`
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Unchanged int          `json:"unchanged"`
	Problems  int          `json:"problems" doc:"Rows that stayed out; the others went in"`
	Rows      []OfficerRow `json:"rows"`
	Absent    []string     `json:"absent" doc:"Accounts with a certificate that the roster does not name, by sign-in name; they stay as they are"`
}

type officersOut struct{ Body OfficersBody }

func (h *people) officerRoutes(api huma.API) {
	op := func(id, method, path, summary string) huma.Operation {
		o := h.op(api, auth.Administer, id, method, "officers"+path, summary, http.StatusOK)
		o.Tags = []string{"accounts"}
		return o
	}
	up := op("import-officers", http.MethodPost, "", "Let accounts follow the certificate roster 导入执法证名册")
	up.Description = "Rows without a problem are taken, the others are told. An account whose certificate has expired loses the officer's rights and its certificate number by itself on the day after; the same roster a second time changes nothing."
	up.MaxBodyBytes = maxUpload
	register(api, up, h.importOfficers)
	back := op("copy-officers", http.MethodPost, "/copy", "The roster itself, with a column of reasons and bad cells marked 退回件")
	back.MaxBodyBytes = maxUpload
	register(api, answering(back, "The file", mimeXLSX, "text/csv"), h.copyOfficers)
	register(api, answering(op("officers-template", http.MethodGet, "/template", "Empty roster 执法证名册模板"), "The workbook", mimeXLSX), func(context.Context, *nothing) (*fileOut, error) {
		var b bytes.Buffer
		err := sheets.Template(&b, sheets.TypeOfficers)
		return &fileOut{mimeXLSX, attachment("template-officers", true), b.Bytes()}, err
	})
}

// roster is a certificate roster that was read, with what it does.
type roster struct {
	file   *sheets.File
	survey *sheets.Survey
	lines  []sheets.Officer
	body   OfficersBody
}

// follow reads a roster and lets accounts follow it, or tells what that would do.
func (h *people) follow(ctx context.Context, in *RosterFile, dry bool) (*roster, error) {
	f, err := sheets.Open(in.RawBody, in.Encoding)
	if err != nil {
		return nil, err
	}
	r := &roster{file: f, body: OfficersBody{FileHash: hex.EncodeToString(f.Hash[:]), DryRun: dry, Rows: []OfficerRow{}}}
	if r.survey, err = f.Look(sheets.TypeOfficers, in.Sheet); err != nil {
		return nil, err
	}
	if r.lines, err = f.Officers(r.survey, record.CivilDay(h.Now())); err != nil {
		return nil, err
	}
	var good []auth.Certified
	for i := range r.lines {
		if l := &r.lines[i]; l.Taken() {
			good = append(good, auth.Certified{Certificate: l.Certificate, Until: l.Until, Account: l.Account, Unit: l.Unit})
		}
	}
	done, absent, err := h.People.Enrol(ctx, principalOf(ctx).Account, good, r.body.FileHash, dry)
	if err != nil {
		return nil, err
	}
	r.body.Absent = append([]string{}, absent...)
	for i := range r.lines {
		l := &r.lines[i]
		row := OfficerRow{Row: l.Row}
		if l.Taken() {
			e := &done[0]
			done = done[1:]
			row.Certificate, row.ValidUntil, row.Account, row.Done, row.Link = l.Certificate, l.Until, e.Account, string(e.Done), e.Link
			if e.Fault != "" {
				l.Blame(r.survey, e.Fault)
				row.Done = ""
			}
		}
		row.State, row.Issues = string(l.State), issueTexts(l.Issues)
		r.count(&row)
	}
	return r, nil
}

func (r *roster) count(row *OfficerRow) {
	b := &r.body
	b.Rows = append(b.Rows, *row)
	switch auth.Enrolled(row.Done) {
	case auth.EnrolledNew:
		b.Created++
	case auth.EnrolledChanged:
		b.Updated++
	case auth.EnrolledUnchanged:
		b.Unchanged++
	default:
		if row.State == string(sheets.RowProblem) {
			b.Problems++
		}
	}
}

func (h *people) importOfficers(ctx context.Context, in *officersIn) (*officersOut, error) {
	r, err := h.follow(ctx, &in.RosterFile, in.DryRun)
	if err != nil {
		return nil, err
	}
	return &officersOut{r.body}, nil
}

func (h *people) copyOfficers(ctx context.Context, in *RosterFile) (*fileOut, error) {
	r, err := h.follow(ctx, in, true)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = r.file.Copy(&b, r.survey, func(row int) (sheets.RowState, []sheets.Issue) {
		i := slices.IndexFunc(r.lines, func(o sheets.Officer) bool { return o.Row == row })
		if i < 0 {
			return "", nil
		}
		return r.lines[i].State, r.lines[i].Issues
	})
	if err != nil {
		return nil, err
	}
	if r.file.Workbook() {
		return &fileOut{mimeXLSX, attachment("checked-officers", true), b.Bytes()}, nil
	}
	return &fileOut{"text/csv; charset=" + r.file.Encoding, attachment("checked-officers", false), b.Bytes()}, nil
}
