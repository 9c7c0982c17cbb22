package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err) // constants of this package
	}
	return b
}

// CharterRef names a charter version by number and text hash; each checkpoint says which one its signer held.
type CharterRef struct {
	Version uint64
	Hash    [32]byte
}

// Checkpoint says that a stream had this root at this size.
type Checkpoint struct {
	Federation FederationID
	Stream     StreamID
	Size       uint64
	Root       tlog.Hash
	Charter    CharterRef
	Text       string // the signed text as it was read; SignCheckpoint ignores it
}

// Origin returns a stream's checkpoint origin line, which is also its key name.
func Origin(fed FederationID, s StreamID) string { return "pilin/" + fed.String() + "/" + string(s) }

// EmptyRoot returns the root of the tree without leaves, SHA-256 of nothing.
func EmptyRoot() tlog.Hash { return sha256.Sum256(nil) }

const (
	maxTextLines = 32  // of a checkpoint; later releases may add extension lines
	maxLine      = 512 // bytes
)

// text returns the four lines of log.md §4.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\ncharter %d %x\n", Origin(c.Federation, c.Stream), c.Size,
		base64.StdEncoding.EncodeToString(c.Root[:]), c.Charter.Version, c.Charter.Hash)
}

// SignCheckpoint returns c as a note signed under its origin.
func SignCheckpoint(sg *Signer, c Checkpoint) ([]byte, error) {
	text := c.text()
	if _, err := parseCheckpointText(text); err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return sg.Note(Origin(c.Federation, c.Stream), text)
}

// ParseCheckpoint reads a checkpoint note without verifying any signature.
func ParseCheckpoint(b []byte) (Checkpoint, error) {
	if len(b) > maxNote {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w", ErrTooLarge)
	}
	text, ok := noteText(b)
	if !ok {
		return Checkpoint{}, errors.New("parse checkpoint: not a signed note")
	}
	c, err := parseCheckpointText(text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w", err)
	}
	return c, nil
}

// VerifyCheckpoint reads a checkpoint that pub signed under the origin that it names.
func VerifyCheckpoint(b []byte, pub ed25519.PublicKey) (Checkpoint, error) {
	c, err := ParseCheckpoint(b)
	if err != nil {
		return Checkpoint{}, err
	}
	text, err := VerifyNote(b, Origin(c.Federation, c.Stream), pub)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("verify checkpoint: %w", err)
	}
	if text != c.Text {
		return Checkpoint{}, errors.New("verify checkpoint: text read in two ways") // the two readers cut notes alike
	}
	return c, nil
}

func parseCheckpointText(text string) (Checkpoint, error) {
	c := Checkpoint{Text: text}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if !strings.HasSuffix(text, "\n") || len(lines) < 4 || len(lines) > maxTextLines {
		return c, fmt.Errorf("want 4 to %d lines", maxTextLines)
	}
	for _, l := range lines {
		if l == "" || len(l) > maxLine {
			return c, errors.New("line empty or too long")
		}
	}
	var err error
	if c.Federation, c.Stream, err = parseOrigin(lines[0]); err != nil {
		return c, err
	}
	if c.Size, err = parseNumber(lines[1]); err != nil {
		return c, fmt.Errorf("size: %w", err)
	}
	root, err := parseBase64(lines[2], len(c.Root))
	if err != nil {
		return c, fmt.Errorf("root: %w", err)
	}
	c.Root = tlog.Hash(root)
	if c.Size == 0 && c.Root != EmptyRoot() {
		return c, errors.New("root: not that of the empty tree")
	}
	c.Charter, err = parseCharterLine(lines[3])
	return c, err
}

// parseOrigin reads "pilin/<federation>/<member>/<stream name>".
func parseOrigin(s string) (fed FederationID, stream StreamID, err error) {
	rest, ok := strings.CutPrefix(s, "pilin/")
	id, name, ok2 := strings.Cut(rest, "/")
	if fed, err = ParseFederationID(id); !ok || !ok2 || err != nil || !StreamID(name).Valid() {
		return fed, stream, errors.New("origin: ill-formed")
	}
	return fed, StreamID(name), nil
}

func parseCharterLine(s string) (CharterRef, error) {
	var c CharterRef
	f := strings.Split(s, " ")
	if len(f) != 3 || f[0] != "charter" {
		return c, errors.New("charter line missing")
	}
	var err error
	if c.Version, err = parseNumber(f[1]); err != nil || c.Version == 0 {
		return c, fmt.Errorf("charter version: %w", errNumber)
	}
	if c.Hash, err = parseHash(f[2]); err != nil {
		return c, fmt.Errorf("charter hash: %w", err)
	}
	return c, nil
}

// parseBase64 reads canonical standard base64 of n bytes.
func parseBase64(s string, n int) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != n || base64.StdEncoding.EncodeToString(b) != s {
		return nil, fmt.Errorf("want base64 of %d bytes", n)
	}
	return b, nil
}
