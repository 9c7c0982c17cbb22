package httpapi_test

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

type rows struct {
	Rows []httpapi.Row `json:"rows"`
	Next string        `json:"next"`
}

type account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Link string `json:"link"`
}

func TestPeople_an_entry_from_draft_to_withdrawal(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, entry := o.penaltyAndEntry()

	var e httpapi.Entry
	o.ok("liaison", "GET", "/api/v1/entries/"+entry.ID, nil, &e)
	if e.State != "published" || e.Stage != "published" || e.Receipts == nil || e.Receipts.Applied != 1 || e.Receipts.Total != 1 || len(e.History) != 1 {
		t.Errorf("%+v", e)
	}
	if !bytes.Contains(e.Payload, []byte("320623190001159016")) || !bytes.Contains(e.Payload, []byte(penalty.ID)) {
		t.Errorf("the liaison does not see his own entry: %s", e.Payload)
	}
	step := func(who, name string, version uint64, more obj) (w httpapi.Written) {
		t.Helper()
		b := obj{"version": version, "reason": "身份存疑", "reason_code": "identity_doubt", "document_hash": strings.Repeat("ab", 32),
			"legal_basis": "个人信息保护法第46条", "purpose": "CORRECT"}
		for k, v := range more {
			b[k] = v
		}
		o.ok(who, "POST", "/api/v1/entries/"+entry.ID+"/"+name, b, &w)
		return w
	}
	w := step("liaison", "suspend", 1, nil)
	if w.State != "suspended" || w.Version != 2 {
		t.Errorf("%+v", w)
	}
	w = step("head", "lift", 2, obj{"reason_code": "examined"})
	if w.State != "published" {
		t.Errorf("%+v", w)
	}
	w = step("liaison", "withdraw", 3, obj{"reason_code": "wrong_person"})
	if w.State != "suspended" {
		t.Errorf("%+v", w)
	}
	w = step("head", "confirm", 4, obj{"reason_code": "wrong_person"})
	if w.State != "withdrawn" {
		t.Errorf("%+v", w)
	}
	o.ok("liaison", "GET", "/api/v1/entries/"+entry.ID, nil, &e)
	if e.State != "withdrawn" || len(e.History) != 5 {
		t.Errorf("%+v", e)
	}
}

func TestPeople_a_correction_is_approved_by_another(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, entry := o.penaltyAndEntry()
	whole := example(t, "blacklist.person", "entry")
	whole["penalty_refs"], whole["name"] = []string{penalty.ID}, "测甲二"
	var w httpapi.Written
	o.ok("officer", "POST", "/api/v1/entries/"+entry.ID+"/correct", obj{"version": 1, "payload": whole, "reason_code": "typing_error", "diff_reason": "姓名录错"}, &w)
	if w.State != "in_review" {
		t.Fatalf("%+v", w)
	}
	var sheet httpapi.Entry
	o.ok("reviewer", "GET", "/api/v1/entries/"+w.ID, nil, &sheet)
	if sheet.Stage != "draft" || sheet.Corrects != entry.ID || !bytes.Contains(sheet.Payload, []byte("测甲二")) {
		t.Errorf("%+v %s", sheet, sheet.Payload)
	}
	o.ok("reviewer", "POST", "/api/v1/entries/"+w.ID+"/approve", obj{"version": w.Version}, &w)
	if w.ID != entry.ID || w.Version != 2 || w.State != "published" {
		t.Errorf("%+v", w)
	}
}

func TestPeople_illegal_steps_are_refused(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.person("both", "officer", "legal_reviewer")
	var w httpapi.Written
	penalty, _ := o.penaltyAndEntry()
	e := example(t, "blacklist.person", "entry")
	e["penalty_refs"] = []string{penalty.ID}
	o.ok("both", "POST", "/api/v1/entries", obj{"payload": e}, &w)
	step := func(as, name, body string) request {
		return request{as: as, method: "POST", path: "/api/v1/entries/" + w.ID + "/" + name, body: body}
	}
	o.refused(step("reviewer", "approve", `{"version":1}`), 409, "transition")
	o.refused(step("liaison", "publish", `{"version":1}`), 409, "transition")
	o.refused(step("reviewer", "submit", `{"version":1}`), 403, "forbidden")
	o.ok("both", "POST", "/api/v1/entries/"+w.ID+"/submit", obj{"version": 1}, &w)
	p := o.refused(step("both", "approve", `{"version":2}`), 409, "guard")
	if len(p.Errors) != 1 || p.Errors[0].Code != "not_author" || p.Errors[0].Detail == "内容有误" {
		t.Errorf("%+v", p.Errors)
	}
	o.refused(step("reviewer", "approve", `{"version":1}`), 409, "version_conflict")
	o.refused(step("admin", "approve", `{"version":2}`), 403, "forbidden")
	o.refused(step("auditor", "approve", `{"version":2}`), 403, "forbidden")
	o.refused(step("aide", "publish", `{"version":2}`), 403, "forbidden")
	o.refused(step("reviewer", "return", `{"version":2}`), 409, "guard")
	o.ok("reviewer", "POST", "/api/v1/entries/"+w.ID+"/return", obj{"version": 2, "reason": "缺少送达回证"}, &w)
	if w.State != "draft" {
		t.Errorf("%+v", w)
	}
	o.refused(request{as: "head", method: "POST", path: "/api/v1/entries/" + strings.Repeat("0", 32) + "/confirm", body: `{"version":1}`}, 404, "not_found")
	o.refused(request{as: "liaison", method: "GET", path: "/api/v1/penalties/" + w.ID}, 404, "not_found")
	o.refused(request{as: "liaison", method: "GET", path: "/api/v1/entries/xyz"}, 404, "not_found")
}

func TestPeople_a_draft_says_which_fields_are_wrong(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	e := example(t, "blacklist.person", "entry")
	e["id_number"], e["sex"] = "320623190001159016", 7
	b, err := json.Marshal(obj{"payload": e})
	must(t, err)
	p := o.refused(request{as: "officer", method: "POST", path: "/api/v1/entries", body: string(b)}, 422, "invalid")
	got := map[string]string{}
	for _, f := range p.Errors {
		got[f.Pointer] = f.Code
		if f.Detail == "" || f.DetailEn == "" {
			t.Errorf("%+v has no words", f)
		}
	}
	if got["/payload/id_number"] != "unknown_field" || got["/payload/sex"] != "type" {
		t.Errorf("%v", got)
	}
	// What a draft may lack, a submitted one may not.
	e = example(t, "blacklist.person", "entry")
	delete(e, "qualification")
	var w httpapi.Written
	o.ok("officer", "POST", "/api/v1/entries", obj{"payload": e}, &w)
	p = o.refused(request{as: "officer", method: "POST", path: "/api/v1/entries/" + w.ID + "/submit", body: `{"version":1}`}, 422, "invalid")
	if len(p.Errors) == 0 || p.Errors[0].Pointer != "/payload/qualification" || p.Errors[0].Code != "required" {
		t.Errorf("%+v", p.Errors)
	}
}

func TestPeople_a_write_is_done_once_per_key(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, _ := o.penaltyAndEntry()
	e := example(t, "blacklist.person", "entry")
	e["penalty_refs"] = []string{penalty.ID}
	b, err := json.Marshal(obj{"payload": e})
	must(t, err)
	r := request{as: "officer", method: "POST", path: "/api/v1/entries", body: string(b), key: "k1"}
	res, first := o.do(r)
	if res.StatusCode != 201 {
		t.Fatalf("%d %s", res.StatusCode, first)
	}
	answers := make(chan []byte, 8)
	for range cap(answers) {
		go func() {
			_, b := o.do(r)
			answers <- b
		}()
	}
	for range cap(answers) {
		if b := <-answers; !bytes.Equal(b, first) {
			t.Errorf("another answer: %s, first %s", b, first)
		}
	}
	head, err := o.store.Head(t.Context(), record.Stream(o.dir.Self(), record.Local))
	must(t, err)
	var list rows
	o.ok("officer", "GET", "/api/v1/entries?stage=draft&state=draft", nil, &list)
	if len(list.Rows) != 1 {
		t.Errorf("%d drafts, %d local records", len(list.Rows), head.Size)
	}
	other := r
	other.body = strings.Replace(r.body, "测甲一", "测甲三", 1)
	o.refused(other, 422, "idempotency_body")
	missing := r
	missing.header = http.Header{"Idempotency-Key": nil}
	o.refused(missing, 400, "idempotency_missing")
	// The same key of another person, or for another route, is another slot.
	o.person("second", "officer")
	elsewhere := r
	elsewhere.as = "second"
	if res, b := o.do(elsewhere); res.StatusCode != 201 || bytes.Equal(b, first) {
		t.Errorf("another person got the answer: %s", b)
	}
}

func TestPeople_lists_and_cursors(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	penalty, _ := o.penaltyAndEntry()
	for range 4 {
		e := example(t, "blacklist.person", "entry")
		e["penalty_refs"] = []string{penalty.ID}
		o.publish("entries", e)
	}
	seen := map[string]bool{}
	path, pages := "/api/v1/entries?limit=2", 0
	var cursor string
	for next := path; next != ""; pages++ {
		var page rows
		o.ok("liaison", "GET", next, nil, &page)
		for _, r := range page.Rows {
			if seen[r.ID] || r.State != "published" || r.Type != "blacklist.person" {
				t.Errorf("%+v", r)
			}
			seen[r.ID] = true
		}
		if next = ""; page.Next != "" {
			cursor, next = page.Next, path+"&cursor="+page.Next
		}
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("%d rows on %d pages", len(seen), pages)
	}
	get := func(as, q string) request { return request{as: as, method: "GET", path: "/api/v1/entries?" + q} }
	o.person("other", "liaison")
	o.refused(get("other", "limit=2&cursor="+cursor), 400, "cursor_invalid")
	o.refused(get("liaison", "limit=2&state=withdrawn&cursor="+cursor), 400, "cursor_invalid")
	o.refused(get("liaison", "limit=2&cursor="+cursor[:len(cursor)-2]+"AA"), 400, "cursor_invalid")
	o.refused(get("liaison", "limit=2&cursor=AAAA"), 400, "cursor_invalid")
	for _, q := range []string{"limit=-1", "limit=0", "limit=1e9", "limit=0x10", "limit=201", "limit=2&limit=3", "nothing=1", "STATE=draft", "stage=all", "from=2026-3-1", "%zz", "a=1;b=2"} {
		o.refused(get("liaison", q), 400, "query_invalid")
	}
	// An entry whose time is over shows as expired, without any record about it.
	o.clock.move(4 * 365 * 24 * time.Hour)
	o.tokens = map[string]string{}
	o.person("later", "liaison")
	var page rows
	o.ok("later", "GET", "/api/v1/entries?state=expired", nil, &page)
	if len(page.Rows) != 5 || page.Rows[0].State != "expired" {
		t.Errorf("%+v", page.Rows)
	}
}

func TestPeople_a_proof_verifies(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	_, entry := o.penaltyAndEntry()
	var p httpapi.Proof
	o.ok("auditor", "GET", "/api/v1/records/"+entry.Record+"/proof", nil, &p)
	pub, ok := o.dir.SignKey(record.StreamID(p.Stream), p.Seq)
	if !ok {
		t.Fatal("no key")
	}
	c, err := record.VerifyCheckpoint([]byte(p.Checkpoint), pub)
	must(t, err)
	var proof []tlog.Hash
	for _, h := range p.Proof {
		b, err := hex.DecodeString(h)
		must(t, err)
		proof = append(proof, tlog.Hash(b))
	}
	leaf := record.Leaf([]byte(p.Header))
	if hex.EncodeToString(leaf[:]) != p.Leaf {
		t.Error("leaf is not that of the header")
	}
	must(t, record.CheckInclusion(proof, c.Size, c.Root, p.Seq, leaf))
	o.refused(request{as: "aide", method: "GET", path: "/api/v1/records/" + entry.Record + "/proof"}, 403, "forbidden")
	o.refused(request{as: "auditor", method: "GET", path: "/api/v1/records/" + strings.Repeat("1", 32) + "/proof"}, 404, "not_found")
}

func TestPeople_sessions_over_http(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	signIn := func(body string) request { return request{method: "POST", path: "/api/v1/sign-in", body: body} }
	res, b := o.do(signIn(`{"name":"officer","password":"` + password + `","cookies":true}`))
	if res.StatusCode != 200 || bytes.Contains(b, []byte(`"access":`)) || bytes.Contains(b, []byte(`"refresh":`)) {
		t.Fatalf("%d %s", res.StatusCode, b)
	}
	cookies := map[string]*http.Cookie{}
	for _, c := range res.Cookies() {
		cookies[c.Name] = c
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Value == "" {
			t.Errorf("%+v", c)
		}
	}
	jar := func(name string) http.Header { return http.Header{"Cookie": {name + "=" + cookies[name].Value}} }
	with := func(h http.Header, k, v string) http.Header { h = h.Clone(); h.Set(k, v); return h }
	if res, b := o.do(request{method: "GET", path: "/api/v1/status", header: jar("pilin_access")}); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, b)
	}
	get := func(h http.Header) request { return request{method: "GET", path: "/api/v1/status", header: h} }
	o.refused(get(with(jar("pilin_access"), "Sec-Fetch-Site", "cross-site")), 403, "cross_site")
	o.refused(get(with(jar("pilin_access"), "Origin", "https://example.org")), 403, "cross_site")
	o.refused(get(nil), 401, "token_missing")
	o.refused(get(http.Header{"Authorization": {"Bearer x"}}), 401, "token_malformed")
	o.refused(get(http.Header{"Authorization": {"Basic eDp5"}}), 401, "token_malformed")
	o.refused(get(http.Header{"Authorization": {"Bearer " + o.tokens["officer"], "Bearer " + o.tokens["head"]}}), 401, "token_malformed")
	refresh := request{method: "POST", path: "/api/v1/refresh", body: `{}`, header: jar("pilin_refresh")}
	if res, b := o.do(refresh); res.StatusCode != 200 || len(res.Cookies()) != 2 {
		t.Errorf("%d %s", res.StatusCode, b)
	}
	o.refused(refresh, 401, "session_reused")
	o.refused(signIn(`{"name":"officer","password":"wrong"}`), 401, "sign_in_failed")
	o.refused(signIn(`{"name":"nobody","password":"wrong"}`), 401, "sign_in_failed")
	for range 5 {
		o.do(signIn(`{"name":"officer","password":"wrong"}`))
	}
	p := o.refused(signIn(`{"name":"officer","password":"`+password+`"}`), 429, "locked")
	_ = p
	res, _ = o.do(signIn(`{"name":"officer","password":"` + password + `"}`))
	if res.Header.Get("Retry-After") == "" {
		t.Error("locked without Retry-After")
	}
	o.ok("head", "POST", "/api/v1/sign-out", `{}`, nil)
	o.refused(request{as: "head", method: "GET", path: "/api/v1/status"}, 401, "session_ended")
}

func TestPeople_accounts_are_the_administrators(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	var a account
	o.ok("admin", "POST", "/api/v1/accounts", obj{"name": "new.officer", "roles": []string{"officer"}, "certificate": "99000000009"}, &a)
	o.refused(request{as: "admin", method: "POST", path: "/api/v1/accounts", body: `{"name":"new.officer","roles":["officer"]}`}, 409, "account_taken")
	o.refused(request{as: "admin", method: "POST", path: "/api/v1/accounts", body: `{"name":"other","roles":["sys_admin","legal_reviewer"]}`}, 422, "role_refused")
	o.refused(request{as: "head", method: "POST", path: "/api/v1/accounts", body: `{"name":"other","roles":["officer"]}`}, 403, "forbidden")
	o.refused(request{method: "POST", path: "/api/v1/password", body: `{"link":"` + a.Link + `","password":"short"}`}, 422, "password_weak")
	o.ok("", "POST", "/api/v1/password", obj{"link": a.Link, "password": password}, nil)
	o.refused(request{method: "POST", path: "/api/v1/password", body: `{"link":"` + a.Link + `","password":"` + password + `"}`}, 403, "link_invalid")
	var k struct {
		Access string `json:"access"`
	}
	o.ok("", "POST", "/api/v1/sign-in", obj{"name": "new.officer", "password": password}, &k)
	o.tokens["new"] = k.Access
	o.ok("new", "GET", "/api/v1/status", nil, nil)
	o.ok("admin", "POST", "/api/v1/accounts/"+a.ID+"/disable", `{}`, nil)
	o.refused(request{as: "new", method: "GET", path: "/api/v1/status"}, 401, "account_disabled")
	var list struct {
		Accounts []account `json:"accounts"`
	}
	o.ok("admin", "GET", "/api/v1/accounts", nil, &list)
	self := ""
	for _, x := range list.Accounts {
		if x.Name == "admin" {
			self = x.ID
		}
		if x.Link != "" {
			t.Error("a link is shown twice")
		}
	}
	o.refused(request{as: "admin", method: "POST", path: "/api/v1/accounts/" + self + "/disable", body: `{}`}, 409, "last_administrator")
	o.refused(request{as: "admin", method: "POST", path: "/api/v1/accounts/" + strings.Repeat("0", 32) + "/disable", body: `{}`}, 404, "not_found")
}

func TestPeople_probes(t *testing.T) {
	o := offices(t, 1)[0].open()
	get := func(path string) (int, string) {
		res, b := o.do(request{method: "GET", path: path})
		return res.StatusCode, string(b)
	}
	if s, b := get("/livez"); s != 200 || b != "ok\n" {
		t.Errorf("%d %s", s, b)
	}
	if s, b := get("/readyz"); s != 200 || !strings.Contains(b, `"ready":true`) {
		t.Errorf("%d %s", s, b)
	}
	o.ready[1].Ready, o.ready[1].Why = false, "broker_unreachable"
	if s, _ := get("/readyz"); s != 200 {
		t.Errorf("without an optional capability: %d", s)
	}
	if s, b := get("/readyz/kafka"); s != 503 || !strings.Contains(b, "broker_unreachable") {
		t.Errorf("%d %s", s, b)
	}
	o.ready[0].Ready = false
	if s, _ := get("/readyz"); s != 503 {
		t.Errorf("without writing: %d", s)
	}
	if s, _ := get("/readyz/nothing"); s != 404 {
		t.Errorf("%d", s)
	}
	if s, b := get("/metrics"); s != 200 || !strings.Contains(b, `pilin_http_requests_total{code="",listener="people",route="/livez",status="200"} 1`) {
		t.Errorf("%d %s", s, b)
	}
	for from, want := range map[string]int{"10.9.0.7:5": 200, "[::ffff:10.9.0.7]:5": 200, "10.9.1.7:5": 401, "[fd00::7]:5": 401, "": 401} {
		r, w := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil), httptest.NewRecorder()
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-For", "10.9.0.7")
		if o.server.Config.Handler.ServeHTTP(w, r); w.Code != want {
			t.Errorf("a collector at %q: %d, want %d", from, w.Code, want)
		}
	}
}
