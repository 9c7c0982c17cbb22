package record

import (
	"fmt"
	"time"
)

// CivilZone is +08:00, in which every date of the federation is meant (domain.md §2.1).
var CivilZone = time.FixedZone("+08:00", 8*3600)

// CivilDay returns the civil date of a moment, YYYY-MM-DD at +08:00.
func CivilDay(t time.Time) string { return t.In(CivilZone).Format(time.DateOnly) }

// DayEnds returns the end of the civil day that a header names: the latest moment at which its record can have been made.
// A sealed header names its week alone (ISO 8601), and then it is the week's end.
func (h *Header) DayEnds() (time.Time, error) {
	if !h.Sealed() {
		t, err := time.ParseInLocation(time.DateOnly, h.Day, CivilZone)
		return t.AddDate(0, 0, 1), err
	}
	var year, week int
	if _, err := fmt.Sscanf(h.Week, "%d-W%d", &year, &week); err != nil {
		return time.Time{}, fmt.Errorf("week of a header: %w", err)
	}
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, CivilZone)       // it lies in week 1
	monday := fourth.AddDate(0, 0, -(int(fourth.Weekday())+6)%7) // of week 1
	return monday.AddDate(0, 0, 7*week), nil
}
