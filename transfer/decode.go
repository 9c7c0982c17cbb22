package transfer

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Refused is why a question was not answered: the first place that is wrong, and the code of schemas.Texts. It never
// repeats what stood there.
type Refused struct{ schemas.Violation }

// Error gives place and sentence in both languages.
func (r *Refused) Error() string { return r.Pointer + ": " + r.Message() }

// Message is the sentence in Chinese and English.
func (r *Refused) Message() string {
	zh, en := schemas.Texts(r.Code)
	return zh + " · " + en
}

// maxCountable bounds the number that a member of level 1 may answer about one person: each becomes a line.
const maxCountable = 10_000

// Decode reads one question in the format of `pilin count` (docs/design/count.md). Absent, null and empty are the same:
// missing. What the rule cannot read is refused, never guessed; members that the format does not name are ignored. The
// error is a *Refused.
func Decode(b []byte) (Question, error) {
	d := &decoder{}
	q := d.question(b)
	if d.refused != nil {
		return Question{}, d.refused
	}
	return q, nil
}

// decoder keeps the first refusal; after it nothing that is read matters.
type decoder struct{ refused *Refused }

func (d *decoder) refuse(pointer, code string) {
	if d.refused == nil {
		d.refused = &Refused{schemas.Violation{Pointer: pointer, Code: code}}
	}
}

// object is a JSON object and where it stands. One that is missing has no members.
type object struct {
	d       *decoder
	at      string
	members map[string]jsontext.Value
}

// get returns a member; nil if it is missing.
func (o object) get(name string) jsontext.Value {
	v := o.members[name]
	if missing(v) {
		return nil
	}
	return v
}

func missing(v jsontext.Value) bool {
	switch v.Kind() {
	case 'n':
		return true
	case '"', '[', '{':
		inner := strings.TrimSpace(string(v[1 : len(v)-1]))
		return inner == "" || v.Kind() == '"' && strings.TrimSpace(unquote(v)) == ""
	}
	return len(v) == 0
}

func unquote(v jsontext.Value) string {
	b, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return "" // cannot be: the document was read
	}
	return string(b)
}

func (o object) place(name string) string { return o.at + "/" + name }

// kind returns the member if it is of the kind, or missing.
func (o object) kind(name string, kind jsontext.Kind) jsontext.Value {
	v := o.get(name)
	if v != nil && v.Kind() != kind {
		o.d.refuse(o.place(name), "type")
		return nil
	}
	return v
}

func (o object) text(name string) string {
	if v := o.kind(name, '"'); v != nil {
		return unquote(v)
	}
	return ""
}

// required is text that may not be missing.
func (o object) required(name string) string {
	o.need(name)
	return o.text(name)
}

func (o object) need(name string) {
	if o.get(name) == nil {
		o.d.refuse(o.place(name), "required")
	}
}

// form is text of a fixed form.
func (o object) form(name string, form *regexp.Regexp) string {
	s := o.text(name)
	if s != "" && !form.MatchString(s) {
		o.d.refuse(o.place(name), "pattern")
	}
	return s
}

func enum[T ~string](o object, name string, allowed ...T) T {
	return one(o.d, o.place(name), T(o.text(name)), allowed)
}

func one[T ~string](d *decoder, at string, s T, allowed []T) T {
	if s != "" && !slices.Contains(allowed, s) {
		d.refuse(at, "enum")
	}
	return s
}

func (o object) flag(name string) (value, stated bool) {
	v := o.get(name)
	switch {
	case v == nil:
		return false, false
	case v.Kind() != 't' && v.Kind() != 'f':
		o.d.refuse(o.place(name), "type")
		return false, false
	}
	return v.Kind() == 't', true
}

func (o object) yes(name string) bool {
	value, _ := o.flag(name)
	return value
}

// whole is an integer; byDefault if it is missing.
func (o object) whole(name string, byDefault int) int {
	v := o.kind(name, '0')
	if v == nil {
		return byDefault
	}
	n, err := strconv.Atoi(string(v))
	if err != nil {
		o.d.refuse(o.place(name), "type")
	}
	return n
}

// count is a whole number that is not negative and at most limit.
func (o object) count(name string, limit int) int {
	n := o.whole(name, 0)
	if n < 0 || n > limit {
		o.d.refuse(o.place(name), "range")
	}
	return n
}

func (o object) day(name string) identifier.Date {
	return o.d.day(o.place(name), o.text(name))
}

var timestampForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// day reads a civil day, or a timestamp (RFC 3339) as its day at +08:00.
func (d *decoder) day(at, s string) identifier.Date {
	if s == "" {
		return identifier.Date{}
	}
	if timestampForm.MatchString(s) {
		t, err := time.Parse(time.RFC3339, strings.ToUpper(s))
		if err != nil {
			d.refuse(at, "format")
			return identifier.Date{}
		}
		s = record.CivilDay(t)
	}
	day, err := identifier.ParseDate(s)
	if err != nil {
		d.refuse(at, "format")
	}
	return day
}

// inner is a member that is an object; empty if it is missing.
func (o object) inner(name string) object {
	return o.d.object(o.place(name), o.kind(name, '{'))
}

func (d *decoder) object(at string, v jsontext.Value) object {
	o := object{d: d, at: at}
	if v == nil {
		return o
	}
	if v.Kind() != '{' {
		d.refuse(at, "type")
		return o
	}
	if err := json.Unmarshal(v, &o.members); err != nil {
		d.refuse(at, "json_invalid")
	}
	return o
}

// list is the items of an array; empty items stay, so that places keep their numbers.
func (o object) list(name string) []jsontext.Value {
	v := o.kind(name, '[')
	if v == nil {
		return nil
	}
	var items []jsontext.Value
	if err := json.Unmarshal(v, &items); err != nil {
		o.d.refuse(o.place(name), "json_invalid")
	}
	return items
}

func item(o object, name string, i int) string { return o.place(name) + "/" + strconv.Itoa(i) }

// objects reads an array of objects; what is missing in it is left out.
func objects[T any](o object, name string, read func(object) T) []T {
	var out []T
	for i, v := range o.list(name) {
		if !missing(v) {
			out = append(out, read(o.d.object(item(o, name, i), v)))
		}
	}
	return out
}

// texts reads an array of strings; what is missing in it is left out.
func (o object) texts(name string) []string {
	var out []string
	for i, v := range o.list(name) {
		switch {
		case missing(v):
		case v.Kind() != '"':
			o.d.refuse(item(o, name, i), "type")
		default:
			out = append(out, unquote(v))
		}
	}
	return out
}
