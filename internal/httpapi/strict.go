package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// Limits of a request (reliability-security.md §4). The server's own limits bound the head (16 KiB).
const (
	maxURI  = 2 << 10
	maxBody = 1 << 20
	// MaxHeaderBytes is for the http.Server of either listener.
	MaxHeaderBytes = 16 << 10
)

var (
	pathForm = regexp.MustCompile(`^(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)*/?$`)
	// Whole tokens that are a resident identity number (15 or 18), a mobile number, or a unified social credit code.
	identifierForm = regexp.MustCompile(`(^|[^0-9A-Za-z])([0-9]{15}|[0-9]{17}[0-9Xx]|(86)?1[3-9][0-9]{9}|[159AN][0-9A-HJ-NPQRTUWXY]{17})([^0-9A-Za-z]|$)`)
)

// strict refuses what no route of this listener could mean, before a route is looked for. limit gives the bytes that a
// body may have; admit, unless nil, lets a request in before its body is read and says what to call when it is over.
func strict(limit func(path string) int64, admit func(*http.Request) (leave func(), err error), checkBody func(path string) bool, securityHeaders func(http.Header)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			securityHeaders(c.Response().Header())
			r := c.Request()
			if p := checkURL(r); p != nil {
				return p
			}
			if p := checkAccept(r); p != nil {
				return p
			}
			if admit != nil {
				leave, err := admit(r)
				if err != nil {
					c.Response().Header().Set("Connection", "close") // its body is not read
					return toProblem(r.Context(), err)
				}
				defer leave()
			}
			if p := readBody(c, limit(r.URL.Path), checkBody(r.URL.Path)); p != nil {
				return p
			}
			return next(c)
		}
	}
}

func checkURL(r *http.Request) *Problem {
	switch {
	case r.Method == http.MethodConnect: // its target is no path
		return problem("method_not_allowed")
	case len(r.RequestURI) > maxURI:
		return problem("uri_too_long")
	case personal(r.URL.Path) || personal(unescaped(r.URL.RawQuery)):
		return problem("pii_in_url")
	case r.URL.RawPath != "" || !pathForm.MatchString(r.URL.Path):
		return problem("path_invalid")
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || strings.Contains(r.URL.RawQuery, ";") {
		return problem("query_invalid")
	}
	for _, v := range q {
		if len(v) != 1 {
			return problem("query_invalid")
		}
	}
	return nil
}

// unescaped undoes percent-encoding as often as somebody might have applied it.
func unescaped(s string) string {
	for range 3 {
		t, err := url.QueryUnescape(s)
		if err != nil || t == s {
			break
		}
		s = t
	}
	return s
}

// personal reports whether a piece of a URL looks like somebody's name or number. URLs stand in logs and histories.
func personal(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e }) || identifierForm.MatchString(s)
}

// checkAccept leaves one form of answer.
func checkAccept(r *http.Request) *Problem {
	accept := r.Header.Get("Accept")
	if accept == "" {
		return nil
	}
	for _, part := range strings.Split(accept, ",") {
		t, params, err := mime.ParseMediaType(part)
		if err != nil || params["q"] == "0" {
			continue
		}
		switch t {
		case "*/*", "application/*", "application/json", "application/problem+json", "application/pilin-range", "application/pilin-note", mimeXLSX, "application/octet-stream", "text/csv", "text/plain", "text/*", "text/event-stream":
			r.Header.Set("Accept", "application/json")
			return nil
		}
	}
	return problem("not_acceptable")
}

// readBody reads the whole body within its limit, and a JSON body strictly, so that every later reader sees the same
// bytes and none of them is lenient.
func readBody(c echo.Context, limit int64, check bool) *Problem {
	r := c.Request()
	if r.Header.Get("Content-Encoding") != "" {
		return problem("content_encoding")
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
	b, err := io.ReadAll(r.Body)
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		c.Response().Header().Set("Connection", "close")
		return problem("too_large")
	case err != nil:
		return problem("malformed")
	case len(r.TransferEncoding) > 0:
		// net/http drops a Content-Length that stood beside it, so that a request which two servers cut differently cannot be
		// told from an honest one. No client of ours sends it, and browsers do not.
		c.Response().Header().Set("Connection", "close")
		return problem("transfer_encoding")
	}
	if r.Method != http.MethodPost {
		if len(b) > 0 {
			return problem("body_unexpected")
		}
		r.Body = http.NoBody
		return nil
	}
	file := isUpload(r)
	if !file && !jsonUTF8(r.Header.Values("Content-Type")) || file && !uploadType(r.Header.Values("Content-Type")) {
		return problem("media_type")
	}
	if check && !file {
		if v := checkJSON(b); v != nil {
			p := problem("malformed")
			p.add(*v)
			return p
		}
	}
	c.Set(bodyKey, b)
	r.Body = io.NopCloser(bytes.NewReader(b))
	return nil
}

const bodyKey = "body"

// bodyOf returns the bytes of the body as they came.
func bodyOf(c echo.Context) []byte {
	b, _ := c.Get(bodyKey).([]byte)
	return b
}

// jsonUTF8 accepts exactly one application/json, without charset or with utf-8.
func jsonUTF8(values []string) bool {
	if len(values) != 1 {
		return false
	}
	t, params, err := mime.ParseMediaType(values[0])
	if err != nil || t != "application/json" {
		return false
	}
	for k, v := range params {
		if k != "charset" || !strings.EqualFold(v, "utf-8") {
			return false
		}
	}
	return true
}

// knownQuery refuses query keys that the operation does not have: huma would look past them.
func knownQuery(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		u := ctx.URL()
	keys:
		for key := range u.Query() {
			for _, p := range ctx.Operation().Parameters {
				if p.In == "query" && p.Name == key {
					continue keys
				}
			}
			writeHuma(api, ctx, problem("query_invalid"))
			return
		}
		next(ctx)
	}
}

// secure sets the headers of every answer of the people's listener.
func secure(h http.Header) {
	for k, v := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security":    "max-age=31536000",
	} {
		h.Set(k, v)
	}
}
