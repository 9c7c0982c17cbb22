package sim_test

import (
	"flag"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/sim"
)

var seed = flag.Uint64("seed", 1, "seed of the one history that TestReplay runs, with everything that happens in it")

// setting reads a number from the environment.
func setting(t *testing.T, name string, unset int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return unset
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// play runs count histories from a seed on, and fails with the lowest seed that violates.
func play(t *testing.T, from, count, workers int) {
	t.Helper()
	began := time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // histories are small and many
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	var bad *sim.Report
	total, states := map[string]int{}, map[uint64]bool{}
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				r := sim.Run(sim.Config{Seed: uint64(from) + uint64(i)})
				mu.Lock()
				for k, n := range r.Counts {
					total[k] += n
				}
				for _, s := range r.States {
					states[s] = true
				}
				if len(r.Violations) > 0 && (bad == nil || r.Seed < bad.Seed) {
					bad = &r
					next.Store(int64(count))
				}
				if r.Ops < 200 || r.Faults < 5 {
					if len(r.Violations) == 0 {
						t.Errorf("seed %d: only %d operations and %d faults", r.Seed, r.Ops, r.Faults)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if bad != nil {
		t.Fatalf("%v\nreplay with: go test ./internal/sim -run TestReplay -seed=%d", bad.Violations, bad.Seed)
	}
	took := time.Since(began)
	t.Logf("%d histories in %v with %d workers, %.1f a second; %d distinct states", count, took.Round(time.Millisecond), workers, float64(count)/took.Seconds(), len(states))
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%9d %s", total[k], k)
	}
}

// TestHistories is the short form; PILIN_SIM_HISTORIES sets how many.
func TestHistories(t *testing.T) { play(t, 1, setting(t, "PILIN_SIM_HISTORIES", 40), 1) }

// TestLongHistories is the gate: 10,000 histories, more by PILIN_SIM_HISTORIES, from seed PILIN_SIM_FROM on. With
// PILIN_SIM_SEED it replays that one history.
func TestLongHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	if s := setting(t, "PILIN_SIM_SEED", 0); s > 0 {
		replay(t, uint64(s))
		return
	}
	play(t, setting(t, "PILIN_SIM_FROM", 1), setting(t, "PILIN_SIM_HISTORIES", 10_000), runtime.GOMAXPROCS(0))
}

// TestReplay runs one history again and prints it: the first, or that of -seed.
func TestReplay(t *testing.T) { replay(t, *seed) }

func replay(t *testing.T, s uint64) {
	t.Helper()
	r := sim.Run(sim.Config{Seed: s, Trace: os.Stdout})
	t.Logf("%d members, %d operations, %d faults, %v; fingerprint %x; %v", r.Members, r.Ops, r.Faults, r.Span, r.Fingerprint, r.Counts)
	if len(r.Violations) > 0 {
		t.Fatal(r.Violations)
	}
}

// TestSameSeedSameHistory: a seed is a history, to the byte; tracing changes nothing, another seed is another one.
func TestSameSeedSameHistory(t *testing.T) {
	last := uint64(0)
	for s := uint64(1); s <= 8; s++ {
		a, b := sim.Run(sim.Config{Seed: s}), sim.Run(sim.Config{Seed: s})
		if a.Fingerprint != b.Fingerprint || !slices.Equal(a.States, b.States) || !maps.Equal(a.Counts, b.Counts) {
			t.Fatalf("seed %d: %x, then %x", s, a.Fingerprint, b.Fingerprint)
		}
		if a.Fingerprint == last {
			t.Fatalf("seeds %d and %d are one history", s-1, s)
		}
		last = a.Fingerprint
	}
}

// forks plays calm histories in which one member shows two histories: two honest members that were shown different ones
// can prove it within two head exchanges of theirs (reliability-security.md T01).
func forks(t *testing.T, count int) {
	shown := 0
	for s := range count {
		r := sim.Run(sim.Config{Seed: uint64(s + 1), Forker: true, Calm: true, Ops: 100})
		if len(r.Violations) > 0 {
			t.Fatalf("seed %d: %v", r.Seed, r.Violations)
		}
		if r.Detected > 2 {
			t.Fatalf("seed %d: %d head exchanges before anybody could prove the fork", r.Seed, r.Detected)
		}
		if r.Detected >= 0 {
			shown++
		}
	}
	t.Logf("%d of %d histories showed both to honest members; each was proven", shown, count)
	if shown < count/2 {
		t.Fatalf("only %d of %d", shown, count)
	}
}

func TestForker(t *testing.T) { forks(t, 20) }

func TestLongForker(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	forks(t, 1000)
}
