package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// The auditor reads who asked, what for, what it came to and what was shown, and never what was asked; nobody else does.
// A filter finds who looked a record up; small pages together say what a large one says.
func TestPeople_audit_of_lookups(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	_, entry := o.penaltyAndEntry()
	j, err := json.Marshal(question(nil))
	must(t, err)
	for range 3 {
		o.ok("officer", "POST", "/api/v1/asks", string(j), nil)
	}
	type page struct {
		Rows []client.Lookup `json:"rows"`
		Next string          `json:"next"`
	}
	read := func(query string) (p page) {
		t.Helper()
		_, b := o.do(request{as: "auditor", method: "GET", path: "/api/v1/audit/lookups?" + query})
		if err := json.Unmarshal(b, &p, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		for _, secret := range []string{"测甲", "19000", "15400", `"id_no":"`} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%s is in the audit: %s", secret, b)
			}
		}
		return p
	}
	all := read("limit=200")
	kinds := map[string]int{}
	for _, r := range all.Rows {
		kinds[r.Kind]++
		if r.Ask == "" || r.At == "" || r.Kind == "asked" && (r.Account == "" || r.Purpose == "" || r.WorkRef == nil || len(r.QueryKind) == 0) {
			t.Errorf("%+v", r)
		}
	}
	if kinds["asked"] != 3 || kinds["answered"] != 3 || kinds["outcome"] != 3 || all.Next != "" {
		t.Errorf("%v, next %q", kinds, all.Next)
	}
	if got := read("record=" + entry.Record); len(got.Rows) != 3 || got.Rows[0].Kind != "answered" || got.Rows[0].Shown[0].Level != "L3" || !slices.ContainsFunc(got.Rows[0].Shown, func(s client.ShownRecord) bool { return s.Record == entry.Record }) {
		t.Errorf("who looked the entry up: %+v", got.Rows)
	}
	if got := read("record=" + strings.Repeat("0", 32)); len(got.Rows) != 0 {
		t.Errorf("who looked up nothing: %+v", got.Rows)
	}
	if got := read("ask=" + all.Rows[0].Ask); len(got.Rows) != 3 {
		t.Errorf("one question: %+v", got.Rows)
	}
	if got := read("from=2099-01-01"); len(got.Rows) != 0 {
		t.Errorf("days to come: %+v", got.Rows)
	}
	var paged []string
	cursor := ""
	for range 20 {
		p := read("limit=2&cursor=" + cursor)
		for _, r := range p.Rows {
			paged = append(paged, r.Record)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	var whole []string
	for _, r := range all.Rows {
		whole = append(whole, r.Record)
	}
	if !slices.Equal(paged, whole) {
		t.Errorf("by pages %d rows, at once %d", len(paged), len(whole))
	}
	for _, role := range []string{"officer", "liaison"} {
		o.refused(request{as: role, method: "GET", path: "/api/v1/audit/lookups"}, 403, "forbidden")
	}
	o.refused(request{as: "auditor", method: "GET", path: "/api/v1/audit/lookups?cursor=x"}, 400, "cursor_invalid")
}

// Look-ups of before a restore, after which the audit goes on in another stream, stand behind the newer ones, page by page.
func TestPeople_lookups_outlive_a_restore(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	ask := func() string {
		var ans httpapi.AskAnswer
		o.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
		return ans.Ask
	}
	want := []string{ask(), ask()}
	o.hub.Audit = record.Stream(o.dir.Self(), record.Audit+".1")
	want = append(want, ask())
	o.hub.Audit = record.Stream(o.dir.Self(), record.Audit+".2")
	want = append(want, ask(), ask())
	slices.Reverse(want)
	for _, limit := range []int{1, 2, 3, 200} {
		var got []string
		for cursor, page := "", 0; page == 0 || cursor != ""; page++ {
			var p struct {
				Rows []client.Lookup `json:"rows"`
				Next string          `json:"next"`
			}
			o.ok("auditor", "GET", fmt.Sprintf("/api/v1/audit/lookups?limit=%d&cursor=%s", limit, cursor), nil, &p)
			for _, r := range p.Rows {
				if r.Kind == "asked" {
					got = append(got, r.Ask)
				}
			}
			if cursor = p.Next; page > 3*len(want) {
				t.Fatal("pages without end")
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
}
