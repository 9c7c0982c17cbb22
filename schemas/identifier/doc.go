// Package identifier reads the numbers and names that identify a person, a body or a decision: resident identity
// numbers, unified social credit codes, telephone numbers, document numbers of decisions, permits and passports
// (domain.md §3). Every reader is a pure function from what somebody typed to a normalised form, a quality and a reason.
// It says nothing about who is the same as whom: that is package match. It knows no clock: the day is an argument.
//
// Nothing is ever corrected: a wrong check digit makes the number invalid and stays as it was typed (§3 rule 4).
package identifier

// Quality is how far an identifier may be used (domain.md §3 rule 3).
type Quality uint8

// The qualities. The zero value is Invalid, so that a forgotten field never matches.
const (
	Invalid Quality = iota // not an identifier of this kind: a record is refused, a question is still answered
	Suspect                // kept and flagged, never used for exact matching
	Valid                  // may be compared exactly
)

// String returns "invalid", "suspect" or "valid".
func (q Quality) String() string {
	switch q {
	case Valid:
		return "valid"
	case Suspect:
		return "suspect"
	}
	return "invalid"
}

// Reason is a stable snake_case code that says why an identifier is suspect or invalid; empty for a valid one. The same
// codes are violation codes of package schemas, which holds their Chinese and English texts.
type Reason string

// Reasons for which an identifier is invalid.
const (
	ReasonEmpty         Reason = "empty"              // nothing left after trimming
	ReasonControl       Reason = "text_control"       // NUL, C0 or C1 control, line or paragraph separator
	ReasonBidi          Reason = "text_bidi"          // U+202A–E, U+2066–9 and other direction marks
	ReasonHidden        Reason = "text_hidden"        // zero width, tag, variation selector or other invisible character
	ReasonScript        Reason = "script"             // a letter or digit of another script that looks like ours
	ReasonLength        Reason = "length"             // wrong number of characters
	ReasonPattern       Reason = "pattern"            // wrong characters or order
	ReasonLetter        Reason = "letter_not_allowed" // a letter that this code never uses (I, O, S, V, Z in a USCC)
	ReasonCheckDigit    Reason = "check_digit"        // check digit or character does not fit
	ReasonOrgCheckDigit Reason = "org_check_digit"    // the organisation code inside a USCC does not check
	ReasonDate          Reason = "date"               // not a day of the calendar
	ReasonFuture        Reason = "date_future"        // later than the day of asking
	ReasonTooEarly      Reason = "birth_too_early"    // before 1900-01-01
	ReasonExcel         Reason = "id_lost_precision"  // 3.10116E+17: a spreadsheet has destroyed the number
	ReasonCountry       Reason = "country"            // a passport without its country
	ReasonYear          Reason = "doc_no_year"        // the year of a document number does not fit
)

// Reasons for which an identifier is suspect.
const (
	ReasonRegion      Reason = "region_unknown"    // the region is in no historical table
	ReasonCheckForm   Reason = "check_digit_form"  // × or * written for the check character X
	ReasonCentury     Reason = "century_ambiguous" // 15 digits with sequence 996–999: possibly born before 1900
	ReasonSeries      Reason = "series_unknown"    // a series that we know of but whose rule we do not
	ReasonYearForm    Reason = "year_form"         // a year of two digits
	ReasonService     Reason = "service_number"    // 400, 95…, 12345: no person's telephone
	ReasonForeign     Reason = "foreign_number"    // a telephone number of another country
	ReasonLocalLength Reason = "local_length"      // fewer digits than this area uses today
	ReasonNoRule      Reason = "no_rule"           // a document for which no rule is known
	ReasonPlaceholder Reason = "placeholder"       // ? or □ stands for a character that was lost
)

// Parsed is what every reader returns at least.
type Parsed struct {
	Raw        string // as given; the record keeps it
	Normalised string // canonical form; also set for an invalid one, so that a question can look for near numbers
	Quality    Quality
	Reason     Reason // empty if and only if Quality is Valid
}

func (p *Parsed) fail(r Reason) { p.Quality, p.Reason = Invalid, r }

// doubt lowers a valid result to suspect; it never raises an invalid one.
func (p *Parsed) doubt(r Reason) {
	if p.Quality == Valid {
		p.Quality, p.Reason = Suspect, r
	}
}
