package match

// hash is the FNV-1a of what a key is made of, mixed at its end so that every bit may choose a bucket. Keys are internal
// to a node's index and never leave it.
type hash uint64

// keyKind keeps keys of different meaning apart.
type keyKind uint8

const (
	byName          keyKind = iota + 1 // folded characters
	byNameLess                         // these less one
	byBag                              // sorted characters
	bySound                            // toneless syllables
	byFuzzy                            // fuzzy syllables
	byFuzzyLess                        // these less one
	byCoarse                           // transcriptions, and these less one
	byCantonese                        // Jyutping
	byWords                            // a name in letters
	byCharYear                         // one character and birth year
	byFuzzyLessYear                    // fuzzy syllables less one, and birth year
	bySoundYear
	byCharCounty
	byCharPlace
	byNumber     // resident number
	byHead6Tail4 // area and last four
	byBirthTail4
	byHead6Seq // area and sequence: the last one masked
	byHead6Tail2
	byHeadTail // first four and last four
	byTail6
	byTail4
	byHead14
	byPhone
	byPhone3And4 // first three and last four
	byPhone4
	byPhone7
	byPhone8
	byPhoneHead7
	byPlate
	byPlateSkeleton
	byPlateBare
	byPlace     // an area's name, county and numbers
	byPlaceBare // without county
	byPlacePart // two characters of the area, and numbers
	byPlaceSound
	byPlaceLast // area and last number alone
	byDocument  // another document or code, equal only
	byOrg
	byOrgSound
	byOrgPart
	byDay // birth date alone
	byConsonants
	byConsonantsLess
)

func start(k keyKind) hash { return hash(14695981039346656037).add(uint64(k)) }

func (h hash) add(x uint64) hash {
	h ^= hash(x)
	h *= 1099511628211
	return h ^ h>>29
}

func (h hash) str(s string) hash {
	for i := range len(s) {
		h = h.add(uint64(s[i]))
	}
	return h.add(256)
}

func (h hash) runes(rs []rune) hash {
	for _, r := range rs {
		h = h.add(uint64(r))
	}
	return h
}

func (h hash) sum() uint64 {
	x := uint64(h)
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func keyOf(k keyKind, parts ...string) uint64 {
	h := start(k)
	for _, p := range parts {
		h = h.str(p)
	}
	return h.sum()
}
