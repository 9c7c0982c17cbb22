package httpapi

import (
	"context"
	"slices"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

// DutyContact 值班联系人 is whom to call at a member now.
type DutyContact struct {
	Phone      string `json:"phone" doc:"The telephone that is answered now: by day from 08:30 to 17:30 at +08:00, else the night's"`
	Night      bool   `json:"night" doc:"It is the night's"`
	PhoneDay   string `json:"phone_day"`
	PhoneNight string `json:"phone_night"`
	Person     string `json:"person,omitempty" doc:"Of the shift that runs now; absent between shifts"`
	Deputy     string `json:"deputy,omitempty"`
	From       string `json:"from,omitempty" doc:"Of the shift, HH:MM at +08:00"`
	To         string `json:"to,omitempty"`
}

// ContactOf returns whom to call at a moment by a member's rosters, newest first; false if they do not say.
func ContactOf(rosters []blacklist.Roster, at time.Time) (DutyContact, bool) {
	r, s, ok := blacklist.OnDuty(rosters, at)
	if !ok {
		return DutyContact{}, false
	}
	c := DutyContact{PhoneDay: r.PhoneDay, PhoneNight: r.PhoneNight, Person: s.Person, Deputy: s.Deputy, From: s.From, To: s.To}
	c.Phone, c.Night = r.Phone(at)
	return c, true
}

// MemberDuty is a member's duty contact beside an alert.
type MemberDuty struct {
	Member record.MemberID `json:"member"`
	Name   string          `json:"name"`
	DutyContact
}

// contact returns a member's duty contact of now; nil if none is known.
func (h *people) contact(ctx context.Context, m record.MemberID) *DutyContact {
	if h.Duty == nil {
		return nil
	}
	c, ok := h.Duty(ctx, m, h.Now())
	if !ok {
		return nil
	}
	return &c
}

// contacts returns the duty contacts of now of those of the members that one is known of, in their order. It is looked up
// each time that something is told: what is kept of an alert outlives a shift.
func (h *people) contacts(ctx context.Context, members []record.MemberID) []MemberDuty {
	out := []MemberDuty{}
	for _, m := range members {
		if c := h.contact(ctx, m); c != nil {
			e, _ := h.Directory.Member(m)
			out = append(out, MemberDuty{m, e.Name, *c})
		}
	}
	return out
}

// asked returns the members that a question is put to.
func (h *people) asked(req *federation.AskRequest) []record.MemberID {
	if len(req.Scope) > 0 {
		return req.Scope
	}
	return h.Directory.Active()
}

// concerned returns the members whom a notice gives reason to call: of a record of another bureau that one, of a question
// those that it is put to, of alarms all others.
func (h *people) concerned(n *told) []record.MemberID {
	self := h.Directory.Self()
	switch {
	case n.Topic == auth.TopicAsk:
		if q := h.Open.get(n.Ask); q != nil {
			return h.asked(&q.req)
		}
	case n.Topic == auth.TopicAlarm && len(n.Alarms) > 0:
		return slices.DeleteFunc(slices.Clone(h.Directory.Active()), func(m record.MemberID) bool { return m == self })
	case n.Member != "" && n.Member != self:
		return []record.MemberID{n.Member}
	}
	return nil
}
