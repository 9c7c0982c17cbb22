package blacklist

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
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

// proven reports whether somebody has entered the proof of service.
func (e *Entry) proven() bool {
	proof, later := e.added["service_proof"].(jsontext.Value)
	if !later {
		proof = members(e.Parts)["service_proof"]
	}
	return len(proof) > 0 && (proof.Kind() == '"' || proof.Kind() == 't')
}
