package match

import (
	"strings"
	"testing"
)

// TestWeights: the file is as it is written, says why of every figure, and what it says is what the engine counts.
func TestWeights(t *testing.T) {
	w := CurrentWeights()
	if got := w.Format(); got != weightText {
		t.Errorf("weights.txt is written otherwise:\n%s", got)
	}
	for _, l := range w.Lines {
		if got := *weights.names()[l.Name]; got != l.Bits {
			t.Errorf("%s: %.1f in the file, the engine counts %.1f", l.Name, l.Bits, got)
		}
		if !l.Fit && l.Why == "" {
			t.Errorf("%s is set by hand and does not say why", l.Name)
		}
	}
	for _, bad := range []string{"id_equal 45 hand x", "id_equal x hand - - - -", "id_equal 1 guessed - - - -", "id_equal 1 fit - 0.x - -"} {
		if _, err := ParseWeights(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, bad := range []string{"id_equal 1 fit - - - -\n", weightText + "id_equal 1 fit - - - -\n", strings.Replace(weightText, "\ncounty ", "\ncountry ", 1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a file is taken with a weight missing, twice or unknown")
				}
			}()
			mustWeights(bad)
		}()
	}
}
