// Command gen writes table.bin of package hanzi from the Unihan files of the Unicode Character Database. The output
// depends on the input alone, so that a later run can be compared byte by byte.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	from := flag.String("unihan", "/usr/share/unicode", "folder with Unihan_*.txt or Unihan_*.txt.bz2")
	out := flag.String("out", "table.bin", "file to write")
	flag.Parse()
	if err := run(*from, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, out string) error {
	u := unihan{}
	for _, f := range []string{"Readings", "Variants", "DictionaryLikeData", "IRGSources", "OtherMappings"} {
		if err := u.read(filepath.Join(from, "Unihan_"+f+".txt")); err != nil {
			return fmt.Errorf("read %s: %w", f, err)
		}
	}
	return os.WriteFile(out, table(u), 0o644)
}

// table lays out: the list of Mandarin syllables, the list of Cantonese ones (each a count, then texts with their length),
// then one row a character in ascending order: distance from the character before, distance to its representative, and
// three lists (Mandarin, Cantonese, look-alikes as row numbers) with their lengths.
func table(u unihan) []byte {
	chars := u.chars()
	fold := u.folds(chars)
	mandarin, cantonese := map[rune][]string{}, map[rune][]string{}
	for _, c := range chars {
		mandarin[c], cantonese[c] = u.mandarin(c), u.cantonese(c)
	}
	row := map[rune]int{}
	for i, c := range chars {
		row[c] = i
	}
	near := u.lookalikes(chars, fold)
	var b []byte
	b, mandarinID := names(b, mandarin)
	b, cantoneseID := names(b, cantonese)
	b = binary.AppendUvarint(b, uint64(len(chars)))
	last := rune(0)
	for _, c := range chars {
		b = binary.AppendUvarint(b, uint64(c-last))
		last = c
		b = binary.AppendVarint(b, int64(fold[c]-c))
		b = list(b, mandarin[c], mandarinID)
		b = list(b, cantonese[c], cantoneseID)
		b = list(b, near[c], row)
	}
	return b
}

func names(b []byte, readings map[rune][]string) ([]byte, map[string]int) {
	var all []string
	for _, r := range readings {
		all = append(all, r...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	id := map[string]int{}
	b = binary.AppendUvarint(b, uint64(len(all)))
	for i, s := range all {
		id[s] = i
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b, id
}

func list[T comparable](b []byte, items []T, id map[T]int) []byte {
	b = binary.AppendUvarint(b, uint64(len(items)))
	for _, it := range items {
		b = binary.AppendUvarint(b, uint64(id[it]))
	}
	return b
}
