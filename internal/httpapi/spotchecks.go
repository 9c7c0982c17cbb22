package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// SpotCheckBody is an on-the-spot check number with what became of it.
type SpotCheckBody struct {
	Number     string    `json:"number" doc:"现场核查号: the number of a work reference of kind spot_check"`
	Account    string    `json:"account" doc:"Account of the officer that took it"`
	Cert       string    `json:"cert_no"`
	SecondCert string    `json:"second_cert_no"`
	Place      string    `json:"place" doc:"County, GB/T 2260"`
	Issued     time.Time `json:"issued"`
	State      string    `json:"state" enum:"untied,tied,closed"`
	LastDay    string    `json:"last_day,omitempty" doc:"Untied: last civil day on which it is tied or closed in time, the third working day after its own"`
	Overdue    bool      `json:"overdue"`
	NoCalendar int       `json:"no_calendar,omitzero" doc:"Year whose working days are not known, so that nobody can tell the last day"`
	WorkRef    *workRef  `json:"work_ref,omitempty" doc:"Case or lead that it is tied to"`
	Reason     string    `json:"reason,omitempty" doc:"Why it was closed without one"`
}

type takeNumberIn struct {
	Writing
	Body struct {
		Second string `json:"second_certificate" maxLength:"20" doc:"执法证号 of the second officer on the spot"`
		Place  string `json:"place,omitempty" maxLength:"6" doc:"County of the spot, GB/T 2260; absent = this bureau's"`
	}
}

type tieNumberIn struct {
	Body struct {
		Number  string  `json:"number" maxLength:"40"`
		WorkRef workRef `json:"work_ref" doc:"kind case or complaint"`
	}
}

type closeNumberIn struct {
	Body struct {
		Number string `json:"number" maxLength:"40"`
		Reason string `json:"reason" maxLength:"800" doc:"4 to 200 characters, without the number of a person"`
	}
}

type spotCheckOut struct{ Body SpotCheckBody }

type spotChecksOut struct {
	Body struct {
		Untied []SpotCheckBody `json:"untied" doc:"Oldest first; one's own, or for those who supervise everybody's"`
	}
}

func (h *people) spotCheckRoutes(api huma.API) {
	op := func(act auth.Act, id, method, path, summary string, status int) huma.Operation {
		o := h.op(api, act, id, method, path, summary, status)
		o.Tags = []string{"spot checks"}
		return o
	}
	register(api, op(auth.TakeNumber, "take-spot-check", http.MethodPost, "spot-checks", "Take an on-the-spot check number 取现场核查号", http.StatusCreated), h.takeNumber)
	register(api, op(auth.SeeNumbers, "list-spot-checks", http.MethodGet, "spot-checks", "Numbers that wait for a case or a reason 未了结的现场核查号", http.StatusOK), h.untiedNumbers)
	register(api, op(auth.SettleNumber, "tie-spot-check", http.MethodPost, "spot-checks/tie", "Tie a number to a case or lead 并入案件或线索", http.StatusOK), h.tieNumber)
	register(api, op(auth.SettleNumber, "close-spot-check", http.MethodPost, "spot-checks/close", "Close a number with a reason 说明理由销号", http.StatusOK), h.closeNumber)
}

func (h *people) takeNumber(ctx context.Context, in *takeNumberIn) (*spotCheckOut, error) {
	who := principalOf(ctx)
	over, err := h.People.CertificateOver(ctx, in.Body.Second)
	if err != nil {
		return nil, err
	}
	s, err := h.SpotChecks.Issue(ctx, federation.Visit{Account: who.Account, Certificate: who.Certificate, Second: in.Body.Second, SecondOver: over, Place: in.Body.Place, Key: in.Key})
	if err != nil {
		return nil, err
	}
	return h.spotCheck(s)
}

// spotCheck answers with one number.
func (h *people) spotCheck(s federation.SpotCheck) (*spotCheckOut, error) {
	u, err := h.SpotChecks.Due(s)
	return &spotCheckOut{spotCheckText(&u)}, err
}

// supervises reports whether a person sees and settles the numbers of others.
func supervises(who auth.Principal) bool { return auth.May(who.Roles, auth.Supervise) }

func (h *people) untiedNumbers(ctx context.Context, _ *nothing) (*spotChecksOut, error) {
	who := principalOf(ctx)
	account := who.Account
	if supervises(who) {
		account = ""
	}
	all, err := h.SpotChecks.Untied(ctx, account)
	if err != nil {
		return nil, err
	}
	out := &spotChecksOut{}
	out.Body.Untied = []SpotCheckBody{}
	for i := range all {
		out.Body.Untied = append(out.Body.Untied, spotCheckText(&all[i]))
	}
	return out, nil
}

func (h *people) tieNumber(ctx context.Context, in *tieNumberIn) (*spotCheckOut, error) {
	return h.settle(ctx, in.Body.Number, func(by string) (federation.SpotCheck, error) {
		return h.SpotChecks.Tie(ctx, in.Body.Number, by, federation.WorkRef(in.Body.WorkRef))
	})
}

func (h *people) closeNumber(ctx context.Context, in *closeNumberIn) (*spotCheckOut, error) {
	return h.settle(ctx, in.Body.Number, func(by string) (federation.SpotCheck, error) {
		return h.SpotChecks.Close(ctx, in.Body.Number, by, in.Body.Reason)
	})
}

// settle ends a number of one's own, or of others for those who supervise. Another's number is not there for an officer.
func (h *people) settle(ctx context.Context, number string, how func(by string) (federation.SpotCheck, error)) (*spotCheckOut, error) {
	who := principalOf(ctx)
	s, err := h.SpotChecks.Store.SpotCheck(ctx, number)
	if err != nil {
		return nil, err
	}
	if s.Account != who.Account && s.Second != who.Certificate && !supervises(who) {
		return nil, record.ErrNotFound
	}
	if s, err = how(who.Account); err != nil {
		return nil, err
	}
	return h.spotCheck(s)
}

func spotCheckText(s *federation.UntiedCheck) SpotCheckBody {
	out := SpotCheckBody{Number: s.Number, Account: s.Account, Cert: s.Certificate, SecondCert: s.Second, Place: s.Place, Issued: s.Issued, State: "untied",
		LastDay: s.LastDay, Overdue: s.Overdue, NoCalendar: s.NoCalendar, Reason: s.Reason}
	switch {
	case s.Reason != "":
		out.State = "closed"
	case !s.Untied():
		out.State = "tied"
		ref := workRef(s.Tied)
		out.WorkRef = &ref
	}
	return out
}
