package sheets

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// This file reads duty rosters 值班表 (domain.md T30): a row is a shift, and all rows of one ISO week together are one record.
// The first row of a week carries it through draft, review and publication; the others go with it.

// hours are offered in a template; any other time may be typed.
var hours = []code{{"08:30", []string{"08:30"}}, {"17:30", []string{"17:30"}}, {"00:00", []string{"00:00"}}, {"08:00", []string{"08:00"}}, {"09:00", []string{"09:00"}},
	{"12:00", []string{"12:00"}}, {"17:00", []string{"17:00"}}, {"18:00", []string{"18:00"}}, {"20:00", []string{"20:00"}}}

var rosterFields = []Field{
	{Pointer: "/date", Title: "日期", Kind: day, Aliases: []string{"值班日期", "值班日", "日"}, needed: true},
	{Pointer: "/from", Title: "起", Kind: clock, Aliases: []string{"开始时间", "起始时间", "开始", "上班时间", "值班开始"}, codes: hours, needed: true},
	{Pointer: "/to", Title: "止", Kind: clock, Aliases: []string{"结束时间", "截止时间", "结束", "下班时间", "值班结束"}, codes: hours, needed: true},
	{Pointer: "/person", Title: "值班人", Aliases: []string{"值班人员", "主班", "带班人", "姓名"}, needed: true},
	{Pointer: "/deputy", Title: "副班", Aliases: []string{"副班人员", "备班", "替班"}},
	{Pointer: "/phone_day", Title: "白天值班电话", Kind: ident, Aliases: []string{"白天电话", "值班电话", "日间电话", "日间值班电话"}},
	{Pointer: "/phone_night", Title: "夜间值班电话", Kind: ident, Aliases: []string{"夜间电话", "夜班电话", "晚间值班电话"}},
	{Pointer: "/acting_head/person", Title: "主持工作的负责人", Aliases: []string{"主持工作", "代理负责人"}},
	{Pointer: "/acting_head/from", Title: "委托起", Kind: day, Aliases: []string{"委托起始日"}},
	{Pointer: "/acting_head/until", Title: "委托止", Kind: day, Aliases: []string{"委托截止日"}},
	{Pointer: "/acting_head/delegation_hash", Title: "委托书SHA-256", Aliases: []string{"委托书摘要"}},
	{Pointer: "/legal_basis", Title: "依据", needed: true},
	{Pointer: "/purpose", Title: "目的", needed: true},
}

// ofWeek are the fields that a week has once: one row of it says them, or several say the same.
var ofWeek = []string{"/phone_day", "/phone_night", "/acting_head/person", "/acting_head/from", "/acting_head/until", "/acting_head/delegation_hash", "/legal_basis", "/purpose"}

var clockForm = regexp.MustCompile(`^([01]?\d|2[0-4])[::点时](?:([0-5]\d)分?)?(?::00)?$`)

// clock reads a time of day as HH:MM; 24:00 is 00:00 as an end, and no beginning: it would be that of the next day.
func (o *value) clock(c Cell, s string, begins bool) {
	minutes := -1
	if c.Kind == Number || c.Kind == Day {
		if x, err := strconv.ParseFloat(c.Text, 64); err == nil && x >= 0 && x <= 1 { // a part of a day
			if m := x * 24 * 60; math.Abs(m-math.Round(m)) < 0.02 {
				minutes = int(math.Round(m))
			}
		}
	} else if m := clockForm.FindStringSubmatch(strings.ReplaceAll(s, " ", "")); m != nil {
		minutes = 60*atoi(m[1]) + atoi(m[2])
	}
	if minutes < 0 || minutes > 24*60 {
		o.code = "clock_invalid"
		return
	}
	if begins && minutes == 24*60 {
		o.code = "clock_begins_24"
		return
	}
	o.v = fmt.Sprintf("%02d:%02d", minutes/60%24, minutes%60)
}

// week are the rows of one ISO week, in the order of the file.
type week struct {
	name   string
	sunday time.Time
	rows   []*Checked
	shifts []map[string]any
	once   map[string]string // what the week has once
	saidBy map[string]*Checked
}

// weeks reads a roster: every row below the header, in order, the first of each good week with its payload.
func (r *rowCheck) weeks(f *File, each func(*Checked) error) error {
	var all []*Checked
	var order []*week
	by := map[string]*week{}
	err := r.below(f, func(row *Row) error {
		c := &Checked{Row: row.Number, State: RowSkipped}
		all = append(all, c)
		p := r.data(row)
		if p == nil {
			c.Issues = r.issues
			return nil
		}
		for i := range rosterFields {
			if f := &rosterFields[i]; f.needed && p.text(f.Pointer) == "" && !r.about(f.Pointer) {
				r.say(columnIndex(r.columns, f.Pointer), f.Pointer, "null_not_allowed", false)
			}
		}
		at, err := time.ParseInLocation(time.DateOnly, p.text("/date"), record.CivilZone)
		if err == nil {
			w := weekOf(at)
			if by[w.name] == nil {
				by[w.name] = w
				order = append(order, w)
			}
			r.shift(by[w.name], c, p)
		}
		c.Issues, c.State = r.issues, stateOf(r.issues)
		return nil
	})
	if err != nil {
		return err
	}
	for _, w := range order {
		if err := r.close(w); err != nil {
			return err
		}
	}
	for _, c := range all {
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

func weekOf(at time.Time) *week {
	year, n := at.ISOWeek()
	return &week{name: fmt.Sprintf("%04d-W%02d", year, n), sunday: at.AddDate(0, 0, (7-int(at.Weekday()))%7), once: map[string]string{}, saidBy: map[string]*Checked{}}
}

// shift adds a row to its week.
func (r *rowCheck) shift(w *week, c *Checked, p *payload) {
	s := map[string]any{"date": p.text("/date"), "from": p.text("/from"), "to": p.text("/to"), "person": p.text("/person")}
	if d := p.text("/deputy"); d != "" {
		s["deputy"] = d
	}
	for _, at := range ofWeek {
		said := pathText(p, at)
		switch {
		case said == "":
		case w.once[at] == "":
			w.once[at], w.saidBy[at] = said, c
		case w.once[at] != said:
			r.say(columnIndex(r.columns, at), at, "week_differs", false)
		}
	}
	key := w.name + " " + p.text("/date") + " " + p.text("/from")
	if r.seen[key] > 0 && p.text("/from") != "" {
		r.say(columnIndex(r.columns, "/from"), "/from", "shift_twice", false)
	}
	r.seen[key] = c.Row
	w.rows, w.shifts = append(w.rows, c), append(w.shifts, s)
}

func pathText(p *payload, at string) string {
	s, _ := p.get(at).(string)
	return s
}

// close judges a whole week. With one bad row it stays out: a roster with a hole would name nobody.
func (r *rowCheck) close(w *week) error {
	m := map[string]any{"week": w.name, "shifts": w.shifts, "synthetic": r.Synthetic, "occurred_at": r.Drawn + "T00:00:00+08:00",
		"valid_until": record.CivilDay(w.sunday), "retention_until": record.CivilDay(w.sunday.AddDate(5, 0, 0))}
	acting := map[string]any{}
	for at, v := range w.once {
		if name, ok := strings.CutPrefix(at, "/acting_head/"); ok {
			acting[name] = v
		} else {
			m[at[1:]] = v
		}
	}
	if len(acting) > 0 {
		m["acting_head"] = acting
	}
	b, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode roster: %w", err)
	}
	for _, v := range r.schema.Validate(b, r.Today) {
		c, at := w.place(v.Pointer)
		r.issues = c.Issues
		if !r.about(at) {
			r.say(nearest(r.columns, at), at, v.Code, false)
		}
		c.Issues, c.State = r.issues, stateOf(r.issues)
	}
	first := w.rows[0]
	good, warned := true, false
	for _, c := range w.rows {
		good, warned = good && c.State != RowProblem, warned || c.State == RowWarning
	}
	for i, c := range w.rows {
		switch {
		case good && i > 0:
			c.Part = true
		case !good && c.State != RowProblem:
			c.Issues, c.State = append(c.Issues, Issue{Code: "week_incomplete"}), RowProblem
		}
	}
	if !good {
		return nil
	}
	first.Payload = b
	if record.CivilDay(w.sunday) < r.Today {
		first.Issues, warned = append(first.Issues, Issue{Code: "week_over", Warning: true}), true
	}
	if warned { // whoever reviews the week opens it
		first.State = RowWarning
	}
	return nil
}

// place finds the row and the field that a violation is about.
func (w *week) place(pointer string) (*Checked, string) {
	if rest, ok := strings.CutPrefix(pointer, "/shifts/"); ok {
		n, name, _ := strings.Cut(rest, "/")
		if i := atoi(n); i < len(w.rows) {
			return w.rows[i], "/" + name
		}
	}
	if c := w.saidBy[pointer]; c != nil {
		return c, pointer
	}
	return w.rows[0], pointer
}

// rosterConstants stand for all rows where the sheet has no column for them: a roster is kept for mutual assistance.
var rosterConstants = map[string]string{"/legal_basis": "行政处罚法第26条", "/purpose": "ASSIST"}

// isRoster reports whether the rows of a type make one record a week.
func isRoster(typ string) bool { return typ == blacklist.TypeRoster }
