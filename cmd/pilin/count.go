package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/pilinhub/pilin/transfer"
)

type countCmd struct {
	Input string `required:"" placeholder:"FILE|-" help:"问题文件,- 为标准输入 · File with the question, - for standard input."`
	Lines bool   `help:"每行一个问题 · One question on each line (JSONL)."`
}

// Run answers each question on a line of its own. A refused one is answered too, and makes the exit code 1; a file that
// cannot be read gives 2.
func (c *countCmd) Run(out *printer) (err error) {
	in, err := openInput(c.Input)
	if err != nil {
		return exit{exitUnchecked, err}
	}
	defer func() {
		if bad := in.done(); bad != nil && err == nil {
			err = exit{exitUnchecked, bad}
		}
	}()
	w := bufio.NewWriter(out)
	refused := false
	answer := func(question []byte) error {
		b, ok := transfer.Answer(question, c.Lines)
		refused = refused || !ok
		_, err := fmt.Fprintf(w, "%s\n", b)
		return err
	}
	if c.Lines {
		err = in.each(answer)
	} else {
		var question []byte
		if question, err = in.whole(); err == nil {
			err = answer(question)
		}
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return exit{exitUnchecked, err}
	}
	if refused {
		return exit{exitBroken, nil}
	}
	return nil
}
