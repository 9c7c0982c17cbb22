// Command measure builds the engine over development registries and prints its figures by kind.
package main

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/match/develop"
)

func main() {
	n := flag.Int("records", 200000, "entries of the registry")
	seed := flag.Uint64("seed", 1, "seed")
	show := flag.String("show", "", "print what went wrong in this kind")
	flag.Parse()
	begun := time.Now()
	sample := develop.Sample(*seed, *n)
	lines := make([]match.RegistryLine, len(sample))
	for i := range sample {
		lines[i] = sample[i].Line
	}
	byID := map[string]match.RegistryLine{}
	for _, l := range lines {
		byID[l.ID] = l
	}
	qs := develop.Queries(*seed, sample, 1)
	fmt.Println("made", len(lines), "entries,", len(qs), "questions in", time.Since(begun))
	begun = time.Now()
	ev := match.NewEvaluation(lines)
	fmt.Println("engine in", time.Since(begun))
	begun = time.Now()
	res := develop.Measure(qs, ev.Answer)
	fmt.Println("asked in", time.Since(begun))
	var names []string
	for k := range res.Kinds {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		f := res.Kinds[k]
		fmt.Printf("%-30s n %4d r1 %5.1f r10 %5.1f prec %5.1f strong %4d hitrecall %5.1f false %5.1f\n", k, f.N, f.First, f.Ten, f.Precision, f.Strong, f.HitRecall, f.FalseHit)
	}
	for _, m := range res.Missed {
		if m.Query.Kind != *show {
			continue
		}
		fmt.Fprintf(os.Stdout, "%s rank %d strong %v\n  asked %+v\n  want  %+v\n", m.Query.Form, m.Rank, m.Query.Strong, m.Query.QueryLine, byID[m.Query.Want])
		for i, e := range m.Answer.Results {
			if i < 3 {
				fmt.Printf("  %5.1f hit %v %v %+v\n", e.Score, e.Hit, e.Lines, byID[e.ID])
			}
		}
	}
}
