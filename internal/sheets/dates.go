package sheets

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Days from which and to which a number without a date's format is taken for a date: 1950-01-01 to 2079-06-06.
const firstSerial, lastSerial = 18264, 65535

// serialDay is the day of an Excel serial number. In the system of 1900 the serial 60 is 29 February 1900, a day that never
// was, and those below it are one lower than they should be (ECMA-376 part 1 §18.17.4.1).
func serialDay(n int, from1904 bool) (identifier.Date, bool) {
	if from1904 {
		d, _ := identifier.NewDate(1904, 1, 1)
		return d.AddDays(n), n >= 0 && n < 3_000_000
	}
	d, _ := identifier.NewDate(1899, 12, 30)
	if n < 60 {
		d = d.AddDays(1)
	}
	return d.AddDays(n), n >= 1 && n != 60 && n < 2_958_466
}

var (
	isoDay     = regexp.MustCompile(`^(\d{4})([-/.年])(\d{1,2})([-/.月])(\d{1,2})日?(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$`)
	monthOnly  = regexp.MustCompile(`^\d{4}[-/.年]\d{1,2}月?$`)
	yearOnly   = regexp.MustCompile(`^(\d{4})年?$`)
	dayFirst   = regexp.MustCompile(`^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$`)
	shortYear  = regexp.MustCompile(`^'?\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$`)
	compact    = regexp.MustCompile(`^\d{8}$`)
	chineseDay = regexp.MustCompile(`^([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十元正]{1,3})月([一二三四五六七八九十廿卅初]{1,3})日?$`)
)

// readDay reads a day from a cell. code is empty for a certain day; a warning comes beside one.
func readDay(c Cell, from1904 bool) (d identifier.Date, code, warning string) {
	switch c.Kind {
	case Day, Number:
		n, whole, ok := serialOf(c.Text)
		if !ok {
			return d, "date_invalid", ""
		}
		if c.Kind == Number {
			if whole && compact.MatchString(c.Text) {
				return readDayText(c.Text)
			}
			if n < firstSerial || n > lastSerial {
				return d, "date_invalid", ""
			}
			warning = "date_serial"
		}
		if d, ok = serialDay(n, from1904); !ok {
			return identifier.Date{}, "date_invalid", ""
		}
		return d, "", warning
	case Text:
		return readDayText(c.Text)
	}
	return d, "date_invalid", ""
}

func readDayText(raw string) (d identifier.Date, code, warning string) {
	s := strings.TrimSpace(tidy(raw))
	s = strings.NewReplacer("。", ".", "、", ".", "－", "-", "—", "-", "–", "-", "／", "/", " 年", "年", "年 ", "年", " 月", "月", "月 ", "月", " 日", "日").Replace(s)
	m := isoDay.FindStringSubmatch(s)
	switch {
	case m != nil:
		if m[2] == "年" != (m[4] == "月") || m[2] != "年" && m[2] != m[4] {
			return d, "date_invalid", ""
		}
		y, mo, da := atoi(m[1]), atoi(m[3]), atoi(m[5])
		if d, ok := identifier.NewDate(y, mo, da); ok {
			return d, "", ""
		}
		return d, "date_no_such_day", ""
	case compact.MatchString(s):
		if d, ok := identifier.NewDate(atoi(s[:4]), atoi(s[4:6]), atoi(s[6:])); ok {
			return d, "", ""
		}
		return d, "date_no_such_day", ""
	case dayFirst.MatchString(s):
		return d, "date_ambiguous", ""
	case shortYear.MatchString(s):
		return d, "date_two_digit_year", ""
	case monthOnly.MatchString(s), yearOnly.MatchString(s):
		return d, "date_incomplete", ""
	}
	if m := chineseDay.FindStringSubmatch(s); m != nil {
		y := 0
		for _, r := range m[1] {
			y = y*10 + hanDigit(r)
		}
		if d, ok := identifier.NewDate(y, hanNumber(m[2]), hanNumber(m[3])); ok {
			return d, "", ""
		}
		return d, "date_no_such_day", ""
	}
	return d, "date_invalid", ""
}

func hanDigit(r rune) int {
	i := 0
	for _, d := range "零一二三四五六七八九" {
		if d == r {
			return i
		}
		i++
	}
	if strings.ContainsRune("元正", r) {
		return 1
	}
	return 0 // 〇 ○ 初
}

// hanNumber reads 一 … 卅一; 0 for what is none.
func hanNumber(s string) int {
	n := 0
	for _, r := range s {
		switch r {
		case '十':
			if n == 0 {
				n = 1
			}
			n *= 10
		case '廿':
			n = 20
		case '卅':
			n = 30
		default:
			n += hanDigit(r)
		}
	}
	return n
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // callers have matched digits
	return n
}

// serialOf is the whole part of a serial number; the rest is the time of day.
func serialOf(s string) (n int, whole, ok bool) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x < 1<<30) {
		return 0, false, false
	}
	return int(x), x == math.Trunc(x), true
}

// tidy makes of a text cell what its writer meant to write: full-width forms become ordinary ones, the apostrophe that
// Excel takes for "this is text" goes, and so does space around. Nothing inside a word changes.
func tidy(s string) string {
	s = norm.NFKC.String(strings.ReplaceAll(s, "\u00a0", " "))
	s = strings.TrimSpace(s)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "'"), "\u2019")
	return strings.TrimSpace(s)
}
