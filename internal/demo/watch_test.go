package demo

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/client"
)

// heard collects what a watcher is told.
type heard struct {
	updates chan client.Update
	ended   chan error
}

// watch follows an open question.
func (a *alliance) watch(d *client.Desk, ask string) *heard {
	h := &heard{make(chan client.Update, 64), make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		h.ended <- d.Watch(ctx, ask, func(u client.Update) error { h.updates <- u; return nil })
	}()
	a.t.Cleanup(func() { cancel(); <-h.ended })
	return h
}

// until waits for an update that fits.
func (h *heard) until(t *testing.T, what string, fits func(client.Update) bool) client.Update {
	t.Helper()
	var got client.Update
	eventually(t, what, func() bool {
		for {
			select {
			case u := <-h.updates:
				t.Logf("%d %s %s %s", u.Seq, u.Cause, u.Direction, u.Change.ZH)
				if fits(u) {
					got = u
					return true
				}
			case err := <-h.ended:
				h.ended <- err
				t.Fatalf("%s: the stream ended: %v", what, err)
			default:
				return false
			}
		}
	})
	return got
}

// sign lets both officers of a bureau sign the act, each under his own sign-in.
func (a *alliance) sign(name, ask, day string) client.Update {
	a.t.Helper()
	act := client.Act{At: day, Place: bureau(name).Region, Qualification: "none"}
	first, err := a.desk(name, "officer").SignAct(a.t.Context(), ask, act)
	must(a.t, err)
	if first.Count.Again || first.Signed != 1 {
		a.t.Errorf("one signature confirms: %+v", first.Count)
	}
	again, err := a.desk(name, "officer").SignAct(a.t.Context(), ask, act)
	must(a.t, err)
	if again.Count.Again || again.Signed != 1 {
		a.t.Errorf("one officer signs twice and confirms: %+v", again.Count)
	}
	both, err := a.desk(name, "officer2").SignAct(a.t.Context(), ask, act)
	must(a.t, err)
	return both
}

// 13 March, 22 April, 8 and 12 May of domain.md §7.3: G2 becomes G3 when two officers have signed; the same in 吴江 and 青浦
// is G3d; and 嘉善's revocation turns 青浦's open answer into G1, by itself.
func TestTimedStory_TheAnswerFollowsWhatHappens(t *testing.T) { follows(t, play(t, "2026-03-13")) }

func follows(t *testing.T, a *alliance) {
	t.Helper()
	ctx := t.Context()
	ans := a.counted(a.desk("金山", "officer"), client.Question{IDNo: p1.ID})
	if u := a.sign("金山", ans.Ask, "2026-03-13"); u.Count.Alert != "G3" || u.Count.Strict != 2 || u.Direction != "up" || !u.Count.Candidate {
		t.Errorf("P1: %+v %+v", u.Count, u.Change)
	}
	var p *client.Problem
	if _, err := a.desk("金山", "officer").SignAct(ctx, ans.Ask, client.Act{At: "2026-03-13", Place: "330482", Qualification: "none"}); !errors.As(err, &p) || p.Status != 422 {
		t.Errorf("an act in another county: %v", err)
	}
	if _, err := a.desk("金山", "liaison").SignAct(ctx, ans.Ask, client.Act{At: "2026-03-13", Place: "310116", Qualification: "none"}); !errors.As(err, &p) || p.Status != 403 {
		t.Errorf("a liaison signs: %v", err)
	}
	if _, err := a.desk("金山", "legal").Opened(ctx, ans.Ask); !errors.As(err, &p) || p.Status != 404 {
		t.Errorf("another's question: %v", err)
	}

	a.day("2026-04-22")
	ans = a.counted(a.desk("吴江", "officer"), client.Question{IDNo: p3.ID})
	if u := a.sign("吴江", ans.Ask, "2026-04-22"); u.Count.Alert != "G3d" || u.Count.Strict != 1 || !strings.Contains(u.Count.Lines[1].ZH, "2026-08-10") {
		t.Errorf("P3: %+v", u.Count)
	}

	a.day("2026-05-12")
	officer := a.desk("青浦", "officer")
	ans = a.counted(officer, client.Question{IDNo: p2.ID})
	h := a.watch(officer, ans.Ask)
	a.sign("青浦", ans.Ask, "2026-05-08")
	g3d := h.until(t, "P2 is G3d", func(u client.Update) bool { return u.Count.Alert == "G3d" })
	a.revoke(g3d.Count)
	u := h.until(t, "the revocation arrives", func(u client.Update) bool { return u.Count.Alert == "G1" })
	if u.Direction != "down" || u.Cause != "record" || u.Count.Basic != 1 || u.Count.Excluded != 1 || u.Count.Answered != 7 || !strings.Contains(u.Change.ZH, "下调") {
		t.Errorf("%+v", u)
	}
}

// revoke lets 嘉善's legal reviewer enter that 复议 revoked its decision about P2.
func (a *alliance) revoke(c client.Count) {
	a.t.Helper()
	id := ""
	for _, d := range c.Decisions {
		if strings.HasPrefix(d.Doc, "测善卫医罚") {
			id = d.Decision
		}
	}
	d := a.desk("嘉善", "legal")
	e, err := d.Entry(a.t.Context(), client.Penalties, id)
	must(a.t, err)
	_, err = d.PenaltyStatus(a.t.Context(), id, "", client.PenaltyStatus{Status: "remedy_event",
		RemedyEvent: jsontext.Value(`{"type":"review_decided","at":"2026-05-12","outcome":"revoked"}`),
		Step:        client.Step{Version: e.Version, LegalBasis: "行政复议法第64条", Purpose: "CASE", Reason: "复议撤销", DocumentHash: strings.Repeat("ab", 32)}})
	must(a.t, err)
}

// One member is down: the numbers are minimums and say so; when it returns the answer is raised without anybody asking.
func TestTimedStory_AMissingMemberReturns(t *testing.T) { returns(t, play(t, "2026-03-13")) }

func returns(t *testing.T, a *alliance) {
	t.Helper()
	officer := a.desk("金山", "officer")
	a.counted(officer, client.Question{IDNo: p1.ID})
	a.halt("松江")
	ans, err := officer.Ask(t.Context(), raid(client.Question{IDNo: p1.ID}))
	must(t, err)
	if c := ans.Count; c == nil || c.Alert != "G1" || !c.Incomplete || c.Answered != 6 || c.Total != 7 || !strings.Contains(c.Lines[0].ZH, "松江") || !strings.Contains(c.Lines[1].ZH, "6/7") {
		t.Fatalf("%+v", ans.Count)
	}
	h := a.watch(officer, ans.Ask)
	a.back("松江")
	u := h.until(t, "松江 returns", func(u client.Update) bool { return !u.Count.Incomplete })
	if u.Count.Alert != "G2" || u.Count.Answered != 7 || u.Direction != "up" || u.Cause != "member" && u.Cause != "record" {
		t.Errorf("%+v", u)
	}
}
