package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/pilinhub/pilin/client"
)

// Exit codes beside 0: 1 it was not done (of verify: broken), 2 it could not be checked, 3 the program itself is wrong, 64 the
// command line is.
const (
	exitBroken    = 1
	exitUnchecked = 2
	exitUsage     = 64
)

// exit is an error that carries an exit code of its own; err may be nil when everything was said.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string { return fmt.Sprint(e.err) }
func (e exit) Unwrap() error { return e.err }

// complaint is an error as JSON: a problem as the node answers it (RFC 9457), or one of this program, with the exit code.
type complaint struct {
	Type       string              `json:"type"`
	Status     int                 `json:"status,omitzero"` // HTTP status, if a node answered
	Code       string              `json:"code"`            // of the node; of this program: usage, failed
	Detail     string              `json:"detail"`
	DetailEn   string              `json:"detail_en"`
	Errors     []client.FieldError `json:"errors,omitempty"`
	RequestID  string              `json:"request_id,omitempty"`
	RetryAfter int                 `json:"retry_after_s,omitzero"`
	Exit       int                 `json:"exit"`
}

// complain tells an error on stderr, in the form that was asked for, and returns the exit code.
func complain(stderr io.Writer, asJSON bool, err error) int {
	if err == nil {
		return 0
	}
	code := 1
	var e exit
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	if !asJSON {
		fmt.Fprintln(stderr, "pilin:", err)
		return code
	}
	c := complaint{Code: "failed", Detail: err.Error(), DetailEn: err.Error(), Exit: code}
	var p *client.Problem
	switch {
	case errors.As(err, &p):
		c = complaint{Status: p.Status, Code: p.Code, Detail: p.Detail, DetailEn: p.DetailEn, Errors: p.Errors, RequestID: p.RequestID, RetryAfter: int(p.RetryAfter.Seconds()), Exit: code}
	case code == exitUsage:
		c.Code = "usage"
	}
	c.Type = "urn:pilin:problem:" + c.Code
	if bad := (&printer{Writer: stderr}).line(c); bad != nil {
		fmt.Fprintln(stderr, "pilin:", err)
	}
	return code
}
