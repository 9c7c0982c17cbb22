//go:build linux

package bench

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/match"
)

// How much BenchmarkLive does: it is a row of `make bench`, which asks for no registry of a million.
const (
	liveRecords = 100_000
	liveComing  = 50_000 // in one run
	liveRuns    = 5
)

// BenchmarkLive is row f, live updates in memory: one writer puts records as fast as it can while one asks by name and
// birth year, beside the same questions with nothing coming in. Both are wall and processor time; with fewer than two
// processors free the asker waits for the writer.
func BenchmarkLive(b *testing.B) {
	r := registry{seed}
	e := match.NewEngine(match.WithSecret([]byte("a secret of synthetic benchmarks")))
	e.LoadEach(func(yield func(match.Entry) bool) {
		for i := range liveRecords {
			if !yield(r.entry(i)) {
				return
			}
		}
	})
	qs := r.questions(liveRecords, 2000)
	posed := make([]match.Question, len(qs))
	for i := range qs {
		posed[i] = qs[i].question(r, true)
	}
	var idle, busy, idleUsed, busyUsed, rates []time.Duration
	for run := range liveRuns {
		coming := make([]match.Entry, liveComing)
		for i := range coming {
			coming[i] = r.entry(liveRecords + run*liveComing + i)
		}
		took, used := pose(e, posed, func() bool { return false })
		idle, idleUsed = append(idle, quantile(took, 0.99)), append(idleUsed, quantile(used, 0.99))
		var done atomic.Bool
		each := make(chan time.Duration, 1)
		go func() {
			runtime.LockOSThread()
			cpu := threadProcessor()
			for _, entry := range coming {
				e.Put(entry)
			}
			done.Store(true)
			each <- (threadProcessor() - cpu) / liveComing
		}()
		took, used = pose(e, posed, done.Load)
		busy, busyUsed = append(busy, quantile(took, 0.99)), append(busyUsed, quantile(used, 0.99))
		rates = append(rates, <-each)
	}
	middle := func(d []time.Duration) time.Duration { return slices.Sorted(slices.Values(d))[len(d)/2] }
	verdict := func(met bool) string {
		if met {
			return "met"
		}
		return "**MISSED**"
	}
	one := middle(rates)
	logf("\n| goal | product | floor | product against floor | goal asks | |\n|---|---|---|---|---|---|")
	logf("| f live updates in memory, one writer, by its processor time | %.0f/s | | | >= 100000/s | %s |", float64(time.Second)/float64(one), verdict(one <= 10*time.Microsecond))
	logf("| f p99 of a question meanwhile, wall | %s | %s (idle) | %.2f× | <= 2× | %s |", middle(busy), middle(idle), float64(middle(busy))/float64(middle(idle)), verdict(middle(busy) <= 2*middle(idle)))
	logf("| f p99 of a question meanwhile, processor time | %s | %s (idle) | %.2f× | | |", middle(busyUsed), middle(idleUsed), float64(middle(busyUsed))/float64(middle(idleUsed)))
	logf("\nload average %s, %d records at first", load(), liveRecords)
}

// pose puts the questions one after the other, all of them or until stop, and returns wall and processor time of each.
func pose(e *match.Engine, qs []match.Question, stop func() bool) (took, used []time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, q := range qs {
		begun, cpu := time.Now(), threadProcessor()
		e.Ask(q)
		took, used = append(took, time.Since(begun)), append(used, threadProcessor()-cpu)
		if stop() {
			break
		}
	}
	return took, used
}
