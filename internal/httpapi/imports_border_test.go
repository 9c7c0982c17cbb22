package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sheets"
)

func file(contentType string) http.Header {
	return http.Header{"Content-Type": {contentType}, "Idempotency-Key": nil}
}

const smallCSV = "姓名,身份证号,性别,文号,处罚日期,案由\n" +
	"测甲一,310116190001010016,男,测金卫医罚〔2025〕9001号,2025-03-05,非医师行医\n" +
	"测甲二,310117190003030244,女,测金卫医罚〔2025〕9002号,2025.3.5,非医师行医\n" +
	"测甲三,3.1E+17,女,测金卫医罚〔2025〕9003号,2025.3.5,非医师行医\n"

var issuerOf = map[string]string{"/issuer_uscc": "11310116000090018Y", "/issuer_name": "测金山区卫生健康委员会", "/issuer_kind": "health_authority",
	"/respondent_kind": "person", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}

func TestImport_border(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	const path = "/api/v1/imports"
	up := func(as, query, body string, h http.Header) request {
		return request{as: as, method: "POST", path: path + query, body: body, header: h}
	}
	csvType := file("text/csv")
	o.refused(up("", "", smallCSV, csvType), 401, "token_missing")
	o.refused(up("auditor", "", smallCSV, csvType), 403, "forbidden")
	o.refused(up("officer", "", smallCSV, file("application/json")), 415, "media_type")
	o.refused(up("officer", "?type=lead", smallCSV, csvType), 400, "query_invalid")
	o.refused(up("officer", "?profile="+strings.Repeat("0", 32), smallCSV, csvType), 422, "import_profile_unknown")
	o.refused(up("officer", "", "PK\x03\x04 no zip", csvType), 422, sheets.Malformed)
	o.refused(up("officer", "", "<html></html>", csvType), 415, sheets.Unsupported)
	p := o.refused(up("officer", "", "a,b\n1,2\n", csvType), 422, sheets.NoHeader)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/file" {
		t.Errorf("%+v", p)
	}
	o.refused(up("officer", "", strings.Repeat("x", sheets.MaxFile+80<<10), csvType), 413, "too_large")
	o.refused(request{as: "officer", method: "GET", path: path + "/" + strings.Repeat("0", 32)}, 404, "not_found")
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/import-profiles", body: `{"name":"x","type":"penalty","columns":{"甲":"/nowhere"}}`}, 422, "invalid")

	// A form brings its own profile.
	form := func(profile string) (string, http.Header) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		f, err := w.CreateFormFile("file", "测.csv")
		must(t, err)
		_, err = io.WriteString(f, smallCSV)
		must(t, err)
		must(t, w.WriteField("profile", profile))
		must(t, w.Close())
		return b.String(), file(w.FormDataContentType())
	}
	body, h := form(`{"name":"x","type":"penalty","nosuch":1}`)
	o.refused(up("officer", "", body, h), 422, "invalid")
	profile, err := json.Marshal(client.Profile{Name: "x", Type: "penalty", Constants: issuerOf})
	must(t, err)
	body, h = form(string(profile))
	res, got := o.do(up("officer", "", body, h))
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", res.StatusCode, got)
	}
	var imp sheets.Import
	must(t, json.Unmarshal(got, &imp))
	o.settled(&imp)
	if imp.Counts.OK != 2 || imp.Counts.Problem != 1 || len(imp.Missing) != 0 {
		t.Fatalf("%+v", imp)
	}
	at := path + "/" + imp.ID
	o.refused(request{as: "officer", method: "POST", path: at + "/commit", body: `{}`}, 422, "invalid")
	o.refused(request{as: "officer", method: "POST", path: at + "/commit", body: `{"all":true,"rows":[2]}`}, 422, "invalid")
	o.refused(request{as: "officer", method: "POST", path: at + "/commit", body: `{"rows":[4]}`}, 409, "batch_empty") // the bad row
	o.refused(request{as: "reviewer", method: "POST", path: at + "/commit", body: `{"all":true}`}, 403, "forbidden")

	// Chosen rows; who commits does not review, even with the role.
	o.person("both", auth.Officer, auth.LegalReviewer)
	o.ok("both", "POST", at+"/commit", `{"rows":[2]}`, &imp)
	o.settled(&imp)
	if imp.Counts.Submitted != 1 {
		t.Fatalf("%+v", imp.Counts)
	}
	review := fmt.Sprintf(`{"file_hash":%q,"rows":1}`, imp.FileHash)
	o.refused(request{as: "both", method: "POST", path: at + "/approve", body: review}, 409, "guard")
	o.refused(request{as: "liaison", method: "POST", path: at + "/publish", body: review}, 409, "batch_empty") // not approved yet
	o.refused(request{as: "reviewer", method: "POST", path: at + "/approve", body: fmt.Sprintf(`{"file_hash":%q,"rows":2}`, imp.FileHash)}, 409, "batch_changed")
	o.refused(request{as: "reviewer", method: "POST", path: at + "/return", body: review}, 422, "invalid")
	o.ok("reviewer", "POST", at+"/return", fmt.Sprintf(`{"file_hash":%q,"rows":1,"reason":"请补充"}`, imp.FileHash), &imp)
	o.settled(&imp)
	if imp.Counts.Returned != 1 || len(imp.Batch) != 2 || imp.Batch[1].By == imp.Batch[0].By {
		t.Errorf("%+v %+v", imp.Counts, imp.Batch)
	}
	var drafts struct {
		Rows []httpapi.Row `json:"rows"`
	}
	o.ok("officer", "GET", "/api/v1/penalties?stage=draft", nil, &drafts)
	if len(drafts.Rows) != 1 || drafts.Rows[0].State != "draft" {
		t.Errorf("%+v", drafts)
	}

	// The other row goes all the way, and out again as a spreadsheet.
	o.ok("officer", "POST", at+"/commit", `{"all":true}`, &imp)
	o.settled(&imp)
	o.ok("reviewer", "POST", at+"/approve", review, &imp)
	o.settled(&imp)
	o.ok("liaison", "POST", at+"/publish", review, &imp)
	o.settled(&imp)
	if imp.Counts.Published != 1 {
		t.Fatalf("%+v", imp)
	}
	var gaps struct {
		Lines []sheets.MissingLine `json:"lines"`
	}
	o.ok("liaison", "GET", "/api/v1/import-gaps", nil, &gaps)
	if len(gaps.Lines) != 2 {
		t.Errorf("%d lines", len(gaps.Lines))
	}
	res, got = o.do(request{as: "officer", method: "GET", path: at + "/copy"})
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") || !bytes.Contains(got, []byte("科学计数")) || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, got)
	}
	o.refused(request{as: "liaison", method: "POST", path: "/api/v1/exports", body: `{"type":"penalty","purpose":"CASE"}`}, 422, "work_ref_invalid")
	o.refused(request{as: "auditor", method: "POST", path: "/api/v1/exports", body: `{"type":"penalty","purpose":"CASE","work_ref":{"kind":"case","number":"1"}}`}, 403, "forbidden")
	res, got = o.do(request{as: "liaison", method: "POST", path: "/api/v1/exports", body: `{"type":"penalty","format":"csv","purpose":"CASE","work_ref":{"kind":"case","number":"测金卫医案〔2026〕9001"}}`})
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(got, []byte("\xEF\xBB\xBF"))))
	rows.FieldsPerRecord = -1
	lines, err := rows.ReadAll()
	if err != nil || res.StatusCode != 200 || len(lines) != 5 || lines[1][0] != "测金卫医罚〔2025〕9002号" || !strings.Contains(lines[2][0], "不公开") {
		t.Errorf("%d %v %s", res.StatusCode, err, got)
	}
	if res, got := o.do(request{as: "liaison", method: "GET", path: "/api/v1/import-template?type=penalty"}); res.StatusCode != 200 || !bytes.HasPrefix(got, []byte("PK")) {
		t.Errorf("template: %d", res.StatusCode)
	}
	// Nothing of a file stands in the log.
	if s := o.log.String(); strings.Contains(s, "测甲") || strings.Contains(s, "310116190001010016") {
		t.Error("the log has something of the file")
	}
}

// settled waits for the work on an import.
func (o *office) settled(imp *sheets.Import) {
	o.t.Helper()
	for imp.Work.State == "running" {
		o.ok("officer", "GET", "/api/v1/imports/"+imp.ID, nil, imp)
	}
	if imp.Work.State != "done" {
		o.t.Fatalf("%+v", imp.Work)
	}
}

// The same file twice at once is one import; the others are told that it is being worked on, or get what is known.
func TestImport_twice_at_once(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	big, _, _ := oldSheet(t, 300)
	const n = 4
	status := make(chan int, n)
	for range n {
		go func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.server.URL+"/api/v1/imports", bytes.NewReader(big))
			if err != nil {
				status <- 0
				return
			}
			req.Header.Set("Content-Type", "application/octet-stream")
			req.Header.Set("Authorization", "Bearer "+o.tokens["officer"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				status <- 0
				return
			}
			res.Body.Close()
			status <- res.StatusCode
		}()
	}
	got := map[int]int{}
	for range n {
		got[<-status]++
	}
	if got[http.StatusAccepted] < 1 || got[http.StatusAccepted]+got[http.StatusConflict] != n {
		t.Errorf("%v", got)
	}
	var all struct {
		Imports []sheets.Import `json:"imports"`
	}
	o.ok("officer", "GET", "/api/v1/imports", nil, &all)
	if len(all.Imports) != 1 {
		t.Fatalf("%d imports", len(all.Imports))
	}
	o.settled(&all.Imports[0])
	if c := all.Imports[0].Counts; c.OK+c.Warning+c.Problem+c.Skipped != 301 {
		t.Errorf("%+v", c)
	}
}

// List entries stand on penalties that the bureau has published: their numbers become references.
func TestImport_list_entries(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	d := o.client(t, "c.officer", auth.Officer)
	in := func(p client.Profile, text string) sheets.Import {
		t.Helper()
		p, err := d.SaveProfile(t.Context(), p)
		must(t, err)
		up, err := d.UploadImport(t.Context(), []byte(text), "", p.ID)
		must(t, err)
		var imp sheets.Import
		o.ok("officer", "GET", "/api/v1/imports/"+up.ID, nil, &imp)
		o.settled(&imp)
		return imp
	}
	through := func(imp sheets.Import) sheets.Import {
		t.Helper()
		at := "/api/v1/imports/" + imp.ID
		var warned struct {
			Rows []httpapi.ImportRow `json:"rows"`
		}
		o.ok("officer", "POST", at+"/commit", `{"all":true}`, &imp)
		o.settled(&imp)
		o.ok("reviewer", "GET", at+"/rows?state=warning&step=submitted", nil, &warned)
		seen := sheets.Review{FileHash: imp.FileHash, Rows: imp.Counts.Submitted}
		for _, r := range warned.Rows {
			seen.Warnings = append(seen.Warnings, r.Row)
		}
		o.ok("reviewer", "POST", at+"/approve", seen, &imp)
		o.settled(&imp)
		o.ok("liaison", "POST", at+"/publish", sheets.Review{FileHash: imp.FileHash, Rows: imp.Counts.Approved}, &imp)
		o.settled(&imp)
		return imp
	}
	people := "姓名,身份证号,性别,处罚文号,行医类别,医师资格,违法日期\n测甲一,310116190001010016,男,测金卫医罚(2025)9001号,口腔、输液,无,2025-01-02\n测甲九,310117190003030244,女,测金卫医罚〔2025〕9999号,口腔,无,2025-01-02\n"
	of := client.Profile{Name: "名单", Type: "blacklist.person", Constants: map[string]string{"/issuer": "", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}}
	if _, err := d.SaveProfile(t.Context(), of); err == nil {
		t.Error("a constant of no field was saved")
	}
	of.Constants = map[string]string{"/issuer_uscc": "11310116000090018Y", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}
	penalties := client.Profile{Name: "台账", Type: "penalty", Constants: issuerOf}
	if imp := in(of, people); imp.Counts.Problem != 2 { // nothing is published yet
		t.Errorf("%+v", imp.Counts)
	}
	served := "姓名,身份证号,性别,文号,处罚日期,送达日期,送达方式,案由\n测甲一,310116190001010016,男,测金卫医罚〔2025〕9001号,2025-03-05,2025-03-06,直接送达,非医师行医\n"
	if imp := through(in(penalties, served)); imp.Counts.Published != 1 {
		t.Fatalf("%+v", imp.Counts)
	}
	imp := in(of, people+"\n") // another file: the first was checked when nothing was there
	if imp.Counts.Problem != 1 {
		t.Fatalf("%+v", imp.Counts)
	}
	if imp = through(imp); imp.Counts.Published != 1 {
		t.Errorf("%+v", imp.Counts)
	}
	a, err := d.Ask(t.Context(), client.Ask{Purpose: "CASE", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: "310116190001010016"}})
	must(t, err)
	if a.Outcome != "hit" || len(a.Hits) != 2 {
		t.Errorf("%s, %d hits", a.Outcome, len(a.Hits))
	}
}

// Already known elsewhere? The question is the ordinary one: with purpose and work reference, audited at both sides.
func TestImport_asks_before_publishing(t *testing.T) {
	all := offices(t, 2)
	here, there := all[0].open().staff(), all[1].open().staff()
	e := example(t, "penalty", "person")
	there.publish("penalties", e)
	who := e["respondent"].(obj)
	text := "姓名,身份证号,文号,处罚日期\n" + fmt.Sprintf("%s,%s,测金卫医罚〔2025〕9001号,2025-03-05\n", who["name"], who["id_no"]) + "测甲二,310117190003030244,测金卫医罚〔2025〕9002号,2025.3.5\n"
	d := here.client(t, "c.officer", auth.Officer)
	p, err := d.SaveProfile(t.Context(), client.Profile{Name: "y", Type: "penalty", Constants: issuerOf})
	must(t, err)
	imp, err := d.UploadImport(t.Context(), []byte(text), "", p.ID)
	must(t, err)
	imp, err = d.WaitImport(t.Context(), imp.ID, nil)
	must(t, err)
	_, err = d.AskImport(t.Context(), imp.ID, []int{2, 3}, "CASE", client.WorkRef{})
	if err == nil {
		t.Error("asked without a work reference")
	}
	before, _ := there.audits()
	rows, err := d.AskImport(t.Context(), imp.ID, []int{2, 3}, "CASE", client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"})
	must(t, err)
	after, _ := there.audits()
	if len(rows) != 2 || rows[0].Outcome != "hit" || len(rows[0].Members) != 1 || rows[1].Outcome != "no_hit" || len(after) != len(before)+2 {
		t.Errorf("%+v, %d audits more", rows, len(after)-len(before))
	}
}
