package demo

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/embedded"
	"github.com/pilinhub/pilin/internal/node"
)

// alliance is the demo's federation with its clock, and each bureau's node by itself, so that one can stop.
type alliance struct {
	t       *testing.T
	layout  Layout
	options Options
	ahead   atomic.Int64 // of the machine's clock, in ns
	mu      sync.Mutex
	stop    map[string]func() // by bureau
}

func (a *alliance) now() time.Time { return time.Now().Add(time.Duration(a.ahead.Load())) }

// day moves the clock to nine in the morning of a civil day.
func (a *alliance) day(day string) {
	a.t.Helper()
	c, err := Clock(day)
	must(a.t, err)
	a.ahead.Store(int64(time.Until(c())))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// play founds the federation on a day and loads the history of domain.md §7.2.
func play(t *testing.T, day string) *alliance {
	t.Helper()
	return playOn(t, day, inProcess)
}

// inProcess lets the configurations name Kafka and Redis in this process, and leaves their SQLite files.
func inProcess(t *testing.T, configs []node.Config) {
	t.Helper()
	var topics []string
	for _, b := range Bureaux {
		topics = append(topics, node.Topics(b.Member)...)
	}
	s, err := embedded.Start(topics...)
	must(t, err)
	t.Cleanup(s.Stop)
	for i := range configs {
		configs[i].Kafka.Brokers, configs[i].Redis.URL = s.Brokers, s.Redis
	}
}

// playOn is play on the services that on provides.
func playOn(t *testing.T, day string, on func(*testing.T, []node.Config)) *alliance {
	t.Helper()
	a := &alliance{t: t, stop: map[string]func(){}}
	a.day(day)
	a.options = Options{Background: 14, Now: a.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	var err error
	a.layout, err = Found(t.TempDir(), false, freePorts(t), a.now())
	must(t, err)
	on(t, a.layout.Configs)
	nodes, err := open(t.Context(), a.options, a.layout)
	must(t, err)
	for i, n := range nodes {
		a.run(Bureaux[i].Name, n)
	}
	t.Cleanup(func() {
		for _, b := range Bureaux {
			a.halt(b.Name)
		}
	})
	must(t, load(t.Context(), a.options, a.layout, nodes))
	return a
}

// run lets one node serve.
func (a *alliance) run(name string, n *node.Node) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stop[name] = func() {
		cancel()
		if err := <-done; err != nil {
			a.t.Error(err)
		}
		if err := n.Close(); err != nil {
			a.t.Error(err)
		}
	}
}

// halt stops a bureau's node.
func (a *alliance) halt(name string) {
	a.mu.Lock()
	stop := a.stop[name]
	delete(a.stop, name)
	a.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// back starts it again.
func (a *alliance) back(name string) {
	a.t.Helper()
	c := a.layout.Configs[indexOf(name)]
	c.Now = a.now
	n, err := node.Open(a.t.Context(), c, a.options.Log)
	must(a.t, err)
	a.run(name, n)
}

func indexOf(name string) int {
	return slices.IndexFunc(Bureaux, func(b Bureau) bool { return b.Name == name })
}

// desk signs an account of a bureau in.
func (a *alliance) desk(name, account string) *client.Desk {
	a.t.Helper()
	d := client.NewDesk("http://"+a.layout.Configs[indexOf(name)].People.Listen, nil)
	eventually(a.t, "sign in at "+name, func() bool { return d.SignIn(a.t.Context(), account, Password) == nil })
	return d
}

// eventually polls; what runs here are real nodes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		tick := time.NewTimer(100 * time.Millisecond)
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(what)
		}
	}
}

func raid(q client.Question) client.Ask {
	return client.Ask{Purpose: federation.PurposeRaid, WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Question: q, Why: true}
}

// counted asks until everybody has answered.
func (a *alliance) counted(d *client.Desk, q client.Question) client.Answer {
	a.t.Helper()
	var ans client.Answer
	eventually(a.t, "everybody answers", func() bool {
		var err error
		ans, err = d.Ask(a.t.Context(), raid(q))
		return err == nil && ans.Count != nil && !ans.Count.Incomplete
	})
	return ans
}

// The outcomes of domain.md §7.3, each on its day. The stories are timed tests: seven nodes that must each answer within the
// two seconds of a question cannot share two cores with the race detector and other packages.
func TestTimedStory_EachAskEndsAsTold(t *testing.T) { outcomes(play(t, "2026-03-13")) }

func outcomes(a *alliance) {
	reasons := func(c *client.Count) (out []string) {
		for _, d := range c.Decisions {
			out = append(out, d.Verdict+" "+d.Reason)
		}
		return out
	}
	for _, row := range []struct {
		day, bureau   string
		q             client.Question
		alert         string
		basic, strict int
		excluded      int
		reason        string
		first         string
	}{
		{"2026-03-13", "金山", client.Question{IDNo: p1.ID}, "G2", 2, 2, 0, "C counted", "no"},
		{"2026-03-13", "金山", client.Question{IDNo: p1.ID, Name: p1.Name, BirthDate: p1.Birth}, "G2", 2, 2, 0, "C counted", "no"},
		{"2026-03-13", "金山", client.Question{Name: p1.Name, BirthDate: p1.Birth}, "G0", 0, 0, 0, "", "unknown"},
		{"2026-03-13", "金山", client.Question{IDNo: p1bis.ID}, "G0", 0, 0, 1, "E qualified", "no"},
		{"2026-04-22", "吴江", client.Question{IDNo: p3.ID}, "G2", 2, 1, 0, "C counted", "no"},
		{"2026-05-08", "青浦", client.Question{IDNo: p2.ID}, "G2", 2, 1, 0, "C counted", "no"},
		{"2026-05-20", "青浦", client.Question{IDNo: p4.ID}, "G0", 0, 0, 2, "E qualified", "no"},
	} {
		a.day(row.day)
		ans := a.counted(a.desk(row.bureau, "officer"), row.q)
		c := ans.Count
		if c.Alert != row.alert || c.Basic != row.basic || c.Strict != row.strict || c.Excluded != row.excluded || c.Answered != 7 ||
			c.FirstOffence.Answer != row.first || len(c.Lines) != 3 || row.reason != "" && !slices.Contains(reasons(c), row.reason) {
			a.t.Errorf("%s %s: %s basic %d strict %d excluded %d %v first %s", row.day, row.bureau, c.Alert, c.Basic, c.Strict, c.Excluded, reasons(c), c.FirstOffence.Answer)
		}
	}
}
