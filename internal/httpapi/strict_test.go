package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// TestPeople_json_catalogue is reliability-security.md §4.2 as far as it is about the form of any body. The route is one
// with a typed body, so that decoder, validator and border are all in the way.
func TestPeople_json_catalogue(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	body := func(more string) string {
		return `{"purpose":"RAID","work_ref":{"kind":"case","number":"测金卫医案〔2026〕9001"},"question":{"id_no":"` + personID + `"` + more + `}}`
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(n int) string {
		var b strings.Builder
		b.WriteString("{")
		for i := range n {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, `"k%d":0`, i)
		}
		return b.String() + "}"
	}
	for _, row := range []struct {
		name, body    string
		status        int
		code, pointer string // of the field; code "" = the problem's own
		field         string
	}{
		{"duplicate key", body(`,"phone":"1","phone":"2"`), 400, "malformed", "/question/phone", "json_duplicate"},
		{"duplicate key, escaped differently", body(`,"phone":"1","\u0070hone":"2"`), 400, "malformed", "/question/phone", "json_duplicate"},
		{"case variant beside the field", body(`,"ID_NO":"1"`), 422, "invalid", "/question/ID_NO", "unknown_field"},
		{"case variant alone", `{"PURPOSE":"RAID","question":{}}`, 422, "invalid", "/PURPOSE", "unknown_field"},
		{"ſ for s", `{"ſcope":[],"question":{}}`, 422, "invalid", "", "unknown_field"},
		{"Kelvin for k", `{"wor\u212a_ref":{},"question":{}}`, 422, "invalid", "", "unknown_field"},
		{"unknown field", body(`,"height":"1"`), 422, "invalid", "/question/height", "unknown_field"},
		{"trailing data", body("") + "x", 400, "malformed", "", "json_invalid"},
		{"two documents", body("") + body(""), 400, "malformed", "", "json_invalid"},
		{"BOM", "\ufeff" + body(""), 400, "malformed", "", "json_invalid"},
		{"NaN", `{"question":{"id_no":NaN}}`, 400, "malformed", "/question/id_no", "json_invalid"},
		{"Infinity", `{"question":{"id_no":Infinity}}`, 400, "malformed", "/question/id_no", "json_invalid"},
		{"comment", `{/* */"question":{}}`, 400, "malformed", "", "json_invalid"},
		{"empty body", "", 400, "malformed", "", "json_invalid"},
		{"lone surrogate", body(`,"phone":"\ud800"`), 400, "malformed", "/question/phone", "json_invalid"},
		{"invalid UTF-8", body(",\"phone\":\"\xff\""), 400, "malformed", "/question/phone", "json_invalid"},
		{"NUL", body(`,"phone":"\u0000"`), 400, "malformed", "/question/phone", "json_control"},
		{"C0", body(`,"phone":"\u001b"`), 400, "malformed", "/question/phone", "json_control"},
		{"C1", body(`,"phone":"\u0085"`), 400, "malformed", "/question/phone", "json_control"},
		{"2^53+1", `{"n":9007199254740993}`, 400, "malformed", "/n", "json_number"},
		{"1e400", `{"n":1e400}`, 400, "malformed", "/n", "json_number"},
		{"-0", `{"n":-0}`, 400, "malformed", "/n", "json_number"},
		{"1.0", `{"n":1.0}`, 400, "malformed", "/n", "json_number"},
		{"a million digits", `{"n":` + strings.Repeat("1", 1_000_000) + `}`, 400, "malformed", "/n", "json_number"},
		{"depth 33", `{"a":` + deep(32) + `}`, 400, "malformed", anywhere, "json_depth"},
		{"depth 100,000", deep(100_000), 400, "malformed", anywhere, "json_depth"},
		{"10,001 keys", many(10_001), 400, "malformed", "", "json_members"},
		{"10,001 items", `[` + strings.Repeat("0,", 10_000) + `0]`, 400, "malformed", "", "json_members"},
		{"a key of a megabyte", `{"` + strings.Repeat("k", 1_000_000) + `":0}`, 400, "malformed", "", "json_string"},
		{"a string over 8 KiB", body(`,"phone":"` + strings.Repeat("1", 8<<10+1) + `"`), 400, "malformed", "/question/phone", "json_string"},
		{"null for an object", `{"question":null}`, 422, "invalid", "/question", "type"},
		{"required missing", `{}`, 422, "invalid", "/question", "required"},
		{"wrong type", `{"question":{"id_no":7}}`, 422, "invalid", "/question/id_no", "type"},
		{"array for object", `{"question":[]}`, 422, "invalid", "/question", "type"},
		{"not an object", `"x"`, 422, "invalid", "", "type"},
		{"empty identifiers", `{"purpose":"RAID","work_ref":{"kind":"case","number":"x"},"question":{"id_no":""}}`, 422, "question_invalid", "/question", "question_invalid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			start := time.Now()
			p := o.refused(request{as: "officer", method: "POST", path: "/api/v1/asks", body: row.body}, row.status, row.code)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			if len(p.Errors) == 0 || row.pointer != anywhere && !hasPointer(p, row.pointer) || !hasCode(p, row.field) {
				t.Errorf("%+v, want %s at %q", p.Errors, row.field, row.pointer)
			}
		})
	}
	for name, good := range map[string]string{
		"as it is":              body(`,"name":"测甲一"`),
		"log injection is data": body(`,"name":"'; drop table person; -- ${jndi:ldap://x}\n2026-01-01 INFO {\"level\":\"x\"}"`),
	} {
		lines := strings.Count(o.log.String(), "\n")
		res, b := o.do(request{as: "officer", method: "POST", path: "/api/v1/asks", body: good})
		if res.StatusCode != 200 && !strings.Contains(string(b), "question_invalid") {
			t.Errorf("%s: %d %s", name, res.StatusCode, b)
		}
		if n := strings.Count(o.log.String(), "\n") - lines; n != 1 {
			t.Errorf("%s: %d log lines", name, n)
		}
	}
}

// anywhere: the row does not say where.
const anywhere = "*"

func hasPointer(p httpapi.Problem, at string) bool {
	for _, e := range p.Errors {
		if e.Pointer == at {
			return true
		}
	}
	return false
}

func hasCode(p httpapi.Problem, code string) bool {
	for _, e := range p.Errors {
		if e.Code == code {
			return true
		}
	}
	return false
}

// TestPeople_http_catalogue is reliability-security.md §4.1 as far as it is the border's.
func TestPeople_http_catalogue(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	j, err := json.Marshal(question(nil))
	must(t, err)
	ask := func(h http.Header) request {
		return request{as: "officer", method: "POST", path: "/api/v1/asks", body: string(j), header: h}
	}
	get := func(path string) request { return request{as: "liaison", method: "GET", path: path} }
	for _, row := range []struct {
		name   string
		r      request
		status int
		code   string
	}{
		{"no content type", ask(http.Header{"Content-Type": nil}), 415, "media_type"},
		{"text/plain", ask(http.Header{"Content-Type": {"text/plain"}}), 415, "media_type"},
		{"charset gbk", ask(http.Header{"Content-Type": {"application/json; charset=gbk"}}), 415, "media_type"},
		{"two content types", ask(http.Header{"Content-Type": {"application/json", "application/json"}}), 415, "media_type"},
		{"another parameter", ask(http.Header{"Content-Type": {"application/json; profile=x"}}), 415, "media_type"},
		{"form", ask(http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}), 415, "media_type"},
		{"gzip", ask(http.Header{"Content-Encoding": {"gzip"}}), 415, "content_encoding"},
		{"accept XML", ask(http.Header{"Accept": {"application/xml"}}), 406, "not_acceptable"},
		{"accept nothing", ask(http.Header{"Accept": {"application/json;q=0"}}), 406, "not_acceptable"},
		{"over 1 MiB", request{as: "officer", method: "POST", path: "/api/v1/asks", body: `{"a":"` + strings.Repeat("a", 1<<20) + `"}`}, 413, "too_large"},
		{"URI over 2 KiB", get("/api/v1/entries?state=" + strings.Repeat("a", 2<<10)), 414, "uri_too_long"},
		{"identity number in the query", get("/api/v1/entries?state=" + personID), 400, "pii_in_url"},
		{"15-digit number", get("/api/v1/entries?state=320623000115901"), 400, "pii_in_url"},
		{"telephone number", get("/api/v1/entries?cursor=15400000001"), 400, "pii_in_url"},
		{"credit code", get("/api/v1/entries?state=113101170000900343"), 400, "pii_in_url"},
		{"name, escaped", get("/api/v1/entries?state=%E6%B5%8B%E7%94%B2%E4%B8%80"), 400, "pii_in_url"},
		{"name, escaped twice", get("/api/v1/entries?state=%25E6%25B5%258B"), 400, "pii_in_url"},
		{"full-width digits", get("/api/v1/entries?state=%EF%BC%91%EF%BC%92"), 400, "pii_in_url"},
		{"identity number in the path", get("/api/v1/entries/" + personID), 400, "pii_in_url"},
		{"double slash", get("/api/v1//entries"), 400, "path_invalid"},
		{"dots", get("/api/v1/%2e%2e/metrics"), 400, "path_invalid"},
		{"NUL", get("/api/v1/entries%00"), 400, "path_invalid"},
		{"overlong UTF-8", get("/api/v1/entries%c0%af"), 400, "pii_in_url"},
		{"matrix parameter", get("/api/v1/entries;x=y"), 400, "path_invalid"},
		{"unknown route", get("/api/v1/nothing"), 404, "not_found"},
		{"member's route", get("/member/v1/charter"), 404, "not_found"},
		{"documents are not served", get("/openapi.yaml"), 404, "not_found"},
		{"docs page", get("/docs"), 404, "not_found"},
		{"DELETE", request{as: "liaison", method: "DELETE", path: "/api/v1/entries"}, 405, "method_not_allowed"},
		{"TRACE", request{as: "liaison", method: "TRACE", path: "/api/v1/entries"}, 405, "method_not_allowed"},
		{"made-up verb", request{as: "liaison", method: "FROB", path: "/api/v1/entries"}, 405, "method_not_allowed"},
		{"override header is ignored", request{as: "liaison", method: "GET", path: "/api/v1/entries/" + strings.Repeat("0", 32), header: http.Header{"X-Http-Method-Override": {"POST"}}}, 404, "not_found"},
		{"body of a GET", request{as: "liaison", method: "GET", path: "/api/v1/entries", body: "{}"}, 400, "body_unexpected"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o.refused(row.r, row.status, row.code)
		})
	}
	for name, h := range map[string]http.Header{"*/*": {"Accept": {"*/*"}}, "no accept": {"Accept": {}}, "utf-8": {"Content-Type": {"application/json; charset=UTF-8"}}} {
		if res, b := o.do(ask(h)); res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", name, res.StatusCode, b)
		}
	}
	res, _ := o.do(get("/api/v1/entries"))
	for _, h := range []string{"X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "X-Request-Id"} {
		if res.Header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Error("answers may be cached")
	}
}

// raw bytes that net/http's client would not send.
func TestPeople_request_smuggling(t *testing.T) {
	o := offices(t, 1)[0].open()
	send := func(raw string) string {
		t.Helper()
		c, err := net.Dial("tcp", o.server.Listener.Addr().String())
		must(t, err)
		defer c.Close()
		must(t, c.SetDeadline(time.Now().Add(5*time.Second)))
		_, err = c.Write([]byte(raw))
		must(t, err)
		line, err := bufio.NewReader(c).ReadString('\n')
		must(t, err)
		return strings.TrimSpace(line)
	}
	head := "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, raw := range map[string]string{
		"two lengths":                  head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"NUL in a header":              head + "X-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
		"bare CR in a header":          head + "X-A: a\rb\r\nContent-Length: 2\r\n\r\n{}",
		"unknown transfer encoding":    head + "Transfer-Encoding: gzip\r\n\r\n{}",
		"header name with a space":     head + "X A: b\r\nContent-Length: 2\r\n\r\n{}",
		"chunk size that is no number": head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
	} {
		if line := send(raw); !strings.HasPrefix(line, "HTTP/1.1 400") && !strings.HasPrefix(line, "HTTP/1.1 501") {
			t.Errorf("%s: %s", name, line)
		}
	}
	// Without a length, more than 1 MiB: cut off at the limit.
	chunked := head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat(" ", 0x10000)+"\r\n", 17)
	if line := send(chunked); !strings.HasPrefix(line, "HTTP/1.1 413") {
		t.Errorf("chunked body over the limit: %s", line)
	}
}

func TestPeople_one_person_cannot_take_it_all(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	gate := make(chan struct{})
	entered := make(chan struct{}, 64)
	o.status = func(context.Context) (httpapi.Status, error) {
		entered <- struct{}{}
		<-gate
		return httpapi.Status{}, nil
	}
	results := make(chan int, 40)
	for range 40 {
		go func() {
			res, _ := o.do(request{as: "officer", method: "GET", path: "/api/v1/status"})
			results <- res.StatusCode
		}()
	}
	refused := 0
	for range 24 { // 40 - 16 come back at once
		if s := <-results; s == 429 {
			refused++
		}
	}
	if refused != 24 {
		t.Errorf("%d of 24 refused", refused)
	}
	if res, b := o.do(request{as: "liaison", method: "GET", path: "/api/v1/entries"}); res.StatusCode != 200 {
		t.Errorf("another person is affected: %d %s", res.StatusCode, b)
	}
	o.refused(request{as: "officer", method: "GET", path: "/api/v1/status"}, 429, "rate_limited")
	close(gate)
	for range 16 {
		if s := <-results; s != 200 {
			t.Errorf("%d", s)
		}
	}
}
