package node

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

// metric sums a counter over all nodes as their metrics page shows it, over the label values that are named; none stands
// for all.
func (d *direct) metric(name string, values ...string) (sum int64) {
	d.t.Helper()
	for _, m := range d.members {
		sum += d.metricAt(m, name, values...)
	}
	return sum
}

func (d *direct) metricAt(m record.MemberID, name string, values ...string) (sum int64) {
	d.t.Helper()
	families, err := d.nodes[m].registry.Gather()
	d.ok(err)
	for _, f := range families {
		if f.GetName() != "pilin_"+name {
			continue
		}
		for _, c := range f.GetMetric() {
			if len(values) == 0 || len(c.GetLabel()) == 1 && slices.Contains(values, c.GetLabel()[0].GetValue()) {
				sum += int64(c.GetCounter().GetValue())
			}
		}
	}
	return sum
}

// How much is published while the broker is hostile.
const (
	chaosEvery   = 50 * time.Millisecond // 20 records a second at each member
	chaosRecords = 560                   // of each member
)

// A broker whose operator does his worst: topics are deleted and made again, messages repeated, turned
// round, corrupted and withheld while every member publishes 20 records a second. Afterwards all three hold the same
// bytes of every stream, and the courier's road is as good as new.
func TestTimed_ChaosOnTheBroker(t *testing.T) {
	d := newDirect(t, onReal)
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	v := newVandal(d)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	began := time.Now()
	published := make(chan struct{})
	var wg sync.WaitGroup
	defer func() { cancel(); wg.Wait() }()
	for _, m := range d.members {
		wg.Go(func() {
			tick := time.NewTicker(chaosEvery)
			defer tick.Stop()
			for range chaosRecords {
				select {
				case <-ctx.Done():
					t.Errorf("%s did not publish all in time", m)
					return
				case <-tick.C:
				}
				if _, err := d.publishIn(ctx, m); err != nil {
					t.Errorf("publish at %s: %v", m, err)
					return
				}
			}
		})
	}
	go func() { wg.Wait(); close(published) }()
	for round := 0; ; round++ {
		m := d.members[round%len(d.members)]
		d.ok(v.repeat(ctx, m))
		if time.Since(began) > chaosRecords*chaosEvery-4*time.Second {
			break // who waits for more frames must get them
		}
		d.ok(v.withhold(ctx, m, 24))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // they catch their breath
		}
	}
	<-published
	t.Logf("%d records of each member in %v; the operator %v", chaosRecords, time.Since(began).Round(time.Millisecond), v.done)

	d.until("everybody has everything", func() bool {
		for _, m := range d.members {
			for _, n := range d.nodes {
				if h, err := n.store.Head(t.Context(), record.Stream(m, record.Records)); err != nil || h.Applied != chaosRecords {
					return false
				}
			}
		}
		return true
	})
	seen := map[string]int64{
		"repeated":  d.metric(exchange.CountDuplicate, exchange.ViaKafka),
		"too early": d.metric(exchange.CountHeld),
		"corrupt":   d.metric(exchange.CountDropped, record.WhyMalformed, record.WhyBadSignature, record.WhyBadRoot, record.WhyWrongHeader, record.WhyWrongFederation),
		"filled":    d.metric(exchange.CountApplied, exchange.ViaHTTP),
		"by Kafka":  d.metric(exchange.CountApplied, exchange.ViaKafka),
		"lives":     d.metric(exchange.CountLives),
	}
	t.Logf("the nodes saw %v", seen)
	for what, n := range seen {
		if n == 0 {
			t.Errorf("no node counted: %s", what)
		}
	}
	d.sameEverywhere(500)

	for _, m := range d.members {
		before := map[record.MemberID]int64{}
		for _, o := range d.members {
			before[o] = d.metricAt(o, exchange.CountApplied, exchange.ViaKafka)
		}
		d.publish(m)
		sent := time.Now()
		for _, o := range d.members {
			if o == m {
				continue
			}
			d.until(fmt.Sprintf("by Kafka at %s what %s published", o, m), func() bool { return d.metricAt(o, exchange.CountApplied, exchange.ViaKafka) > before[o] })
		}
		if took := time.Since(sent); took > 10*time.Second {
			t.Errorf("a new record of %s was at the others by Kafka only after %v", m, took)
		}
	}
}

// sameEverywhere checks that the three databases hold the same headers, parts and checkpoints of every member's stream,
// more than some records of each, and whole.
func (d *direct) sameEverywhere(least int) {
	d.t.Helper()
	for _, m := range d.members {
		s := record.Stream(m, record.Records)
		origin := dump(d.t.Context(), d.t, d.nodes[m].cfg, s)
		if origin.records <= least || origin.parts < origin.records || origin.groups == 0 {
			d.t.Errorf("%s holds of its own %d records, %d parts, %d groups", m, origin.records, origin.parts, origin.groups)
		}
		for _, o := range d.members {
			if o == m {
				continue
			}
			if line := origin.differs(dump(d.t.Context(), d.t, d.nodes[o].cfg, s)); line != "" {
				d.t.Errorf("the stream of %s is not the same at %s: %s", m, o, line)
			}
		}
	}
}
