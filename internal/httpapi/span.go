package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// spanned makes a span of every request, with what its line in the log says but for who made it. A caller's trace ids are
// not taken up: they are anybody's. The path is never in it, the route's pattern is.
func spanned(tracer trace.Tracer) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if tracer == nil {
			return next
		}
		return func(c echo.Context) error {
			r := c.Request()
			ctx, span := tracer.Start(r.Context(), method(r.Method), trace.WithSpanKind(trace.SpanKindServer))
			defer span.End()
			c.SetRequest(r.WithContext(ctx))
			err := next(c)
			if err != nil { // written here, so that the span knows the status; the line is written outside
				c.Error(err)
			}
			l := lineOf(ctx)
			status := c.Response().Status
			span.SetName(method(r.Method) + " " + l.route)
			span.SetAttributes(attribute.String("http.request.method", method(r.Method)), attribute.String("http.route", l.route),
				attribute.Int("http.response.status_code", status), attribute.String("pilin.request_id", l.id))
			if l.code != "" {
				span.SetAttributes(attribute.String("pilin.code", l.code))
			}
			if status >= http.StatusInternalServerError {
				span.SetStatus(otelcodes.Error, "")
			}
			return nil
		}
	}
}
