package sheets

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// RowState is what a check says of a row.
type RowState string

// States of a checked row.
const (
	RowOK      RowState = "ok"
	RowWarning RowState = "warning" // may go in; the reviewer opens it
	RowProblem RowState = "problem" // stays out
	RowSkipped RowState = "skipped" // no data: totals, notes, hidden rows that nobody asked for
)

// Issue is one thing to say about a row.
type Issue struct {
	Column  string `json:"column,omitempty" doc:"A, B, …"`
	Heading string `json:"heading,omitempty"`
	Pointer string `json:"pointer,omitempty" doc:"RFC 6901 pointer into the record that the row would become"`
	Code    string `json:"code"`
	Warning bool   `json:"warning,omitzero"`
}

// index is the column from 0; -1 for none.
func (i *Issue) index() int {
	if _, col, ok := parseRef(i.Column + "1"); ok {
		return col
	}
	return -1
}

// Checked is a row with what the check found.
type Checked struct {
	Row     int
	State   RowState
	Issues  []Issue
	Payload []byte // unless the row is a problem, or a part
	Part    bool   // of a record that an earlier row carries
	Key     string // of the decision or person, for finding it twice
}

// Checker judges rows. Its fields are set before use.
type Checker struct {
	Profile   Profile
	Synthetic bool
	Today     string // civil date
	Drawn     string // civil date on which a duty roster was handed in
	// Decision finds the record of a published penalty of this bureau by issuer and normalised number; nil finds none.
	Decision func(issuer, docNo string) (record string, found bool)
}

// Check reads a surveyed sheet and calls each for every row below its header, in order. It writes nothing.
func (k *Checker) Check(f *File, s *Survey, each func(*Checked) error) error {
	r := k.begin(f, s)
	var ok bool
	if r.schema, ok = schemas.Lookup(k.Profile.Type, "1"); !ok {
		return refuse(Malformed, "type")
	}
	if isRoster(k.Profile.Type) {
		return r.weeks(f, each)
	}
	return r.below(f, func(row *Row) error { return each(r.row(row)) })
}

// begin makes one run over a surveyed sheet.
func (k *Checker) begin(f *File, s *Survey) *rowCheck {
	r := &rowCheck{Checker: k, survey: s, seen: map[string]int{}, mapped: map[string]bool{}}
	r.columns = k.Profile.fill(s)
	for i, c := range r.columns {
		r.mapped[c.Field] = true
		if c.Field != "" {
			r.fields = append(r.fields, boundField{&r.columns[i], fieldAt(k.Profile.Type, c.Field)})
		}
	}
	if f.book != nil {
		r.from1904 = f.book.date04
	}
	r.merged = slices.Clone(s.merged)
	slices.SortFunc(r.merged, func(a, b Span) int { return a.Top - b.Top })
	return r
}

// below reads the rows below the header.
func (r *rowCheck) below(f *File, each func(*Row) error) error {
	last := r.survey.HeaderRow + r.survey.HeaderRows - 1
	_, err := f.Rows(r.survey.Sheet, func(row *Row) error {
		if row.Number <= last {
			return nil
		}
		return each(row)
	})
	return err
}

type boundField struct {
	col   *Column
	field *Field
}

// rowCheck is one run of a check.
type rowCheck struct {
	*Checker
	survey   *Survey
	schema   *schemas.Type
	columns  []Column
	fields   []boundField
	mapped   map[string]bool
	from1904 bool
	merged   []Span // not above the present row
	open     []Span // around the present row
	seen     map[string]int
	issues   []Issue
}

func (r *rowCheck) say(col int, pointer, code string, warning bool) {
	for _, i := range r.issues {
		if i.Pointer == pointer && (i.Code == code || !i.Warning) && pointer != "" {
			return // one place, one word
		}
	}
	i := Issue{Pointer: pointer, Code: code, Warning: warning}
	if col >= 0 {
		i.Column = ColumnName(col)
		for _, c := range r.columns {
			if c.Index == col {
				i.Heading = c.Heading
			}
		}
	}
	r.issues = append(r.issues, i)
}

func (r *rowCheck) row(row *Row) *Checked {
	out := &Checked{Row: row.Number}
	if p := r.data(row); p != nil {
		p.settle(&r.Profile, r.mapped)
		r.judge(p, out)
		out.State = stateOf(r.issues)
	} else {
		out.State = RowSkipped
	}
	if out.Issues = r.issues; out.State == RowProblem {
		out.Payload = nil
	}
	return out
}

// data reads a row; nil if it is none of data.
func (r *rowCheck) data(row *Row) *payload {
	r.issues = nil
	r.sweep(row.Number)
	switch {
	case row.Hidden && !r.Profile.Hidden:
		r.say(-1, "", "row_hidden", true)
		return nil
	case r.summary(row):
		r.say(-1, "", "row_not_data", true)
		return nil
	}
	return r.read(row)
}

// stateOf is what issues make of a row of data.
func stateOf(issues []Issue) RowState {
	switch {
	case len(issues) == 0:
		return RowOK
	case slices.ContainsFunc(issues, func(i Issue) bool { return !i.Warning }):
		return RowProblem
	}
	return RowWarning
}

// sweep keeps the merged cells that reach into a row.
func (r *rowCheck) sweep(row int) {
	for len(r.merged) > 0 && r.merged[0].Top <= row {
		r.open = append(r.open, r.merged[0])
		r.merged = r.merged[1:]
	}
	r.open = slices.DeleteFunc(r.open, func(s Span) bool { return s.Bottom < row })
}

// covered reports a cell that is hidden under a merged one: its value is the first cell's, or it is not; nobody knows.
func (r *rowCheck) covered(row, col int) bool {
	for _, s := range r.open {
		if col >= s.Left && col <= s.Right && (row > s.Top || col > s.Left) {
			return true
		}
	}
	return false
}

var notData = []string{"合计", "小计", "总计", "共计", "备注", "说明", "制表", "填表", "注:"}

// summary reports a row of totals or notes: it has no value in a field that every record needs.
func (r *rowCheck) summary(row *Row) bool {
	first := tidy(row.Cells[0].Text)
	note := slices.ContainsFunc(notData, func(w string) bool { return strings.HasPrefix(first, w) })
	for _, b := range r.fields {
		if b.field.needed && b.col.Index != row.Cells[0].Col && row.at(b.col.Index).Kind != Blank {
			return false
		}
	}
	return note
}

// read puts the payload of a row together.
func (r *rowCheck) read(row *Row) *payload {
	p := newPayload(r.Profile.Type, r.Profile.live(), r.Synthetic)
	for at, v := range r.Profile.Constants {
		if f := fieldAt(r.Profile.Type, at); f != nil {
			p.put(f, f.read(Cell{Kind: Text, Text: v}, false))
		}
	}
	for _, b := range r.fields {
		c := row.at(b.col.Index)
		if c.Kind == Blank && r.covered(row.Number, b.col.Index) {
			r.say(b.col.Index, b.field.Pointer, "merged_cell", false)
			continue
		}
		x := b.field.read(c, r.from1904)
		if x.gap != "" && r.Profile.Constants[b.field.Pointer] != "" {
			continue
		}
		if x.code != "" {
			r.say(b.col.Index, b.field.Pointer, x.code, false)
			continue
		}
		if x.warning != "" {
			r.say(b.col.Index, b.field.Pointer, x.warning, true)
		}
		if b.field.Kind == refs {
			r.reference(p, row, b, x)
			continue
		}
		p.put(b.field, x)
	}
	return p
}

// reference turns the numbers of decisions into the ids of their records.
func (r *rowCheck) reference(p *payload, row *Row, b boundField, x value) {
	s, _ := x.v.(string)
	issuer := r.Profile.Constants["/issuer_uscc"]
	if col := columnIndex(r.columns, "/issuer_uscc"); col >= 0 && row.at(col).Kind == Text {
		issuer = tidy(row.at(col).Text)
	}
	var ids []string
	for no := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune("、,;,;\n", c) }) {
		id, ok := "", false
		if r.Decision != nil {
			id, ok = r.Decision(issuer, identifier.ParseDocNo(no, identifier.Date{}).Normalised)
		}
		if !ok {
			r.say(b.col.Index, b.field.Pointer, "decision_unknown", false)
			return
		}
		if !contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		p.set(b.field.Pointer, ids)
	}
}

// judge lets the catalogue say what is wrong with the payload, and finds rows that stand in the file twice.
func (r *rowCheck) judge(p *payload, out *Checked) {
	b, err := p.encode()
	if err != nil {
		r.say(-1, "", "invalid", false)
		return
	}
	for _, v := range r.schema.Validate(b, r.Today) {
		late := (v.Pointer == "/valid_until" || v.Pointer == "/retention_until") && p.text("/decided_at") == ""
		if r.about(v.Pointer) || late && v.Code == "required" {
			continue // its cell has been spoken of already, or that of the day that it is reckoned from is
		}
		r.say(nearest(r.columns, v.Pointer), v.Pointer, v.Code, false)
	}
	for _, v := range r.schema.Warnings(b, r.Today) {
		r.say(nearest(r.columns, v.Pointer), v.Pointer, v.Code, true)
	}
	in := "/respondent"
	if r.Profile.Type == blacklist.TypePerson {
		in = ""
	}
	if p.has(in + "/id_no_old") {
		r.say(nearest(r.columns, in+"/id_no"), in+"/id_no", "id_15_digits", true)
	}
	if until := p.text("/valid_until"); until != "" && until < r.Today {
		r.say(-1, "/valid_until", "expired_already", true)
	}
	out.Payload, out.Key = b, r.key(p)
	if out.Key == "" {
		return
	}
	if first := r.seen[out.Key]; first > 0 {
		r.say(nearest(r.columns, "/doc_no"), "", "twice_in_file", false)
		return
	}
	r.seen[out.Key] = out.Row
}

// about reports whether a pointer, or one around or below it, has an issue that is no warning.
func (r *rowCheck) about(pointer string) bool {
	for _, i := range r.issues {
		if !i.Warning && i.Pointer != "" && (i.Pointer == pointer || strings.HasPrefix(pointer, i.Pointer+"/") || strings.HasPrefix(i.Pointer, pointer+"/") || i.Pointer == "/respondent/name" && pointer == "/respondent") {
			return true
		}
	}
	return false
}

func (r *rowCheck) key(p *payload) string {
	if r.Profile.Type == blacklist.TypePenalty {
		if p.text("/doc_no") == "" || p.text("/issuer_uscc") == "" {
			return ""
		}
		return decisionKey(p.text("/issuer_uscc"), p.text("/doc_no"), identifier.Date{})
	}
	id := identifier.ParseDocument(p.text("/id_type"), p.text("/id_country"), p.text("/id_no"), identifier.Date{Year: 9999, Month: 12, Day: 31})
	if id.Key == "" {
		return ""
	}
	return id.Kind + " " + id.Key
}
