package client

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"
)

// Notice is one thing that somebody at the desk should know: ids, types, states and days. What a record says is read under
// its own path.
type Notice struct {
	Topic     string       `json:"topic"` // entry, applied, draft, operation, ask, import, alarm
	Member    string       `json:"member,omitempty"`
	Type      string       `json:"type,omitempty"` // of the subject
	Subject   string       `json:"subject,omitempty"`
	Record    string       `json:"record,omitempty"`
	Version   uint64       `json:"version,omitzero"`
	Event     string       `json:"event,omitempty"` // publish, correct, suspend, lift, confirm, submit, return, approve, propose, …
	State     string       `json:"state,omitempty"` // to which that led
	Day       string       `json:"day,omitempty"`   // civil date, YYYY-MM-DD
	Ask       string       `json:"ask,omitempty"`
	Seq       int          `json:"seq,omitzero"`
	Direction string       `json:"direction,omitempty"` // up, down, same
	Import    string       `json:"import,omitempty"`
	Alarms    []string     `json:"alarms,omitempty"`
	Duty      []MemberDuty `json:"duty,omitempty"` // whom to call now at the members that it concerns, as far as known
}

// Hear calls tell with what this person should know, as it comes, until tell returns an error, ctx ends, or the person may
// hear no more (*ClosedError). at is the place to go on from, as an earlier call told it; empty is from now on. tell is
// first called with the place alone, the Notice being zero. A stream that breaks off is taken up at the last place; of
// records none is missed and none told twice, while questions, imports and alarms are told as they stand.
func (d *Desk) Hear(ctx context.Context, at string, tell func(place string, n Notice) error) error {
	first := true
	return again(ctx, func() error {
		return d.follow(ctx, "/api/v1/events", at, func(e streamed) error {
			at = e.id
			if e.name == "open" {
				if !first {
					return nil
				}
				first = false
				return tell(at, Notice{})
			}
			var n Notice
			if err := json.Unmarshal(e.data, &n); err != nil {
				return errors.New("read stream: not of this API")
			}
			return tell(at, n)
		})
	})
}
