package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func inputOf(r io.Reader) *input {
	return &input{name: "f", r: bufio.NewReaderSize(r, 16), most: 40, done: func() error { return nil }}
}

func TestEachLine(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"nothing":               {"", nil, ""},
		"empty lines":           {"\n \r\n\n", nil, ""},
		"no newline at the end": {"{}\n\n[1]", []string{"{}", "[1]"}, ""},
		"other ends of lines":   {"{}\r\n{\"a\":1}\r\n", []string{"{}", `{"a":1}`}, ""},
		"longer than a buffer":  {strings.Repeat("x", 39) + "\ny\n", []string{strings.Repeat("x", 39), "y"}, ""},
		"too long":              {"a\n" + strings.Repeat("x", 41) + "\ny\n", []string{"a"}, "f line 2: longer than 64 MiB"},
		"too long without end":  {strings.Repeat("x", 100), nil, "f line 1: longer than 64 MiB"},
		"refused":               {"a\n\nbad\nb\n", []string{"a"}, "f line 3: refused"},
	} {
		var got []string
		err := inputOf(strings.NewReader(row.text)).each(func(b []byte) error {
			if string(b) == "bad" {
				return errors.New("refused")
			}
			got = append(got, string(b))
			return nil
		})
		said := ""
		if err != nil {
			said = err.Error()
		}
		if !slices.Equal(got, row.want) || said != row.err {
			t.Errorf("%s: %q %q, want %q %q", name, got, said, row.want, row.err)
		}
	}
	broken := errors.New("broken")
	n := 0
	if err := inputOf(io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(broken))).each(func([]byte) error { n++; return nil }); !errors.Is(err, broken) || n != 1 {
		t.Errorf("a file that breaks off: %v after %d lines; half a line is none", err, n)
	}
	if _, err := inputOf(strings.NewReader(strings.Repeat("x", 41))).whole(); !errors.Is(err, errTooLong) {
		t.Errorf("whole: %v", err)
	}
}

func TestOpenInput_compressed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "q.jsonl.gz")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte("{}\n{}\n"))
	if err := errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := eachLine(name, func([]byte) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d lines, %v", n, err)
	}
}
