package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/match/develop"
)

//go:embed anchors.txt
var anchorText string

// goals of matching.md §6 by kind, in percent: recall@1, recall@10, hit recall, false hits. 0 is no goal of its own.
func goal(kind string, f develop.Figures) (first, ten, hits, falsely float64) {
	switch kind {
	case "all":
		return 95, 99, 90, 0
	case "all negatives":
		return 0, 0, 0, 0.5
	case "exact", "id15", "phone_format", "id_partial":
		return 100, 100, 0, 0
	case "rare_char", "nickname":
		return 0, 95, 0, 0
	case "romanised", "romanised: pinyin", "romanised: wade-giles":
		return 0, 90, 0, 0
	case "romanised: hong kong":
		return 0, 80, 0, 0
	case "sibling_id", "same_name_other_id", "plate_one_off":
		return 0, 0, 0, 0
	}
	if f.Negative {
		return 0, 0, 0, 1
	}
	return 0, 97, 0, 0
}

// print writes the two tables. Anchors were measured on another set than this one: they tell how hard a kind is, not who
// is ahead by a point.
func print(kinds map[string]develop.Figures) {
	anchors := map[string][]string{}
	for l := range strings.Lines(anchorText) {
		if f := strings.Fields(l); len(f) == 4 && f[0] != "#" {
			anchors[strings.ReplaceAll(f[0], "all_negatives", "all negatives")] = f[1:]
		}
	}
	names := slices.Sorted(maps.Keys(kinds))
	fmt.Printf("%-30s %5s %6s %6s %6s %7s %7s  %-8s %-18s %-18s %s\n", "kind", "n", "r@1", "r@10", "prec", "strong", "hits", "goal", "trigram", "rapidfuzz", "logic-v1")
	for _, k := range names {
		f := kinds[k]
		if f.Negative {
			continue
		}
		first, ten, hits, _ := goal(k, f)
		strong := "      –       –"
		if f.Strong > 0 {
			strong = fmt.Sprintf("%7d %7.1f", f.Strong, f.HitRecall)
		}
		mark := ""
		if f.First < first || f.Ten < ten || f.HitRecall < hits || k == "all" && f.Precision < 98 {
			mark = "*"
		}
		fmt.Printf("%-30s %5d %6.1f %6.1f %6.1f %s  %-8s %s\n", k, f.N, f.First, f.Ten, f.Precision, strong, fmt.Sprintf("%.0f%s", ten, mark), columns(anchors[k], "%-18s "))
	}
	fmt.Printf("\n%-30s %5s %9s  %-8s %-8s %-9s %s\n", "nobody's", "n", "false hit", "goal", "trigram", "rapidfuzz", "logic-v1")
	for _, k := range names {
		f := kinds[k]
		if !f.Negative {
			continue
		}
		_, _, _, most := goal(k, f)
		mark := ""
		if f.FalseHit > most {
			mark = "*"
		}
		fmt.Printf("%-30s %5d %9.1f  %-8s %s\n", k, f.N, f.FalseHit, fmt.Sprintf("%.1f%s", most, mark), columns(anchors[k], "%-8s "))
	}
	fmt.Println("goal: recall@10 and share of false hits, * not reached. Anchors: recall@1/recall@10/precision on another set of 200,000.")
}

func columns(values []string, format string) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, format, v)
	}
	return strings.TrimRight(b.String(), " ")
}

// text is a line as it stands in a file.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
