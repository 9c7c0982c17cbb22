package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// SpotCheck 现场核查号 is an on-the-spot check number: the work reference of a visit for which no case exists yet.
type SpotCheck struct {
	Number     string    `json:"number"`
	Account    string    `json:"account"`
	Cert       string    `json:"cert_no"`
	SecondCert string    `json:"second_cert_no"`
	Place      string    `json:"place"` // county, GB/T 2260
	Issued     time.Time `json:"issued"`
	State      string    `json:"state"`    // untied, tied, closed
	LastDay    string    `json:"last_day"` // untied: last civil day to tie or close it in time
	Overdue    bool      `json:"overdue"`
	NoCalendar int       `json:"no_calendar"` // year whose working days the node does not know; then LastDay is empty
	WorkRef    *WorkRef  `json:"work_ref"`
	Reason     string    `json:"reason"`
}

// Ref returns the number as a question's work reference.
func (s SpotCheck) Ref() WorkRef { return WorkRef{Kind: "spot_check", Number: s.Number} }

// TakeSpotCheck takes a number for a visit with a second officer, by his certificate number; place is a county code, empty
// for the bureau's own. The key makes a repeat get the same number; empty draws one. A *Problem says why there is none:
// spot_checks_untied while three wait, certificate_missing, …
func (d *Desk) TakeSpotCheck(ctx context.Context, second, place, key string) (SpotCheck, error) {
	if key == "" {
		key = NewKey()
	}
	body := struct {
		Second string `json:"second_certificate"`
		Place  string `json:"place,omitempty"`
	}{second, place}
	var s SpotCheck
	err := d.call(ctx, http.MethodPost, "/api/v1/spot-checks", key, body, &s)
	var unsent *url.Error
	if errors.As(err, &unsent) && ctx.Err() == nil {
		err = d.call(ctx, http.MethodPost, "/api/v1/spot-checks", key, body, &s)
	}
	return s, err
}

// UntiedSpotChecks lists the numbers that wait for a case, a lead or a reason, oldest first: one's own, or everybody's for
// reviewer, head, coordinator and auditor.
func (d *Desk) UntiedSpotChecks(ctx context.Context) ([]SpotCheck, error) {
	var out struct {
		Untied []SpotCheck `json:"untied"`
	}
	err := d.call(ctx, http.MethodGet, "/api/v1/spot-checks", "", nil, &out)
	return out.Untied, err
}

// TieSpotCheck ties a number to the case or lead (kind case or complaint) that came of the visit.
func (d *Desk) TieSpotCheck(ctx context.Context, number string, to WorkRef) (SpotCheck, error) {
	body := struct {
		Number  string  `json:"number"`
		WorkRef WorkRef `json:"work_ref"`
	}{number, to}
	var s SpotCheck
	err := d.call(ctx, http.MethodPost, "/api/v1/spot-checks/tie", "", body, &s)
	return s, err
}

// CloseSpotCheck closes a number of which neither came; a reason has 4 to 200 characters and no number of a person.
func (d *Desk) CloseSpotCheck(ctx context.Context, number, reason string) (SpotCheck, error) {
	body := struct {
		Number string `json:"number"`
		Reason string `json:"reason"`
	}{number, reason}
	var s SpotCheck
	err := d.call(ctx, http.MethodPost, "/api/v1/spot-checks/close", "", body, &s)
	return s, err
}
