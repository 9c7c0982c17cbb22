package record

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxEvidenceLeaves bounds what evidence carries, as the leaves route does (wire.md §3).
const MaxEvidenceLeaves = 100_000

// maxEvidence bounds evidence in bytes: leaves as quoted hex and two notes.
const maxEvidence = MaxEvidenceLeaves*67 + 4*maxNote

// Evidence proves to anyone with the charter that a member signed two trees of one stream that do not fit (log.md §7).
type Evidence struct {
	A, B   []byte      // checkpoint notes
	Leaves []tlog.Hash // of the larger tree; may be empty when the sizes are equal
}

type evidenceWire struct {
	V      jsontext.Value `json:"v"`
	A      *string        `json:"a"`
	B      *string        `json:"b"`
	Leaves *[]string      `json:"leaves"`
}

// Encode returns the JSON of log.md §7.
func (e Evidence) Encode() ([]byte, error) {
	if len(e.A) > maxNote || len(e.B) > maxNote || len(e.Leaves) > MaxEvidenceLeaves {
		return nil, fmt.Errorf("encode evidence: %w", ErrTooLarge)
	}
	b, err := jsontext.AppendQuote([]byte(`{"v":1,"a":`), e.A)
	if err == nil {
		b, err = jsontext.AppendQuote(append(b, `,"b":`...), e.B)
	}
	if err != nil {
		return nil, fmt.Errorf("encode evidence: %w", err)
	}
	b = append(b, `,"leaves":[`...)
	for i, l := range e.Leaves {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, l[:])
		b = append(b, '"')
	}
	return append(b, `]}`...), nil
}

// DecodeEvidence reads evidence; Verify says whether it proves anything.
func DecodeEvidence(b []byte) (Evidence, error) {
	if len(b) > maxEvidence {
		return Evidence{}, fmt.Errorf("decode evidence: %w", ErrTooLarge)
	}
	var w evidenceWire
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil {
		return Evidence{}, fmt.Errorf("decode evidence: %w", err)
	}
	if string(w.V) != "1" || w.A == nil || w.B == nil || w.Leaves == nil {
		return Evidence{}, errors.New("decode evidence: v, a, b or leaves missing")
	}
	if len(*w.Leaves) > MaxEvidenceLeaves {
		return Evidence{}, fmt.Errorf("decode evidence: %w", ErrTooLarge)
	}
	e := Evidence{A: []byte(*w.A), B: []byte(*w.B)}
	for i, s := range *w.Leaves {
		h, err := parseHash(s)
		if err != nil {
			return Evidence{}, fmt.Errorf("decode evidence: leaves[%d]: %w", i, err)
		}
		e.Leaves = append(e.Leaves, h)
	}
	return e, nil
}

// errNoFork: the evidence is well-formed and proves nothing.
var errNoFork = errors.New("no fork: the checkpoints fit or the leaves do not show that they do not")

// Verify returns nil if the evidence proves a fork. key gives the key in force at a sequence of a stream.
func (e Evidence) Verify(key func(StreamID, uint64) (ed25519.PublicKey, bool)) error {
	a, err := verifySide(e.A, key)
	if err != nil {
		return fmt.Errorf("evidence a: %w", err)
	}
	b, err := verifySide(e.B, key)
	if err != nil {
		return fmt.Errorf("evidence b: %w", err)
	}
	if a.Federation != b.Federation || a.Stream != b.Stream {
		return fmt.Errorf("evidence of two streams: %w", errNoFork)
	}
	if a.Size == b.Size {
		if a.Root == b.Root || len(e.Leaves) != 0 && uint64(len(e.Leaves)) != a.Size {
			return errNoFork
		}
		return nil
	}
	small, large := a, b
	if small.Size > large.Size {
		small, large = large, small
	}
	if uint64(len(e.Leaves)) != large.Size || leafTree(e.Leaves).Root() != large.Root {
		return fmt.Errorf("leaves do not give the larger root: %w", errNoFork)
	}
	if leafTree(e.Leaves[:small.Size]).Root() == small.Root {
		return errNoFork
	}
	return nil
}

func verifySide(note []byte, key func(StreamID, uint64) (ed25519.PublicKey, bool)) (Checkpoint, error) {
	c, err := ParseCheckpoint(note)
	if err != nil {
		return c, err
	}
	pub, ok := key(c.Stream, lastSeq(c.Size))
	if !ok {
		return c, errors.New("no key in force at this size")
	}
	return VerifyCheckpoint(note, pub)
}
