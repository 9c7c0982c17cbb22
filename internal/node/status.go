package node

import (
	"context"
	"time"

	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// list returns rows of own subjects for the people's listener.
func (n *Node) list(ctx context.Context, f httpapi.Filter) ([]httpapi.Item, error) {
	rows, err := n.store.List(ctx, sqlstore.Filter{Stream: f.Stream, Type: f.Type, State: f.State, DayFrom: f.DayFrom, DayTo: f.DayTo, AfterSeq: f.Before, Limit: f.Limit})
	if err != nil {
		return nil, err
	}
	items := make([]httpapi.Item, len(rows))
	for i, r := range rows {
		items[i] = httpapi.Item{Subject: r.Subject, Type: r.Type, Version: r.Version, State: r.State, ValidUntil: r.ValidUntil, Day: r.Day, Seq: r.Seq}
	}
	return items, nil
}

// status tells how the federation looks from here.
func (n *Node) status(ctx context.Context) (httpapi.Status, error) {
	c := n.dir.Current()
	_, frozen := n.dir.Frozen()
	s := httpapi.Status{Member: n.cfg.Member, Federation: n.dir.Federation().String(), Name: c.Name, Synthetic: c.Synthetic, CharterVersion: c.Version,
		CharterFrozen: frozen, Released: n.t.release.Released(), Kafka: n.kafka(), Release: Release, Members: []httpapi.MemberStatus{}, Alarms: n.alarms.codes(), Capabilities: n.ready(ctx), Disks: n.disks()}
	days, err := namedOn(n.dir)
	if err != nil {
		return s, err
	}
	overdue, err := n.eraseOverdue(ctx)
	if err != nil {
		return s, err
	}
	for _, code := range n.dir.Members() {
		if m, ok := n.dir.Member(code); ok {
			st := n.memberStatus(m, c.Synthetic, days)
			st.EraseOverdue = overdue[code]
			s.Members = append(s.Members, st)
		}
	}
	if s.SpotChecks, err = n.untied(ctx); err != nil {
		return s, err
	}
	s.Calendar = calendarStatus(n.calendar, n.now())
	if s.Streams, err = n.streamStatus(ctx); err != nil {
		return s, err
	}
	s.Advice = httpapi.Advise(&s)
	return s, nil
}

// calendarStatus looks at this year and, in December, at the next one: the State Council's notice is usually out by then.
func calendarStatus(c *workflow.Calendar, now time.Time) (s httpapi.CalendarStatus) {
	day := now.In(record.CivilZone)
	year := day.Year()
	if !c.Knows(year) {
		s.Missing = year
	}
	if day.Month() == time.December && !c.Knows(year+1) {
		s.Ending = year + 1
	}
	for _, y := range []int{year + 1, year} {
		if c.WeekendsAlone(y) {
			s.WeekendsAlone = y
		}
	}
	return s
}

// untied counts the on-the-spot check numbers that wait.
func (n *Node) untied(ctx context.Context) (out httpapi.SpotCheckStatus, err error) {
	all, err := n.checks.Untied(ctx, "")
	out.Untied = len(all)
	for _, c := range all {
		if c.Overdue {
			out.Overdue++
		}
		out.NoCalendar = max(out.NoCalendar, c.NoCalendar)
	}
	return out, err
}

// kafka says whether the courier works: up, down or none.
func (n *Node) kafka() string {
	switch {
	case n.t.broker == nil:
		return "none"
	case n.t.kafkaUp.Load():
		return "up"
	}
	return "down"
}

// ready examines what the node can do just now.
func (n *Node) ready(ctx context.Context) []httpapi.Capability {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	capability := func(name string, ok, optional bool, why string) httpapi.Capability {
		c := httpapi.Capability{Name: name, Ready: ok, Optional: optional}
		if !ok {
			c.Why = why
		}
		return c
	}
	writable := n.store.Ready(ctx) == nil
	own := record.Stream(n.cfg.Member, record.Records)
	h, err := n.store.Head(ctx, own)
	indexed := err == nil && n.index.Applied(own) >= h.Applied
	heard := false
	for _, m := range n.roster.Peers() {
		if age, ok := n.age(m); ok && age < time.Minute {
			heard = true
		}
	}
	local := "index_behind"
	if !writable {
		local = "storage" // a look-up that cannot be audited is not answered
	}
	out := []httpapi.Capability{
		capability("publish", writable, false, "storage"),
		capability("audit_writable", writable, false, "storage"),
		capability("lookup_local", writable && indexed, false, local),
		capability("lookup_federated", heard || len(n.roster.Peers()) == 0, true, "no_peer_heard"),
		capability("release", n.t.release.Released(), true, n.t.release.Phase().String()),
		capability("relay", n.kafka() != "down", true, "kafka_down"),
	}
	out = append(out, capability("disk", n.roomy(), true, "disk_filling"))
	out = append(out, capability("calendar", n.calendar.Knows(n.now().In(record.CivilZone).Year()), true, "calendar_missing"))
	if n.redis != nil {
		out = append(out, capability("redis", n.redis.Ping(ctx) == nil, true, "redis_down"))
	}
	return out
}

// OpenAPI returns the OpenAPI document of a node's two listeners.
func OpenAPI() ([]byte, error) { return httpapi.OpenAPI() }
