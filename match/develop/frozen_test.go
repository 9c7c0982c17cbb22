package develop

import (
	"strings"
	"testing"

	"github.com/pilinhub/pilin/match"
)

// TestFrozen: whoever changes keys, weights or gates raises the version.
func TestFrozen(t *testing.T) {
	now := FrozenNow()
	if again := FrozenNow(); again != now {
		t.Fatalf("asked twice: %+v, %+v", now, again)
	}
	text, err := Freeze(frozenText, now)
	if err != nil {
		t.Fatal(err)
	}
	if text != frozenText {
		t.Errorf("%s is not frozen, or the development set has changed: make match-eval EVAL=-freeze", now.Version)
	}
	if w := match.CurrentWeights(); !strings.HasPrefix(match.EngineVersion, w.Version+"+") {
		t.Errorf("weights of %s in an engine of %s", w.Version, match.EngineVersion)
	}
}

func TestFreeze(t *testing.T) {
	const file = "# versions\nmatch-v8 aa bb\n"
	for _, tt := range []struct {
		now  Frozen
		want string // empty: refused
	}{
		{Frozen{"match-v8", "aa", "bb"}, file},
		{Frozen{"match-v8", "aa", "cc"}, ""},
		{Frozen{"match-v8", "dd", "cc"}, "# versions\nmatch-v8 dd cc\n"},
		{Frozen{"match-v9", "aa", "cc"}, file + "match-v9 aa cc\n"},
	} {
		if got, err := Freeze(file, tt.now); got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%+v: %q, %v", tt.now, got, err)
		}
	}
	if _, err := Freeze("match-v8 aa\n", Frozen{}); err == nil {
		t.Error("half a line is taken")
	}
}

// TestCurve pools by hand: 0 of 1, 1 of 1, 0 of 1 become two steps.
func TestCurve(t *testing.T) {
	c := Calibration{points: []point{{3, true, true}, {1, true, false}, {2, true, true}, {2.5, true, false}, {3, false, false}}}
	curve := c.Curve(true)
	want := []Step{{1, 1, 1, 0}, {2, 2.5, 2, 1}, {3, 3, 1, 1}}
	if len(curve) != len(want) {
		t.Fatalf("%+v", curve)
	}
	for i := range want {
		if curve[i] != want[i] {
			t.Errorf("%+v, want %+v", curve[i], want[i])
		}
	}
	if bits, ok := Threshold(curve, 0.9); !ok || bits != 3 {
		t.Errorf("%v %v", bits, ok)
	}
	if all := c.Curve(false); all[len(all)-1].P() != 0.5 {
		t.Errorf("%+v", all)
	}
}

// TestCalibration: half of the true pairs and one in a hundred of the others have a line of 3 bits; it is worth log2(50).
func TestCalibration(t *testing.T) {
	c := Calibration{codes: map[string]*codeCount{}, same: map[string]int{}, random: map[string]int{}}
	for i := range 2000 {
		for _, same := range []bool{true, false} {
			code := "plate_other"
			if same && i%2 == 0 || !same && i%100 == 0 {
				code = "plate_near"
			}
			c.count([]match.Evidence{{Code: code, Bits: 3}}, same)
		}
	}
	for _, e := range c.Evidence() {
		if e.Code == "plate_near" && (e.M != 0.5 || e.U != 0.01 || e.Engine != 3 || e.Fitted < 5.64 || e.Fitted > 5.65 || e.Bound) {
			t.Errorf("%+v", e)
		}
	}
	w := match.Weights{Lines: []match.Weight{{Name: "plate_near", Line: "plate_near", Bits: 1, Fit: true}, {Name: "other", Line: "plate_near", Bits: 1}, {Name: "none", Line: "-", Bits: 7, Fit: true}}}
	c.Fit(&w)
	if w.Lines[0].Bits != 3.6 || w.Lines[1].Bits != 1 || w.Lines[1].Fitted != 3.6 || w.Lines[2].Bits != 7 {
		t.Errorf("%+v", w.Lines)
	}
}
