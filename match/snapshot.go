package match

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	stdhash "hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// A snapshot is one file:
//
//	"PILINIX1" | sections | body | HMAC-SHA256 of the body | length of the body, uint32 | "PILINEND"
//
// The body says by which engine it was written, which positions of the logs it reflects, and where each section lies, with
// its SHA-256. Postings stand in clear, for they are to be mapped: numbers under keys that say nothing without the
// node's secret. Everything else, subjects, birth years, frequencies and what was deleted, is sealed under a key derived
// from that secret (sealed.go).
const (
	snapshotBegin  = "PILINIX1"
	snapshotEnd    = "PILINEND"
	snapshotFormat = 1
)

// The sections, in their order.
const (
	sectionBuckets = iota
	sectionChecks
	sectionIDs
	sectionRecentBuckets
	sectionRecentPosts
	sectionSealed
	sections
)

// SnapshotError says why a snapshot is not used. Whoever gets it builds the index again from the log.
type SnapshotError struct {
	Path   string
	Reason string
}

func (e *SnapshotError) Error() string { return "snapshot " + e.Path + ": " + e.Reason }

// ErrNoSecret: snapshots need WithSecret.
var ErrNoSecret = errors.New("match: a snapshot needs a secret")

// section is where a part of the file lies.
type section struct {
	from, length uint64
	sum          [sha256.Size]byte
}

// about is the body of a snapshot.
type about struct {
	version  string
	position []byte
	salt     []byte
	width    uint // of the base; 0 if there is none
	recent   uint // width of the recent part
	n, live  int
	at       [sections]section
}

// WriteSnapshot writes the whole index to path: into a file beside it first, which takes its place once it is on disk.
// position is the caller's and comes back from OpenSnapshot: how far in the logs the index was. Changes wait only while
// the state is taken; whatever comes in during the writing is not in it. What was deleted is not in it either, but that it
// was. random gives the salt of the sealing key.
func (e *Engine) WriteSnapshot(path string, position []byte, random io.Reader) error {
	if e.secret.master == nil {
		return ErrNoSecret
	}
	salt := make([]byte, 16)
	if _, err := io.ReadFull(random, salt); err != nil {
		return err
	}
	t := e.state()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already once it was renamed
	err = t.write(f, slices.Clone(position), salt)
	runtime.KeepAlive(t.base) // its postings may be a mapping
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// state is what a snapshot holds: parts that do not change any more, and copies of those that do.
type state struct {
	e      *Engine
	secret secret
	base   *segment
	recent *recent
	store  store
	alive  func(uint32) bool
	open   []string // subjects of the last block
	counts counts
	gone   map[where]uint64
}

func (e *Engine) state() *state {
	e.writer.Lock()
	defer e.writer.Unlock()
	for e.settle(); e.store.n > e.first; e.settle() {
		e.merge()
	}
	t := &state{e: e, secret: e.secret, base: e.base, recent: e.recent, store: e.store, alive: e.living(), counts: e.counts, gone: maps.Clone(e.gone)}
	t.store.blocks, t.store.streams = slices.Clone(e.store.blocks), slices.Clone(e.store.streams)
	if n := len(t.store.blocks); n > 0 {
		t.open = slices.Clone(t.store.blocks[n-1].open)
	}
	t.counts.surname, t.counts.given, t.counts.sound, t.counts.borne = slices.Clone(e.counts.surname), slices.Clone(e.counts.given), slices.Clone(e.counts.sound), slices.Clone(e.counts.borne)
	return t
}

// marks copies the marks of a block, which changes go on changing.
func (t *state) marks(b *block) ([blockSize]mark, map[uint16]mark) {
	t.e.mu.RLock()
	defer t.e.mu.RUnlock()
	return b.marks, maps.Clone(b.second)
}

// summed counts and sums what passes.
type summed struct {
	w   io.Writer
	n   uint64
	sum stdhash.Hash
}

func (s *summed) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.n += uint64(n)
	_, _ = s.sum.Write(b[:n])
	return n, err
}

func (t *state) write(f io.Writer, position, salt []byte) error {
	w := bufio.NewWriterSize(f, 1<<20)
	a := about{version: EngineVersion, position: position, salt: salt, width: t.base.width, recent: t.recent.width, n: t.store.n, live: t.store.live}
	if _, err := w.WriteString(snapshotBegin); err != nil {
		return err
	}
	at := uint64(len(snapshotBegin))
	for i, do := range [sections]func(io.Writer) error{
		sectionBuckets:       func(w io.Writer) error { return all(w, t.base.buckets) },
		sectionChecks:        func(w io.Writer) error { return all(w, t.base.checks) },
		sectionIDs:           func(w io.Writer) error { return all(w, t.base.ids) },
		sectionRecentBuckets: func(w io.Writer) error { return binary.Write(w, binary.LittleEndian, t.recent.buckets) },
		sectionRecentPosts:   func(w io.Writer) error { return binary.Write(w, binary.LittleEndian, t.recent.posts) },
		sectionSealed: func(w io.Writer) error {
			s, err := newSealer(w, &t.secret, a.salt)
			if err != nil {
				return err
			}
			return errors.Join(t.subjects(bufio.NewWriterSize(s, 1<<16)), s.Close())
		},
	} {
		s := summed{w, 0, sha256.New()}
		if err := do(&s); err != nil {
			return err
		}
		a.at[i] = section{at, s.n, [32]byte(s.sum.Sum(nil))}
		at += s.n
	}
	body := a.pack()
	for _, b := range [][]byte{body, t.secret.authenticate(body), binary.LittleEndian.AppendUint32(nil, uint32(len(body))), []byte(snapshotEnd)} {
		if err := all(w, b); err != nil {
			return err
		}
	}
	return w.Flush()
}

func all(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

func (s *secret) authenticate(b []byte) []byte {
	m := hmac.New(sha256.New, derive(s.master, nil, "pilin match snapshot body", 32))
	_, _ = m.Write(b)
	return m.Sum(nil)
}

func (a *about) pack() []byte {
	p := packer{snapshotFormat}
	p.text(a.version)
	p.text(string(a.position))
	p.text(string(a.salt))
	for _, n := range []int{int(a.width), int(a.recent), a.n, a.live} {
		p.number(n)
	}
	for _, s := range a.at {
		p.number(int(s.from))
		p.number(int(s.length))
		p = append(p, s.sum[:]...)
	}
	return p
}

// readAbout finds and checks the body of a snapshot.
func readAbout(file []byte, s *secret) (*about, string) {
	const tail = sha256.Size + 4 + len(snapshotEnd)
	if len(file) < len(snapshotBegin)+tail || !bytes.HasPrefix(file, []byte(snapshotBegin)) || !bytes.HasSuffix(file, []byte(snapshotEnd)) {
		return nil, "no snapshot, or its end is missing"
	}
	end := len(file) - tail
	n := int(binary.LittleEndian.Uint32(file[end+sha256.Size:]))
	if n > end-len(snapshotBegin) {
		return nil, "damaged: the body is longer than the file"
	}
	body := file[end-n : end]
	if !hmac.Equal(s.authenticate(body), file[end:end+sha256.Size]) {
		return nil, "damaged, or of another secret"
	}
	u := unpacker{string(body)} // authentic: it is as it was written
	if f := u.byte(); f != snapshotFormat {
		return nil, fmt.Sprintf("format %d, this engine reads %d", f, snapshotFormat)
	}
	a := &about{version: u.text()}
	if a.version != EngineVersion {
		return nil, "written by engine " + a.version + ", this is " + EngineVersion
	}
	a.position, a.salt = []byte(u.text()), []byte(u.text())
	a.width, a.recent, a.n, a.live = uint(u.number()), uint(u.number()), u.number(), u.number()
	for i := range a.at {
		a.at[i] = section{uint64(u.number()), uint64(u.number()), [32]byte([]byte(u.cut(sha256.Size)))}
	}
	return a, ""
}
