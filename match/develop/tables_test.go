package develop

import (
	"slices"
	"testing"
)

// TestTables: the tables fit together; what one names the others know.
func TestTables(t *testing.T) {
	tb := table()
	known := func(where, s string) {
		for _, c := range s {
			if tb.sound(c) == "" {
				t.Errorf("%s %s: no syllable of %c", where, s, c)
			}
		}
	}
	for _, s := range tb.surnames.values {
		for _, c := range s {
			if readName(c, true) == "" {
				t.Errorf("surname %s: no syllable", s)
			}
		}
	}
	compound := 0
	for _, s := range tb.surnames.values {
		if len([]rune(s)) > 1 {
			compound++
		}
	}
	if n := len(tb.surnames.values); n < 200 || compound < 40 {
		t.Errorf("%d surnames, %d compound", n, compound)
	}
	for which, m := range tb.manners {
		for _, part := range [][]string{m.first, m.second, m.single, m.whole} {
			for _, s := range part {
				known(which, s)
			}
		}
	}
	for _, w := range []string{"village", "village2", "estate", "estate2", "estate3", "core"} {
		for _, s := range tb.words[w] {
			known(w, s)
		}
	}
	pairs := 0
	for c, like := range tb.looks {
		pairs += len(like)
		if slices.Contains(like, c) {
			t.Errorf("%c looks like itself", c)
		}
	}
	if pairs/2 < 400 {
		t.Errorf("%d pairs of look-alikes", pairs/2)
	}
	if len(tb.counties) != 8 || len(tb.areas) < 60 {
		t.Errorf("%d counties, %d areas", len(tb.counties), len(tb.areas))
	}
}
