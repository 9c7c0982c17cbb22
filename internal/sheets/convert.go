package sheets

import (
	"regexp"
	"strings"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// value is what a cell means: one of a value, a gap with its reason, or a fault.
type value struct {
	v       any    // string, int64, bool, []string, identifier.Date; nil for none
	gap     string // reason of a null
	code    string // fault
	warning string
	words   string // the file's own words, of a cause
}

var (
	science   = regexp.MustCompile(`^[+-]?\d+(\.\d+)?[Ee][+-]?\d+$`)
	decimal   = regexp.MustCompile(`^\d+\.\d*$`)
	wholeID   = regexp.MustCompile(`^\d{1,15}$`)
	amount    = regexp.MustCompile(`^(?:人民币|¥|¥|RMB)?(\d{1,15}|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,10}))?(万)?元?(?:整)?$`)
	priced    = regexp.MustCompile(`^(?:处|并处)?(罚款|没收违法所得|没收非法所得)(?:人民币)?[\d,.]+万?元?$`)
	separates = regexp.MustCompile(`[、,,;;+\n]+`)
)

// read reads a cell for a field.
func (f *Field) read(c Cell, from1904 bool) value {
	if c.Kind == Fault {
		return value{code: "cell_error"}
	}
	if c.Kind == Blank {
		if c.Formula {
			return value{code: "formula"}
		}
		return value{gap: notInFile}
	}
	var out value
	s := tidy(c.Text)
	if c.Formula {
		out.warning = "formula_value"
	}
	if c.Kind == Text && strings.HasPrefix(s, "=") {
		return value{code: "formula"} // text that would be one, or a formula in a text file: it has no value
	}
	if f.Kind == choice || f.Kind == truth || f.Kind == cause || f.Kind == many {
		out.listed(f, c, s)
	} else if reason, gap := nullWords[strings.ToLower(s)]; gap && c.Kind == Text {
		return value{gap: reason}
	} else {
		out.typed(f, c, s, from1904)
	}
	return out
}

// listed reads a value of a code list.
func (o *value) listed(f *Field, c Cell, s string) {
	list := f.codes
	if f.Kind == truth {
		list = yesNo
		if c.Kind == Bool {
			o.v = c.Text == "1" || strings.EqualFold(c.Text, "true")
			return
		}
	}
	if f.Kind == many {
		o.several(f, s)
		return
	}
	v, ok := lookUp(list, s)
	reason, gap := nullWords[strings.ToLower(s)]
	switch {
	case ok && f.Kind == truth:
		o.v = v == "true"
	case ok && f.Kind == cause:
		o.v, o.words = v, s
		if strings.EqualFold(s, v) {
			o.words = wordFor(list, v)
		}
	case ok:
		o.v = v
	case gap:
		o.gap = reason
	case f.Kind == cause: // the words stay; which law they mean is for a person to say
		o.gap, o.words, o.warning = toBeChecked, s, "cause_unknown"
	default:
		o.code = "unknown_word"
	}
}

func (o *value) several(f *Field, s string) {
	if reason, gap := nullWords[strings.ToLower(s)]; gap {
		o.gap = reason
		return
	}
	var all []string
	for _, part := range separates.Split(s, -1) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if m := priced.FindStringSubmatch(strings.ReplaceAll(part, " ", "")); m != nil {
			part = strings.Replace(m[1], "非法", "违法", 1)
		}
		v, ok := lookUp(f.codes, part)
		if !ok {
			o.code = "unknown_word"
			return
		}
		if !contains(all, v) {
			all = append(all, v)
		}
	}
	o.v = all
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

// typed reads everything else.
func (o *value) typed(f *Field, c Cell, s string, from1904 bool) {
	switch f.Kind {
	case ident, refs, region:
		o.number(c, s)
	case day:
		d, code, warning := readDay(c, from1904)
		o.v, o.code = d, code
		o.warn(warning)
	case when:
		if m := yearOnly.FindStringSubmatch(s); m != nil && (c.Kind == Text || len(s) == 4) {
			o.v = m[1]
			return
		}
		d, code, warning := readDay(c, from1904)
		o.v, o.code = d.String(), code
		o.warn(warning)
	case money:
		o.money(c, s)
	case clock:
		o.clock(c, s, f.Pointer == "/from")
	default:
		if c.Kind == Day {
			o.code = "text_is_date"
			return
		}
		o.v = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(strings.ReplaceAll(c.Text, "\u00a0", " ")), "'"))
	}
}

func (o *value) warn(w string) {
	if o.warning == "" {
		o.warning = w
	}
}

// number reads an identifying number. A number that went through floating point is refused even where its digits could be
// told: the file says nothing about those that it rounded (domain.md §3.1, reliability-security.md §4.3).
func (o *value) number(c Cell, s string) {
	switch {
	case c.Kind == Day:
		o.code = "text_is_date"
	case c.Kind == Number && !wholeID.MatchString(c.Text), c.Kind == Text && (science.MatchString(s) || decimal.MatchString(s) && len(s) > 6):
		o.code = "id_lost_precision"
	case c.Kind == Bool:
		o.code = "unknown_word"
	default:
		o.v = strings.ReplaceAll(s, " ", "")
	}
}

// money reads yuan; a unit that the file does not say is the heading's.
func (o *value) money(c Cell, s string) {
	if c.Kind == Number && science.MatchString(s) || c.Kind == Day {
		o.code = "money_invalid"
		return
	}
	m := amount.FindStringSubmatch(strings.ReplaceAll(s, " ", ""))
	if m == nil {
		o.code = "money_invalid"
		return
	}
	digits, places := strings.ReplaceAll(m[1], ",", ""), 2
	if m[3] != "" {
		places = 6
	}
	frac := strings.TrimRight(m[2], "0")
	if len(frac) > places {
		o.code = "money_fraction"
		return
	}
	digits += frac + strings.Repeat("0", places-len(frac))
	var fen int64
	for _, r := range digits {
		if fen = fen*10 + int64(r-'0'); fen > 1<<53-1 {
			o.code = "money_invalid"
			return
		}
	}
	o.v = fen
}

// decisionKey is what tells decisions apart: issuer and normalised number (domain.md §3.11).
func decisionKey(issuer, no string, decided identifier.Date) string {
	return identifier.ParseUSCC(issuer, decided).Normalised + " " + identifier.ParseDocNo(no, decided).Normalised
}
