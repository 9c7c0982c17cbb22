package workflow

import (
	"embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

//go:embed calendar/*.json
var years embed.FS

// Calendar knows the statutory holidays and swapped working days of some years (domain.md §4.11). It is immutable.
type Calendar struct {
	years map[int]year
}

// year holds the days that are not what their weekday says: true = working.
type year map[string]bool

// NoCalendarError: nothing is known of a year, so no working day can be counted in it (L58: a red health item, never a
// guess).
type NoCalendarError struct{ Year int }

// Error names the year.
func (e *NoCalendarError) Error() string {
	return "no working-day calendar for " + strconv.Itoa(e.Year)
}

// Statutory is the calendar that comes with this version.
var Statutory = sync.OnceValue(func() *Calendar {
	c := &Calendar{}
	files, err := years.ReadDir("calendar")
	for _, f := range files {
		var b []byte
		if b, err = years.ReadFile("calendar/" + f.Name()); err != nil {
			break
		}
		if c, err = c.With(b); err != nil {
			break
		}
	}
	if err != nil {
		panic(fmt.Sprintf("statutory calendar: %v", err)) // the files are part of the program
	}
	return c
})

// With returns the calendar with one more year, or another version of one, read from a file like calendar/2026.json.
func (c *Calendar) With(file []byte) (*Calendar, error) {
	var w struct {
		Year    int         `json:"year"`
		Source  string      `json:"source"`
		Off     [][2]string `json:"off"`
		Working []string    `json:"working"`
	}
	if err := json.Unmarshal(file, &w, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("read calendar: %w", err)
	}
	if w.Year < 2000 || w.Year > 2200 || w.Source == "" {
		return nil, errors.New("read calendar: year or source missing")
	}
	y := year{}
	set := func(s string, working bool) error {
		d, err := civil(s)
		if err != nil || d.Year() != w.Year {
			return fmt.Errorf("read calendar %d: %q is no day of the year", w.Year, s)
		}
		if _, twice := y[s]; twice {
			return fmt.Errorf("read calendar %d: %s stands twice", w.Year, s)
		}
		y[s] = working
		return nil
	}
	for _, r := range w.Off {
		from, err := civil(r[0])
		to, err2 := civil(r[1])
		if err != nil || err2 != nil || to.Before(from) {
			return nil, fmt.Errorf("read calendar %d: %v is no period", w.Year, r)
		}
		for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
			if err := set(d.Format(time.DateOnly), false); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range w.Working {
		if err := set(s, true); err != nil {
			return nil, err
		}
	}
	out := &Calendar{years: map[int]year{w.Year: y}}
	for n, other := range c.years {
		if n != w.Year {
			out.years[n] = other
		}
	}
	return out, nil
}

// Knows reports whether the year's holidays are known.
func (c *Calendar) Knows(year int) bool {
	_, ok := c.years[year]
	return ok
}

// WeekendsAlone reports whether a year is known by its weekends alone: somebody chose so while its holidays are not published.
func (c *Calendar) WeekendsAlone(year int) bool {
	y, ok := c.years[year]
	return ok && len(y) == 0
}

func (c *Calendar) working(d time.Time) (bool, error) {
	y, ok := c.years[d.Year()]
	if !ok {
		return false, &NoCalendarError{d.Year()}
	}
	if working, ok := y[d.Format(time.DateOnly)]; ok {
		return working, nil
	}
	return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday, nil
}

// Working reports whether a civil day is a working day.
func (c *Calendar) Working(day string) (bool, error) {
	d, err := civil(day)
	if err != nil {
		return false, err
	}
	return c.working(d)
}

// After returns the n-th working day after a civil day, which itself is not counted. n is at least 1.
func (c *Calendar) After(day string, n int) (string, error) {
	d, err := civil(day)
	if err != nil {
		return "", err
	}
	if d, err = c.after(d, n); err != nil {
		return "", err
	}
	return d.Format(time.DateOnly), nil
}

func (c *Calendar) after(d time.Time, n int) (time.Time, error) {
	if n < 1 {
		return d, fmt.Errorf("%d working days: want at least one", n)
	}
	for n > 0 {
		d = d.AddDate(0, 0, 1)
		ok, err := c.working(d)
		if err != nil {
			return d, err
		}
		if ok {
			n--
		}
	}
	return d, nil
}

// zone is +08:00, in which every date is meant.
var zone = time.FixedZone("+08:00", 8*3600)

func civil(day string) (time.Time, error) {
	d, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil || d.Format(time.DateOnly) != day {
		return time.Time{}, fmt.Errorf("%q is no civil date", day)
	}
	return d, nil
}
