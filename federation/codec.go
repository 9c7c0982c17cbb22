package federation

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

// Hash is a SHA-256 value: of a charter version's text, of an agreement's text, of a certificate's public key.
type Hash [32]byte

// String returns 64 lower-case hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads 64 lower-case hex digits.
func ParseHash(s string) (Hash, error) {
	f, err := record.ParseFederationID(s)
	return Hash(f), err
}

// ErrMalformed: bytes of a peer or a file are not what the format says. Nothing of them is in the error where they may
// hold a person's data.
var ErrMalformed = errors.New("malformed")

// maxNumber bounds sequences, versions and counters: they survive an increment and fit an int64.
const maxNumber = 1 << 62

var decimalForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)

func parseNumber(s string) (uint64, error) {
	if !decimalForm.MatchString(s) {
		return 0, errors.New("want a decimal number without leading zero")
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n >= maxNumber {
		return 0, errors.New("number out of range")
	}
	return n, nil
}

// parseBase64 reads canonical standard base64.
func parseBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || base64.StdEncoding.EncodeToString(b) != s {
		return nil, errors.New("want canonical base64")
	}
	return b, nil
}

func parsePublic(s string) (ed25519.PublicKey, error) {
	b, err := parseBase64(s)
	if err != nil || !record.ValidPublicKey(b) {
		return nil, errors.New("want an Ed25519 public key")
	}
	return b, nil
}

func parseKEM(s string) (k KEMKey, err error) {
	b, err := parseBase64(s)
	if err != nil || len(b) != len(k) {
		return k, errors.New("want an X25519 public key")
	}
	return KEMKey(b), nil
}

// parseFederation reads a federation id; the empty text stands for the one that version 1 cannot know.
func parseFederation(s string) (record.FederationID, error) {
	if s == "" {
		return record.FederationID{}, nil
	}
	return record.ParseFederationID(s)
}

func federationText(f record.FederationID) string {
	if f == (record.FederationID{}) {
		return ""
	}
	return f.String()
}

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func writeText[T any](write func(T) string) *json.Marshalers {
	return json.MarshalToFunc(func(e *jsontext.Encoder, v T) error { return e.WriteToken(jsontext.String(write(v))) })
}

func readText[T any](read func(string) (T, error)) *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *T) error {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		if t.Kind() != '"' {
			return errors.New("want a string")
		}
		*v, err = read(t.String())
		return err
	})
}

// How each Go type of this package's documents is written (log.md §1): ids and hashes as hex, keys as base64, numbers
// that may pass 2^53 as decimal strings.
var (
	writers = json.WithMarshalers(json.JoinMarshalers(
		writeText(record.Bits128.String), writeText(Hash.String), writeText(federationText), writeText(record.Level.String),
		writeText(func(n uint64) string { return strconv.FormatUint(n, 10) }),
		writeText(func(k ed25519.PublicKey) string { return base64Text(k) }), writeText(base64Text),
		writeText(func(k KEMKey) string { return base64Text(k[:]) })))
	readers = json.WithUnmarshalers(json.JoinUnmarshalers(
		readText(record.ParseBits128), readText(ParseHash), readText(parseFederation), readText(record.ParseLevel),
		readText(parseNumber), readText(parsePublic), readText(parseBase64), readText(parseKEM)))
)

// encodeLine writes a document as one line with its newline: the text of a note.
func encodeLine(v any) (string, error) {
	b, err := json.Marshal(v, writers)
	if err != nil {
		return "", err
	}
	return string(b) + "\n", nil
}

// decodeJSON reads one I-JSON document; duplicate, case-variant and invalid text is refused by the library.
func decodeJSON(b []byte, v any, opts ...json.Options) error {
	return json.Unmarshal(b, v, append([]json.Options{readers}, opts...)...)
}

// decodeLine reads the text of a note: exactly one line, no unknown member.
func decodeLine(text string, v any) error {
	line, ok := strings.CutSuffix(text, "\n")
	if !ok || strings.ContainsAny(line, "\n\r") {
		return fmt.Errorf("%w: want one line", ErrMalformed)
	}
	if err := decodeJSON([]byte(line), v, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// validDay reports whether s is a civil date.
func validDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
