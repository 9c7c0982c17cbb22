package httpapi

import (
	"context"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// For the fuzz targets, which need no listener.
var (
	CheckJSON   = checkJSON
	Personal    = personal
	SafePointer = safePointer
	Scrub       = scrub
)

// Asked is a question that stays open, whose asking anew a test takes apart.
type Asked struct{ q *openQuestion }

// Asked makes room for a question, as a first answer does; false if there is none.
func (o *Open) Asked(ctx context.Context, ask record.Bits128, req federation.AskRequest, account string, until time.Time) (Asked, bool) {
	q := newOpenQuestion(ask, req, auth.Principal{Account: account}, until)
	return Asked{q}, o.add(ctx, q)
}

// Answered is the end of an asking: what it came to is kept.
func (o *Open) Answered(ctx context.Context, a Asked) (kept bool, err error) {
	return o.keep(ctx, a.q, &AskUpdate{Seq: 1}, nil)
}
