package match

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var testSecret = WithSecret([]byte("a secret of synthetic tests only"))

// written makes an engine with all that a snapshot holds and its snapshot.
func written(t testing.TB, n int) (*Engine, []Entry, string) {
	t.Helper()
	registry := devRegistry(23, n)
	e := NewEngine(testSecret)
	e.Load(registry[:n/2])
	for i := range registry[n/2:] {
		e.Put(registry[n/2+i])
	}
	for i := 0; i < n; i += 5 {
		e.Delete(registry[i].Ref, 7)
	}
	path := filepath.Join(t.TempDir(), "match.index")
	if err := e.WriteSnapshot(path, []byte("position 42"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	return e, registry, path
}

func brief(a Answer) (out string) {
	for _, c := range a.Candidates {
		out += fmt.Sprintf("\n%x %s %.1f", c.Ref.Subject[14:], c.Ref.Stream, c.Score)
	}
	return fmt.Sprint(out, "\n", a.Namesakes, a.Same, a.Truncated)
}

func sameAnswers(t *testing.T, a, b *Engine, qs []Question) {
	t.Helper()
	for _, q := range qs {
		if x, y := a.Ask(q), b.Ask(q); !reflect.DeepEqual(x, y) {
			t.Fatalf("answers differ: %d candidates %s, %d candidates %s", len(x.Candidates), brief(x), len(y.Candidates), brief(y))
		}
	}
}

// TestSnapshot: an engine that is opened answers as the one that wrote, takes further changes, and knows what is gone.
func TestSnapshot(t *testing.T) {
	e, registry, path := written(t, 2*blockSize+300)
	back, position, err := OpenSnapshot(path, testSecret)
	if err != nil || string(position) != "position 42" || back.Len() != e.Len() {
		t.Fatalf("%v, position %q", err, position)
	}
	qs := devQuestions(registry, 31, 12)
	sameAnswers(t, e, back, qs)
	for i := 0; i < len(registry); i += 10 { // half of the deleted ones: an older record that comes late
		en := registry[i]
		en.Seq = 7
		back.Put(en)
	}
	if back.Len() != e.Len() {
		t.Fatal("a deleted subject came back by an older record")
	}
	for _, x := range []*Engine{e, back} {
		for i := range registry {
			en := registry[i]
			en.Seq = uint64(5 + i%5) // some are newer than their deletion, all than their first record
			x.Put(en)
		}
	}
	sameAnswers(t, e, back, qs)
	again := filepath.Join(t.TempDir(), "second.index")
	if err := back.WriteSnapshot(again, nil, rand.Reader); err != nil { // from a mapped base
		t.Fatal(err)
	}
	third, _, err := OpenSnapshot(again, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	sameAnswers(t, e, third, qs)
}

func TestSnapshotEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "match.index")
	if err := NewEngine(testSecret).WriteSnapshot(path, nil, rand.Reader); err != nil {
		t.Fatal(err)
	}
	e, _, err := OpenSnapshot(path, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	e.Put(Entry{Ref: Ref{Stream: "310116-01/records", Subject: [16]byte{1}}, Name: "王测试"})
	if a := e.Ask(Question{Name: "王测试"}); len(a.Candidates) != 1 {
		t.Error("the one subject is not found")
	}
}

// TestSnapshotSealed: nothing that a person is known by stands in the file as it is.
func TestSnapshotSealed(t *testing.T) {
	_, registry, path := written(t, 600)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range registry {
		en := &registry[i]
		for _, v := range append([]string{en.Name, en.Birth, "样例镇", "310116"}, append(en.IDs, en.Phones...)...) {
			if v != "" && bytes.Contains(b, []byte(v)) {
				t.Fatal("a value stands in clear")
			}
		}
	}
}

// TestSnapshotRefused: what cannot be trusted is refused with an error that says to build anew.
func TestSnapshotRefused(t *testing.T) {
	_, _, path := written(t, 600)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(about string, b []byte, options ...Option) {
		t.Helper()
		p := filepath.Join(t.TempDir(), "other.index")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if options == nil {
			options = []Option{testSecret}
		}
		var se *SnapshotError
		if _, _, err := OpenSnapshot(p, options...); !errors.As(err, &se) || se.Reason == "" {
			t.Errorf("%s: %v", about, err)
		}
	}
	for i := 0; i < len(whole); i += max(1, len(whole)/100) {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		refused("flipped", flipped)
		refused("truncated", whole[:i])
	}
	refused("longer", append(bytes.Clone(whole), 0))
	refused("torn in the middle", append(bytes.Clone(whole[:len(whole)/3]), make([]byte, len(whole)-len(whole)/3)...))
	refused("another secret", whole, WithSecret([]byte("another secret of synthetic tests")))
	if _, _, err := OpenSnapshot(filepath.Join(t.TempDir(), "none"), testSecret); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, _, err := OpenSnapshot(path); !errors.Is(err, ErrNoSecret) {
		t.Error(err)
	}
	if err := NewEngine().WriteSnapshot(path, nil, rand.Reader); !errors.Is(err, ErrNoSecret) {
		t.Error(err)
	}
}

// TestSnapshotVersion: an authentic file of another engine or another format is refused.
func TestSnapshotVersion(t *testing.T) {
	s := secretOf([]byte("a secret of synthetic tests only"))
	frame := func(body []byte) []byte {
		b := append([]byte(snapshotBegin), body...)
		b = append(b, s.authenticate(body)...)
		return append(append(b, byte(len(body)), 0, 0, 0), snapshotEnd...)
	}
	good := packer{snapshotFormat}
	good.text("match-v0")
	for _, body := range [][]byte{good, {snapshotFormat + 1}} {
		if a, reason := readAbout(frame(body), &s); a != nil || reason == "" || reason == "damaged, or of another secret" {
			t.Errorf("%v: %q", body, reason)
		}
	}
}

// FuzzSnapshot: whatever is done to a file, it is refused or it is the whole one.
func FuzzSnapshot(f *testing.F) {
	_, _, path := written(f, 60)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{1}, uint32(0))
	f.Add(uint32(len(whole)-1), []byte("x"), uint32(9))
	f.Fuzz(func(t *testing.T, at uint32, over []byte, cut uint32) {
		b := bytes.Clone(whole)
		copy(b[int(at)%len(b):], over)
		b = b[:len(b)-int(cut)%len(b)]
		e := NewEngine(testSecret)
		if _, reason := e.open(b); (reason == "") != bytes.Equal(b, whole) {
			t.Fatalf("%q", reason)
		}
	})
}
