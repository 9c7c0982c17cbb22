package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
)

// client signs a person in through the client.
func (o *office) client(t *testing.T, name string, roles ...auth.Role) *client.Desk {
	t.Helper()
	_, link, err := o.people.Create(t.Context(), "", auth.NewAccount{Name: name, Certificate: "99000000002", Roles: roles})
	must(t, err)
	d := client.NewDesk(o.server.URL, nil)
	must(t, d.UseLink(t.Context(), link, password))
	must(t, d.SignIn(t.Context(), name, password))
	return d
}

func TestClient_walks_the_whole_api(t *testing.T) {
	o := offices(t, 1)[0].open()
	ctx := t.Context()
	officer, reviewer, liaison, head := o.client(t, "c.officer", auth.Officer), o.client(t, "c.reviewer", auth.LegalReviewer),
		o.client(t, "c.liaison", auth.Liaison, auth.Coordinator), o.client(t, "c.head", auth.Head)
	publish := func(f client.Family, payload obj) client.Written {
		t.Helper()
		b, err := json.Marshal(payload)
		must(t, err)
		w, err := officer.Draft(ctx, f, "", client.Proposal{Payload: b})
		must(t, err)
		for _, s := range []struct {
			who  *client.Desk
			name string
		}{{officer, "submit"}, {reviewer, "approve"}, {liaison, "publish"}} {
			w, err = s.who.Step(ctx, f, w.ID, s.name, "", client.Step{Version: w.Version})
			must(t, err)
		}
		return w
	}
	penalty := publish(client.Penalties, example(t, "penalty", "announced_and_contested"))
	e := example(t, "blacklist.person", "entry")
	e["penalty_refs"] = []string{penalty.ID}
	entry := publish(client.Entries, e)

	got, err := liaison.Entry(ctx, client.Entries, entry.ID)
	must(t, err)
	if got.State != "published" || got.Receipts == nil || len(got.Payload) == 0 {
		t.Errorf("%+v", got)
	}
	page, err := liaison.List(ctx, client.Entries, client.Filter{Limit: 1, State: "published"})
	must(t, err)
	if len(page.Rows) != 1 || page.Rows[0].ID != entry.ID {
		t.Errorf("%+v", page)
	}
	a, err := officer.Ask(ctx, client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}})
	must(t, err)
	if a.Outcome != "hit" || a.Answered != 1 || a.Counts.Hits != len(a.Hits) {
		t.Errorf("%+v", a)
	}
	if _, err := liaison.Proof(ctx, entry.Record); err != nil {
		t.Error(err)
	}
	if s, err := head.Status(ctx); err != nil || s.Member != o.dir.Self() {
		t.Errorf("%+v %v", s, err)
	}
	b, err := json.Marshal(e)
	must(t, err)
	w, err := officer.Correct(ctx, client.Entries, entry.ID, "", 1, client.Proposal{Payload: b}, "typing_error", "更正")
	must(t, err)
	if w, err = reviewer.Step(ctx, client.Entries, w.ID, "approve", "", client.Step{Version: w.Version}); err != nil || w.Version != 2 {
		t.Errorf("%+v %v", w, err)
	}
	_, err = head.Step(ctx, client.Entries, entry.ID, "approve", "", client.Step{Version: 2})
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "forbidden" || p.RequestID == "" {
		t.Errorf("%v", err)
	}
	must(t, head.SignOut(ctx))
	if _, err := head.Status(ctx); !errors.Is(err, client.ErrSignedOut) {
		t.Errorf("%v", err)
	}
	admin := o.client(t, "c.admin", auth.SysAdmin)
	acc, err := admin.CreateAccount(ctx, client.Account{Name: "c.new", Roles: []string{"officer"}})
	must(t, err)
	must(t, admin.DisableAccount(ctx, acc.ID, true))
	must(t, admin.SetRoles(ctx, acc.ID, []string{"liaison"}))
	if link, err := admin.NewLink(ctx, acc.ID); err != nil || link == "" || acc.Link == "" {
		t.Error(err)
	}
	if all, err := admin.Accounts(ctx); err != nil || len(all) != 6 {
		t.Errorf("%d accounts, %v", len(all), err)
	}
	if ops, err := liaison.Operations(ctx); err != nil || len(ops) != 0 {
		t.Errorf("%v %v", ops, err)
	}
}

// lossy loses the answer of the first request that writes.
type lossy struct {
	http.RoundTripper
	lost bool
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil && !l.lost && r.Header.Get("Idempotency-Key") != "" {
		l.lost = true
		_ = res.Body.Close()
		return nil, errors.New("connection reset")
	}
	return res, err
}

func TestClient_a_lost_answer_does_not_write_twice(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	l := &lossy{RoundTripper: http.DefaultTransport}
	d := client.NewDesk(o.server.URL, &http.Client{Transport: l})
	must(t, d.SignIn(t.Context(), "officer", password))
	b, err := json.Marshal(example(t, "blacklist.person", "entry"))
	must(t, err)
	w, err := d.Draft(t.Context(), client.Entries, "", client.Proposal{Payload: b})
	must(t, err)
	page, err := d.List(t.Context(), client.Entries, client.Filter{Drafts: true})
	must(t, err)
	if !l.lost || len(page.Rows) != 1 || page.Rows[0].ID != w.ID {
		t.Errorf("lost %v, %+v", l.lost, page.Rows)
	}
}

func TestClient_renews_its_token(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	d := client.NewDesk(o.server.URL, nil)
	k, err := o.people.SignIn(context.Background(), "officer", password, netip.MustParseAddr("127.0.0.1"))
	must(t, err)
	// The office's clock stands in March 2026, so that to the client's own clock the token is near its end or past it.
	d.Resume(client.Session{Access: k.Access, AccessExpires: k.AccessExpires.AddDate(-10, 0, 0), Refresh: k.Refresh})
	_, err = d.Status(t.Context())
	must(t, err)
	if d.Session().Refresh == k.Refresh {
		t.Error("not renewed")
	}
}

// The client's types say all that the API says: nothing of an answer is lost on the way.
func TestClient_knows_every_field(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	_, entry := o.penaltyAndEntry()
	for path, into := range map[string]any{
		"/api/v1/entries/" + entry.ID:                &client.Entry{},
		"/api/v1/entries":                            &client.Page{},
		"/api/v1/records/" + entry.Record + "/proof": &client.Proof{},
		"/api/v1/status":                             &client.Status{},
	} {
		_, b := o.do(request{as: "liaison", method: "GET", path: path})
		if err := json.Unmarshal(b, into, json.RejectUnknownMembers(true)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	j, err := json.Marshal(question(nil))
	must(t, err)
	_, b := o.do(request{as: "officer", method: "POST", path: "/api/v1/asks", body: string(j)})
	if err := json.Unmarshal(b, &client.Answer{}, json.RejectUnknownMembers(true)); err != nil {
		t.Error(err)
	}
	for _, v := range []struct{ ours, theirs any }{
		{client.Operation{Replies: []client.OperationReply{{}}, History: []client.OperationStep{{}}}, &httpapi.Operation{}},
		{client.Status{Members: []client.MemberStatus{{}}, Streams: []client.StreamStatus{{}}}, &httpapi.Status{}},
	} {
		b, err := json.Marshal(v.ours)
		must(t, err)
		if err := json.Unmarshal(b, v.theirs, json.RejectUnknownMembers(true)); err != nil {
			t.Errorf("%T: %v", v.ours, err)
		}
	}
}
