package httpapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/schemas"
)

// maxInteger is the largest whole number that every JSON reader keeps exact.
const maxInteger = 1<<53 - 1

// checkJSON refuses a body that is not one I-JSON document within the limits of reliability-security.md §4 before
// anything decodes it. It returns nil, or where and why; never what stood there.
func checkJSON(b []byte) *schemas.Violation {
	c := jsonCheck{dec: jsontext.NewDecoder(bytes.NewReader(b))}
	for first := true; first || c.dec.StackDepth() > 0; first = false {
		if v := c.token(); v != nil {
			return v
		}
	}
	if _, err := c.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &schemas.Violation{Code: "json_invalid"}
	}
	return nil
}

type jsonCheck struct {
	dec     *jsontext.Decoder
	members int
}

func (c *jsonCheck) token() *schemas.Violation {
	inside, n := c.dec.StackIndex(c.dec.StackDepth())
	t, err := c.dec.ReadToken()
	if err != nil {
		code := "json_invalid"
		if errors.Is(err, jsontext.ErrDuplicateName) {
			code = "json_duplicate"
		}
		return c.at(code)
	}
	switch t.Kind() {
	case '{', '[':
		if c.dec.StackDepth() > schemas.MaxDepth {
			return c.at("json_depth")
		}
	case '"':
		if code := text(t.String()); code != "" {
			return c.at(code)
		}
	case '0':
		if !integer(t.String()) {
			return c.at("json_number")
		}
	}
	// The members of an object are counted by their names, those of an array one by one.
	if k := t.Kind(); k != '}' && k != ']' && (inside == '[' || inside == '{' && n%2 == 0) {
		c.members++
	}
	if c.members > schemas.MaxMembers {
		return c.at("json_members")
	}
	return nil
}

func (c *jsonCheck) at(code string) *schemas.Violation {
	return &schemas.Violation{Pointer: string(c.dec.StackPointer()), Code: code}
}

// text refuses control characters but tab and line ends, noncharacters, and what is too long.
func text(s string) string {
	if len(s) > schemas.MaxString {
		return "json_string"
	}
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
		case r < 0x20, r >= 0x7F && r <= 0x9F, r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
			return "json_control"
		}
	}
	return ""
}

// integer accepts whole numbers within 2^53−1 without fraction, exponent or minus zero: ids are strings, amounts fen.
func integer(s string) bool {
	if len(s) > 17 || s == "-0" || strings.ContainsAny(s, ".eE") {
		return false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n >= -maxInteger && n <= maxInteger
}
