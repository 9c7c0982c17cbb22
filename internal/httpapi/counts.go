package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/transfer"
)

// countIn is a question in the format of `pilin count`: the decoder of package transfer reads it, so that file and
// request mean the same.
type countIn struct {
	Body payload
}

type countOut struct {
	Body payload
}

func (h *people) countRoutes(api huma.API) {
	o := h.op(api, auth.Count, "count", http.MethodPost, "count", "Count the penalties that are brought along 计次测算", http.StatusOK)
	o.Tags = []string{"count"}
	o.Description = "Input and output: docs/design/count.md. A pure reckoning over what the request holds; it reads no record of this node."
	register(api, o, h.count)
}

// count reads no record, so there is no look-up to audit; who reckoned, by which rule and with which alert stands in the
// request's line. Nothing of a person does.
func (h *people) count(ctx context.Context, in *countIn) (*countOut, error) {
	q, err := transfer.Decode(in.Body)
	if err != nil {
		var refused *transfer.Refused
		if errors.As(err, &refused) {
			return nil, violations([]schemas.Violation{refused.Violation})
		}
		return nil, err
	}
	r := transfer.Count(q)
	lineOf(ctx).note(slog.String("rule", r.Rule), slog.String("alert", string(r.Alert)), slog.Int("answered", r.Answered), slog.Int("total", r.Total))
	b, err := r.Encode(nil)
	if err != nil {
		return nil, err
	}
	return &countOut{b}, nil
}
