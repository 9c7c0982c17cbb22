package node

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// Tracing says where spans go. A span holds route patterns, member codes, statuses, counts and times: nothing of what was
// asked, found or written, and no account. Trace ids do not leave the node with requests to other members.
type Tracing struct {
	Endpoint string  `yaml:"endpoint"` // OTLP over HTTP, e.g. http://127.0.0.1:4318/v1/traces; empty = no tracing
	Ratio    float64 `yaml:"ratio"`    // share of requests that are traced, above 0 up to 1; default 1
}

// complete fills defaults and refuses what cannot work.
func (t *Tracing) complete() error {
	if t.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("tracing.endpoint %q: want http:// or https://host:port/v1/traces", t.Endpoint)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
		t.Endpoint = u.String()
	}
	if t.Ratio == 0 {
		t.Ratio = 1
	}
	if t.Ratio < 0 || t.Ratio > 1 {
		return fmt.Errorf("tracing.ratio %v: want a share above 0 up to 1", t.Ratio)
	}
	return nil
}

// spanFlush bounds how long a stopping node waits for its last spans to be taken.
const spanFlush = time.Second

// buildTracing makes the tracer and what ends it. Without an endpoint nothing is made and spans cost nothing.
func (n *Node) buildTracing(ctx context.Context) error {
	n.tracer, n.endTracing = noop.NewTracerProvider().Tracer("pilin"), func() {}
	if n.cfg.Tracing.Endpoint == "" {
		return nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(n.cfg.Tracing.Endpoint), otlptracehttp.WithTimeout(5*time.Second))
	if err != nil {
		return fmt.Errorf("tracing: %w", err)
	}
	p := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), // bounded: what a slow collector does not take is dropped
		sdktrace.WithSampler(sdktrace.TraceIDRatioBased(n.cfg.Tracing.Ratio)),
		sdktrace.WithResource(resource.NewSchemaless( // nothing of the machine or its user
			attribute.String("service.name", "pilin"), attribute.String("service.version", Release), attribute.String("service.instance.id", string(n.cfg.Member)))))
	n.tracer = p.Tracer("pilin")
	n.endTracing = func() {
		ctx, cancel := context.WithTimeout(context.Background(), spanFlush)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			n.slog.LogAttrs(ctx, slog.LevelInfo, "last spans not taken", slog.String("err", err.Error()))
		}
	}
	return nil
}

// traced makes a span of every question that goes to another member.
func (n *Node) traced(call federation.AskFunc) federation.AskFunc {
	return func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
		ctx, span := n.tracer.Start(ctx, "ask member", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("pilin.member", string(m))))
		defer span.End()
		b, err := call(ctx, m, body)
		span.SetAttributes(attribute.Int("pilin.bytes", len(b)))
		if err != nil {
			span.SetStatus(codes.Error, "") // the text of an error may quote what was sent
		}
		return b, err
	}
}

// tracedAppend makes a span of what is written durably.
func (n *Node) tracedAppend(ctx context.Context, a record.Append) (record.Appended, error) {
	ctx, span := n.tracer.Start(ctx, "append", trace.WithAttributes(attribute.Int("pilin.records", len(a.Drafts))))
	defer span.End()
	res, err := n.store.Append(ctx, a)
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	return res, err
}
