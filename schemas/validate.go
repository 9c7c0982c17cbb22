package schemas

import (
	"errors"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Validate says what is wrong with a payload, sorted by pointer; none for a valid one, at most MaxViolations. asOf is the civil
// date at +08:00 (YYYY-MM-DD) against which births, acts and decisions may not lie in the future. Bytes that are no
// strict JSON are reported alone. What only a published record must have is Ready's question.
func (t *Type) Validate(payload []byte, asOf string) []Violation {
	errs, _ := t.examine(payload, asOf, false)
	return errs
}

// Ready is Validate and, besides, what a published record must have: author, reviewer (another person), times.
func (t *Type) Ready(payload []byte, asOf string) []Violation {
	errs, _ := t.examine(payload, asOf, true)
	return errs
}

// Warnings lists what does not make a payload invalid but must be seen before it is approved: suspect identifiers,
// minors, long procedures. It is empty for a payload that is malformed.
func (t *Type) Warnings(payload []byte, asOf string) []Violation {
	_, warns := t.examine(payload, asOf, false)
	return warns
}

func (t *Type) examine(payload []byte, asOf string, publish bool) (errs, warns []Violation) {
	v, bad := parse(payload)
	if bad != nil {
		return []Violation{*bad}, nil
	}
	day, err := identifier.ParseDate(asOf)
	if err != nil {
		return []Violation{{"", "as_of"}}, nil
	}
	c := &checker{asOf: day, publish: publish, seen: map[string]bool{}}
	c.run(t, v)
	return sorted(c.errs), sorted(c.warns)
}

// MaxViolations is how many violations of one payload are reported, so that an answer is never larger than its question.
const MaxViolations = 200

func sorted(vs []Violation) []Violation {
	sort.SliceStable(vs, func(i, j int) bool {
		if vs[i].Pointer != vs[j].Pointer {
			return vs[i].Pointer < vs[j].Pointer
		}
		return vs[i].Code < vs[j].Code
	})
	return vs[:min(len(vs), MaxViolations)]
}

// checker collects violations of one payload. One pointer carries one violation, the first found: the schema's word
// comes before that of the rules behind it, which can then rely on types.
type checker struct {
	asOf    identifier.Date
	publish bool
	errs    []Violation
	warns   []Violation
	seen    map[string]bool
}

func (c *checker) report(ptr, code string) {
	ptr = safePointer(ptr)
	if !c.seen[ptr] {
		c.seen[ptr] = true
		c.errs = append(c.errs, Violation{ptr, code})
	}
}

func (c *checker) warn(ptr, code string) {
	c.warns = append(c.warns, Violation{safePointer(ptr), code})
}

func (c *checker) run(t *Type, v *value) {
	if err := t.compiled.Validate(v.generic()); err != nil {
		var ve *jsonschema.ValidationError
		if errors.As(err, &ve) {
			c.schema(ve)
		} else {
			c.report("", "invalid")
		}
	}
	c.walk(t.root, v, nil, "", record{})
}

// schema turns the library's tree of errors into pointers and codes.
func (c *checker) schema(e *jsonschema.ValidationError) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			c.schema(cause)
		}
		if _, ok := e.ErrorKind.(*kind.PropertyNames); !ok {
			return
		}
	}
	ptr := ""
	for _, name := range e.InstanceLocation {
		ptr = child(ptr, name)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			c.report(child(ptr, name), "required")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			c.report(child(ptr, name), "unknown_field")
		}
	case *kind.Type:
		if k.Got == "null" {
			c.report(ptr, "null_not_allowed")
		} else {
			c.report(ptr, "type")
		}
	case *kind.PropertyNames:
		c.report(ptr, "pattern")
	default:
		c.report(ptr, schemaCode(e.ErrorKind))
	}
}

func schemaCode(k jsonschema.ErrorKind) string {
	switch k.(type) {
	case *kind.Enum, *kind.Const:
		return "enum"
	case *kind.Format:
		return "format"
	case *kind.Pattern:
		return "pattern"
	case *kind.MinLength, *kind.MaxLength:
		return "length"
	case *kind.MinItems, *kind.MaxItems, *kind.MinProperties, *kind.MaxProperties:
		return "items"
	case *kind.UniqueItems:
		return "unique"
	case *kind.Minimum, *kind.Maximum:
		return "range"
	}
	return "invalid"
}

// record is the innermost object around a place that has an intake of its own: nulls are allowed by it, and their
// reasons are counted from it.
type record struct {
	v   *value
	ptr string
}

// walk applies what the annotations say, behind the schema.
func (c *checker) walk(n *node, v, parent *value, ptr string, rec record) {
	switch v.kind {
	case 'n':
		c.null(n, ptr, rec)
	case 's':
		c.text(n, v.str, parent, ptr)
	case '[':
		for i, m := range v.vals {
			c.walk(n.item(), m, parent, item(ptr, i), rec)
		}
	case '{':
		if n.member("intake") != nil {
			rec = record{v, ptr}
			c.nullReasons(v, ptr)
		}
		for i, name := range v.names {
			c.walk(n.member(name), v.vals[i], v, child(ptr, name), rec)
		}
		if n != nil {
			c.object(n, v, ptr)
		}
	}
}

func (c *checker) object(n *node, v *value, ptr string) {
	for _, chain := range n.order {
		c.chain(v, ptr, chain)
	}
	if c.publish {
		for _, name := range n.publish {
			if v.get(name) == nil {
				c.report(child(ptr, name), "required")
			}
		}
		author, reviewer := v.get("created_by").text("user"), v.get("reviewed_by").text("user")
		if author != "" && author == reviewer {
			c.report(ptr+"/reviewed_by/user", "same_person")
		}
	}
	switch n.checks {
	case "person":
		c.person(v, ptr, actOf(v, c.asOf))
	case "penalty":
		c.penalty(v, ptr)
	case "link":
		c.link(v, ptr)
	case "premises":
		c.premises(v, ptr)
	case "handle":
		c.handle(v, ptr)
	case "roster":
		c.roster(v, ptr)
	}
}

// null judges a null that the schema lets through (domain.md §2.1.3).
func (c *checker) null(n *node, ptr string, rec record) {
	if n == nil || !n.nullable || n.notYet {
		return
	}
	rel := strings.TrimPrefix(ptr, rec.ptr)
	switch {
	case rec.v.text("intake") != "history":
		c.report(ptr, "null_not_allowed")
	case rec.v.get("null_reasons").text(rel) == "":
		c.report(ptr, "null_without_reason")
	}
}

// nullReasons refuses a reason for something that is not null.
func (c *checker) nullReasons(v *value, ptr string) {
	reasons := v.get("null_reasons")
	if reasons == nil || reasons.kind != '{' {
		return
	}
	for _, at := range reasons.names {
		if !v.at(at).isNull() {
			c.report(child(ptr, "null_reasons"), "null_reason_unused")
		}
	}
}

// at follows a pointer through objects and arrays; nil if nothing is there.
func (v *value) at(ptr string) *value {
	for _, name := range strings.Split(strings.TrimPrefix(ptr, "/"), "/") {
		if v == nil {
			return nil
		}
		if v.kind == '[' {
			v = v.index(name)
			continue
		}
		v = v.get(unescape.Replace(name))
	}
	return v
}

func (v *value) index(s string) *value {
	if i, err := strconv.Atoi(s); err == nil && i >= 0 && i < len(v.vals) && strconv.Itoa(i) == s {
		return v.vals[i]
	}
	return nil
}

// chain refuses dates that run backwards; the later one is pointed at.
func (c *checker) chain(v *value, ptr string, names []string) {
	last := ""
	for _, name := range names {
		s := v.text(name)
		if s == "" {
			continue
		}
		if last != "" && backwards(last, s) {
			c.report(child(ptr, name), "date_order")
		}
		last = s
	}
}

func backwards(a, b string) bool {
	at, aTime := instant(a)
	bt, bTime := instant(b)
	if aTime && bTime {
		return bt.Before(at)
	}
	return civil(b).Before(civil(a))
}

// text judges one string: blank, future, or wrong as the identifier that it is marked as.
func (c *checker) text(n *node, s string, parent *value, ptr string) {
	if n == nil || c.seen[ptr] {
		return
	}
	if s != "" && strings.TrimFunc(s, unicode.IsSpace) == "" {
		c.report(ptr, "blank")
		return
	}
	if n.name == "occurred_at" && civil(s).After(c.asOf.AddDays(1)) {
		c.report(ptr, "date_future")
	}
	if n.ident != nil {
		c.identifier(n.ident.kind, s, parent, ptr)
	}
	if n.name == "number" && parent.text("kind") == "spot_check" {
		c.parsed(identifier.ParseSpotCheck(s, c.asOf.AddDays(1)).Parsed, ptr)
	}
}

func (c *checker) parsed(p identifier.Parsed, ptr string) {
	switch p.Quality {
	case identifier.Invalid:
		c.report(ptr, string(p.Reason))
	case identifier.Suspect:
		c.warn(ptr, string(p.Reason))
	}
}

func (c *checker) identifier(kind, s string, parent *value, ptr string) {
	switch kind {
	case "document":
		c.parsed(readDocument(parent, s, c.asOf).Parsed, ptr)
	case "resident_id":
		c.parsed(identifier.ParseResidentID(s, c.asOf).Parsed, ptr)
	case "uscc", "issuer_uscc":
		c.parsed(identifier.ParseUSCC(s, c.asOf).Parsed, ptr)
	case "phone":
		c.parsed(identifier.ParsePhone(s, c.asOf).Parsed, ptr)
	case "handle":
		c.checkHandle(s, parent, ptr)
	case "doc_no":
		c.parsed(identifier.ParseDocNo(s, civil(parent.text("decided_at"))).Parsed, ptr)
	case "name", "name_variant", "org_name":
		name := identifier.ParseName(s)
		c.parsed(name.Parsed, ptr)
		for _, flag := range name.Flags {
			if flag != "placeholder" {
				c.warn(ptr, "text_"+flag)
			}
		}
	case "birth_date":
		year, day, _ := dateOrYear(s)
		switch {
		case year < identifier.EarliestBirth.Year:
			c.report(ptr, "birth_too_early")
		case year > c.asOf.Year, day.After(c.asOf):
			c.report(ptr, "date_future")
		}
	case "region":
		if _, ok := identifier.LookupRegion(s); !ok {
			c.warn(ptr, "region_unknown")
		}
	}
}

// readDocument reads a number by the type that stands beside it.
func readDocument(parent *value, s string, asOf identifier.Date) identifier.Person {
	return identifier.ParseDocument(parent.text("id_type"), parent.text("id_country"), s, asOf)
}
