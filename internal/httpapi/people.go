package httpapi

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Deps are what the people's listener needs.
type Deps struct {
	Directory *federation.Directory
	People    *auth.People
	Hub       *federation.Hub
	// SpotChecks issues on-the-spot check numbers.
	SpotChecks *federation.SpotChecks
	Register   *blacklist.Register
	// Subjects reads the evidence of a question; a node that must not use what it keeps of others leaves that out.
	Subjects Subjects
	Board    *events.Board
	Log      record.Log
	// Intake takes spreadsheets in.
	Intake *sheets.Intake
	// List returns rows of own subjects, newest change first, at most Limit.
	List func(ctx context.Context, f Filter) ([]Item, error)
	// Operations returns the joint operations that this node can read: those that its bureau leads or is invited to.
	Operations func(ctx context.Context) ([]events.Operation, error)
	// Coverage counts, of members, those that have applied the record at seq of s (exchange.Receipts.Coverage); missing are
	// the others, ascending. A receipt under a revoked key does not count.
	Coverage func(ctx context.Context, s record.StreamID, seq uint64, members []record.MemberID) (applied int, missing []record.MemberID, err error)
	// Open holds open questions; nil: none is kept open. Its Wake is called when a record was applied.
	Open *Open
	// Duty returns a member's duty contact at a moment, from this node's copy of its roster; false if none is known. nil: none
	// ever is.
	Duty func(ctx context.Context, m record.MemberID, at time.Time) (DutyContact, bool)
	// Status tells how the federation looks from here.
	Status func(ctx context.Context) (Status, error)
	// Ready examines what the node can do just now, one line for each capability; nothing in it is secret.
	Ready func(ctx context.Context) []Capability

	Logger   *slog.Logger
	Metrics  prometheus.Registerer // nil: counted but not exported
	Gatherer prometheus.Gatherer   // nil: no /metrics
	// MetricsFrom are networks of collectors that read /metrics without sign-in; this machine is always one.
	MetricsFrom []netip.Prefix
	Tracer      trace.Tracer // nil: no spans
	Now         func() time.Time
	Random      io.Reader
	// Secure says that people reach the listener over TLS: then cookies are Secure.
	Secure bool
}

// maxInFlight bounds what one account may have running at once; others are not affected.
const maxInFlight = 16

// People returns the handler of the people's listener.
func People(d Deps) (http.Handler, error) {
	m, err := newMetrics(d.Metrics, "people")
	if err != nil {
		return nil, err
	}
	h := &people{Deps: d, inFlight: map[string]int{}, uploads: map[string]int{}}
	if _, err := io.ReadFull(d.Random, h.cursorKey[:]); err != nil {
		return nil, fmt.Errorf("draw cursor key: %w", err)
	}
	l := newListener(options{name: "people", title: "Pilin API 毗邻接口", log: d.Logger, metrics: m, tracer: d.Tracer, now: d.Now, random: d.Random,
		limit: limitOf, admit: h.admitUpload, check: func(string) bool { return true }, headers: secure, time: requestTime})
	h.routes(l.api)
	h.probes(l.echo)
	if d.Open != nil {
		d.Open.start(h.run, d.Logger)
	}
	return l.echo, nil
}

// limitOf is how large a body may be.
func limitOf(path string) int64 {
	if takesFile(path) {
		return maxUpload
	}
	return maxBody
}

type people struct {
	Deps
	cursorKey [32]byte
	mu        sync.Mutex
	inFlight  map[string]int // by account
	uploads   map[string]int // files that are being read or surveyed, by account
	hearing   hearing
}

// routes registers every operation; with a zero people they serve as the source of the OpenAPI document.
func (h *people) routes(api huma.API) {
	h.sessionRoutes(api)
	h.accountRoutes(api)
	h.unitRoutes(api)
	h.delegationRoutes(api)
	h.officerRoutes(api)
	h.askRoutes(api)
	h.spotCheckRoutes(api)
	h.openRoutes(api)
	h.actRoutes(api)
	h.countRoutes(api)
	h.entryRoutes(api)
	h.operationRoutes(api)
	h.importRoutes(api)
	h.exportRoutes(api)
	h.recordRoutes(api)
	h.statusRoutes(api)
	h.noticeRoutes(api)
	h.auditRoutes(api)
}

type principalKey struct{}

// principalOf returns who makes a request; authed has put it there.
func principalOf(ctx context.Context) auth.Principal {
	p, _ := ctx.Value(principalKey{}).(auth.Principal)
	return p
}

// op describes an operation for a signed-in person whose roles allow act.
func (h *people) op(api huma.API, act auth.Act, id, method, path, summary string, status int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/" + path, Summary: summary, DefaultStatus: status,
		Security: []map[string][]string{{"bearer": {}}, {"cookie": {}}}, Middlewares: huma.Middlewares{h.authed(api, act)}}
}

// authed lets a request through whose token is good and whose person may act. act is empty for what everybody signed in
// may do.
func (h *people) authed(api huma.API, act auth.Act) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r := humaecho.Unwrap(ctx).Request()
		token, err := h.tokenOf(r)
		if err != nil {
			writeHuma(api, ctx, toProblem(ctx.Context(), err))
			return
		}
		p, err := h.People.Verify(ctx.Context(), token)
		if err != nil {
			writeHuma(api, ctx, toProblem(ctx.Context(), err))
			return
		}
		lineOf(ctx.Context()).who = p.Account
		if !h.begin(p.Account) {
			busy := problem("rate_limited")
			busy.retryAfter = time.Second
			writeHuma(api, ctx, busy)
			return
		}
		defer h.end(p.Account)
		// Every refusal for the role is audited, also those that a handler finds; that the account may have only so many
		// requests at once bounds how fast it fills the audit log.
		route := ctx.Operation().OperationID
		ctx = huma.WithValue(huma.WithValue(ctx, principalKey{}, p), refusalKey{}, func(of context.Context) error { return h.People.Refused(of, p, route, "") })
		if p.Acting != "" {
			seat := &actingSeat{people: h.People, who: p, route: route, subject: idOf(ctx)}
			switch {
			case act != "" && p.MayAsHead(act):
				raised, err := seat.take(ctx.Context())
				if err != nil {
					writeHuma(api, ctx, toProblem(ctx.Context(), err))
					return
				}
				p = principalOf(raised)
				ctx = huma.WithContext(ctx, raised)
			case r.Method == http.MethodGet && act != auth.Delegate:
				p = p.AsHead() // reading is not refused, it shows more
				ctx = huma.WithValue(ctx, principalKey{}, p)
			default:
				ctx = huma.WithValue(ctx, actingKey{}, seat)
			}
		}
		if act != "" && !p.May(act) {
			code := "forbidden"
			if p.Expired && auth.May([]auth.Role{auth.Officer}, act) {
				code = expired
			}
			writeHuma(api, ctx, refusedFor(ctx.Context(), code, func(of context.Context) error { return h.People.Refused(of, p, route, act) }))
			return
		}
		next(ctx)
	}
}

// refusalKey is where authed leaves the function that audits a refusal of the request's person.
type refusalKey struct{}

// auditedRefusal audits that a handler refuses a person for the role; other problems pass.
func auditedRefusal(ctx context.Context, p *Problem) *Problem {
	audit, ok := ctx.Value(refusalKey{}).(func(context.Context) error)
	if p.Code != "forbidden" && p.Code != expired || !ok {
		return p
	}
	if err := audit(ctx); err != nil {
		return toProblem(ctx, err)
	}
	return p
}

// expired is the code of what a person may not do because his certificate has expired.
const expired = string(auth.CertificateExpired)

// refusedFor audits a refusal and returns its problem: the audit log's own when it cannot be written.
func refusedFor(ctx context.Context, code string, audit func(context.Context) error) *Problem {
	return auditedRefusal(context.WithValue(ctx, refusalKey{}, audit), problem(code))
}

func (h *people) begin(account string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inFlight[account] >= maxInFlight {
		return false
	}
	h.inFlight[account]++
	return true
}

func (h *people) end(account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inFlight[account]--; h.inFlight[account] <= 0 {
		delete(h.inFlight, account)
	}
}

// Names of the cookies. They hold what a program would send as Bearer and in the body.
const (
	accessCookie  = "pilin_access"
	refreshCookie = "pilin_refresh"
	refreshPath   = "/api/v1/refresh"
)

// tokenOf returns the access token of a request: of its header, or else of its cookie. A cookie is sent by a browser
// without the person's doing, so a request with one must come from a page of this node.
func (h *people) tokenOf(r *http.Request) (string, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return bearer(r.Header)
	}
	c, err := r.Cookie(accessCookie)
	if err != nil {
		return "", problem(string(auth.TokenMissing))
	}
	return c.Value, sameSite(r)
}

// sameSite refuses what another site's page made the browser send.
func sameSite(r *http.Request) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return problem("cross_site")
	}
	if o := r.Header.Get("Origin"); o != "" {
		if u, err := url.Parse(o); err != nil || u.Host != r.Host {
			return problem("cross_site")
		}
	}
	return nil
}

// Writing is what every request that writes a record carries: its idempotency key and the hash of its body as it came.
type Writing struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" doc:"Chosen by the caller; a repeat with the same body gets the same answer for 30 days"`
	hash [32]byte
}

// Resolve hashes the body.
func (w *Writing) Resolve(ctx huma.Context) []error {
	w.hash = sha256.Sum256(bodyOf(humaecho.Unwrap(ctx)))
	return nil
}

var _ huma.Resolver = (*Writing)(nil)

// actor is the person as the Register knows him.
func actor(p auth.Principal) blacklist.Actor {
	a := blacklist.Actor{Account: p.Account, Certificate: p.Certificate, Unit: p.Unit}
	for _, r := range p.Roles {
		a.Roles = append(a.Roles, workflow.Role(r))
	}
	return a
}

// request says who asks the Register and in which idempotency slot: account and route, with its id, and key.
func (w *Writing) request(ctx context.Context, route string) blacklist.Request {
	p := principalOf(ctx)
	return blacklist.Request{Actor: actor(p), Scope: "account/" + p.Account + "/" + route, Key: w.Key, BodyHash: w.hash}
}

// probes are the plain routes: liveness, readiness, metrics.
func (h *people) probes(e *echo.Echo) {
	e.GET("/livez", func(c echo.Context) error {
		lineOf(c.Request().Context()).route = "/livez"
		return c.String(http.StatusOK, "ok\n")
	})
	e.GET("/readyz", h.ready)
	e.GET("/readyz/:capability", h.ready)
	if h.Gatherer != nil {
		e.GET("/metrics", h.metrics)
	}
}
