package transfer

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// written is the output of `pilin count` (docs/design/count.md), in its order.
type written struct {
	ID         jsontext.Value  `json:"id,omitzero"`
	Rule       string          `json:"rule"`
	Basic      int             `json:"basic"`
	Strict     int             `json:"strict"`
	Pending    int             `json:"pending"`
	Potential  int             `json:"potential"`
	Again      bool            `json:"again"`
	Alert      Alert           `json:"alert"`
	Also       []Alert         `json:"also"`
	Candidate  bool            `json:"candidate"`
	Incomplete bool            `json:"incomplete"`
	Answered   int             `json:"answered"`
	Total      int             `json:"total"`
	Texts      []Text          `json:"texts"`
	Leads      []string        `json:"leads"`
	Released   []writtenPair   `json:"released"`
	Verdicts   []writtenJudged `json:"verdicts"`
}

type writtenPair struct {
	Decision string `json:"decision"`
	By       string `json:"by"`
}

type writtenJudged struct {
	Decision string         `json:"decision"`
	Verdict  Verdict        `json:"verdict"`
	Reason   Reason         `json:"reason"`
	Level    Level          `json:"level,omitzero"` // none of an L1 answer
	DocNo    string         `json:"doc,omitzero"`
	Merged   []string       `json:"merged"`
	Served   string         `json:"served_at,omitzero"`
	Flags    []string       `json:"flags"`
	Final    jsontext.Value `json:"final_at,omitzero"` // of a C; null = not final
	Strict   *bool          `json:"strict,omitzero"`   // of a C
}

// Encode writes a result as one line of JSON. id is what a line of `--lines` carried, nil if nothing; the error is that of
// an id that is no JSON.
func (r *Result) Encode(id jsontext.Value) ([]byte, error) {
	w := written{ID: id, Rule: r.Rule, Basic: r.Basic, Strict: r.Strict, Pending: r.Pending, Potential: r.Potential, Again: r.Again, Alert: r.Alert,
		Also: r.Also, Candidate: r.Candidate, Incomplete: r.Incomplete(), Answered: r.Answered, Total: r.Total, Texts: r.Texts(), Leads: r.Leads}
	for _, p := range r.Released {
		w.Released = append(w.Released, writtenPair(p))
	}
	for _, v := range r.Verdicts {
		j := writtenJudged{Decision: v.Decision, Verdict: v.Verdict, Reason: v.Reason, Level: v.Level, DocNo: v.DocNo, Merged: v.Merged, Served: v.Served.String()}
		if v.Objection {
			j.Flags = []string{"objection"}
		}
		if v.Verdict == Counts {
			j.Final, j.Strict = dayOrNull(v.Final), &v.Strict
		}
		w.Verdicts = append(w.Verdicts, j)
	}
	return json.Marshal(w)
}

func dayOrNull(d identifier.Date) jsontext.Value {
	if d.IsZero() {
		return jsontext.Value("null")
	}
	return jsontext.Value(`"` + d.String() + `"`)
}

// Answer answers one question in the format of `pilin count`; ok is false if it was refused, and the answer says why.
// withID returns the id that the question carries.
func Answer(b []byte, withID bool) (answer []byte, ok bool) {
	var id jsontext.Value
	if withID {
		id = idOf(b)
	}
	q, err := Decode(b)
	if err == nil {
		r := Count(q)
		answer, err = r.Encode(id)
	}
	if err == nil {
		return answer, true
	}
	return encodeRefusal(id, err), false
}

// idOf returns the id of a question as it was written, also of one that is refused; nil if there is none.
func idOf(b []byte) jsontext.Value {
	return (&decoder{}).document(b).members["id"]
}

// encodeRefusal writes why a question was refused.
func encodeRefusal(id jsontext.Value, err error) []byte {
	type why struct {
		Pointer string `json:"pointer"`
		Message string `json:"message"`
	}
	w := why{Message: err.Error()}
	var refused *Refused
	if errors.As(err, &refused) {
		w = why{refused.Pointer, refused.Message()}
	}
	b, err := json.Marshal(struct {
		ID    jsontext.Value `json:"id,omitzero"`
		Error why            `json:"error"`
	}{id, w})
	if err != nil { // of strings and a value that was read: cannot be
		return []byte(`{"error":{"pointer":"","message":"internal"}}`)
	}
	return b
}
