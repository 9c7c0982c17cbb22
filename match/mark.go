package match

import "github.com/pilinhub/pilin/match/normal"

// mark is what a subject is looked at by before it is read: whether it is there at all, its birth year, and its name where
// this is one of three Chinese characters at most with a surname of one, written as it is folded, and the only one or with one alias that is
// so too.
type mark uint64

const (
	markGone   mark = 1 << 63
	markSimple mark = 1 << 62
	markTwo    mark = 1 << 61

	markChars    = 3
	markCharBits = 15
	markYear     = 3 * markCharBits // eight bits above the characters
	markLength   = markYear + 8     // two bits

	firstIdeograph = 0x4e00
)

// markOf makes the mark of a subject that is there, and the one of its alias where it has just one and both are simple.
func (s *subject) markOf() (m, second mark) {
	m = mark(yearColumn(s.birth)) << markYear
	if len(s.names) == 0 || len(s.names) > 2 || s.main != 1 || s.birth != "" && m == 0 {
		return m, 0
	}
	first := simpleName(&s.names[0])
	if first == 0 {
		return m, 0
	}
	if len(s.names) == 2 {
		if second = simpleName(&s.names[1]); second == 0 {
			return m, 0
		}
		first |= markTwo
	}
	return m | first, second
}

// simpleName is a name in a mark; 0 if it does not go in.
func simpleName(n *normal.Name) mark {
	if n.Form != normal.Han || n.Surname != 1 || len(n.Chars) > markChars || len(n.Hint) > 0 || len(n.Written) != len(n.Chars) {
		return 0
	}
	m := markSimple | mark(len(n.Chars))<<markLength
	for i, c := range n.Chars {
		if n.Written[i] != c || c < firstIdeograph || c >= firstIdeograph+1<<markCharBits {
			return 0
		}
		m |= mark(c-firstIdeograph) << (i * markCharBits)
	}
	return m
}

// two says that there is an alias, simple too: see store.second.
func (m mark) two() bool { return m&markTwo != 0 }

func (m mark) gone() bool { return m&markGone != 0 }

func (m mark) simple() bool { return m&markSimple != 0 }

func (m mark) year() uint8 { return uint8(m >> markYear) }

// chars gives the characters of a simple name and how many they are.
func (m mark) chars(to *[markChars]rune) int {
	for i := range to {
		to[i] = firstIdeograph + rune(m>>(i*markCharBits)&(1<<markCharBits-1))
	}
	return int(m >> markLength & 3)
}
