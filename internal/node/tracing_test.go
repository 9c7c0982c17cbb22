package node

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans is a collector: it keeps names and attributes of what it is sent.
type spans struct {
	mu    sync.Mutex
	names []string
	attrs map[string]bool
	text  strings.Builder
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	b, err := io.ReadAll(body)
	var req collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(b, &req) != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(req.String())
	for _, rs := range req.ResourceSpans {
		for _, a := range rs.Resource.Attributes {
			s.attrs[a.Key] = true
		}
		for _, ss := range rs.ScopeSpans {
			for _, sp := range ss.Spans {
				s.names = append(s.names, sp.Name)
				for _, a := range sp.Attributes {
					s.attrs[a.Key] = true
				}
			}
		}
	}
}

// With an endpoint a question leaves spans at the collector, under names and attributes of ours alone; without one, which
// is how a node comes, nothing is made at all.
func TestTracing_ofAQuestion(t *testing.T) {
	got := &spans{attrs: map[string]bool{}}
	srv := httptest.NewServer(got)
	defer srv.Close()
	d := newDirect(t, onHTTP)
	d.released()
	if a := d.nodes[d.members[0]]; a.cfg.Tracing.Endpoint != "" || a.tracer == nil {
		t.Fatalf("tracing as it comes: %+v", a.cfg.Tracing)
	}
	m := d.members[0]
	d.stop(d.nodes[m])
	d.nodes[m].cfg.Tracing.Endpoint = srv.URL
	n := d.again(m)
	d.released()
	ans := d.ask(m)
	if ans.K != ans.N {
		t.Fatalf("%d of %d answered", ans.K, ans.N)
	}
	res, err := http.Get("http://" + n.cfg.People.Listen + "/livez")
	d.ok(err)
	d.ok(res.Body.Close())
	d.stop(n) // its last spans go out

	got.mu.Lock()
	defer got.mu.Unlock()
	for _, want := range []string{"ask member", "append", "GET /livez"} {
		if !slices.Contains(got.names, want) {
			t.Errorf("no span %q among %v", want, slices.Compact(slices.Sorted(slices.Values(got.names))))
		}
	}
	known := []string{"service.name", "service.version", "service.instance.id", "pilin.member", "pilin.bytes", "pilin.records", "pilin.request_id", "pilin.code",
		"http.request.method", "http.route", "http.response.status_code"}
	for k := range got.attrs {
		if !slices.Contains(known, k) {
			t.Errorf("attribute %s", k)
		}
	}
	for _, secret := range []string{somebody, "测", "0123456789abcdef0123456789abcdef", "spot_check", "XC-2026"} {
		if strings.Contains(got.text.String(), secret) {
			t.Errorf("%s is in the spans", secret)
		}
	}
}

func TestTracing_complete(t *testing.T) {
	for in, want := range map[string]string{"": "", "http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/traces", "https://c.example/v1/traces": "https://c.example/v1/traces", "127.0.0.1:4318": "!", "grpc://c:4317": "!"} {
		c := Tracing{Endpoint: in}
		if err := c.complete(); (err != nil) != (want == "!") || err == nil && c.Endpoint != want {
			t.Errorf("%q: %q %v", in, c.Endpoint, err)
		}
	}
	c := Tracing{Endpoint: "http://c", Ratio: 1.5}
	if c.complete() == nil {
		t.Error("a ratio above 1 is taken")
	}
}
