package exchange_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/record"
)

func (n *node) next(after time.Duration, courier bool) []exchange.Task {
	n.Helper()
	tasks, err := n.gaps.Next(ctx, start.Add(after), courier)
	n.ok(err)
	return tasks
}

// A newer head is a gap when it is still missing two seconds later, at once while Kafka is down.
func TestGapFiller_NewerHead(t *testing.T) {
	from := newNode(t, a).open()
	from.publish(1)
	n := newNode(t, b)
	n.gaps.SawHead(start, a, from.stream(), 1)
	if tasks := n.next(exchange.GapAfter-time.Millisecond, true); len(tasks) != 0 {
		t.Fatalf("fetches at once: %+v", tasks)
	}
	tasks := n.next(exchange.GapAfter, true)
	if len(tasks) != 1 || tasks[0] != (exchange.Task{Peer: a, Stream: from.stream()}) {
		t.Fatalf("tasks %+v", tasks)
	}
	if again := n.next(time.Minute, true); len(again) != 0 {
		t.Fatalf("a second request while one is on its way: %+v", again)
	}
	n.gaps.Finish(ctx, start, tasks[0], from.ranges(b, from.stream(), 0), nil)
	if n.size(from.stream()) != 1 || len(n.next(time.Minute, true)) != 0 || n.count.Get(exchange.CountApplied, exchange.ViaHTTP) != 1 {
		t.Fatal("the gap is not filled")
	}
	down := newNode(t, b)
	down.gaps.SawHead(start, a, from.stream(), 1)
	if len(down.next(0, false)) != 1 {
		t.Fatal("waits for a courier that is down")
	}
}

// Holders take turns; one that failed, or whose bytes did not prove, is left alone for a while, then longer.
func TestGapFiller_Rotation(t *testing.T) {
	from := newNode(t, a).open()
	from.publish(1)
	n := newNode(t, b)
	n.gaps.SawHead(start, a, from.stream(), 1)
	n.gaps.SawHead(start, c, from.stream(), 1)
	at := exchange.GapAfter
	ask := func(want record.MemberID, end func(exchange.Task)) {
		t.Helper()
		tasks := n.next(at, true)
		if len(tasks) != 1 || tasks[0].Peer != want {
			t.Fatalf("asks %+v, want %s", tasks, want)
		}
		end(tasks[0])
	}
	fail := func(task exchange.Task) { n.gaps.Finish(ctx, start.Add(at), task, nil, errors.New("no answer")) }
	unproven := func(task exchange.Task) {
		frames := from.ranges(b, from.stream(), 0)
		frames[0].Headers[0] = flipped(frames[0].Headers[0], 60)
		n.gaps.Finish(ctx, start.Add(at), task, frames, nil)
		n.wantAlarm(exchange.AlarmUnproven)
	}
	ask(a, fail)
	ask(c, unproven)
	if tasks := n.next(at+exchange.RetryFirst-time.Millisecond, true); len(tasks) != 0 {
		t.Fatalf("asks again at once: %+v", tasks)
	}
	at += exchange.RetryFirst
	ask(a, fail)
	ask(c, fail)
	if tasks := n.next(at+2*exchange.RetryFirst-time.Millisecond, true); len(tasks) != 0 {
		t.Fatalf("the second wait is not longer: %+v", tasks)
	}
	at += 2 * exchange.RetryFirst
	ask(a, func(task exchange.Task) {
		n.gaps.Finish(ctx, start.Add(at), task, from.ranges(b, from.stream(), 0), nil)
	})
	if n.size(from.stream()) != 1 {
		t.Fatal("not filled")
	}
}

// One request is on its way to a peer at a time, whatever is missing.
func TestGapFiller_OnePerPeer(t *testing.T) {
	n := newNode(t, b)
	n.gaps.SawHead(start, c, record.Stream(a, record.Records), 5)
	n.gaps.SawHead(start, c, record.Stream(c, record.Records), 5)
	tasks := n.next(time.Minute, true)
	seen := map[record.MemberID]bool{}
	for _, task := range tasks {
		if seen[task.Peer] {
			t.Fatalf("two requests to %s: %+v", task.Peer, tasks)
		}
		seen[task.Peer] = true
	}
	if len(tasks) != 2 {
		t.Fatalf("tasks %+v", tasks)
	}
}
