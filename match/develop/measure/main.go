// Command measure builds the engine over development sets, asks, and prints the figures by kind beside those of other
// systems and the goals (matching.md §5 and §6). It ends with 1 when a figure falls more than half a point below the best
// that the repository holds. With -better or -accept it writes those first. With -calibrate it counts instead what each line
// of evidence is worth on sets of other seeds.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/match/develop"
)

type options struct {
	sizes          []int
	seed           uint64
	share          float64
	file           string
	better, accept bool
	show           string
	examples       int
	fit            bool
	seeds          uint64
	random         int
	write          string
	frozen         bool
}

func main() {
	var o options
	sizes := flag.String("records", "20000,200000", "entries of the registries")
	flag.Uint64Var(&o.seed, "seed", 1, "another seed is printed and not compared")
	flag.Float64Var(&o.share, "share", 1, "questions as a share of 3,800; another than 1 is printed and not compared")
	flag.StringVar(&o.file, "best", "match/develop/best.json", "file of the best figures")
	flag.BoolVar(&o.better, "better", false, "write figures that are better into it")
	flag.BoolVar(&o.accept, "accept", false, "write all figures into it, also worse ones")
	flag.StringVar(&o.show, "show", "", "print questions of this kind that went wrong")
	flag.IntVar(&o.examples, "examples", 10, "how many of them")
	flag.BoolVar(&o.fit, "calibrate", false, "count what evidence is worth, over the seeds behind -seed")
	flag.Uint64Var(&o.seeds, "seeds", 4, "how many seeds -calibrate counts over")
	flag.IntVar(&o.random, "random", 1000, "random entries beside each question of -calibrate")
	flag.BoolVar(&o.frozen, "freeze", false, "write what this version answers into match/develop/frozen.txt")
	flag.StringVar(&o.write, "write", "", "file of weights that -calibrate writes")
	flag.Parse()
	err := o.read(*sizes)
	switch {
	case err != nil:
	case o.frozen:
		err = freeze("match/develop/frozen.txt")
	case o.fit:
		err = o.calibrate()
	default:
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func (o *options) read(sizes string) error {
	for s := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-records: %q is no number of entries", s)
		}
		o.sizes = append(o.sizes, n)
	}
	return nil
}

func (o *options) run() error {
	b, err := os.ReadFile(o.file)
	if err != nil {
		return err
	}
	best, err := develop.ParseBest(b)
	if err != nil {
		return err
	}
	compare := o.seed == 1 && o.share == 1
	var drops []string
	for _, n := range o.sizes {
		figures := o.measure(n)
		if !compare {
			continue
		}
		if o.better || o.accept {
			best.Raise(n, figures, o.accept)
		}
		for _, d := range best.Drops(n, figures) {
			drops = append(drops, fmt.Sprintf("%d entries: %s", n, d))
		}
	}
	if compare && (o.better || o.accept) {
		out, err := best.Format()
		if err == nil && !bytes.Equal(out, b) {
			err = os.WriteFile(o.file, out, 0o644) //nolint:gosec // a file of the repository, for all to read
		}
		if err != nil {
			return err
		}
	}
	if len(drops) > 0 {
		return errors.New("worse than the best figures:\n" + strings.Join(drops, "\n"))
	}
	return nil
}

func (o *options) measure(n int) map[string]develop.Figures {
	sample := develop.Sample(o.seed, n)
	lines := make([]match.RegistryLine, len(sample))
	byID := make(map[string]*match.RegistryLine, n)
	for i := range sample {
		lines[i] = sample[i].Line
		byID[lines[i].ID] = &lines[i]
	}
	queries := develop.Queries(o.seed, sample, o.share)
	begun := time.Now()
	ev := match.NewEvaluation(lines)
	built := time.Since(begun)
	var took []time.Duration
	res := develop.Measure(queries, func(q match.QueryLine) match.ResultLine {
		begun := time.Now()
		a := ev.Answer(q)
		took = append(took, time.Since(begun))
		return a
	})
	slices.Sort(took)
	fmt.Printf("\n%d entries, %d questions, %s, built in %.1f s, asked in p50 %s p99 %s\n", n, len(queries), match.EngineVersion, built.Seconds(),
		took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond))
	print(res.Kinds)
	shown := 0
	for i := range res.Missed {
		if m := &res.Missed[i]; m.Query.Kind == o.show && shown < o.examples {
			shown++
			example(m, byID)
		}
	}
	return res.Kinds
}

// freeze adds the version to those that are frozen.
func freeze(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := develop.Freeze(string(b), develop.FrozenNow())
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644) //nolint:gosec // a file of the repository, for all to read
}

// example prints what was asked, what was meant and what came instead.
func example(m *develop.Miss, byID map[string]*match.RegistryLine) {
	fmt.Printf("\n%s %s, rank %d, strong %t\n  asked %s\n", m.Query.Kind, m.Query.Form, m.Rank, m.Query.Strong, text(m.Query.QueryLine))
	if want := byID[m.Query.Want]; want != nil {
		fmt.Printf("  meant %s\n", text(*want))
	}
	for i, e := range m.Answer.Results {
		if i > 2 && e.ID != m.Query.Want {
			continue
		}
		fmt.Printf("  %d. %s %.1f %s\n", i+1, e.Outcome, e.Score, text(*byID[e.ID]))
		for _, l := range e.Lines {
			fmt.Printf("       %+.1f %s %s\n", l.Bits, l.Code, l.Text)
		}
	}
}
