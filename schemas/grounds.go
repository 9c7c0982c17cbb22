package schemas

import "github.com/pilinhub/pilin/schemas/identifier"

// Rules about list entries of premises and handles that a schema cannot say (domain.md T02, T04).

// grounds refuses an entry that rests on nothing: it needs penalties, an open case, or the work in which the thing was
// found, which may be an on-the-spot check (§2.1.2).
func (c *checker) grounds(v *value, ptr string) {
	if len(v.get("penalty_refs").items()) > 0 || v.get("work_ref") != nil {
		return
	}
	if open := v.get("open_case"); open != nil && open.kind == 't' {
		return
	}
	c.report(child(ptr, "work_ref"), "required")
}

// homes are the kinds of premises in which people live.
var homes = map[string]bool{"RENT": true, "HOUSE": true}

// premises refuses a private home in which nobody is known to have practised, and days that have not come.
func (c *checker) premises(v *value, ptr string) {
	c.grounds(v, ptr)
	closed := v.get("times_closed")
	if homes[v.text("premises_kind")] && len(v.get("persons_seen").items())+len(v.get("equipment_seen").items()) == 0 &&
		(closed == nil || closed.kind != '0' || closed.num == 0) {
		c.report(child(ptr, "persons_seen"), "home_not_practised")
	}
	c.notFuture(v, ptr, "first_seen", "last_seen", "landlord_notice_at")
}

// handle applies the rules about a telephone, vehicle or account.
func (c *checker) handle(v *value, ptr string) {
	c.grounds(v, ptr)
	c.notFuture(v, ptr, "used_from", "used_to")
}

// notFuture refuses days later than tomorrow: clocks and zones may differ by one.
func (c *checker) notFuture(v *value, ptr string, names ...string) {
	for _, name := range names {
		if civil(v.text(name)).After(c.asOf.AddDays(1)) {
			c.report(child(ptr, name), "date_future")
		}
	}
}

// handleKind is the kind of identifier that a handle is; empty for one of which no more is known than its characters: a
// device, or a local plate of an e-bike, whose form nobody has fixed (§3.7).
func handleKind(parent *value) string {
	switch kind := parent.text("kind"); {
	case kind == "plate" && parent.text("vehicle_kind") == "other":
		return ""
	case kind == "plate", kind == "phone":
		return kind
	}
	return ""
}

// checkHandle judges a handle by its kind.
func (c *checker) checkHandle(s string, parent *value, ptr string) {
	switch handleKind(parent) {
	case "phone":
		c.parsed(identifier.ParsePhone(s, c.asOf).Parsed, ptr)
	case "plate":
		c.parsed(identifier.ParsePlate(s, c.asOf).Parsed, ptr)
	}
}

// readHandle gives the comparable form of a handle. A telephone number or plate is weak, as others use it later; an account
// is strong with its platform.
func readHandle(s string, parent *value) []Identifier {
	var none identifier.Date
	switch kind := parent.text("kind"); {
	case kind == "phone":
		if p := identifier.ParsePhone(s, none); p.Quality != identifier.Invalid {
			return []Identifier{{Kind: kind, Value: p.Normalised}}
		}
		return nil
	case kind == "plate" && handleKind(parent) == "":
		return []Identifier{{Kind: kind, Value: identifier.Normalise(s)}}
	case kind == "plate":
		if p := identifier.ParsePlate(s, none); p.Quality != identifier.Invalid {
			return []Identifier{{Kind: kind, Value: p.Normalised}}
		}
		return nil
	case parent.text("platform") != "":
		return []Identifier{{Kind: kind, Value: parent.text("platform") + "/" + s, Strong: true}}
	}
	return []Identifier{{Kind: parent.text("kind"), Value: s}}
}
