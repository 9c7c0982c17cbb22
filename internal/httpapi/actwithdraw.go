package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

// ActWithdrawn is one withdrawal of signatures: a record in this bureau's audit stream.
type ActWithdrawn struct {
	Account     string    `json:"account"`
	Certificate string    `json:"certificate,omitempty"`
	As          string    `json:"as" enum:"signer,legal_reviewer"`
	Reason      string    `json:"reason"`
	At          time.Time `json:"at"`
	Record      string    `json:"record" doc:"Proven at /records/{record}/proof"`
}

type withdrawActIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		Reason string `json:"reason" maxLength:"800" doc:"4 to 200 characters, without the number of a person"`
	}
}

type actRowOut struct{ Body ActRow }

func (h *people) withdrawRoute(api huma.API) {
	o := h.op(api, auth.TakeBack, "withdraw-act", http.MethodPost, "asks/{id}/act/withdraw", "Take signatures under an act back, with a reason 撤回签认", http.StatusOK)
	o.Tags = []string{"asks"}
	o.Description = "A legal reviewer who signed nothing of the act ends it at once; a signer takes back his own, and the act ends when every signer has. Each withdrawal is a record (act.withdrawn). The question may have ended."
	register(api, o, h.withdrawAct)
}

// withdrawAct takes signatures back. The record is durable before it counts; an open question is then asked anew for whoever
// opened it, so that those who watch hear of the fall.
func (h *people) withdrawAct(ctx context.Context, in *withdrawActIn) (*actRowOut, error) {
	ask, err := record.ParseBits128(in.ID)
	if err != nil {
		return nil, problem("not_found")
	}
	reason, ok := federation.PlainReason(in.Body.Reason)
	if !ok {
		return nil, &federation.Refusal{Code: federation.RefusedReason, Pointer: "/reason"}
	}
	var q *openQuestion
	if h.Open != nil {
		q = h.Open.get(in.ID)
	}
	if q != nil {
		q.asking.Lock()
		defer q.asking.Unlock()
	}
	act, err := h.recordWithdrawal(ctx, ask, reason)
	if err != nil {
		return nil, err
	}
	if q != nil {
		if err := h.askForOwner(ctx, q, "act"); err != nil {
			return nil, err
		}
	}
	return &actRowOut{rowOf(&act, transfer.ActID(ask))}, nil
}

// recordWithdrawal appends a withdrawal, unless it stands already, and returns the act after it. The version that is taken
// decides between two who act at once.
func (h *people) recordWithdrawal(ctx context.Context, ask record.Bits128, reason string) (transfer.Act, error) {
	who := principalOf(ctx)
	for attempt := 1; ; attempt++ {
		act, err := h.actOf(ctx, ask)
		if err != nil {
			return act, err
		}
		w := transfer.ActWithdrawal{Ask: ask, Account: who.Account, Certificate: who.Certificate, Reason: reason, At: h.Now()}
		if !w.Takes(&act) {
			w.Review = slices.Contains(who.Roles, auth.LegalReviewer)
			mine := func(b transfer.WithdrawnBy) bool { return b.Account == who.Account }
			switch {
			case slices.ContainsFunc(act.Leaving, mine), act.State() == transfer.ActWithdrawn && (w.Review || slices.ContainsFunc(act.Withdrawn, mine)):
				return act, nil
			case !w.Review || !w.Takes(&act): // of an act of others nobody is told that it exists
				return act, problem("not_found")
			}
		}
		d, err := w.Draft(h.Hub.Audit, act.Version, h.Random, h.Directory.Synthetic())
		if err != nil {
			return act, err
		}
		_, err = h.Log.Append(ctx, record.Append{Drafts: []record.Draft{d}})
		switch overtaken := errors.Is(err, record.ErrVersionTaken) || errors.Is(err, record.ErrDuplicateRecord); {
		case err == nil:
			noteRecord(ctx, d.ID)
			return h.actOf(ctx, ask)
		case !overtaken || attempt == signAttempts:
			return act, fmt.Errorf("record withdrawal: %w", err)
		}
	}
}

func withdrawals(all []transfer.WithdrawnBy) []ActWithdrawn {
	var out []ActWithdrawn
	for _, w := range all {
		as := "signer"
		if w.Review {
			as = "legal_reviewer"
		}
		out = append(out, ActWithdrawn{w.Account, w.Certificate, as, w.Reason, w.At, w.Record.String()})
	}
	return out
}
