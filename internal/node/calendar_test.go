package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/httpapi"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// holidays is a calendar of years with one holiday each.
func holidays(t *testing.T, years ...int) *workflow.Calendar {
	t.Helper()
	c := workflow.Statutory()
	for _, y := range years {
		var err error
		if c, err = c.With(fmt.Appendf(nil, `{"year":%d,"source":"测试","off":[["%d-01-01","%d-01-01"]]}`, y, y, y)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Behind the last calendar no working day is guessed: the operator hears of it from December on and loudly from New Year, and
// his own file is what counts, weekends alone if he chose so, which is then said as long as it is so.
func TestConfig_calendars(t *testing.T) {
	write := func(text string) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "2027.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	at := func(day string) time.Time {
		d, err := time.ParseInLocation(time.DateTime, day+" 09:00:00", record.CivilZone)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	none := Config{}
	weekends := Config{Calendars: []string{write(`{"year":2027,"source":"国务院办公厅通知尚未发布,仅按周末计"}`)}}
	whole := Config{Calendars: []string{write(`{"year":2027,"source":"测试","off":[["2027-01-01","2027-01-04"]],"working":["2027-01-09"]}`)}}
	for name, row := range map[string]struct {
		cfg  Config
		day  string
		want httpapi.CalendarStatus
		last string // of a number that was taken on the last day of 2026; empty: nobody knows
	}{
		"nothing yet in November":  {none, "2026-11-30", httpapi.CalendarStatus{}, ""},
		"in December":              {none, "2026-12-01", httpapi.CalendarStatus{Ending: 2027}, ""},
		"in the new year":          {none, "2027-01-01", httpapi.CalendarStatus{Missing: 2027}, ""},
		"weekends alone, December": {weekends, "2026-12-01", httpapi.CalendarStatus{WeekendsAlone: 2027}, "2027-01-05"},
		"weekends alone, January":  {weekends, "2027-01-04", httpapi.CalendarStatus{WeekendsAlone: 2027}, "2027-01-05"},
		"the notice is out":        {whole, "2026-12-01", httpapi.CalendarStatus{}, "2027-01-07"},
	} {
		c, err := row.cfg.calendar()
		if err != nil {
			t.Fatal(err)
		}
		if got := calendarStatus(c, at(row.day)); got != row.want {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
		checks := federation.SpotChecks{Hub: &federation.Hub{Now: func() time.Time { return at(row.day) }}, Calendar: c}
		due, err := checks.Due(federation.SpotCheck{Number: "310116-01-XC-20261231-001", Issued: at("2026-12-31")})
		if err != nil || due.LastDay != row.last || (due.NoCalendar == 2027) != (row.last == "") || due.Overdue {
			t.Errorf("%s: %+v %v", name, due, err)
		}
	}
	for _, bad := range []string{`{"year":2027}`, `{"year":2027,"source":"x","off":[["2026-01-01","2026-01-02"]]}`, `{"year":2027,"source":"x","holiday":[]}`} {
		if _, err := (&Config{Calendars: []string{write(bad)}}).calendar(); err == nil || !strings.Contains(err.Error(), "calendars: ") {
			t.Errorf("%s is taken: %v", bad, err)
		}
	}
}
