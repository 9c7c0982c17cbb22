package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// at publishes the example's penalty at a level.
func (o *office) at(level string) httpapi.Written {
	o.t.Helper()
	var w httpapi.Written
	o.ok("officer", "POST", "/api/v1/penalties", obj{"payload": example(o.t, "penalty", "person"), "level": level}, &w)
	for _, s := range []struct{ who, step string }{{"officer", "submit"}, {"reviewer", "approve"}, {"liaison", "publish"}} {
		o.ok(s.who, "POST", "/api/v1/penalties/"+w.ID+"/"+s.step, obj{"version": w.Version}, &w)
	}
	return w
}

func TestPeople_the_count_at_each_level(t *testing.T) {
	for level, want := range map[string]string{"L1": "GP0 l1_answer", "L2": "G1 counted", "L3": "G1 counted"} {
		f := offices(t, 2)
		a, b := f[0].open().staff(), f[1].open().staff()
		var note []byte
		call := a.hub.Call
		a.hub.Call = func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
			n, err := call(ctx, m, body)
			note = n
			return n, err
		}
		w := b.at(level)
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(obj{"why": true}), &ans)
		c := ans.Count
		if c == nil || len(c.Decisions) != 1 || c.Alert+" "+c.Decisions[0].Reason != want || c.Incomplete {
			t.Errorf("%s: %+v", level, c)
		}
		for _, secret := range []string{personName, personID, "15400000001"} {
			if strings.Contains(string(note), secret) != (level == "L3") {
				t.Errorf("%s: the answer between members holds %q: %v", level, secret[:3], level != "L3")
			}
		}
		if strings.Contains(string(note), `"facts":[{`) != (level == "L3") || strings.Contains(string(note), `"facts":[],"lines":[{`) != (level == "L2") {
			t.Errorf("%s: %s", level, note)
		}
		if _, bodies := b.audits(); !strings.Contains(bodies[len(bodies)-1], w.Record) && !strings.Contains(strings.Join(bodies, ""), w.ID) {
			t.Errorf("%s: not in the audit record", level)
		}
	}
}

// An open question is told what it came to, and to nobody who may not hear of it.
func TestPeople_an_open_question(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	running, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { a.questions.Run(running); close(ended) }()
	defer func() { stop(); <-ended }()
	w := b.at("L3")
	owner, other := a.client(t, "o.owner", auth.Officer), a.client(t, "o.other", auth.Officer)
	ask := client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}}
	ans, err := owner.Ask(t.Context(), ask)
	must(t, err)
	if ans.OpenUntil.IsZero() || ans.Count == nil || ans.Count.Alert != "G1" {
		t.Fatalf("%+v", ans)
	}
	var p *client.Problem
	if _, err := other.Opened(t.Context(), ans.Ask); !errors.As(err, &p) || p.Code != "not_found" {
		t.Errorf("another's question: %v", err)
	}
	if err := other.Watch(t.Context(), ans.Ask, func(client.Update) error { return nil }); !errors.As(err, &p) || p.Code != "not_found" {
		t.Errorf("another's stream: %v", err)
	}
	// The penalty is suspended at its origin. No copy of it lies here, so the next sign is a new day.
	updates := make(chan client.Update, 16)
	closed := make(chan error, 1)
	go func() {
		closed <- owner.Watch(t.Context(), ans.Ask, func(u client.Update) error { updates <- u; return nil })
	}()
	if u := <-updates; u.Seq != 1 || u.Direction != "same" || u.Count.Alert != "G1" || u.Cause != "asked" {
		t.Errorf("%+v", u)
	}
	b.ok("liaison", "POST", "/api/v1/penalties/"+w.ID+"/status", obj{"version": w.Version, "status": "suspended", "reason": "核实中", "legal_basis": "行政处罚法第54条", "purpose": "CASE"}, nil)
	asked, _ := a.audits()
	for _, o := range f {
		o.clock.move(11 * time.Hour) // another day by the calendar, within the question's life
	}
	if u := <-updates; u.Seq != 2 || u.Direction != "down" || u.Count.Alert != "GP0" || u.Count.Basic != 0 || u.Cause != "day" {
		t.Errorf("%+v %+v", u.Change, u.Count)
	}
	if now, _ := a.audits(); strings.Count(strings.Join(now[len(asked):], " "), "lookup.asked") == 0 {
		t.Error("the re-asking is not in the audit log")
	}
	// Who loses the right hears no more.
	must(t, a.people.SetRoles(t.Context(), "", a.accountOf(t, owner), []auth.Role{auth.Sentinel}))
	a.clock.move(auth.StandingFor + time.Second)
	a.questions.Wake()
	var gone *client.ClosedError
	select {
	case err := <-closed:
		if !errors.As(err, &gone) || gone.Reason != "rights" {
			t.Errorf("closed: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("a stream goes on for somebody without the right")
	}
}

func (o *office) accountOf(t *testing.T, d *client.Desk) string {
	t.Helper()
	return d.Session().Account
}

// Questions are bounded for an account, and a listener that shuts down ends its streams.
func TestPeople_open_questions_are_bounded(t *testing.T) {
	a := offices(t, 1)[0].open().staff()
	var asks []string
	for range 9 {
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
		if ans.OpenUntil == nil {
			t.Fatal("not kept open")
		}
		asks = append(asks, ans.Ask)
		a.clock.move(time.Second)
	}
	a.refused(request{as: "officer", method: "GET", path: "/api/v1/asks/" + asks[0]}, 404, "not_found")
	var u httpapi.AskUpdate
	a.ok("officer", "GET", "/api/v1/asks/"+asks[8], nil, &u)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.server.URL+"/api/v1/asks/"+asks[8]+"/events", http.NoBody)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+a.tokens["officer"])
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	in := bufio.NewReader(res.Body)
	line, err := in.ReadString('\n')
	if err != nil || line != "id: 1\n" {
		t.Fatalf("%q %v", line, err)
	}
	a.questions.Stop()
	rest, err := io.ReadAll(in)
	must(t, err)
	if !strings.Contains(string(rest), `"reason":"stopping"`) || strings.Contains(string(rest), personID) {
		t.Errorf("%s", rest)
	}
}

// Two officers sign, each for himself, and the same.
func TestPeople_signing_an_act(t *testing.T) {
	f := offices(t, 2)
	a := f[0].open().staff()
	f[1].open().staff().at("L3")
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	path, act := "/api/v1/asks/"+ans.Ask+"/act", obj{"at": "2026-03-13", "place": "310116", "qualification_at_act": "none"}
	second := a.client(t, "a.second", auth.Officer)
	for name, row := range map[string]struct {
		change obj
		code   string
	}{"tomorrow": {obj{"at": "2026-03-14"}, "date_future"}, "no day": {obj{"at": "2026-02-30"}, "format"}, "elsewhere": {obj{"place": "330482"}, "act_elsewhere"},
		"no such state": {obj{"qualification_at_act": "king"}, "enum"}} {
		bad := obj{}
		for k, v := range act {
			bad[k] = v
		}
		for k, v := range row.change {
			bad[k] = v
		}
		b, err := json.Marshal(bad)
		must(t, err)
		if p := a.refused(request{as: "officer", method: "POST", path: path, body: string(b)}, 422, "invalid"); len(p.Errors) != 1 || p.Errors[0].Code != row.code {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
	b, err := json.Marshal(act)
	must(t, err)
	a.refused(request{as: "liaison", method: "POST", path: path, body: string(b)}, 403, "forbidden")
	var u httpapi.AskUpdate
	a.ok("officer", "POST", path, act, &u)
	if u.Signed != 1 || u.Cause != "act" {
		t.Errorf("%+v", u)
	}
	var p *client.Problem
	if _, err := second.SignAct(t.Context(), ans.Ask, client.Act{At: "2026-03-12", Place: "310116", Qualification: "none"}); !errors.As(err, &p) || p.Code != "act_differs" {
		t.Errorf("another day: %v", err)
	}
	both, err := second.SignAct(t.Context(), ans.Ask, client.Act{At: "2026-03-13", Place: "310116", Qualification: "none"})
	if err != nil || both.Signed != 2 {
		t.Errorf("%v %+v", err, both)
	}
	if _, err := second.Opened(t.Context(), ans.Ask); err != nil {
		t.Errorf("who signed may hear of it: %v", err)
	}
}
