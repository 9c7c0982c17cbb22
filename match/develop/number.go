package develop

import (
	"strings"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// withID picks people whose number is in the registry.
func (r *Record) withID() bool { return r.person() && r.Line.IDNo != "" }

func exactQuery(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if !r.person() || p.people != 'h' || !recorded(r) {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: p.name}, strong: true}
	switch d.weigh(0.4, 0.25, 0.15, 0.12, 0.08) {
	case 0:
		a.q.Birth, a.form = p.birth, "birth"
		if d.chance(0.6) {
			a.q.Sex = sexValue(p.sex)
		}
		return a, r.born() == 2
	case 1:
		a.q.IDNo, a.form = p.id, "id"
		return a, r.withID()
	case 2:
		a.q.Name, a.q.IDNo, a.form = "", p.id, "id alone"
		return a, r.withID()
	case 3:
		a.q.Phone, a.form = p.phone, "phone"
		return a, p.phone != ""
	}
	a.q.Plate, a.form = p.plate, "plate"
	return a, p.plate != "" && w.facts["plate "+p.plate] == 1
}

func id15Query(d draw, r *Record, _ *world) (asked, bool) {
	if !r.withID() {
		return asked{}, false
	}
	a := asked{q: match.QueryLine{Name: r.who.name, IDNo: r.who.id[:6] + r.who.id[8:17]}, strong: true, form: "15 asked"}
	if len(r.Line.IDNo) == 15 {
		a.q.IDNo, a.form = r.who.id, "15 recorded"
	}
	if d.chance(0.35) {
		a.q.Name = ""
	}
	return a, true
}

func idPartialQuery(d draw, r *Record, _ *world) (asked, bool) {
	if !r.withID() || r.who.people != 'h' {
		return asked{}, false
	}
	id := r.who.id
	form := pick(d, []string{"last 4", "last 4", "last 6", "last 8", "first 10", "first 14"})
	part := map[string]string{"last 4": id[14:], "last 6": id[12:], "last 8": id[10:], "first 10": id[:10], "first 14": id[:14]}[form]
	return asked{q: match.QueryLine{Name: r.who.name, IDNo: part}, form: form}, true
}

func idWrongQuery(d draw, r *Record, _ *world) (asked, bool) {
	if !r.withID() {
		return asked{}, false
	}
	id := r.who.id
	i := 6 + d.IntN(11)
	a := asked{q: match.QueryLine{IDNo: id}}
	switch d.weigh(0.4, 0.2, 0.12, 0.08, 0.13, 0.07) {
	case 5: // a reading machine's letters; the number is whole
		a.form = "letters"
		a.q.IDNo, a.strong = id[:6]+strings.NewReplacer("0", "O", "1", "l").Replace(id[6:]), true
		if d.chance(0.5) {
			a.q.Name = r.who.name
		}
		return a, r.who.people == 'h' && recorded(r)
	case 0:
		a.form = "digit"
		a.q.IDNo = id[:i] + otherDigit(d, id[i]) + id[i+1:]
	case 1:
		a.form = "swapped"
		a.q.IDNo = id[:i-1] + id[i:i+1] + id[i-1:i] + id[i+1:]
	case 2:
		a.form = "dropped"
		a.q.IDNo = id[:i] + id[i+1:]
	case 3:
		a.form = "doubled"
		a.q.IDNo = id[:i] + id[i:i+1] + id[i:]
	default:
		a.form = "area"
		i = 1 + d.IntN(5)
		a.q.IDNo = id[:i] + otherDigit(d, id[i]) + id[i+1:]
	}
	if a.q.IDNo == id {
		return asked{}, false
	}
	if d.chance(0.8) {
		a.q.Name = r.who.name
		if d.chance(0.25) {
			a.q.Birth, a.strong = r.who.birth, r.who.people == 'h' && recorded(r) && validNumber(a.q.IDNo) == ""
		}
	}
	return a, true
}

// validNumber is the number when its check digit fits, else nothing: two valid numbers that differ hold people apart.
func validNumber(id string) string {
	if len(id) == 18 {
		if c, ok := identifier.ResidentCheck(id[:17]); ok && c == id[17] {
			return id
		}
	}
	return ""
}

// otherDigit is a slip of the finger or of the eye.
func otherDigit(d draw, c byte) string {
	like := map[byte]string{'0': "689", '1': "74", '2': "7513", '3': "825", '4': "19", '5': "362", '6': "508", '7': "12", '8': "306", '9': "048"}
	if d.chance(0.6) {
		return string(like[c][d.IntN(len(like[c]))])
	}
	return string('0' + (c-'0'+1+byte(d.IntN(9)))%10)
}

func maskedQuery(d draw, r *Record, _ *world) (asked, bool) {
	if !r.withID() || r.who.people != 'h' {
		return asked{}, false
	}
	id := r.who.id
	form := pick(d, []string{"6 and 4", "6 and 4", "4 and 4", "3 and 4", "birth", "ends", "10 and 2", "6 and 2"})
	mask := map[string]string{"6 and 4": id[:6] + "********" + id[14:], "4 and 4": id[:4] + "**********" + id[14:], "3 and 4": id[:3] + "***********" + id[14:], "birth": id[:6] + strings.Repeat("*", 8) + id[14:17] + "*",
		"ends": id[:1] + strings.Repeat("*", 16) + id[17:], "10 and 2": id[:10] + "******" + id[16:], "6 and 2": id[:6] + "**********" + id[16:]}[form]
	a := asked{q: match.QueryLine{Name: r.who.name, IDNo: mask}, form: form}
	if g := len([]rune(r.who.given)); d.chance(0.3) && form != "ends" {
		a.q.Name = r.who.surname + pick(d, []string{strings.Repeat("某", g), strings.Repeat("*", g), "某"})
		a.form += ", name masked"
	} else if form == "ends" {
		a.q.Birth, a.q.Sex = r.who.year(), sexValue(r.who.sex)
	}
	return a, true
}

func phoneFormatQuery(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if p.phone == "" || p.people == 'i' || p.people == 'p' {
		return asked{}, false
	}
	n := p.phone
	a := asked{q: match.QueryLine{Phone: pick(d, []string{"+86" + n, "+86 " + n[:3] + " " + n[3:7] + " " + n[7:], "0086" + n, n[:3] + "-" + n[3:7] + "-" + n[7:], n[:3] + " " + n[3:7] + " " + n[7:],
		widen(n), "86" + n, "0" + n, "17951" + n, "(" + n[:3] + ")" + n[3:], n[:5] + " " + n[5:], "手机" + n, "86-" + n, n + " "})}, strong: true}
	if p.phoneShared || w.facts["phone "+p.phone] > 2 || d.chance(0.5) {
		a.q.Name = p.name
		if p.people == 'h' && !recorded(r) {
			return asked{}, false
		}
	}
	return a, true
}

func phonePartialQuery(d draw, r *Record, _ *world) (asked, bool) {
	p := r.who
	if p.phone == "" || p.people != 'h' {
		return asked{}, false
	}
	n := p.phone
	form := pick(d, []string{"last 4", "masked", "first 7", "last 8", "one lost"})
	part := map[string]string{"last 4": n[7:], "masked": n[:3] + "****" + n[7:], "first 7": n[:7], "last 8": n[3:], "one lost": n[:5] + n[6:]}[form]
	return asked{q: match.QueryLine{Name: p.name, Phone: part}, form: form}, true
}

// plateQuery asks for a plate as it was heard or seen.
func plateQuery(d draw, r *Record, w *world) (asked, bool) {
	p := r.who
	if p.plate == "" || w.facts["plate "+p.plate] != 1 {
		return asked{}, false
	}
	n := []rune(p.plate)
	a := asked{form: pick(d, []string{"O and I", "O and I", "seen", "seen", "seen", "province lost", "small", "dot", "spaces"})}
	switch a.form {
	case "O and I":
		a.q.Plate = string(n[:2]) + strings.NewReplacer("0", "O", "1", "I").Replace(string(n[2:]))
		a.strong = true
		if a.q.Plate == p.plate {
			return asked{}, false
		}
	case "seen":
		like := map[rune]string{'0': "DQ", 'D': "0O", 'Q': "0O", 'B': "8", '8': "B", '2': "Z", 'Z': "2", '5': "S", 'S': "5", '6': "G", 'G': "6", 'U': "V", 'V': "U", 'M': "N", 'N': "M", '7': "T", 'T': "7", '1': "L", 'L': "1"}
		var can []int
		for i, c := range n[2:] {
			if like[c] != "" {
				can = append(can, i+2)
			}
		}
		if len(can) == 0 {
			return asked{}, false
		}
		i := pick(d, can)
		o := like[n[i]]
		n[i] = rune(o[d.IntN(len(o))])
		a.q.Plate = string(n)
		if w.facts["plate "+a.q.Plate] > 0 {
			return asked{}, false
		}
	case "province lost":
		a.q.Plate = string(n[1:])
	case "small":
		a.q.Plate, a.strong = strings.ToLower(p.plate), true
	case "dot":
		a.q.Plate, a.strong = string(n[:2])+pick(d, []string{"·", "-", "•", "．", " "})+string(n[2:]), true
	default:
		a.q.Plate, a.strong = widen(string(n[:1])+" "+string(n[1:])), true
	}
	if d.chance(0.2) && p.people == 'h' && recorded(r) {
		a.q.Name = p.name
	}
	return a, true
}
