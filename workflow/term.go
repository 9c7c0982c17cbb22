package workflow

import (
	"errors"
	"fmt"
	"time"
)

// Unit is how a term counts (domain.md §4.3, day counting).
type Unit uint8

// The units. Hours run exactly, weekends included; of days and months the day of the event is not counted and the period
// ends at 24:00 of its last day.
const (
	Hours Unit = iota
	NaturalDays
	WorkingDays
	Months
)

// Term is a clock: how long, in which unit, and what it is for.
type Term struct {
	Name string // stable code, for texts and reminders
	N    int
	Unit Unit
	// Roll moves a last day that is no working day to the next one (L08: on for remedies, off for the 移送规定). Working
	// days never need it.
	Roll bool
}

// Ends returns the first moment after the term, and its last civil day, for an event at start.
func (t Term) Ends(start time.Time, c *Calendar) (until time.Time, lastDay string, err error) {
	start = start.In(zone)
	day := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, zone)
	switch t.Unit {
	case Hours:
		until = start.Add(time.Duration(t.N) * time.Hour)
		return until, until.Format(time.DateOnly), nil
	case NaturalDays:
		day = day.AddDate(0, 0, t.N)
	case WorkingDays:
		day, err = c.after(day, t.N)
	case Months:
		day = addMonths(day, t.N)
	default:
		err = fmt.Errorf("unit %d", t.Unit)
	}
	if err == nil && t.Roll {
		var working bool
		if working, err = c.working(day); err == nil && !working {
			day, err = c.after(day, 1)
		}
	}
	if err != nil {
		return time.Time{}, "", fmt.Errorf("term %s: %w", t.Name, err)
	}
	return day.AddDate(0, 0, 1), day.Format(time.DateOnly), nil
}

// addMonths ends on the same number of the month, or on its last day where there is no such number.
func addMonths(d time.Time, n int) time.Time {
	first := time.Date(d.Year(), d.Month()+time.Month(n), 1, 0, 0, 0, 0, zone)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d.Day(), last)-1)
}

// Past is one step that a subject took.
type Past struct {
	Event Event
	To    State
	At    time.Time
}

// Due is a running clock and why it runs.
type Due struct {
	Term    string
	State   State     // the clock stops when the subject leaves it
	Event   Event     // what started it
	Since   time.Time // when
	Until   time.Time // first moment after the term
	LastDay string    // civil date
	Overdue bool
	// Unknown is set instead of Until and LastDay where the holidays of a year are not known: to be shown red, not guessed.
	Unknown *NoCalendarError
}

// Deadlines returns the clocks that run at now for a subject with this history, oldest step first. They are derived anew
// each time: nothing is stored, so nothing is lost by a restart. Steps that stay in a state do not restart its clocks,
// and of steps that the table does not hold only the state counts.
func (m *Machine[F]) Deadlines(history []Past, now time.Time, c *Calendar) ([]Due, error) {
	var state State
	var out []Due
	for _, p := range history {
		if p.At.After(now) {
			break
		}
		r, known := m.rows[edge{state, p.Event}]
		if p.To == state {
			continue
		}
		out, state = nil, p.To
		if !known || r.To != p.To {
			continue
		}
		for _, t := range r.Terms {
			d := Due{Term: t.Name, State: state, Event: p.Event, Since: p.At}
			var err error
			if d.Until, d.LastDay, err = t.Ends(p.At, c); err != nil {
				if !errors.As(err, &d.Unknown) {
					return nil, fmt.Errorf("deadlines of %s: %w", m.name, err)
				}
			}
			d.Overdue = d.Unknown == nil && !now.Before(d.Until)
			out = append(out, d)
		}
	}
	return out, nil
}
