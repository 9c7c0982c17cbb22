package sheets

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/schemas"
)

// Profile 列映射 says how the sheets of one source are read: which column is which field, what stands for all rows, and
// what a missing value means. It is saved under a name (domain.md §2.1.3, e.g. 「国家处罚个案卡导出」).
type Profile struct {
	Name string `json:"name" maxLength:"60"`
	Type string `json:"type" maxLength:"40" doc:"penalty, blacklist.person or duty_roster"`
	// Columns maps headings, as a survey names them, to pointers of fields; an empty pointer leaves a column out. What it
	// does not name is read as proposed.
	Columns map[string]string `json:"columns,omitempty"`
	// Constants are values for all rows, by pointer; a column of the same field that has a value wins.
	Constants map[string]string `json:"constants,omitempty"`
	Intake    string            `json:"intake,omitempty" enum:"history,live" doc:"history 补录: a gap becomes null with its reason; live: a gap is a problem. Absent = history"`
	Sheet     string            `json:"sheet,omitempty" maxLength:"64" doc:"Absent = the first visible sheet"`
	Encoding  string            `json:"encoding,omitempty" enum:"utf-8,gbk,gb18030,utf-16le,utf-16be" doc:"Of a text file; absent = found out"`
	Hidden    bool              `json:"hidden_rows,omitzero" doc:"Read hidden rows as well"`
	// How long the records are valid and kept, from the day of service or else of decision. The bureau sets them.
	ValidMonths    int `json:"valid_months,omitzero" minimum:"1" maximum:"600" doc:"Absent = 36"`
	RetentionYears int `json:"retention_years,omitzero" minimum:"1" maximum:"60" doc:"Absent = 10"`
}

// Defaults of the two periods [K]: the bureau's archive rules win.
const (
	validMonths    = 36
	retentionYears = 10
)

// ProfileID is what a profile is called where its name may not stand, such as in a URL.
func ProfileID(name string) string {
	h := sha256.Sum256([]byte("pilin profile 1\x00" + name))
	return hex.EncodeToString(h[:16])
}

// live reports whether gaps are problems.
func (p *Profile) live() bool { return p.Intake == "live" }

// Check says what is wrong with a profile; pointers are into its JSON.
func (p *Profile) Check() []schemas.Violation {
	var out []schemas.Violation
	if !slices.Contains(Types, p.Type) {
		return []schemas.Violation{{Pointer: "/type", Code: "enum"}}
	}
	if n := utf8.RuneCountInString(p.Name); n > 60 || strings.ContainsFunc(p.Name, func(r rune) bool { return r < ' ' }) {
		out = append(out, schemas.Violation{Pointer: "/name", Code: "length"})
	}
	if len(p.Columns) > 4*MaxColumns || len(p.Constants) > MaxColumns {
		out = append(out, schemas.Violation{Pointer: "/columns", Code: "items"})
	}
	for _, to := range p.Columns {
		if to != "" && fieldAt(p.Type, to) == nil {
			out = append(out, schemas.Violation{Pointer: "/columns", Code: "enum"})
			break
		}
	}
	for at, v := range p.Constants {
		f := fieldAt(p.Type, at)
		if f == nil {
			out = append(out, schemas.Violation{Pointer: "/constants", Code: "enum"})
			break
		}
		if x := f.read(Cell{Kind: Text, Text: v}, false); x.code != "" || x.v == nil {
			out = append(out, schemas.Violation{Pointer: "/constants", Code: "invalid"})
			break
		}
	}
	return out
}

// Propose makes a profile of a survey: what the headings say, and constants that follow from them.
func Propose(typ string, s *Survey) Profile {
	p := Profile{Type: typ, Intake: "history", Columns: map[string]string{}, Constants: map[string]string{}}
	in := ""
	if typ == blacklist.TypePenalty {
		in = "/respondent"
	}
	if isRoster(typ) {
		maps.Copy(p.Constants, rosterConstants)
	}
	typed := false
	for _, c := range s.Columns {
		p.Columns[c.Heading] = c.Field
		typed = typed || c.Field == in+"/id_type"
	}
	for _, c := range s.Columns {
		if c.Field == in+"/id_no" && !typed && strings.Contains(c.Heading, "身份") { // the heading names the document
			p.Constants[in+"/id_type"] = "RIC"
		}
	}
	return p
}

// fill completes a profile with what the survey proposes for columns that it does not name, and returns the columns as they
// are read.
func (p *Profile) fill(s *Survey) []Column {
	proposed := Propose(p.Type, s)
	if p.Constants == nil {
		p.Constants = map[string]string{}
	}
	for at, v := range proposed.Constants {
		if _, ok := p.Constants[at]; !ok {
			p.Constants[at] = v
		}
	}
	out := slices.Clone(s.Columns)
	given := map[string]bool{}
	for _, to := range p.Columns {
		given[to] = true
	}
	for i := range out {
		if to, ok := p.Columns[out[i].Heading]; ok {
			out[i].Field = to
		} else if given[out[i].Field] {
			out[i].Field = "" // the profile has another column for it
		}
	}
	return out
}
