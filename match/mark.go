package match

import "github.com/pilinhub/pilin/match/normal"

// mark is what a subject is looked at by before it is read: whether it is there at all, its birth year, and its name where
// this is one of three Chinese characters at most with a surname of one, written as it is folded, and the only one.
type mark uint64

const (
	markGone   mark = 1 << 63
	markSimple mark = 1 << 62

	markChars    = 3
	markCharBits = 15
	markYear     = 3 * markCharBits // eight bits above the characters
	markLength   = markYear + 8     // two bits

	firstIdeograph = 0x4e00
)

// markOf makes the mark of a subject that is there.
func (s *subject) markOf() mark {
	m := mark(yearColumn(s.birth)) << markYear
	if len(s.names) != 1 || s.main != 1 {
		return m
	}
	n := &s.names[0]
	if n.Form != normal.Han || n.Surname != 1 || len(n.Chars) > markChars || len(n.Hint) > 0 || len(n.Written) != len(n.Chars) {
		return m
	}
	simple := m | markSimple | mark(len(n.Chars))<<markLength
	for i, c := range n.Chars {
		if n.Written[i] != c || c < firstIdeograph || c >= firstIdeograph+1<<markCharBits {
			return m
		}
		simple |= mark(c-firstIdeograph) << (i * markCharBits)
	}
	return simple
}

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
