package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pilinhub/pilin/transfer"
)

type countCmd struct {
	Input string `required:"" placeholder:"FILE|-" help:"问题文件,- 为标准输入 · File with the question, - for standard input."`
	Lines bool   `help:"每行一个问题 · One question on each line (JSONL)."`
}

// maxQuestion bounds one question in bytes; honest ones are a thousand times smaller.
const maxQuestion = 64 << 20

// Run answers each question on a line of its own. A refused one is answered too, and makes the exit code 1; a file that
// cannot be read gives 2.
func (c *countCmd) Run(out io.Writer) error {
	in := io.Reader(os.Stdin)
	if c.Input != "-" {
		f, err := os.Open(c.Input)
		if err != nil {
			return exit{exitUnchecked, err}
		}
		defer f.Close()
		in = f
	}
	questions := bufio.NewReader(in)
	w := bufio.NewWriter(out)
	refused := false
	for {
		question, err := nextQuestion(questions, c.Lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return exit{exitUnchecked, errors.Join(err, w.Flush())}
		}
		if !c.Lines || len(bytes.TrimSpace(question)) > 0 {
			answer, ok := transfer.Answer(question, c.Lines)
			refused = refused || !ok
			fmt.Fprintf(w, "%s\n", answer)
		}
		if err != nil || !c.Lines {
			break
		}
	}
	if err := w.Flush(); err != nil {
		return exit{exitUnchecked, err}
	}
	if refused {
		return exit{exitBroken, nil}
	}
	return nil
}

// nextQuestion reads one line, or everything.
func nextQuestion(r *bufio.Reader, line bool) ([]byte, error) {
	var all []byte
	for {
		part, err := r.ReadSlice('\n')
		all = append(all, part...)
		switch {
		case len(all) > maxQuestion:
			return nil, fmt.Errorf("a question is larger than %d MiB", maxQuestion>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return all, err
		case line:
			return all, nil
		}
	}
}
