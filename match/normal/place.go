package normal

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
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
	for name, code := range neighbours {
		all = append(all, region{name, code})
		if short := []rune(name); len(short) >= 3 {
			all = append(all, region{string(short[:len(short)-1]), code})
		}
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

// neighbours are counties around the members whose names stand before addresses (GB/T 2260).
var neighbours = gazetteer(`310101 黄浦区 310104 徐汇区 310105 长宁区 310106 静安区 310107 普陀区 310109 虹口区 310110 杨浦区 310112 闵行区 310113 宝山区 310114 嘉定区 310115 浦东新区 310120 奉贤区 310151 崇明区
320505 虎丘区 320506 吴中区 320507 相城区 320508 姑苏区 320581 常熟市 320582 张家港市 320583 昆山市 320585 太仓市 330402 南湖区 330411 秀洲区 330424 海盐县 330481 海宁市 330483 桐乡市 330502 吴兴区 330503 南浔区 330521 德清县 330522 长兴县 330523 安吉县`)

// towns of the members' area (towns and streets of 2024), each with its county: people leave out 镇 and 街道. Those that
// are as likely elsewhere stand first, with none.
var towns = gazetteer(`中山 永丰 新桥 大桥 新丰 七星 高新 马桥 长安 河山 海洲 凤鸣 新仓 惠民 秦山 百步 大云 华新 青村 庄行 海湾 310116 朱泾 枫泾 张堰 亭林 吕巷 廊下 金山卫 漕泾 山阳 石化
310118 夏阳 盈浦 香花桥 赵巷 徐泾 重固 白鹤 朱家角 练塘 金泽
310117 岳阳 方松 广富林 九里亭 泗泾 佘山 车墩 洞泾 九亭 泖港 石湖荡 新浜 叶榭 小昆山
310120 南桥 奉城 金汇 四团 柘林 西渡 奉浦
320509 松陵 江陵 横扇 八坼 同里 平望 盛泽 震泽 七都 桃源 黎里 汾湖
330421 罗星 魏塘 西塘 干窑 姚庄 陶庄 天凝
330482 当湖 钟埭 曹桥 乍浦 新埭 独山港 广陈 林埭
330402 余新 凤桥 东栅 330411 王店 王江泾 新塍 洪合 油车港 高照
330424 武原 西塘桥 沈荡 于城 澉浦 通元 330481 硖石 许村 周王庙 盐官 斜桥 丁桥 袁花 黄湾
330483 梧桐 濮院 乌镇 屠甸 崇福 洲泉 大麻 石门`)

// gazetteer reads codes, each followed by names.
func gazetteer(s string) map[string]string {
	out := map[string]string{}
	county := ""
	for _, w := range strings.Fields(s) {
		if w[0] >= '0' && w[0] <= '9' {
			county = w
			continue
		}
		out[Fold(w)] = county
	}
	return out
}

// cutTown takes a known town that stands without 镇 or 街道 off the beginning of a folded text; empty if there is none. What
// is left must name a place of its own, so that 亭林大街 stays a street.
func cutTown(s string) (rest, town, county string) {
	if code, ok := towns[s]; ok {
		return "", s, code
	}
	return headTown(s, func(rest, county string) bool {
		return namesPlace(rest) && (county != "" || villForm.MatchString(rest))
	})
}

// headTown finds a known town of two or three characters at the beginning of a folded text, where what is left fits.
func headTown(s string, fits func(rest, county string) bool) (rest, town, county string) {
	r := []rune(s)
	for n := min(3, len(r)); n >= 2; n-- {
		if code, ok := towns[string(r[:n])]; ok && fits(string(r[n:]), code) {
			return string(r[n:]), string(r[:n]), code
		}
	}
	return s, "", ""
}

// phase is how estates are numbered: 康坊四期.
var phase = regexp.MustCompile(`^\p{Han}{2,8}[一二三四五六七八九十][期村坊区]$`)

// namesPlace reports a road, village or estate with at least two characters before its suffix.
func namesPlace(s string) bool {
	for _, form := range []*regexp.Regexp{villForm, roadForm} {
		if m := form.FindStringSubmatch(s); m != nil {
			return utf8.RuneCountInString(m[1]) >= 2
		}
	}
	if phase.MatchString(s) {
		return true
	}
	for _, end := range estateEnds {
		if before, ok := strings.CutSuffix(s, end); ok {
			return utf8.RuneCountInString(before) >= 2
		}
	}
	return false
}

var (
	otherProvince = regexp.MustCompile(`^\p{Han}{2,4}(?:省|自治区)`)
	otherCity     = regexp.MustCompile(`^\p{Han}{2,3}市`)
	otherCounty   = regexp.MustCompile(`^\p{Han}{1,3}[区县]`)
	placeEnd      = regexp.MustCompile(`^(?:路|街|大道|镇|村|弄|湾|新村|公路)`) // behind a region's name it is a place's own name
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
			if !ok || placeEnd.MatchString(after) {
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
		if after, code := cutSpoilt(s); code != "" && county == "" {
			county, s = code, after
			continue
		}
		break
	}
	return s, county
}

// cutSpoilt takes a head off that nobody knows, with the known county behind it: a character of province or city is lost,
// as in 海市松江区, 浙省嘉兴市嘉善县. It is not one if it has an end of its own, or if no place's name follows: 测试园金山区5幢
// is a part of an estate, 测试金山区块 too.
func cutSpoilt(s string) (rest, county string) {
	for i, c := range s {
		if i > 6*utf8.RuneLen('省') || i > 0 && strings.ContainsRune("路街道巷弄号村镇乡组园苑", c) {
			break
		}
		if i == 0 {
			continue
		}
		for _, r := range regions[c] {
			if r.county != "" && utf8.RuneCountInString(r.name) >= 3 && strings.HasPrefix(s[i:], r.name) {
				last, _ := utf8.DecodeLastRuneInString(r.name)
				after := s[i+len(r.name):]
				next, _ := utf8.DecodeRuneInString(after)
				if strings.ContainsRune("区县市", last) && unicode.Is(unicode.Han, next) && !strings.ContainsRune("块域间场民", next) && !placeEnd.MatchString(after) {
					return after, r.county
				}
			}
		}
	}
	return s, ""
}
