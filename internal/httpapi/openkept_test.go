package httpapi_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// again starts the listener anew on the same database, as a node's next start does.
func (o *office) again() *office {
	o.t.Helper()
	o.questions.Stop()
	o.server.Close()
	o.registry = prometheus.NewRegistry()
	return o.open()
}

// watching runs the open questions until the test ends or stop is called.
func (o *office) watching() (stop func()) {
	ctx, cancel := context.WithCancel(o.t.Context())
	ended := make(chan struct{})
	go func() { o.questions.Run(ctx); close(ended) }()
	stop = func() { cancel(); <-ended }
	o.t.Cleanup(stop)
	return stop
}

func (o *office) kept() int {
	o.t.Helper()
	all, err := o.store.OpenAsks(o.t.Context(), 0)
	must(o.t, err)
	return len(all)
}

// eventually polls what runs beside the test.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		wait := time.NewTimer(20 * time.Millisecond)
		<-wait.C
	}
}

// A question is open after a restart as it was; what happened meanwhile is told, and what was asked never gets into the log.
func TestPeople_open_questions_survive_a_restart(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	w := b.at("L3")
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	a.ok("officer", "POST", "/api/v1/asks/"+ans.Ask+"/act", obj{"at": "2026-03-13", "place": "310116", "qualification_at_act": "none"}, nil)
	var before, after httpapi.AskUpdate
	a.ok("officer", "GET", "/api/v1/asks/"+ans.Ask, nil, &before)
	a.again()
	a.ok("officer", "GET", "/api/v1/asks/"+ans.Ask, nil, &after)
	if after.Seq != before.Seq || after.Signed != 1 || after.Count.Alert != before.Count.Alert || !after.Until.Equal(before.Until) || len(after.Count.Decisions) != 1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	b.ok("liaison", "POST", "/api/v1/penalties/"+w.ID+"/status", obj{"version": w.Version, "status": "suspended", "reason": "核实中", "legal_basis": "行政处罚法第54条", "purpose": "CASE"}, nil)
	a.watching()
	eventually(t, "the fall is told", func() bool {
		a.ok("officer", "GET", "/api/v1/asks/"+ans.Ask, nil, &after)
		return after.Seq > before.Seq
	})
	if after.Cause != "restart" || after.Direction != "down" || after.Count.Basic != 0 || after.Signed != 1 || !strings.Contains(after.Change.ZH, "下调") {
		t.Errorf("%+v", after)
	}
	a.clock.move(13 * time.Hour)
	a.questions.Wake()
	eventually(t, "what was asked goes with the question", func() bool { return a.kept() == 0 })
	a.refused(request{as: "admin", method: "GET", path: "/api/v1/asks/" + ans.Ask}, 401, "token_expired")
	if log := a.log.String(); strings.Contains(log, personID) || strings.Contains(log, personName) {
		t.Error("the log says what was asked")
	}
}

// A question whose time was over, or whose person lost the right, while the node was down is not asked again.
func TestPeople_a_restart_brings_no_right_back(t *testing.T) {
	a := offices(t, 1)[0].open().staff()
	owner, second := a.client(t, "o.owner", auth.Officer), a.client(t, "o.second", auth.Officer)
	ask := client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}}
	first, err := owner.Ask(t.Context(), ask)
	must(t, err)
	_, err = second.Ask(t.Context(), ask)
	must(t, err)
	if a.kept() != 2 {
		t.Fatalf("%d questions are kept", a.kept())
	}
	must(t, a.people.SetRoles(t.Context(), "", a.accountOf(t, owner), []auth.Role{auth.Sentinel}))
	a.clock.move(auth.StandingFor + time.Second)
	asked, _ := a.audits()
	a.again()
	a.watching()
	eventually(t, "the question of somebody without the right ends", func() bool { return a.kept() == 1 })
	eventually(t, "the other's is asked", func() bool { now, _ := a.audits(); return len(now) > len(asked) })
	anew := client.NewDesk(a.server.URL, nil)
	anew.Resume(owner.Session())
	var p *client.Problem
	if _, err := anew.Opened(t.Context(), first.Ask); !errors.As(err, &p) {
		t.Errorf("%v", err)
	}
	a.clock.move(13 * time.Hour)
	if a.again(); a.kept() != 0 {
		t.Error("a question whose time is over is resumed")
	}
}

// counted is an index that says how often it was looked into.
type counted struct {
	federation.Index
	n atomic.Int64
}

func (c *counted) Find(ctx context.Context, q federation.Question, asOf string, in federation.In) (federation.Findings, error) {
	c.n.Add(1)
	return c.Index.Find(ctx, q, asOf, in)
}

// Of a crowd of changes none is missed, and they cost no look for each of them.
func TestPeople_changes_are_told_and_cheap(t *testing.T) {
	a := offices(t, 1)[0]
	index := &counted{Index: a.hub.Index}
	a.hub.Index = index
	a.open().staff()
	w := a.at("L3")
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	for range 5 {
		q := question(nil)
		q["question"] = obj{"id_no": "320623190001159016"}
		a.ok("officer", "POST", "/api/v1/asks", q, nil)
	}
	a.watching()
	var told httpapi.AskUpdate
	begun, looked := time.Now(), index.n.Load()
	const changes = 40
	for i := range changes {
		step, who := "suspended", "liaison"
		if i%2 == 1 {
			step, who = "lifted", "head"
		}
		a.ok(who, "POST", "/api/v1/penalties/"+w.ID+"/status", obj{"version": w.Version, "status": step, "reason": "核实", "legal_basis": "行政处罚法第54条", "purpose": "CASE", "document_hash": strings.Repeat("ab", 32)}, &w)
		a.questions.Wake()
		if i == changes/2 || i == changes-1 { // between two askings there is a gap, by the clock of the node
			a.clock.move(3 * time.Second)
			want := map[string]int{"suspended": 0, "lifted": 1}[step]
			eventually(t, step, func() bool {
				a.clock.move(3 * time.Second)
				a.ok("officer", "GET", "/api/v1/asks/"+ans.Ask, nil, &told)
				return told.Count.Basic == want
			})
			if told.Cause != "record" {
				t.Errorf("%s: %+v", step, told)
			}
		}
	}
	// Of each reading one look for each question that has not heard of the subject, and a few for each asking.
	readings := int64(time.Since(begun)/(200*time.Millisecond)) + 2
	asked, _ := a.audits()
	asks := int64(strings.Count(strings.Join(asked, " "), "lookup.asked"))
	if n := index.n.Load() - looked; n > 5*readings+5*asks {
		t.Errorf("%d looks into the index for %d changes, %d readings and %d askings", n, changes, readings, asks)
	} else {
		t.Logf("%d looks into the index for %d changes, at most %d readings, %d askings", n, changes, readings, asks)
	}
	if asks > 6+20 {
		t.Errorf("%d changes were asked for %d times", changes, asks-6)
	}
}

// Who signed is a record: auditor, reviewer and head read and prove it, nobody else; the person is not named.
func TestPeople_signatures_are_records(t *testing.T) {
	a := offices(t, 1)[0].open().staff()
	second := a.client(t, "a.second", auth.Officer)
	var ans httpapi.AskAnswer
	a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
	act := obj{"at": "2026-03-12", "place": "310116", "qualification_at_act": "none"}
	path := "/api/v1/asks/" + ans.Ask + "/act"
	a.ok("officer", "POST", path, act, nil)
	act["at"] = "2026-03-13" // the first may sign anew
	a.ok("officer", "POST", path, act, nil)
	for range 2 { // a repeat signs nothing more
		u, err := second.SignAct(t.Context(), ans.Ask, client.Act{At: "2026-03-13", Place: "310116", Qualification: "none"})
		if err != nil || u.Signed != 2 {
			t.Fatalf("%v %+v", err, u)
		}
	}
	a.refused(request{as: "officer", method: "POST", path: path, body: `{"at":"2026-03-12","place":"310116","qualification_at_act":"none"}`}, 409, "act_differs")
	types, bodies := a.audits()
	if n := strings.Count(strings.Join(types, " "), "act.signed"); n != 3 {
		t.Errorf("%d records of signatures, want 3", n)
	}
	for i, typ := range types {
		if typ == "act.signed" && (strings.Contains(bodies[i], personID) || strings.Contains(bodies[i], personName) || !strings.Contains(bodies[i], ans.Ask)) {
			t.Errorf("%s", bodies[i])
		}
	}
	for _, who := range []string{"auditor", "reviewer", "head"} {
		var page struct {
			Rows []httpapi.ActRow `json:"rows"`
		}
		a.ok(who, "GET", "/api/v1/acts", nil, &page)
		if len(page.Rows) != 1 || page.Rows[0].State != "confirmed" || page.Rows[0].Ask != ans.Ask || len(page.Rows[0].Signed) != 2 || len(page.Rows[0].Passed) != 1 {
			t.Fatalf("%s: %+v", who, page.Rows)
		}
		var proof httpapi.Proof
		a.ok(who, "GET", "/api/v1/records/"+page.Rows[0].Signed[0].Record+"/proof", nil, &proof)
		if proof.Stream != "310116-01/audit" || proof.Size == 0 {
			t.Errorf("%+v", proof)
		}
		a.refused(request{as: "officer", method: "GET", path: "/api/v1/records/" + page.Rows[0].Signed[0].Record + "/proof"}, 404, "not_found")
	}
	a.refused(request{as: "officer", method: "GET", path: "/api/v1/acts"}, 403, "forbidden")
	a.refused(request{as: "admin", method: "GET", path: "/api/v1/acts"}, 403, "forbidden")
}

// Acts that were signed before a restore, after which the audit goes on in another stream, are listed and proven as before,
// behind the newer ones, page by page.
func TestPeople_signatures_outlive_a_restore(t *testing.T) {
	a := offices(t, 1)[0].open().staff()
	sign := func() string {
		var ans httpapi.AskAnswer
		a.ok("officer", "POST", "/api/v1/asks", question(nil), &ans)
		a.ok("officer", "POST", "/api/v1/asks/"+ans.Ask+"/act", obj{"at": "2026-03-12", "place": "310116", "qualification_at_act": "none"}, nil)
		return ans.Ask
	}
	want := []string{sign(), sign()}
	a.hub.Audit = record.Stream(a.dir.Self(), record.Audit+".1")
	want = append(want, sign())
	slices.Reverse(want)
	var got []string
	for cursor, page := "", 0; page == 0 || cursor != ""; page++ {
		var acts struct {
			Rows []httpapi.ActRow `json:"rows"`
			Next string           `json:"next"`
		}
		a.ok("auditor", "GET", "/api/v1/acts?limit=1&cursor="+cursor, nil, &acts)
		for _, r := range acts.Rows {
			got = append(got, r.Ask)
			a.ok("auditor", "GET", "/api/v1/records/"+r.Signed[0].Record+"/proof", nil, nil)
		}
		if cursor = acts.Next; page > len(want) {
			t.Fatal("pages without end")
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
