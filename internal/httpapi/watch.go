package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// watchPath ends the paths of streams, which outlive the time of a request.
const watchPath = "/events"

type openIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
}

type openOut struct{ Body AskUpdate }

func (h *people) openRoutes(api huma.API) {
	op := func(act auth.Act, name, method, path, summary string) huma.Operation {
		o := h.op(api, act, name, method, "asks/{id}"+path, summary, http.StatusOK)
		o.Tags = []string{"asks"}
		return o
	}
	register(api, op(auth.Ask, "read-open-ask", http.MethodGet, "", "What an open question has come to 未结核查"), h.readOpen)
	watch := op(auth.Ask, "watch-ask", http.MethodGet, watchPath, "Hear of every change of an open question 关注")
	watch.Description = "Server-sent events: `count` with the data of read-open-ask, first the present one; `closed` with {\"reason\"} at the end: expired, replaced, rights; or stopping, when the node stops: it takes the question up again at its next start."
	watch.Responses = map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}}
	register(api, watch, h.watch)
}

// keepOpen keeps a question open after its first answer and tells until when; the zero time if it is not kept. What is told
// as kept open is durable.
func (h *people) keepOpen(ctx context.Context, a *federation.Answer, who auth.Principal, req federation.AskRequest, here map[record.RecordID]version, began map[record.StreamID]uint64) time.Time {
	now := h.Now()
	q := newOpenQuestion(a.Ask, req, who, now.Add(openFor).Truncate(time.Second))
	q.asked, q.began = now, began
	q.asking.Lock()
	defer q.asking.Unlock()
	if !h.Open.add(ctx, q) {
		return time.Time{}
	}
	err := h.take(ctx, q, a, who, here, "asked")
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "question not kept open", slog.String("ask", q.id), slog.String("err", scrub(err)))
	}
	if q.told.Seq == 0 {
		h.Open.drop(ctx, q, "stopping")
		return time.Time{}
	}
	return q.until
}

// opened finds an open question that the person may hear of; of any other nobody is told that it exists.
func (h *people) opened(ctx context.Context, id string) (*openQuestion, error) {
	if h.Open != nil {
		if q := h.Open.get(id); q != nil && q.may(principalOf(ctx)) {
			return q, nil
		}
	}
	return nil, problem("not_found")
}

func (h *people) readOpen(ctx context.Context, in *openIn) (*openOut, error) {
	q, err := h.opened(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &openOut{h.update(ctx, q)}, nil
}

// update returns what a question has come to, with the duty contacts of now.
func (h *people) update(ctx context.Context, q *openQuestion) AskUpdate {
	q.mu.Lock()
	told := q.told
	q.mu.Unlock()
	told.Duty = h.contacts(ctx, h.asked(&q.req))
	return told
}

// heartbeat is how often a stream shows that it lives, and at the latest looks at the watcher's rights again.
const heartbeat = 5 * time.Second

// watch streams an open question. The watcher's standing is looked at before each delivery.
func (h *people) watch(ctx context.Context, in *openIn) (*huma.StreamResponse, error) {
	q, err := h.opened(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	signal := make(chan struct{}, 1)
	q.mu.Lock()
	full := len(q.watchers) >= maxWatchers
	if !full {
		q.watchers[signal] = true
	}
	q.mu.Unlock()
	if full {
		return nil, problem("rate_limited")
	}
	who := principalOf(ctx)
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer func() {
			q.mu.Lock()
			delete(q.watchers, signal)
			q.mu.Unlock()
		}()
		h.stream(ctx, out, q, who, signal)
	}}, nil
}

func (h *people) stream(ctx context.Context, out huma.Context, q *openQuestion, who auth.Principal, signal <-chan struct{}) {
	out.SetHeader("Content-Type", "text/event-stream")
	out.SetStatus(http.StatusOK)
	control := http.NewResponseController(humaecho.Unwrap(out).Response())
	send := func(text string) bool {
		if err := control.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return false
		}
		_, err := out.BodyWriter().Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for last := 0; ; {
		now, err := h.People.Again(ctx, who)
		if err != nil || !q.may(now) {
			send("event: closed\ndata: {\"reason\":\"rights\"}\n\n")
			return
		}
		q.mu.Lock()
		told, closed := q.told, q.closed
		q.mu.Unlock()
		if told.Seq > last {
			told = h.update(ctx, q)
			b, err := json.Marshal(told)
			if err != nil || !send(fmt.Sprintf("id: %d\nevent: count\ndata: %s\n\n", told.Seq, b)) {
				return
			}
			last = told.Seq
		}
		if closed != "" {
			send("event: closed\ndata: {\"reason\":\"" + closed + "\"}\n\n")
			return
		}
		select {
		case <-signal:
		case <-ctx.Done():
			return
		case <-beat.C:
			if !send(": open\n\n") {
				return
			}
		}
	}
}
