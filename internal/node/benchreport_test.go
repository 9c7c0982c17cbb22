package node

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// table collects figures by name, one for each run.
type table struct{ runs map[string][]float64 }

func (t *table) add(name string, v float64) {
	if t.runs == nil {
		t.runs = map[string][]float64{}
	}
	t.runs[name] = append(t.runs[name], v)
}

// times adds p50 and p99 of one run, in milliseconds.
func (t *table) times(name string, took []time.Duration) {
	t.add(name+"_p50", ms(quantile(took, 0.5)))
	t.add(name+"_p99", ms(quantile(took, 0.99)))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// of is the median of the runs.
func (t *table) of(name string) float64 {
	all := slices.Sorted(slices.Values(t.runs[name]))
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

// goal is one row of the goals: figures of that name, and how they are held against each other.
type goal struct {
	what, product, floor, unit string
	asks                       asks
	limit                      float64
}

// asks is what a goal says of a product and its floor.
type asks int

const (
	atMost  asks = iota // so many times the floor
	atLeast             // so many times the floor
	over                // no more than so much above the floor
	alone               // the product alone, whatever the floor
)

// goals are those of the shared table of goals, in its order.
var goals = []goal{
	{"a exact ask, one node, audited, 16 callers", "ask_16", "group_commit_16", "/s", atLeast, 0.5},
	{"a exact ask, one node, audited, 256 callers", "ask_256", "group_commit_256", "/s", atLeast, 0.5},
	{"c publish in bulk → log → Kafka acked", "bulk", "bulk_floor", "/s", atLeast, 0.35},
	{"c member ingest: verified, opened, durable, searchable", "ingest", "ingest_floor", "/s", atLeast, 0.35},
	{"c one publisher and 7 members on these cores", "spread", "spread_floor", "/s", atLeast, 0.5},
	{"d publish → visible at all 7, 100/s, p50", "publish_p50", "publish_floor_p50", " ms", atMost, 4},
	{"d publish → visible at all 7, 100/s, p99 against the floor's p50", "publish_p99", "publish_floor_p50", " ms", atMost, 15},
	{"e fan-out, 7 members, transport, p50", "fanout_instant_p50", "fanout_instant_floor_p50", " ms", over, 1.5},
	{"e fan-out, 7 members, transport, p99", "fanout_instant_p99", "fanout_instant_floor_p99", " ms", over, 6},
	{"e fan-out, 7 members of 20 ms, transport, p50", "fanout_20ms_p50", "fanout_20ms_floor_p50", " ms", atMost, 1.1},
	{"e fan-out, a dead member, against the deadline", "fanout_dead", "fanout_dead_floor", " ms", atMost, 1.05},
	{"e federated ask, 7 members, audited, p50", "ask_federated_p50", "ask_floor_p50", " ms", over, 1.5},
	{"e federated ask, 7 members, audited, p99", "ask_federated_p99", "ask_floor_p99", " ms", over, 6},
	{"f cold start from the snapshot, a record (5 s a million)", "start", "start_floor", " µs", alone, 5},
	{"f rebuild verifying everything, a record", "rebuild", "rebuild_floor", " µs", atMost, 2},
}

// print writes goals first, then every figure with the range of its runs, as Markdown.
func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "\n| goal | product | floor | product against floor | goal asks | |\n|---|---|---|---|---|---|\n")
	for _, g := range goals {
		if len(t.runs[g.product]) > 0 {
			t.row(w, g)
		}
	}
	fmt.Fprintf(w, "\n| figure (ms, or per second; bytes of row_*) | median | lowest run | highest run |\n|---|---|---|---|\n")
	var names []string
	for name := range t.runs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %.2f |\n", name, t.of(name), slices.Min(t.runs[name]), slices.Max(t.runs[name]))
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Fprintf(w, "\nload average at the end: %s", b)
	}
}

func (t *table) row(w io.Writer, g goal) {
	p, f := t.of(g.product), t.of(g.floor)
	against, limit, met := fmt.Sprintf("%.3g×", p/f), fmt.Sprintf("<= %g×", g.limit), p/f <= g.limit
	switch g.asks {
	case atMost:
	case atLeast:
		limit, met = fmt.Sprintf(">= %g×", g.limit), p/f >= g.limit
	case over:
		against, limit, met = fmt.Sprintf("%+.2f%s", p-f, g.unit), fmt.Sprintf("<= +%g%s", g.limit, g.unit), p-f <= g.limit
	case alone:
		limit, met = fmt.Sprintf("<= %g%s", g.limit, g.unit), p <= g.limit
	}
	verdict := "**MISSED**"
	if met {
		verdict = "met"
	}
	fmt.Fprintf(w, "| %s | %.4g%s | %.4g%s | %s | %s | %s |\n", g.what, p, g.unit, f, g.unit, against, limit, verdict)
}
