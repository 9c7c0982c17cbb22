package blacklist

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// What a status record adds to a penalty beside service and remedies, as the members of the schema penalty.

// photoComparison 照片比对 says that two officers took the photographs of a person met and of the respondent for one.
type photoComparison struct {
	At       string   `json:"at"`
	Officers []string `json:"officers"`
}

// confirmation 法制确认 is a reviewer's decision about what the count left to him.
type confirmation struct {
	Reason string `json:"reason"`
	At     string `json:"at"`
	By     string `json:"by"`
}

// later lets such a record act. What stands in its body alone has no effect where the body is not here.
func (e *Entry) later(event workflow.Event, c *statusCard, st record.Stored, parts map[record.PartName][]byte) {
	_, whole := parts[record.Body]
	if !whole && (event == EventCompare || event == EventSettle) {
		e.Waiting = e.Waiting || waiting(st)
		return
	}
	body := members(parts)
	switch event {
	case EventObject:
		e.objections = append(e.objections[:len(e.objections):len(e.objections)], c.ObjectionAt)
		e.enlarge("objections", c.ObjectionAt)
	case EventTransfer:
		if !e.transferred {
			e.transferred, e.added["transferred"], e.added["transferred_at"] = true, true, c.TransferredAt
		}
	case EventCompare:
		p := photoComparison{At: c.ComparedAt}
		_ = json.Unmarshal(body["officers"], &p.Officers)
		e.enlarge("photo_comparisons", p)
	case EventSettle:
		if by := readMembers(body).CreatedBy.User; by != "" {
			e.enlarge("confirmed", confirmation{c.Confirms, st.Meaning.Day, by})
		}
	}
}

// enlarge adds to a list of the content.
func (e *Entry) enlarge(name string, v any) {
	list, begun := e.added[name].([]any)
	if !begun {
		var was []jsontext.Value
		_ = json.Unmarshal(members(e.Parts)[name], &was)
		for _, w := range was {
			list = append(list, w)
		}
	}
	e.added[name] = append(list[:len(list):len(list)], v)
}

// typed finds confirmations and comparisons of photographs in a payload that corrected, which may be nil, does not hold. Only
// a status record by the one who decided brings one in; a correction carries it on.
func typed(b []byte, corrected *Entry) []schemas.Violation {
	var was, now map[string]jsontext.Value
	if corrected != nil {
		if held, err := corrected.Payload(); err == nil {
			_ = json.Unmarshal(held, &was)
		}
	}
	_ = json.Unmarshal(b, &now) // what is no object holds none
	var out []schemas.Violation
	for _, name := range []string{"confirmed", "photo_comparisons"} {
		held := items(was[name])
		for i, v := range items(now[name]) {
			if !slices.Contains(held, v) {
				out = append(out, schemas.Violation{Pointer: fmt.Sprintf("/%s/%d", name, i), Code: ViolationNotRecorded})
			}
		}
	}
	return out
}

// items returns the items of a list in canonical form, so that they compare by what they say.
func items(list jsontext.Value) []string {
	var all []jsontext.Value
	_ = json.Unmarshal(list, &all)
	var out []string
	for _, v := range all {
		if v.Canonicalize() == nil {
			out = append(out, string(v))
		}
	}
	return out
}

// proven reports whether somebody has entered the proof of service.
func (e *Entry) proven() bool {
	proof, later := e.added["service_proof"].(jsontext.Value)
	if !later {
		proof = members(e.Parts)["service_proof"]
	}
	return len(proof) > 0 && (proof.Kind() == '"' || proof.Kind() == 't')
}
