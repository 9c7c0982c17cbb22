package blacklist

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Shift 班次 is one turn of duty: a civil day, from and to as HH:MM at +08:00. One whose end is not after its beginning ends
// on the next day.
type Shift struct {
	Date   string `json:"date"`
	From   string `json:"from"`
	To     string `json:"to"`
	Person string `json:"person"`
	Deputy string `json:"deputy"`
}

// Roster 值班表 is a bureau's plan of one week (domain.md T30).
type Roster struct {
	Week       string // ISO 8601
	PhoneDay   string
	PhoneNight string
	Shifts     []Shift // empty where the body is not here
}

// RosterMachine is the table of duty rosters: two people publish one, and who finds it wrong ends it at once. One that is
// published later for the same hours takes its place.
var RosterMachine = workflow.Must("roster", append(drafting(nil, nil), workflow.Row{
	From: Published, Event: EventWithdraw, Guards: []string{"reason"}, Who: who(workflow.Liaison, workflow.LegalReviewer), To: Withdrawn,
}), guards)

// Roster returns the roster of an entry; false if it is none or has ended.
func (e *Entry) Roster() (Roster, bool) {
	if e.Type != TypeRoster || e.Recorded != Published {
		return Roster{}, false
	}
	m := members(e.Parts)
	var r Roster
	for name, dst := range map[string]any{"week": &r.Week, "phone_day": &r.PhoneDay, "phone_night": &r.PhoneNight, "shifts": &r.Shifts} {
		_ = json.Unmarshal(m[name], dst) // checked by its schema, or not here
	}
	return r, r.PhoneDay != ""
}

// At returns the shift that runs at t; false if none does.
func (r *Roster) At(t time.Time) (Shift, bool) {
	for _, s := range r.Shifts {
		from, err := time.ParseInLocation("2006-01-02 15:04", s.Date+" "+s.From, record.CivilZone)
		if err != nil {
			continue
		}
		to, err := time.ParseInLocation("2006-01-02 15:04", s.Date+" "+s.To, record.CivilZone)
		if err != nil {
			continue
		}
		if !to.After(from) {
			to = to.AddDate(0, 0, 1)
		}
		if !t.Before(from) && t.Before(to) {
			return s, true
		}
	}
	return Shift{}, false
}

// Hours of the day telephone, HH:MM at +08:00; the night telephone has the others. The usual office hours [K].
const (
	dayBegins = "08:30"
	dayEnds   = "17:30"
)

// Phone returns the one of the two telephones that is answered at t, and whether it is the night's.
func (r *Roster) Phone(t time.Time) (no string, night bool) {
	if at := t.In(record.CivilZone).Format("15:04"); at < dayBegins || at >= dayEnds {
		return r.PhoneNight, true
	}
	return r.PhoneDay, false
}

// Covers reports whether the civil day of t lies in the roster's week.
func (r *Roster) Covers(t time.Time) bool {
	year, week := t.In(record.CivilZone).ISOWeek()
	return r.Week == fmt.Sprintf("%04d-W%02d", year, week)
}

// OnDuty finds, among a member's rosters, newest first, the one that says whom to call at t: one with a shift that runs then,
// else one of that week, whose telephones are still right. The shift is empty between shifts; false if there is none.
func OnDuty(rosters []Roster, t time.Time) (Roster, Shift, bool) {
	for _, r := range rosters {
		if s, runs := r.At(t); runs {
			return r, s, true
		}
	}
	for _, r := range rosters {
		if r.Covers(t) {
			return r, Shift{}, true
		}
	}
	return Roster{}, Shift{}, false
}

// WithdrawRoster ends a roster at once; its content is deleted at every other member.
func (r *Register) WithdrawRoster(ctx context.Context, req Request, on On, c Change) (Done, error) {
	return r.take(ctx, req, only(TypeRoster), change{on: on, event: EventWithdraw, Change: c, ends: true})
}
