package record

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Relation says what a reference does (log.md §2).
type Relation string

// The relations. Follows to Erases make the record the next version of the subject that they name.
const (
	Follows    Relation = "follows"
	Supersedes Relation = "supersedes"
	Withdraws  Relation = "withdraws"
	Erases     Relation = "erases"
	Cites      Relation = "cites"
	Answers    Relation = "answers"
)

// Valid reports whether r is one of the relations of format 1.
func (r Relation) Valid() bool { return r.Changes() || r == Cites || r == Answers }

// Changes reports whether r makes the record a version of the subject that it names.
func (r Relation) Changes() bool { return r == Follows || r.Deletes() }

// Deletes reports whether r deletes the content of earlier records of the subject at members other than the origin.
func (r Relation) Deletes() bool { return r == Supersedes || r == Withdraws || r == Erases }

// Ends reports whether nothing but an erasure may change the subject after r.
func (r Relation) Ends() bool { return r == Withdraws || r == Erases }

// Ref points at a subject (of a change: after which version) or at a record (version 0: no version of it).
type Ref struct {
	Rel     Relation
	ID      RecordID
	Version uint64
}

// Meaning is what header and meta say together, the same for an open and a sealed record.
type Meaning struct {
	ID           RecordID
	Type, Schema string
	Day          string // civil date at +08:00, YYYY-MM-DD
	Audience     map[GroupID]Level
	Refs         []Ref
	Sealed       bool
}

// IsZero reports whether nothing is known: meta is not here, or the record has no effect.
func (m Meaning) IsZero() bool { return m.Type == "" }

// Change returns the reference that makes this record a version of an older subject.
func (m Meaning) Change() (Ref, bool) {
	for _, r := range m.Refs {
		if r.Rel.Changes() {
			return r, true
		}
	}
	return Ref{}, false
}

// Subject returns the subject and version that this record claims to be.
func (m Meaning) Subject() (RecordID, uint64) {
	if r, ok := m.Change(); ok {
		return r.ID, r.Version + 1
	}
	return m.ID, 1
}

// gives reports whether the audience gives part p to a member of the groups that in reports.
func (m Meaning) gives(p PartName, in func(GroupID) bool) bool {
	if p == Meta && !m.Sealed {
		return false
	}
	for g, l := range m.Audience {
		if l.Includes(p) && in(g) {
			return true
		}
	}
	return false
}

var (
	typeForm   = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	schemaForm = regexp.MustCompile(`^[0-9a-z][0-9a-z.-]{0,15}$`)
	dayForm    = regexp.MustCompile(`^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$`)
	weekForm   = regexp.MustCompile(`^(19|[2-9][0-9])[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])$`)
)

// parseDay reads a civil date of 1900–9999.
func parseDay(s string) (time.Time, error) {
	if !dayForm.MatchString(s) {
		return time.Time{}, errors.New("day: want YYYY-MM-DD")
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, errors.New("day: no such date")
	}
	return t, nil
}

// weekOf returns the ISO 8601 week of a civil date. The date is one at +08:00 already, so no zone enters.
func weekOf(day string) (string, error) {
	t, err := parseDay(day)
	if err != nil {
		return "", err
	}
	y, w := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w), nil
}

func (m Meaning) check() error {
	if !typeForm.MatchString(m.Type) {
		return errors.New("type: ill-formed")
	}
	if !schemaForm.MatchString(m.Schema) {
		return errors.New("schema: ill-formed")
	}
	if _, err := parseDay(m.Day); err != nil {
		return err
	}
	if len(m.Audience) > maxGroups {
		return fmt.Errorf("audience: more than %d groups", maxGroups)
	}
	for g, l := range m.Audience {
		if !g.Valid() || l < L1 || l > L3 {
			return errors.New("audience: ill-formed group or level")
		}
	}
	return checkRefs(m.Refs)
}

func checkRefs(refs []Ref) error {
	changes := 0
	for i, r := range refs {
		switch {
		case !r.Rel.Valid():
			return fmt.Errorf("refs[%d]: unknown relation", i)
		case r.Version >= maxNumber || r.Rel.Changes() && r.Version == 0:
			return fmt.Errorf("refs[%d]: version: %w", i, errNumber)
		case r.Rel.Changes():
			changes++
		}
	}
	if changes > 1 {
		return errors.New("refs: more than one change of a subject")
	}
	return nil
}

// appendMeaning writes the members that an open header and meta share.
func appendMeaning(b []byte, typ, schema, day string, audience map[GroupID]Level, refs []Ref) []byte {
	b = append(b, `"type":"`...)
	b = append(b, typ...)
	b = append(b, `","schema":"`...)
	b = append(b, schema...)
	b = append(b, `","day":"`...)
	b = append(b, day...)
	b = append(b, `","audience":{`...)
	for i, g := range slices.Sorted(maps.Keys(audience)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, g...)
		b = append(b, `":"`...)
		b = append(b, audience[g].String()...)
		b = append(b, '"')
	}
	b = append(b, `},"refs":[`...)
	for i, r := range refs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"rel":"`...)
		b = append(b, r.Rel...)
		b = append(b, `","id":"`...)
		b = append(b, r.ID.String()...)
		b = append(b, `","version":"`...)
		b = strconv.AppendUint(b, r.Version, 10)
		b = append(b, `"}`...)
	}
	return append(b, ']')
}

// encodeMeta returns the bytes of the part meta.
func encodeMeta(m Meaning) []byte {
	return append(appendMeaning([]byte{'{'}, m.Type, m.Schema, m.Day, m.Audience, m.Refs), '}')
}

type meaningWire struct {
	Type     *string            `json:"type"`
	Schema   *string            `json:"schema"`
	Day      *string            `json:"day"`
	Audience *map[string]string `json:"audience"`
	Refs     *[]refWire         `json:"refs"`
}

type refWire struct {
	Rel     string `json:"rel"`
	ID      string `json:"id"`
	Version string `json:"version"`
}

func (w *meaningWire) read() (Meaning, error) {
	var m Meaning
	if w.Type == nil || w.Schema == nil || w.Day == nil || w.Audience == nil || w.Refs == nil {
		return m, errors.New("type, schema, day, audience or refs missing")
	}
	m.Type, m.Schema, m.Day = *w.Type, *w.Schema, *w.Day
	m.Audience = make(map[GroupID]Level, len(*w.Audience))
	for g, s := range *w.Audience {
		l, err := ParseLevel(s)
		if err != nil {
			return m, fmt.Errorf("audience: %w", err)
		}
		m.Audience[GroupID(g)] = l
	}
	for i, r := range *w.Refs {
		id, err := ParseBits128(r.ID)
		if err != nil {
			return m, fmt.Errorf("refs[%d]: id: %w", i, err)
		}
		v, err := parseNumber(r.Version)
		if err != nil {
			return m, fmt.Errorf("refs[%d]: version: %w", i, err)
		}
		m.Refs = append(m.Refs, Ref{Rel: Relation(r.Rel), ID: id, Version: v})
	}
	return m, m.check()
}

// DecodeMeta reads the part meta of a sealed record as strictly as a header. ID is left zero: it stands in the header.
func DecodeMeta(b []byte) (Meaning, error) {
	var w meaningWire
	if err := readJSON(b, MaxHeader, &w); err != nil {
		return Meaning{}, fmt.Errorf("decode meta: %w", err)
	}
	m, err := w.read()
	if err != nil {
		return Meaning{}, fmt.Errorf("decode meta: %w", err)
	}
	if _, toAll := m.Audience[All]; toAll {
		return Meaning{}, errors.New("decode meta: a record for all is not sealed")
	}
	m.Sealed = true
	return m, nil
}

// ErrNoMeta: the header is sealed and its meta was not given.
var ErrNoMeta = errors.New("sealed header without meta")

// Meaning reads what the record says. meta is nil for an open header; of a sealed one it must agree with the header's
// week and number of keys, else the origin tells those who hold the key something other than everybody else.
func (h *Header) Meaning(meta []byte) (Meaning, error) {
	if !h.Sealed() {
		return Meaning{ID: h.ID, Type: h.Type, Schema: h.Schema, Day: h.Day, Audience: h.Audience, Refs: h.Refs}, nil
	}
	if meta == nil {
		return Meaning{}, ErrNoMeta
	}
	m, err := DecodeMeta(meta)
	if err != nil {
		return Meaning{}, err
	}
	week, err := weekOf(m.Day)
	if err != nil || week != h.Week {
		return Meaning{}, errors.New("meta: day is not in the header's week")
	}
	if len(m.Audience) != len(h.Keys) {
		return Meaning{}, errors.New("meta: audience and keys of the header differ in number")
	}
	m.ID = h.ID
	return m, nil
}
