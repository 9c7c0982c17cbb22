package node

import (
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// The broker stops in the middle, in order and as kill -9 does: what is published then is at the others over HTTP; when
// it is back, Kafka carries again.
func TestTimed_BrokerStopsAndComesBack(t *testing.T) {
	d := newDirect(t, onOwn)
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	a := d.members[0]
	size := uint64(0)
	// publish appends at A and tells by which roads it came to the others, each once it is there.
	publish := func() (byKafka, byHTTP int64) {
		t.Helper()
		kafka, http := d.metric(exchange.CountApplied, exchange.ViaKafka), d.metric(exchange.CountApplied, exchange.ViaHTTP)
		d.publish(a)
		size++
		for _, m := range d.members[1:] {
			d.until("applied at "+string(m), func() bool {
				h, err := d.nodes[m].store.Head(t.Context(), record.Stream(a, record.Records))
				return err == nil && h.Applied == size
			})
		}
		d.until("counted", func() bool { return d.metric(exchange.CountApplied) == kafka+http+2 }) // it is stored first
		return d.metric(exchange.CountApplied, exchange.ViaKafka) - kafka, d.metric(exchange.CountApplied, exchange.ViaHTTP) - http
	}
	if k, h := publish(); k != 2 || h != 0 {
		t.Fatalf("with the broker up: %d by Kafka, %d by HTTP", k, h)
	}
	for _, stop := range []struct {
		how string
		f   func()
	}{{"stopped", d.broker.Stop}, {"killed", d.broker.Kill}} {
		stop.f()
		for range 2 {
			sent := time.Now()
			if k, h := publish(); k != 0 || h != 2 {
				t.Fatalf("%s: %d by Kafka, %d by HTTP", stop.how, k, h)
			}
			t.Logf("%s: at the others by HTTP after %v", stop.how, time.Since(sent).Round(time.Millisecond))
		}
		d.broker.Start()
		back := time.Now()
		d.until("by Kafka again after it was "+stop.how, func() bool {
			k, _ := publish()
			return k == 2
		})
		t.Logf("%s: Kafka carried again %v after it said that it was up", stop.how, time.Since(back).Round(time.Millisecond))
	}
}

// A member's listener is closed while it goes on publishing over Kafka: the others show the hit from their replica and
// say that one of three is missing; when it is open again the first question is 3/3.
func TestNode_ReplicaShowsWhatAClosedMemberHolds(t *testing.T) {
	d := found(t, onReal, true, three...)
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	a := d.members[0]
	d.until("everybody answers", func() bool { return d.ask(d.members[1]).K == 3 })
	d.gates[a].shut()
	d.publish(a)
	for _, m := range d.members[1:] {
		d.until("the replica shows it at "+string(m), func() bool { return len(d.ask(m).Replica) == 1 })
		got := d.ask(m)
		if got.Outcome != federation.Incomplete || got.K != 2 || got.N != 3 || len(got.Replica) != 1 {
			t.Errorf("%s: %s %d/%d, %d of the replica", m, got.Outcome, got.K, got.N, len(got.Replica))
		}
		for _, s := range got.Members {
			if (s.Member == a) != (s.State != federation.Answered) {
				t.Errorf("%s says that %s is %s", m, s.Member, s.State)
			}
		}
		d.until("counted at "+string(m), func() bool { return d.metricAt(m, exchange.CountApplied) == 1 }) // it is stored first
		if d.metricAt(m, exchange.CountApplied, exchange.ViaKafka) != 1 {
			t.Errorf("%s did not apply it by Kafka", m)
		}
	}
	d.gates[a].open()
	d.until("everybody answers again", func() bool { got := d.ask(d.members[1]); return got.K == 3 && got.Outcome == federation.Hit })
}
