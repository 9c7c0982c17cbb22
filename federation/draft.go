package federation

import (
	"crypto/sha256"

	"github.com/pilinhub/pilin/record"
)

// ReadDraft reads a charter version that is still passed round for signatures, unsigned included, and says whose lines
// it bears. It verifies nothing: it is for a person who reads before signing.
func ReadDraft(b []byte) (c *Charter, lines []record.MemberID, err error) {
	s, err := readNote(b)
	if err != nil {
		s = signed{text: string(b), hash: sha256.Sum256(b)}
	}
	if c, err = parseCharterText(s); err != nil {
		return nil, nil, err
	}
	for _, m := range c.Members {
		for _, l := range s.lines {
			if l.Name == charterName(m.Code) {
				lines = append(lines, m.Code)
				break
			}
		}
	}
	return c, lines, nil
}
