package workflow_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pilinhub/pilin/workflow"
)

// TestCalendar_After are the vectors of domain.md §4.11, and borders.
func TestCalendar_After(t *testing.T) {
	c := workflow.Statutory()
	for _, tc := range []struct {
		day  string
		n    int
		want string
	}{
		{"2026-04-29", 5, "2026-05-09"}, // a Saturday that is worked
		{"2026-05-08", 5, "2026-05-14"},
		{"2026-05-12", 3, "2026-05-15"},
		{"2026-02-13", 1, "2026-02-14"},
		{"2026-02-14", 1, "2026-02-24"},
		{"2026-02-27", 1, "2026-02-28"},
		{"2026-09-30", 1, "2026-10-08"},
		{"2026-10-08", 3, "2026-10-12"},
		{"2026-01-01", 1, "2026-01-04"},
		{"2026-03-13", 1, "2026-03-16"},
	} {
		got, err := c.After(tc.day, tc.n)
		if err != nil || got != tc.want {
			t.Errorf("%d working days from %s: %s, want %s (%v)", tc.n, tc.day, got, tc.want, err)
		}
	}
	var unknown *workflow.NoCalendarError
	if _, err := c.After("2026-12-31", 1); !errors.As(err, &unknown) || unknown.Year != 2027 {
		t.Errorf("a year without calendar was guessed: %v", err)
	}
	if _, err := c.Working("2025-06-02"); !errors.As(err, &unknown) || unknown.Year != 2025 {
		t.Errorf("a year without calendar was guessed: %v", err)
	}
	for _, bad := range []string{"", "2026-02-30", "2026-2-3", "20260203"} {
		if _, err := c.After(bad, 1); err == nil {
			t.Errorf("%q was taken for a day", bad)
		}
	}
	if _, err := c.After("2026-05-12", 0); err == nil {
		t.Error("a term of no days")
	}
	if !c.Knows(2026) || c.Knows(2027) {
		t.Error("Knows")
	}
}

// TestCalendar_2026 counts the year: 248 working days, as the notice's days make it.
func TestCalendar_2026(t *testing.T) {
	n := 0
	for d := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == 2026; d = d.AddDate(0, 0, 1) {
		ok, err := workflow.Statutory().Working(d.Format(time.DateOnly))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			n++
		}
	}
	if n != 248 {
		t.Errorf("%d working days", n)
	}
}

func TestCalendar_With(t *testing.T) {
	good := `{"year":2027,"source":"x","off":[["2027-01-01","2027-01-03"]],"working":["2027-01-09"]}`
	c, err := workflow.Statutory().With([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.After("2026-12-31", 5); err != nil || got != "2027-01-08" {
		t.Errorf("%s %v", got, err)
	}
	if workflow.Statutory().Knows(2027) {
		t.Error("With changed the calendar that it adds to")
	}
	for name, bad := range map[string]string{
		"other year":      `{"year":2027,"source":"x","off":[["2026-12-31","2027-01-03"]],"working":[]}`,
		"backwards":       `{"year":2027,"source":"x","off":[["2027-01-03","2027-01-01"]],"working":[]}`,
		"twice":           `{"year":2027,"source":"x","off":[["2027-01-01","2027-01-03"]],"working":["2027-01-02"]}`,
		"no source":       `{"year":2027,"off":[],"working":[]}`,
		"no year":         `{"source":"x","off":[],"working":[]}`,
		"unknown member":  `{"year":2027,"source":"x","off":[],"working":[],"of":[]}`,
		"repeated member": `{"year":2027,"year":2028,"source":"x","off":[],"working":[]}`,
		"no day":          `{"year":2027,"source":"x","off":[],"working":["2027-02-30"]}`,
		"nothing":         ``,
	} {
		if _, err := workflow.Statutory().With([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTerm_Ends(t *testing.T) {
	for _, tc := range []struct {
		name        string
		term        workflow.Term
		start       string
		until, last string
	}{
		{"24 hours over a week-end", workflow.Term{N: 24}, "2026-03-20T15:00:00+08:00", "2026-03-21T15:00:00+08:00", "2026-03-21"},
		{"3 natural days, as the 移送规定 counts", workflow.Term{N: 3, Unit: workflow.NaturalDays}, "2026-03-16T14:00:00+08:00", "2026-03-20T00:00:00+08:00", "2026-03-19"},
		{"natural days end on a holiday", workflow.Term{N: 3, Unit: workflow.NaturalDays}, "2026-04-30T09:00:00+08:00", "2026-05-04T00:00:00+08:00", "2026-05-03"},
		{"and roll where they may", workflow.Term{N: 3, Unit: workflow.NaturalDays, Roll: true}, "2026-04-30T09:00:00+08:00", "2026-05-07T00:00:00+08:00", "2026-05-06"},
		{"3 working days", workflow.Term{N: 3, Unit: workflow.WorkingDays}, "2026-05-12T10:00:00+08:00", "2026-05-16T00:00:00+08:00", "2026-05-15"},
		{"late in the evening in another zone", workflow.Term{N: 1, Unit: workflow.WorkingDays}, "2026-05-12T16:30:00Z", "2026-05-15T00:00:00+08:00", "2026-05-14"},
		{"6 months", workflow.Term{N: 6, Unit: workflow.Months}, "2026-02-10T00:00:00+08:00", "2026-08-11T00:00:00+08:00", "2026-08-10"},
		{"months end on the last day", workflow.Term{N: 1, Unit: workflow.Months}, "2026-01-31T00:00:00+08:00", "2026-03-01T00:00:00+08:00", "2026-02-28"},
		{"months without a calendar", workflow.Term{N: 6, Unit: workflow.Months}, "2028-08-31T00:00:00+08:00", "2029-03-01T00:00:00+08:00", "2029-02-28"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			until, last, err := tc.term.Ends(at(tc.start), workflow.Statutory())
			if err != nil || !until.Equal(at(tc.until)) || last != tc.last {
				t.Errorf("%v %s %v", until, last, err)
			}
		})
	}
	for _, term := range []workflow.Term{{N: 1, Unit: workflow.WorkingDays}, {N: 1, Unit: workflow.NaturalDays, Roll: true}, {N: 1, Unit: 9}} {
		if _, _, err := term.Ends(at("2028-01-01T00:00:00+08:00"), workflow.Statutory()); err == nil {
			t.Errorf("%+v in 2028", term)
		}
	}
}

func TestMachine_Deadlines(t *testing.T) {
	m := workflow.Must[paper]("suspension", []workflow.Row{
		{From: "", Event: "publish", Who: who(liaison), To: "published"},
		{From: "published", Event: "suspend", Who: who(liaison), To: "suspended", Terms: []workflow.Term{{Name: "decide", N: 1, Unit: workflow.WorkingDays}, {Name: "ring", N: 2}}},
		{From: "suspended", Event: "note", Who: who(liaison), To: "suspended"},
		{From: "suspended", Event: "lift", Who: who(head), To: "published"},
	}, nil)
	history := []workflow.Past{
		{Event: "publish", To: "published", At: at("2026-03-02T09:00:00+08:00")},
		{Event: "suspend", To: "suspended", At: at("2026-03-13T16:00:00+08:00")},
		{Event: "note", To: "suspended", At: at("2026-03-14T09:00:00+08:00")},
		{Event: "lift", To: "published", At: at("2026-03-17T09:00:00+08:00")},
	}
	due := func(history []workflow.Past, now string) []workflow.Due {
		t.Helper()
		d, err := m.Deadlines(history, at(now), workflow.Statutory())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := due(history, "2026-03-13T15:59:00+08:00"); len(d) != 0 {
		t.Errorf("a clock before its event: %+v", d)
	}
	d := due(history, "2026-03-16T23:59:59+08:00")
	if len(d) != 2 || d[0].Term != "decide" || d[0].LastDay != "2026-03-16" || d[0].Overdue || d[0].Event != "suspend" || d[0].State != "suspended" || !d[1].Overdue {
		t.Errorf("on the last day: %+v", d)
	}
	if d := due(history, "2026-03-17T00:00:00+08:00"); len(d) != 2 || !d[0].Overdue {
		t.Errorf("after it: %+v", d)
	}
	if d := due(history, "2026-03-18T00:00:00+08:00"); len(d) != 0 {
		t.Errorf("the clock did not stop: %+v", d)
	}
	later := []workflow.Past{history[0], {Event: "suspend", To: "suspended", At: at("2026-12-31T16:00:00+08:00")}}
	if d := due(later, "2027-02-01T00:00:00+08:00"); len(d) != 2 || d[0].Unknown == nil || d[0].Unknown.Year != 2027 || d[0].Overdue || d[0].LastDay != "" {
		t.Errorf("a year without calendar: %+v", d)
	}
	odd := []workflow.Past{{Event: "fly", To: "suspended", At: at("2026-03-13T16:00:00+08:00")}}
	if d := due(odd, "2026-03-18T00:00:00+08:00"); len(d) != 0 {
		t.Errorf("a step of another table started a clock: %+v", d)
	}
}

// TestProperty_working_days: n days after a day and one more is n+1 days after it, and the day found is worked.
func TestProperty_working_days(t *testing.T) {
	c := workflow.Statutory()
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 300).Draw(t, "day")).Format(time.DateOnly)
		n := rapid.IntRange(1, 20).Draw(t, "n")
		a, err := c.After(day, n)
		b, err2 := c.After(day, n+1)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		next, _ := c.After(a, 1)
		if ok, _ := c.Working(a); !ok || next != b || a <= day {
			t.Fatalf("%s + %d = %s, + 1 = %s, want %s", day, n, a, next, b)
		}
	})
}

func FuzzCalendar_With(f *testing.F) {
	f.Add([]byte(`{"year":2027,"source":"x","off":[["2027-01-01","2027-01-03"]],"working":["2027-01-09"]}`))
	f.Add([]byte(`{"year":2027,"source":"x","off":[["0000-01-01","9999-12-31"]],"working":[]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := workflow.Statutory().With(file)
		if err == nil && !c.Knows(2026) {
			t.Error("another year took a known one away")
		}
	})
}
