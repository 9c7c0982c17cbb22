package match

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// A block holds so many subjects, in the order of their numbers.
const (
	blockBits = 12
	blockSize = 1 << blockBits
)

// block is some thousand subjects: columns of what is looked at before a subject is read, and their packed form. While it
// fills, each subject is a text of its own; a full one is sealed into one.
type block struct {
	alive  [blockSize / 64]uint64
	marks  [blockSize]mark
	second map[uint16]mark // of aliases
	shelf  []uint32        // nil while all are 0
	begins [blockSize + 1]uint32
	text   string
	open   []string // nil once sealed
}

// store keeps subjects by number. Numbers grow; those of subjects that are gone stay empty until the index is built anew.
type store struct {
	blocks  []*block
	streams []string
	number  map[string]uint32 // of a stream
	n       int               // numbers given
	live    int
}

func (t *store) stream(name string) uint32 {
	if i, ok := t.number[name]; ok {
		return i
	}
	if t.number == nil {
		t.number = map[string]uint32{}
	}
	i := uint32(len(t.streams))
	name = strings.Clone(name)
	t.streams, t.number[name] = append(t.streams, name), i
	return i
}

func (t *store) append(packed string, m, second mark, shelf uint32) uint32 {
	id := uint32(t.n)
	at := id % blockSize
	if at == 0 {
		t.blocks = append(t.blocks, &block{})
	}
	b := t.blocks[id>>blockBits]
	b.open = append(b.open, packed)
	b.marks[at] = m
	if m.two() {
		b.alias(at, second)
	}
	b.stand(at, shelf)
	b.alive[at/64] |= 1 << (at % 64)
	t.n++
	t.live++
	if at == blockSize-1 {
		b.seal()
	}
	return id
}

// seal joins the subjects of a full block, those that are gone left out.
func (b *block) seal() {
	size := 0
	for _, p := range b.open {
		size += len(p)
	}
	all := make([]byte, 0, size)
	for i, p := range b.open {
		b.begins[i] = uint32(len(all))
		if b.isAlive(uint32(i)) {
			all = append(all, p...)
		}
	}
	for i := len(b.open); i <= blockSize; i++ {
		b.begins[i] = uint32(len(all))
	}
	b.text, b.open = string(all), nil
}

// weeded is the block with the texts left of those that are alive; nil if too few are gone. The columns are not in it.
func (b *block) weeded(alive func(uint32) bool) *block {
	dead := 0
	for at := range uint32(blockSize) {
		if b.begins[at+1] > b.begins[at] && !alive(at) {
			dead++
		}
	}
	if dead < blockSize/8 {
		return nil
	}
	out := &block{}
	all := make([]byte, 0, len(b.text))
	for at := range uint32(blockSize) {
		out.begins[at] = uint32(len(all))
		if alive(at) {
			all = append(all, b.text[b.begins[at]:b.begins[at+1]]...)
		}
	}
	out.begins[blockSize] = uint32(len(all))
	out.text = string(all)
	return out
}

func (b *block) isAlive(at uint32) bool { return b.alive[at/64]>>(at%64)&1 != 0 }

func (b *block) packed(at uint32) string {
	if b.open != nil {
		return b.open[at]
	}
	return b.text[b.begins[at]:b.begins[at+1]]
}

func (t *store) alive(id uint32) bool { return t.blocks[id>>blockBits].isAlive(id % blockSize) }

func (t *store) mark(id uint32) mark { return t.blocks[id>>blockBits].marks[id%blockSize] }

// second is the mark of a subject's alias.
func (t *store) second(id uint32) mark { return t.blocks[id>>blockBits].second[uint16(id%blockSize)] }

// stand puts a subject on a shelf.
func (b *block) stand(at, shelf uint32) {
	if shelf != 0 && b.shelf == nil {
		b.shelf = make([]uint32, blockSize)
	}
	if b.shelf != nil {
		b.shelf[at] = shelf
	}
}

// shelf is where a subject stands for those who may see it.
func (t *store) shelf(id uint32) uint32 {
	if s := t.blocks[id>>blockBits].shelf; s != nil {
		return s[id%blockSize]
	}
	return 0
}

func (b *block) alias(at uint32, m mark) {
	if b.second == nil {
		b.second = map[uint16]mark{}
	}
	b.second[uint16(at)] = m
}

func (t *store) packed(id uint32) string { return t.blocks[id>>blockBits].packed(id % blockSize) }

func (t *store) drop(id uint32) {
	at := id % blockSize
	b := t.blocks[id>>blockBits]
	b.alive[at/64] &^= 1 << (at % 64)
	b.marks[at] = markGone
	t.live--
}

// read fills x with subject id.
func (t *store) read(id uint32, want wanted, x *scratch) *subject {
	x.ref.Stream = t.streams[x.unpack(t.packed(id), want)]
	return &x.subject
}

// ref is where subject id stands.
func (t *store) ref(id uint32) Ref {
	u := unpacker{t.packed(id)}
	stream, subject, _, _ := u.head()
	return Ref{t.streams[stream], subject}
}

// where is a Ref whose stream is a number.
type where struct {
	stream  uint32
	subject [16]byte
}

// refs finds the number of a subject by where it stands: open addressing, eight bytes a slot, the reference itself is in
// the store. Only writers look here.
type refs struct {
	slots []uint64 // upper half of the hash above the number + 1; 0 empty
	used  int
}

func (s *secret) place(p where) uint64 {
	return s.file(s.file(binary.LittleEndian.Uint64(p.subject[:])^uint64(p.stream)<<32) ^ binary.LittleEndian.Uint64(p.subject[8:]))
}

// find returns the slot of p, or the empty one where it belongs. The slot holds until the next find.
func (r *refs) find(h uint64, p where, t *store) (slot int, id uint32, ok bool) {
	if 4*(r.used+1) > 3*len(r.slots) {
		r.resize(max(64, 2*len(r.slots)))
	}
	mask := len(r.slots) - 1
	for i := home(h, len(r.slots)); ; i = (i + 1) & mask {
		x := r.slots[i]
		if x == 0 {
			return i, 0, false
		}
		if x>>32 == h>>32 {
			u := unpacker{t.packed(uint32(x) - 1)}
			if stream, id, _, _ := u.head(); stream == p.stream && id == p.subject {
				return i, uint32(x) - 1, true
			}
		}
	}
}

// set makes id the number of whom find found in slot.
func (r *refs) set(slot int, h uint64, id uint32) {
	if r.slots[slot] == 0 {
		r.used++
	}
	r.slots[slot] = h>>32<<32 | uint64(id+1)
}

func (r *refs) resize(n int) {
	old := r.slots
	r.slots = make([]uint64, n)
	for _, x := range old {
		if x != 0 {
			i := home(x, n)
			for r.slots[i] != 0 {
				i = (i + 1) & (n - 1)
			}
			r.slots[i] = x
		}
	}
}

// home is where the search for a hash begins: its upper bits, as a slot keeps no others.
func home(h uint64, n int) int { return int(h >> (64 - uint(bits.Len(uint(n-1))))) }

// remove empties a slot and moves those up that were pushed behind it.
func (r *refs) remove(slot int) {
	mask := len(r.slots) - 1
	r.slots[slot] = 0
	r.used--
	for i := (slot + 1) & mask; r.slots[i] != 0; i = (i + 1) & mask {
		x := r.slots[i]
		if want := home(x, len(r.slots)); (i-want)&mask >= (i-slot)&mask {
			r.slots[slot], r.slots[i] = x, 0
			slot = i
		}
	}
}
