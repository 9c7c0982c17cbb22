package normal

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Institution is a name of a clinic, shop or company in parts.
type Institution struct {
	County string
	Core   string // what tells it from others; folded
	Kind   string // class of its type: clinic, hospital, beauty, dental, pharmacy, body; empty if none is named
}

var legalForms = []string{"股份有限公司", "有限责任公司", "有限公司", "合伙企业", "普通合伙", "个体工商户", "分公司", "总公司", "公司", "集团", "工作室", "中心", "管理", "服务", "科技", "部", "店", "馆", "院", "会所"}

var institutionTypes = []struct{ word, kind string }{
	{"口腔门诊部", "dental"}, {"口腔诊所", "dental"}, {"牙科诊所", "dental"}, {"牙科", "dental"}, {"口腔", "dental"}, {"中医诊所", "clinic"}, {"中医门诊部", "clinic"},
	{"中西医结合诊所", "clinic"}, {"西医诊所", "clinic"}, {"综合门诊部", "clinic"}, {"内科诊所", "clinic"}, {"卫生服务站", "clinic"}, {"社区卫生服务中心", "clinic"},
	{"卫生室", "clinic"}, {"卫生所", "clinic"}, {"医务室", "clinic"}, {"医疗室", "clinic"}, {"保健站", "clinic"}, {"诊疗所", "clinic"}, {"门诊部", "clinic"}, {"门诊", "clinic"}, {"诊所", "clinic"}, {"诊室", "clinic"},
	{"卫生院", "hospital"}, {"医院", "hospital"}, {"医疗美容", "beauty"}, {"美容美发", "beauty"}, {"美容养生", "beauty"}, {"美容", "beauty"}, {"美发", "beauty"}, {"美甲", "beauty"}, {"皮肤管理", "beauty"},
	{"大药房", "pharmacy"}, {"药房", "pharmacy"}, {"药店", "pharmacy"}, {"养生", "body"}, {"推拿", "body"}, {"按摩", "body"}, {"足浴", "body"}, {"理疗", "body"}, {"保健", "body"},
}

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
		if i := strings.Index(s, string(folded(t.word))); i >= 0 {
			if in.Kind == "" {
				in.Kind = t.kind
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
	}
	if s == "" {
		s = whole
	}
	in.Core = s
	return in
}

// LooksInstitutional reports a text that names a body, not a person.
func LooksInstitutional(s string) bool {
	s = string(folded(clean(s)))
	if len([]rune(s)) < 4 {
		return false
	}
	for _, t := range institutionTypes {
		if strings.Contains(s, t.word) {
			return true
		}
	}
	return strings.Contains(s, "公司") || strings.Contains(s, "工作室") || strings.HasSuffix(s, "店") || strings.HasSuffix(s, "中心")
}
