package httpapi

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pilinhub/pilin/schemas"
)

// Problem is an error answer (RFC 9457). Code is stable; programs branch on it and on nothing else.
type Problem struct {
	Type      string       `json:"type" doc:"urn:pilin:problem: and the code"`
	Title     string       `json:"title" doc:"The code's sentence in Chinese"`
	Status    int          `json:"status" doc:"HTTP status"`
	Code      string       `json:"code" doc:"Stable code"`
	Detail    string       `json:"detail" doc:"What to do, in Chinese"`
	DetailEn  string       `json:"detail_en" doc:"What to do, in English"`
	Errors    []FieldError `json:"errors,omitempty" doc:"What is wrong at single places of the body"`
	RequestID string       `json:"request_id" doc:"Names this request in the node's log"`
	Ours      string       `json:"ours,omitempty" doc:"With clock_skew: the answering node's time. With stale_charter: its charter version and hash"`
	Theirs    string       `json:"theirs,omitempty" doc:"With clock_skew: the time of the token"`

	retryAfter time.Duration
}

// FieldError is what is wrong at one place of the body.
type FieldError struct {
	Pointer  string `json:"pointer" doc:"RFC 6901 pointer into the body"`
	Code     string `json:"code" doc:"Stable code"`
	Detail   string `json:"detail" doc:"In Chinese"`
	DetailEn string `json:"detail_en" doc:"In English"`
}

// problem makes the answer of a code.
func problem(code string) *Problem {
	w := wordOf(code)
	return &Problem{Type: "urn:pilin:problem:" + code, Title: w.zh, Status: w.status, Code: code, Detail: w.zh, DetailEn: w.en}
}

// violations makes the answer for fields that are wrong: 400 if the bytes were no acceptable JSON at all, else 422.
func violations(vs []schemas.Violation) *Problem {
	p := problem("invalid")
	for _, v := range vs {
		if v.Malformed() {
			p = problem("malformed")
			break
		}
	}
	for _, v := range vs {
		p.add(v)
	}
	return p
}

func (p *Problem) add(v schemas.Violation) {
	zh, en := fieldTexts(v.Code)
	p.Errors = append(p.Errors, FieldError{safePointer(v.Pointer), v.Code, zh, en})
}

// fieldTexts gives the words of a field's code: the catalogue's, or the border's own.
func fieldTexts(code string) (zh, en string) {
	if w, ok := codes[code]; ok {
		return w.zh, w.en
	}
	if g, ok := guardTexts[code]; ok {
		return g[0], g[1]
	}
	return schemas.Texts(code)
}

// Error returns the code: a problem in a log line says no more.
func (p *Problem) Error() string { return "problem " + p.Code }

// GetStatus is what huma asks for.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is what huma asks for.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders is what huma asks for.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((p.retryAfter+time.Second-1)/time.Second), 10))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// problemOf finds the problem in an error chain.
func problemOf(err error) (*Problem, bool) {
	var p *Problem
	ok := errors.As(err, &p)
	return p, ok
}

// safePointer cuts a pointer before the first name that may not be repeated: a field name that a client made up can be
// somebody's name or number.
func safePointer(at string) string {
	for i, seg := range strings.Split(at, "/") {
		if i > 0 && !plausible(seg) {
			return strings.Join(strings.Split(at, "/")[:i], "/")
		}
	}
	return at
}

// pointer turns huma's location ("body.items[3].tags") into an RFC 6901 pointer.
func pointer(location string) string {
	location = strings.TrimPrefix(strings.TrimPrefix(location, "body"), ".")
	var b strings.Builder
	for _, seg := range strings.FieldsFunc(location, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		b.WriteString("/" + seg)
	}
	return b.String()
}

// plausible reports whether a name from outside may be repeated in an answer: short, lower-case ASCII, no five digits in
// a row.
func plausible(name string) bool {
	run := 0
	for _, r := range name {
		switch {
		case r >= '0' && r <= '9':
			run++
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == '-':
			run = 0
		default:
			return false
		}
		if run > 4 {
			return false
		}
	}
	return len(name) > 0 && len(name) <= 40
}
