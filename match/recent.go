package match

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
)

// delta is the mutable part: postings in the order they came, chained by the key's upper bits. It holds no pointers but
// its three arrays.
type delta struct {
	width uint
	heads []uint32 // posting number + 1
	next  []uint32
	rest  []filed
}

const deltaWidth = topBits // heads of an empty delta; they double with its postings

func (d *delta) add(key uint64, id uint32) {
	if len(d.rest) >= 2*len(d.heads) {
		d.widen()
	}
	h := &d.heads[key>>(64-d.width)]
	d.next = append(d.next, *h)
	d.rest = append(d.rest, fileUnder(key, id))
	*h = uint32(len(d.rest))
}

func (d *delta) widen() {
	if d.heads == nil {
		d.width, d.heads = deltaWidth, make([]uint32, 1<<deltaWidth)
		return
	}
	old, width := d.heads, d.width
	d.width++
	d.heads = make([]uint32, 2*len(old))
	for b, h := range old { // a chain splits in two; which comes first inside one does not matter
		for h != 0 {
			i, next := h-1, d.next[h-1]
			to := &d.heads[b<<1|int(uint64(d.rest[i])<<(width-topBits)>>63)]
			d.next[i], *to = *to, h
			h = next
		}
	}
}

// head is where the chain of a key begins.
func (d *delta) head(key uint64) uint32 {
	if d.heads == nil {
		return 0
	}
	return d.heads[key>>(64-d.width)]
}

// find lists who stands under key in the chain that begins at h.
func (d *delta) find(h uint32, key uint64, out []uint32) []uint32 {
	want := uint64(fileUnder(key, 0)) >> 32
	for ; h != 0; h = d.next[h-1] {
		if x := d.rest[h-1]; uint64(x)>>32 == want {
			out = append(out, uint32(x))
		}
	}
	return out
}

// full is a key as far as an index knows it, and a subject under it.
type full struct {
	key uint64 // 42 bits
	id  uint32
}

// all calls yield for every posting in the order of keys, subjects ascending.
func (d *delta) all(yield func(full) bool) {
	var few []full
	for b := range d.heads {
		few = few[:0]
		for h := d.heads[b]; h != 0; h = d.next[h-1] {
			x := d.rest[h-1]
			few = append(few, full{uint64(b)>>(d.width-topBits)<<restBits | uint64(x)>>32, uint32(x)})
		}
		slices.SortFunc(few, func(a, b full) int {
			if a.key != b.key {
				return compare(a.key, b.key)
			}
			return compare(uint64(a.id), uint64(b.id))
		})
		for _, x := range few {
			if !yield(x) {
				return
			}
		}
	}
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// recent is the immutable set of postings of what came lately: a sixteenth of the base at most, so it may spend eight
// bytes on each and forget no bit of a key.
type recent struct {
	width   uint
	buckets []uint32
	posts   []filed
}

// bucket is where the key's bucket stands.
func (r *recent) bucket(key uint64) span {
	if len(r.posts) == 0 {
		return span{}
	}
	b := key >> (64 - r.width)
	return span{int(r.buckets[b]), int(r.buckets[b+1])}
}

// find lists who stands under key in its bucket.
func (r *recent) find(in span, key uint64, out []uint32) []uint32 {
	want := fileUnder(key, 0)
	posts := r.posts[in.lo:in.hi]
	i := 0
	if len(posts) > 32 {
		i, _ = slices.BinarySearch(posts, want)
	}
	for ; i < len(posts) && posts[i] < want; i++ {
	}
	for ; i < len(posts) && posts[i]>>32 == want>>32; i++ {
		out = append(out, uint32(posts[i]))
	}
	return out
}

// all calls yield for the postings of buckets from..to-1, in the order of keys.
func (r *recent) all(yield func(full) bool) {
	for b := range max(len(r.buckets), 1) - 1 {
		for _, x := range r.posts[r.buckets[b]:r.buckets[b+1]] {
			if !yield(full{uint64(b)>>(r.width-topBits)<<restBits | uint64(x)>>32, uint32(x)}) {
				return
			}
		}
	}
}

// with makes a new recent of r and what d knows beside it, without the subjects that are gone.
func (r *recent) with(d *delta, alive func(uint32) bool) *recent {
	n := len(r.posts) + len(d.rest)
	out := &recent{width: max(topBits, uint(bits.Len(uint(n/8)))), posts: make([]filed, 0, n)}
	out.buckets = make([]uint32, 1<<out.width+1)
	add := func(x full) {
		if alive(x.id) {
			out.buckets[x.key>>(topBits+restBits-out.width)+1]++
			out.posts = append(out.posts, filed(x.key<<32|uint64(x.id)))
		}
	}
	b, at := 0, 0 // where r is read
	older := func() (full, bool) {
		if at < len(r.posts) {
			for int(r.buckets[b+1]) <= at {
				b++
			}
			x := r.posts[at]
			return full{uint64(b)>>(r.width-topBits)<<restBits | uint64(x)>>32, uint32(x)}, true
		}
		return full{}, false
	}
	for x := range d.all {
		for o, ok := older(); ok && (o.key < x.key || o.key == x.key && o.id < x.id); o, ok = older() {
			add(o)
			at++
		}
		add(x)
	}
	for o, ok := older(); ok; o, ok = older() {
		add(o)
		at++
	}
	for i := 1; i < len(out.buckets); i++ {
		out.buckets[i] += out.buckets[i-1]
	}
	return out
}

// with makes a new segment of s and r, without the subjects that are gone. Buckets keep their width.
func (s *segment) with(r *recent, alive func(uint32) bool) *segment {
	out := &segment{width: s.width}
	n := 1 << s.width
	half := [workers + 1]int{}
	for w := range half {
		half[w] = n * w / workers
	}
	var sizes [workers]uint32
	side := func(do func(w int)) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() { do(w) })
		}
		wg.Wait()
	}
	side(func(w int) {
		lately := r.reader(s.width, half[w])
		for b := half[w]; b < half[w+1]; b++ {
			for i := s.start(uint64(b)); i < s.start(uint64(b)+1); i++ {
				if alive(s.id(int(i))) {
					sizes[w]++
				}
			}
			for x, ok := lately.in(b); ok; x, ok = lately.in(b) {
				if alive(uint32(x)) {
					sizes[w]++
				}
			}
		}
	})
	total := 0
	var begins [workers]int
	for w := range sizes {
		begins[w] = total
		total += int(sizes[w])
	}
	out.room(total)
	binary.LittleEndian.PutUint32(out.buckets[4*n:], uint32(total))
	side(func(w int) {
		lately, at := r.reader(s.width, half[w]), begins[w]
		var few []filed
		for b := half[w]; b < half[w+1]; b++ {
			binary.LittleEndian.PutUint32(out.buckets[4*b:], uint32(at))
			few = few[:0]
			for i := int(s.start(uint64(b))); i < int(s.start(uint64(b)+1)); i++ {
				if id := s.id(i); alive(id) {
					few = append(few, filed(s.checkAt(i))<<32|filed(id))
				}
			}
			old := len(few)
			for x, ok := lately.in(b); ok; x, ok = lately.in(b) {
				if alive(uint32(x)) {
					few = append(few, x)
				}
			}
			if len(few) > old {
				order(few)
			}
			for _, x := range few {
				binary.LittleEndian.PutUint16(out.checks[2*at:], uint16(x>>32))
				binary.LittleEndian.PutUint32(out.ids[4*at:], uint32(x))
				at++
			}
		}
	})
	return out
}

// reader reads recent in the order of a segment's buckets.
type reader struct {
	r     *recent
	width uint // of the segment
	b, at int  // of recent
}

func (r *recent) reader(width uint, from int) *reader {
	x := &reader{r: r, width: width}
	if len(r.posts) == 0 {
		return x
	}
	first := uint64(from) << (topBits + restBits - width) // the least key of the bucket
	x.b = int(first >> (topBits + restBits - r.width))
	x.at = int(r.buckets[x.b])
	for y, ok := x.peek(); ok && y.key < first; y, ok = x.peek() {
		x.at++
	}
	return x
}

func (x *reader) peek() (full, bool) {
	if x.at >= len(x.r.posts) {
		return full{}, false
	}
	for int(x.r.buckets[x.b+1]) <= x.at {
		x.b++
	}
	p := x.r.posts[x.at]
	return full{uint64(x.b)>>(x.r.width-topBits)<<restBits | uint64(p)>>32, uint32(p)}, true
}

// in returns the next posting of the segment's bucket b, with the check that it has there; false if there is none.
func (x *reader) in(b int) (filed, bool) {
	p, ok := x.peek()
	if !ok || p.key>>(topBits+restBits-x.width) != uint64(b) {
		return 0, false
	}
	x.at++
	return filed(uint64(uint16(p.key>>(topBits+restBits-x.width-checkBits)))<<32 | uint64(p.id)), true
}
