package auth

// Topic is what a notice is about.
type Topic string

// The topics.
const (
	TopicEntry     Topic = "entry"     // an entry or penalty of a member was published or changed
	TopicApplied   Topic = "applied"   // every member has applied what this bureau took back or changed
	TopicDraft     Topic = "draft"     // a draft of this bureau waits for the next person
	TopicOperation Topic = "operation" // a joint operation was planned, answered or changed
	TopicAsk       Topic = "ask"       // an open question of this person came to something else
	TopicImport    Topic = "import"    // work on a spreadsheet has ended
	TopicAlarm     Topic = "alarm"     // what a person must look at
)

// Hearing is what decides about a notice beside the roles.
type Hearing struct {
	Own       bool // of this bureau's own record
	Embargoed bool // of an operation whose embargo is not over
	Next      Act  // of a draft: what it waits for
}

// MayHear reports whether one of the roles is told of something. A notice holds ids, types, states and days, no content;
// that a neighbour has published is told to those who answer for the exchange, while an officer asks (domain.md §2.3).
// Of an open question the border decides: it is told to those who may read it.
func MayHear(roles []Role, t Topic, h Hearing) bool {
	if !May(roles, Hear) {
		return false
	}
	switch t {
	case TopicEntry:
		if h.Own {
			return May(roles, ListOwn)
		}
		return has(roles, Liaison, LegalReviewer, Head)
	case TopicDraft:
		return h.Next != "" && May(roles, h.Next)
	case TopicOperation:
		return ViewOfOperation(roles, h.Own, h.Embargoed) >= ViewMeta
	case TopicAsk:
		return May(roles, Ask)
	case TopicImport, TopicApplied:
		return May(roles, ListOwn)
	case TopicAlarm:
		return May(roles, SeeStatus)
	}
	return false
}
