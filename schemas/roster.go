package schemas

import (
	"fmt"
	"time"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// roster checks a duty roster (domain.md T30): its shifts lie in its week, and its numbers are telephones.
func (c *checker) roster(v *value, ptr string) {
	for i, s := range v.get("shifts").items() {
		day, err := time.Parse(time.DateOnly, s.text("date"))
		if err != nil {
			continue // the schema has said so
		}
		if year, week := day.ISOWeek(); fmt.Sprintf("%04d-W%02d", year, week) != v.text("week") {
			c.report(item(ptr+"/shifts", i)+"/date", "roster_other_week")
		}
	}
	for _, name := range []string{"phone_day", "phone_night"} {
		if s := v.text(name); s != "" {
			c.parsed(identifier.ParsePhone(s, c.asOf).Parsed, child(ptr, name))
		}
	}
}
