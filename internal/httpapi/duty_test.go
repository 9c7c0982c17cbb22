package httpapi_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
)

// duty reads an own roster; what others publish lies at other offices of these tests.
func (o *office) duty(ctx context.Context, m record.MemberID, at time.Time) (httpapi.DutyContact, bool) {
	if m != o.dir.Self() {
		return httpapi.DutyContact{}, false
	}
	own := record.Stream(m, record.Records)
	items, err := o.list(ctx, httpapi.Filter{Stream: own, Type: blacklist.TypeRoster, Limit: 10})
	must(o.t, err)
	var all []blacklist.Roster
	for _, it := range items {
		e, err := o.register.Entry(ctx, own, it.Subject, "")
		must(o.t, err)
		if r, ok := e.Roster(); ok {
			all = append(all, r)
		}
	}
	return httpapi.ContactOf(all, at)
}

// Every answer and alert says whom to call now: the telephone of the day or of the night by the clock of the wall.
func TestPeople_duty_contact_on_answers_and_alerts(t *testing.T) {
	f := offices(t, 2)
	for _, o := range f {
		o.clock.move(-4 * time.Hour) // Friday 13 March, 13:30 at +08:00
	}
	a := f[0].open().staff()
	f[1].open().staff().at("L3")
	running, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { a.questions.Run(running); close(ended) }()
	defer func() { stop(); <-ended }()
	roster := example(t, "duty_roster", "week")
	roster["occurred_at"] = "2026-03-02T08:00:00+08:00"
	a.publish("rosters", roster)

	d := a.client(t, "d.owner", auth.Officer, auth.Liaison)
	ask := client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Question: client.Question{IDNo: personID}}
	contact := func(c client.DutyContact) string {
		return fmt.Sprint(c.Phone, " ", c.Night, " ", c.Person, " ", c.From)
	}
	const day, night = "0573-80000000 false 联络员-平湖 08:30", "15400000003 true 执法员-06 17:30"
	ans, err := d.Ask(t.Context(), ask)
	must(t, err)
	for _, m := range ans.Members {
		if own := m.Member == a.dir.Self(); own != (m.Duty != nil) || own && contact(*m.Duty) != day {
			t.Errorf("%s: %+v", m.Member, m.Duty)
		}
	}
	ear := hears(t, d, "")
	updates := make(chan client.Update, 16)
	watching, end := context.WithCancel(t.Context())
	defer end()
	go func() {
		_ = d.Watch(watching, ans.Ask, func(u client.Update) error { updates <- u; return nil })
	}()
	told := func(want string, got []client.MemberDuty) {
		t.Helper()
		if len(got) != 1 || got[0].Member != a.dir.Self() || got[0].Name != "测区" || contact(got[0].DutyContact) != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	next := func() client.Update {
		t.Helper()
		select {
		case u := <-updates:
			return u
		case <-time.After(30 * time.Second):
			t.Fatal("no update")
			return client.Update{}
		}
	}
	told(day, next().Duty)

	// By night the same question tells the night's telephone, and so does the alert that it came to something else.
	for _, o := range f {
		o.clock.move(4*time.Hour + 31*time.Minute)
	}
	f[1].signInAgain("liaison")
	must(t, d.SignIn(t.Context(), "d.owner", password))
	u, err := d.Opened(t.Context(), ans.Ask)
	must(t, err)
	told(night, u.Duty)
	list := obj{}
	f[1].ok("liaison", "GET", "/api/v1/penalties", nil, &list)
	row := list["rows"].([]any)[0].(obj)
	f[1].ok("liaison", "POST", "/api/v1/penalties/"+row["id"].(string)+"/status", obj{"version": row["version"], "status": "suspended", "reason": "核实中", "legal_basis": "行政处罚法第54条", "purpose": "CASE"}, nil)
	for _, o := range f {
		o.clock.move(6*time.Hour + 29*time.Minute) // half past midnight: another day, and the shift of the day before
	}
	u = next()
	if u.Cause != "day" || u.Direction != "down" {
		t.Errorf("%+v", u)
	}
	told(night, u.Duty)
	if n := ear.next(); n.Topic != "ask" || n.Ask != ans.Ask {
		t.Errorf("%+v", n)
	} else {
		told(night, n.Duty)
	}
}
