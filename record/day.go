package record

import "time"

// CivilZone is +08:00, in which every date of the federation is meant (domain.md §2.1).
var CivilZone = time.FixedZone("+08:00", 8*3600)

// CivilDay returns the civil date of a moment, YYYY-MM-DD at +08:00.
func CivilDay(t time.Time) string { return t.In(CivilZone).Format(time.DateOnly) }
