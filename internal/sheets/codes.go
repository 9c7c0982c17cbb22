package sheets

import "strings"

// code is one value of a code list with the words that stand for it in files; the first word is written into exports and
// templates.
type code struct {
	value string
	words []string
}

// Code lists of domain.md §2.6, with the words that bureaux write.
var (
	sexes = []code{{"1", []string{"男", "男性", "m", "male"}}, {"2", []string{"女", "女性", "f", "female"}}, {"0", []string{"未知"}}, {"9", []string{"未说明"}}}

	idTypes = []code{{"RIC", []string{"居民身份证", "身份证", "二代身份证", "二代证"}}, {"HKB", []string{"户口簿", "户口本"}}, {"PPT", []string{"护照"}},
		{"MIL", []string{"军官证", "士兵证"}}, {"HMP", []string{"港澳居民来往内地通行证", "回乡证", "港澳通行证"}}, {"TWP", []string{"台湾居民来往大陆通行证", "台胞证"}},
		{"HMR", []string{"港澳居民居住证"}}, {"TWR", []string{"台湾居民居住证"}}, {"FPR", []string{"外国人永久居留身份证", "永居证"}}, {"UNK", []string{"无法查明"}}}

	idQualities = []code{{"police_verified", []string{"公安核验"}}, {"card_read", []string{"读卡"}}, {"seen", []string{"查看原件", "核对原件"}}, {"self_stated", []string{"自述"}}, {"unknown", []string{"未知"}}}

	causes = []code{
		{"UP01", []string{"非医师行医", "非法行医", "未取得医师资格证书行医"}},
		{"UP02", []string{"未取得医疗机构执业许可证擅自执业", "未取得《医疗机构执业许可证》擅自执业", "无证行医", "擅自执业"}},
		{"UP03", []string{"诊所未经备案执业"}}, {"UP04", []string{"中医诊所应备案未备案"}}, {"UP05", []string{"未经注册在村医疗卫生机构从事医疗活动"}},
		{"UP06", []string{"被吊销医师执业证书期间行医"}}, {"UP07", []string{"以非法手段取得资格行医"}}, {"UP08", []string{"无证开展医疗美容", "非法医疗美容"}},
		{"UP09", []string{"未取得合格证书从事终止妊娠"}}, {"UP10", []string{"家庭接生员超范围"}}, {"UP11", []string{"擅自开展人类辅助生殖技术", "代孕"}},
		{"UP12", []string{"非法胎儿性别鉴定", "两非"}}, {"IN01", []string{"使用非卫生技术人员"}}, {"IN02", []string{"出租、出借、伪造、买卖执业许可证"}},
		{"IN03", []string{"诊疗活动超出登记范围", "诊疗活动超出备案范围"}}, {"IN04", []string{"出租、承包科室"}}, {"ZZ99", []string{"其他"}}}

	qualifications = []code{{"none", []string{"无", "无医师资格", "未取得"}}, {"forged", []string{"伪造"}}, {"revoked", []string{"被吊销", "吊销"}}, {"assistant_physician", []string{"执业助理医师"}},
		{"qualified_unregistered", []string{"取得资格未注册"}}, {"qualified_registered", []string{"执业医师", "取得资格并注册"}}, {"tcm_specialist", []string{"中医(专长)医师"}},
		{"tcm_apprentice", []string{"出师证书", "确有专长证书"}}, {"foreign_only", []string{"境外医师"}}, {"trainee", []string{"试用期", "规培"}}, {"village_doctor", []string{"乡村医生"}}, {"unknown", []string{"不明"}}}

	kinds = []code{{"P1", []string{"警告", "通报批评"}}, {"P2a", []string{"罚款"}}, {"P2b", []string{"没收违法所得", "没收所得"}}, {"P2c", []string{"没收非法财物", "没收药品器械", "没收药品、器械"}},
		{"P3", []string{"吊销许可证", "吊销", "暂扣", "降级"}}, {"P4", []string{"责令停产停业", "责令停业", "限制从业"}}, {"P5", []string{"行政拘留"}}, {"P6", []string{"其他处罚"}},
		{"CORRECT", []string{"责令改正"}}, {"BAN", []string{"取缔", "予以取缔"}}, {"STOP", []string{"责令停止", "责令停止违法行为", "责令停止执业"}}, {"REGISTER", []string{"先行登记保存"}}, {"OPINION", []string{"监督意见书"}}, {"NONE", []string{"不予处罚", "不予行政处罚"}}}

	procedures   = []code{{"ordinary", []string{"普通程序", "一般程序", "普通", "一般"}}, {"simple", []string{"简易程序", "简易"}}, {"hearing", []string{"听证程序", "听证"}}}
	serviceModes = []code{{"DIR", []string{"直接送达", "直接"}}, {"LEFT", []string{"留置送达", "留置"}}, {"MAIL", []string{"邮寄送达", "邮寄"}}, {"ENTR", []string{"委托送达", "委托"}}, {"ELEC", []string{"电子送达", "电子"}}, {"ANN", []string{"公告送达", "公告"}}}
	performances = []code{{"none", []string{"未履行"}}, {"part", []string{"部分履行"}}, {"full", []string{"已履行", "全部履行", "履行完毕"}}, {"forced", []string{"强制执行"}}}
	publicities  = []code{{"none", []string{"未公示"}}, {"published", []string{"公示中", "已公示"}}, {"expired", []string{"公示期满"}}, {"repaired", []string{"已信用修复", "已修复"}}, {"withdrawn", []string{"已撤下"}}}
	remedyStates = []code{{"none", []string{"未告知期限"}}, {"in_period", []string{"救济期内"}}, {"lapsed", []string{"逾期未申请", "救济期满"}}, {"review_pending", []string{"复议中"}}, {"suit_period", []string{"起诉期内"}}, {"suit_pending", []string{"诉讼中"}},
		{"final", []string{"已生效"}}, {"upheld_final", []string{"维持生效"}}, {"varied", []string{"变更"}}, {"revoked", []string{"被撤销"}}, {"illegal_not_revoked", []string{"确认违法"}}, {"void", []string{"确认无效"}}, {"withdrawn", []string{"自行撤销"}}, {"settled", []string{"调解", "和解"}}}
	respondents = []code{{"person", []string{"个人", "自然人", "公民"}}, {"sole_trader", []string{"个体工商户", "个体户"}}, {"organisation", []string{"单位", "法人", "组织", "机构"}}}
	issuers     = []code{{"health_authority", []string{"卫生健康行政部门", "卫生健康委", "卫生健康局"}}, {"tcm_authority", []string{"中医药主管部门"}}, {"cdc_authority", []string{"疾病预防控制部门"}},
		{"town_or_street", []string{"乡镇街道"}}, {"general_enforcement_bureau", []string{"综合行政执法局"}}, {"other", []string{"其他机关"}}}
	yesNo = []code{{"true", []string{"是", "有", "√", "y", "yes", "1"}}, {"false", []string{"否", "没有", "×", "n", "no", "0"}}}

	practices = []code{{"DEN", []string{"口腔", "牙科"}}, {"INF", []string{"静脉输液", "内科", "输液"}}, {"TCM", []string{"中医", "针灸推拿"}}, {"SUR", []string{"小手术"}}, {"GYN", []string{"妇科"}}, {"ABO", []string{"终止妊娠"}},
		{"SEX", []string{"胎儿性别鉴定"}}, {"BEA", []string{"医疗美容"}}, {"ART", []string{"辅助生殖"}}, {"SEM", []string{"三伏贴"}}, {"VIS", []string{"验光配镜"}}, {"OTH", []string{"其他"}}}
	modi      = []code{{"HOP", []string{"换址"}}, {"SWAP", []string{"换人换点"}}, {"RELAY", []string{"人换点不换"}}, {"CAL", []string{"择时"}}, {"MOB", []string{"流动"}}, {"BORR", []string{"冒用身份", "借证"}}, {"FRONT", []string{"借壳"}}, {"ONL", []string{"网络招揽"}}, {"FIX", []string{"固定"}}}
	countries = []code{{"156", []string{"中国", "中国籍", "汉族中国"}}}
)

// lookUp finds the value that a word of a file stands for; the value itself is accepted too.
func lookUp(list []code, word string) (string, bool) {
	w := strings.ToLower(strings.ReplaceAll(tidy(word), " ", ""))
	for _, c := range list {
		if strings.ToLower(c.value) == w {
			return c.value, true
		}
		for _, x := range c.words {
			if strings.ToLower(tidy(x)) == w {
				return c.value, true
			}
		}
	}
	return "", false
}

// wordFor is what stands for a value in a file that we write.
func wordFor(list []code, value string) string {
	for _, c := range list {
		if c.value == value {
			return c.words[0]
		}
	}
	return value
}

// nullWords are what people write where the old paper does not say, with the reason that the record then gives
// (domain.md §2.1.3). A code list that knows the word comes first: 无 of a qualification is no gap.
var nullWords = map[string]string{
	"": notInFile, "/": notInFile, "-": notInFile, "--": notInFile, "—": notInFile, "——": notInFile, "\\": notInFile, "无": notInFile, "不详": notInFile, "未记载": notInFile, "空": notInFile, "null": notInFile,
	"无法辨认": unreadable, "字迹不清": unreadable, "看不清": unreadable, "模糊": unreadable,
	"不适用": notApplicable, "n/a": notApplicable,
	"待查": toBeChecked, "待核": toBeChecked, "待核实": toBeChecked, "待补": toBeChecked, "待补齐": toBeChecked, "?": toBeChecked, "??": toBeChecked,
}

// Reasons of a null (schemas/common, null_reasons).
const (
	notInFile     = "not_in_file"
	unreadable    = "unreadable"
	notApplicable = "not_applicable"
	toBeChecked   = "to_be_checked"
)
