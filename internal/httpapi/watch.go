package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// watchPath ends the paths of streams, which outlive the time of a request.
const watchPath = "/events"

type openIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
}

type openOut struct{ Body AskUpdate }

type actIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		At            string `json:"at" maxLength:"10" doc:"Day of the treating act; of a continuing one its last day"`
		Place         string `json:"place" pattern:"^[0-9]{6}$" doc:"County, GB/T 2260: of this bureau (domain.md §5.3)"`
		Qualification string `json:"qualification_at_act" maxLength:"40" doc:"Of the person on that day: none, forged, revoked, unknown, …"`
	}
}

func (h *people) openRoutes(api huma.API) {
	op := func(act auth.Act, name, method, path, summary string) huma.Operation {
		o := h.op(api, act, name, method, "asks/{id}"+path, summary, http.StatusOK)
		o.Tags = []string{"asks"}
		return o
	}
	register(api, op(auth.Ask, "read-open-ask", http.MethodGet, "", "What an open question has come to 未结核查"), h.readOpen)
	sign := op(auth.Ask, "sign-act", http.MethodPost, "/act", "Sign, for oneself, that a new treating act was met 签认新的诊疗行为")
	sign.Description = "Two officers with different certificates confirm an act, each under his own sign-in; a typed number confirms nothing."
	register(api, sign, h.signAct)
	watch := op(auth.Ask, "watch-ask", http.MethodGet, watchPath, "Hear of every change of an open question 关注")
	watch.Description = "Server-sent events: `count` with the data of read-open-ask, first the present one; `closed` with {\"reason\"} at the end: expired, replaced, rights, stopping."
	watch.Responses = map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}}
	register(api, watch, h.watch)
}

// keepOpen keeps a question open after its first answer and tells until when; the zero time if it is not kept.
func (h *people) keepOpen(ctx context.Context, a *federation.Answer, who auth.Principal, req federation.AskRequest, here map[record.RecordID]version) time.Time {
	now := h.Now()
	q := &openQuestion{id: a.Ask.String(), req: req, owner: who, until: now.Add(openFor), asked: now, watchers: map[chan struct{}]bool{}}
	q.take(ctx, h, a, who, here, "asked")
	if q.result == nil || !h.Open.add(q) {
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
	q.mu.Lock()
	defer q.mu.Unlock()
	return &openOut{q.told}, nil
}

// signAct lets an officer sign for himself. Whoever knows the question's id and may ask in this bureau may sign: the second
// officer has it from the first. The asking that follows is audited under the signer's account and certificate.
func (h *people) signAct(ctx context.Context, in *actIn) (*openOut, error) {
	who, b := principalOf(ctx), &in.Body
	if h.Open == nil {
		return nil, problem("not_found")
	}
	q := h.Open.get(in.ID)
	if q == nil {
		return nil, problem("not_found")
	}
	if !slices.Contains(who.Roles, auth.Officer) || who.Certificate == "" || !auth.MayAsk(who.Roles, q.req.Purpose) {
		return nil, problem("forbidden")
	}
	act, err := h.readAct(b.At, b.Place, b.Qualification)
	if err != nil {
		return nil, err
	}
	q.asking.Lock()
	defer q.asking.Unlock()
	if err := q.sign(act, who); err != nil {
		return nil, err
	}
	if err := h.askOpen(ctx, q, who, "act"); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return &openOut{q.told}, nil
}

// readAct reads an act that is signed: not of a day to come, and in this bureau's county (行政处罚法 arts. 22, 42).
func (h *people) readAct(at, place, qualification string) (transfer.NewAct, error) {
	day, err := identifier.ParseDate(at)
	if err != nil {
		return transfer.NewAct{}, violations([]schemas.Violation{{Pointer: "/at", Code: "format"}})
	}
	today, _ := identifier.ParseDate(record.CivilDay(h.Now()))
	if day.After(today) {
		return transfer.NewAct{}, violations([]schemas.Violation{{Pointer: "/at", Code: "date_future"}})
	}
	region, _, _ := strings.Cut(string(h.Directory.Self()), "-")
	if place != region && !(strings.HasSuffix(region, "00") && strings.HasPrefix(place, region[:4])) {
		return transfer.NewAct{}, violations([]schemas.Violation{{Pointer: "/place", Code: "act_elsewhere"}})
	}
	q, ok := transfer.ParseQualification(qualification)
	if !ok {
		return transfer.NewAct{}, violations([]schemas.Violation{{Pointer: "/qualification_at_act", Code: "enum"}})
	}
	return transfer.NewAct{At: day, Place: place, TreatingConfirmed: true, Qualification: q}, nil
}

// sign adds a signature. Two officers must have signed the same; until the second has signed, the first may sign anew.
func (q *openQuestion) sign(act transfer.NewAct, who auth.Principal) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.act != nil {
		same := q.act.At == act.At && q.act.Place == act.Place && q.act.Qualification == act.Qualification
		alone := len(q.act.Officers) == 1 && q.act.Officers[0] == who.Certificate
		switch {
		case same:
			act.Officers = q.act.Officers
		case !alone:
			return problem("act_differs")
		}
	}
	if !slices.Contains(act.Officers, who.Certificate) {
		act.Officers = append(slices.Clone(act.Officers), who.Certificate)
	}
	if !slices.ContainsFunc(q.signers, func(s auth.Principal) bool { return s.Account == who.Account }) {
		q.signers = append(q.signers, who)
	}
	q.act = &act
	return nil
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
