package httpapi

import (
	"context"

	"github.com/pilinhub/pilin/blacklist"
)

// penaltyStatusIn is one status of a published penalty (schema penalty.status).
type penaltyStatusIn struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Writing
	Body struct {
		StepBody
		Status       string                 `json:"status" maxLength:"20" doc:"served, remedy_event, suspended, lifted, voided, objection, transferred, photo_compared, confirmed"`
		ServedAt     string                 `json:"served_at,omitempty" maxLength:"10"`
		ServiceMode  string                 `json:"service_mode,omitempty" maxLength:"8"`
		ServiceProof payload                `json:"service_proof,omitempty"`
		AnnouncedAt  string                 `json:"announced_at,omitempty" maxLength:"10"`
		RemedyEvent  *blacklist.RemedyEvent `json:"remedy_event,omitempty"`
		RemedyState  string                 `json:"remedy_state,omitempty" maxLength:"40"`
		Outcome      string                 `json:"outcome,omitempty" maxLength:"40"`

		ObjectionAt   string   `json:"objection_at,omitempty" maxLength:"10" doc:"Of objection: day on which any member received it"`
		TransferredAt string   `json:"transferred_at,omitempty" maxLength:"10" doc:"Of transferred: day on which the police received it"`
		ComparedAt    string   `json:"compared_at,omitempty" maxLength:"10" doc:"Of photo_compared"`
		Officers      []string `json:"officers,omitempty" maxItems:"10" doc:"Of photo_compared: certificate numbers, two at least"`
		Confirms      string   `json:"confirms,omitempty" maxLength:"40" doc:"Of confirmed: the reason for which the count waits and that the legal reviewer has decided"`
	}
}

// penaltyStatus records what happened to a published penalty since.
func (h *people) penaltyStatus(ctx context.Context, in *penaltyStatusIn) (*writtenOut, error) {
	b := &in.Body
	d, err := h.Register.PenaltyStatus(ctx, in.request(ctx, "penalties/"+in.ID+"/status"), on(in.ID, b.Version), blacklist.PenaltyChange{Change: b.change(),
		Status: b.Status, ServedAt: b.ServedAt, ServiceMode: b.ServiceMode, ServiceProof: []byte(b.ServiceProof), AnnouncedAt: b.AnnouncedAt,
		RemedyEvent: b.RemedyEvent, RemedyState: b.RemedyState, Outcome: b.Outcome, ObjectionAt: b.ObjectionAt, TransferredAt: b.TransferredAt,
		ComparedAt: b.ComparedAt, Officers: b.Officers, Confirms: b.Confirms})
	return written(ctx, d, err)
}
