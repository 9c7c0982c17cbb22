package sheets

import (
	"maps"
	"slices"

	"github.com/pilinhub/pilin/schemas"
)

// word is what a code means to a person: what is wrong, and what to do. Nothing of a cell's content is repeated.
type word struct{ zh, en, adviceZH, adviceEN string }

// words are the codes of this package. Codes of the catalogue have their sentence in schemas.Texts and their advice here.
var words = map[string]word{
	"id_lost_precision":   {"号码已被表格软件改成科学计数,末尾数字已丢失", "The spreadsheet turned the number into scientific notation; its last digits are lost", "请查原件,把该列设为「文本」格式后重新录入完整号码;系统不会猜测", "See the paper, set the column to Text and type the whole number again; nothing is guessed"},
	"text_is_date":        {"此处应为文字或号码,表格中却是日期格式", "A text or number is needed; the sheet holds a date", "请把该列设为「文本」格式后重新录入", "Set the column to Text and type it again"},
	"formula":             {"单元格是公式,没有可取的值", "The cell is a formula without a value", "请复制该列,用「选择性粘贴—数值」粘贴后再导入", "Copy the column and paste it back as values"},
	"formula_value":       {"取用了公式保存时的结果,请核对", "The value that a formula had when the file was saved is taken; please compare", "如结果不对,请改为直接录入", "If it is not right, type the value itself"},
	"cell_error":          {"单元格显示错误(如 #REF!)", "The cell shows an error such as #REF!", "请改正公式或直接录入", "Mend the formula or type the value"},
	"merged_cell":         {"单元格被合并,此行没有自己的值", "The cell is merged; this row has no value of its own", "请取消合并,并在每一行分别填写;系统不会替您填充", "Unmerge and fill in every row; nothing is copied down for you"},
	"date_invalid":        {"看不出是哪一天", "This is not readable as a day", "请写成 2026-03-05 或 2026年3月5日", "Write 2026-03-05 or 2026年3月5日"},
	"date_no_such_day":    {"没有这一天", "There is no such day", "请查原件", "See the paper"},
	"date_ambiguous":      {"日月顺序不明(如 5/3/2026)", "Day and month could be either way round, as in 5/3/2026", "请写成 年-月-日", "Write year-month-day"},
	"date_two_digit_year": {"年份只有两位", "The year has two digits only", "请写四位年份", "Write four digits"},
	"date_incomplete":     {"日期缺月或缺日", "Month or day is missing", "请查原件补全;确实无法得知的写「待查」", "Complete it from the paper; write 待查 if it cannot be known"},
	"date_serial":         {"数字按表格日期序号读取,请核对", "A bare number was read as a spreadsheet's day; please compare", "最好把该列设为日期格式", "Better give the column a date format"},
	"money_invalid":       {"看不出金额", "This is not readable as an amount", "请写以元为单位的数字,如 20000.00", "Write yuan in digits, such as 20000.00"},
	"money_fraction":      {"金额小于一分", "Finer than one fen", "请写到分为止", "Two decimals at most"},
	"unknown_word":        {"不是此栏认识的词或代码", "Not a word or code that this column knows", "请按模板下拉选项填写", "Choose from the template's list"},
	"cause_unknown":       {"案由文字不在代码表中,代码留空待补", "The words of the cause are not in the code list; the code stays open", "审核时请选定案由代码", "The reviewer chooses the code"},
	"decision_unknown":    {"本单位没有此文号的已发布处罚", "This bureau has no published penalty of that number", "请先导入并发布处罚,再导入名单", "Import and publish the penalty first"},
	"twice_in_file":       {"与文件中前面一行是同一决定或同一人", "An earlier row of the file is the same decision or person", "请删去重复的一行", "Remove one of the two"},
	"known_already":       {"此决定或此人已导入过,本次不再录入", "This decision or person was imported before and is left out", "如内容有变,请用「更正」", "If something changed, use a correction"},
	"id_15_digits":        {"15 位旧号已按规则换成 18 位,两者都保存", "A 15-digit number was turned into 18 by rule; both are kept", "", ""},
	"expired_already":     {"按设定的有效期已届满,普通核查不再显示", "By the period that is set it has expired; ordinary look-ups do not show it", "如有误请调整映射方案中的有效期", "Change the period in the profile if that is wrong"},
	"row_hidden":          {"隐藏行,未导入", "A hidden row, not imported", "如需导入请勾选「包括隐藏行」", "Tick 'hidden rows' to read it"},
	"row_not_data":        {"合计或说明行,未导入", "A row of totals or notes, not imported", "", ""},
	"clock_invalid":       {"看不出是几点几分", "This is not readable as a time of day", "请写成 08:30", "Write 08:30"},
	"clock_begins_24":     {"24:00 不能作为一班的开始", "A shift does not begin at 24:00", "请写次日的日期和 00:00", "Write the next day's date and 00:00"},
	"shift_twice":         {"同一天同一时刻已有一班", "A shift of that day and hour stands above", "请删去重复的一行;两人同班的写在「副班」", "Remove one of the two; a second person is the deputy"},
	"week_differs":        {"与同一周前面一行所填不同", "An earlier row of the week says otherwise", "每周只填一次,或各行相同", "Say it once a week, or the same in every row"},
	"week_incomplete":     {"同一周另有不能导入的行,整周不导入", "Another row of the week can not go in, so the week does not", "改正该行后,整周一并导入", "Mend that row; the week goes in as a whole"},
	"week_over":           {"此周已过去", "The week is over", "请核对日期", "Check the dates"},
	"officer_twice":       {"与文件中前面一行是同一证号或账号", "An earlier row of the file has the same certificate or account", "请删去重复的一行", "Remove one of the two"},
	"account_form":        {"账号名格式不符", "The account name is ill-formed", "以小写字母开头,由小写字母、数字、点、横线组成,2 至 40 个字符;可留空", "Lower-case letters, digits, dot and hyphen, a letter first, 2 to 40 characters; it may stay empty"},
	"certificate_expired": {"执法证已过有效期,岗位中的执法权限自动停止", "The certificate has expired; rights in the field end by themselves", "换证后请重新导入名册", "Import the roster again when it has been renewed"},
	"account_disabled":    {"此账号已停用", "The account is disabled", "如该人员仍在岗,请管理员先启用账号", "Enable the account first if the person is still in post"},
	"unit_unknown":        {"本单位没有此科室、分所或街镇", "The bureau has no such unit", "请填写「pilin unit list」列出的代码或名称;不填则保持不变", "Write a code or name that pilin unit list shows; left empty nothing changes"},
	"officer_roles":       {"此账号的岗位不得由执法人员兼任,或证号属于他人账号", "The account's roles must be apart from an officer's, or the certificate is of another account", "请核对账号,或由管理员变更岗位", "Check the account, or let the administrator change its roles"},
	"draft_refused":       {"登记簿未接受此行", "The register did not accept this row", "请按原因修改后重新导入", "Mend it and import again"},
}

// advices are what to do about codes of the catalogue.
var advices = map[string][2]string{
	"required":         {"请填写;确实没有的写明「不详」「待查」等", "Fill it in"},
	"null_not_allowed": {"请填写", "Fill it in"},
	"check_digit":      {"请与原件核对;系统不会自动更正", "Compare with the paper; nothing is corrected by itself"},
	"conflict":         {"请核对证件号码与此栏,改正其中有误的一处", "Compare with the number and mend the wrong one"},
	"date_order":       {"请核对各日期", "Compare the dates"},
	"date_future":      {"请核对日期", "Check the date"},
	"doc_no_year":      {"请核对文号年份与决定日期", "Compare the year of the number with the day of decision"},
	"pattern":          {"请按模板说明的格式填写", "Use the form that the template shows"},
	"length":           {"请与原件核对位数", "Compare the number of digits with the paper"},
	"minor_under_14":   {"不得录入;请删去此行", "Must not be entered; remove the row"},
	"placeholder":      {"请查原件补正缺字", "Supply the missing character from the paper"},
}

// Codes returns the codes of rows that are not of the catalogue, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(words)) }

// Words gives the texts of an issue's code: what is wrong, and what to do; both in Chinese and English.
func Words(code string) (zh, en, adviceZH, adviceEN string) {
	if w, ok := words[code]; ok {
		return w.zh, w.en, w.adviceZH, w.adviceEN
	}
	zh, en = schemas.Texts(code)
	a := advices[code]
	return zh, en, a[0], a[1]
}

// Say writes the issues of a row as one text for the person's own file.
func Say(issues []Issue) string {
	s := ""
	for _, i := range issues {
		zh, en, advice, _ := Words(i.Code)
		if s != "" {
			s += "\n"
		}
		if i.Warning {
			s += "提示 "
		}
		if i.Column != "" {
			s += i.Column + "「" + i.Heading + "」:"
		}
		s += zh
		if advice != "" {
			s += "。" + advice
		}
		s += " (" + en + ")"
	}
	return s
}
