package sim_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/sim"
)

var seed = flag.Uint64("seed", 0, "seed of the one history that TestReplay runs")

// histories is how many histories a test runs: PILIN_SIM_HISTORIES, else few.
func histories(t *testing.T, few int) int {
	s := os.Getenv("PILIN_SIM_HISTORIES")
	if s == "" {
		return few
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("PILIN_SIM_HISTORIES: %v", err)
	}
	return n
}

func run(t *testing.T, from uint64, count int) {
	t.Helper()
	began := time.Now()
	total := map[string]int{}
	states := map[uint64]bool{}
	for i := range count {
		r := sim.Run(sim.Config{Seed: from + uint64(i)})
		for k, n := range r.Counts {
			total[k] += n
		}
		for _, s := range r.States {
			states[s] = true
		}
		if len(r.Violations) > 0 {
			t.Fatalf("%v\nreplay with: go test ./internal/sim -run TestReplay -seed=%d", r.Violations, r.Seed)
		}
	}
	took := time.Since(began)
	t.Logf("%d histories in %v, %.1f a second; %d distinct states", count, took.Round(time.Millisecond), float64(count)/took.Seconds(), len(states))
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%8d %s", total[k], k)
	}
}

func TestHistories(t *testing.T) { run(t, 1, histories(t, 100)) }

func TestReplay(t *testing.T) {
	if *seed == 0 {
		t.Skip("no -seed given")
	}
	r := sim.Run(sim.Config{Seed: *seed, Trace: os.Stdout})
	t.Logf("%d members, %d operations, %d faults, %v; fingerprint %x; %v", r.Members, r.Ops, r.Faults, r.Span, r.Fingerprint, r.Counts)
	if len(r.Violations) > 0 {
		t.Fatal(r.Violations)
	}
}

// TestSameSeedSameHistory: a seed is a history, to the byte.
func TestSameSeedSameHistory(t *testing.T) {
	for s := uint64(1); s <= uint64(histories(t, 10)); s++ {
		a, b := sim.Run(sim.Config{Seed: s}), sim.Run(sim.Config{Seed: s})
		if a.Fingerprint != b.Fingerprint || !slices.Equal(a.Violations, b.Violations) {
			t.Fatalf("seed %d: %x %v, then %x %v", s, a.Fingerprint, a.Violations, b.Fingerprint, b.Violations)
		}
	}
}
