package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Problem is what a node answers instead of a result (RFC 9457). Programs branch on Code.
type Problem struct {
	Status    int          `json:"status"`
	Code      string       `json:"code"`
	Detail    string       `json:"detail"`    // Chinese
	DetailEn  string       `json:"detail_en"` // English
	Errors    []FieldError `json:"errors"`
	RequestID string       `json:"request_id"`
	// RetryAfter is when to try again at the earliest, counted from the answer; 0 if the node did not say.
	RetryAfter time.Duration `json:"-"`
	Ours       string        `json:"ours"`
	Theirs     string        `json:"theirs"`
}

// FieldError is what is wrong at one place of the body that was sent.
type FieldError struct {
	Pointer  string `json:"pointer"`
	Code     string `json:"code"`
	Detail   string `json:"detail"`
	DetailEn string `json:"detail_en"`
}

// Error says code, fields and request id in English.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%d): %s", p.Code, p.Status, p.DetailEn)
	for _, f := range p.Errors {
		fmt.Fprintf(&b, "; %s: %s", f.Pointer, f.DetailEn)
	}
	if p.RequestID != "" {
		b.WriteString(" [request " + p.RequestID + "]")
	}
	return b.String()
}

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

var errNoProblem = errors.New("answer is not a problem of this API")

// readProblem reads an error answer; a code of another form than ours is not passed on.
func readProblem(res *http.Response) (*Problem, error) {
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read error answer: %w", err)
	}
	var p Problem
	if err := json.Unmarshal(b, &p); err != nil || !codeForm.MatchString(p.Code) {
		return nil, errNoProblem
	}
	p.Status = res.StatusCode
	if s, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 31); err == nil {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return &p, nil
}
