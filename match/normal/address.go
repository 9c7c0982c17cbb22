package normal

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Address is a place in levels. Empty levels were not written.
type Address struct {
	County string   // code of the members' area, or another county's name
	Town   string   // without 镇, 街道 or 乡
	Areas  []string // village, road, estate: what tells the place, without suffix, in order
	Group  string   // 组, 队, 社
	Lane   string   // 弄
	No     string   // 号 of a road, or of a house in a village
	Block  string   // 幢, 号楼, and 号 inside a lane or estate
	Unit   string   // 单元
	Room   string
}

// Numbers returns all numbers in order of their level, joined; the place's number tuple.
func (a *Address) Numbers() string {
	var out []string
	for _, n := range []string{a.Group, a.Lane, a.No, a.Block, a.Unit, a.Room} {
		if n != "" {
			out = append(out, n)
		}
	}
	return strings.Join(out, "-")
}

// IsZero reports that nothing was read.
func (a *Address) IsZero() bool { return a.Town == "" && len(a.Areas) == 0 && a.Numbers() == "" }

var (
	numeral    = regexp.MustCompile(`[零〇一二三四五六七八九十百两]+(弄|号|幢|栋|座|#|单元|室|户|组|社|队|层|楼|支|小组|生产队|村民)`)
	lastRoom   = regexp.MustCompile(`(弄|号|楼|幢|#|单元|-)([零〇一二三四五六七八九十百两]+)$`)
	townForm   = regexp.MustCompile(`^(\p{Han}{2,6}?)(?:街道|镇|乡)(?:人民政府)?`)
	villForm   = regexp.MustCompile(`^(\p{Han}{1,8}?(?:新村)?)(?:居民委员会|村民委员会|居委会|村委会|行政村|自然村|社区|村|居委)`)
	roadForm   = regexp.MustCompile(`^(\p{Han}{1,9}?)(?:大道|公路|马路|路|大街|街|巷|支路|胡同|道)`)
	estateEnds = []string{"住宅小区", "居民小区", "小区", "花园", "花苑", "家园", "公寓", "新苑", "名苑", "佳苑", "苑", "别墅", "山庄", "城", "园", "邸", "庭", "湾", "里"}
	unitForm   = regexp.MustCompile(`^(号楼|号院|号|弄|幢|栋|座|单元|室|户|组|小组|村民小组|村民组|生产队|队|社|楼|层|#|F)`)
	numberForm = regexp.MustCompile(`^[A-Z]?\d+[A-Z]?`)
)

// ReadAddress reads an address as people type it. Levels may be missing, units may be written in any of their ways.
func ReadAddress(s string) Address {
	s = strings.ToUpper(norm.NFKC.String(clean(s)))
	s = string(folded(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || strings.ContainsRune(",.;:、，。；：()（）[]【】", r):
			return -1
		case r == '—' || r == '–' || r == '－' || r == '_' || r == '~' || r == '/':
			return '-'
		case r == '栋' || r == '棟' || r == '座':
			return '幢'
		}
		return r
	}, s)))
	s = numeral.ReplaceAllStringFunc(s, func(m string) string {
		n := strings.TrimRight(m, "弄号幢栋座#单元室户组社队层楼支小生产村民")
		return arabic(n) + m[len(n):]
	})
	if m := lastRoom.FindStringSubmatchIndex(s); m != nil {
		s = s[:m[4]] + arabic(s[m[4]:])
	}
	var a Address
	s, a.County = cutRegion(s)
	a.levels(s)
	if a.Lane != "" || len(a.Areas) > 1 && a.No != "" && a.Group == "" && a.Room != "" {
		if a.Block == "" { // the number inside a lane is a building's
			a.Block, a.No = a.No, ""
		}
	}
	return a
}

func (a *Address) levels(s string) {
	var chain []string // numbers without unit
	for s != "" {
		if m := numberForm.FindString(s); m != "" {
			s = s[len(m):]
			unit := unitForm.FindString(s)
			s = s[len(unit):]
			n := m
			for len(n) > 1 && n[0] == '0' && n[1] >= '0' && n[1] <= '9' {
				n = n[1:]
			}
			if !a.place(n, unit) {
				chain = append(chain, n)
			}
			s = strings.TrimLeft(s, "-")
			continue
		}
		i := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' })
		if i == 0 {
			s = s[1:] // a letter that is no number's
			continue
		}
		text := s
		if i > 0 {
			text = s[:i]
		}
		s = s[len(text):]
		a.text(strings.Trim(text, "-#第之"))
	}
	switch {
	case len(chain) >= 3:
		a.fill(chain[0], &a.Block)
		a.fill(chain[1], &a.Unit)
		a.fill(chain[2], &a.Room)
	case len(chain) == 2 && (a.Block != "" || a.No != "" && a.Group == ""):
		a.fill(chain[0], &a.Unit)
		a.fill(chain[1], &a.Room)
	case len(chain) == 2:
		a.fill(chain[0], &a.Block)
		a.fill(chain[1], &a.Room)
	case len(chain) == 1 && (a.No != "" || a.Block != ""):
		a.fill(chain[0], &a.Room)
	case len(chain) == 1:
		a.fill(chain[0], &a.No)
	}
}

func (a *Address) fill(n string, to *string) {
	if *to == "" {
		*to = n
	}
}

// place files a number under its unit; false if it has none.
func (a *Address) place(n, unit string) bool {
	switch unit {
	case "弄":
		a.fill(n, &a.Lane)
	case "号", "号院":
		if a.No != "" {
			a.fill(n, &a.Block)
		} else {
			a.No = n
		}
	case "号楼", "幢", "栋", "座", "#":
		a.fill(n, &a.Block)
	case "单元":
		a.fill(n, &a.Unit)
	case "室", "户":
		a.fill(n, &a.Room)
	case "组", "小组", "村民小组", "村民组", "生产队", "队", "社":
		a.fill(n, &a.Group)
	case "楼", "层", "F": // a floor says no more than the room
	default:
		return false
	}
	return true
}

// text files what stands before a number.
func (a *Address) text(s string) {
	if a.Town == "" && len(a.Areas) == 0 {
		if m := townForm.FindStringSubmatch(s); m != nil {
			a.Town, s = m[1], s[len(m[0]):]
		} else if rest, town, county := cutTown(s); town != "" {
			a.Town, s = town, rest
			a.fill(county, &a.County)
		}
		if a.County == "" {
			a.County = towns[a.Town]
		}
	}
	for range 3 {
		if m := villForm.FindStringSubmatch(s); m != nil && (len(m[0]) == len(s) || roadForm.FindString(s) == "" || len(m[0]) < len(roadForm.FindString(s))) {
			a.Areas, s = append(a.Areas, m[1]), s[len(m[0]):]
			continue
		}
		if m := roadForm.FindStringSubmatch(s); m != nil {
			a.Areas, s = append(a.Areas, m[1]), s[len(m[0]):]
			continue
		}
		break
	}
	if r := []rune(s); len(r) >= 2 && len(r) <= 14 && (a.Numbers() == "" || len(a.Areas) == 0) {
		for _, end := range estateEnds {
			if rest, ok := strings.CutSuffix(s, end); ok && len(rest) >= 3 {
				s = rest
				break
			}
		}
		a.Areas = append(a.Areas, s)
	}
}

var numerals = map[rune]int{'零': 0, '〇': 0, '一': 1, '二': 2, '两': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9}

// arabic reads Chinese numerals up to 999, and digit by digit where they are written so: 一〇二.
func arabic(s string) string {
	if !strings.ContainsAny(s, "十百") {
		var b strings.Builder
		for _, r := range s {
			b.WriteString(strconv.Itoa(numerals[r]))
		}
		return b.String()
	}
	total, digit := 0, 0
	for _, r := range s {
		switch r {
		case '十':
			total += max(digit, 1) * 10
			digit = 0
		case '百':
			total += max(digit, 1) * 100
			digit = 0
		default:
			digit = numerals[r]
		}
	}
	return strconv.Itoa(total + digit)
}
