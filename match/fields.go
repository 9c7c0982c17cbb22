package match

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/bits"
)

// fields writes or reads numbers and texts one after the other and remembers the first error.
type fields struct {
	w   *bufio.Writer
	r   *bufio.Reader
	buf [binary.MaxVarintLen64]byte
	err error
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) bytes(b []byte) {
	_, err := f.w.Write(b)
	f.fail(err)
}

func (f *fields) number(n int) { f.bytes(binary.AppendUvarint(f.buf[:0], uint64(n))) }

func (f *fields) text(s string) {
	f.number(len(s))
	f.text0(s)
}

// text0 writes s without its length.
func (f *fields) text0(s string) {
	_, err := f.w.WriteString(s)
	f.fail(err)
}

// count reads a number; 0 after an error.
func (f *fields) count() int {
	if f.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(f.r)
	if err != nil {
		f.fail(err)
		return 0
	}
	return int(n)
}

func (f *fields) fill(b []byte) {
	if f.err != nil {
		return
	}
	_, err := io.ReadFull(f.r, b)
	f.fail(err)
}

func (f *fields) said() string {
	n := f.count()
	if n < 0 || n > 1<<30 {
		f.fail(errSealed)
		return ""
	}
	b := make([]byte, n)
	f.fill(b)
	return string(b)
}

// bitsFor is how many bits number n things.
func bitsFor(n int) int { return bits.Len(uint(max(n, 1) - 1)) }
