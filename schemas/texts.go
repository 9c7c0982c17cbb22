package schemas

import (
	"maps"
	"slices"
)

// Codes returns every code that Texts has words for, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(texts)) }

// Texts returns the Chinese and the English sentence for a violation or warning code of this package. It is the one
// table of these words. An unknown code gives two general sentences.
func Texts(code string) (zh, en string) {
	t, ok := texts[code]
	if !ok {
		return "内容有误", "The content is not acceptable"
	}
	return t[0], t[1]
}

var texts = map[string][2]string{
	// no acceptable JSON
	"json_invalid":   {"不是有效的 JSON 文档", "Not a valid JSON document"},
	"json_duplicate": {"同一字段出现了两次", "The same field occurs twice"},
	"json_depth":     {"嵌套层数过多", "Nested too deeply"},
	"json_members":   {"字段过多", "Too many members"},
	"json_string":    {"文字过长", "A text is too long"},
	"json_number":    {"数字须为整数,且不得超过 2^53−1", "A number must be whole and within 2^53−1"},
	"json_control":   {"含有不允许的控制字符", "Contains control characters that are not allowed"},
	"json_size":      {"内容超过 256 KiB", "Larger than 256 KiB"},

	// what a schema says
	"required":            {"必填", "Required"},
	"unknown_field":       {"没有此字段", "No such field"},
	"type":                {"数据类型不符", "Wrong type"},
	"enum":                {"不在允许的取值之内", "Not one of the allowed values"},
	"pattern":             {"格式不符", "Wrong form"},
	"format":              {"不是有效的日期或时间", "Not a valid date or time"},
	"length":              {"字数不符", "Wrong length"},
	"items":               {"项数不符", "Wrong number of items"},
	"unique":              {"有重复项", "Items repeat"},
	"range":               {"超出允许范围", "Out of range"},
	"invalid":             {"内容有误", "Not acceptable"},
	"blank":               {"不能只填空格", "Must not be blank"},
	"null_not_allowed":    {"此处不能为空", "Must not be null"},
	"null_without_reason": {"补录缺项须注明原因", "A null in a history record needs a reason"},
	"null_reason_unused":  {"注明了缺项原因,但该项并不为空", "A reason is given for something that is not null"},
	"wrong_part":          {"字段出现在不应出现的部分", "A field stands in a part where it does not belong"},
	"as_of":               {"截至日无效", "The day of reckoning is not a date"},

	// identifiers
	"empty":              {"号码为空", "Empty"},
	"text_control":       {"号码中含有控制字符", "Contains control characters"},
	"text_bidi":          {"含有改变文字方向的不可见字符", "Contains invisible characters that change direction"},
	"text_hidden":        {"含有不可见字符", "Contains invisible characters"},
	"text_mixed_script":  {"混有不同文字的相似字母,请核对", "Mixes letters of several scripts that look alike; please compare"},
	"text_private_use":   {"含有自造字,请核对", "Contains private-use characters; please compare"},
	"text_not_nfc":       {"文字采用了不常用的编码形式,请核对", "Written in an unusual encoding; please compare"},
	"script":             {"含有其他文字的形近字符", "Contains look-alike characters of another script"},
	"letter_not_allowed": {"含有该代码不使用的字母", "Contains a letter that this code never uses"},
	"check_digit":        {"校验位不符", "The check digit does not fit"},
	"org_check_digit":    {"其中的组织机构代码校验位不符", "The organisation code inside does not check"},
	"check_digit_form":   {"末位 X 写成了 × 或 *,请核对", "× or * stands for the final X; please compare"},
	"date":               {"其中的日期不存在", "Contains a day that does not exist"},
	"birth_too_early":    {"出生日期早于1900年", "Born before 1900"},
	"id_lost_precision":  {"号码已被表格软件损坏,请查原件", "The number was damaged by a spreadsheet; see the source"},
	"country":            {"护照须注明国家", "A passport needs its country"},
	"link_same":          {"两个号码是同一号码", "Both are the same number"},
	"link_lifelong":      {"两个终身不变的号码不可能属于同一人", "Two different numbers that are kept for life cannot be one person's"},
	"doc_no_year":        {"文号年份与决定日期不符", "The year of the document number does not fit the decision"},
	"region_unknown":     {"行政区划代码不在历史代码之内", "The region is in no historical table"},
	"century_ambiguous":  {"15位号码顺序码为996至999,出生世纪不明", "Sequence 996–999 of a 15-digit number: the century of birth is not certain"},
	"series_unknown":     {"号码系列的规则不明", "The rule of this series is not known"},
	"year_form":          {"文号年份只有两位", "The year has two digits only"},
	"service_number":     {"是服务号码,不是个人电话", "A service number, not a person's telephone"},
	"foreign_number":     {"是境外号码", "A number of another country"},
	"local_length":       {"位数少于该地区现行位数", "Fewer digits than this area uses today"},
	"no_rule":            {"该类证件没有已知的校验规则", "No rule is known for this kind of document"},
	"placeholder":        {"含有代替缺字的符号", "A sign stands for a character that was lost"},

	// rules about persons, decisions, publication
	"conflict":            {"与证件号码不一致", "Contradicts the document number"},
	"date_order":          {"日期先后颠倒", "Dates run backwards"},
	"date_future":         {"日期晚于今天", "Later than today"},
	"date_too_old":        {"日期早于60年前", "More than 60 years ago"},
	"before_birth":        {"早于当事人出生日期", "Before the person was born"},
	"minor_under_14":      {"行为时不满十四周岁,不予处罚,不得录入", "Under 14 at the act: no penalty, not accepted (行政处罚法 art. 30)"},
	"minor_14_to_17":      {"行为时为未成年人,共享不得高于 L1", "A minor at the act: not to be shared above L1"},
	"over_90_days":        {"立案至决定超过90日,须有延长理由", "More than 90 days from filing to decision: needs an extension"},
	"announcement_period": {"送达日与公告期满日不符", "The day of service is not the end of the announcement period"},
	"minor_photo":         {"未成年人的记录不得附照片", "No photograph of a minor"},
	"roster_other_week":   {"班次不在本周之内", "The shift lies in another week"},
	"home_not_practised":  {"住宅内无人行医的,不得列为场所", "A private home in which nobody is known to have practised is not listed"},
	"same_person":         {"制作人与审核人不得为同一人", "Author and reviewer must be two people"},

	// said by package blacklist
	"reference_unknown": {"所引用的记录不存在,或尚未发布", "There is no published record with this id"},
	"open_case_term":    {"在办案件条目的有效期不得超过90日;案件延长时另作更正", "An entry of an open case is valid for 90 days at most; an extension is a correction"},
}
