package main

import (
	"fmt"
	"math"
	"os"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/match/develop"
)

// calibrate counts what evidence is worth over sets of the seeds behind the one that is compared, so that what is fitted
// on some is measured on another. What the last size gave is written.
func (o *options) calibrate() error {
	var c develop.Calibration
	for _, n := range o.sizes {
		c = develop.Calibration{}
		for seed := o.seed + 1; seed <= o.seed+o.seeds; seed++ {
			sample := develop.Sample(seed, n)
			lines := make([]match.RegistryLine, n)
			for i := range sample {
				lines[i] = sample[i].Line
			}
			c.Add(seed, match.NewEvaluation(lines), sample, develop.Queries(seed, sample, o.share), o.random)
		}
		fmt.Printf("\n%d entries, seeds %d to %d, %s\n", n, o.seed+1, o.seed+o.seeds, match.EngineVersion)
		fmt.Printf("%-20s %8s %9s %9s %10s %8s %8s %8s\n", "code", "true", "random", "m", "u", "engine", "fitted", "by")
		for _, e := range c.Evidence() {
			if math.IsNaN(e.Engine) {
				fmt.Printf("%-20s %8d %9d %9.5f %10.2e\n", e.Code, e.True, e.Random, e.M, e.U)
				continue
			}
			least := ""
			if e.Bound {
				least = ">"
			}
			fmt.Printf("%-20s %8d %9d %9.5f %10.2e %8.1f %8s %+8.1f\n", e.Code, e.True, e.Random, e.M, e.U, e.Engine, least+fmt.Sprintf("%.1f", e.Fitted), e.Fitted-e.Engine)
		}
		for _, gated := range []bool{false, true} {
			name := "candidates"
			if gated {
				name = "candidates whose bits decide whether they are hits"
			}
			curve := c.Curve(gated)
			fmt.Printf("\n%s: bits, share of true ones, how many\n", name)
			for _, s := range curve {
				fmt.Printf("  %6.1f to %6.1f  %.4f  %d\n", s.From, s.To, s.P(), s.N)
			}
			if gated {
				fmt.Println("  the same by bits, each up to the next:")
				for _, s := range c.Bins(true, -6, 2, 12) {
					fmt.Printf("  from %5.1f  %d of %d\n", s.From, s.True, s.N)
				}
			}
			for _, p := range []float64{0.2, 0.95, 0.99} {
				if bits, ok := develop.Threshold(curve, p); ok {
					fmt.Printf("  p >= %.2f from %.1f bits\n", p, bits)
				}
			}
		}
	}
	if o.write == "" {
		return nil
	}
	w := match.CurrentWeights()
	c.Fit(&w)
	return os.WriteFile(o.write, []byte(w.Format()), 0o644) //nolint:gosec // a file of the repository, for all to read
}
