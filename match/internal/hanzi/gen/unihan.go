package main

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// unihan is property → character → value as written in the files (UAX #38).
type unihan map[string]map[rune]string

func (u unihan) read(path string) error {
	f, err := os.Open(path)
	var in io.Reader = f
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(path + ".bz2")
		in = bzip2.NewReader(f)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		part := strings.Split(lines.Text(), "\t")
		if len(part) != 3 {
			continue // a comment or an empty line
		}
		c, ok := codePoint(part[0])
		if !ok {
			continue
		}
		if u[part[1]] == nil {
			u[part[1]] = map[rune]string{}
		}
		u[part[1]][c] = part[2]
	}
	return lines.Err()
}

// codePoint reads U+4E00, and U+4E00<kMatthews as a variant field may say.
func codePoint(s string) (rune, bool) {
	s, _, _ = strings.Cut(s, "<")
	hex, ok := strings.CutPrefix(s, "U+")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	return rune(n), err == nil
}

// chars are the characters that the table knows: all with a Mandarin reading in the basic plane, all standard characters,
// all that a variant field names.
func (u unihan) chars() []rune {
	var out []rune
	for c := range u["kMandarin"] {
		if c < 0x10000 {
			out = append(out, c)
		}
	}
	for _, field := range []string{"kTGH", "kSimplifiedVariant", "kTraditionalVariant", "kCompatibilityVariant", "kZVariant"} {
		for c := range u[field] {
			out = append(out, c)
			out = append(out, u.variants(field, c)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (u unihan) variants(field string, c rune) []rune {
	if field == "kTGH" {
		return nil
	}
	var out []rune
	for _, v := range strings.Fields(u[field][c]) {
		if r, ok := codePoint(v); ok && r != c {
			out = append(out, r)
		}
	}
	return out
}

// folds takes each character to the representative of its class: simplified, and standard where a variant of it is. It is
// free of context: 發 and 髮 meet in 发. The fields are followed in one direction only, so that classes stay small.
func (u unihan) folds(chars []rune) map[rune]rune {
	standard := u["kTGH"]
	step := func(c rune) rune {
		if v := u.variants("kCompatibilityVariant", c); len(v) > 0 {
			return v[0]
		}
		simple := u.variants("kSimplifiedVariant", c)
		for _, v := range simple {
			if _, ok := standard[v]; ok {
				return v
			}
		}
		if _, ok := standard[c]; ok {
			return c
		}
		for _, field := range []string{"kZVariant", "kSemanticVariant"} {
			for _, v := range u.variants(field, c) {
				_, ok := standard[v]
				if s := u.variants("kSimplifiedVariant", v); ok || len(s) > 0 {
					return v
				}
			}
		}
		if len(simple) > 0 { // simplified by analogy only, as 鑑 would be without 鉴
			return simple[0]
		}
		return c
	}
	out := map[rune]rune{}
	for _, c := range chars {
		at := c
		for range 6 {
			next := step(at)
			if next == at {
				break
			}
			at = next
		}
		out[c] = at
	}
	for _, c := range chars { // a ring of variants has no end: its smallest member stands for it
		if end := out[c]; out[end] != end {
			if in, ok := out[end]; ok {
				low := min(end, in)
				out[c], out[end], out[in], out[low] = low, low, low, low
			}
		}
	}
	for _, c := range chars { // idempotent after the rings
		for range 6 {
			next, ok := out[out[c]]
			if !ok || next == out[c] {
				break
			}
			out[c] = next
		}
	}
	return out
}

// mandarin lists toneless syllables, the commonest first; ü is written v.
func (u unihan) mandarin(c rune) []string {
	var out []string
	add := func(s string) {
		if s = toneless(s); s != "" && !slices.Contains(out, s) && len(out) < 6 {
			out = append(out, s)
		}
	}
	for _, s := range strings.Fields(u["kMandarin"][c]) {
		add(s)
	}
	for _, field := range []string{"kTGHZ2013", "kXHC1983"} { // 103.030:dān,shàn
		for _, entry := range strings.Fields(u[field][c]) {
			if _, readings, ok := strings.Cut(entry, ":"); ok {
				for _, s := range strings.Split(readings, ",") {
					add(s)
				}
			}
		}
	}
	return out
}

func toneless(s string) string {
	var out []rune
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 0x308 && len(out) > 0 && out[len(out)-1] == 'u':
			out[len(out)-1] = 'v'
		case r >= 'a' && r <= 'z':
			out = append(out, r)
		}
	}
	return string(out)
}

func (u unihan) cantonese(c rune) []string {
	var out []string
	for _, s := range strings.Fields(u["kCantonese"][c]) {
		if s = strings.TrimRight(s, "123456"); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
