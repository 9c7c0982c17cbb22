package record

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/go-json-experiment/json"
)

// maxDepth is how deep JSON of a peer may nest; what we write nests three deep, the rest is room for later members.
const maxDepth = 32

// maxNumber bounds sequences, sizes and versions: they are counted in int64 by the tree and must survive an increment.
const maxNumber = 1 << 62

var (
	errNoObject   = errors.New("not a JSON object")
	errNotASCII   = errors.New("byte outside printable ASCII")
	errWhiteSpace = errors.New("white space outside a string")
	errDepth      = fmt.Errorf("nested deeper than %d", maxDepth)
	errNumber     = errors.New("want a decimal number without leading zero")
)

// plainJSON checks what the JSON library does not: an object, size, printable ASCII, no white space between tokens, depth.
func plainJSON(b []byte, limit int) error {
	if len(b) > limit {
		return fmt.Errorf("%d bytes, limit %d: %w", len(b), limit, ErrTooLarge)
	}
	if len(b) == 0 || b[0] != '{' {
		return errNoObject
	}
	depth, inString, escaped := 0, false, false
	for _, c := range b {
		switch {
		case c < 0x20 || c > 0x7e:
			return errNotASCII
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == ' ':
			return errWhiteSpace
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return errDepth
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// readJSON decodes plain I-JSON: duplicate and case-variant names, invalid UTF-8, lone surrogates and trailing bytes are
// refused by the library, the rest by plainJSON. Options may refuse unknown members.
func readJSON(b []byte, limit int, into any, opts ...json.Options) error {
	if err := plainJSON(b, limit); err != nil {
		return err
	}
	return json.Unmarshal(b, into, opts...)
}

var decimalForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)

// parseNumber reads a canonical decimal below maxNumber.
func parseNumber(s string) (uint64, error) {
	if !decimalForm.MatchString(s) {
		return 0, errNumber
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n >= maxNumber {
		return 0, errNumber
	}
	return n, nil
}
