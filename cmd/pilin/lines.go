package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxLine bounds one line of a JSONL file, and a whole document, in bytes; honest ones are a thousand times smaller.
const maxLine = 64 << 20

// input is a file of JSON: lines, or one document. An error says where it was, never what stood there.
type input struct {
	name string
	r    *bufio.Reader
	n    int // lines read
	most int // bytes of a line or of the whole
	done func() error
}

// openInput opens a file, .gz by name, or standard input for "-".
func openInput(name string) (*input, error) {
	if name == "-" {
		return &input{name: "standard input", most: maxLine, r: bufio.NewReader(os.Stdin), done: func() error { return nil }}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	in := &input{name: name, most: maxLine, r: bufio.NewReader(f), done: f.Close}
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(in.r)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
		}
		in.r = bufio.NewReader(z)
	}
	return in, nil
}

// each hands over the lines without empty ones; the bytes are good until it returns.
func (in *input) each(do func([]byte) error) error {
	for {
		line, err := in.line()
		if line = bytes.TrimSpace(line); len(line) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			if bad := do(line); bad != nil {
				return fmt.Errorf("%s line %d: %w", in.name, in.n, bad)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// whole returns everything.
func (in *input) whole() ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(in.r, int64(in.most)+1))
	if err == nil && len(all) > in.most {
		err = errTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.name, err)
	}
	return all, nil
}

var errTooLong = fmt.Errorf("longer than %d MiB", maxLine>>20)

// line reads one line. The last one comes with io.EOF.
func (in *input) line() ([]byte, error) {
	in.n++
	var all []byte
	for {
		part, err := in.r.ReadSlice('\n')
		all = append(all, part...)
		switch {
		case len(all) > in.most:
			return nil, fmt.Errorf("%s line %d: %w", in.name, in.n, errTooLong)
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF):
			return all, err
		default:
			return nil, fmt.Errorf("%s line %d: %w", in.name, in.n, err)
		}
	}
}

// eachLine hands over the lines of a file.
func eachLine(name string, do func([]byte) error) (err error) {
	in, err := openInput(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.done()) }()
	return in.each(do)
}
