package node

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// benchMemberTime is how long a member takes in the second part of BenchmarkFanout.
const benchMemberTime = 20 * time.Millisecond

// BenchmarkFanout is row e, transport: a question to all members without audit records on either side, beside the slowest
// member alone: with members that answer at once, with members of 20 ms, and with one that never answers.
func BenchmarkFanout(b *testing.B) {
	m, _, t := begin(b)
	var takes atomic.Int64
	for at, n := range m.nodes {
		n.hub.Append = func(context.Context, record.Append) (record.Appended, error) { // no audit: this row is no product path
			if at != m.members[0] {
				<-time.After(time.Duration(takes.Load()))
			}
			return record.Appended{}, nil
		}
	}
	var silent atomic.Value // of record.MemberID
	silent.Store(record.MemberID(""))
	call := m.n.hub.Call
	m.n.hub.Call = func(ctx context.Context, to record.MemberID, body []byte) ([]byte, error) {
		if to == silent.Load() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return call(ctx, to, body)
	}
	for run := range benchRuns {
		takes.Store(0)
		m.fanout(t, "fanout_instant")
		takes.Store(int64(benchMemberTime))
		m.fanout(t, "fanout_20ms")
		silent.Store(m.members[1+run%(len(m.members)-1)])
		t.add("fanout_dead_floor", ms(federation.DefaultDeadline))
		begun := time.Now()
		if a := m.question(); a.K != len(m.members)-1 {
			b.Errorf("answered %d/%d beside one that is dead", a.K, a.N)
		}
		t.add("fanout_dead", ms(time.Since(begun)))
		silent.Store(record.MemberID(""))
	}
	t.print(os.Stdout)
}

// fanout asks each member alone, and then all.
func (m *measured) fanout(t *table, name string) {
	t.times(name+"_floor", m.slowest(func(peer record.MemberID) { m.question(peer) }))
	t.times(name, each(benchAsks, func() {
		if a := m.question(); a.K != len(m.members) {
			m.t.Errorf("answered %d/%d", a.K, a.N)
		}
	}))
}

// question asks the hub itself for one number, of all members unless scope says whom.
func (m *measured) question(scope ...record.MemberID) *federation.Answer {
	m.t.Helper()
	a, err := m.n.hub.Ask(m.t.Context(), federation.AskRequest{Account: "0123456789abcdef0123456789abcdef", Certificate: "99000000001", Purpose: "RAID",
		WorkRef: federation.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"}, Scope: scope, Question: federation.Question{IDNo: identifier.NewSecret(m.asked)}})
	m.ok(err)
	return a
}
