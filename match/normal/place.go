package normal

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// region is a name of a province, city or county that addresses and institutions begin with.
type region struct {
	name   string // without its last character where that may be left out
	county string // code; empty for provinces and cities
}

// regions by their first character are sorted longest first, so that the first that fits is the right one.
var regions = map[rune][]region{}

func init() {
	var all []region
	for _, p := range []string{"浙江省", "江苏省", "上海市", "安徽省", "山东省", "江西省", "福建省", "河南省", "四川省", "湖北省", "湖南省", "广东省", "河北省", "苏州市", "嘉兴市", "南通市", "泰州市", "盐城市", "湖州市", "杭州市", "宁波市", "无锡市"} {
		all = append(all, region{name: p}, region{name: strings.TrimRight(p, "省市")})
	}
	for code, r := range identifier.Regions() {
		name, county := r.Name, code
		if i := strings.IndexByte(name, '('); i > 0 {
			name = name[:i]
		}
		if r.Successor != "" {
			county = r.Successor
		}
		if strings.HasSuffix(code, "00") {
			county = ""
		}
		all = append(all, region{name, county})
		if short := []rune(name); len(short) >= 3 {
			all = append(all, region{string(short[:len(short)-1]), county})
		}
	}
	slices.SortFunc(all, func(a, b region) int {
		if d := len(b.name) - len(a.name); d != 0 {
			return d
		}
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(b.county, a.county)
	})
	for _, r := range all {
		first, _ := utf8.DecodeRuneInString(r.name)
		regions[first] = append(regions[first], r)
	}
}

var (
	otherProvince = regexp.MustCompile(`^\p{Han}{2,4}(?:省|自治区)`)
	otherCity     = regexp.MustCompile(`^\p{Han}{2,3}市`)
	otherCounty   = regexp.MustCompile(`^\p{Han}{1,3}[区县]`)
	noCounty      = regexp.MustCompile(`^\p{Han}{0,2}(?:小|社|园|校|院|发|厂|矿|住宅|山庄|工业|新)区`)
)

// cutRegion takes province, city and county off the beginning of a folded text. county is a code of the members' area,
// the name of another county, or empty.
func cutRegion(s string) (rest, county string) {
	s = strings.TrimPrefix(s, "中国")
again:
	for range 5 {
		first, _ := utf8.DecodeRuneInString(s)
		for _, r := range regions[first] {
			after, ok := strings.CutPrefix(s, r.name)
			if !ok || strings.HasPrefix(after, "路") || strings.HasPrefix(after, "街") || strings.HasPrefix(after, "大道") || strings.HasPrefix(after, "镇") ||
				strings.HasPrefix(after, "村") || strings.HasPrefix(after, "弄") || strings.HasPrefix(after, "新村") || strings.HasPrefix(after, "公路") {
				continue
			}
			if r.county != "" {
				county = r.county
			}
			s = after
			continue again
		}
		if m := otherProvince.FindString(s); m != "" {
			s = s[len(m):]
			continue
		}
		if m := otherCity.FindString(s); m != "" && county == "" && len(s) > len(m) {
			s = s[len(m):]
			continue
		}
		if m := otherCounty.FindString(s); m != "" && county == "" && !noCounty.MatchString(s) && len(s) > len(m) {
			county, s = m, s[len(m):]
			continue
		}
		break
	}
	return s, county
}
