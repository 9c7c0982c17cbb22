package httpapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/client"
)

// An export is a look-up of everybody in it: the auditor reads who, what for, what was chosen and which file it became, and
// finds it by a record that was in it. A refused one is there too; without its audit record no byte leaves.
func TestPeople_audit_of_exports(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, entry := o.penaltyAndEntry()
	export := func(body string) request {
		return request{as: "liaison", method: "POST", path: "/api/v1/exports", body: body}
	}
	const whole = `{"type":"penalty","format":"csv","from":"2026-01-01","purpose":"CASE","work_ref":{"kind":"case","number":"测金卫医案〔2026〕9001"}}`
	o.refused(export(`{"type":"penalty","purpose":"CASE"}`), 422, "work_ref_invalid")
	o.refused(export(strings.Replace(whole, "2026-01-01", "2026-02-30", 1)), 422, "invalid")
	o.refused(export(strings.Replace(whole, "2026-01-01", "2026-03-14", 1)), 422, "invalid") // nothing can be of a day to come
	o.refused(export(strings.Replace(whole, `"from":"2026-01-01"`, `"from":"2026-01-02","to":"2026-01-01"`, 1)), 422, "invalid")
	o.refused(request{as: "auditor", method: "GET", path: "/api/v1/audit/lookups?from=2026-01-02&to=2026-01-01"}, 400, "query_invalid")
	o.full = errors.New("no room")
	if res, got := o.do(export(whole)); res.StatusCode != 500 || strings.Contains(string(got), "测甲") {
		t.Errorf("without an audit record: %d %s", res.StatusCode, got)
	}
	o.full = nil
	res, got := o.do(export(whole))
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, got)
	}
	read := func(query string) []client.Lookup {
		t.Helper()
		var page struct {
			Rows []client.Lookup `json:"rows"`
		}
		o.ok("auditor", "GET", "/api/v1/audit/lookups?"+query, nil, &page)
		return page.Rows
	}
	rows := read("")
	hash := sha256.Sum256(got)
	if len(rows) != 2 || rows[1].Refused != "work_ref_invalid" || rows[1].Account == "" || rows[1].Kind != "exported" {
		t.Fatalf("%+v", rows)
	}
	x := rows[0]
	if x.Kind != "exported" || x.Ask != "" || x.Member != o.dir.Self() || x.Account == "" || x.CertNo != "99000000001" || x.Purpose != "CASE" || x.WorkRef == nil || x.WorkRef.Number != "测金卫医案〔2026〕9001" ||
		x.At == "" || x.Type != "penalty" || x.Format != "csv" || x.From != "2026-01-01" || x.To != "" || x.Rows != 1 || x.FileHash != hex.EncodeToString(hash[:]) {
		t.Errorf("%+v", x)
	}
	if rows := read("record=" + penalty.Record); len(rows) != 1 || rows[0].Record != x.Record {
		t.Errorf("who looked the penalty up: %+v", rows)
	}
	if rows := read("record=" + entry.Record); len(rows) != 0 {
		t.Errorf("who looked the entry up: %+v", rows)
	}
}
