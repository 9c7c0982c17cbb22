package sheets

import "github.com/pilinhub/pilin/blacklist"

// fieldKind says how a cell is read.
type fieldKind uint8

const (
	plain  fieldKind = iota // free text, kept as written but for the space around it
	ident                   // a number that identifies: never through floating point
	day                     // a date
	when                    // a date, or only its year
	money                   // yuan in the file, fen in the record
	choice                  // one of a code list
	many                    // several of a code list
	truth                   // yes or no
	region                  // six digits
	cause                   // the code of a cause, and beside it the words of the file
	clock                   // a time of day
	refs                    // numbers of decisions whose records are named
)

// Field is one field that a column can be mapped to.
type Field struct {
	Pointer string // RFC 6901, into the payload
	Title   string // heading in templates and exports
	Kind    fieldKind
	Aliases []string // other headings that are known for it
	codes   []code
	needed  bool   // null never (domain.md §2.1.3)
	aside   bool   // helps to read the row and is no member of the record
	gap     string // pointer that is null where nothing is known; its own if empty, none if "-"
}

// at is the pointer that a gap stands at.
func (f *Field) at() string {
	if f.gap == "" {
		return f.Pointer
	}
	return f.gap
}

// person are the fields of somebody at a place of the payload; a list entry says the nationality, a penalty may.
func person(in string) []Field {
	nation := ""
	if in != "" {
		nation = "-"
	}
	return []Field{
		{Pointer: in + "/name", Title: "姓名", Aliases: []string{"当事人", "当事人姓名", "被处罚人", "被处罚人姓名", "违法行为人", "行医人", "名字"}, needed: true},
		{Pointer: in + "/id_type", Title: "证件类型", Kind: choice, Aliases: []string{"证件种类", "证件类别"}, codes: idTypes},
		{Pointer: in + "/id_no", Title: "证件号码", Kind: ident, Aliases: []string{"身份证号", "身份证号码", "居民身份证号", "身份证", "证件号", "公民身份号码", "当事人身份证号", "当事人证件号码"}},
		{Pointer: in + "/id_country", Title: "护照国家", Aliases: []string{"国家代码"}, gap: "-"},
		{Pointer: in + "/id_quality", Title: "核验方式", Kind: choice, codes: idQualities},
		{Pointer: in + "/sex", Title: "性别", Kind: choice, codes: sexes},
		{Pointer: in + "/birth_date", Title: "出生日期", Kind: when, Aliases: []string{"出生年月日", "生日", "出生年份"}, gap: "-"},
		{Pointer: in + "/nationality", Title: "国籍", Kind: choice, codes: countries, gap: nation},
		{Pointer: in + "/hukou_region", Title: "户籍地区划", Kind: region, Aliases: []string{"户籍地代码"}, gap: "-"},
		{Pointer: in + "/phones/0/no", Title: "电话", Kind: ident, Aliases: []string{"联系电话", "手机", "手机号", "手机号码"}, gap: "-"},
		{Pointer: in + "/addresses/0/text", Title: "住址", Aliases: []string{"地址", "家庭住址", "现住址", "暂住地"}, gap: "-"},
	}
}

var penaltyFields = append([]Field{
	{Pointer: "/doc_no", Title: "决定书文号", Kind: ident, Aliases: []string{"文号", "处罚文号", "处罚决定书文号", "行政处罚决定书文号", "决定书编号", "处罚决定文号"}, needed: true},
	{Pointer: "/issuer_name", Title: "决定机关", Aliases: []string{"处罚机关", "作出处罚决定的机关", "处罚单位"}, needed: true},
	{Pointer: "/issuer_uscc", Title: "决定机关统一社会信用代码", Kind: ident, Aliases: []string{"处罚机关代码", "机关信用代码"}, needed: true},
	{Pointer: "/issuer_kind", Title: "决定机关类别", Kind: choice, codes: issuers},
	{Pointer: "/respondent_kind", Title: "当事人类型", Kind: choice, Aliases: []string{"当事人类别", "对象类型"}, codes: respondents}},
	append(person("/respondent"), []Field{
		{Pointer: "/respondent/org_name", Title: "单位名称", Aliases: []string{"机构名称", "字号名称", "被处罚单位"}, gap: "-"},
		{Pointer: "/respondent/org_uscc", Title: "统一社会信用代码", Kind: ident, Aliases: []string{"信用代码", "社会信用代码"}, gap: "-"},
		{Pointer: "/practitioner_is_respondent", Title: "当事人即行医人", Kind: truth},
		{Pointer: "/cause_code", Title: "案由", Kind: cause, Aliases: []string{"违法行为", "违法事实", "处罚事由", "案由代码"}, codes: causes},
		{Pointer: "/act_from", Title: "违法行为起", Kind: day, Aliases: []string{"违法日期", "违法时间", "违法行为时间", "行为起"}},
		{Pointer: "/act_to", Title: "违法行为止", Kind: day, Aliases: []string{"行为止"}},
		{Pointer: "/act_place", Title: "违法行为地", Kind: region, Aliases: []string{"行为地区划", "违法地点代码"}},
		{Pointer: "/qualification_at_act", Title: "行为时医师资格", Kind: choice, Aliases: []string{"医师资格", "资格"}, codes: qualifications},
		{Pointer: "/kinds", Title: "处罚种类", Kind: many, Aliases: []string{"处罚内容", "处罚结果"}, codes: kinds},
		{Pointer: "/fine_fen", Title: "罚款(元)", Kind: money, Aliases: []string{"罚款", "罚款金额", "罚款金额(元)", "处罚金额"}},
		{Pointer: "/illegal_income_fen", Title: "没收违法所得(元)", Kind: money, Aliases: []string{"违法所得", "没收金额", "没收违法所得金额"}},
		{Pointer: "/procedure", Title: "程序", Kind: choice, Aliases: []string{"处罚程序"}, codes: procedures},
		{Pointer: "/filed_at", Title: "立案日", Kind: day, Aliases: []string{"立案日期", "立案时间"}},
		{Pointer: "/decided_at", Title: "决定日", Kind: day, Aliases: []string{"处罚日期", "处罚决定日期", "决定日期", "处罚时间", "作出决定日期"}, needed: true},
		{Pointer: "/served_at", Title: "送达日", Kind: day, Aliases: []string{"送达日期", "送达时间"}},
		{Pointer: "/service_mode", Title: "送达方式", Kind: choice, codes: serviceModes},
		{Pointer: "/announced_at", Title: "公告日", Kind: day, Aliases: []string{"公告日期"}, gap: "-"},
		{Pointer: "/remedy_told", Title: "已告知救济途径", Kind: truth},
		{Pointer: "/remedy_state", Title: "救济状态", Kind: choice, codes: remedyStates},
		{Pointer: "/performed", Title: "履行情况", Kind: choice, Aliases: []string{"执行情况"}, codes: performances},
		{Pointer: "/publicity_state", Title: "公示状态", Kind: choice, codes: publicities},
		{Pointer: "/publicity_until", Title: "公示截止", Kind: day, gap: "-"},
		{Pointer: "/work_ref/number", Title: "案件编号", Aliases: []string{"案号", "立案号"}, gap: "-"},
		{Pointer: "/legal_basis", Title: "依据", needed: true},
		{Pointer: "/purpose", Title: "目的", needed: true},
	}...)...)

var personFields = append(person(""), []Field{
	{Pointer: "/qualification", Title: "医师资格状态", Kind: choice, Aliases: []string{"医师资格", "资格"}, codes: qualifications},
	{Pointer: "/qual_checked_at", Title: "资格核查时间", Kind: day},
	{Pointer: "/qual_source", Title: "资格核查来源"},
	{Pointer: "/specialities", Title: "行医类别", Kind: many, Aliases: []string{"行医科目", "诊疗科目"}, codes: practices},
	{Pointer: "/modus", Title: "行为方式", Kind: choice, codes: modi, gap: "-"},
	{Pointer: "/marks", Title: "体貌特征", Aliases: []string{"特征"}, gap: "-"},
	{Pointer: "/occurred_at", Title: "发生日期", Kind: day, Aliases: []string{"违法日期", "行为日期"}},
	{Pointer: "/issuer_uscc", Title: "决定机关统一社会信用代码", Kind: ident, Aliases: []string{"处罚机关代码", "机关信用代码"}, aside: true, gap: "-"},
	{Pointer: "/penalty_refs", Title: "处罚决定书文号", Kind: refs, Aliases: []string{"文号", "处罚文号", "决定书文号", "行政处罚决定书文号"}, needed: true},
	{Pointer: "/legal_basis", Title: "依据", needed: true},
	{Pointer: "/purpose", Title: "目的", needed: true},
}...)

// gaps are further members that a record must have and that no column carries: null with a reason in a history record.
var gaps = map[string][]string{
	blacklist.TypePenalty: {"/cause_text", "/violated_art", "/basis_art", "/notice", "/occurred_at"},
	blacklist.TypePerson:  {"/notice"},
}

// Types are the record types that a spreadsheet can bring in.
var Types = []string{blacklist.TypePenalty, blacklist.TypePerson, blacklist.TypeRoster}

// FieldsOf returns the fields of a type, in the order of templates and exports; nil for a type that no sheet brings in.
func FieldsOf(typ string) []Field {
	switch typ {
	case blacklist.TypePenalty:
		return penaltyFields
	case blacklist.TypePerson:
		return personFields
	case blacklist.TypeRoster:
		return rosterFields
	case TypeOfficers:
		return officerFields
	}
	return nil
}

func fieldAt(typ, pointer string) *Field {
	fs := FieldsOf(typ)
	for i := range fs {
		if fs[i].Pointer == pointer {
			return &fs[i]
		}
	}
	return nil
}
