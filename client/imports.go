package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// maxFile bounds what a Desk reads of a file that comes back; a copy with its reasons is larger than what was handed in.
const maxFile = 64 << 20

// Profile 列映射 says how the columns of a spreadsheet are read.
type Profile struct {
	ID             string            `json:"id,omitempty"` // of a saved one
	Name           string            `json:"name"`
	Type           string            `json:"type"`                // penalty, blacklist.person or duty_roster
	Columns        map[string]string `json:"columns,omitempty"`   // heading → pointer of the field; empty: not read
	Constants      map[string]string `json:"constants,omitempty"` // pointer → value for all rows
	Intake         string            `json:"intake,omitempty"`    // history or live
	Sheet          string            `json:"sheet,omitempty"`
	Encoding       string            `json:"encoding,omitempty"`
	HiddenRows     bool              `json:"hidden_rows,omitzero"`
	ValidMonths    int               `json:"valid_months,omitzero"`
	RetentionYears int               `json:"retention_years,omitzero"`
}

// Import is a spreadsheet on its way into the register.
type Import struct {
	ID       string       `json:"id"`
	FileHash string       `json:"file_hash"` // SHA-256, hex
	At       time.Time    `json:"at"`
	By       string       `json:"by"`
	Profile  Profile      `json:"profile"`
	Survey   Survey       `json:"survey"`
	Missing  []string     `json:"missing"` // fields that every record needs and that nothing gives
	Work     Work         `json:"work"`
	Counts   ImportCounts `json:"counts"`
	Batch    []Signed     `json:"batch"`
	Erased   bool         `json:"erased"`   // a record that it made was erased, and the file with it
	Repeated bool         `json:"repeated"` // the file was known; nothing changed
}

// Survey is what one look at a sheet told.
type Survey struct {
	Sheet  string `json:"sheet"`
	Sheets []struct {
		Name   string `json:"name"`
		Hidden bool   `json:"hidden"`
	} `json:"sheets"`
	Encoding    string `json:"encoding"`
	HeaderRow   int    `json:"header_row"`
	HeaderRows  int    `json:"header_rows"`
	Rows        int    `json:"rows"`
	HiddenRows  int    `json:"hidden_rows"`
	MergedCells int    `json:"merged_cells"`
	Columns     []struct {
		Column  string `json:"column"`
		Heading string `json:"heading"`
		Field   string `json:"field"`
	} `json:"columns"`
}

// Work is what is being done with an import, or was last.
type Work struct {
	Step  string `json:"step"`  // check, commit, approve, return, publish
	State string `json:"state"` // running, done, failed, interrupted
	Done  int    `json:"done"`  // rows
	Total int    `json:"total"`
	Code  string `json:"code"`
}

// ImportCounts are rows by what is said of them and how far they have come.
type ImportCounts struct {
	OK        int `json:"ok"`
	Warning   int `json:"warning"`
	Problem   int `json:"problem"`
	Skipped   int `json:"skipped"`
	Known     int `json:"known"`
	Submitted int `json:"submitted"`
	Approved  int `json:"approved"`
	Published int `json:"published"`
	Returned  int `json:"returned"`
}

// Signed is a step that somebody took with a batch.
type Signed struct {
	Step     string    `json:"step"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	FileHash string    `json:"file_hash"`
	Rows     int       `json:"rows"`
	Warnings []int     `json:"warnings"`
}

// ImportRow is a row with reason and advice.
type ImportRow struct {
	Row    int           `json:"row"`
	State  string        `json:"state"` // ok, warning, problem, skipped
	Step   string        `json:"step"`
	Draft  string        `json:"draft"`
	Record string        `json:"record"`
	Gaps   int           `json:"gaps"`
	Issues []ImportIssue `json:"issues"`
}

// ImportIssue is one thing to say about a row.
type ImportIssue struct {
	Column   string `json:"column"`
	Heading  string `json:"heading"`
	Pointer  string `json:"pointer"`
	Code     string `json:"code"`
	Warning  bool   `json:"warning"`
	Detail   string `json:"detail"`
	DetailEn string `json:"detail_en"`
	Advice   string `json:"advice"`
	AdviceEn string `json:"advice_en"`
}

// Review is what a person says that he has before him when he takes a step with a batch.
type Review struct {
	FileHash string `json:"file_hash"`
	Rows     int    `json:"rows"`
	Warnings []int  `json:"warnings,omitempty"` // rows with warnings, ascending; of an approval
	Reason   string `json:"reason,omitempty"`   // of a return
}

// GapLine is a line of the list 待补齐.
type GapLine struct {
	Import string `json:"import"`
	Row    int    `json:"row"`
	ID     string `json:"id"`
	Stage  string `json:"stage"`
	Type   string `json:"type"`
	Gaps   []struct {
		Pointer string `json:"pointer"`
		Title   string `json:"title"`
		Reason  string `json:"reason"`
	} `json:"gaps"`
}

// KnownRow is what the federation says of a row's person.
type KnownRow struct {
	Row      int      `json:"row"`
	Ask      string   `json:"ask"`
	Outcome  string   `json:"outcome"`
	Answered int      `json:"answered"`
	Total    int      `json:"total"`
	Members  []string `json:"members"`
}

// Export is what of the own records is written as a spreadsheet.
type Export struct {
	Type    string  `json:"type"`             // penalty or blacklist.person
	Format  string  `json:"format,omitempty"` // xlsx or csv
	From    string  `json:"from,omitempty"`
	To      string  `json:"to,omitempty"`
	Purpose string  `json:"purpose"`
	WorkRef WorkRef `json:"work_ref"`
}

// UploadImport hands a spreadsheet in: the node checks it in the background and writes nothing. profile is the id of a saved
// profile; typ is used without one.
func (d *Desk) UploadImport(ctx context.Context, file []byte, typ, profile string) (Import, error) {
	q := url.Values{}
	if profile != "" {
		q.Set("profile", profile)
	} else if typ != "" {
		q.Set("type", typ)
	}
	token, err := d.token(ctx)
	if err != nil {
		return Import{}, err
	}
	var out Import
	err = d.transfer(ctx, token, http.MethodPost, "/api/v1/imports?"+q.Encode(), "application/octet-stream", "", file, &out)
	return out, err
}

// Import reads an import as it stands.
func (d *Desk) Import(ctx context.Context, id string) (Import, error) {
	var out Import
	err := d.call(ctx, http.MethodGet, "/api/v1/imports/"+id, "", nil, &out)
	return out, err
}

// Imports lists imports, newest first.
func (d *Desk) Imports(ctx context.Context) ([]Import, error) {
	var a struct {
		Imports []Import `json:"imports"`
	}
	err := d.call(ctx, http.MethodGet, "/api/v1/imports", "", nil, &a)
	return a.Imports, err
}

// pollEvery is how often WaitImport looks.
const pollEvery = 300 * time.Millisecond

// WaitImport reads an import until nothing is being done with it; see is called each time and may be nil.
func (d *Desk) WaitImport(ctx context.Context, id string, see func(Work)) (Import, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		imp, err := d.Import(ctx, id)
		if err != nil {
			return imp, err
		}
		if see != nil {
			see(imp.Work)
		}
		if imp.Work.State != "running" {
			return imp, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return imp, ctx.Err()
		}
	}
}

// ImportRows returns all rows in a state and step; empty selects all.
func (d *Desk) ImportRows(ctx context.Context, id, state, step string) ([]ImportRow, error) {
	var all []ImportRow
	for after := 0; ; {
		q := url.Values{"limit": {"500"}, "after": {strconv.Itoa(after)}}
		if state != "" {
			q.Set("state", state)
		}
		if step != "" {
			q.Set("step", step)
		}
		var a struct {
			Rows []ImportRow `json:"rows"`
			Next int         `json:"next"`
		}
		if err := d.call(ctx, http.MethodGet, "/api/v1/imports/"+id+"/rows?"+q.Encode(), "", nil, &a); err != nil {
			return nil, err
		}
		all = append(all, a.Rows...)
		if after = a.Next; after == 0 {
			return all, nil
		}
	}
}

// CommitImport makes drafts of the good rows, or of those chosen, and hands them to the reviewer as one batch.
func (d *Desk) CommitImport(ctx context.Context, id string, rows ...int) (Import, error) {
	var out Import
	err := d.call(ctx, http.MethodPost, "/api/v1/imports/"+id+"/commit", "", struct {
		All  bool  `json:"all,omitzero"`
		Rows []int `json:"rows,omitempty"`
	}{len(rows) == 0, rows}, &out)
	return out, err
}

// StepImport takes a step with a batch: approve, return, publish.
func (d *Desk) StepImport(ctx context.Context, id, step string, seen Review) (Import, error) {
	var out Import
	err := d.call(ctx, http.MethodPost, "/api/v1/imports/"+id+"/"+step, "", seen, &out)
	return out, err
}

// AskImport asks the federation about the persons of rows, at most twenty at a time.
func (d *Desk) AskImport(ctx context.Context, id string, rows []int, purpose string, ref WorkRef) ([]KnownRow, error) {
	var a struct {
		Rows []KnownRow `json:"rows"`
	}
	err := d.call(ctx, http.MethodPost, "/api/v1/imports/"+id+"/known", "", struct {
		Rows    []int   `json:"rows"`
		Purpose string  `json:"purpose"`
		WorkRef WorkRef `json:"work_ref"`
	}{rows, purpose, ref}, &a)
	return a.Rows, err
}

// Gaps returns one page of the list 待补齐 and the cursor of the next; an empty cursor begins, and ends.
func (d *Desk) Gaps(ctx context.Context, cursor string) ([]GapLine, string, error) {
	var a struct {
		Lines []GapLine `json:"lines"`
		Next  string    `json:"next"`
	}
	path := "/api/v1/import-gaps"
	if cursor != "" {
		path += "?after=" + url.QueryEscape(cursor)
	}
	err := d.call(ctx, http.MethodGet, path, "", nil, &a)
	return a.Lines, a.Next, err
}

// SaveProfile keeps a profile under its name and returns it with its id.
func (d *Desk) SaveProfile(ctx context.Context, p Profile) (Profile, error) {
	p.ID = ""
	var out Profile
	err := d.call(ctx, http.MethodPost, "/api/v1/import-profiles", "", p, &out)
	return out, err
}

// ReadProfile reads a profile from JSON, strictly.
func ReadProfile(b []byte) (Profile, error) {
	var p Profile
	if err := json.Unmarshal(b, &p, json.RejectUnknownMembers(true)); err != nil {
		return p, fmt.Errorf("read profile: %w", err)
	}
	return p, nil
}

// Profiles lists the saved profiles.
func (d *Desk) Profiles(ctx context.Context) ([]Profile, error) {
	var a struct {
		Profiles []Profile `json:"profiles"`
	}
	err := d.call(ctx, http.MethodGet, "/api/v1/import-profiles", "", nil, &a)
	return a.Profiles, err
}

// ImportCopy returns the file that was handed in, with a column of reasons and bad cells marked.
func (d *Desk) ImportCopy(ctx context.Context, id string) ([]byte, error) {
	return d.download(ctx, http.MethodGet, "/api/v1/imports/"+id+"/copy", "", nil)
}

// ImportTemplate returns an empty workbook of a type.
func (d *Desk) ImportTemplate(ctx context.Context, typ string) ([]byte, error) {
	return d.download(ctx, http.MethodGet, "/api/v1/import-template?type="+url.QueryEscape(typ), "", nil)
}

// ExportList returns own records as a spreadsheet.
func (d *Desk) ExportList(ctx context.Context, e Export) ([]byte, error) {
	b, err := encode(e)
	if err != nil {
		return nil, err
	}
	return d.download(ctx, http.MethodPost, "/api/v1/exports", "application/json", b)
}

func (d *Desk) download(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	token, err := d.token(ctx)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", route(path), err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := d.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reach the node: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		p, err := readProblem(res)
		if err != nil {
			return nil, fmt.Errorf("status %d of %s: %w", res.StatusCode, route(path), err)
		}
		return nil, p
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxFile+1))
	if err != nil || len(b) > maxFile {
		return nil, fmt.Errorf("read answer of %s: broken off or too large", route(path))
	}
	return b, nil
}
