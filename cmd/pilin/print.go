package main

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// printer is where a command prints: words for a person, or with --json one JSON document and nothing else. The names of
// its fields are stable (testdata/json.golden).
type printer struct {
	io.Writer
	JSON bool
}

// answer prints v as JSON, or lets words say it. What words write that does not arrive is an error too.
func (p *printer) answer(v any, words func(w io.Writer)) error {
	if p.JSON {
		return p.document(v)
	}
	w := &written{to: p.Writer}
	words(w)
	return w.err
}

// document prints one indented document.
func (p *printer) document(v any) error {
	b, err := json.Marshal(v, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("print answer: %w", err)
	}
	_, err = fmt.Fprintf(p, "%s\n", b)
	return err
}

// line prints one object on a line of its own, for a command that goes on.
func (p *printer) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("print answer: %w", err)
	}
	_, err = fmt.Fprintf(p, "%s\n", b)
	return err
}

// written keeps the first error of a writer.
type written struct {
	to  io.Writer
	err error
}

func (w *written) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(b)
	w.err = err
	return n, err
}
