package node

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// asking is row e: questions to all members, one after the other, beside the slowest member alone and two commits.
func (m *measured) asking(t *table, f *floor) {
	commits := each(benchAsks, func() {
		if err := f.commit(); err != nil {
			m.t.Error(err)
		}
	})
	t.times("commit", commits)
	slowest := m.slowest(func(peer record.MemberID) { m.ask(m.desks[0], peer) })
	t.times("slowest_member", slowest)
	for _, q := range []float64{0.5, 0.99} {
		t.add(fmt.Sprintf("ask_floor_p%.0f", 100*q), ms(quantile(slowest, q)+2*quantile(commits, q)))
	}
	t.times("ask_federated", each(benchAsks, func() {
		if a := m.ask(m.desks[0]); a.Answered != len(m.members) || len(a.Hits) == 0 {
			m.t.Errorf("answered %d/%d with %d hits", a.Answered, a.Total, len(a.Hits))
		}
	}))
	self := m.members[0]
	t.times("ask_self", each(benchAsks, func() { m.ask(m.desks[0], self) }))
}

// slowest has each other member asked alone, and returns how long the calls to the slowest of them took.
func (m *measured) slowest(ask func(record.MemberID)) (took []time.Duration) {
	m.mu.Lock()
	clear(m.calls)
	m.mu.Unlock()
	for _, peer := range m.members[1:] {
		for range 30 {
			ask(peer)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, calls := range m.calls {
		if took == nil || quantile(calls, 0.5) > quantile(took, 0.5) {
			took = slices.Clone(calls)
		}
	}
	return took
}

// busy is row a, audited: questions to this node alone from many callers, beside audit rows in the same store by group
// commit and beside an HTTP server that only checks the token.
func (m *measured) busy(t *table, f *floor, callers int) {
	one, stop := f.groupCommits()
	rows, _ := m.rate(callers, func(int) error { return one() })
	stop()
	t.add(fmt.Sprintf("group_commit_%d", callers), rows)
	answer := m.ask(m.desks[0], m.members[0])
	body, err := json.Marshal(answer)
	m.ok(err)
	base := echoServer(m.t, func(ctx context.Context, token string) error { _, err := m.n.people.Verify(ctx, token); return err }, body)
	echoed := make([]*client.Desk, len(m.desks))
	for i, d := range m.desks {
		h := &http.Client{Transport: &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64}}
		echoed[i] = client.NewDesk(base, h)
		echoed[i].Resume(d.Session())
		defer h.CloseIdleConnections()
	}
	put := func(desks []*client.Desk) func(int) error {
		return func(c int) error {
			_, err := desks[c%len(desks)].Ask(m.t.Context(), client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"},
				Scope: []record.MemberID{m.members[0]}, Question: client.Question{IDNo: m.asked}})
			return err
		}
	}
	echoes, _ := m.rate(callers, put(echoed))
	t.add(fmt.Sprintf("echo_%d", callers), echoes)
	asks, refused := m.rate(callers, put(m.desks))
	t.add(fmt.Sprintf("ask_%d", callers), asks)
	t.add(fmt.Sprintf("ask_%d_refused", callers), refused)
}

// rate returns how often in a second callers at once got f done, and how often it was refused: an overloaded node's 503
// is no answer, and its caller goes on.
func (m *measured) rate(callers int, f func(caller int) error) (done, refused float64) {
	begun := time.Now()
	good, bad := make([]int, callers), make([]int, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for time.Since(begun) < benchBusy {
				if err := f(c); err != nil {
					bad[c]++
				} else {
					good[c]++
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begun).Seconds()
	for c := range callers {
		done, refused = done+float64(good[c])/took, refused+float64(bad[c])/took
	}
	return done, refused
}

// backlog measures how many frames of one record each the seven take in a second when one caller appends as fast as it can.
func (m *measured) backlog(t *table, f *floor) {
	ready := m.approved(benchBacklog)
	h, err := m.n.store.Head(m.t.Context(), m.own)
	m.ok(err)
	used := cpu()
	<-time.After(benchIdle)
	idle := float64(cpu()-used) / float64(benchIdle)
	t.add("idle_cpu_percent_of_a_core", 100*idle)
	served := f.servers()
	watch := m.watch(h.Size, h.Size+benchBacklog)
	begun := time.Now()
	used = cpu()
	m.together(1, benchBacklog, func(_, i int) {
		if _, err := m.n.register.Publish(m.t.Context(), blacklist.Request{Actor: blacklist.Actor{Account: m.author, Roles: []workflow.Role{workflow.Liaison}}}, ready[i]); err != nil {
			m.t.Error(err)
		}
	})
	appended := time.Since(begun)
	seen := watch()
	t.add("backlog_appended", benchBacklog/appended.Seconds())
	took := seen[len(seen)-1].Sub(begun)
	t.add("backlog", benchBacklog/took.Seconds())
	t.add("backlog_cpu_ms_a_frame", ms(cpu()-used)/benchBacklog)
	t.add("backlog_cpu_ms_a_frame_beyond_idle", (ms(cpu()-used)-idle*ms(took))/benchBacklog)
	if served > 0 {
		t.add("backlog_postgres_cpu_ms_a_frame", ms(f.servers()-served)/benchBacklog)
	}
}

// cpu is what this process, so all seven nodes and none of the servers, has used of processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// each measures n calls, one after the other.
func each(n int, f func()) []time.Duration {
	took := make([]time.Duration, n)
	for i := range n {
		begun := time.Now()
		f()
		took[i] = time.Since(begun)
	}
	return took
}

// quantile returns the q-th of took, which it sorts.
func quantile(took []time.Duration, q float64) time.Duration {
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}
