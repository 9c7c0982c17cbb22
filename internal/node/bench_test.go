package node

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/workflow"
)

// How much BenchmarkFederation does. Every figure is the median of benchRuns runs; in each run the floor comes first.
const (
	benchRuns    = 5
	benchRate    = 100 // publications a second
	benchPublish = 200 // publications of one run
	benchAsks    = 200 // federated questions of one run, one after the other
	benchBacklog = 300 // frames that are appended as fast as one caller can
	benchIdle    = 5 * time.Second
	benchBusy    = time.Second
	benchDesks   = 16 // accounts of each kind; each may have 16 requests running, together more than a run publishes
)

// The benchmarks measure seven nodes of one process on Apache Kafka, PostgreSQL with fsync and Redis, over their real
// listeners, beside the floors of the same run. They print tables and never fail for a missed goal: `make bench`.

// BenchmarkPublish is row d of the goals: published over HTTP until the last of seven members finds it.
func BenchmarkPublish(b *testing.B) {
	m, f, t := begin(b)
	for range benchRuns {
		m.publishing(t, f)
	}
	t.print(os.Stdout)
}

// BenchmarkBacklog has no goal: it shows how many frames of one record the seven take in when one caller does not pause.
func BenchmarkBacklog(b *testing.B) {
	m, f, t := begin(b)
	for range benchRuns {
		m.backlog(t, f)
	}
	t.print(os.Stdout)
}

// BenchmarkAsk is rows e and a: audited questions over HTTP, to all seven and to one.
func BenchmarkAsk(b *testing.B) {
	m, f, t := begin(b)
	for range benchRuns {
		m.asking(t, f)
		m.busy(t, f, 16)
		m.busy(t, f, 256)
	}
	t.print(os.Stdout)
}

// begin starts the federation of seven and its floor, and lets both run warm.
func begin(b *testing.B) (*measured, *floor, *table) { return beginWith(b, 7) }

// beginWith is begin with so many members.
func beginWith(b *testing.B, members int) (*measured, *floor, *table) {
	seven := []record.MemberID{"310116-01", "310118-01", "310117-01", "320509-01", "330400-01", "330421-01", "330482-01"}
	d := found(b, durable, false, seven[:members]...)
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	m := newMeasured(d)
	m.publish(50)
	m.publish(1) // the frame of one record is what the floor carries
	entry, frame, audit := m.sizes()
	f := newFloor(b, len(d.members), entry, frame, audit)
	m.floorPublish(f, 50)
	t := &table{}
	t.add("row_entry_bytes", float64(entry))
	t.add("row_frame_bytes", float64(frame))
	t.add("row_audit_bytes", float64(audit))
	return m, f, t
}

// measured is the federation with people at the desk of its first member.
type measured struct {
	*direct
	n        *Node
	own      record.StreamID
	desks    []*client.Desk // officers
	liaisons []*client.Desk
	people   int
	asked    string // number of somebody whose penalty is published
	author   string
	reviewer string
	floored  uint64 // messages that the floor has sent

	mu    sync.Mutex
	calls map[record.MemberID][]time.Duration // of the hub to each member
}

func newMeasured(d *direct) *measured {
	m := &measured{direct: d, n: d.nodes[d.members[0]], own: record.Stream(d.members[0], record.Records), calls: map[record.MemberID][]time.Duration{}}
	call := m.n.hub.Call
	m.n.hub.Call = func(ctx context.Context, to record.MemberID, body []byte) ([]byte, error) {
		begun := time.Now()
		answer, err := call(ctx, to, body)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.calls[to] = append(m.calls[to], time.Since(begun))
		return answer, err
	}
	for i := range benchDesks {
		m.desks = append(m.desks, m.desk(Account{Name: fmt.Sprintf("officer%02d", i), Certificate: fmt.Sprintf("990000000%02d", i), Roles: []string{"officer"}}))
		m.liaisons = append(m.liaisons, m.desk(Account{Name: fmt.Sprintf("liaison%02d", i), Roles: []string{"liaison"}}))
	}
	m.author, m.reviewer = m.desks[0].Session().Account, m.desks[1].Session().Account
	return m
}

// desk makes an account and signs in with it.
func (m *measured) desk(a Account) *client.Desk {
	m.t.Helper()
	a.Password = "ceshi-zhi-yong-2026"
	_, err := m.n.NewAccount(m.t.Context(), a)
	m.ok(err)
	h := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64}}
	m.t.Cleanup(h.CloseIdleConnections)
	d := client.NewDesk("http://"+m.n.cfg.People.Listen, h)
	m.ok(d.SignIn(m.t.Context(), a.Name, a.Password))
	return d
}

// penalty is a decision against somebody who does not exist (domain.md §7.1).
func (m *measured) penalty() []byte {
	m.people++
	k := m.people
	birth := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, k%3650)
	body := fmt.Sprintf("310116%s%03d", birth.Format("20060102"), 901+2*(k/3650%49))
	check, _ := identifier.ResidentCheck(body) // 17 digits, made above
	m.asked = body + string(check)
	return fmt.Appendf(nil, `{"doc_no":"测金卫医罚〔2025〕%d号","issuer_uscc":"11310116000090018Y","issuer_name":"测金山卫生健康委员会","issuer_kind":"health_authority","respondent_kind":"person","respondent":{"name":"测甲一","id_type":"RIC","id_no":"%s","id_quality":"seen","sex":"1","birth_date":"%s","nationality":"156"},"practitioner_is_respondent":true,"cause_code":"UP01","cause_text":"非医师行医","violated_art":[{"law":"医师法","version":"2022-03-01","art":"59"}],"basis_art":[{"law":"医师法","version":"2022-03-01","art":"59"}],"act_from":"2025-07-02","act_to":"2025-07-04","act_place":"310116","qualification_at_act":"none","kinds":["P2a"],"fine_fen":2000000,"procedure":"ordinary","filed_at":"2025-07-07","decided_at":"2025-08-25","served_at":"2025-08-28","service_mode":"DIR","service_proof":true,"remedy_told":true,"remedy_state":"in_period","performed":"none","publicity_state":"published","notice":{"mode":"in_decision_text"},"legal_basis":"行政处罚法第26条","purpose":"CASE","occurred_at":"2025-07-02T09:00:00+08:00","valid_until":"2099-01-01","retention_until":"2099-01-01","intake":"live","synthetic":true}`,
		10000+k, m.asked, birth.Format(time.DateOnly))
}

// approved makes n decisions that wait for publication only.
func (m *measured) approved(n int) []blacklist.On {
	m.t.Helper()
	out := make([]blacklist.On, n)
	payloads := make([][]byte, n)
	for i := range n {
		payloads[i] = m.penalty()
	}
	as := func(account string, role workflow.Role) blacklist.Request {
		return blacklist.Request{Actor: blacklist.Actor{Account: account, Roles: []workflow.Role{role}}}
	}
	m.together(16, n, func(_, i int) {
		ctx, r := m.t.Context(), m.n.register
		done, err := r.Draft(ctx, as(m.author, workflow.Officer), blacklist.Proposal{Type: "penalty", Payload: payloads[i]})
		if err == nil {
			done, err = r.Submit(ctx, as(m.author, workflow.Officer), done.On)
		}
		if err == nil {
			done, err = r.Approve(ctx, as(m.reviewer, workflow.LegalReviewer), done.On)
		}
		if err != nil {
			m.t.Error(err)
		}
		out[i] = done.On
	})
	if m.t.Failed() {
		m.t.FailNow()
	}
	return out
}

// together lets callers work off n pieces of work.
func (m *measured) together(callers, n int, f func(caller, i int)) {
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range work {
				f(c, i)
			}
		})
	}
	wg.Wait()
}

// paced starts n pieces of work at benchRate a second whether or not earlier ones have ended, and returns when each was
// due: what is late for want of a free caller counts as late.
func (m *measured) paced(n int, f func(i int)) []time.Time {
	due := make([]time.Time, n)
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		due[i] = begun.Add(time.Duration(i) * time.Second / benchRate)
		if wait := time.Until(due[i]); wait > 0 {
			<-time.After(wait)
		}
		wg.Go(func() { f(i) })
	}
	wg.Wait()
	return due
}

// publish publishes n decisions over HTTP at benchRate a second. It returns how long each took until it was acknowledged,
// and until the index of the last member had it, so that a question there finds it.
func (m *measured) publish(n int) (acked, visible []time.Duration) {
	m.t.Helper()
	ready := m.approved(n)
	h, err := m.n.store.Head(m.t.Context(), m.own)
	m.ok(err)
	base := h.Size
	watch := m.watch(base, base+uint64(n))
	answers, ackedAt := make([]client.Written, n), make([]time.Time, n)
	due := m.paced(n, func(i int) {
		key := client.NewKey()
		step := func() (client.Written, error) {
			return m.liaisons[i%len(m.liaisons)].Step(m.t.Context(), client.Penalties, ready[i].ID.String(), "publish", key, client.Step{Version: ready[i].Version})
		}
		w, err := step()
		for begun := time.Now(); err != nil && time.Since(begun) < time.Minute; { // an overloaded node says so, and is late
			<-time.After(100 * time.Millisecond)
			w, err = step()
		}
		if err != nil {
			m.t.Error(err)
		}
		answers[i], ackedAt[i] = w, time.Now()
	})
	seen := watch()
	for i, w := range answers {
		id, err := record.ParseBits128(w.Record)
		m.ok(err)
		st, err := m.n.store.Record(m.t.Context(), id)
		m.ok(err)
		acked = append(acked, ackedAt[i].Sub(due[i]))
		visible = append(visible, seen[st.Seq-base].Sub(due[i]))
	}
	return acked, visible
}

// watch looks four times in a millisecond how far the index of each member is, from now until all have everything up to
// end; the returned function waits for that and says when the last of them had each record.
func (m *measured) watch(from, end uint64) func() []time.Time {
	seen := make([]time.Time, end-from)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(250 * time.Microsecond)
		defer tick.Stop()
		for next := from; next < end && m.t.Context().Err() == nil; <-tick.C {
			least := end
			for _, n := range m.nodes {
				least = min(least, n.index.Applied(m.own))
			}
			for now := time.Now(); next < least; next++ {
				seen[next-from] = now
			}
		}
	}()
	return func() []time.Time {
		select {
		case <-done:
		case <-time.After(5 * time.Minute):
			m.t.Fatal("never visible at all members")
		}
		return seen
	}
}

// sizes returns the bytes of an entry's row, of its message, and of an audit record's row.
func (m *measured) sizes() (entry, frame, audit int) {
	ctx := m.t.Context()
	m.ask(m.desks[0])
	last := func(s record.StreamID) (size int) {
		h, err := m.n.store.Head(ctx, s)
		m.ok(err)
		gs, err := m.n.store.Groups(ctx, s, h.Size-1, 1)
		m.ok(err)
		st := gs[0].Records[len(gs[0].Records)-1]
		size = len(st.Header)
		for _, p := range st.Parts {
			size += len(p.Bytes)
		}
		return size
	}
	messages, err := kafkabus.Read(ctx, m.n.t.broker, kafkabus.LogTopic(m.n.cfg.Member), 1)
	m.ok(err)
	return last(m.own), len(messages[0]), last(record.Stream(m.n.cfg.Member, record.Audit))
}

// ask asks for one number over HTTP, of all members unless scope says whom.
func (m *measured) ask(d *client.Desk, scope ...record.MemberID) client.Answer {
	m.t.Helper()
	a, err := d.Ask(m.t.Context(), client.Ask{Purpose: "RAID", WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Scope: scope,
		Question: client.Question{IDNo: m.asked}})
	if err != nil {
		m.t.Error(err)
	}
	return a
}

func (m *measured) floorPublish(f *floor, n int) (acked, visible []time.Duration) {
	first := m.floored
	m.floored += uint64(n)
	ackedAt := make([]time.Time, n)
	due := m.paced(n, func(i int) {
		if err := f.publish(first + uint64(i)); err != nil {
			m.t.Error(err)
		}
		ackedAt[i] = time.Now()
	})
	for i := range n {
		m.until("the floor's readers have it", func() bool { _, ok := f.seenByAll(first + uint64(i)); return ok })
		at, _ := f.seenByAll(first + uint64(i))
		acked, visible = append(acked, ackedAt[i].Sub(due[i])), append(visible, at.Sub(due[i]))
	}
	return acked, visible
}

// publishing is row d of the goals.
func (m *measured) publishing(t *table, f *floor) {
	_, visible := m.floorPublish(f, benchPublish)
	t.times("publish_floor", visible)
	acked, visible := m.publish(benchPublish)
	t.times("publish", visible)
	t.times("publish_acked", acked)
}
