package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// ear is somebody who listens to the desk's stream.
type ear struct {
	t     *testing.T
	heard chan client.Notice
	place string // behind the last notice that was taken
	at    chan string
	ended chan error
	stop  context.CancelFunc
}

// hears listens from a place on; empty is from now. It returns when the stream is open.
func hears(t *testing.T, d *client.Desk, from string) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	e := &ear{t: t, heard: make(chan client.Notice, 1000), at: make(chan string, 1000), ended: make(chan error, 1), stop: cancel}
	t.Cleanup(cancel)
	open := make(chan string, 1)
	go func() {
		e.ended <- d.Hear(ctx, from, func(at string, n client.Notice) error {
			if n.Topic == "" {
				open <- at
				return nil
			}
			e.at <- at
			e.heard <- n
			return nil
		})
	}()
	select {
	case e.place = <-open:
	case err := <-e.ended:
		t.Fatal(err)
	case <-time.After(30 * time.Second):
		t.Fatal("the stream does not open")
	}
	return e
}

// next takes the next notice.
func (e *ear) next() client.Notice {
	e.t.Helper()
	select {
	case n := <-e.heard:
		e.place = <-e.at
		return n
	case err := <-e.ended:
		e.t.Fatalf("ended: %v", err)
	case <-time.After(30 * time.Second):
		e.t.Fatal("nothing is heard")
	}
	return client.Notice{}
}

func short(n client.Notice) string {
	return strings.Join(strings.Fields(fmt.Sprint(n.Topic, " ", n.Member, " ", n.Type, " ", n.Event, " ", n.State)), " ")
}

// hearsAll takes the next notices and compares them.
func (e *ear) hearsAll(want ...string) {
	e.t.Helper()
	for i, w := range want {
		if got := short(e.next()); got != w {
			e.t.Errorf("notice %d: %q, want %q", i, got, w)
		}
	}
}

// quiet says that nothing more was heard so far.
func (e *ear) quiet() {
	e.t.Helper()
	for {
		select {
		case n := <-e.heard:
			e.t.Errorf("heard %s", short(n))
		default:
			return
		}
	}
}

// Each hears what his work needs: who reviews of what waits for review, who publishes of what was approved, everybody of
// what the bureau has published; who has nothing to do with records hears of none, and nobody hears what stands in one.
func TestEvents_each_hears_what_his_work_needs(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	ears := map[string]*ear{}
	for name, role := range map[string]auth.Role{"officer": auth.Officer, "reviewer": auth.LegalReviewer, "liaison": auth.Liaison, "head": auth.Head, "coordinator": auth.Coordinator, "auditor": auth.Auditor} {
		ears[name] = hears(t, o.client(t, "e."+name, role), "")
	}
	const d, a = "draft 310116-01 ", "entry 310116-01 "
	approved := []string{d + "penalty approve approved", d + "blacklist.person approve approved"}
	drafts := map[string][]string{"officer": nil, "auditor": nil, "liaison": approved, "head": approved,
		"reviewer": {d + "penalty submit in_review", approved[0], d + "blacklist.person submit in_review", approved[1]}}
	// Streams are told one after the other, so drafts and records may change places among each other.
	hear := func(records []string, drafts map[string][]string) {
		t.Helper()
		for name, e := range ears {
			if name == "coordinator" {
				continue
			}
			var public, local []string
			for range len(records) + len(drafts[name]) {
				n := e.next()
				b, err := json.Marshal(n)
				must(t, err)
				if strings.Contains(string(b), personName) || strings.Contains(string(b), personID) || n.Record == "" || n.Subject == "" || n.Day == "" || n.Version == 0 {
					t.Errorf("%s hears %s", name, b)
				}
				if n.Topic == "draft" {
					local = append(local, short(n))
				} else {
					public = append(public, short(n))
				}
			}
			if !slices.Equal(public, records) || !slices.Equal(local, drafts[name]) {
				t.Errorf("%s hears %q %q", name, public, local)
			}
			e.quiet()
		}
	}
	_, entry := o.penaltyAndEntry()
	hear([]string{a + "penalty publish published", a + "blacklist.person publish published"}, drafts)
	step := func(as, name string, version uint64, code string) {
		o.ok(as, "POST", "/api/v1/entries/"+entry.ID+"/"+name, obj{"version": version, "reason": "身份存疑", "reason_code": code, "document_hash": strings.Repeat("ab", 32),
			"legal_basis": "个人信息保护法第46条", "purpose": "CORRECT"}, nil)
	}
	step("liaison", "suspend", 1, "identity_doubt")
	hear([]string{a + "blacklist.person suspend suspended"}, nil)
	step("head", "confirm", 2, "wrong_person")
	hear([]string{a + "blacklist.person confirm withdrawn"}, nil)
	ears["coordinator"].quiet()
	for _, as := range []string{"admin", "aide", ""} {
		status, code := 403, "forbidden"
		if as == "" {
			status, code = 401, "token_missing"
		}
		o.refused(request{as: as, method: "GET", path: "/api/v1/events"}, status, code)
	}
}

// Of a neighbour's entry the liaison hears that it came, was changed and was withdrawn; the officer, who asks instead, does
// not. Of an operation hears whom it is for, and an officer only when the embargo is over.
func TestEvents_of_neighbours(t *testing.T) {
	f := offices(t, 3)
	for _, o := range f {
		o.open().staff()
	}
	lead, invited, other := f[0], f[1], f[2]
	liaison, officer := hears(t, invited.client(t, "e.liaison", auth.Liaison), ""), hears(t, invited.client(t, "e.officer", auth.Officer), "")
	stranger, asks := hears(t, other.client(t, "e.liaison", auth.Liaison), ""), hears(t, lead.client(t, "e.coordinator", auth.Coordinator), "")
	plan := example(t, "operation", "plan")
	plan["participants"] = []record.MemberID{lead.dir.Self(), invited.dir.Self()}
	plan["teams"] = []obj{{"host": invited.dir.Self(), "leader": "acc-1", "officers": []string{"acc-1", "acc-2"}}}
	var w httpapi.Written
	lead.ok("coordinator", "POST", "/api/v1/operations", obj{"payload": plan}, &w)
	carry(t, f)
	a, b := string(lead.dir.Self()), string(invited.dir.Self())
	if n := liaison.next(); short(n) != "operation "+a+" operation propose proposed" || n.Subject != w.ID {
		t.Errorf("%s %+v", short(n), n)
	}
	invited.ok("liaison", "POST", "/api/v1/operations/"+w.ID+"/accept", obj{"officers": 4, "legal_basis": "共建协议第3条"}, nil)
	liaison.hearsAll("operation " + b + " operation accept confirmed")
	carry(t, f)
	asks.hearsAll("operation "+a+" operation propose proposed", "operation "+b+" operation accept confirmed")
	penalty, _ := lead.penaltyAndEntry()
	lead.ok("liaison", "POST", "/api/v1/penalties/"+penalty.ID+"/status", obj{"version": 1, "status": "suspended", "reason": "核实中", "legal_basis": "行政处罚法第54条", "purpose": "CASE"}, nil)
	carry(t, f)
	heard := []string{"entry " + a + " penalty publish published", "entry " + a + " blacklist.person publish published", "entry " + a + " penalty suspend suspended"}
	liaison.hearsAll(heard...)
	stranger.hearsAll(heard...) // and nothing of the operation
	officer.quiet()
	for _, e := range []*ear{liaison, stranger, asks} {
		e.quiet()
	}
}

// A place is resumed without a gap and without a repeat, also at a node that was started anew.
func TestEvents_resume(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	d := o.client(t, "e.liaison", auth.Liaison)
	first := hears(t, d, "")
	empty := first.place
	penalty := o.publish("penalties", example(t, "penalty", "person"))
	var got []string
	for range 2 {
		got = append(got, first.next().Record)
	}
	middle := first.place
	first.stop()
	if err := <-first.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	e := example(t, "blacklist.person", "entry")
	e["penalty_refs"] = []string{penalty.ID}
	o.publish("entries", e)
	o.again()
	d = client.NewDesk(o.server.URL, nil)
	must(t, d.SignIn(t.Context(), "e.liaison", password))
	o.tokens["e.liaison"] = d.Session().Access
	second := hears(t, d, middle)
	for range 2 {
		got = append(got, second.next().Record)
	}
	second.quiet()
	whole := hears(t, d, empty)
	var want []string
	for range 4 {
		want = append(want, whole.next().Record)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(slices.Compact(got)) != 4 {
		t.Errorf("in two parts %v, at once %v", got, want)
	}
	for name, place := range map[string]string{"no place": "7", "a stream that is none": "310116-01:7", "another order": "310116-01/records:1,310116-01/local:1", "twice": "310116-01/local:1,310116-01/local:1",
		"a sign": "310116-01/local:-1", "leading zero": "310116-01/local:01", "too large": "310116-01/local:9223372036854775808", "line": "310116-01/local:1,", "long": strings.Repeat("310116-01/local:1,", 700)} {
		if p := o.refused(request{as: "e.liaison", method: "GET", path: "/api/v1/events", header: map[string][]string{"Last-Event-ID": {place}}}, 400, "header_invalid"); len(p.Errors) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// A place gives no right: whoever names the beginning of everything hears what he may hear now.
func TestEvents_a_place_is_no_right(t *testing.T) {
	f := offices(t, 2)
	a, b := f[0].open().staff(), f[1].open().staff()
	a.penaltyAndEntry()
	carry(t, f)
	begin := fmt.Sprintf("%s/records:0,%s/local:0", a.dir.Self(), b.dir.Self())
	if got := hears(t, b.client(t, "e.liaison", auth.Liaison), begin); short(got.next()) != "entry 310116-01 penalty publish published" {
		t.Error("the liaison hears another thing")
	}
	officer := hears(t, b.client(t, "e.officer", auth.Officer), begin)
	b.penaltyAndEntry()
	officer.hearsAll("entry " + string(b.dir.Self()) + " penalty publish published")
}

// Rights are looked at before each notice: who loses a role hears no more of it, who loses all is told and cut, and so is
// whose account is disabled.
func TestEvents_rights_change(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	reviewer, gone, disabled := o.client(t, "e.reviewer", auth.LegalReviewer), o.client(t, "e.gone", auth.Liaison), o.client(t, "e.disabled", auth.Head)
	r, g, d := hears(t, reviewer, ""), hears(t, gone, ""), hears(t, disabled, "")
	must(t, o.people.SetRoles(t.Context(), "", o.accountOf(t, reviewer), []auth.Role{auth.Auditor}))
	must(t, o.people.SetRoles(t.Context(), "", o.accountOf(t, gone), []auth.Role{auth.Sentinel}))
	must(t, o.people.Disable(t.Context(), "", o.accountOf(t, disabled), true))
	for _, e := range []*ear{g, d} {
		var closed *client.ClosedError
		select {
		case err := <-e.ended:
			if !errors.As(err, &closed) || closed.Reason != "rights" {
				t.Errorf("ended: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("a stream goes on for somebody without the right")
		}
		e.quiet()
	}
	o.publish("penalties", example(t, "penalty", "person"))
	r.hearsAll("entry 310116-01 penalty publish published") // as an auditor, and of no draft
	r.quiet()
}

// Questions, imports and alarms are told to those whom they concern.
func TestEvents_of_questions_imports_and_alarms(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.watching()
	w := o.publish("penalties", example(t, "penalty", "person"))
	owner, other := o.client(t, "e.owner", auth.Officer), o.client(t, "e.other", auth.Officer)
	ans, err := owner.Ask(t.Context(), client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}})
	must(t, err)
	mine, theirs := hears(t, owner, ""), hears(t, other, "")
	o.ok("liaison", "POST", "/api/v1/penalties/"+w.ID+"/status", obj{"version": w.Version, "status": "suspended", "reason": "核实中", "legal_basis": "行政处罚法第54条", "purpose": "CASE"}, nil)
	stop := make(chan struct{})
	go func() { // the gap between two askings is of the office's clock
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				o.clock.move(time.Second)
			}
		}
	}()
	var asked bool
	for range 2 {
		n := mine.next()
		asked = asked || n.Topic == "ask" && n.Ask == ans.Ask && n.Direction == "down" && n.Seq == 2
	}
	close(stop)
	if !asked {
		t.Error("the owner does not hear of his question")
	}
	theirs.hearsAll("entry 310116-01 penalty suspend suspended")
	_, err = owner.UploadImport(t.Context(), []byte("姓名,证件号码\n测甲一,"+personID+"\n"), "", "")
	var p *client.Problem
	if err != nil && !errors.As(err, &p) {
		t.Fatal(err)
	}
	o.status = nil
	if p == nil {
		if n := theirs.next(); n.Topic != "import" || n.Event != "check" || n.State == "running" || n.Import == "" {
			t.Errorf("%+v", n)
		}
	}
	theirs.quiet()
}
