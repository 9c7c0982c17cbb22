package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// Status is how the federation looks from this node: the page of federation health.
type Status struct {
	Member         record.MemberID `json:"member"`
	Federation     string          `json:"federation" doc:"Federation id"`
	Name           string          `json:"name"`
	Synthetic      bool            `json:"synthetic" doc:"Founded for exercises"`
	Release        string          `json:"release" doc:"Version of this node's software"`
	CharterVersion uint64          `json:"charter_version"`
	CharterFrozen  bool            `json:"charter_frozen" doc:"Two successors of one version: an alarm"`
	Released       bool            `json:"released" doc:"What is written here leaves the node"`
	Kafka          string          `json:"kafka" enum:"up,down,none"`
	Capabilities   []Capability    `json:"capabilities" doc:"What this node can do just now"`
	Members        []MemberStatus  `json:"members" doc:"Every member of the charter, this one too"`
	Streams        []StreamStatus  `json:"streams"`
	SpotChecks     SpotCheckStatus `json:"spot_checks"`
	Disks          []DiskStatus    `json:"disks" doc:"Disks that this node writes to"`
	Calendar       CalendarStatus  `json:"calendar"`
	Alarms         []string        `json:"alarms" doc:"Codes of what a person must look at"`
	Advice         []Advice        `json:"advice" doc:"What to do, the most urgent first; empty when nothing is"`
}

// DiskStatus is how full a disk is that the node writes to.
type DiskStatus struct {
	Place       string  `json:"place" enum:"data,database" doc:"What lies there: the data folder, or SQLite's file when that is on another disk"`
	UsedPercent float64 `json:"used_percent" doc:"As df says it"`
	FreeBytes   int64   `json:"free_bytes"`
}

// CalendarStatus says of which years no working day can be counted: a year without a calendar is never guessed (domain.md L58).
type CalendarStatus struct {
	Missing       int `json:"missing,omitzero" doc:"This year, if its working days are not known: terms in working days have no last day"`
	Ending        int `json:"ending,omitzero" doc:"Next year, from 1 December on, if its working days are not known"`
	WeekendsAlone int `json:"weekends_alone,omitzero" doc:"This or next year, where the bureau chose to count weekends alone"`
}

// SpotCheckStatus counts on-the-spot check numbers that wait for a case, a lead or a reason.
type SpotCheckStatus struct {
	Untied     int `json:"untied"`
	Overdue    int `json:"overdue" doc:"Past the third working day"`
	NoCalendar int `json:"no_calendar,omitzero" doc:"A year whose working days this node does not know: some cannot be told overdue"`
}

// MemberStatus is a member as this node knows it.
type MemberStatus struct {
	Member         record.MemberID `json:"member"`
	Name           string          `json:"name"`
	Self           bool            `json:"self" doc:"This node's own"`
	State          string          `json:"state" enum:"active,left,removed"`
	TestOnly       bool            `json:"test_only"`
	HeardSecAgo    int64           `json:"heard_s_ago" doc:"Since its last head exchange with this node; -1 if there was none"`
	Down           bool            `json:"down" doc:"It does not answer: questions do not wait for it, head exchanges find out when it is back"`
	ClockOffset    *int64          `json:"clock_offset_s" doc:"Its clock less ours in seconds, to a second; null if it has not told"`
	Release        string          `json:"release" doc:"Version of its software; empty if it has not told"`
	CharterVersion uint64          `json:"charter_version" doc:"That it held at its last head exchange; 0 if there was none"`
	EraseOverdue   int             `json:"erase_overdue" doc:"Corrections, withdrawals and erasures of this bureau that it has not shown to have applied after 72 hours"`
	Keys           []KeyStatus     `json:"keys" doc:"Its public keys in use, and its revoked signing keys"`
}

// KeyStatus is one public key of a member.
type KeyStatus struct {
	Kind     string `json:"kind" enum:"sign,tls,kem,sign_revoked"`
	Name     string `json:"name,omitempty" doc:"Key id of a signing key"`
	Since    string `json:"since" doc:"Day of the charter version that first named it; empty while a statement alone names it"`
	AgeDays  int    `json:"age_days" doc:"-1 while a statement alone names it"`
	DaysLeft *int   `json:"days_left,omitempty" doc:"Until its rotation is due; negative = overdue"`
}

// StreamStatus is how far this node is with one stream.
type StreamStatus struct {
	Stream         string            `json:"stream"`
	Size           uint64            `json:"size" doc:"Records stored and verified"`
	Applied        uint64            `json:"applied" doc:"Records before the first pending part"`
	Indexed        uint64            `json:"indexed" doc:"Records that a question is answered from"`
	Signed         uint64            `json:"signed" doc:"Size of the newest signed checkpoint"`
	Seen           uint64            `json:"seen" doc:"Newest size that anybody showed; more than applied = lag"`
	LagSeconds     int64             `json:"lag_s" doc:"Since when this node has seen it behind"`
	PendingParts   int               `json:"pending_parts" doc:"Parts that this node is entitled to and does not have yet"`
	Unusable       map[string]int    `json:"unusable" doc:"Quarantine: proven records without effect here, by reason"`
	Receipts       int               `json:"receipts" doc:"Active members, the origin included, whose newest receipt covers the newest checkpoint"`
	WithoutReceipt []record.MemberID `json:"without_receipt,omitempty" doc:"The others"`
	Frozen         string            `json:"frozen,omitempty" doc:"Why nothing more is applied"`
}

// Capability is one thing that the node can or cannot do just now.
type Capability struct {
	Name  string `json:"name" doc:"write, ask, exchange, kafka, redis, …"`
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty" doc:"Stable code when it is not"`
	// Optional capabilities do not make the node unready: it works on without them.
	Optional bool `json:"optional"`
}

type statusOut struct{ Body Status }

func (h *people) statusRoutes(api huma.API) {
	o := h.op(api, auth.SeeStatus, "status", http.MethodGet, "status", "Health of the federation 联盟状态", http.StatusOK)
	o.Tags = []string{"status"}
	register(api, o, func(ctx context.Context, _ *nothing) (*statusOut, error) {
		s, err := h.Status(ctx)
		return &statusOut{s}, err
	})
}

// ready answers probes: all capabilities, or one by name. It says codes only, and needs no sign-in.
func (h *people) ready(c echo.Context) error {
	l := lineOf(c.Request().Context())
	l.route = "/readyz"
	all := h.Ready(c.Request().Context())
	if name := c.Param("capability"); name != "" {
		for _, k := range all {
			if k.Name == name {
				return capabilities(c, k.Ready, []Capability{k})
			}
		}
		return problem("not_found")
	}
	ok := true
	for _, k := range all {
		ok = ok && (k.Ready || k.Optional)
	}
	return capabilities(c, ok, all)
}

func capabilities(c echo.Context, ok bool, list []Capability) error {
	status := http.StatusOK
	if !ok {
		status = http.StatusServiceUnavailable
	}
	b, err := json.Marshal(struct {
		Ready        bool         `json:"ready"`
		Capabilities []Capability `json:"capabilities"`
	}{ok, list})
	if err != nil {
		return err
	}
	return c.Blob(status, "application/json", b)
}

// collector reports whether a request comes from where metrics are read without sign-in.
func (h *people) collector(r *http.Request) bool {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	from := a.Addr().Unmap()
	return from.IsLoopback() || slices.ContainsFunc(h.MetricsFrom, func(p netip.Prefix) bool { return p.Contains(from) })
}

// metrics answers a collector, or whoever may see metrics.
func (h *people) metrics(c echo.Context) error {
	r := c.Request()
	lineOf(r.Context()).route = "/metrics"
	if !h.collector(r) {
		token, err := h.tokenOf(r)
		if err != nil {
			return toProblem(r.Context(), err)
		}
		p, err := h.People.Verify(r.Context(), token)
		if err != nil {
			return toProblem(r.Context(), err)
		}
		if !p.May(auth.SeeMetrics) {
			return refusedFor(r.Context(), "forbidden", func(of context.Context) error { return h.People.Refused(of, p, "metrics", auth.SeeMetrics) })
		}
	}
	promhttp.HandlerFor(h.Gatherer, promhttp.HandlerOpts{}).ServeHTTP(c.Response(), r)
	return nil
}
