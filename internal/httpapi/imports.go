package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// Paths that take files; nothing else of this listener does.
const (
	importsPath      = "/api/v1/imports"
	officersPath     = "/api/v1/officers"
	officersCopyPath = officersPath + "/copy"
)

// takesFile reports whether a path takes a file as its whole body.
func takesFile(path string) bool {
	return path == importsPath || path == officersPath || path == officersCopyPath
}

// maxUpload is a file and, in a form, what stands around it.
const maxUpload = sheets.MaxFile + 64<<10

// mimeXLSX is the media type of a workbook.
const mimeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// fileTypes are the media types in which a file may come as the whole body. What it is, its bytes say.
var fileTypes = []string{"application/octet-stream", "text/csv", "text/plain", "application/vnd.ms-excel", mimeXLSX}

// isUpload reports a request whose body is a file.
func isUpload(r *http.Request) bool { return r.Method == http.MethodPost && takesFile(r.URL.Path) }

// uploadType reports whether a file may come in this media type.
func uploadType(values []string) bool {
	if len(values) != 1 {
		return false
	}
	t, params, err := mime.ParseMediaType(values[0])
	return err == nil && (slices.Contains(fileTypes, t) || t == "multipart/form-data" && params["boundary"] != "")
}

type uploadIn struct {
	Type        string `query:"type" enum:"penalty,blacklist.person,duty_roster" default:"penalty" doc:"What the rows are, without a profile"`
	Profile     string `query:"profile" pattern:"^[0-9a-f]{32}$" doc:"Id of a saved profile; a form may bring one in its part profile instead"`
	ContentType string `header:"Content-Type"`
	RawBody     []byte `contentType:"application/octet-stream"`
}

type importOut struct{ Body sheets.Import }

type importsOut struct {
	Body struct {
		Imports []sheets.Import `json:"imports"`
	}
}

type importIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
}

type importRowsIn struct {
	ID    string `path:"id" pattern:"^[0-9a-f]{32}$"`
	State string `query:"state" enum:"ok,warning,problem,skipped" doc:"Only rows of this state"`
	Step  string `query:"step" enum:"known,part,submitted,approved,published,returned" doc:"Only rows that have come so far"`
	After int    `query:"after" minimum:"0" doc:"Rows below this one"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// ImportRow is a row of a file with what is said of it. Nothing of its content is repeated.
type ImportRow struct {
	Row    int           `json:"row" doc:"As the spreadsheet program numbers it"`
	State  string        `json:"state" enum:"ok,warning,problem,skipped"`
	Step   string        `json:"step,omitempty" enum:"known,part,submitted,approved,published,returned" doc:"part: of the record that an earlier row carries, as a shift of a week's roster"`
	Draft  string        `json:"draft,omitempty"`
	Record string        `json:"record,omitempty" doc:"Subject that it was published as"`
	Gaps   int           `json:"gaps,omitzero" doc:"Nulls that 待补齐 lists"`
	Issues []ImportIssue `json:"issues"`
}

// ImportIssue is one thing to say about a row, with advice.
type ImportIssue struct {
	sheets.Issue
	Detail   string `json:"detail" doc:"In Chinese"`
	DetailEn string `json:"detail_en" doc:"In English"`
	Advice   string `json:"advice,omitempty" doc:"What to do, in Chinese"`
	AdviceEn string `json:"advice_en,omitempty" doc:"What to do, in English"`
}

type importRowsOut struct {
	Body struct {
		Rows []ImportRow `json:"rows"`
		Next int         `json:"next,omitzero" doc:"The after of the next page; absent on the last"`
	}
}

type commitIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		All  bool  `json:"all,omitzero" doc:"Every row without a problem"`
		Rows []int `json:"rows,omitempty" maxItems:"50000" doc:"Or these"`
	}
}

type batchIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body sheets.Review
}

type profileIn struct{ Body sheets.Profile }

// SavedProfile is a profile with the id that an upload names it by: a name may not stand in a URL.
type SavedProfile struct {
	ID string `json:"id"`
	sheets.Profile
}

type profileOut struct{ Body SavedProfile }

type profilesOut struct {
	Body struct {
		Profiles []SavedProfile `json:"profiles"`
	}
}

type gapsIn struct {
	After string `query:"after" pattern:"^[0-9a-f]{32}\\.[0-9]{1,7}$" doc:"The next of the answer before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type gapsOut struct {
	Body struct {
		Lines []sheets.MissingLine `json:"lines"`
		Next  string               `json:"next,omitempty"`
	}
}

type fileOut struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (h *people) importRoutes(api huma.API) {
	op := func(act auth.Act, name, method, path, summary string, status int) huma.Operation {
		o := h.op(api, act, name, method, path, summary, status)
		o.Tags = []string{"imports"}
		if strings.HasPrefix(path, "imports/{id}") {
			o = h.ofOwnUnits(api, o, h.reachesImport)
		}
		return o
	}
	up := op(auth.Draft, "upload-import", http.MethodPost, "imports", "Hand in a spreadsheet: it is checked, nothing is written 导入试算", http.StatusAccepted)
	up.MaxBodyBytes = maxUpload
	register(api, up, h.upload)
	register(api, op(auth.ListOwn, "list-imports", http.MethodGet, "imports", "Imports, newest first 导入列表", http.StatusOK), func(ctx context.Context, _ *nothing) (*importsOut, error) {
		who := principalOf(ctx)
		within, err := h.reach(ctx, who)
		if err != nil {
			return nil, err
		}
		all, err := h.Intake.Imports(ctx, maxImports)
		out := &importsOut{}
		out.Body.Imports = append([]sheets.Import{}, slices.DeleteFunc(all, func(imp sheets.Import) bool { return imp.By != who.Account && !within(imp.Unit) })...)
		return out, err
	})
	register(api, op(auth.ListOwn, "read-import", http.MethodGet, "imports/{id}", "An import and how far it has come 查看导入", http.StatusOK), func(ctx context.Context, in *importIn) (*importOut, error) {
		return importAnswer(h.Intake.Import(ctx, in.ID))
	})
	register(api, op(auth.ListOwn, "list-import-rows", http.MethodGet, "imports/{id}/rows", "Rows with reason and advice 逐行结果", http.StatusOK), h.importRows)
	register(api, op(auth.ListOwn, "import-gaps", http.MethodGet, "import-gaps", "What old papers do not say: the list 待补齐", http.StatusOK), h.gaps)
	h.knownRoute(api)
	copied := op(auth.Draft, "copy-import", http.MethodGet, "imports/{id}/copy", "The file itself, with a column of reasons and bad cells marked 退回件", http.StatusOK)
	register(api, answering(copied, "The file", mimeXLSX, "text/csv"), h.importCopy)
	register(api, op(auth.Draft, "commit-import", http.MethodPost, "imports/{id}/commit", "Make drafts of all good rows or of chosen ones, and hand them to the reviewer as one batch 提交批次", http.StatusAccepted),
		func(ctx context.Context, in *commitIn) (*importOut, error) {
			if in.Body.All == (len(in.Body.Rows) > 0) {
				return nil, violations([]schemas.Violation{{Pointer: "/rows", Code: "invalid"}})
			}
			who := principalOf(ctx)
			within, err := h.reach(ctx, who)
			if err != nil {
				return nil, err
			}
			return importAnswer(h.Intake.Commit(ctx, actor(who), within, in.ID, in.Body.Rows))
		})
	register(api, op(auth.Review, "approve-import", http.MethodPost, "imports/{id}/approve", "Legal review of a batch, signed with file hash, rows and warnings 批次审核", http.StatusAccepted),
		func(ctx context.Context, in *batchIn) (*importOut, error) {
			return importAnswer(h.Intake.Approve(ctx, actor(principalOf(ctx)), in.ID, in.Body))
		})
	register(api, op(auth.Review, "return-import", http.MethodPost, "imports/{id}/return", "Send a batch back with a reason 批次退回", http.StatusAccepted),
		func(ctx context.Context, in *batchIn) (*importOut, error) {
			if in.Body.Reason == "" {
				return nil, violations([]schemas.Violation{{Pointer: "/reason", Code: "required"}})
			}
			return importAnswer(h.Intake.Return(ctx, actor(principalOf(ctx)), in.ID, in.Body))
		})
	register(api, op(auth.Publish, "publish-import", http.MethodPost, "imports/{id}/publish", "Publish an approved batch 批次发布", http.StatusAccepted),
		func(ctx context.Context, in *batchIn) (*importOut, error) {
			return importAnswer(h.Intake.Publish(ctx, actor(principalOf(ctx)), in.ID, in.Body))
		})
	register(api, op(auth.Draft, "save-import-profile", http.MethodPost, "import-profiles", "Save a column mapping under its name 保存映射方案", http.StatusOK), func(ctx context.Context, in *profileIn) (*profileOut, error) {
		if err := h.Intake.SaveProfile(ctx, in.Body); err != nil {
			return nil, err
		}
		return &profileOut{saved(in.Body)}, nil
	})
	register(api, op(auth.ListOwn, "list-import-profiles", http.MethodGet, "import-profiles", "Saved column mappings 映射方案", http.StatusOK), func(ctx context.Context, _ *nothing) (*profilesOut, error) {
		all, err := h.Intake.Profiles(ctx)
		out := &profilesOut{}
		out.Body.Profiles = []SavedProfile{}
		for _, p := range all {
			out.Body.Profiles = append(out.Body.Profiles, saved(p))
		}
		return out, err
	})
	register(api, answering(op(auth.ListOwn, "import-template", http.MethodGet, "import-template", "Empty workbook with drop-downs 导入模板", http.StatusOK), "The workbook", mimeXLSX), func(_ context.Context, in *struct {
		Type string `query:"type" enum:"penalty,blacklist.person,duty_roster" default:"penalty"`
	}) (*fileOut, error) {
		var b bytes.Buffer
		err := sheets.Template(&b, in.Type)
		return &fileOut{mimeXLSX, attachment("template-"+in.Type, true), b.Bytes()}, err
	})
}

// maxImports bounds a list of imports.
const maxImports = 100

func saved(p sheets.Profile) SavedProfile { return SavedProfile{sheets.ProfileID(p.Name), p} }

func importAnswer(imp *sheets.Import, err error) (*importOut, error) {
	if err != nil {
		return nil, err
	}
	return &importOut{*imp}, nil
}

// attachment names a download. Names are ours: a person's own file name stays with him.
func attachment(name string, book bool) string {
	ext := ".csv"
	if book {
		ext = ".xlsx"
	}
	return `attachment; filename="` + name + ext + `"`
}

func (h *people) upload(ctx context.Context, in *uploadIn) (*importOut, error) {
	p := sheets.Profile{Type: in.Type}
	if in.Profile != "" {
		all, err := h.Intake.Profiles(ctx)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(p sheets.Profile) bool { return sheets.ProfileID(p.Name) == in.Profile })
		if i < 0 {
			return nil, problem("import_profile_unknown")
		}
		p = all[i]
	}
	file := in.RawBody
	if strings.HasPrefix(in.ContentType, "multipart/") {
		form, err := formOf(in)
		if err != nil {
			return nil, err
		}
		file = form.file
		if form.profile != nil {
			if in.Profile != "" {
				return nil, problem("query_invalid")
			}
			p = *form.profile
		}
	}
	who := principalOf(ctx)
	within, err := h.reach(ctx, who)
	if err != nil {
		return nil, err
	}
	return importAnswer(h.Intake.Upload(ctx, sheets.Uploader{Account: who.Account, Unit: who.Unit, Reaches: within}, file, p))
}

type uploadForm struct {
	file    []byte
	profile *sheets.Profile
}

// formOf reads the two parts of a form: file, and perhaps profile.
func formOf(in *uploadIn) (uploadForm, error) {
	_, params, err := mime.ParseMediaType(in.ContentType)
	if err != nil {
		return uploadForm{}, problem("malformed")
	}
	var out uploadForm
	r := multipart.NewReader(bytes.NewReader(in.RawBody), params["boundary"])
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, problem("malformed")
		}
		b, err := io.ReadAll(part)
		switch name := part.FormName(); {
		case err != nil:
			return out, problem("malformed")
		case name == "file" && out.file == nil:
			out.file = b
		case name == "profile" && out.profile == nil:
			if v := checkJSON(b); v != nil {
				return out, violations([]schemas.Violation{*v})
			}
			out.profile = &sheets.Profile{}
			if err := json.Unmarshal(b, out.profile, json.RejectUnknownMembers(true)); err != nil {
				return out, violations([]schemas.Violation{{Pointer: "/profile", Code: "invalid"}})
			}
		default:
			return out, problem("malformed")
		}
	}
	if out.file == nil {
		return out, problem("malformed")
	}
	return out, nil
}

// issueTexts says what is to be said of a row.
func issueTexts(issues []sheets.Issue) []ImportIssue {
	out := []ImportIssue{}
	for _, i := range issues {
		zh, en, advice, adviceEn := sheets.Words(i.Code)
		out = append(out, ImportIssue{i, zh, en, advice, adviceEn})
	}
	return out
}

func (h *people) importRows(ctx context.Context, in *importRowsIn) (*importRowsOut, error) {
	rows, err := h.Intake.Rows(ctx, in.ID, sheets.RowState(in.State), sheets.Step(in.Step), in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &importRowsOut{}
	out.Body.Rows = []ImportRow{}
	for _, r := range rows {
		x := ImportRow{Row: r.Row, State: string(r.State), Step: string(r.Step), Draft: r.Draft, Record: r.Record, Gaps: r.Gaps, Issues: issueTexts(r.Issues)}
		out.Body.Rows = append(out.Body.Rows, x)
	}
	if len(rows) == in.Limit {
		out.Body.Next = rows[len(rows)-1].Row
	}
	return out, nil
}

func (h *people) importCopy(ctx context.Context, in *importIn) (*fileOut, error) {
	imp, err := h.Intake.Import(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := h.Intake.Copy(ctx, in.ID, &b); err != nil {
		return nil, err
	}
	if imp.Survey.Encoding == "" {
		return &fileOut{mimeXLSX, attachment("checked-"+in.ID[:8], true), b.Bytes()}, nil
	}
	return &fileOut{"text/csv; charset=" + imp.Survey.Encoding, attachment("checked-"+in.ID[:8], false), b.Bytes()}, nil
}

func (h *people) gaps(ctx context.Context, in *gapsIn) (*gapsOut, error) {
	after, row := "", 0
	if in.After != "" {
		after = in.After[:32]
		for _, r := range in.After[33:] {
			row = row*10 + int(r-'0')
		}
	}
	lines, next, err := h.Intake.Missing(ctx, record.Stream(h.Directory.Self(), record.Records), after, row, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &gapsOut{}
	out.Body.Lines = []sheets.MissingLine{}
	out.Body.Next = next
	who := principalOf(ctx)
	for _, l := range lines {
		ok := l.Stage == "published" || who.Unit == ""
		if !ok {
			if ok, err = h.reachesDraft(ctx, who, l.ID); err != nil {
				return nil, err
			}
		}
		if ok {
			out.Body.Lines = append(out.Body.Lines, l)
		}
	}
	return out, nil
}
