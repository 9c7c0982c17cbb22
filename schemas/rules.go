package schemas

import (
	"slices"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Rules about persons and penalties that a schema cannot say. Each relies on types that the schema has checked, and is
// silent about a value that is missing or already refused.

// actOf returns the day of the act that a list entry stands for.
func actOf(v *value, asOf identifier.Date) identifier.Date {
	if d := civil(v.text("occurred_at")); !d.IsZero() {
		return d
	}
	return asOf
}

// person compares a person's number with what stands beside it, and applies the rule for minors (domain.md §3.1, T01).
func (c *checker) person(v *value, ptr string, act identifier.Date) {
	year, birth, _ := dateOrYear(v.text("birth_date"))
	if id := v.text("id_no"); id != "" && !c.seen[ptr+"/id_no"] {
		p := readDocument(v, id, c.asOf)
		if p.Quality != identifier.Invalid {
			if p.Sex.Contradicts(identifier.Sex(v.text("sex"))) {
				c.report(ptr+"/sex", "conflict")
			}
			if !p.Birth.IsZero() && year != 0 && (year != p.Birth.Year || !birth.IsZero() && birth != p.Birth) {
				c.report(ptr+"/birth_date", "conflict")
			}
			if birth.IsZero() {
				birth = p.Birth
			}
			c.oldNumber(v, ptr, p)
		}
	}
	at := ptr + "/birth_date"
	if year == 0 {
		at = ptr + "/id_no" // the only place that tells the age
	}
	switch identifier.Minor(birth, act) {
	case identifier.Child:
		c.report(at, "minor_under_14")
	case identifier.Youth:
		c.youth(v, ptr, at)
	}
	if birth.IsZero() && year != 0 && !act.IsZero() {
		switch {
		case act.Year-year < 14: // not fourteen even if born on 1 January
			c.report(at, "minor_under_14")
		case act.Year-year <= 18:
			c.youth(v, ptr, at)
		}
	}
}

// youth warns of a person of 14 to 17 at the act, whose entry is not shared above L1 and has no photograph (T01).
func (c *checker) youth(v *value, ptr, at string) {
	c.warn(at, "minor_14_to_17")
	if v.get("photo_ref") != nil {
		c.report(ptr+"/photo_ref", "minor_photo")
	}
}

// oldNumber refuses a 15-digit number that is another person's.
func (c *checker) oldNumber(v *value, ptr string, p identifier.Person) {
	old := v.text("id_no_old")
	if old == "" || p.Kind != "resident_id" {
		return
	}
	if o := identifier.ParseResidentID(old, c.asOf); o.Quality != identifier.Invalid && o.Normalised != p.Normalised {
		c.report(ptr+"/id_no_old", "conflict")
	}
}

// Days that a penalty's procedure may take before somebody must look (domain.md §5.2, 行政处罚法 art. 60).
const maxProcedureDays = 90

// maxPenaltyYears is how far back a penalty may lie (reliability-security.md §4.2).
const maxPenaltyYears = 60

// penalty applies the rules about a decision and its respondent.
func (c *checker) penalty(v *value, ptr string) {
	respondent := v.get("respondent")
	birth := birthOf(respondent, c.asOf)
	for _, name := range []string{"act_from", "act_to", "filed_at", "decided_at", "announced_at"} {
		d := civil(v.text(name))
		switch {
		case d.After(c.asOf.AddDays(1)):
			c.report(child(ptr, name), "date_future")
		case d.Before(c.asOf.AddYears(-maxPenaltyYears)):
			c.report(child(ptr, name), "date_too_old")
		case d.Before(birth):
			c.report(child(ptr, name), "before_birth")
		}
	}
	filed, decided := civil(v.text("filed_at")), civil(v.text("decided_at"))
	if !filed.IsZero() && filed.AddDays(maxProcedureDays).Before(decided) {
		c.warn(ptr+"/decided_at", "over_90_days")
	}
	c.announcement(v, ptr)
	for i, e := range v.get("remedy_events").items() {
		if civil(e.text("at")).Before(decided) {
			c.report(item(ptr+"/remedy_events", i)+"/at", "date_order")
		}
	}
	if respondent != nil && respondent.kind == '{' && v.text("respondent_kind") != "organisation" {
		act := civil(v.text("act_to"))
		if act.IsZero() {
			act = decided
		}
		c.person(respondent, ptr+"/respondent", act)
	}
}

func (v *value) items() []*value {
	if v == nil || v.kind != '[' {
		return nil
	}
	return v.vals
}

// announcement: service by announcement is complete 30 days after it, before 2022 after 60 (domain.md §2.6.10, §5.2).
// A difference is shown, not refused: the day counted in the file stands until the reviewer changes it.
func (c *checker) announcement(v *value, ptr string) {
	announced, served := civil(v.text("announced_at")), civil(v.text("served_at"))
	if v.text("service_mode") != "ANN" || announced.IsZero() || served.IsZero() {
		return
	}
	days := 30
	if announced.Year < 2022 {
		days = 60
	}
	if announced.AddDays(days) != served {
		c.warn(ptr+"/served_at", "announcement_period")
	}
}

// birthOf returns the full birth day stated for a person, by date or by number; zero if none.
func birthOf(v *value, asOf identifier.Date) identifier.Date {
	if _, d, _ := dateOrYear(v.text("birth_date")); !d.IsZero() {
		return d
	}
	if id := v.text("id_no"); id != "" {
		if p := readDocument(v, id, asOf); p.Quality != identifier.Invalid {
			return p.Birth
		}
	}
	return identifier.Date{}
}

// lifelong are the documents whose number a person keeps for life: two different ones are two people, and no evidence may
// join them (domain.md §6.2).
var lifelong = []string{identifier.TypeResident, identifier.TypeHKMacau, identifier.TypeTaiwan, identifier.TypeHKResidence, identifier.TypeTaiwanResident}

// link refuses evidence that joins a number with itself, or two numbers that cannot be of one person.
func (c *checker) link(v *value, ptr string) {
	a, b := v.get("a"), v.get("b")
	at := ptr + "/b/id_no"
	if a == nil || b == nil || a.text("id_no") == "" || b.text("id_no") == "" || c.seen[ptr+"/a/id_no"] || c.seen[at] {
		return
	}
	x, y := readDocument(a, a.text("id_no"), c.asOf), readDocument(b, b.text("id_no"), c.asOf)
	switch family := a.text("id_type"); {
	case x.Key == "" || y.Key == "" || family != b.text("id_type"):
	case x.Key == y.Key:
		c.report(at, "link_same")
	case slices.Contains(lifelong, family):
		c.report(at, "link_lifelong")
	}
}
