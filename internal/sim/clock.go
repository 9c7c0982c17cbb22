package sim

import (
	"container/heap"
	"time"
)

// epoch is the hour at which every history begins. Nothing depends on it.
var epoch = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

// event is something that happens at a virtual hour.
type event struct {
	at time.Duration
	n  uint64 // order of events of one hour: that in which they were planned
	do func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].n < h[j].n
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return e
}

// timeline is the virtual clock: it jumps from event to event.
type timeline struct {
	now    time.Duration
	events eventHeap
	n      uint64
}

// after plans do for d from now.
func (t *timeline) after(d time.Duration, do func()) {
	t.n++
	heap.Push(&t.events, event{t.now + max(d, 0), t.n, do})
}

// step lets the next event happen; false if there is none before until.
func (t *timeline) step(until time.Duration) bool {
	if len(t.events) == 0 || t.events[0].at > until {
		t.now = until
		return false
	}
	e := heap.Pop(&t.events).(event)
	t.now = e.at
	e.do()
	return true
}

// hour is the virtual hour as the exchange counts by it: monotonic, the same for all.
func (t *timeline) hour() time.Time { return epoch.Add(t.now) }
