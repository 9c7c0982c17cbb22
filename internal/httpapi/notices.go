package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// This file is the stream of what somebody at the desk should know. A listener has no queue: he has a place in the logs,
// and the next records are read when the last ones have been written to his connection. So memory does not grow with how
// slow he reads; who does not read within heartbeat is cut and resumes with Last-Event-ID.

// Bounds of listening.
const (
	maxListeners   = 128 // of a node
	maxListenersOf = 4   // of an account; four of the sixteen requests that it may have running
	noticePage     = 50  // records read at once
	noticeTick     = time.Second
	holdAtMost     = time.Minute
	importsTold    = 10 // newest imports that are looked at
)

// hearing counts who listens and keeps the heads that all of them look at.
type hearing struct {
	mu    sync.Mutex
	by    map[string]int
	n     int
	heads []record.Head
	read  time.Time
}

func (g *hearing) begin(account string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n >= maxListeners || g.by[account] >= maxListenersOf {
		return false
	}
	if g.by == nil {
		g.by = map[string]int{}
	}
	g.n++
	g.by[account]++
	return true
}

func (g *hearing) end(account string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.by[account]--; g.by[account] == 0 {
		delete(g.by, account)
	}
}

// headsNow reads the heads, for all listeners together at most once in noticeGap.
func (h *people) headsNow(ctx context.Context) ([]record.Head, error) {
	g := &h.hearing
	g.mu.Lock()
	defer g.mu.Unlock()
	if age := time.Since(g.read); g.heads != nil && age < noticeGap {
		return g.heads, nil
	}
	all, err := h.Log.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	own := record.Stream(h.Directory.Self(), record.Local)
	g.heads = slices.DeleteFunc(all, func(hd record.Head) bool { return hd.Stream.Kind() != record.Records && hd.Stream != own })
	g.read = time.Now()
	return g.heads, nil
}

type noticesIn struct {
	Last string `header:"Last-Event-ID" maxLength:"12288" doc:"Id of the last event that was heard; absent = from now on"`
}

func (h *people) noticeRoutes(api huma.API) {
	o := h.op(api, auth.Hear, "hear", http.MethodGet, "events", "Hear what this desk should know 待知事项", http.StatusOK)
	o.Tags = []string{"events"}
	o.Description = "Server-sent events. First `open`; then `entry`, `applied` (all members have applied a withdrawal, suspension or correction of this bureau), `draft`, `operation`, `ask`, `import` and `alarm` with a Notice each, cut for the person: rights are looked at before each one. " +
		"A record whose content is gone by then is not told, what ended it is. An event's id is a place in the logs: with it as Last-Event-ID nothing is missed, also after the node was started anew. Questions, imports and alarms are told as they stand and can come twice. " +
		"`closed` with {\"reason\"} ends it: rights, or stopping. A comment comes at least every five seconds; who does not read for that long is cut. At most four streams for an account."
	o.Responses = map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}}
	api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Notice](), true, "Notice")
	register(api, o, h.hear)
}

func (h *people) hear(ctx context.Context, in *noticesIn) (*huma.StreamResponse, error) {
	heads, err := h.headsNow(ctx)
	if err != nil {
		return nil, err
	}
	at := place{}
	if in.Last != "" {
		var ok bool
		if at, ok = parsePlace(in.Last); !ok {
			return nil, problem("header_invalid")
		}
		// After a restore the drafts go on where the copy ended, and others than those that were told stand at the places behind it.
		// Own and foreign records have their places for ever.
		local := record.Stream(h.Directory.Self(), record.Local)
		if was, ok := at[local]; ok {
			at[local] = 0
			for _, hd := range heads {
				if hd.Stream == local {
					at[local] = min(was, hd.Size)
				}
			}
		}
	} else {
		for _, hd := range heads {
			at[hd.Stream] = hd.Size
		}
		if at[appliedPlace], err = h.appliedBy(ctx, 0, at[record.Stream(h.Directory.Self(), record.Records)]); err != nil {
			return nil, err
		}
	}
	who := principalOf(ctx)
	if !h.hearing.begin(who.Account) {
		p := problem("rate_limited")
		p.retryAfter = heartbeat
		return nil, p
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer h.hearing.end(who.Account)
		l := &listening{h: h, out: out, control: http.NewResponseController(humaecho.Unwrap(out).Response()), who: who, at: at, resumed: in.Last != "", held: map[record.StreamID]held{}}
		out.SetHeader("Content-Type", "text/event-stream")
		out.SetStatus(http.StatusOK)
		l.run(ctx)
	}}, nil
}

// listening is one connection.
type listening struct {
	h       *people
	out     huma.Context
	control *http.ResponseController
	who     auth.Principal
	at      place
	resumed bool

	held    map[record.StreamID]held
	asks    map[string]int    // open question: last update told
	imports map[string]string // import: step and state; nil before the first look
	alarms  []string
}

// errGone ends a stream: the other end does not read, or may no longer.
var errGone = errors.New("listener gone")

// run tells until the listener is gone, may hear no more, or the node stops.
func (l *listening) run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var ended <-chan struct{}
	if o := l.h.Open; o != nil {
		defer o.hear(wake)()
		ended = o.ended
	}
	if l.send("retry: 1000\n", "open", struct{}{}) != nil {
		return
	}
	tick, beat := time.NewTicker(noticeTick), time.NewTicker(heartbeat)
	defer tick.Stop()
	defer beat.Stop()
	for states := true; ; {
		if err := l.look(ctx, states); errors.Is(err, errGone) || ctx.Err() != nil {
			return
		} else if err != nil {
			// The log cannot be read just now: the next look begins where this one ended.
			lineOf(ctx).code = "storage_full"
		}
		states = false
		select {
		case <-ctx.Done():
			return
		case <-ended:
			_ = l.send("", "closed", closedText{"stopping"})
			return
		case <-wake:
		case <-tick.C:
		case <-beat.C:
			states = true
			if l.write("id: "+l.at.String()+"\n: open\n\n") != nil {
				return
			}
		}
	}
}

type closedText struct {
	Reason string `json:"reason"`
}

func (l *listening) write(text string) error {
	if err := l.control.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errGone
	}
	if _, err := l.out.BodyWriter().Write([]byte(text)); err != nil {
		return errGone
	}
	if l.control.Flush() != nil {
		return errGone
	}
	return nil
}

func (l *listening) send(before, event string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s: %w", event, err)
	}
	return l.write(before + "id: " + l.at.String() + "\nevent: " + event + "\ndata: " + string(b) + "\n\n")
}

// rights looks at the person anew. Who may hear nothing any longer is told so and cut.
func (l *listening) rights(ctx context.Context) error {
	now, err := l.h.People.Again(ctx, l.who)
	var no *auth.Refusal
	switch {
	case errors.As(err, &no), err == nil && !now.May(auth.Hear):
		_ = l.send("", "closed", closedText{"rights"})
		return errGone
	case err != nil:
		return err // nobody is told anything, and the stream stays
	}
	l.who = now
	return nil
}

// tell tells one thing, if the person may hear of it now.
func (l *listening) tell(ctx context.Context, n told) error {
	if err := l.rights(ctx); err != nil {
		return err
	}
	if !auth.MayHear(l.who.Roles, n.Topic, n.Hearing) {
		return nil
	}
	if n.draft != nil {
		if ok, err := l.h.reachesSheet(ctx, l.who, n.draft); err != nil || !ok {
			return err
		}
	}
	n.Duty = l.h.contacts(ctx, l.h.concerned(&n))
	return l.send("", string(n.Topic), n.Notice)
}

// look tells what has come since the last look; states are what is told as it stands, looked at less often.
func (l *listening) look(ctx context.Context, states bool) error {
	if err := l.rights(ctx); err != nil {
		return err
	}
	heads, err := l.h.headsNow(ctx)
	if err != nil {
		return err
	}
	for _, hd := range heads {
		if err := l.records(ctx, hd); err != nil {
			return err
		}
	}
	if err := l.questions(ctx); err != nil || !states {
		return err
	}
	return errors.Join(l.applied(ctx), l.spreadsheets(ctx), l.alarm(ctx))
}

// records tells what stands in a stream from the listener's place on.
func (l *listening) records(ctx context.Context, hd record.Head) error {
	for s := hd.Stream; l.at[s] < hd.Size; {
		groups, err := l.h.Log.Groups(ctx, s, l.at[s], noticePage)
		if err != nil {
			return fmt.Errorf("read %s: %w", s, err)
		}
		before := l.at[s]
		for _, g := range groups {
			for i := range g.Records {
				st := &g.Records[i]
				if st.Seq < l.at[s] {
					continue
				}
				if awaited(st) && l.holds(s, st.Seq) {
					return nil
				}
				n, ok, err := l.h.noticeOf(ctx, st)
				if err != nil {
					return err
				}
				l.at[s] = st.Seq + 1 // before it is told: an event's id is the place behind it
				if ok {
					if err := l.tell(ctx, n); err != nil {
						l.at[s] = st.Seq
						return err
					}
				}
			}
		}
		if l.at[s] == before {
			return nil // taken back meanwhile
		}
	}
	return nil
}

// awaited reports whether what says the meaning of a record is on its way here: of a sealed one its meta, of a status its
// card.
func awaited(st *record.Stored) bool {
	return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool {
		return (p.Name == record.Meta || p.Name == record.Card) && p.State == record.PartPending
	})
}

// held is what a listener waits for in one stream.
type held struct {
	seq   uint64
	since time.Time
}

// holds reports whether a record that is awaited is still waited for: it is told when its content is here, and so is what
// came after it, for a withdrawal must not wait longer than holdAtMost behind another record's missing part.
func (l *listening) holds(s record.StreamID, seq uint64) bool {
	now := time.Now()
	if w, ok := l.held[s]; !ok || w.seq != seq {
		l.held[s] = held{seq, now}
		return true
	}
	return now.Sub(l.held[s].since) < holdAtMost
}

// questions tells of the person's open questions what they came to.
func (l *listening) questions(ctx context.Context) error {
	if l.h.Open == nil {
		return nil
	}
	now := map[string]int{}
	for _, q := range l.h.Open.all() {
		if !q.may(l.who) {
			continue
		}
		q.mu.Lock()
		u := q.told
		q.mu.Unlock()
		last, known := l.asks[q.id]
		if now[q.id] = u.Seq; u.Seq <= last || !known && l.asks == nil && !l.resumed {
			continue
		}
		if err := l.tell(ctx, told{Notice: Notice{Topic: auth.TopicAsk, Ask: q.id, Seq: u.Seq, Event: u.Cause, Direction: u.Direction}}); err != nil {
			return err
		}
	}
	l.asks = now
	return nil
}

// spreadsheets tells of the newest imports that work on them has ended.
func (l *listening) spreadsheets(ctx context.Context) error {
	if l.h.Intake == nil || !l.who.May(auth.ListOwn) {
		return nil
	}
	all, err := l.h.Intake.Imports(ctx, importsTold)
	if err != nil {
		return err
	}
	within, err := l.h.reach(ctx, l.who)
	if err != nil {
		return err
	}
	now := map[string]string{}
	for i := range all {
		if all[i].By != l.who.Account && !within(all[i].Unit) {
			continue
		}
		w := all[i].Work
		now[all[i].ID] = w.Step + " " + w.State
		if w.State == "running" || l.imports[all[i].ID] == now[all[i].ID] || l.imports == nil && !l.resumed {
			continue
		}
		if err := l.tell(ctx, told{Notice: Notice{Topic: auth.TopicImport, Import: all[i].ID, Event: w.Step, State: w.State}}); err != nil {
			return err
		}
	}
	l.imports = now
	return nil
}

// alarm tells what a person must look at when that changes; with the first look, if there is any.
func (l *listening) alarm(ctx context.Context) error {
	if !l.who.May(auth.SeeStatus) {
		return nil
	}
	s, err := l.h.Status(ctx)
	if err != nil {
		return err
	}
	now := slices.Sorted(slices.Values(s.Alarms))
	if slices.Equal(now, l.alarms) {
		return nil
	}
	if err := l.tell(ctx, told{Notice: Notice{Topic: auth.TopicAlarm, Alarms: now}}); err != nil {
		return err
	}
	l.alarms = now
	return nil
}
