package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// uploadCSV hands a file in and waits for its check.
func (o *office) uploadCSV(csv, profile string) *sheets.Import {
	o.t.Helper()
	return o.uploadCSVAs("officer", csv, profile)
}

func (o *office) uploadCSVAs(as, csv, profile string) *sheets.Import {
	o.t.Helper()
	var imp sheets.Import
	res, got := o.do(request{as: as, method: "POST", path: "/api/v1/imports?profile=" + profile, body: csv, header: file("text/csv")})
	if res.StatusCode >= 300 {
		o.t.Fatalf("%d %s", res.StatusCode, got)
	}
	must(o.t, json.Unmarshal(got, &imp))
	o.settled(&imp)
	return &imp
}

// batch takes a step with all rows of an import that wait for it.
func (o *office) batch(imp *sheets.Import, as, step string, rows int) {
	o.t.Helper()
	body := `{"all":true}`
	if step != "commit" {
		body = fmt.Sprintf(`{"file_hash":%q,"rows":%d,"reason":"请补充"}`, imp.FileHash, rows)
	}
	o.ok(as, "POST", "/api/v1/imports/"+imp.ID+"/"+step, body, imp)
	o.settled(imp)
}

// returned brings the two good rows of smallCSV to the reviewer and back, and returns them.
func (o *office) returned() (imp *sheets.Import, profile string, rows []httpapi.ImportRow) {
	o.t.Helper()
	var p client.Profile
	o.ok("officer", "POST", "/api/v1/import-profiles", client.Profile{Name: "台账", Type: "penalty", Constants: issuerOf}, &p)
	imp = o.uploadCSV(smallCSV, p.ID)
	o.batch(imp, "officer", "commit", 2)
	o.batch(imp, "reviewer", "return", 2)
	return imp, p.ID, o.rowsAt(imp, "returned")
}

func (o *office) rowsAt(imp *sheets.Import, step string) []httpapi.ImportRow {
	o.t.Helper()
	var out struct {
		Rows []httpapi.ImportRow `json:"rows"`
	}
	o.ok("officer", "GET", "/api/v1/imports/"+imp.ID+"/rows?step="+step, nil, &out)
	return out.Rows
}

// singly takes steps with one draft, from a version on.
func (o *office) singly(draft string, version int, steps ...string) {
	o.t.Helper()
	who := map[string]string{"submit": "officer", "approve": "reviewer", "publish": "liaison"}
	for i, step := range steps {
		o.ok(who[step], "POST", "/api/v1/penalties/"+draft+"/"+step, fmt.Sprintf(`{"version":%d}`, version+i), nil)
	}
}

func (o *office) missing() (out []sheets.MissingLine) {
	o.t.Helper()
	var gaps struct {
		Lines []sheets.MissingLine `json:"lines"`
	}
	o.ok("liaison", "GET", "/api/v1/import-gaps", nil, &gaps)
	return gaps.Lines
}

// A row that was returned goes on as a single draft; when that is published, the import and the list 待补齐 say so.
func TestImport_returned_row_is_published_singly(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	imp, profile, rows := o.returned()
	o.singly(rows[0].Draft, 3, "submit", "approve", "publish")
	o.ok("officer", "GET", "/api/v1/imports/"+imp.ID, nil, imp)
	if imp.Counts.Returned != 1 || imp.Counts.Published != 1 {
		t.Errorf("%+v", imp.Counts)
	}
	published := o.rowsAt(imp, "published")
	if len(published) != 1 || published[0].Row != rows[0].Row {
		t.Fatalf("%+v", published)
	}
	for _, l := range o.missing() {
		if l.Row == rows[0].Row && (l.Stage != "published" || l.ID != published[0].Record) {
			t.Errorf("%+v", l)
		}
	}
	// Its decision is out: a mended copy of the file brings in the other row alone.
	again := o.uploadCSV(strings.Replace(smallCSV, "测甲二", "测乙二", 1), profile)
	if again.Counts.Known != 1 {
		t.Errorf("%+v", again.Counts)
	}
}

// Of a returned row's draft and its mended copy one is published, whichever goes first.
func TestImport_mended_copy_takes_the_place_of_a_returned_row(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	imp, profile, rows := o.returned()
	o.singly(rows[0].Draft, 3, "submit") // this author mended his draft here
	// This one was ended by a commit that fell before it could say so.
	draft, err := record.ParseBits128(rows[1].Draft)
	must(t, err)
	fell := o.uploadCSV(strings.Replace(smallCSV, "测甲", "测丙", 3), profile)
	_, err = o.register.Discard(t.Context(), blacklist.Request{Actor: blacklist.Actor{Account: "acc", Roles: []workflow.Role{workflow.Officer}}}, blacklist.On{ID: draft, Version: 3}, "代替")
	must(t, err)
	o.batch(fell, "officer", "commit", 2)
	if fell.Counts.Known != 1 || fell.Counts.Submitted != 1 {
		t.Fatalf("%+v", fell.Counts)
	}
	o.batch(fell, "reviewer", "return", 1)
	fellDraft := o.rowsAt(fell, "returned")[0].Draft

	mended := o.uploadCSV(strings.Replace(smallCSV, "测甲", "测乙", 3), profile)
	if mended.Counts.Known != 1 {
		t.Errorf("a row that was handed in again singly is not known: %+v", mended.Counts)
	}
	o.batch(mended, "officer", "commit", 1)
	for _, old := range []*sheets.Import{imp, fell} {
		known := o.rowsAt(old, "known")
		if len(known) == 0 || known[len(known)-1].Row != rows[1].Row || known[len(known)-1].Draft != "" {
			t.Errorf("%+v", known)
		}
	}
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/penalties/" + rows[1].Draft + "/submit", body: `{"version":4}`}, 409, "transition")
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/penalties/" + fellDraft + "/submit", body: `{"version":4}`}, 409, "transition")
	o.batch(mended, "reviewer", "approve", 1)
	o.batch(mended, "liaison", "publish", 1)
	o.singly(rows[0].Draft, 4, "approve", "publish")
	var all struct {
		Rows []httpapi.Row `json:"rows"`
	}
	o.ok("officer", "GET", "/api/v1/penalties", nil, &all)
	if len(all.Rows) != 2 {
		t.Errorf("%d penalties of two decisions: %+v", len(all.Rows), all.Rows)
	}
	if lines := o.missing(); len(lines) != 2 {
		t.Errorf("%+v", lines)
	}
}

// A mended copy that another unit hands in ends nobody's draft beyond its own reach: the row stays out.
func TestImport_mended_copy_of_another_unit_ends_no_draft(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.tree()
	o.in("FS-1", "u.east", auth.Officer)
	o.in("FS-2", "u.west", auth.Officer)
	o.in("KS-1", "u.section", auth.Officer)
	var p client.Profile
	o.ok("officer", "POST", "/api/v1/import-profiles", client.Profile{Name: "台账", Type: "penalty", Constants: issuerOf}, &p)
	east := o.uploadCSVAs("u.east", smallCSV, p.ID)
	o.batch(east, "u.east", "commit", 2)
	o.batch(east, "reviewer", "return", 2)
	draft := o.rowsAt(east, "returned")[0].Draft

	west := o.uploadCSVAs("u.west", strings.Replace(smallCSV, "测甲", "测乙", 3), p.ID)
	o.batch(west, "u.west", "commit", 2)
	if west.Counts.Known != 2 || west.Counts.Submitted != 0 {
		t.Errorf("%+v", west.Counts)
	}
	o.ok("u.east", "POST", "/api/v1/penalties/"+draft+"/submit", `{"version":3}`, nil)

	above := o.uploadCSVAs("u.section", strings.Replace(smallCSV, "测甲", "测丙", 3), p.ID) // reaches both branches
	o.batch(above, "u.section", "commit", 1)
	if above.Counts.Known != 1 || above.Counts.Submitted != 1 {
		t.Errorf("%+v", above.Counts)
	}
}

// A record that is erased takes the file that brought it in along; what else that file brought in stays.
func TestImport_file_of_an_erased_record(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	imp, profile, rows := o.returned()
	for _, r := range rows {
		o.singly(r.Draft, 3, "submit", "approve", "publish")
	}
	rows = o.rowsAt(imp, "published")
	id, err := record.ParseBits128(rows[0].Record)
	must(t, err)
	own, err := record.NewBits128(seeded("erasure"))
	must(t, err)
	_, err = o.store.Append(t.Context(), record.Append{Drafts: []record.Draft{{Stream: record.Stream(o.dir.Self(), record.Records), ID: own, Type: "penalty.erasure", Schema: "1", Day: "2026-03-13",
		Audience: map[record.GroupID]record.Level{record.All: record.L3}, Refs: []record.Ref{{Rel: record.Erases, ID: id, Version: 1}}}}})
	must(t, err)
	var now struct{ sheets.Import }
	o.ok("officer", "GET", "/api/v1/imports/"+imp.ID, nil, &now)
	if !now.Erased || now.Counts.Published != 2 || len(now.Survey.Columns) != 0 {
		t.Errorf("%+v", now.Import)
	}
	o.refused(request{as: "officer", method: "GET", path: "/api/v1/imports/" + imp.ID + "/copy"}, 409, sheets.FileErased)
	o.refused(request{as: "officer", method: "POST", path: "/api/v1/imports?profile=" + profile, body: smallCSV, header: file("text/csv")}, 409, sheets.FileErased)
	o.refused(request{as: "officer", method: "GET", path: "/api/v1/penalties/" + rows[0].Draft}, 404, "not_found")
	o.ok("officer", "GET", "/api/v1/penalties/"+rows[1].Draft, nil, nil)
	for _, l := range o.missing() {
		if l.Row != rows[1].Row {
			t.Errorf("%+v", l)
		}
	}
}
