package httpapi_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// Whatever the border lets through is I-JSON to every strict reader, and what it says about the rest repeats nothing.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a":1,"a":2}`, `{"STATUS":"x","status":"y"}`, `{"a":9007199254740993}`, `{"a":1e400}`, `{"a":-0}`, `{"a":1.0}`, `{"a":"\ud800"}`,
		"{\"a\":\"\xff\"}", `{"a":"\u0000"}`, "\ufeff{}", `{}{}`, `[[[[]]]]`, `{"320623190001159016":{"x":NaN}}`, `null`, ``, `{"a":"\u0085"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := httpapi.CheckJSON(b)
		if v == nil {
			var any any
			if err := json.Unmarshal(b, &any); err != nil {
				t.Errorf("let through %q: %v", b, err)
			}
			return
		}
		if !v.Malformed() {
			t.Errorf("code %q", v.Code)
		}
		at := httpapi.SafePointer(v.Pointer)
		for seg := range strings.SplitSeq(at, "/") {
			if len(seg) > 40 || strings.ContainsFunc(seg, func(r rune) bool { return r > 0x7e }) {
				t.Errorf("pointer %q repeats input", at)
			}
		}
	})
}

// An identifier is seen in a query however it is surrounded, and ids of ours are not taken for one.
func FuzzPersonal(f *testing.F) {
	f.Add("a", "b")
	f.Add("&x=", "/")
	f.Fuzz(func(t *testing.T, before, after string) {
		sep := func(s string) bool {
			return s == "" || !strings.ContainsAny(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
		}
		if !sep(before) || !sep(after) {
			return
		}
		if !httpapi.Personal(before + personID + after) {
			t.Errorf("%q not seen", url.QueryEscape(before+personID+after))
		}
	})
}

func FuzzScrub(f *testing.F) {
	f.Add("read head of 310116-01/records", "pq: invalid input: ")
	f.Fuzz(func(t *testing.T, ours, theirs string) {
		for _, c := range canaries {
			err := fmt.Errorf("read head: %w", errors.New(theirs+c))
			if strings.Contains(theirs, c) || strings.Contains(ours, c) {
				continue
			}
			if s := httpapi.Scrub(err); strings.Contains(s, c) {
				t.Errorf("%q", s)
			}
		}
	})
}
