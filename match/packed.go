package match

import (
	"encoding/binary"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

// A subject is kept as one run of bytes in a text of thousands: no pointer of its own, nothing for the collector to look
// at. Read back, its strings are parts of that text, so that reading allocates nothing:
//
//	stream number, 16 bytes of subject, sequence, shelf
//	sex, birth, county, names and how many are no aliases
//	sections, each behind its length so that it can be passed over: numbers, documents, doubtful ones, phones, plates, places, institutions
//
// Counts and lengths are uvarints.

// parts of a subject that a question may have no use for.
type wanted uint8

const (
	wantIDs wanted = 1 << iota
	wantPapers
	wantPhones
	wantPlates
	wantPlaces
	wantOrgs
	wantAll = 1<<iota - 1
)

// wants is what weighing has to read for a question: evidence of a kind is looked at only where it has that.
func (a *posed) wants() wanted {
	var w wanted
	for _, x := range []struct {
		asked bool
		w     wanted
	}{{a.id.Number != "" || a.id.Part != "", wantIDs}, {len(a.papers)+len(a.doubtful) > 0, wantPapers}, {a.phone.Number != "", wantPhones}, {a.plate.Bare != "", wantPlates},
		{!a.place.IsZero(), wantPlaces}, {a.org.Core != "", wantOrgs}} {
		if x.asked {
			w |= x.w
		}
	}
	return w
}

type packer []byte

func (p *packer) number(n int) { *p = binary.AppendUvarint(*p, uint64(n)) }

func (p *packer) text(s string) {
	p.number(len(s))
	*p = append(*p, s...)
}

// flags packs truths into a byte.
func (p *packer) flags(f ...bool) {
	b := byte(0)
	for i, x := range f {
		if x {
			b |= 1 << i
		}
	}
	*p = append(*p, b)
}

func (p *packer) runes(rs []rune) {
	p.number(len(rs))
	for _, r := range rs {
		p.number(int(r))
	}
}

// section writes what do writes behind its length.
func (p *packer) section(n int, do func(p *packer, i int)) {
	if n == 0 {
		p.number(0)
		return
	}
	var inner packer
	inner.number(n)
	for i := range n {
		do(&inner, i)
	}
	p.text(string(inner))
}

// pack appends s as the subject of a stream with that number.
func (s *subject) pack(p packer, stream uint32) packer {
	p.number(int(stream))
	p = append(p, s.ref.Subject[:]...)
	p = binary.AppendUvarint(p, s.seq)
	p.number(int(s.shelf))
	p = append(p, s.sex)
	p.text(s.birth)
	p.text(s.county)
	p.number(len(s.names))
	p.number(s.main)
	for i := range s.names {
		p.name(&s.names[i])
	}
	p.section(len(s.ids), func(p *packer, i int) {
		d := &s.ids[i]
		own := d.Birth != "" && d.Birth != s.birth
		p.flags(d.Whole, d.Valid, d.Letters, d.Sex&1 != 0, d.Sex&2 != 0, own, d.Birth != "")
		p.text(d.Number)
		p.text(d.Part)
		if own {
			p.text(d.Birth)
		}
	})
	p.section(len(s.papers), func(p *packer, i int) { p.text(s.papers[i]) })
	p.section(len(s.doubtful), func(p *packer, i int) { p.text(s.doubtful[i]) })
	p.section(len(s.phones), func(p *packer, i int) { p.text(s.phones[i]) })
	p.section(len(s.plates), func(p *packer, i int) {
		l := &s.plates[i]
		tail := strings.HasSuffix(l.Full, l.Bare)
		p.flags(l.Province, tail)
		p.text(l.Full)
		if tail {
			p.number(len(l.Bare))
		} else {
			p.text(l.Bare)
		}
	})
	p.section(len(s.places), func(p *packer, i int) {
		a := &s.places[i]
		same := a.County == s.county
		p.flags(same, a.Town != "", a.Group != "", a.Lane != "", a.No != "", a.Block != "", a.Unit != "", a.Room != "")
		if !same {
			p.text(a.County)
		}
		for _, x := range []string{a.Town, a.Group, a.Lane, a.No, a.Block, a.Unit, a.Room} {
			if x != "" {
				p.text(x)
			}
		}
		p.number(len(a.Areas))
		for _, x := range a.Areas {
			p.text(x)
		}
	})
	p.section(len(s.orgs), func(p *packer, i int) {
		p.text(s.orgs[i].County)
		p.text(s.orgs[i].Core)
		p.text(s.orgs[i].Kind)
	})
	return p
}

func (p *packer) name(n *normal.Name) {
	same := len(n.Written) == len(n.Chars)
	for i := range n.Chars {
		same = same && n.Chars[i] == n.Written[i]
	}
	plain := len(n.Hint) == 0 && len(n.Parts) == 0 && len(n.Words) == 0 && n.Whole == "" && n.Title == ""
	*p = append(*p, byte(n.Form)<<4|byte(min(n.Surname, 15)))
	p.flags(same, plain, n.Open, n.Either)
	if n.Surname >= 15 {
		p.number(n.Surname)
	}
	p.runes(n.Chars)
	if !same {
		p.runes(n.Written)
	}
	if plain {
		return
	}
	p.number(len(n.Hint))
	for _, h := range n.Hint {
		p.number(int(h))
	}
	p.number(len(n.Parts))
	for _, x := range n.Parts {
		p.number(x)
	}
	p.number(len(n.Words))
	for _, w := range n.Words {
		p.text(w)
	}
	p.text(n.Whole)
	p.text(n.Title)
}

// scratch is a subject that is filled again and again, with what its slices point into.
type scratch struct {
	subject
	runes  []rune
	words  []string
	hints  []hanzi.Syllable
	starts []int
}

// unpacker reads a packed subject.
type unpacker struct {
	s string
}

func (u *unpacker) number() int {
	if c := u.s[0]; c < 0x80 {
		u.s = u.s[1:]
		return int(c)
	}
	n, shift := 0, 0
	for i := 0; ; i++ {
		c := u.s[i]
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			u.s = u.s[i+1:]
			return n
		}
		shift += 7
	}
}

func (u *unpacker) cut(n int) string {
	t := u.s[:n]
	u.s = u.s[n:]
	return t
}

func (u *unpacker) text() string { return u.cut(u.number()) }

func (u *unpacker) byte() byte { return u.cut(1)[0] }

// head reads where the subject stands; stream is its number.
func (u *unpacker) head() (stream uint32, id [16]byte, seq uint64, shelf uint32) {
	stream = uint32(u.number())
	copy(id[:], u.cut(16))
	seq = uint64(u.number())
	return stream, id, seq, uint32(u.number())
}

// unpack fills x with a packed subject but for the name of its stream; of the sections it reads what want says.
func (x *scratch) unpack(packed string, want wanted) (stream uint32) {
	u := unpacker{packed}
	s := &x.subject
	x.runes, x.words, x.hints, x.starts = x.runes[:0], x.words[:0], x.hints[:0], x.starts[:0]
	stream, s.ref.Subject, s.seq, s.shelf = u.head()
	s.sex, s.birth, s.county = u.byte(), u.text(), u.text()
	n := u.number()
	s.main = u.number()
	s.names = grown(s.names, n)
	for i := range s.names {
		x.name(&u, &s.names[i])
	}
	section := func(w wanted) (unpacker, int) {
		in := unpacker{u.text()}
		if want&w == 0 || in.s == "" {
			return in, 0
		}
		return in, in.number()
	}
	in, n := section(wantIDs)
	s.ids = grown(s.ids, n)
	for i := range s.ids {
		f, d := in.byte(), &s.ids[i]
		*d = normal.ID{Whole: f&1 != 0, Valid: f&2 != 0, Letters: f&4 != 0, Sex: f >> 3 & 3, Number: in.text(), Part: in.text()}
		switch {
		case f&32 != 0:
			d.Birth = in.text()
		case f&64 != 0:
			d.Birth = s.birth
		}
	}
	in, n = section(wantPapers)
	s.papers = in.texts(s.papers, n)
	in, n = section(wantPapers)
	s.doubtful = in.texts(s.doubtful, n)
	in, n = section(wantPhones)
	s.phones = in.texts(s.phones, n)
	in, n = section(wantPlates)
	s.plates = grown(s.plates, n)
	for i := range s.plates {
		f, l := in.byte(), &s.plates[i]
		l.Province, l.Full = f&1 != 0, in.text()
		if f&2 != 0 {
			l.Bare = l.Full[len(l.Full)-in.number():]
		} else {
			l.Bare = in.text()
		}
	}
	in, n = section(wantPlaces)
	s.places = grown(s.places, n)
	for i := range s.places {
		x.place(&in, &s.places[i])
	}
	in, n = section(wantOrgs)
	s.orgs = grown(s.orgs, n)
	for i := range s.orgs {
		s.orgs[i] = normal.Institution{County: in.text(), Core: in.text(), Kind: in.text()}
	}
	return stream
}

func (u *unpacker) texts(to []string, n int) []string {
	to = grown(to, n)
	for i := range to {
		to[i] = u.text()
	}
	return to
}

func (x *scratch) place(u *unpacker, a *normal.Address) {
	f := u.byte()
	county := x.county
	if f&1 == 0 {
		county = u.text()
	}
	level := func(bit byte) string {
		if f&bit == 0 {
			return ""
		}
		return u.text()
	}
	*a = normal.Address{County: county, Town: level(2), Group: level(4), Lane: level(8), No: level(16), Block: level(32), Unit: level(64), Room: level(128)}
	n, from := u.number(), len(x.words)
	for range n {
		x.words = append(x.words, u.text())
	}
	a.Areas = x.words[from:len(x.words):len(x.words)]
}

func (x *scratch) name(u *unpacker, n *normal.Name) {
	head := u.byte()
	f := u.byte()
	*n = normal.Name{Form: normal.Form(head >> 4), Surname: int(head & 15), Open: f&4 != 0, Either: f&8 != 0}
	if n.Surname == 15 {
		n.Surname = u.number()
	}
	n.Chars = x.letters(u)
	n.Written = n.Chars
	if f&1 == 0 {
		n.Written = x.letters(u)
	}
	if f&2 != 0 {
		return
	}
	k, from := u.number(), len(x.hints)
	for range k {
		x.hints = append(x.hints, hanzi.Syllable(u.number()))
	}
	if k > 0 {
		n.Hint = x.hints[from:len(x.hints):len(x.hints)]
	}
	k, from = u.number(), len(x.starts)
	for range k {
		x.starts = append(x.starts, u.number())
	}
	n.Parts = x.starts[from:len(x.starts):len(x.starts)]
	k, from = u.number(), len(x.words)
	for range k {
		x.words = append(x.words, u.text())
	}
	n.Words = x.words[from:len(x.words):len(x.words)]
	n.Whole, n.Title = u.text(), u.text()
}

func (x *scratch) letters(u *unpacker) []rune {
	k, from := u.number(), len(x.runes)
	for range k {
		x.runes = append(x.runes, rune(u.number()))
	}
	return x.runes[from:len(x.runes):len(x.runes)]
}

// grown gives a slice of n elements, the old one where it is large enough.
func grown[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}
