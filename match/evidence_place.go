package match

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/match/normal"
)

func (t *tally) weighPlace(q *posed, s *subject, c *context) {
	if q.place.IsZero() || len(s.places) == 0 {
		return
	}
	best, code, text, full := -100.0, "", "", false
	for i := range s.places {
		b, co, x, f := comparePlaces(&q.place, &s.places[i])
		if b > best {
			best, code, text, full = b, co, x, f
		}
	}
	if full && c.placeOwners > sharedPlace {
		t.add("place_shared", 3, "地址相同,但登记"+strconv.Itoa(c.placeOwners)+"人,按同村计")
		return
	}
	if full {
		best -= 0.5 * math.Log2(float64(max(1, c.placeOwners)))
	}
	t.placeOK = full && best >= 10 && (c.placeOwners <= 1 || t.name >= nameNear || t.org >= nameNear)
	if best >= 6 {
		t.support++
	}
	t.other += max(0, best)
	t.add(code, best, text)
}

// comparePlaces gives bits, code, text, and whether the whole address is equal down to a room or house.
func comparePlaces(a, b *normal.Address) (float64, string, string, bool) {
	if t, ok := townAside(a, b); ok {
		a = &t
	} else if t, ok := townAside(b, a); ok {
		b = &t
	}
	area, areas := 0.0, 0
	for _, x := range a.Areas {
		best := 0.0
		for _, y := range b.Areas {
			best = max(best, areaLikeness(x, y))
		}
		area += best
		areas++
	}
	missing := 0
	if areas == 0 {
		if a.Town == "" || a.Town != b.Town {
			return elsewhere(a, b), "place_other", "地址不同", false
		}
		return weights.placeTown, "place_town", "同一乡镇街道", false
	}
	if len(b.Areas) < areas { // a level that one side did not write
		missing = areas - len(b.Areas)
		area = min(area+float64(missing)*0.5, float64(areas))
	}
	area /= float64(areas)
	if (a.Town == "") != (b.Town == "") && area < 0.95 { // a town whose 镇 was left out stands before the area
		area = max(area, areaLikeness(a.Town+strings.Join(a.Areas, ""), b.Town+strings.Join(b.Areas, "")))
	}
	county := 0.0
	if a.County != "" && b.County != "" {
		if a.County == b.County {
			county = 2
		} else {
			county = -4
		}
	}
	if a.Town != "" && b.Town != "" {
		if a.Town == b.Town {
			county += 1.5
		} else if areaLikeness(a.Town, b.Town) < 0.5 {
			county -= 3
		}
	}
	if area < 0.45 {
		if a.Town != "" && a.Town == b.Town {
			return 3 + county/2, "place_town", "同一乡镇街道", false
		}
		return elsewhere(a, b), "place_other", "地址不同", false
	}
	same, differ, silent, last := compareNumbers(a, b)
	base := 8*area - 2
	switch {
	case differ > 0 && same == 0:
		return min(4, base/2+county/2), "place_area", "同一路或村,门牌不同", false
	case differ > 0 && last:
		return min(4, base+county/2+2*float64(same)-3), "place_next_door", "同一楼栋或门牌,室号不同", false
	case differ > 0:
		return min(5, base/2+county/2+float64(same)-2), "place_near", "同一路或村,门牌部分不同", false
	case same == 0:
		return min(6, base+county) + weights.placeRoad, "place_road", "同一路或村", false
	}
	bits := base + county + 3*float64(same) - 2*float64(silent)
	full := area > 0.95 && silent == 0 && county >= 0 && missing == 0
	if full {
		return min(16, bits+weights.placeEqual), "place_equal", "地址相同", true
	}
	return min(14, bits+weights.placeLike), "place_like", "地址基本相同", false
}

// elsewhere is what speaks against a record of another place: people are met where they live, mostly.
func elsewhere(a, b *normal.Address) float64 {
	if a.County != "" && b.County != "" && a.County != b.County || a.Town != "" && b.Town != "" && a.Town != b.Town {
		return weights.placeElsewhere
	}
	return 0
}

// townAside takes the other's town out of the first area, where 镇 was left out: 赵巷港家桥村.
func townAside(a, b *normal.Address) (normal.Address, bool) {
	if a.Town != "" || b.Town == "" || len(a.Areas) == 0 {
		return normal.Address{}, false
	}
	rest, ok := strings.CutPrefix(a.Areas[0], b.Town)
	if !ok || rest != "" && utf8.RuneCountInString(rest) < 2 {
		return normal.Address{}, false
	}
	out := *a
	out.Town, out.Areas = b.Town, slices.Clone(a.Areas)
	if out.Areas[0] = rest; rest == "" {
		out.Areas = out.Areas[1:]
	}
	return out, true
}

// compareNumbers counts numbers that agree, that differ, and that only one side says; last tells that what differs is the
// innermost number alone.
func compareNumbers(a, b *normal.Address) (same, differ, silent int, last bool) {
	x := []string{a.Group, a.Lane, a.No, a.Block, a.Unit, a.Room}
	y := []string{b.Group, b.Lane, b.No, b.Block, b.Unit, b.Room}
	if a.Numbers() == b.Numbers() && a.Numbers() != "" && a.Group == b.Group && a.Room == b.Room { // the same numbers under other units: 号 for 幢, or none
		n := 0
		for _, v := range x {
			if v != "" {
				n++
			}
		}
		return n, 0, 0, false
	}
	if x[2] != "" && x[3] == "" && y[2] == "" && y[3] != "" {
		x[3], x[2] = x[2], ""
	}
	if y[2] != "" && y[3] == "" && x[2] == "" && x[3] != "" {
		y[3], y[2] = y[2], ""
	}
	for i := range x {
		switch {
		case x[i] == "" && y[i] == "":
		case x[i] == "" || y[i] == "":
			silent++
		case x[i] == y[i]:
			same++
			last = false
		default:
			differ++
			last = differ == 1
		}
	}
	return same, differ, silent, last && same > 0
}

// areaLikeness is 1 for the same name, less for homophones, look-alikes and characters that are not there.
func areaLikeness(a, b string) float64 {
	if a == b {
		return 1
	}
	x, y := []rune(a), []rune(b)
	if len(x) < len(y) {
		x, y = y, x
	}
	if len(x)-len(y) > 3 || len(x) > 24 {
		return 0
	}
	return alignment(len(x), len(y), 0, func(i, j int) float64 { return charLikeness(x[i], y[j]) }) / float64(len(x))
}

func charLikeness(a, b rune) float64 {
	if a == b {
		return 1
	}
	switch hanzi.Sound(a, b) {
	case hanzi.SameSound:
		return 0.85
	case hanzi.FuzzyNear:
		return 0.7
	}
	if r := hanzi.Likeness(a, b); r > 0 {
		return 0.7
	}
	return 0
}

func (t *tally) weighOrg(q *posed, s *subject, c *context) {
	if q.org.Core == "" || len(s.orgs) == 0 {
		return
	}
	best, code, text := weights.orgOther, "org_other", "机构名称不同"
	level := nameOther
	for _, o := range s.orgs {
		like := areaLikeness(q.org.Core, o.Core)
		var bits float64
		var co, x string
		l := nameFaint
		switch {
		case like == 1:
			l = nameSame
			bits, co, x = max(1, min(16, math.Log2(c.n/float64(max(1, c.orgOwners)))+weights.orgEqual)), "org_equal", "机构字号相同"
		case like >= 0.8:
			l = nameNear
			bits, co, x = 11*like+weights.orgLike, "org_like", "机构字号音近或形近"
		case like >= 0.5:
			bits, co, x = 12*like-3+weights.orgPart, "org_part", "机构字号部分相同"
		default:
			continue
		}
		if q.org.Kind != "" && o.Kind != "" {
			switch {
			case q.org.Kind == o.Kind:
				bits += 1.5
			case normal.KindClass(q.org.Kind) == normal.KindClass(o.Kind), strings.HasSuffix(q.org.Kind, o.Kind), strings.HasSuffix(o.Kind, q.org.Kind):
				bits += 0.5
			default:
				bits -= 2
			}
		}
		if q.org.County != "" && o.County != "" && q.org.County != o.County || q.org.County != "" && s.county != "" && q.org.County != s.county {
			bits -= 2
		} else if q.org.County != "" && (o.County == q.org.County || s.county == q.org.County) {
			bits += 2
		}
		if l == nameSame { // whatever else differs, and in a list of three
			bits = max(bits, 1)
		}
		if bits > best {
			best, code, text, level = bits, co, x, l
		}
	}
	t.org = level
	if best >= 8 && q.name.Form != normal.NoName { // who is asked for by the institution alone is not supported by it too
		t.support++
	}
	t.other += max(0, best)
	t.add(code, best, text)
}
