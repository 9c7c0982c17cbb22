package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// rosterWeeks is for how many weeks each bureau has a duty roster, from this one on.
const rosterWeeks = 2

// loadRosters publishes a bureau's duty rosters.
func loadRosters(ctx context.Context, r *blacklist.Register, d Desk, b Bureau, now time.Time) error {
	for i := range rosterWeeks {
		payload, err := b.Roster(now.AddDate(0, 0, 7*i), now)
		if err == nil {
			_, err = publish(ctx, r, d, blacklist.Proposal{Type: blacklist.TypeRoster, Payload: payload})
		}
		if err != nil {
			return fmt.Errorf("duty roster of %s: %w", b.Name, err)
		}
	}
	return nil
}

// Roster returns the payload of a bureau's duty roster (domain.md T30) of the week that a moment lies in, drawn up at another. People are named
// by their post, telephones begin with 154: nobody's.
func (b Bureau) Roster(at, drawn time.Time) ([]byte, error) {
	at = at.In(record.CivilZone)
	year, week := at.ISOWeek()
	monday := at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
	var shifts []object
	for i := range 7 {
		day := record.CivilDay(monday.AddDate(0, 0, i))
		shifts = append(shifts,
			object{"date": day, "from": "08:30", "to": "17:30", "person": "联络员-" + b.Name, "deputy": "执法员-01"},
			object{"date": day, "from": "17:30", "to": "08:30", "person": "执法员-02"})
	}
	i := slices.Index(Bureaux, b)
	sunday := record.CivilDay(monday.AddDate(0, 0, 6))
	return encode(object{"week": fmt.Sprintf("%04d-W%02d", year, week), "shifts": shifts, "phone_day": fmt.Sprintf("1540002%04d", i),
		"phone_night": fmt.Sprintf("1540003%04d", i), "legal_basis": "行政处罚法第26条", "purpose": "ASSIST",
		"occurred_at": drawn.In(record.CivilZone).Format(time.RFC3339), "valid_until": sunday, "retention_until": after(sunday, 5), "synthetic": true})
}
