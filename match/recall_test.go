package match

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestRecall asks the development questions: who is meant must be among the ten, and nobody else a hit.
func TestRecall(t *testing.T) { recall(t, 6000, 25) }

// TestLongRecall is TestRecall on the size at which the goals are stated.
func TestLongRecall(t *testing.T) { recall(t, 200000, 300) }

func recall(t *testing.T, records, questions int) {
	registry := devRegistry(7, records)
	e := NewEngine()
	begun := time.Now()
	e.Load(registry)
	t.Logf("%d records in %s", records, time.Since(begun))
	plates := map[string]bool{}
	for _, en := range registry {
		for _, p := range en.Plates {
			plates[p] = true
		}
	}
	d := dev{rand.New(rand.NewPCG(11, 2))}
	for _, k := range devKinds {
		first, ten, n, hits, wrong := 0, 0, 0, 0, 0
		var took time.Duration
		for n < questions {
			en := &registry[d.IntN(len(registry))]
			q, ok := k.make(d, en)
			if !ok || k.negative && plates[q.Plate] {
				continue
			}
			n++
			begun := time.Now()
			a := e.Ask(q)
			took += time.Since(begun)
			falseHit := false
			for i, c := range a.Candidates {
				sum := 0.0
				for _, l := range c.Lines {
					sum += l.Bits
				}
				if math.Abs(sum-c.Score) > 0.05 {
					t.Fatalf("%s: lines add up to %.2f, the score is %.2f", k.kind, sum, c.Score)
				}
				right := c.Ref == en.Ref && !k.negative
				if right {
					ten++
					if i == 0 {
						first++
					}
				}
				if c.Outcome == Hit && right {
					hits++
				}
				if c.Outcome == Hit && !right {
					falseHit = true
				}
			}
			if falseHit {
				wrong++
			}
		}
		f := func(x int) float64 { return 100 * float64(x) / float64(n) }
		t.Logf("%-16s n %3d  r@1 %5.1f  r@10 %5.1f  hit %5.1f  wrong hit %5.1f  %s", k.kind, n, f(first), f(ten), f(hits), f(wrong), took/time.Duration(n))
		if !k.negative && f(ten) < 90 {
			t.Errorf("%s: %.1f %% among the first ten", k.kind, f(ten))
		}
		if k.negative && f(wrong) > 2 {
			t.Errorf("%s: %.1f %% with a wrong hit", k.kind, f(wrong))
		}
		if k.strong && f(hits) < 85 {
			t.Errorf("%s: %.1f %% hits", k.kind, f(hits))
		}
	}
}
