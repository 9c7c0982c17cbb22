package match

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// The sealed section is AES-256-GCM in chunks under a key of its own: HKDF of the node's secret with the file's salt. The
// nonce is the chunk's number, and whether it is the last, so that chunks cannot change places and none can be missing.
const sealedChunk = 1 << 20

func sealing(s *secret, salt []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(derive(s.master, salt, "pilin match snapshot subjects", 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

func nonce(chunk uint64, last bool) []byte {
	n := make([]byte, 12)
	if last {
		n[0] = 1
	}
	binary.BigEndian.PutUint64(n[4:], chunk)
	return n
}

type sealer struct {
	w     io.Writer
	aead  cipher.AEAD
	plain []byte
	chunk uint64
	out   []byte
}

func newSealer(w io.Writer, s *secret, salt []byte) (*sealer, error) {
	a, err := sealing(s, salt)
	if err != nil {
		return nil, err
	}
	return &sealer{w: w, aead: a, plain: make([]byte, 0, sealedChunk)}, nil
}

func (s *sealer) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if len(s.plain) == sealedChunk {
			if err := s.seal(false); err != nil {
				return 0, err
			}
		}
		k := min(len(b), sealedChunk-len(s.plain))
		s.plain, b = append(s.plain, b[:k]...), b[k:]
	}
	return n, nil
}

func (s *sealer) seal(last bool) error {
	s.out = s.aead.Seal(s.out[:0], nonce(s.chunk, last), s.plain, nil)
	s.chunk++
	s.plain = s.plain[:0]
	return all(s.w, s.out)
}

// Close seals what is left, which may be nothing.
func (s *sealer) Close() error { return s.seal(true) }

// opener reads what a sealer wrote.
type opener struct {
	sealed []byte
	aead   cipher.AEAD
	chunk  uint64
	buf    []byte
	plain  []byte
	last   bool
}

func newOpener(sealed []byte, s *secret, salt []byte) (*bufio.Reader, error) {
	a, err := sealing(s, salt)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(&opener{sealed: sealed, aead: a}, 1<<16), nil
}

var errSealed = errors.New("damaged: what is sealed cannot be opened")

func (o *opener) Read(b []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.last {
			return 0, io.EOF
		}
		n := min(len(o.sealed), sealedChunk+o.aead.Overhead())
		o.last = n == len(o.sealed)
		var err error
		if o.buf, err = o.aead.Open(o.buf[:0], nonce(o.chunk, o.last), o.sealed[:n], nil); err != nil {
			return 0, errSealed
		}
		o.plain, o.sealed = o.buf, o.sealed[n:]
		o.chunk++
	}
	n := copy(b, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// subjects writes everything that a person could be known by.
func (t *state) subjects(w *bufio.Writer) error {
	out := fields{w: w}
	out.number(len(t.store.streams))
	for _, s := range t.store.streams {
		out.text(s)
	}
	out.number(len(t.gone))
	for p, seq := range t.gone {
		out.number(int(p.stream))
		out.bytes(p.subject[:])
		out.number(int(seq))
	}
	for _, column := range [][]uint32{t.counts.surname, t.counts.given, t.counts.sound, t.counts.years[:], t.counts.borne} {
		used := 0
		for _, n := range column {
			if n != 0 {
				used++
			}
		}
		out.number(used)
		for i, n := range column {
			if n != 0 {
				out.number(i)
				out.number(int(n))
			}
		}
	}
	for _, f := range []float64{t.counts.names, t.counts.chars, t.counts.births} {
		out.number(int(math.Float64bits(f)))
	}
	for i, b := range t.store.blocks {
		t.block(&out, i, b)
	}
	return errors.Join(out.err, w.Flush())
}

func (t *state) block(out *fields, i int, b *block) {
	here := min(blockSize, t.store.n-i*blockSize)
	var at [blockSize]int // the length of each subject + 1; 0 if it is gone
	whole := t.open
	if i+1 < len(t.store.blocks) || here == blockSize {
		whole = nil
	}
	size := 0
	packed := func(k int) string {
		if whole != nil {
			return whole[k]
		}
		return b.text[b.begins[k]:b.begins[k+1]]
	}
	for k := range here {
		if t.alive(uint32(i*blockSize + k)) {
			at[k] = len(packed(k)) + 1
			size += at[k] - 1
		}
	}
	for k := range here {
		out.number(at[k])
	}
	marks, aliases := t.marks(b)
	for k := range here {
		if at[k] == 0 {
			continue
		}
		second := aliases[uint16(k)]
		if marks[k].gone() { // since the state was taken
			var x scratch
			x.unpack(packed(k), wantAll)
			marks[k], second = x.markOf()
		}
		out.number(int(marks[k]))
		if marks[k].two() {
			out.number(int(second))
		}
	}
	out.number(size)
	for k := range here {
		if at[k] > 0 {
			out.text0(packed(k))
		}
	}
}

// subjectsFrom reads what subjects wrote, n numbers of them, into an empty engine.
func (e *Engine) subjectsFrom(r *bufio.Reader, n int) error {
	in := fields{r: r}
	for range in.count() {
		e.store.stream(in.said())
	}
	for range in.count() {
		p := where{stream: uint32(in.count())}
		in.fill(p.subject[:])
		e.gone[p] = uint64(in.count())
	}
	for _, column := range [][]uint32{e.counts.surname, e.counts.given, e.counts.sound, e.counts.years[:], e.counts.borne} {
		for range in.count() {
			i, k := in.count(), in.count()
			if i >= 0 && i < len(column) {
				column[i] = uint32(k)
			}
		}
	}
	for _, f := range []*float64{&e.counts.names, &e.counts.chars, &e.counts.births} {
		*f = math.Float64frombits(uint64(in.count()))
	}
	for from := 0; from < n && in.err == nil; from += blockSize {
		e.store.block(&in, min(blockSize, n-from))
	}
	if in.err != nil {
		return in.err
	}
	e.at.resize(1 << bitsFor(e.store.live*3/2))
	for id := range uint32(n) {
		if !e.store.alive(id) {
			continue
		}
		u := unpacker{e.store.packed(id)}
		stream, subject, _, shelf := u.head()
		e.store.blocks[id>>blockBits].stand(id%blockSize, shelf)
		e.shelved[shelf]++
		p := where{stream, subject}
		h := e.secret.place(p)
		slot, _, _ := e.at.find(h, p, &e.store)
		e.at.set(slot, h, id)
	}
	return nil
}

func (t *store) block(in *fields, here int) {
	b := &block{}
	var lengths [blockSize]int
	for k := range here {
		if lengths[k] = in.count(); lengths[k] == 1 { // there, and empty: never written
			in.fail(errSealed)
		}
		if lengths[k] > 0 {
			b.alive[k/64] |= 1 << (k % 64)
			t.live++
		}
		b.begins[k+1] = b.begins[k] + uint32(max(lengths[k]-1, 0))
	}
	for k := here; k < blockSize; k++ {
		b.begins[k+1] = b.begins[k]
	}
	for k := range here {
		b.marks[k] = markGone
		if lengths[k] > 0 {
			if b.marks[k] = mark(in.count()); b.marks[k].two() {
				b.alias(uint32(k), mark(in.count()))
			}
		}
	}
	b.text = in.said()
	if len(b.text) != int(b.begins[here]) {
		in.fail(errSealed)
		return
	}
	if here < blockSize { // goes on to be filled
		b.open = make([]string, here, blockSize)
		for k := range here {
			b.open[k] = b.text[b.begins[k]:b.begins[k+1]]
		}
		b.text = ""
	}
	t.blocks = append(t.blocks, b)
	t.n += here
}
