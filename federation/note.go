package federation

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/pilinhub/pilin/record"
)

// maxNote bounds charter versions, statements, requests and agreements in bytes.
const maxNote = 1 << 20

// signed is a note that is read but not verified: one text, lines of several signers.
type signed struct {
	note  []byte
	text  string
	hash  Hash
	lines []note.Signature
}

// readNote cuts a note without verifying anything.
func readNote(b []byte) (signed, error) { return readNoteOf(b, maxNote) }

func readNoteOf(b []byte, limit int) (signed, error) {
	if len(b) > limit {
		return signed{}, fmt.Errorf("%w: %d bytes, limit %d", ErrMalformed, len(b), limit)
	}
	_, err := note.Open(b, note.VerifierList())
	var u *note.UnverifiedNoteError
	if !errors.As(err, &u) {
		return signed{}, fmt.Errorf("%w: not a signed note", ErrMalformed)
	}
	return signed{note: b, text: u.Note.Text, hash: sha256.Sum256([]byte(u.Note.Text)), lines: u.Note.UnverifiedSigs}, nil
}

// by reports whether one of the keys signed under name. A wrong line beside a good one changes nothing.
func (s signed) by(name string, keys ...ed25519.PublicKey) bool {
	for _, l := range s.lines {
		if l.Name != name {
			continue
		}
		one := writeNote(s.text, []note.Signature{l})
		for _, k := range keys {
			if text, err := record.VerifyNote(one, name, k); err == nil && text == s.text {
				return true
			}
		}
	}
	return false
}

func writeNote(text string, lines []note.Signature) []byte {
	var b strings.Builder
	b.WriteString(text)
	b.WriteString("\n")
	for _, l := range lines {
		b.WriteString("— " + l.Name + " " + l.Base64 + "\n")
	}
	return []byte(b.String())
}

// addLine adds sg's line under name to a text or to a note that others signed before.
func addLine(b []byte, sg *record.Signer, name string) ([]byte, error) {
	s, err := readNote(b)
	if err != nil {
		if s = (signed{text: string(b)}); strings.Count(s.text, "\n") != 1 || !strings.HasSuffix(s.text, "\n") {
			return nil, err
		}
	}
	mine, err := sg.Note(name, s.text)
	if err != nil {
		return nil, err
	}
	if len(s.lines) == 0 {
		return mine, nil
	}
	return mergeNotes(s.note, mine)
}

// mergeNotes joins the signature lines of notes over the same text.
func mergeNotes(notes ...[]byte) ([]byte, error) {
	var out signed
	seen := map[note.Signature]bool{}
	for i, b := range notes {
		s, err := readNote(b)
		if err != nil {
			return nil, err
		}
		if i > 0 && s.text != out.text {
			return nil, errors.New("merge signatures: the texts differ")
		}
		out.text = s.text
		for _, l := range s.lines {
			if !seen[l] {
				seen[l] = true
				out.lines = append(out.lines, l)
			}
		}
	}
	return writeNote(out.text, out.lines), nil
}

func charterName(m record.MemberID) string   { return "pilin/charter/" + string(m) }
func recoveryName(m record.MemberID) string  { return "pilin/recovery/" + string(m) }
func agreementName(m record.MemberID) string { return "pilin/agreement/" + string(m) }
