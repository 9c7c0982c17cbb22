package schemas

import (
	"errors"
	"regexp"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pilinhub/pilin/schemas/identifier"
)

var errFormat = errors.New("format")

// formats are ours even where the library has one of the same name: its date-time takes leap seconds.
var formats = []*jsonschema.Format{
	{Name: "date", Validate: textual(func(s string) bool { _, err := identifier.ParseDate(s); return err == nil })},
	{Name: "date-time", Validate: textual(func(s string) bool { _, ok := instant(s); return ok })},
	{Name: "date-or-year", Validate: textual(func(s string) bool { _, _, ok := dateOrYear(s); return ok })},
}

func textual(ok func(string) bool) func(any) error {
	return func(v any) error {
		if s, is := v.(string); is && !ok(s) {
			return errFormat
		}
		return nil
	}
}

var instantForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$`)

// instant reads an RFC 3339 time with zone, without leap second.
func instant(s string) (time.Time, bool) {
	if !instantForm.MatchString(s) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// beijing is the zone of every civil date (domain.md §6.1); the country keeps no summer time.
var beijing = time.FixedZone("+08:00", 8*3600)

// civil gives the civil date of a date or a time; zero for neither.
func civil(s string) identifier.Date {
	if d, err := identifier.ParseDate(s); err == nil {
		return d
	}
	t, ok := instant(s)
	if !ok {
		return identifier.Date{}
	}
	t = t.In(beijing)
	d, _ := identifier.NewDate(t.Year(), int(t.Month()), t.Day())
	return d
}

// dateOrYear reads YYYY-MM-DD or YYYY; of a year only day is zero.
func dateOrYear(s string) (year int, day identifier.Date, ok bool) {
	if d, err := identifier.ParseDate(s); err == nil {
		return d.Year, d, true
	}
	if len(s) != 4 {
		return 0, identifier.Date{}, false
	}
	d, err := identifier.ParseDate(s + "-01-01")
	return d.Year, identifier.Date{}, err == nil
}
