package httpapi_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/schemas"
)

// in makes an account of a unit and signs it in.
func (o *office) in(unit, name string, roles ...auth.Role) (id string) {
	o.t.Helper()
	a, link, err := o.people.Create(o.t.Context(), "", auth.NewAccount{Name: name, Certificate: "99000000009", Unit: unit, Roles: roles})
	must(o.t, err)
	must(o.t, o.people.UseLink(o.t.Context(), link, password, netip.MustParseAddr("127.0.0.1")))
	o.signInAgain(name)
	return a.ID
}

// tree makes 一科 with two branches, and a town beside it.
func (o *office) tree() {
	o.t.Helper()
	for _, u := range []obj{{"code": "KS-1", "name": "一科", "kind": "section"}, {"code": "FS-1", "name": "东分所", "kind": "branch", "parent": "KS-1"},
		{"code": "FS-2", "name": "西分所", "kind": "branch", "parent": "KS-1"}, {"code": "JZ-1", "name": "样例镇", "kind": "town"}} {
		o.ok("admin", "POST", "/api/v1/units", u, nil)
	}
}

func (o *office) drafts(as string) (ids []string) {
	o.t.Helper()
	var l struct {
		Rows []httpapi.Row `json:"rows"`
	}
	o.ok(as, "GET", "/api/v1/penalties?stage=draft", nil, &l)
	for _, r := range l.Rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func body(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}

// Who belongs to a unit has to do with what its people and those of the units below are drafting, and with nothing else; who
// belongs to the bureau itself with all of it. What is published is the bureau's.
func TestUnits_drafts_and_imports_follow_the_tree(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.in("", "before", auth.Officer)
	o.tree()
	east := o.in("FS-1", "u.east", auth.Officer)
	o.in("东分所", "u.east2", auth.Officer) // by its name
	o.in("FS-2", "u.west", auth.Officer, auth.Liaison)
	o.in("FS-2", "u.westlaw", auth.LegalReviewer)
	o.in("KS-1", "u.section", auth.Liaison)
	o.in("FS-2", "u.westhead", auth.Head)
	o.in("JZ-1", "u.auditor", auth.Auditor)

	var w httpapi.Written
	o.ok("u.east", "POST", "/api/v1/penalties", obj{"payload": example(t, "penalty", "person")}, &w)
	at := "/api/v1/penalties/" + w.ID
	for name, sees := range map[string]bool{"u.east": true, "u.east2": true, "u.section": true, "liaison": true, "officer": true, "u.westhead": true, "u.auditor": true, "u.west": false, "u.westlaw": false} {
		if got := slices.Contains(o.drafts(name), w.ID); got != sees {
			t.Errorf("%s sees the draft: %t", name, got)
		}
		if sees {
			o.ok(name, "GET", at, nil, nil)
		} else {
			o.refused(request{as: name, method: "GET", path: at}, 404, "not_found")
		}
	}
	amend := obj{"version": 1, "payload": example(t, "penalty", "person")}
	o.refused(request{as: "u.west", method: "POST", path: at + "/amend", body: body(t, amend)}, 404, "not_found")
	o.refused(request{as: "u.west", method: "POST", path: at + "/submit", body: `{"version":1}`}, 404, "not_found")

	// It stays the unit's of its first author, whoever amends it, and the record says so.
	o.ok("officer", "POST", at+"/amend", amend, &w)
	law, west := hears(t, signed(t, o, "reviewer"), ""), hears(t, signed(t, o, "u.westlaw"), "")
	o.ok("u.east2", "POST", at+"/submit", obj{"version": w.Version}, &w)
	law.hearsAll("draft 310116-01 penalty submit in_review")
	o.refused(request{as: "u.westlaw", method: "POST", path: at + "/approve", body: body(t, obj{"version": w.Version})}, 404, "not_found")
	o.ok("reviewer", "POST", at+"/approve", obj{"version": w.Version}, &w)
	o.ok("u.section", "POST", at+"/publish", obj{"version": w.Version}, &w)
	var e httpapi.Entry
	o.ok("u.west", "GET", "/api/v1/penalties/"+w.ID, nil, &e)
	if !strings.Contains(string(e.Payload), `"unit":"FS-1"`) {
		t.Errorf("the unit of the author: %s", e.Payload)
	}
	west.hearsAll("entry 310116-01 penalty publish published") // the first that it hears

	// The same of spreadsheets.
	file, _, _ := oldSheet(t, 5)
	up := signed(t, o, "u.east")
	imp, err := up.UploadImport(t.Context(), file, "penalty", "")
	must(t, err)
	if _, err := up.WaitImport(t.Context(), imp.ID, nil); err != nil {
		t.Fatal(err)
	}
	other := signed(t, o, "u.west")
	_, err = other.Import(t.Context(), imp.ID)
	wantProblem(t, err, 404, "not_found")
	_, err = other.ImportCopy(t.Context(), imp.ID)
	wantProblem(t, err, 404, "not_found")
	_, err = other.UploadImport(t.Context(), file, "penalty", "")
	wantProblem(t, err, 409, "import_elsewhere")
	for name, want := range map[string]int{"u.west": 0, "u.east2": 1, "u.section": 1, "liaison": 1} {
		all, err := signed(t, o, name).Imports(t.Context())
		must(t, err)
		if len(all) != want {
			t.Errorf("%s sees %d imports", name, len(all))
		}
	}

	// Moved, he keeps his own drafts and leaves those of the others behind.
	o.ok("u.east2", "POST", "/api/v1/penalties", obj{"payload": example(t, "penalty", "person")}, &w)
	var mine httpapi.Written
	o.ok("u.east", "POST", "/api/v1/penalties", obj{"payload": example(t, "penalty", "person")}, &mine)
	o.ok("admin", "POST", "/api/v1/accounts/"+east+"/unit", obj{"unit": "JZ-1"}, nil)
	if got := o.drafts("u.east"); !slices.Contains(got, mine.ID) || slices.Contains(got, w.ID) {
		t.Errorf("after the move: %v, own %s, other's %s", got, mine.ID, w.ID)
	}
}

// No operation on one draft or import, whichever the interface has, tells another unit that it exists.
func TestUnits_bound_every_operation_on_drafts_and_imports(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.tree()
	o.in("FS-1", "u.east", auth.Officer)
	o.in("FS-2", "u.west", auth.Officer, auth.Liaison, auth.LegalReviewer)
	file, _, _ := oldSheet(t, 5)
	up := signed(t, o, "u.east")
	imp, err := up.UploadImport(t.Context(), file, "penalty", "")
	must(t, err)
	if _, err := up.WaitImport(t.Context(), imp.ID, nil); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{"imports": imp.ID}
	for path, typ := range map[string]string{"penalties": "penalty", "links": "identity.link", "rosters": "duty_roster", "entries": "blacklist.person"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "schemas", typ, "examples", "good", "*.json"))
		must(t, err)
		payload := example(t, typ, strings.TrimSuffix(filepath.Base(files[0]), ".json"))
		var w httpapi.Written
		o.ok("u.east", "POST", "/api/v1/"+path, obj{"payload": payload}, &w)
		ids[path] = w.ID
	}
	spec, err := os.ReadFile(filepath.Join("..", "..", "schemas", "openapi.yaml"))
	must(t, err)
	at, n := "", 0
	for line := range strings.Lines(string(spec)) {
		line = strings.TrimRight(line, "\n")
		if path, ok := strings.CutPrefix(line, "  /api/v1/"); ok {
			at = strings.TrimSuffix(path, ":")
			continue
		}
		method := strings.ToUpper(strings.TrimSuffix(strings.TrimSpace(line), ":"))
		family, rest, one := strings.Cut(at, "/{id}")
		if !one || ids[family] == "" || !strings.HasPrefix(line, "    ") || line[4] == ' ' || method != "GET" && method != "POST" {
			continue
		}
		n++
		sent := map[string]string{"POST": "{}"}[method]
		res, got := o.do(request{as: "u.west", method: method, path: "/api/v1/" + family + "/" + ids[family] + rest, body: sent})
		if res.StatusCode != 404 && res.StatusCode != 403 {
			t.Errorf("%s %s: %d %s", method, at, res.StatusCode, got)
		}
	}
	if n < 40 {
		t.Errorf("%d operations were tried", n)
	}
}

// Whoever acts for the head has to do with every unit's drafts, as the head has: what he does beyond his own unit is audited
// as the head's, what he does within it is his own.
func TestUnits_acting_head_reaches_all(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.tree()
	o.in("FS-1", "u.east", auth.Officer)
	o.in("FS-2", "u.law", auth.LegalReviewer)
	o.in("FS-2", "u.officer", auth.Officer)
	submitted := func(by string) (string, httpapi.Written) {
		t.Helper()
		var w httpapi.Written
		o.ok(by, "POST", "/api/v1/penalties", obj{"payload": example(t, "penalty", "person")}, &w)
		at := "/api/v1/penalties/" + w.ID
		o.ok(by, "POST", at+"/submit", obj{"version": w.Version}, &w)
		return at, w
	}
	at, w := submitted("u.east")
	o.refused(request{as: "u.law", method: "POST", path: at + "/approve", body: body(t, obj{"version": w.Version})}, 404, "not_found")
	var d httpapi.DelegationBody
	o.ok("head", "POST", "/api/v1/delegations", obj{"name": "u.law", "from": "2026-03-13", "until": "2026-03-14", "document_hash": strings.Repeat("ab", 32)}, &d)
	before := len(o.acts())
	o.ok("u.law", "POST", at+"/approve", obj{"version": w.Version}, &w)
	if got, want := o.acts()[before:], (delegated{Event: "acted", Account: d.Account, Delegation: d.ID, Route: "approve-penalty", Subject: w.ID}); len(got) != 1 || got[0] != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	at, w = submitted("u.officer")
	o.ok("u.law", "POST", at+"/approve", obj{"version": w.Version}, &w)
	if got := len(o.acts()); got != before+1 {
		t.Errorf("%d deeds as acting head", got-before)
	}
}

func signed(t *testing.T, o *office, name string) *client.Desk {
	t.Helper()
	d := client.NewDesk(o.server.URL, nil)
	must(t, d.SignIn(t.Context(), name, password))
	return d
}

// The tree is the administrator's; what does not fit is refused where it stands, and a unit with people is closed only if it
// is said where they go.
func TestUnits_are_added_changed_and_closed(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.tree()
	post := func(path string, v any) request {
		return request{as: "admin", method: "POST", path: "/api/v1/" + path, body: body(t, v)}
	}
	for name, row := range map[string]struct {
		r       request
		status  int
		code    string
		pointer string
	}{
		"code":           {post("units", obj{"code": "一科", "name": "二科", "kind": "section"}), 422, "unit_invalid", "/code"},
		"name":           {post("units", obj{"code": "KS-2", "name": " ", "kind": "section"}), 422, "unit_invalid", "/name"},
		"kind":           {post("units", obj{"code": "KS-2", "name": "二科", "kind": "office"}), 422, "unit_invalid", "/kind"},
		"parent":         {post("units", obj{"code": "KS-2", "name": "二科", "kind": "section", "parent": "KS-9"}), 422, "unit_unknown", "/parent"},
		"taken":          {post("units", obj{"code": "KS-1", "name": "二科", "kind": "section"}), 409, "unit_taken", "/code"},
		"below itself":   {post("units/KS-1/change", obj{"parent": "FS-1"}), 422, "unit_cycle", "/parent"},
		"unit":           {post("accounts", obj{"name": "u.new", "roles": []string{"officer"}, "unit": "九科"}), 422, "unit_unknown", "/unit"},
		"with sub-units": {post("units/KS-1/close", obj{}), 409, "unit_in_use", "/move_to"},
		"into its own":   {post("units/KS-1/close", obj{"move_to": "FS-1"}), 422, "unit_cycle", "/move_to"},
		"into nothing":   {post("units/KS-1/close", obj{"move_to": "KS-9"}), 422, "unit_unknown", "/move_to"},
		"none":           {post("units/KS-9/close", obj{}), 404, "not_found", ""},
	} {
		p := o.refused(row.r, row.status, row.code)
		if row.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != row.pointer || p.Errors[0].Detail == "") {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
	o.refused(request{as: "head", method: "POST", path: "/api/v1/units", body: `{"code":"KS-2","name":"二科","kind":"section"}`}, 403, "forbidden")

	o.in("FS-1", "u.east", auth.Officer)
	o.in("KS-1", "u.section", auth.Liaison)
	var w httpapi.Written
	o.ok("u.east", "POST", "/api/v1/penalties", obj{"payload": example(t, "penalty", "person")}, &w)
	p := o.refused(post("units/FS-1/close", obj{}), 409, "unit_in_use")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/move_to" {
		t.Errorf("%+v", p.Errors)
	}
	o.ok("admin", "POST", "/api/v1/units/FS-2/change", obj{"name": "南分所", "parent": "FS-1"}, nil)
	o.ok("admin", "POST", "/api/v1/units/FS-1/close", obj{"move_to": "KS-1"}, nil)
	var got struct {
		Units   []httpapi.UnitBody `json:"units"`
		Unknown []string           `json:"unknown"`
	}
	o.ok("u.east", "GET", "/api/v1/units", nil, &got)
	want := []httpapi.UnitBody{{Code: "FS-1", Name: "东分所", Kind: "branch", Parent: "KS-1", Closed: true}, {Code: "FS-2", Name: "南分所", Kind: "branch", Parent: "KS-1"},
		{Code: "JZ-1", Name: "样例镇", Kind: "town"}, {Code: "KS-1", Name: "一科", Kind: "section", People: 2}}
	if !slices.Equal(got.Units, want) || len(got.Unknown) != 0 {
		t.Errorf("%+v", got)
	}
	if !slices.Contains(o.drafts("u.section"), w.ID) {
		t.Error("nobody above a closed unit reaches its drafts")
	}
	o.refused(post("units", obj{"code": "FS-1", "name": "新所", "kind": "branch"}), 409, "unit_taken")
	o.refused(post("units/FS-1/close", obj{}), 404, "not_found")

	// The roster names units by code or name.
	r, err := signed(t, o, "admin").ImportOfficers(t.Context(), []byte("执法证号,有效期至,科室\n99000000201,2030-01-01,样例镇\n99000000202,2030-01-01,九科\n"), "utf-8", false)
	must(t, err)
	if r.Created != 1 || r.Problems != 1 || r.Rows[1].Issues[0].Code != "unit_unknown" || r.Rows[1].Issues[0].Column != "C" {
		t.Errorf("%+v", r)
	}
	schema, _ := schemas.Lookup("account.event", "1")
	types, bodies := o.audits()
	var events []string
	for i, b := range bodies {
		var e struct {
			Event, Unit, Parent string
		}
		if types[i] != "account.event" || json.Unmarshal([]byte(b), &e, json.MatchCaseInsensitiveNames(true)) != nil || !strings.HasPrefix(e.Event, "unit_") {
			continue
		}
		if vs := schema.Validate([]byte(b), "2026-03-13"); len(vs) > 0 {
			t.Errorf("%s: %v", b, vs)
		}
		events = append(events, e.Event+" "+e.Unit+" "+e.Parent)
	}
	if got := strings.Join(events, ", "); got != "unit_added KS-1 , unit_added FS-1 KS-1, unit_added FS-2 KS-1, unit_added JZ-1 , unit_changed FS-2 FS-1, unit_closed FS-1 KS-1" {
		t.Error(got)
	}
}
