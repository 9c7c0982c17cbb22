package match

import (
	"math"
	"strconv"
	"strings"

	"github.com/pilinhub/pilin/match/normal"
)

// Evidence is one line of a verdict: what was compared, and how many bits it speaks for (or against) the subject being
// the one that was asked about. The lines of a candidate add up to its score.
type Evidence struct {
	Code string  `json:"code"`
	Bits float64 `json:"bits"`
	Text string  `json:"text"` // Chinese, for people
}

// tally adds evidence up. Texts are written only when somebody will read them.
type tally struct {
	bits    float64
	write   bool
	lines   []Evidence
	support int     // independent supports of at least 4 bits, beside the name
	other   float64 // bits beside the name
	name    nameLevel
	org     nameLevel
	full    bool // the whole birth date is equal
	birthNo bool // births contradict
	sexNo   bool
	idNo    bool    // known digits of the number contradict
	born    float64 // bits of other that the birth gave
	veto    bool    // two valid numbers differ
	doubted bool    // the question's number has a wrong check digit and was used
	numbers bool    // ID, phone or plate equal after normalising
	idEqual bool
	code    bool // equal is a code of an organisation or a decision, not a person's number
	placeOK bool // full address equal
}

func (t *tally) add(code string, bits float64, text string) {
	bits = tenth(bits)
	t.bits += bits
	if t.write {
		t.lines = append(t.lines, Evidence{code, bits, text})
	}
}

// weigh compares a question with a subject in full.
func (e *Engine) weigh(q *posed, s *subject, c *context, write bool) tally {
	t := tally{write: write}
	t.add("prior", c.prior, "先验:名单规模")
	t.weighName(e, q, s, c)
	id := t.weighID(q, s)
	if id != idSame {
		t.weighBirth(e, q, s)
		t.weighSex(q, s)
	}
	t.weighDocuments(q, s)
	t.weighPhone(q, s, c)
	t.weighPlate(q, s, c)
	t.weighOrg(q, s, c)
	t.weighPlace(q, s, c)
	if q.county != "" && s.county == q.county && q.place.IsZero() {
		t.add("county", weights.county, "同一区县")
	}
	if t.idEqual && !t.code && t.name == nameOther {
		t.add("id_other_name", weights.idOtherName, "号同名异:证件号相同而姓名明显不同,疑借用或误录")
	}
	return t
}

// idLevel is how two numbers stand.
type idLevel uint8

const (
	idUnsaid idLevel = iota
	idSame
	idNear
	idPart
	idOther
)

func (t *tally) weighID(q *posed, s *subject) idLevel {
	asked := q.id
	if asked.Number == "" && asked.Part == "" || len(s.ids) == 0 {
		if asked.Whole && !asked.Valid {
			t.doubted = true
		}
		return idUnsaid
	}
	best, bits, text, code := idUnsaid, -1000.0, "", ""
	for _, id := range s.ids {
		l, b, c, x := compareID(asked, id, q.birth != "" && s.birth != "")
		if b > bits {
			best, bits, code, text = l, b, c, x
		}
	}
	switch best {
	case idSame:
		t.numbers, t.idEqual = true, true
	case idNear:
		t.doubted = true
	case idOther:
		t.veto = true
	case idPart:
		t.idNo = bits < 0
		if bits >= 8 {
			t.support++
		}
		if bits >= 14 {
			t.support++ // area and sequence: two facts
		}
	}
	if asked.Letters && best == idSame {
		text += ",字母 O、l 按数字 0、1 读"
	}
	if asked.Whole && !asked.Valid {
		t.doubted = true
		text += "(校验位不符,按相近号码查)"
	}
	t.add(code, bits, text)
	t.other += max(0, bits)
	return best
}

// compareID gives the level, bits, code and text. birthTold says that birth is compared on a line of its own, so that its
// digits count only once.
func compareID(q, r normal.ID, birthTold bool) (idLevel, float64, string, string) {
	switch {
	case q.Whole && r.Whole && q.Number == r.Number:
		if !q.Valid {
			return idNear, weights.idEqualWrong, "id_equal_wrong", "证件号相同但校验位有误"
		}
		return idSame, weights.idEqual, "id_equal", "证件号相同"
	case q.Whole && r.Whole && q.Valid && r.Valid:
		return idOther, weights.idOther, "id_other", "两个有效证件号不同"
	case q.Whole && r.Whole:
		if oneSlip(q.Number, r.Number) {
			return idNear, weights.idNear, "id_near", "证件号仅差一处"
		}
		if d := differing(q.Number, r.Number); d == 2 {
			return idNear, weights.idNearTwo, "id_near_two", "证件号差两处"
		}
		return idOther, weights.idOtherWrong, "id_other", "证件号不同"
	case q.Part != "" && r.Whole:
		if len(q.Part) == 17 && lessOne(r.Number, q.Part) || len(q.Part) == 19 && lessOne(q.Part, r.Number) {
			return idNear, weights.idLength, "id_length", "证件号缺一位或多一位"
		}
		i := strings.Index(r.Number, q.Part)
		if strings.HasSuffix(r.Number, q.Part) {
			i = 18 - len(q.Part)
		}
		if i < 0 {
			return idPart, weights.idPieceOther, "id_part_other", "证件号片段不符"
		}
		return partBits(strings.Repeat("*", i)+q.Part+strings.Repeat("*", 18-i-len(q.Part)), birthTold)
	case q.Number != "" && r.Number != "":
		known := make([]byte, 18)
		wrong := 0
		for i := range known {
			known[i] = '*'
			if q.Number[i] != '*' && r.Number[i] != '*' {
				known[i] = q.Number[i]
				if q.Number[i] != r.Number[i] {
					known[i] = '*'
					wrong++
				}
			}
		}
		l, bits, code, text := partBits(string(known), birthTold)
		switch {
		case wrong == 1:
			return idPart, bits/2 + weights.idPartNear, "id_part_near", "证件号已知位差一位"
		case wrong > 1:
			return idPart, weights.idPartOther, "id_part_other", "证件号已知位不符"
		}
		return l, bits, code, text
	}
	return idUnsaid, 0, "id_unread", "证件号无法比较"
}

// partBits counts 3.3 bits for a digit, less for those of the area and none for those of a birth that is compared itself.
func partBits(known string, birthTold bool) (idLevel, float64, string, string) {
	bits, n := 0.0, 0
	for i := range known {
		if known[i] == '*' {
			continue
		}
		n++
		switch {
		case i < 6:
			bits += 1
		case i < 8:
			bits += 0.2
		case i < 14:
			if !birthTold {
				bits += 2
			}
		case i == 17:
			bits += 3
		default:
			bits += 3.3
		}
	}
	return idPart, bits, "id_part", "证件号已知" + strconv.Itoa(n) + "位相符"
}

func differing(a, b string) int {
	d := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			d++
		}
	}
	return d
}

// oneSlip reports one character replaced, or two neighbours exchanged, or one moved away and another put in.
func oneSlip(a, b string) bool {
	d := differing(a, b)
	if d == 1 {
		return true
	}
	for i := 1; i < len(a) && d == 2; i++ {
		if a[i] == b[i-1] && a[i-1] == b[i] && a[i] != b[i] {
			return true
		}
	}
	return false
}

// lessOne reports that short is long without one character.
func lessOne(long, short string) bool {
	if len(long) != len(short)+1 {
		return false
	}
	for i := range short {
		if long[i] != short[i] {
			return long[i+1:] == short[i:]
		}
	}
	return true
}

func (t *tally) weighBirth(e *Engine, q *posed, s *subject) {
	a, b := q.birth, s.birth
	if a == "" || b == "" {
		return
	}
	support := func(bits float64) {
		if q.birthOwn || q.id.Valid || !q.id.Whole { // a number that is wrong itself supports nothing
			t.support++
		}
		t.other += bits
		t.born += bits
	}
	ya, _ := strconv.Atoi(a[:4])
	yb, _ := strconv.Atoi(b[:4])
	d := max(ya-yb, yb-ya)
	both := len(a) == 10 && len(b) == 10
	switch {
	case both && a == b:
		t.full = true
		bits := e.counts.yearBits(b) + weights.birthDay // the day: one of 365, and slips
		support(bits)
		t.add("birth_equal", bits, "出生日期相同")
	case both && d == 0 && a[5:7] == b[8:] && a[8:] == b[5:7]:
		support(weights.birthSwapped)
		t.add("birth_swapped", weights.birthSwapped, "出生月日颠倒")
	case both && d == 0 && differing(a, b) == 1:
		t.other += weights.birthNear
		t.add("birth_near", weights.birthNear, "出生日期差一位")
	case both && d == 0:
		t.add("birth_year_only", weights.birthYearOnly, "出生年相同而月日不同")
	case d == 0:
		bits := e.counts.yearBits(b) + weights.birthYear
		support(bits)
		t.add("birth_year", bits, "出生年相同")
	case d == 1:
		t.add("birth_year_near", weights.birthYearNear, "出生年相差一年")
	default:
		t.birthNo = true
		t.add("birth_other", weights.birthOther, "出生年不同")
	}
}

func (t *tally) weighSex(q *posed, s *subject) {
	switch {
	case q.sex == 0 || s.sex == 0:
	case q.sex == s.sex:
		t.add("sex_equal", weights.sexEqual, "性别相同")
	default:
		t.sexNo = true
		t.add("sex_other", weights.sexOther, "性别不同")
	}
}

// shared are the limits above which a value belongs to too many to tell one from another.
const (
	sharedPhone = 20
	sharedPlace = 50
)

func (t *tally) weighPhone(q *posed, s *subject, c *context) {
	p := q.phone.Number
	if p == "" || len(s.phones) == 0 {
		return
	}
	best, code, text := 0.0, "phone_other", "电话不同"
	better := func(bits float64, c, x string) {
		if bits > best {
			best, code, text = bits, c, x
		}
	}
	for _, r := range s.phones {
		switch {
		case p == r && !q.phone.Masked && !q.phone.Part:
			if c.phoneOwners > sharedPhone {
				t.add("phone_shared", 0, "电话相同,但为"+strconv.Itoa(c.phoneOwners)+"人共用,不计分")
				return
			}
			better(weights.phoneEqual-math.Log2(float64(max(1, c.phoneOwners))), "phone_equal", "电话相同")
		case q.phone.Masked || strings.Contains(r, "*"):
			if n := maskedEqual(p, r); n > 0 {
				better(min(11, 1.8*float64(n)+weights.phoneMasked), "phone_masked", "电话已知"+strconv.Itoa(n)+"位相符")
			}
		case q.phone.Part && len(p) >= 4 && strings.HasSuffix(r, p):
			better(min(15, 2.3*float64(len(p))+weights.phonePart), "phone_part", "电话末"+strconv.Itoa(len(p))+"位相符")
		case q.phone.Part && len(p) >= 5 && strings.Contains(r, p):
			better(min(12, 1.6*float64(len(p))+weights.phonePart), "phone_part", "电话片段相符")
		case len(p) >= 7 && len(p) < len(r) && strings.HasSuffix(r, p), len(r) >= 7 && strings.HasSuffix(p, r):
			better(weights.phoneLocal, "phone_local", "电话除区号外相同")
		case len(p) == len(r) && oneSlip(p, r), lessOne(r, p), lessOne(p, r):
			better(weights.phoneNear, "phone_near", "电话差一位")
		}
	}
	switch code {
	case "phone_equal":
		// A phone of a few is a shop's or a family's: without an agreeing name it does not say which of them is meant.
		t.numbers = t.numbers || c.phoneOwners <= 2 || t.name >= nameNear
		t.support++
	case "phone_part", "phone_masked", "phone_local":
		if best >= 9 {
			t.support++
		}
	}
	t.other += best
	t.add(code, best, text)
}

// maskedEqual counts the known digits of two numbers that agree; 0 if one does not.
func maskedEqual(a, b string) int {
	if len(a) != len(b) {
		return 0
	}
	n := 0
	for i := range a {
		switch {
		case a[i] == '*' || b[i] == '*':
		case a[i] != b[i]:
			return 0
		default:
			n++
		}
	}
	return n
}

func (t *tally) weighPlate(q *posed, s *subject, c *context) {
	p := q.plate
	if p.Bare == "" || len(s.plates) == 0 {
		return
	}
	best, code, text := 0.0, "plate_other", "车牌不同"
	for _, r := range s.plates {
		bits, co, x := 0.0, "", ""
		switch {
		case p.Full == r.Full:
			bits, co, x = weights.plateEqual, "plate_equal", "车牌相同"
		case p.Bare == r.Bare && (!p.Province || !r.Province):
			bits, co, x = weights.plateBare, "plate_bare", "车牌除省份外相同"
		case p.Skeleton() == r.Skeleton() && (p.Province != r.Province || p.Full[:len(p.Full)-len(p.Bare)] == r.Full[:len(r.Full)-len(r.Bare)]):
			bits, co, x = weights.plateConfused-float64(differing(p.Bare, r.Bare)), "plate_confused", "车牌形近字符互换后相同"
		case len(p.Bare) == len(r.Bare) && differing(p.Bare, r.Bare) == 1:
			bits, co, x = weights.plateNear, "plate_near", "车牌差一位"
		}
		if bits > best {
			best, code, text = bits, co, x
		}
	}
	switch code {
	case "plate_equal", "plate_bare": // without its province it may be another car's
		t.numbers = t.numbers || code == "plate_equal" || c.plateOwners <= 1
		t.support++
	case "plate_confused":
		t.support++
	}
	t.other += best
	t.add(code, best, text)
}
