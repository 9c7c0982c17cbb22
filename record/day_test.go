package record_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pilinhub/pilin/record"
)

// A day ends at midnight in the civil zone, a sealed header's week with its Sunday; weeks are those of ISO 8601.
func TestHeader_DayEnds(t *testing.T) {
	for _, c := range []struct {
		h    record.Header
		want string
	}{
		{record.Header{Day: "2026-03-13"}, "2026-03-14"},
		{record.Header{Day: "2026-12-31"}, "2027-01-01"},
		{record.Header{Week: "2026-W11"}, "2026-03-16"},
		{record.Header{Week: "2026-W01"}, "2026-01-05"},
		{record.Header{Week: "2026-W53"}, "2027-01-04"},
		{record.Header{Week: "2021-W01"}, "2021-01-11"}, // the year began on a Friday
		{record.Header{Week: "2024-W01"}, "2024-01-08"}, // on a Monday
		{record.Header{Week: "2023-W01"}, "2023-01-09"}, // on a Sunday
	} {
		want, err := time.ParseInLocation(time.DateOnly, c.want, record.CivilZone)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.h.DayEnds(); err != nil || !got.Equal(want) {
			t.Errorf("%s%s: %v %v, want %v", c.h.Day, c.h.Week, got, err, want)
		}
		if y, w := want.AddDate(0, 0, -1).ISOWeek(); c.h.Week != "" && c.h.Week != fmt.Sprintf("%d-W%02d", y, w) {
			t.Errorf("%s ends in week %d of %d", c.h.Week, w, y)
		}
	}
}
