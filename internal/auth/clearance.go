package auth

import (
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// View is how much of a record a person is shown, from nothing to everything the bureau itself may read. A larger view
// shows whatever a smaller one does.
type View uint8

// The views.
const (
	ViewNone   View = iota // not even that it exists
	ViewCount              // that it counts, in figures
	ViewMeta               // ids, type, state, day: no content
	ViewCard               // what every member sees at L2
	ViewMasked             // card and body, strong identifiers and telephones masked
	ViewOpened             // card and body as they are
	ViewHome               // what never leaves the bureau as well, but for protected sources (C4)
)

// Situation is what decides about a view beside the roles.
type Situation struct {
	Own      bool               // the record is of this bureau's own stream
	Author   bool               // the person wrote it
	Purpose  federation.Purpose // of the question or of the opening; empty for a mere list
	Opened   bool               // the person gave purpose and work reference for this very record, and it was logged
	Assigned bool               // a supervised task that this supervisor assigned (T28)
}

// ViewOf returns the largest view that any of the roles gives (domain.md §2.3, receiving side).
func ViewOf(roles []Role, s Situation) View {
	best := ViewNone
	for _, r := range roles {
		best = max(best, viewOf(r, s))
	}
	return best
}

func viewOf(r Role, s Situation) View {
	switch r {
	case Liaison, LegalReviewer, Head:
		if s.Own {
			return ViewHome
		}
		return answered(s)
	case Officer:
		switch {
		case s.Own && s.Author:
			return ViewHome
		case s.Own && s.Purpose == "":
			return ViewCard
		}
		return answered(s)
	case Coordinator:
		return ViewCount
	case Supervisor:
		if s.Assigned {
			return ViewOpened
		}
	case Auditor:
		return ViewMeta
	}
	return ViewNone // sentinel, aide and the three administrators see no record
}

// answered is the view of an answer to a question: without a purpose nothing, for statistics figures, for work the L3
// view, whose numbers show only when the record has been opened.
func answered(s Situation) View {
	switch {
	case s.Purpose == "" || s.Purpose == federation.PurposeAudit:
		return ViewNone
	case s.Purpose == federation.PurposeStat:
		return ViewCount
	case s.Opened:
		return ViewOpened
	}
	return ViewMasked
}

// ViewOfOperation returns what a participant's person sees of a joint operation: who plans and replies sees the plan,
// who goes out sees it from the end of the embargo on (保密至). own: the bureau leads it.
func ViewOfOperation(roles []Role, own, embargoed bool) View {
	best := ViewNone
	for _, r := range roles {
		v := ViewNone
		switch r {
		case Coordinator, Liaison, Head, LegalReviewer:
			if v = ViewOpened; own {
				v = ViewHome
			}
		case Officer:
			if v = ViewOpened; embargoed {
				v = ViewNone
			}
		case Auditor:
			v = ViewMeta
		}
		best = max(best, v)
	}
	return best
}

// Field is what the catalogue says about one place of a payload; Pointer is RFC 6901 with * for the items of an array.
// It is schemas.Field as far as clearance needs it.
type Field struct {
	Pointer string
	Part    record.PartName
	Class   string // C0 … C4
	Vis     string // L2, L3, REQ, NO
	Kind    string // kind of identifier; empty for none
	Derived string // name of the value that the card carries instead (name_masked, birth_year, …); empty for none
}

// showing is how a view shows one field.
type showing uint8

const (
	hidden showing = iota
	masked
	plain
)

// shows decides one field. What the catalogue does not classify is hidden.
func (v View) shows(f Field) showing {
	var need View
	switch {
	case f.Class == "C4", f.Class == "":
		return hidden
	case f.Part == record.Card && f.Vis == "L2":
		need = ViewCard
	case f.Part == record.Body && f.Vis == "L3":
		need = ViewMasked
	case f.Part == record.Home && (f.Vis == "REQ" || f.Vis == "NO"):
		need = ViewHome
	default:
		return hidden
	}
	switch {
	case v < need:
		return hidden
	case v == ViewMasked && maskOf(f.Kind) != nil:
		return masked
	}
	return plain
}

// maskOf returns how a kind of identifier is written until the record is opened (domain.md §2.2); nil: as it is.
func maskOf(kind string) func(string) string {
	switch kind {
	case "document", "resident_id", "passport":
		return func(s string) string { return keep(s, 3, 1) }
	case "phone":
		return func(s string) string { return keep(s, 3, 2) }
	}
	return nil
}

// keep shows the first and last characters and a fixed number of stars, so that the length is not told. What is too short
// to hide anything is hidden whole.
func keep(s string, first, last int) string {
	r := []rune(s)
	if len(r) < first+last+4 {
		return "****"
	}
	return string(r[:first]) + "****" + string(r[len(r)-last:])
}
