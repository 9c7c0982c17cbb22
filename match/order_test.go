package match

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestProperty_stranger: unrelated subjects take no hit away. A longer list makes everybody less likely by as much as it is
// longer: so many bits a hit must stand above its gate, no more.
func TestProperty_stranger(t *testing.T) {
	registry := devRegistry(83, 600)
	ours, strangers := registry[:300], registry[300:]
	before := NewEngine()
	before.Load(ours)
	var questions []Question
	for _, q := range devQuestions(nil, 83, 120) { // about the first 4,000 of this seed
		if slices.ContainsFunc(before.Ask(q).Candidates, func(c Candidate) bool { return c.Outcome == Hit }) {
			questions = append(questions, q)
		}
	}
	if len(questions) < 40 {
		t.Fatalf("%d questions have a hit: the test says nothing", len(questions))
	}
	rapid.Check(t, func(t *rapid.T) {
		from, n := rapid.IntRange(0, len(strangers)-1).Draw(t, "from"), rapid.IntRange(1, len(strangers)).Draw(t, "strangers")
		came := strangers[from:min(from+n, len(strangers))]
		e := NewEngine()
		e.Load(ours)
		for _, en := range came {
			e.Put(en)
		}
		longer := math.Log2(float64(e.Len())/float64(len(ours))) + 0.15 // lines are rounded to a tenth
		for range 20 {
			q := questions[rapid.IntRange(0, len(questions)-1).Draw(t, "question")]
			related := slices.ContainsFunc(came, func(en Entry) bool { return en.Name == q.Name })
			after := e.Ask(q)
			for _, c := range before.Ask(q).Candidates {
				if c.Outcome != Hit {
					continue
				}
				i := slices.IndexFunc(after.Candidates, func(x Candidate) bool { return x.Ref == c.Ref })
				if i < 0 {
					t.Fatalf("%+v is no candidate any more", c)
				}
				if x := after.Candidates[i]; x.Outcome != Hit && !related && c.Score > hitBits+longer {
					t.Fatalf("%+v is no hit any more: %+v", c, x)
				}
			}
		}
	})
}

// TestProperty_order: in whatever order subjects come, the same are found with the same bits. Only who of those that stand
// equal with the last one shown is left out may differ.
func TestProperty_order(t *testing.T) {
	registry := devRegistry(93, 300)
	for i := range registry { // many who are alike
		registry[i].Name = registry[i%40].Name
	}
	questions := devQuestions(nil, 93, 12)
	once := NewEngine()
	once.Load(registry)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		other := slices.Clone(registry)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		loaded := rapid.IntRange(0, len(other)).Draw(t, "loaded")
		e := NewEngine()
		e.Load(other[:loaded])
		for _, en := range other[loaded:] {
			e.Put(en)
		}
		for range 20 {
			q := questions[rapid.IntRange(0, len(questions)-1).Draw(t, "question")]
			want, got := once.Ask(q), e.Ask(q)
			if got.Namesakes != want.Namesakes || got.Truncated != want.Truncated || len(got.Candidates) != len(want.Candidates) {
				t.Fatalf("%+v, in order %+v", got, want)
			}
			last := math.Inf(-1)
			if n := len(want.Candidates); n == shown {
				last = want.Candidates[n-1].Score
			}
			for i, c := range want.Candidates {
				if got.Candidates[i].Score != c.Score {
					t.Fatalf("place %d has %.1f bits, in order %.1f", i+1, got.Candidates[i].Score, c.Score)
				}
				same := func(x Candidate) bool {
					return x.Ref == c.Ref && x.Outcome == c.Outcome && slices.Equal(x.Lines, c.Lines)
				}
				if c.Score > last && !slices.ContainsFunc(got.Candidates, same) {
					t.Fatalf("%+v is not found, or otherwise", c)
				}
			}
		}
	})
}
