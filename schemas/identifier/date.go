package identifier

import (
	"fmt"
	"time"
)

// Date is a civil day at +08:00, the only clock of dates in this field (domain.md §6.1). The zero Date is no day and
// stands for "not known"; comparisons with it are false.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// EarliestBirth is the first birth day that an identity number may carry (domain.md §3.1).
var EarliestBirth = Date{1900, time.January, 1}

// NewDate returns the day and whether it exists in the calendar, for years 1 to 9999.
func NewDate(year, month, day int) (Date, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
		return Date{}, false
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day {
		return Date{}, false
	}
	return Date{year, time.Month(month), day}, true
}

// ParseDate reads exactly YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || !digits(s[:4]) || !digits(s[5:7]) || !digits(s[8:]) {
		return Date{}, fmt.Errorf("date of %d characters: want YYYY-MM-DD", len(s))
	}
	d, ok := NewDate(number(s[:4]), number(s[5:7]), number(s[8:]))
	if !ok {
		return Date{}, fmt.Errorf("no such day in the calendar")
	}
	return d, nil
}

func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// compactDate reads YYYYMMDD.
func compactDate(s string) (Date, bool) {
	return NewDate(number(s[:4]), number(s[4:6]), number(s[6:8]))
}

// IsZero reports whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// String returns YYYY-MM-DD, and the empty string for no day.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

func (d Date) ordinal() int { return (d.Year*13+int(d.Month))*32 + d.Day }

// Before reports whether d is earlier than e; false if either is no day.
func (d Date) Before(e Date) bool { return !d.IsZero() && !e.IsZero() && d.ordinal() < e.ordinal() }

// After reports whether d is later than e; false if either is no day.
func (d Date) After(e Date) bool { return e.Before(d) }

// AddDays returns the day n natural days later (earlier for a negative n).
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	t := time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC)
	return Date{t.Year(), t.Month(), t.Day()}
}

// AddYears returns the same day n years later; 29 February becomes 28 February where there is none.
func (d Date) AddYears(n int) Date {
	if d.IsZero() {
		return d
	}
	if r, ok := NewDate(d.Year+n, int(d.Month), d.Day); ok {
		return r
	}
	r, _ := NewDate(d.Year+n, int(d.Month), 28)
	return r
}

// AddMonths returns the same day n months later; where that month is shorter, its last day: 31 August and six months is 28
// or 29 February (domain.md §6.4). No holiday moves it.
func (d Date) AddMonths(n int) Date {
	if d.IsZero() {
		return d
	}
	months := d.Year*12 + int(d.Month) - 1 + n
	year, month := months/12, time.Month(months%12+1)
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return Date{year, month, min(d.Day, last)}
}

// DaysUntil returns the natural days from d to e.
func (d Date) DaysUntil(e Date) int {
	at := func(d Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }
	return int(at(e).Sub(at(d)) / (24 * time.Hour))
}

// Age returns the full years of a person born on birth, on the given day. A person is a year older from the day after
// the birthday (行政处罚法 art. 30 read with the civil rule 周岁: the birthday itself does not count); so a child is
// still 13 on the fourteenth birthday.
func Age(birth, on Date) int {
	age := on.Year - birth.Year
	if on.Month < birth.Month || on.Month == birth.Month && on.Day <= birth.Day {
		age--
	}
	return age
}

// MinorClass tells which rule for minors applies to an act (domain.md T01, 行政处罚法 arts. 30, 31).
type MinorClass uint8

// The classes: Adult from 18, Youth from 14 to 17 (warn, limits of T01), Child under 14 (refused).
const (
	Adult MinorClass = iota
	Youth
	Child
)

// Minor returns the class of a person born on birth who acted on the given day. An unknown day is Adult: the caller
// has nothing to refuse by.
func Minor(birth, act Date) MinorClass {
	if birth.IsZero() || act.IsZero() {
		return Adult
	}
	switch age := Age(birth, act); {
	case age < 14:
		return Child
	case age < 18:
		return Youth
	}
	return Adult
}
