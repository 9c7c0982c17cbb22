package nodetest_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/demo"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/internal/testsvc"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// A question that was acknowledged as open is open after kill -9, with the officers' signatures: what happens elsewhere
// while the node is dead is told after its start, and what happens then as ever (ADR 9).
func TestKill_OpenQuestionOnPostgres(t *testing.T) {
	killOpen(t, node.Database{Driver: "postgres", DSN: testsvc.OwnPostgres(t).Database()})
}

// The same on SQLite.
func TestKill_OpenQuestionOnSQLite(t *testing.T) { killOpen(t, node.Database{Driver: "sqlite"}) }

// password is that of every account here; all of it is synthetic.
const password = "Correct-Horse-19"

func killOpen(t *testing.T, db node.Database) {
	o := &opened{world: newWorld(t, db)}
	o.accounts()
	o.publish("测松卫医罚〔2025〕9001号", "2025-03-03")
	o.publish("测松卫医罚〔2025〕9002号", "2025-06-09")
	p := o.start()
	officer, second := o.desk("k.officer"), o.desk("k.second")
	ans := o.ask(officer)
	act := client.Act{At: record.CivilDay(time.Now()), Place: "310116", Qualification: "none"}
	_, err := officer.SignAct(t.Context(), ans.Ask, act)
	must(t, err)
	before, err := second.SignAct(t.Context(), ans.Ask, act)
	must(t, err)
	if before.Signed != 2 || before.Count.Alert != "G3" {
		t.Fatalf("before the kill: %+v", before)
	}
	p.kill()
	o.dead(p)
	o.revoke(0)

	p = o.start()
	updates, stop := o.watch(officer, ans.Ask)
	down := o.until(updates, "the fall of the dead time", func(u client.Update) bool { return u.Count.Basic == 1 && u.Count.Answered == 2 })
	if down.Direction != "down" || down.Seq <= before.Seq || down.Signed != 2 || down.Count.Alert != "G1" || down.Cause != "restart" && down.Cause != "record" && down.Cause != "member" {
		t.Errorf("after the start: %+v", down)
	}
	o.revoke(1)
	last := o.until(updates, "a revocation after the start", func(u client.Update) bool { return u.Count.Basic == 0 && u.Count.Answered == 2 })
	if last.Direction != "down" || last.Count.Alert != "G0" || last.Signed != 2 || last.Cause != "record" {
		t.Errorf("%+v", last)
	}
	stop()
	p.kill() // what was told is durable
	o.dead(p)

	p = o.start()
	var again client.Update
	o.eventually("people reach the node", func() bool {
		again, err = officer.Opened(t.Context(), ans.Ask)
		return err == nil
	})
	if again.Seq < last.Seq || again.Count.Basic != 0 || again.Signed != 2 {
		t.Errorf("told before the second kill: %+v, after it %+v", last, again)
	}
	acts, _, err := o.desk("k.auditor").Acts(t.Context(), 10, "")
	must(t, err)
	if len(acts) != 1 || acts[0].Ask != ans.Ask || acts[0].State != "confirmed" || len(acts[0].Signed) != 2 {
		t.Errorf("the auditor sees %+v", acts)
	}
	p.end()
}

// opened is the world of an open question: the node that is killed asks, the peer has decided twice.
type opened struct {
	*world
	penalties []blacklist.On
}

// accounts gives the killed node its people and an address, before it lives.
func (o *opened) accounts() {
	o.t.Helper()
	o.victim.People.Listen = freePort(o.t)
	b, err := yaml.Marshal(o.victim)
	must(o.t, err)
	must(o.t, os.WriteFile(o.config, b, 0o600))
	n, err := node.Open(o.t.Context(), o.victim, slog.New(slog.DiscardHandler))
	must(o.t, err)
	for _, a := range []node.Account{{Name: "k.officer", Certificate: "99000000001", Roles: []string{"officer"}}, {Name: "k.second", Certificate: "99000000002", Roles: []string{"officer"}},
		{Name: "k.auditor", Roles: []string{"auditor"}}} {
		a.Password = password
		_, err := n.NewAccount(o.t.Context(), a)
		must(o.t, err)
	}
	must(o.t, n.Close())
}

var somebody = demo.Person{Name: "测丙三", ID: "310117190203259035", Sex: "1", Birth: "1902-03-25"}

func as(account string, r workflow.Role) blacklist.Request {
	return blacklist.Request{Actor: blacklist.Actor{Account: account, Roles: []workflow.Role{r}}}
}

// publish lets the peer publish a decision that counts.
func (o *opened) publish(no, served string) {
	o.t.Helper()
	day, err := time.Parse(time.DateOnly, served)
	must(o.t, err)
	before := func(days int) string { return day.AddDate(0, 0, -days).Format(time.DateOnly) }
	payload, err := demo.Decision{No: no, Issuer: demo.Bureau{Name: "松江", Region: "310117", Member: peer, Issuer: demo.Bureaux[1].Issuer}, Person: somebody, Cause: "UP01",
		From: before(40), To: before(40), Filed: before(39), Decided: before(3), Served: served, Qualification: "none", Kind: "DEN"}.Penalty()
	must(o.t, err)
	r := o.peer.Register()
	done, err := r.Draft(o.t.Context(), as("author", workflow.Officer), blacklist.Proposal{Type: "penalty", Payload: payload})
	must(o.t, err)
	done, err = r.Submit(o.t.Context(), as("author", workflow.Officer), done.On)
	must(o.t, err)
	done, err = r.Approve(o.t.Context(), as("reviewer", workflow.LegalReviewer), done.On)
	must(o.t, err)
	done, err = r.Publish(o.t.Context(), as("liaison", workflow.Liaison), done.On)
	must(o.t, err)
	o.penalties = append(o.penalties, done.On)
}

// revoke lets the peer withdraw its i-th decision.
func (o *opened) revoke(i int) {
	o.t.Helper()
	_, err := o.peer.Register().PenaltyStatus(o.t.Context(), as("reviewer", workflow.LegalReviewer), o.penalties[i], blacklist.PenaltyChange{Status: "remedy_event",
		Change:      blacklist.Change{LegalBasis: "行政处罚法第75条", Purpose: "CASE", Reason: "自行撤销", DocumentHash: strings.Repeat("ab", 32)},
		RemedyEvent: &blacklist.RemedyEvent{Type: "withdrawn_by_issuer", At: record.CivilDay(time.Now())}})
	must(o.t, err)
}

// start starts the node without the clients of the other kill tests; the peer may be reached at once.
func (o *opened) start() *process {
	o.t.Helper()
	p := o.spawn("")
	if s := <-p.lines; s.What != saidOpen {
		p.fail("first said %q, want %q", s.What, saidOpen)
	}
	p.order(order{Quiet: true})
	if s := <-p.lines; s.What != saidQuiet {
		p.fail("said %q, want %q", s.What, saidQuiet)
	}
	o.toPeer.open()
	return p
}

func (o *opened) dead(p *process) {
	o.t.Helper()
	for range p.lines {
		continue
	}
	p.killedBy("")
}

// desk signs somebody in at the killed node.
func (o *opened) desk(name string) *client.Desk {
	o.t.Helper()
	d := client.NewDesk("http://"+o.victim.People.Listen, nil)
	o.eventually("sign in", func() bool { return d.SignIn(o.t.Context(), name, password) == nil })
	return d
}

// ask asks until both members have answered and the question is acknowledged as open.
func (o *opened) ask(d *client.Desk) client.Answer {
	o.t.Helper()
	var ans client.Answer
	o.eventually("both answer", func() bool {
		var err error
		ans, err = d.Ask(o.t.Context(), client.Ask{Purpose: federation.PurposeRaid, WorkRef: client.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"},
			Question: client.Question{IDNo: somebody.ID}})
		return err == nil && ans.Count != nil && ans.Count.Answered == 2 && ans.Count.Basic == 2
	})
	if ans.OpenUntil.IsZero() {
		o.t.Fatalf("not kept open: %+v", ans)
	}
	return ans
}

// watch follows the question; stop ends it.
func (o *opened) watch(d *client.Desk, ask string) (<-chan client.Update, func()) {
	updates, ended := make(chan client.Update, 64), make(chan struct{})
	ctx, cancel := context.WithCancel(o.t.Context())
	go func() {
		defer close(ended)
		if err := d.Watch(ctx, ask, func(u client.Update) error { updates <- u; return nil }); ctx.Err() == nil {
			o.t.Errorf("the stream ended: %v", err)
		}
	}()
	return updates, func() { cancel(); <-ended }
}

func (o *opened) until(updates <-chan client.Update, what string, fits func(client.Update) bool) client.Update {
	o.t.Helper()
	late := time.After(patience / 2)
	for {
		select {
		case u := <-updates:
			o.t.Logf("%d %s %s %s", u.Seq, u.Cause, u.Direction, u.Change.ZH)
			if fits(u) {
				return u
			}
		case <-late:
			o.t.Fatalf("not in time: %s", what)
		}
	}
}

// eventually polls a real process.
func (o *opened) eventually(what string, ok func() bool) {
	o.t.Helper()
	deadline := time.Now().Add(patience / 2)
	for !ok() {
		if time.Now().After(deadline) {
			o.t.Fatalf("not in time: %s", what)
		}
		wait := time.NewTimer(50 * time.Millisecond)
		select {
		case <-o.t.Context().Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}
