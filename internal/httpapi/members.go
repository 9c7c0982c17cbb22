package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// MemberDeps are what the members' listener needs (wire.md §3–6).
type MemberDeps struct {
	Directory *federation.Directory
	Tokens    *auth.MemberTokens
	// Reply answers a question and uses the token up in the transaction of its audit record; it is Hub.Reply.
	Reply func(ctx context.Context, from record.MemberID, body []byte, token record.Use) ([]byte, error)
	// Heads takes the body of a head exchange and returns the signed answer; federation.ErrMalformed for a bad body.
	Heads func(ctx context.Context, from record.MemberID, body []byte) ([]byte, error)
	// Range returns the body of a range answer to one peer; record.ErrNotFound for a stream that is not served.
	Range func(ctx context.Context, peer record.MemberID, s record.StreamID, from uint64) ([]byte, error)
	// Leaves returns the first size leaves of a stream; record.ErrNotFound if it is not served or not that long.
	Leaves func(ctx context.Context, s record.StreamID, size uint64) ([]tlog.Hash, error)
	// Admit counts a request that is no question against what its sender may send; an error, a *federation.SpentError, refuses
	// it before its token is looked at. Questions have budgets of their own. nil: no limit.
	Admit func(ctx context.Context, from record.MemberID) error

	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: counted but not exported
	Tracer  trace.Tracer          // nil: no spans
	Now     func() time.Time
	Random  io.Reader
}

// Limits of members' requests.
const (
	maxHeadsBody = 4 << 20
	memberTime   = 30 * time.Second // a range of 4 MiB over a slow line
)

// Members returns the handler of the members' listener, to be served by MemberServer.
func Members(d MemberDeps) (http.Handler, error) {
	m, err := newMetrics(d.Metrics, "members")
	if err != nil {
		return nil, err
	}
	l := newListener(options{name: "members", title: "Pilin members API 毗邻成员接口", log: d.Log, metrics: m, tracer: d.Tracer, now: d.Now, random: d.Random,
		limit: func(path string) int64 {
			if path == "/member/v1/heads" {
				return maxHeadsBody
			}
			return maxBody
		},
		check:   func(string) bool { return false }, // the wire's own decoders are strict and know what a newer peer may add
		headers: func(h http.Header) { h.Set("X-Content-Type-Options", "nosniff"); h.Set("Cache-Control", "no-store") },
		time:    memberTime,
	})
	h := &members{MemberDeps: d, busy: map[record.MemberID]bool{}}
	h.routes(l.api)
	return l.echo, nil
}

type members struct {
	MemberDeps
	mu   sync.Mutex
	busy map[record.MemberID]bool // peers with a range in flight
}

type peerKey struct{}

// peer is who sends a request, and the one-use id of its token where the handler must use it up itself.
type peer struct {
	id    record.MemberID
	token record.Use
}

func peerOf(ctx context.Context) peer { p, _ := ctx.Value(peerKey{}).(peer); return p }

// PeerOf returns the active member whose pinned certificate is at the other end of the connection, by the charter of now.
func PeerOf(d *federation.Directory, c *tls.ConnectionState) (record.MemberID, bool) {
	if c == nil || len(c.PeerCertificates) == 0 || c.Version < tls.VersionTLS13 {
		return "", false
	}
	return d.MemberOfTLS(federation.PublicKeyHash(c.PeerCertificates[0]))
}

// authentic lets a request through whose connection and token are of one active member. The certificate is looked up
// again for every request: a kept-alive connection outlives a charter. keep, of questions, leaves the token's id to the
// handler, and the count of requests to the budgets of questions.
func (m *members) authentic(api huma.API, keep bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humaecho.Unwrap(ctx)
		r := c.Request()
		id, ok := PeerOf(m.Directory, r.TLS)
		if !ok {
			ctx.SetHeader("Connection", "close")
			writeHuma(api, ctx, problem("peer_unknown"))
			return
		}
		lineOf(ctx.Context()).who = string(id)
		if !keep && m.Admit != nil {
			if err := m.Admit(ctx.Context(), id); err != nil {
				writeHuma(api, ctx, toProblem(ctx.Context(), err))
				return
			}
		}
		req := auth.MemberRequest{Peer: id, Method: r.Method, Target: r.RequestURI, Body: sha256.Sum256(bodyOf(c))}
		p := peer{id: id}
		token, err := bearer(r.Header)
		if err == nil {
			if keep {
				p.token, err = m.Tokens.Verify(ctx.Context(), token, req)
			} else {
				err = m.Tokens.Use(ctx.Context(), token, req)
			}
		}
		if err != nil {
			writeHuma(api, ctx, toProblem(ctx.Context(), err))
			return
		}
		next(huma.WithValue(ctx, peerKey{}, p))
	}
}

// bearer returns the one bearer token of a request.
func bearer(h http.Header) (string, error) {
	v := h.Values("Authorization")
	if len(v) == 0 {
		return "", problem(string(auth.TokenMissing))
	}
	const scheme = "Bearer "
	if len(v) > 1 || len(v[0]) <= len(scheme) || v[0][:len(scheme)] != scheme {
		return "", problem(string(auth.TokenMalformed))
	}
	return v[0][len(scheme):], nil
}

type rawIn struct {
	RawBody []byte `contentType:"application/json"`
}

type rawOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type rangeIn struct {
	Stream string `query:"stream" required:"true" maxLength:"40" doc:"Stream, e.g. 310116-01/records"`
	From   uint64 `query:"from" doc:"First sequence wanted"`
}

type leavesIn struct {
	Stream string `query:"stream" required:"true" maxLength:"40" doc:"Stream"`
	Size   uint64 `query:"size" required:"true" doc:"Number of leaves from the first, at most 100,000"`
}

type leavesOut struct {
	Body struct {
		V      int      `json:"v"`
		Leaves []string `json:"leaves" doc:"Leaf hashes, 64 hex digits each"`
	}
}

type charterIn struct {
	From uint64 `query:"from" doc:"First version wanted"`
}

type charterOut struct {
	Body struct {
		V          int      `json:"v"`
		Versions   []string `json:"versions" doc:"Charter notes, ascending"`
		Statements []string `json:"statements" doc:"Member statements in force that no version holds yet"`
	}
}

type agreementIn struct {
	ID string `query:"id" required:"true" pattern:"^[0-9a-f]{64}$" doc:"Agreement id"`
}

// Media types of the members' answers.
const (
	noteType  = "application/pilin-note"
	rangeType = "application/pilin-range"
)

func (m *members) routes(api huma.API) {
	op := func(id, method, path, summary string, keep bool) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/member/v1/" + path, Summary: summary, Tags: []string{"members"},
			Security: []map[string][]string{{"member": {}}}, SkipValidateBody: true, Middlewares: huma.Middlewares{m.authentic(api, keep)}}
	}
	register(api, answering(op("member-ask", http.MethodPost, "ask", "Put a question to this member (wire.md §5)", true), "Note", noteType), m.ask)
	register(api, answering(op("member-heads", http.MethodPost, "heads", "Exchange heads and receipts (wire.md §4)", false), "Note", noteType), m.heads)
	register(api, answering(op("member-range", http.MethodGet, "range", "Commit groups of a stream (wire.md §3)", false), "Commit groups", rangeType), m.rangeOf)
	register(api, op("member-leaves", http.MethodGet, "leaves", "Leaves of a stream, for fork evidence (wire.md §3)", false), m.leaves)
	register(api, op("member-charter", http.MethodGet, "charter", "Charter versions (wire.md §4)", false), m.charter)
	register(api, answering(op("member-agreement", http.MethodGet, "agreement", "An agreement that names the caller (wire.md §4)", false), "Note", noteType), m.agreement)
}

func (m *members) ask(ctx context.Context, in *rawIn) (*rawOut, error) {
	p := peerOf(ctx)
	b, err := m.Reply(ctx, p.id, in.RawBody, p.token)
	if err != nil {
		return nil, err
	}
	return &rawOut{noteType, b}, nil
}

func (m *members) heads(ctx context.Context, in *rawIn) (*rawOut, error) {
	b, err := m.Heads(ctx, peerOf(ctx).id, in.RawBody)
	if err != nil {
		return nil, err
	}
	return &rawOut{noteType, b}, nil
}

// maxSequence bounds sequences in questions, as in headers.
const maxSequence = 1 << 62

func (m *members) rangeOf(ctx context.Context, in *rangeIn) (*rawOut, error) {
	s := record.StreamID(in.Stream)
	if !s.Valid() || in.From >= maxSequence {
		return nil, problem("query_invalid")
	}
	id := peerOf(ctx).id
	if !m.begin(id) {
		p := problem("range_in_flight")
		p.retryAfter = time.Second
		return nil, p
	}
	defer m.end(id)
	b, err := m.Range(ctx, id, s, in.From)
	if err != nil {
		return nil, err
	}
	return &rawOut{rangeType, b}, nil
}

func (m *members) begin(id record.MemberID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[id] {
		return false
	}
	m.busy[id] = true
	return true
}

func (m *members) end(id record.MemberID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.busy, id)
}

func (m *members) leaves(ctx context.Context, in *leavesIn) (*leavesOut, error) {
	s := record.StreamID(in.Stream)
	if !s.Valid() || in.Size > record.MaxEvidenceLeaves {
		return nil, problem("query_invalid")
	}
	hs, err := m.Leaves(ctx, s, in.Size)
	if err != nil {
		return nil, err
	}
	out := &leavesOut{}
	out.Body.V, out.Body.Leaves = 1, make([]string, len(hs))
	for i, h := range hs {
		out.Body.Leaves[i] = hex.EncodeToString(h[:])
	}
	return out, nil
}

func (m *members) charter(_ context.Context, in *charterIn) (*charterOut, error) {
	out := &charterOut{}
	out.Body.V = 1
	out.Body.Versions, out.Body.Statements = strs(m.Directory.Versions(in.From)), strs(m.Directory.Statements())
	return out, nil
}

func strs(bs [][]byte) []string {
	out := make([]string, len(bs))
	for i, b := range bs {
		out[i] = string(b)
	}
	return out
}

func (m *members) agreement(ctx context.Context, in *agreementIn) (*rawOut, error) {
	var id federation.Hash
	if _, err := hex.Decode(id[:], []byte(in.ID)); err != nil {
		return nil, problem("query_invalid")
	}
	b, ok := m.Directory.Agreement(id, peerOf(ctx).id)
	if !ok {
		return nil, problem("not_found") // also when it exists and does not name the caller
	}
	return &rawOut{noteType, b}, nil
}
