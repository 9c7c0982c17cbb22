package federation

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/pilinhub/pilin/record"
)

// ReadDraft reads a charter version that is still passed round for signatures, unsigned included, for a person who reads
// before signing. signers are the members whose line verifies under a key that the draft itself gives them, in the order of
// the draft: a line that says nothing about the text is not shown as a signature. Whether the draft may follow the charter,
// and whether those keys are the members' own, is not decided here: Directory.Add does. ErrMalformed if it is no charter.
func ReadDraft(b []byte) (c *Charter, signers []record.MemberID, err error) {
	s, err := readNote(b)
	if err != nil {
		if len(b) > maxNote {
			return nil, nil, fmt.Errorf("read charter draft: %w", err)
		}
		s = signed{text: string(b), hash: sha256.Sum256(b)}
	}
	if c, err = parseCharterText(s); err != nil {
		return nil, nil, fmt.Errorf("read charter draft: %w", err)
	}
	for _, m := range c.Members {
		var keys []ed25519.PublicKey
		for _, k := range m.Sign {
			keys = append(keys, k.Key)
		}
		if s.by(charterName(m.Code), keys...) {
			signers = append(signers, m.Code)
		}
	}
	return c, signers, nil
}
