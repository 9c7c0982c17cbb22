package develop

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Best are the best figures so far by the number of entries and by kind, of the set of seed 1 at a share of 1.
type Best map[string]map[string]Figures

//go:embed best.json
var committed []byte

// Committed reads the figures that the repository holds.
func Committed() (Best, error) { return ParseBest(committed) }

// ParseBest reads a file of figures.
func ParseBest(b []byte) (Best, error) {
	var best Best
	if err := json.Unmarshal(b, &best); err != nil {
		return nil, fmt.Errorf("best figures: %w", err)
	}
	return best, nil
}

// Format writes them as the file has them.
func (b Best) Format() ([]byte, error) {
	out, err := json.Marshal(b, json.Deterministic(true), jsontext.WithIndent(" "))
	return append(out, '\n'), err
}

// allowed is how far a figure may fall below the best, in points (matching.md §4).
const allowed = 0.5

// Drops names every figure of now that stands more than half a point below the best, and every kind that the best has and
// now has not.
func (b Best) Drops(records int, now map[string]Figures) []string {
	best := b[strconv.Itoa(records)]
	var out []string
	for _, k := range slices.Sorted(maps.Keys(best)) {
		old, f := best[k], now[k]
		if f.N != old.N || f.Strong != old.Strong {
			out = append(out, fmt.Sprintf("%s: asked %d, %d strong; the best figures are of %d, %d strong: accept new ones", k, f.N, f.Strong, old.N, old.Strong))
			continue
		}
		for _, m := range []struct {
			name   string
			fallen float64
		}{{"recall@1", old.First - f.First}, {"recall@10", old.Ten - f.Ten}, {"precision", old.Precision - f.Precision}, {"hit recall", old.HitRecall - f.HitRecall}, {"false hits", f.FalseHit - old.FalseHit}} {
			if m.fallen > allowed {
				out = append(out, fmt.Sprintf("%s: %s is %.1f points worse than the best", k, m.name, m.fallen))
			}
		}
	}
	return out
}

// Raise takes over what is better, and whole kinds of which other questions were asked. With accept it takes over
// everything, for a change that is meant.
func (b Best) Raise(records int, now map[string]Figures, accept bool) {
	size := strconv.Itoa(records)
	if b[size] == nil || accept {
		b[size] = map[string]Figures{}
	}
	for k, f := range now {
		if old, ok := b[size][k]; ok && old.N == f.N && old.Strong == f.Strong {
			f.First, f.Ten, f.Precision = max(f.First, old.First), max(f.Ten, old.Ten), max(f.Precision, old.Precision)
			f.HitRecall, f.FalseHit = max(f.HitRecall, old.HitRecall), min(f.FalseHit, old.FalseHit)
		}
		f.First, f.Ten, f.Precision, f.HitRecall, f.FalseHit = tenth(f.First), tenth(f.Ten), tenth(f.Precision), tenth(f.HitRecall), tenth(f.FalseHit)
		b[size][k] = f
	}
}

func tenth(x float64) float64 { return math.Round(10*x) / 10 }
