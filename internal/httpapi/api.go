package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.opentelemetry.io/otel/trace"

	"github.com/pilinhub/pilin/schemas"
)

// Version is the version of both APIs, as their OpenAPI document says it.
const Version = "1"

// requestTime bounds one request of a person; a federated question takes its own deadline of it.
const requestTime = 10 * time.Second

// huma keeps these in package variables. They are set once, before anything is served: member names are compared byte by
// byte, and its messages, which repeat input, become our codes.
func init() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.NewError = fromHuma
	huma.NewErrorWithContext = func(_ huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(status, msg, errs...)
	}
	for msg, code := range map[*string]string{
		&validation.MsgUnexpectedProperty: "unknown_field", &validation.MsgExpectedRequiredProperty: "required %s",
		&validation.MsgExpectedDependentRequiredProperty: "required %s %s",
		&validation.MsgExpectedBoolean:                   "type", &validation.MsgExpectedNumber: "type", &validation.MsgExpectedInteger: "type",
		&validation.MsgExpectedString: "type", &validation.MsgExpectedArray: "type", &validation.MsgExpectedObject: "type",
		&validation.MsgExpectedOneOf: "enum %s", &validation.MsgExpectedMatchPattern: "pattern %s", &validation.MsgExpectedBePattern: "pattern %s",
		&validation.MsgExpectedMinLength: "length %d", &validation.MsgExpectedMaxLength: "length %d",
		&validation.MsgExpectedMinItems: "items %d", &validation.MsgExpectedMaxItems: "items %d", &validation.MsgExpectedArrayItemsUnique: "unique",
		&validation.MsgExpectedMinimumNumber: "range %v", &validation.MsgExpectedMaximumNumber: "range %v",
		&validation.MsgExpectedExclusiveMinimumNumber: "range %v", &validation.MsgExpectedExclusiveMaximumNumber: "range %v",
		&validation.MsgExpectedRFC3339Date: "format", &validation.MsgExpectedRFC3339DateTime: "format",
	} {
		*msg = code
	}
}

// fromHuma makes the problem of an error that huma found. Of its details only place and code are kept.
func fromHuma(status int, _ string, errs ...error) huma.StatusError {
	p := problem(map[int]string{
		http.StatusBadRequest: "malformed", http.StatusNotAcceptable: "not_acceptable", http.StatusRequestEntityTooLarge: "too_large",
		http.StatusUnsupportedMediaType: "media_type", http.StatusUnprocessableEntity: "invalid", http.StatusRequestTimeout: "timeout",
	}[status])
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		at := d.ErrorDetail()
		switch {
		case strings.HasPrefix(at.Location, "query"), strings.HasPrefix(at.Location, "path"):
			p = problem("query_invalid")
			if strings.HasPrefix(at.Location, "path") {
				p = problem("not_found") // an id of another form names nothing
			}
			return p
		case at.Location == "header.Idempotency-Key":
			return problem("idempotency_missing")
		case strings.HasPrefix(at.Location, "header"), strings.HasPrefix(at.Location, "cookie"):
			return problem("header_invalid")
		}
		code, arg, _ := strings.Cut(at.Message, " ")
		v := schemas.Violation{Pointer: pointer(at.Location), Code: code}
		if code == "required" {
			v.Pointer += "/" + strings.Fields(arg)[0]
		}
		if zh, _ := schemas.Texts(v.Code); v.Code == "" || zh == general {
			v.Code = "invalid"
		}
		p.add(v)
	}
	return p
}

var general, _ = schemas.Texts("")

// format is the strict JSON of both directions.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		return json.MarshalWrite(w, v, json.Deterministic(true))
	},
	Unmarshal: func(b []byte, v any) error { return json.Unmarshal(b, v, json.RejectUnknownMembers(true)) },
}

// listener is one of the two: an echo with its middleware and a huma API on it.
type listener struct {
	echo *echo.Echo
	api  huma.API
}

// options of a listener.
type options struct {
	name    string
	title   string
	log     *slog.Logger
	metrics *httpMetrics
	tracer  trace.Tracer // nil: no spans
	now     func() time.Time
	random  io.Reader
	limit   func(path string) int64
	admit   func(*http.Request) (leave func(), err error) // nil: whoever comes
	check   func(path string) bool
	headers func(http.Header)
	time    time.Duration
}

func newListener(o options) *listener {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // forwarding headers are anybody's
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			_ = writeProblem(c, fromEcho(err)) // the connection is gone: nobody is left to be told
		}
	}
	e.Use(logged(o.log, o.metrics, o.now, o.random), spanned(o.tracer), strict(o.limit, o.admit, o.check, o.headers))
	if o.time > 0 {
		e.Use(unlessStream(middleware.ContextTimeout(o.time)))
	}
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{OpenAPI: "3.1.0", Info: &huma.Info{Title: o.title, Version: Version},
			Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}},
		Formats: map[string]huma.Format{"application/json": format, "json": format}, DefaultFormat: "application/json",
		Transformers: []huma.Transformer{stamp},
	}
	l := &listener{echo: e, api: humaecho.New(e, cfg)}
	l.api.UseMiddleware(named, knownQuery(l.api))
	return l
}

// fileTime bounds a request that reads or writes a whole spreadsheet.
const fileTime = 25 * time.Second

// unlessStream applies a middleware to all requests but streams, which outlive an answer's time, and gives files more of it.
func unlessStream(m echo.MiddlewareFunc) echo.MiddlewareFunc {
	long := middleware.ContextTimeout(fileTime)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		within, slow := m(next), long(next)
		return func(c echo.Context) error {
			switch path := c.Request().URL.Path; {
			case strings.HasSuffix(path, watchPath):
				return next(c)
			case strings.HasPrefix(path, importsPath), strings.HasPrefix(path, officersPath), strings.HasPrefix(path, exportsPath):
				return slow(c)
			}
			return within(c)
		}
	}
}

// named writes the route's pattern into the line.
func named(ctx huma.Context, next func(huma.Context)) {
	lineOf(ctx.Context()).route = ctx.Operation().Path
	next(ctx)
}

// stamp puts the request's id into a problem and the problem's code into the line.
func stamp(ctx huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok {
		l := lineOf(ctx.Context())
		p.RequestID, l.code = l.id, p.Code
	}
	return v, nil
}

// fromEcho makes the problem of an error that did not pass huma.
func fromEcho(err error) *Problem {
	if p, ok := problemOf(err); ok {
		return p
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			return problem("not_found")
		case http.StatusMethodNotAllowed:
			return problem("method_not_allowed")
		}
	}
	return problem("internal")
}

// writeProblem answers outside huma.
func writeProblem(c echo.Context, p *Problem) error {
	l := lineOf(c.Request().Context())
	p.RequestID, l.code = l.id, p.Code
	for k, v := range p.GetHeaders() {
		c.Response().Header()[k] = v
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.Blob(p.Status, p.ContentType(""), b)
}

// writeHuma answers from a huma middleware.
func writeHuma(api huma.API, ctx huma.Context, p *Problem) {
	l := lineOf(ctx.Context())
	p.RequestID, l.code = l.id, p.Code
	for k, v := range p.GetHeaders() {
		ctx.SetHeader(k, v[0])
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = api.Marshal(ctx.BodyWriter(), "application/json", p) // the connection is gone: nobody is left to be told
}

// register adds an operation whose handler's errors become problems by one table.
func register[I, O any](api huma.API, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err == nil {
			return out, nil
		}
		p := toProblem(ctx, err)
		if seat, ok := ctx.Value(actingKey{}).(*actingSeat); ok && p.Code == "forbidden" {
			if ctx, err = seat.take(ctx); err == nil {
				out, err = h(ctx, in)
			}
			if err == nil {
				return out, nil
			}
			p = toProblem(ctx, err)
		}
		return nil, auditedRefusal(ctx, p)
	})
}

// answering describes an operation whose answer is no JSON: huma would say that it is.
func answering(op huma.Operation, what string, mediaTypes ...string) huma.Operation {
	body := &huma.Response{Description: what, Content: map[string]*huma.MediaType{}}
	for _, t := range mediaTypes {
		body.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	op.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): body}
	return op
}
