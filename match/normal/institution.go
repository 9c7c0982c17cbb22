package normal

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Institution is a name of a clinic, shop or company in parts.
type Institution struct {
	County string
	Core   string // what tells it from others; folded
	Kind   string // the word for its type: 诊所, 口腔门诊部; KindClass tells what it belongs to. Empty if none is named
}

var legalForms = []string{"股份有限公司", "有限责任公司", "有限公司", "合伙企业", "普通合伙", "个体工商户", "分公司", "总公司", "公司", "集团", "工作室", "中心", "管理", "服务", "科技", "部", "店", "馆", "院", "会所"}

// institutionTypes are words for types by class, the longest first.
var institutionTypes = types(`dental 口腔门诊部 口腔诊所 口腔医院 牙科诊所 牙科门诊部 齿科诊所 齿科 牙科 口腔 镶牙 补牙
clinic 中医诊所 中医门诊部 中西医结合诊所 中西医结合门诊部 西医诊所 综合门诊部 内科诊所 外科诊所 儿科诊所 妇科诊所 骨科诊所 全科诊所 卫生服务站 社区卫生服务站 社区卫生服务中心 卫生室 卫生所 村卫生室 医务室 医务所 医疗室 保健站 诊疗所 门诊部 门诊 诊所 诊室
clinic 中医馆 国医馆 中医堂 国医堂 医馆 针灸推拿 针灸 骨伤科 正骨 骨科 中医
hospital 卫生院 医院 护理院 养老院 护理站
beauty 医疗美容门诊部 医疗美容诊所 医疗美容医院 医美诊所 医疗美容 整形美容 医美 美容美发 美容养生 美容美体 美容院 美容馆 美容店 美容 美体 美发 美甲 美业 皮肤管理 纹绣 半永久
pharmacy 大药房 药房 药店 药堂
body 养生馆 养生堂 养生会所 养生 推拿馆 推拿 按摩店 按摩馆 盲人按摩 按摩 足浴店 足浴 足疗 理疗馆 理疗 艾灸馆 艾灸 保健馆 保健 康复`)

type institutionType struct{ word, class string }

var typeClass = map[string]string{}

func types(list string) (out []institutionType) {
	for _, line := range strings.Split(list, "\n") {
		class, words, _ := strings.Cut(line, " ")
		for _, w := range strings.Fields(words) {
			out = append(out, institutionType{Fold(w), class})
			typeClass[Fold(w)] = class
		}
	}
	slices.SortStableFunc(out, func(a, b institutionType) int { return len(b.word) - len(a.word) })
	return out
}

// KindClass is the class of a Kind: dental, clinic, hospital, beauty, pharmacy, body; empty for none.
func KindClass(kind string) string { return typeClass[kind] }

// ReadInstitution reads a name of an institution.
func ReadInstitution(s string) Institution {
	s = string(folded(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, norm.NFKC.String(clean(s)))))
	var in Institution
	whole := s
	s, in.County = cutRegion(s)
	for _, t := range institutionTypes {
		if i := strings.Index(s, t.word); i >= 0 {
			if in.Kind == "" {
				in.Kind = t.word
			}
			if rest := s[:i] + s[i+len(t.word):]; len(rest) >= 3 {
				s = rest
			}
		}
	}
	for range 3 {
		for _, f := range legalForms {
			if rest, ok := strings.CutSuffix(s, f); ok && len(rest) >= 6 {
				s = rest
				break
			}
		}
	}
	if m := townForm.FindString(s); m != "" && len(s)-len(m) >= 6 {
		s = s[len(m):]
	} else if rest, town, county := headTown(s, func(rest, _ string) bool { return utf8.RuneCountInString(rest) >= 2 }); town != "" { // 平望民寿卫生室
		if s = rest; in.County == "" {
			in.County = county
		}
	}
	if s == "" {
		s = whole
	}
	in.Core = s
	return in
}

// LooksInstitutional reports a text that names a body, not a person.
func LooksInstitutional(s string) bool {
	s = Fold(strings.ReplaceAll(clean(s), " ", ""))
	n := len([]rune(s))
	if n < 4 {
		return false
	}
	for _, t := range institutionTypes {
		if strings.Contains(s, t.word) && (n > 4 || len(t.word) > 6 || !called(strings.Replace(s, t.word, "", 1))) {
			return true
		}
	}
	if strings.Contains(s, "公司") || strings.Contains(s, "工作室") || strings.HasSuffix(s, "店") || strings.HasSuffix(s, "中心") {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(s)
	return n >= 5 && !strings.ContainsFunc(s, isDot) && strings.ContainsRune("馆院堂所室站坊部", last)
}
