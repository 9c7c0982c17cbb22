package match

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"slices"
	"sync"
)

// A key is filed by its upper 42 bits: ten choose the part, 32 are the rest. What an index knows of a key is never more.
const (
	topBits  = 10
	parts    = 1 << topBits
	restBits = 32
)

func partOf(key uint64) int { return int(key >> (64 - topBits)) }

// filed is one key of one subject inside a part: the rest of the key above the subject's number.
type filed uint64

func fileUnder(key uint64, id uint32) filed {
	return filed(uint64(uint32(key>>(64-topBits-restBits)))<<32 | uint64(id))
}

// segment is an immutable set of postings: buckets by the key's upper bits, in each 16 more bits of the key (the check)
// beside the subject. A check lets a few strangers through; every candidate is compared in full anyway. The arrays are
// bytes, little endian, so that a snapshot's may be the mapped file itself.
type segment struct {
	width   uint   // the bucket is so many of the key's upper bits
	buckets []byte // uint32: where each bucket begins; one more at the end
	checks  []byte // uint16: sorted inside a bucket
	ids     []byte // uint32: ascending under equal checks
}

const (
	checkBits  = 16
	bucketMean = 12 // checks of a mean bucket lie in one cache line
	bucketMost = 32 // above so many on average the index is built anew with more buckets
)

// widthFor gives the bits of buckets for n postings.
func widthFor(n int) uint {
	return min(max(topBits, uint(bits.Len(uint(n/bucketMean)))), topBits+restBits-checkBits)
}

// room makes the arrays for n postings. Large ones lie outside the heap of the language: they hold no pointers, are never
// changed, and would let the heap grow to twice their size before it is collected.
func (s *segment) room(n int) {
	var all []byte
	var free func()
	b := 4 * (1<<s.width + 1)
	if size := b + 6*n; size >= 1<<22 {
		all, free = outside(size)
	}
	if all == nil {
		all = make([]byte, b+6*n)
	} else {
		runtime.AddCleanup(s, func(free func()) { free() }, free)
	}
	s.buckets, s.ids, s.checks = all[:b:b], all[b:b+4*n:b+4*n], all[b+4*n:]
}

func (s *segment) len() int { return len(s.ids) / 4 }

func (s *segment) start(b uint64) uint32 { return binary.LittleEndian.Uint32(s.buckets[b*4:]) }

func (s *segment) bucket(key uint64) uint64 { return key >> (64 - s.width) }

func (s *segment) check(key uint64) uint16 { return uint16(key >> (64 - s.width - checkBits)) }

func (s *segment) checkAt(i int) uint16 { return binary.LittleEndian.Uint16(s.checks[i*2:]) }

func (s *segment) id(i int) uint32 { return binary.LittleEndian.Uint32(s.ids[i*4:]) }

// within narrows the bucket lo..hi to what stands under the check.
func (s *segment) within(lo, hi int, c uint16) (int, int) {
	for hi-lo > 64 { // a crowded key fills its bucket: look for its begin by halves
		m := int(uint(lo+hi) / 2)
		switch x := s.checkAt(m); {
		case x < c:
			lo = m + 1
		case x > c:
			hi = m
		default:
			return s.around(lo, m, hi, c)
		}
	}
	for lo < hi && s.checkAt(lo) < c {
		lo++
	}
	end := lo
	for end < hi && s.checkAt(end) == c {
		end++
	}
	return lo, end
}

// around finds the ends of c between lo and hi, of which m is one.
func (s *segment) around(lo, m, hi int, c uint16) (int, int) {
	a, b := lo, m
	for a < b {
		if h := int(uint(a+b) / 2); s.checkAt(h) < c {
			a = h + 1
		} else {
			b = h
		}
	}
	x, y := m+1, hi
	for x < y {
		if h := int(uint(x+y) / 2); s.checkAt(h) == c {
			x = h + 1
		} else {
			y = h
		}
	}
	return a, x
}

// filing collects postings by part until a segment is made of them.
type filing struct {
	chunks [parts][][]filed
	n      int
}

const chunkMost = 8192

func (f *filing) add(key uint64, id uint32) {
	p := &f.chunks[partOf(key)]
	last := len(*p) - 1
	if last < 0 || len((*p)[last]) == cap((*p)[last]) {
		size := 16
		if last >= 0 {
			size = min(4*cap((*p)[last]), chunkMost)
		}
		*p = append(*p, make([]filed, 0, size))
		last++
	}
	(*p)[last] = append((*p)[last], fileUnder(key, id))
	f.n++
}

// segment sorts what was collected, part by part and by counting, and forgets it as it goes. alive says which subjects
// still count.
func (f *filing) segment(alive func(uint32) bool) *segment {
	s := &segment{width: widthFor(f.n)}
	var from [parts + 1]uint32
	eachPart(func(p int) {
		n := uint32(0)
		for _, c := range f.chunks[p] {
			for _, x := range c {
				if alive(uint32(x)) {
					n++
				}
			}
		}
		from[p+1] = n
	})
	for p := range parts {
		from[p+1] += from[p]
	}
	total := int(from[parts])
	s.room(total)
	eachPart(func(p int) {
		f.sort(s, p, int(from[p]), int(from[p+1]), alive)
		f.chunks[p] = nil
	})
	binary.LittleEndian.PutUint32(s.buckets[len(s.buckets)-4:], uint32(total))
	return s
}

func (f *filing) sort(s *segment, p, from, to int, alive func(uint32) bool) {
	local := s.width - topBits
	at := make([]uint32, 1<<local+1)
	bucket := func(x filed) uint64 { return uint64(x) >> (64 - local) }
	for _, c := range f.chunks[p] {
		for _, x := range c {
			if alive(uint32(x)) {
				at[bucket(x)+1]++
			}
		}
	}
	for i := 1; i < len(at); i++ {
		at[i] += at[i-1]
	}
	for b := range 1 << local {
		binary.LittleEndian.PutUint32(s.buckets[4*(p<<local+b):], uint32(from)+at[b])
	}
	sorted := make([]filed, to-from)
	for _, c := range f.chunks[p] {
		for _, x := range c {
			if !alive(uint32(x)) {
				continue
			}
			b := bucket(x)
			sorted[at[b]] = filed(uint64(x)<<local>>(64-checkBits)<<32 | uint64(uint32(x)))
			at[b]++
		}
	}
	begin := uint32(0) // at has moved every bucket's begin to its end
	for b := range 1 << local {
		order(sorted[begin:at[b]])
		begin = at[b]
	}
	for i, x := range sorted {
		binary.LittleEndian.PutUint16(s.checks[2*(from+i):], uint16(x>>32))
		binary.LittleEndian.PutUint32(s.ids[4*(from+i):], uint32(x))
	}
}

// order sorts the few postings of a bucket.
func order(x []filed) {
	if len(x) > 40 {
		slices.Sort(x)
		return
	}
	for i := 1; i < len(x); i++ {
		v := x[i]
		j := i
		for j > 0 && x[j-1] > v {
			x[j] = x[j-1]
			j--
		}
		x[j] = v
	}
}

// eachPart runs do for every part, two at once.
func eachPart(do func(p int)) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for p := w; p < parts; p += workers {
				do(p)
			}
		})
	}
	wg.Wait()
}

// workers is how many goroutines build side by side.
const workers = 2
