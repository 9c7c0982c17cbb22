package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// canaries are what must never be in a log line, a metric, an error answer or a panic: a name, numbers, a password.
var canaries = []string{personID, personName, "15400000001", "113101170000900343", "测金卫罚〔2026〕9001号", password, "上海市金山区样例镇测试村"}

// forms are the ways in which a text can show itself.
func forms(s string) map[string]string {
	var esc, ESC strings.Builder
	for _, r := range s {
		fmt.Fprintf(&esc, `\u%04x`, r)
		fmt.Fprintf(&ESC, `\u%04X`, r)
	}
	out := map[string]string{"as it is": s, `\u`: esc.String(), `\u capital`: ESC.String(), "hex": hex.EncodeToString([]byte(s)),
		"HEX": strings.ToUpper(hex.EncodeToString([]byte(s))), "percent": url.QueryEscape(s), "Go quoted": strings.Trim(fmt.Sprintf("%+q", s), `"`),
		"bytes": strings.Trim(decimal(s), "[]")}
	for shift := range 3 { // base64 depends on where the text begins
		b := append(make([]byte, shift), s...)
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			e := enc.EncodeToString(b)
			from := (shift*8 + 5) / 6
			to := len(b) * 8 / 6
			out[fmt.Sprint(name, shift)] = e[from:to]
		}
	}
	return out
}

// decimal is how Go prints bytes by themselves: [51 50 48].
func decimal(s string) string { return fmt.Sprintf("%d", []byte(s)) }

func find(hay string) (what []string) {
	for _, c := range canaries {
		for form, needle := range forms(c) {
			if strings.Contains(hay, needle) {
				what = append(what, fmt.Sprintf("%d characters of canary %q, %s", len(c), c[:2], form))
			}
		}
	}
	return what
}

// The search finds what is there, in every form.
func TestCanary_the_search_sees(t *testing.T) {
	for _, c := range canaries {
		for _, hay := range []string{"x" + c + "y", hex.EncodeToString([]byte("x" + c)), base64.StdEncoding.EncodeToString([]byte("a" + c + "b")),
			base64.URLEncoding.EncodeToString([]byte("ab" + c + "c")), base64.StdEncoding.EncodeToString([]byte(c)), fmt.Sprintf("%+q", c), url.QueryEscape(c), decimal(c)} {
			if len(find(hay)) == 0 {
				t.Errorf("not seen: %.40s", hay)
			}
		}
	}
}

func TestCanary_nothing_personal_in_logs_metrics_errors_panics(t *testing.T) {
	f := offices(t, 2)
	o, other := f[0].open().staff(), f[1].open().staff()
	_, entry := other.penaltyAndEntry()
	o.penaltyAndEntry()

	q := obj{"name": personName, "birth_date": "1900-01-15", "id_no": personID, "phone": "15400000001", "uscc": "113101170000900343", "doc_no": "测金卫罚〔2026〕9001号"}
	e := example(t, "blacklist.person", "entry")
	marshal := func(v any) string {
		b, err := json.Marshal(v)
		must(t, err)
		return string(b)
	}
	all := strings.Join(canaries, " ")
	asks := func(b string) request { return request{as: "officer", method: "POST", path: "/api/v1/asks", body: b} }
	drafts := func(b string) request {
		return request{as: "officer", method: "POST", path: "/api/v1/entries", body: b}
	}
	good := marshal(question(obj{"question": q}))
	requests := []request{
		// good ones
		asks(good),
		drafts(marshal(obj{"payload": e})),
		{as: "liaison", method: "GET", path: "/api/v1/entries/" + entry.ID},
		{method: "POST", path: "/api/v1/sign-in", body: marshal(obj{"name": "officer", "password": password})},
		// bad ones, with the canary where each kind of error looks
		asks(strings.Replace(good, `"purpose":"RAID"`, `"purpose":"`+personName+`"`, 1)),
		asks(strings.Replace(good, `"number":"`, `"number":"`+all, 1)),
		asks(strings.Replace(good, `"question":{`, `"question":{"`+personID+`":"`+personName+`",`, 1)),
		asks(strings.Replace(good, `"question":{`, `"`+personName+`":{"x":1},"question":{`, 1)),
		asks(strings.Replace(good, `"question":{`, `"question":{"id_no":"`+personID+`",`, 1)),
		asks(`{"question":"` + all + `"}`), asks(`{"question":{"id_no":` + personID + `}}`), asks(`{"question":{"id_no":["` + personID + `"]}}`),
		asks(good[:len(good)-2]), asks(good + personID), asks(`"` + personName + `"`), asks(personID), asks("{\"question\":{\"name\":\"" + personName + "\xff\"}}"),
		asks(`{"ask":"` + personID + `","question":{}}`), asks(`{"as_of":"` + personID[:10] + `","question":{}}`), asks(`{"scope":["` + personID + `"],"question":{}}`),
		drafts(marshal(obj{"payload": obj{"name": personID, "id_no": personName, personName: personID}})),
		drafts(marshal(obj{"payload": e, "type": personName})), drafts(marshal(obj{"payload": e, "level": personID})), drafts(marshal(obj{"payload": all})),
		drafts(marshal(obj{"payload": obj{"name": 7, "phones": []string{"15400000001"}, "addresses": []obj{{"text": 1, "上海市金山区样例镇测试村": 1}}}})),
		{as: "officer", method: "POST", path: "/api/v1/entries/" + entry.ID + "/submit", body: `{"version":1,"reason":"` + all + `"}`},
		{as: "officer", method: "POST", path: "/api/v1/entries/" + entry.ID + "/submit", body: `{"version":"` + personID + `"}`},
		{as: "liaison", method: "GET", path: "/api/v1/entries/" + personID}, {as: "liaison", method: "GET", path: "/api/v1/entries?state=" + personID},
		{as: "liaison", method: "GET", path: "/api/v1/entries?state=" + url.QueryEscape(personName)}, {as: "liaison", method: "GET", path: "/api/v1/entries?" + personID + "=1"},
		{as: "liaison", method: "GET", path: "/" + personID}, {as: "liaison", method: "GET", path: "/" + url.PathEscape(personName)},
		{as: "liaison", method: "GET", path: "/api/v1/entries?cursor=" + base64.RawURLEncoding.EncodeToString([]byte(personID))},
		{method: "POST", path: "/api/v1/sign-in", body: marshal(obj{"name": personID, "password": password})},
		{method: "POST", path: "/api/v1/sign-in", body: marshal(obj{"name": personName, "password": password, personName: password})},
		{method: "POST", path: "/api/v1/sign-in", body: marshal(obj{"name": password + strings.Repeat("x", 50), "password": 1})},
		{method: "POST", path: "/api/v1/password", body: marshal(obj{"link": personID, "password": password})},
		{method: "POST", path: "/api/v1/refresh", body: marshal(obj{"refresh": personID})},
		{method: "GET", path: "/api/v1/status", header: http.Header{"Authorization": {"Bearer " + personID + "." + password + ".x"}}},
		{method: "GET", path: "/api/v1/status", header: http.Header{"User-Agent": {all}, "X-Forwarded-For": {personID}, "Referer": {"https://x/" + personID}, "Cookie": {"pilin_access=" + personID}}},
		{as: "officer", method: "POST", path: "/api/v1/asks", body: good, header: http.Header{"Content-Type": {"text/" + personID}}},
		{as: "officer", method: "POST", path: "/api/v1/asks", body: good, header: http.Header{"Accept": {"x/" + personID}}},
		{as: "officer", method: "POST", path: "/api/v1/entries", body: marshal(obj{"payload": e}), key: personID},
		{as: "admin", method: "POST", path: "/api/v1/accounts", body: marshal(obj{"name": personID, "unit": personName, "certificate": all, "roles": []string{personID}})},
		{as: "liaison", method: personID, path: "/api/v1/entries"},
	}
	var errorsSeen strings.Builder
	counts := map[int]int{}
	run := func(r request) {
		t.Helper()
		res, b := o.do(r)
		counts[res.StatusCode]++
		if res.StatusCode >= 400 {
			errorsSeen.Write(b)
			for k, v := range res.Header {
				fmt.Fprintln(&errorsSeen, k, v)
			}
		}
	}
	for _, r := range requests {
		run(r)
	}
	// Errors and panics of what lies below, which may quote anything.
	broken := func(f func()) { f(); run(asks(good)); run(drafts(marshal(obj{"payload": e}))) }
	call, app := o.hub.Call, o.full
	broken(func() { o.full = fmt.Errorf("pq: invalid input syntax: %q", all) })
	o.full = app
	broken(func() {
		o.hub.Call = func(context.Context, record.MemberID, []byte) ([]byte, error) {
			return nil, fmt.Errorf("dial: %s", all)
		}
	})
	o.hub.Call = call
	o.status = func(context.Context) (httpapi.Status, error) { panic(all) }
	run(request{as: "officer", method: "GET", path: "/api/v1/status"})
	o.status = func(context.Context) (httpapi.Status, error) { panic(fmt.Errorf("%s", all)) }
	run(request{as: "officer", method: "GET", path: "/api/v1/status"})
	o.status = func(context.Context) (httpapi.Status, error) {
		var m map[string]string
		m[all] = personID //nolint:govet,staticcheck // the panic is the point
		return httpapi.Status{}, nil
	}
	run(request{as: "officer", method: "GET", path: "/api/v1/status"})

	if counts[200]+counts[201] < 3 || counts[500] < 4 || counts[422] < 5 || counts[400] < 5 {
		t.Errorf("statuses %v: not every kind of answer was seen", counts)
	}
	res, metrics := o.do(request{method: "GET", path: "/metrics"})
	if res.StatusCode != 200 || !strings.Contains(string(metrics), "pilin_http_panics_total") || !strings.Contains(o.log.String(), `"panic":"string"`) {
		t.Error("metrics or panics are missing")
	}
	for name, hay := range map[string]string{"the log": o.log.String(), "the other member's log": other.log.String(), "metrics": string(metrics), "error answers": errorsSeen.String()} {
		for _, w := range find(hay) {
			t.Errorf("%s: %s", name, w)
		}
	}
}

func TestCanary_members_listener(t *testing.T) {
	f := members(t, 2)
	a, b := f[0], f[1]
	all := strings.Join(canaries, " ")
	var seen strings.Builder
	c := b.httpClient(a.keys)
	send := func(r raw) {
		t.Helper()
		var err error
		r.token, err = a.issue(b.keys.Member, r.method, r.target, []byte(r.body))
		must(t, err)
		res, err := b.send(t, c, r)
		must(t, err)
		defer res.Body.Close()
		if res.StatusCode >= 400 {
			p := problemIn(t, res)
			fmt.Fprintf(&seen, "%+v", p)
		}
	}
	body := `{"v":1,"question":{"id_no":"` + personID + `","name":"` + personName + `"}}`
	for _, err := range []error{nil, federation.ErrMalformed, fmt.Errorf("database: %s", all), record.ErrReplayed} {
		b.reply = func(context.Context, record.MemberID, []byte, record.Use) ([]byte, error) { return []byte(all), err }
		send(raw{method: "POST", target: "/member/v1/ask", body: body})
	}
	b.reply = func(context.Context, record.MemberID, []byte, record.Use) ([]byte, error) { panic(all) }
	send(raw{method: "POST", target: "/member/v1/ask", body: body})
	send(raw{method: "POST", target: "/member/v1/heads", body: body + all})
	send(raw{method: "GET", target: "/member/v1/range?stream=" + personID})
	send(raw{method: "GET", target: "/member/v1/" + personID})
	if !strings.Contains(b.log.String(), `"panic":"string"`) {
		t.Error("the panic is not in the log")
	}
	for name, hay := range map[string]string{"the log": b.log.String(), "error answers": seen.String()} {
		for _, w := range find(hay) {
			t.Errorf("%s: %s", name, w)
		}
	}
}
