package httpapi

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pilinhub/pilin/record"
)

// line is what one request leaves in the log: one line, filled in as the request goes on. It holds ids, codes, counts
// and times; what was sent or found never gets into it.
type line struct {
	id     string
	route  string // the pattern, not the path
	code   string // of the problem, if any
	who    string // opaque account id or member code
	more   []slog.Attr
	status int
}

type lineKey struct{}

// lineOf returns the line of the request that ctx belongs to.
func lineOf(ctx context.Context) *line {
	if l, ok := ctx.Value(lineKey{}).(*line); ok {
		return l
	}
	return &line{}
}

// note adds an attribute. Only ids, codes, counts and durations may be noted.
func (l *line) note(attrs ...slog.Attr) { l.more = append(l.more, attrs...) }

// httpMetrics counts requests by route, which is a pattern of ours, and by status and code, which are words of ours.
type httpMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   *prometheus.CounterVec
	denied   *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, listener string) (*httpMetrics, error) {
	labels := prometheus.Labels{"listener": listener}
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pilin_http_requests_total", Help: "Requests by route pattern, status and problem code.", ConstLabels: labels}, []string{"route", "status", "code"}),
		seconds:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "pilin_http_seconds", Help: "Time from the request's head to the end of the answer.", ConstLabels: labels, Buckets: []float64{.001, .005, .02, .1, .5, 2, 10}}, []string{"route"}),
		panics:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pilin_http_panics_total", Help: "Handlers that panicked.", ConstLabels: labels}, []string{"route"}),
		denied:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pilin_authz_denied_total", Help: "Requests of signed-in people that no role of theirs allows; rule is the route's pattern.", ConstLabels: labels}, []string{"rule"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.panics, m.denied} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the %s listener: %w", listener, err)
		}
	}
	return m, nil
}

// logged gives every request an id and a line, turns a panic into a problem, and writes the line when all is over.
func logged(log *slog.Logger, m *httpMetrics, now func() time.Time, random io.Reader) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			l := &line{route: "unmatched"}
			var id [8]byte
			if _, err := io.ReadFull(random, id[:]); err == nil {
				l.id = hex.EncodeToString(id[:])
			}
			start := now()
			r := c.Request()
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), lineKey{}, l)))
			c.Response().Header().Set("X-Request-Id", l.id)
			defer func() {
				if p := recover(); p != nil {
					m.panics.WithLabelValues(l.route).Inc()
					l.note(slog.String("panic", fmt.Sprintf("%T", p)), slog.String("at", frames()))
					if !c.Response().Committed {
						err = writeProblem(c, problem("internal"))
					}
				}
				took := now().Sub(start)
				l.status = c.Response().Status
				m.requests.WithLabelValues(l.route, strconv.Itoa(l.status), l.code).Inc()
				m.seconds.WithLabelValues(l.route).Observe(took.Seconds())
				if l.code == "forbidden" {
					m.denied.WithLabelValues(l.route).Inc()
				}
				level := slog.LevelInfo
				if l.status >= 500 {
					level = slog.LevelError
				}
				log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", append([]slog.Attr{
					slog.String("id", l.id), slog.String("method", method(r.Method)), slog.String("route", l.route), slog.Int("status", l.status),
					slog.String("code", l.code), slog.String("who", l.who), slog.Int64("bytes", c.Response().Size), slog.Duration("took", took)}, l.more...)...)
			}()
			err = next(c)
			if err != nil {
				c.Error(err)
			}
			return nil
		}
	}
}

// method keeps made-up verbs out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return "other"
}

// frames names the functions of a panic, innermost first, without arguments: a value could be somebody's number.
func frames() string {
	pc := make([]uintptr, 24)
	n := runtime.Callers(4, pc)
	it := runtime.CallersFrames(pc[:n])
	var b strings.Builder
	for i := 0; i < 8; {
		f, more := it.Next()
		if strings.Contains(f.Function, "pilin") {
			if i > 0 {
				b.WriteString(" < ")
			}
			fmt.Fprintf(&b, "%s:%d", f.Function[strings.LastIndexByte(f.Function, '/')+1:], f.Line)
			i++
		}
		if !more {
			break
		}
	}
	return b.String()
}

// scrub makes an unexpected error fit for the log. What our own code wrapped around it is plain English with ids of
// streams and members; of the innermost error, which may be a library's and quote what it was given, the type and the
// words up to the first thing that is no plain word.
func scrub(err error) string {
	var b strings.Builder
	for inner := errors.Unwrap(err); inner != nil; err, inner = inner, errors.Unwrap(inner) {
		if before, ok := strings.CutSuffix(err.Error(), inner.Error()); ok {
			b.WriteString(mask(before))
		}
	}
	text := err.Error()
	if i := strings.IndexFunc(text, func(r rune) bool { return !(r >= 'a' && r <= 'z' || strings.ContainsRune(" :,;()/_-", r)) }); i >= 0 {
		text = text[:i]
	}
	return fmt.Sprintf("%.400s[%T] %.100s", b.String(), err, text)
}

// mask takes out of a text whatever looks like a name or a number.
func mask(s string) string {
	digits := 0
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			digits = 0
		} else if digits++; digits > 4 {
			return '*'
		}
		if r < 0x20 || r > 0x7e {
			return '*'
		}
		return r
	}, s)
}

// noteRecord names a record in the line.
func noteRecord(ctx context.Context, id record.RecordID) {
	lineOf(ctx).note(slog.String("record", id.String()))
}
