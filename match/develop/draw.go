package develop

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// draw is a source of chance.
type draw struct{ *rand.Rand }

// drawFor makes the source of one thing among many; the same of both gives the same.
func drawFor(seed, thing uint64) draw { return draw{rand.New(rand.NewPCG(seed, thing))} }

func (d draw) chance(p float64) bool { return d.Float64() < p }

func pick[T any](d draw, from []T) T { return from[d.IntN(len(from))] }

// among picks one of the words of a text.
func (d draw) among(words string) string { return pick(d, strings.Fields(words)) }

// early picks the first ones more often, about as names are spread: the k-th in proportion to 1/(k+6).
func early[T any](d draw, from []T) T {
	n := float64(len(from))
	x := 6*math.Exp(d.Float64()*math.Log((n+6)/6)) - 6
	return from[min(int(x), len(from)-1)]
}

func (d draw) digits(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(byte('0' + d.IntN(10)))
	}
	return b.String()
}

// weigh picks an index in proportion to its weight.
func (d draw) weigh(weights ...float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	x := d.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func itoa(n int) string { return fmt.Sprint(n) }
