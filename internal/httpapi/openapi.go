package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// OpenAPI returns the OpenAPI 3.1 document of both listeners as YAML, made from the operations themselves. It stands in
// schemas/openapi.yaml; a test fails when the two differ.
func OpenAPI() ([]byte, error) {
	m, err := newMetrics(nil, "none")
	if err != nil {
		return nil, err
	}
	l := newListener(options{name: "none", title: "Pilin 毗邻", log: slog.New(slog.DiscardHandler), metrics: m, now: time.Now,
		limit: func(string) int64 { return 0 }, check: func(string) bool { return true }, headers: func(http.Header) {}})
	doc := l.api.OpenAPI()
	doc.Info.Description = "The HTTP API of a Pilin node. Paths under /api/v1 are served to the bureau's own people, paths under /member/v1 to other members' nodes " +
		"over TLS 1.3 with pinned keys and a one-use token (docs/design/wire.md). Errors are RFC 9457 problems; programs branch on their code."
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
		"cookie": {Type: "apiKey", In: "cookie", Name: accessCookie},
		"member": {Type: "http", Scheme: "bearer", Description: "One-use token of a member, docs/design/wire.md §6"},
	}
	(&people{}).routes(l.api)
	(&members{}).routes(l.api)
	b, err := doc.YAML()
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	return b, nil
}
