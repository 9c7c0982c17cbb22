package match

import (
	"math/bits"
	"slices"
)

// segment is an immutable set of postings: buckets of (subject, check) in one array each. A check of 16 bits lets a few
// strangers through; every candidate is compared in full anyway.
type segment struct {
	shift   uint     // the bucket is the key's upper bits
	buckets []uint32 // where each bucket begins; one more at the end
	checks  []uint16 // sorted inside a bucket
	ids     []uint32
}

// posting is one key of one subject.
type posting struct {
	key uint64
	id  uint32
}

func newSegment(all []posting) *segment {
	n := max(1, len(all)/8)
	b := uint(bits.Len(uint(n - 1)))
	s := &segment{shift: 64 - b, buckets: make([]uint32, 1<<b+1), checks: make([]uint16, len(all)), ids: make([]uint32, len(all))}
	for _, p := range all {
		s.buckets[s.bucket(p.key)+1]++
	}
	for i := 1; i < len(s.buckets); i++ {
		s.buckets[i] += s.buckets[i-1]
	}
	filled := slices.Clone(s.buckets)
	packed := make([]uint64, len(all)) // check above subject: sorting a bucket sorts both
	for _, p := range all {
		b := s.bucket(p.key)
		packed[filled[b]] = uint64(uint16(p.key))<<32 | uint64(p.id)
		filled[b]++
	}
	for b := range len(s.buckets) - 1 {
		slices.Sort(packed[s.buckets[b]:s.buckets[b+1]])
	}
	for i, p := range packed {
		s.checks[i], s.ids[i] = uint16(p>>32), uint32(p)
	}
	return s
}

func (s *segment) bucket(key uint64) uint64 {
	if s.shift >= 64 {
		return 0
	}
	return key >> s.shift
}

// find returns the subjects under key, in ascending order.
func (s *segment) find(key uint64) []uint32 {
	b := s.bucket(key)
	lo, hi := s.buckets[b], s.buckets[b+1]
	checks := s.checks[lo:hi]
	c := uint16(key)
	i, ok := slices.BinarySearch(checks, c)
	if !ok {
		return nil
	}
	j := i + 1
	if j < len(checks) && checks[j] == c {
		j, _ = slices.BinarySearchFunc(checks[j:], c, func(x, y uint16) int {
			if x > y {
				return 1
			}
			return -1
		})
		j += i + 1
	}
	return s.ids[int(lo)+i : int(lo)+j]
}
