package sheets

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// payload is a record's payload while it is put together.
type payload struct {
	typ     string
	live    bool
	root    map[string]any
	reasons map[string]string // of nulls
}

func newPayload(typ string, live, synthetic bool) *payload {
	p := &payload{typ: typ, live: live, root: map[string]any{"synthetic": synthetic, "intake": "history"}, reasons: map[string]string{}}
	if live {
		p.root["intake"] = "live"
	}
	return p
}

// set puts a value at a pointer; objects, and arrays of one item, are made on the way.
func (p *payload) set(pointer string, v any) {
	m := p.root
	names := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := 0; i < len(names)-1; i++ {
		if names[i+1] == "0" {
			item := map[string]any{}
			if list, ok := m[names[i]].([]map[string]any); ok {
				item = list[0]
			}
			m[names[i]], m = []map[string]any{item}, item
			i++
			continue
		}
		next, ok := m[names[i]].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[names[i]] = next
		}
		m = next
	}
	m[names[len(names)-1]] = v
}

func (p *payload) get(pointer string) any {
	var v any = p.root
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (p *payload) text(pointer string) string {
	s, _ := p.get(pointer).(string)
	return s
}

// gap makes a place null with its reason. In a live record it stays out, and the schema asks for it.
func (p *payload) gap(pointer, reason string) {
	if p.live || pointer == "-" {
		return
	}
	p.set(pointer, nil)
	p.reasons[pointer] = reason
}

// put writes what a cell means for a field.
func (p *payload) put(f *Field, x value) {
	if f.aside {
		return
	}
	if x.gap != "" {
		if !f.needed {
			p.gap(f.at(), x.gap)
		}
	}
	if f.Kind == cause && x.words != "" {
		p.set("/cause_text", x.words)
	}
	switch v := x.v.(type) {
	case nil:
	case identifier.Date:
		if f.Pointer == "/occurred_at" {
			p.set(f.Pointer, v.String()+"T00:00:00+08:00")
			return
		}
		p.set(f.Pointer, v.String())
	default:
		p.set(f.Pointer, v)
	}
}

// settle adds what follows from the values, and a null with a reason for what the file has no column for.
func (p *payload) settle(prof *Profile, mapped map[string]bool) {
	if p.typ == blacklist.TypePenalty {
		p.settlePenalty()
	} else {
		p.set("/open_case", false)
		p.settlePerson("")
		if p.get("/occurred_at") != nil {
			p.span(prof, p.text("/occurred_at")[:10])
		}
	}
	from := p.text("/served_at")
	if from == "" {
		from = p.text("/decided_at")
	}
	if from != "" {
		p.span(prof, from)
	}
	for _, f := range FieldsOf(p.typ) {
		if at := f.at(); at != "-" && !f.needed && !p.has(at) && p.wanted(&f) {
			reason := notInFile
			if mapped[f.Pointer] && p.reasons[at] != "" {
				reason = p.reasons[at]
			}
			p.gap(at, reason)
		}
	}
	for _, at := range gaps[p.typ] {
		if !p.has(at) {
			p.gap(at, notInFile)
		}
	}
	if len(p.reasons) > 0 {
		p.root["null_reasons"] = p.reasons
	}
}

// wanted: the members of a person say nothing of an organisation.
func (p *payload) wanted(f *Field) bool {
	return !strings.HasPrefix(f.Pointer, "/respondent/") || p.text("/respondent_kind") != "organisation"
}

func (p *payload) has(pointer string) bool {
	m := p.root
	names := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for _, name := range names[:len(names)-1] {
		next, ok := m[name].(map[string]any)
		if !ok {
			return false
		}
		m = next
	}
	_, ok := m[names[len(names)-1]]
	return ok
}

func (p *payload) settlePenalty() {
	if p.text("/respondent_kind") == "organisation" {
		who, _ := p.root["respondent"].(map[string]any)
		if who != nil && who["org_name"] == nil && who["name"] != nil { // one column 当事人 holds both kinds
			who["org_name"] = who["name"]
			if who["org_uscc"] == nil && who["id_no"] != nil {
				who["org_uscc"] = who["id_no"]
			}
		}
		for name := range who {
			if name != "org_name" && name != "org_uscc" && name != "phones" && name != "addresses" {
				delete(who, name)
				delete(p.reasons, "/respondent/"+name)
			}
		}
	} else {
		p.settlePerson("/respondent")
	}
	if n := p.text("/work_ref/number"); n != "" {
		p.set("/work_ref/kind", "case")
	}
	if d := p.text("/act_from"); d != "" {
		p.set("/occurred_at", d+"T00:00:00+08:00")
	}
}

// settlePerson keeps both forms of a 15-digit number (domain.md §3.2): the 18-digit form is compared.
func (p *payload) settlePerson(in string) {
	if p.text(in+"/id_type") != identifier.TypeResident {
		return
	}
	id := identifier.ParseResidentID(p.text(in+"/id_no"), identifier.Date{Year: 9999, Month: 12, Day: 31})
	if id.Old15 != "" && id.Quality != identifier.Invalid {
		p.set(in+"/id_no", id.Normalised)
		p.set(in+"/id_no_old", id.Old15)
	}
}

// span sets the two ends of a record's life.
func (p *payload) span(prof *Profile, from string) {
	d, err := identifier.ParseDate(from)
	if err != nil {
		return
	}
	months, years := prof.ValidMonths, prof.RetentionYears
	if months == 0 {
		months = validMonths
	}
	if years == 0 {
		years = retentionYears
	}
	p.set("/valid_until", d.AddMonths(months).String())
	keep := d.AddYears(years)
	if valid := d.AddMonths(months); keep.Before(valid) {
		keep = valid
	}
	p.set("/retention_until", keep.String())
}

func (p *payload) encode() ([]byte, error) { return json.Marshal(p.root, json.Deterministic(true)) }

// Gap is a null of a history record: a line of the list 待补齐.
type Gap struct {
	Pointer string `json:"pointer"`
	Title   string `json:"title" doc:"The field in Chinese"`
	Reason  string `json:"reason" doc:"not_in_file, unreadable, not_applicable, to_be_checked"`
}

// Gaps reads what a payload of a type lacks, sorted by the order of the type's fields. What does not apply is no gap.
func Gaps(typ string, b []byte) []Gap {
	var p struct {
		NullReasons map[string]string `json:"null_reasons"`
	}
	if json.Unmarshal(b, &p) != nil {
		return nil
	}
	var out []Gap
	add := func(at, title string) {
		if r := p.NullReasons[at]; r != "" && r != notApplicable {
			out = append(out, Gap{at, title, r})
			delete(p.NullReasons, at)
		}
	}
	for _, f := range FieldsOf(typ) {
		add(f.at(), f.Title)
	}
	for _, at := range gaps[typ] {
		add(at, gapTitles[at])
	}
	return out
}

var gapTitles = map[string]string{"/cause_text": "案由", "/violated_art": "违反条款", "/basis_art": "依据条款", "/notice": "告知", "/occurred_at": "发生时间"}

func columnIndex(cols []Column, pointer string) int {
	for _, c := range cols {
		if c.Field == pointer {
			return c.Index
		}
	}
	return -1
}

// nearest finds the column that a violation at a pointer is about: of the field itself, of one below it, or of one around
// it.
func nearest(cols []Column, pointer string) int {
	if i := columnIndex(cols, pointer); i >= 0 {
		return i
	}
	for _, c := range cols {
		if c.Field != "" && (strings.HasPrefix(c.Field, pointer+"/") || strings.HasPrefix(pointer, c.Field+"/")) {
			return c.Index
		}
	}
	if alias := map[string]string{"/cause_text": "/cause_code", "/respondent/id_no_old": "/respondent/id_no", "/id_no_old": "/id_no", "/valid_until": "/decided_at", "/retention_until": "/decided_at",
		"/respondent/org_name": "/respondent/name", "/respondent/org_uscc": "/respondent/id_no"}[pointer]; alias != "" {
		return columnIndex(cols, alias)
	}
	return -1
}
