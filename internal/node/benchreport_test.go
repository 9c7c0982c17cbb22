package node

import (
	"fmt"
	"io"
	"slices"
	"strings"
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

// print writes goals first, then every figure with the range of its runs, as Markdown.
func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "\n| goal | product | floor | product against floor | goal asks | |\n|---|---|---|---|---|---|\n")
	times := func(what, product, floor, unit string, goal float64, q string) {
		p, f := t.of(product+q), t.of(floor+"_p50")
		t.row(w, what+", "+q[1:], fmt.Sprintf("%.2f ms", p), fmt.Sprintf("%.2f ms (%s)", f, unit), fmt.Sprintf("%.1f×", p/f), fmt.Sprintf("<= %g×", goal), p/f <= goal)
	}
	times("d publish → visible at all 7, 100/s", "publish", "publish_floor", "p50", 4, "_p50")
	times("d publish → visible at all 7, 100/s", "publish", "publish_floor", "p50", 15, "_p99")
	for _, q := range []string{"_p50", "_p99"} {
		over := map[string]float64{"_p50": 1.5, "_p99": 6}[q]
		p, f := t.of("ask_federated"+q), t.of("slowest_member"+q)+2*t.of("commit"+q)
		t.row(w, "e federated ask, 7 members, audited, "+q[1:], fmt.Sprintf("%.2f ms", p), fmt.Sprintf("%.2f ms (%s)", f, q[1:]), fmt.Sprintf("%+.2f ms", p-f), fmt.Sprintf("<= +%g ms", over), p-f <= over)
	}
	for _, callers := range []string{"16", "256"} {
		p, f := t.of("ask_"+callers), t.of("group_commit_"+callers)
		t.row(w, "a exact ask, one node, audited, "+callers+" callers", fmt.Sprintf("%.0f/s", p), fmt.Sprintf("%.0f rows/s", f), fmt.Sprintf("%.3f×", p/f), ">= 0.5×", p/f >= 0.5)
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
}

func (t *table) row(w io.Writer, what, product, floor, against, goal string, met bool) {
	if strings.HasPrefix(product, "0") && strings.HasPrefix(floor, "0") {
		return // not measured by this benchmark
	}
	verdict := "**MISSED**"
	if met {
		verdict = "met"
	}
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", what, product, floor, against, goal, verdict)
}
