package identifier

import (
	"regexp"
)

// Member is a read member code, e.g. 310116-01. It is opaque: nothing is computed from its digits (domain.md §2.6.1).
type Member struct{ Parsed }

var (
	memberForm      = regexp.MustCompile(`^[0-9]{6}-[0-9]{2}$`)
	certificateForm = regexp.MustCompile(`^[A-Z0-9]{6,20}$`)
	spotCheckForm   = regexp.MustCompile(`^([0-9]{6}-[0-9]{2})-XC-([0-9]{8})-([0-9]{3,6})$`)
)

// ParseMember reads a member code.
func ParseMember(raw string, _ Date) Member {
	p, ok := begin(raw, normaliseDashed(raw))
	m := Member{p}
	if ok && foreignScript(m.Normalised) {
		m.fail(ReasonScript)
	} else if ok && !memberForm.MatchString(m.Normalised) {
		m.fail(ReasonPattern)
	}
	return m
}

// Certificate is a read 执法证号: 6 to 20 letters and digits, unique inside a member (domain.md §3.8 [K]).
type Certificate struct{ Parsed }

// ParseCertificate reads an enforcement certificate number.
func ParseCertificate(raw string, _ Date) Certificate {
	p, ok := begin(raw, Normalise(raw))
	c := Certificate{p}
	if ok && foreignScript(c.Normalised) {
		c.fail(ReasonScript)
	} else if ok && !certificateForm.MatchString(c.Normalised) {
		c.fail(ReasonPattern)
	}
	return c
}

// SpotCheck is a read 现场核查号, e.g. 310116-01-XC-20260313-001 (domain.md §2.1.2).
type SpotCheck struct {
	Parsed
	Member string
	Day    Date
	Serial string
}

// ParseSpotCheck reads an on-the-spot check number; its day may not lie after asOf.
func ParseSpotCheck(raw string, asOf Date) SpotCheck {
	p, ok := begin(raw, normaliseDashed(raw))
	s := SpotCheck{Parsed: p}
	if !ok {
		return s
	}
	m := spotCheckForm.FindStringSubmatch(s.Normalised)
	if m == nil {
		s.fail(ReasonPattern)
		return s
	}
	day, real := compactDate(m[2])
	switch {
	case !real:
		s.fail(ReasonDate)
	case day.After(asOf):
		s.fail(ReasonFuture)
	default:
		s.Member, s.Day, s.Serial = m[1], day, m[3]
	}
	return s
}
