package match

import (
	"encoding/binary"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// RegistryLine is a line of a registry for `pilin match eval`: an entry as people type it. Every field but id, member and
// type may be missing.
type RegistryLine struct {
	ID      string         `json:"id"`
	Member  string         `json:"member"`
	Type    string         `json:"type"` // person, institution or premises
	Name    string         `json:"name,omitzero"`
	Aliases []string       `json:"aliases,omitzero"`
	Sex     jsontext.Value `json:"sex,omitzero"` // text or number
	Birth   string         `json:"birth,omitzero"`
	IDNo    string         `json:"id_no,omitzero"`
	Phones  []string       `json:"phones,omitzero"`
	Plate   string         `json:"plate,omitzero"`
	Address string         `json:"address,omitzero"`
	Org     string         `json:"org,omitzero"`
}

// QueryLine is a line of questions for `pilin match eval`.
type QueryLine struct {
	QID     string         `json:"qid"`
	Name    string         `json:"name,omitzero"`
	Sex     jsontext.Value `json:"sex,omitzero"`
	Birth   string         `json:"birth,omitzero"`
	IDNo    string         `json:"id_no,omitzero"`
	Phone   string         `json:"phone,omitzero"`
	Plate   string         `json:"plate,omitzero"`
	Address string         `json:"address,omitzero"`
	Org     string         `json:"org,omitzero"`
}

// ResultLine answers a QueryLine: best first, at most ten; no results for nobody.
type ResultLine struct {
	QID     string        `json:"qid"`
	Results []ResultEntry `json:"results"`
}

// ResultEntry is one candidate. The bits of Lines add up to Score.
type ResultEntry struct {
	ID      string     `json:"id"`
	Score   float64    `json:"score"`
	Hit     bool       `json:"hit"`
	Outcome Outcome    `json:"outcome"`
	Lines   []Evidence `json:"lines"`
}

// Entry reads a line; i tells it from all others of its registry.
func (l *RegistryLine) Entry(i int) Entry {
	e := Entry{Ref: Ref{Stream: l.Member}, Aliases: l.Aliases, Sex: sexOf(l.Sex), Birth: l.Birth, Phones: l.Phones}
	binary.BigEndian.PutUint64(e.Ref.Subject[8:], uint64(i))
	if l.Type != "person" && l.Name != "" {
		e.Orgs = append(e.Orgs, l.Name)
	}
	if l.Type != "institution" {
		e.Name = l.Name
	}
	for _, v := range []struct {
		from string
		to   *[]string
	}{{l.IDNo, &e.IDs}, {l.Plate, &e.Plates}, {l.Address, &e.Addresses}, {l.Org, &e.Orgs}} {
		if v.from != "" {
			*v.to = append(*v.to, v.from)
		}
	}
	return e
}

// Question reads a line.
func (l *QueryLine) Question() Question {
	return Question{Name: l.Name, Sex: sexOf(l.Sex), Birth: l.Birth, ID: l.IDNo, Phone: l.Phone, Plate: l.Plate, Address: l.Address, Org: l.Org}
}

// sexOf takes the quotes off.
func sexOf(v jsontext.Value) string {
	var s string
	if v.Kind() == '"' && json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// Evaluation answers lines of questions over one registry, with the engine that serves asks.
type Evaluation struct {
	Engine  *Engine
	ids     []string
	members []string
}

// NewEvaluation builds the engine over lines of a registry.
func NewEvaluation(lines []RegistryLine) *Evaluation {
	ev := &Evaluation{Engine: NewEngine(), ids: make([]string, len(lines)), members: make([]string, len(lines))}
	entries := make([]Entry, len(lines))
	for i := range lines {
		ev.ids[i], ev.members[i], entries[i] = lines[i].ID, lines[i].Member, lines[i].Entry(i)
	}
	ev.Engine.Load(entries)
	return ev
}

// Answer answers one line.
func (ev *Evaluation) Answer(l QueryLine) ResultLine {
	out := ResultLine{QID: l.QID, Results: []ResultEntry{}}
	for _, c := range ev.Engine.Ask(l.Question()).Candidates {
		i := binary.BigEndian.Uint64(c.Ref.Subject[8:])
		out.Results = append(out.Results, ResultEntry{ev.ids[i], c.Score, c.Outcome == Hit, c.Outcome, c.Lines})
	}
	return out
}

// ParseRegistryLine reads one line; the error names the field that is none.
func ParseRegistryLine(b []byte) (RegistryLine, error) {
	var l RegistryLine
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("registry line: %w", err)
	}
	return l, nil
}

// ParseQueryLine reads one line; the error names the field that is none.
func ParseQueryLine(b []byte) (QueryLine, error) {
	var l QueryLine
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("query line: %w", err)
	}
	return l, nil
}
