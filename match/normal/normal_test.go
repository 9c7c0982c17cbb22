package normal

import (
	"strings"
	"testing"
)

func TestReadName(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		form     Form
		surname  int
	}{
		{"张伟", "张伟", Han, 1}, {"張 偉", "张伟", Han, 1}, {"张　伟", "张伟", Han, 1}, {"欧阳测试", "欧阳测试", Han, 2}, {"歐陽測", "欧阳测", Han, 2},
		{"老王", "王", Nick, 1}, {"小李", "李", Nick, 1}, {"阿强", "强", Nick, 0}, {"王某", "王", Nick, 1}, {"王某某", "王", Nick, 1}, {"某强", "强", Nick, 0},
		{"王大夫", "王", Nick, 1}, {"王医生", "王", Nick, 1}, {"张?明", "张?明", Han, 1}, {"张□明", "张?明", Han, 1}, {"张(女页)", "张?", Han, 1},
		{"阿不都热依木·买买提", "阿不都热依木买买提", Mono, 0}, {"阿不都热依木•买买提", "阿不都热依木买买提", Mono, 0}, {"阿不都热依木买买提", "阿不都热依木买买提", Mono, 0},
		{"次仁旺堆", "次仁旺堆", Mono, 0}, {"Zhang Xiaoming", "zhang xiaoming", Latin, 0}, {"ZHANG, Xiao-Ming", "zhang xiao ming", Latin, 0}, {"Lǚ Ān", "lv an", Latin, 0},
		{"张yan", "张?", Han, 1}, {"王胖子", "王", Nick, 1}, {"牙医王", "王", Nick, 1}, {"老王头", "王", Nick, 1}, {"小王医生", "王", Nick, 1}, {"欧阳医生", "欧阳", Nick, 2}, {"强子", "强", Nick, 0}, {"王xx", "王", Nick, 1},
		{"李婆婆", "李", Nick, 1}, {"张伟(曾用名)", "张伟", Han, 1}, {"阿卜杜拉", "阿卜杜拉", Mono, 0}, {"Dr. Zhang Xiaoming", "zhang xiaoming", Latin, 0}, {"", "", NoName, 0}, {"??", "", NoName, 0}, {"某某", "", NoName, 0},
	} {
		n := ReadName(tt.in)
		if n.String() != tt.want || n.Form != tt.form || n.Surname != tt.surname {
			t.Errorf("ReadName(%q) = %q form %d surname %d, want %q %d %d", tt.in, n.String(), n.Form, n.Surname, tt.want, tt.form, tt.surname)
		}
	}
}

func TestRomanised(t *testing.T) {
	for _, tt := range []struct{ word, pinyin string }{{"chang", "zhang"}, {"hsiao", "xiao"}, {"ch'en", "chen"}, {"tsai", "cai"}, {"hsu", "xu"}, {"kuo", "guo"}, {"cheng", "zheng"}, {"jen", "ren"}, {"tzu", "zi"}} {
		found := false
		for _, s := range Wade(tt.word) {
			found = found || s.String() == tt.pinyin
		}
		if !found {
			t.Errorf("Wade-Giles %s is not %s but %v", tt.word, tt.pinyin, Wade(tt.word))
		}
	}
	for _, tt := range []struct{ word, jyutping string }{{"chan", "can"}, {"cheung", "zoeng"}, {"wong", "wong"}, {"ng", "ng"}, {"kwok", "gwok"}, {"lee", "lei"}, {"ho", "ho"}, {"siu", "siu"}, {"yuen", "jyun"}, {"tsang", "zang"}, {"leung", "loeng"}, {"lau", "lau"}, {"tse", "ze"}, {"chow", "zau"}, {"hui", "heoi"}, {"yip", "jip"}, {"kwan", "gwaan"}} {
		if !strings.Contains(" "+strings.Join(HongKong(tt.word), " ")+" ", " "+tt.jyutping+" ") {
			t.Errorf("Hong Kong %s is not %s but %v", tt.word, tt.jyutping, HongKong(tt.word))
		}
	}
}

// TestHongKongNames: the spellings of surnames and given names that stand most often on Hong Kong papers.
func TestHongKongNames(t *testing.T) {
	for _, pair := range strings.Fields(`陈chan 李lee 李li 黄wong 张cheung 林lam 吴ng 刘lau 梁leung 郑cheng 何ho 罗law 罗lo 谢tse 曾tsang 杨yeung 蔡choi 邓tang 叶yip 冯fung 苏so 关kwan 潘poon 赵chiu
徐tsui 徐chui 周chow 周chau 朱chu 胡wu 胡woo 郭kwok 高ko 卢lo 余yu 余yue 马ma 董tung 谭tam 廖liu 许hui 萧siu 麦mak 钟chung 甘kam 莫mok 伟wai 明ming 文man 强keung 国kwok 志chi 家ka 俊chun 华wah 英ying
美mei 美may 玲ling 慧wai 敏man 芳fong 龙lung 生sang 荣wing 永wing 德tak 光kwong 辉fai 成shing 成sing 宏wang 杰kit 健kin 建kin 雄hung 军kwan 丽lai 珍chun 云wan 雪suet 秀sau 玉yuk 淑suk 小siu 海hoi 春chun
兰lan 红hung 平ping 仁yan 义yee 宇yu 欣yan 学hok 诗sze 嘉ka 乐lok 天tin 子tsz 子chi 思sze 颖wing 怡yi 怡yee 晴ching 浩ho 轩hin 朗long 佩pui 婷ting 石shek 霍fok 孔hung 区au 欧au 骆lok 温wan 袁yuen 阮yuen
尹wan 彭pang 韩hon 汤tong 方fong 夏ha 江kong 姜keung 丁ting 沈sum 沈shum 宋sung 唐tong 孙suen 曹tso 严yim 贾ka 侯hau 施sze 秦chun 戴tai 任yam 邵siu 陆luk 钱chin 史sze 白pak 毛mo 邱yau 凌ling 康hong 易yick 武mo
程ching 傅fu 游yau 连lin 简kan 古koo 符foo 司see 崔chui 翁yung 庄chong 倪ngai 魏ngai 艾ngai 洪hung 祥cheung 福fuk 贵kwai 发fat 财choi 新sun 东tung 西sai 南nam 北pak 山shan 水shui 火fo 金kam 木muk 土to`) {
		r := []rune(pair)
		found := false
		for _, j := range HongKong(string(r[1:])) {
			for _, c := range Cantonese(r[0]) {
				found = found || c == j
			}
		}
		if !found {
			t.Errorf("%s: %v, read %v", pair, HongKong(string(r[1:])), Cantonese(r[0]))
		}
	}
}

func TestReadID(t *testing.T) {
	for _, tt := range []struct {
		in, number, part, birth string
		whole, valid            bool
		sex                     byte
	}{
		{"310116190001010016", "310116190001010016", "", "1900-01-01", true, true, 1},
		{"33048219000202013ｘ", "33048219000202013X", "", "1900-02-02", true, true, 1},
		{"330482 19000202 013*", "33048219000202013X", "", "1900-02-02", true, true, 1},
		{"310116000101001", "310116190001010016", "", "1900-01-01", true, true, 1},
		{"310116190001010017", "310116190001010017", "", "1900-01-01", true, false, 1},
		{"310116********0016", "310116********0016", "", "", false, false, 1},
		{"3101161900****0016", "3101161900****0016", "", "1900", false, false, 1},
		{"310116***0016", "310116********0016", "", "", false, false, 1},
		{"31O116I90001010016", "310116190001010016", "", "1900-01-01", true, true, 1},
		{"0016", "", "0016", "", false, false, 0},
		{"H00000001", "", "", "", false, false, 0},
	} {
		id := ReadID(tt.in, true)
		if id.Number != tt.number || id.Part != tt.part || id.Birth != tt.birth || id.Whole != tt.whole || id.Valid != tt.valid || id.Sex != tt.sex {
			t.Errorf("ReadID(%q) = %+v", tt.in, id)
		}
	}
	if id := ReadID("31O116190001010016", false); id.Whole {
		t.Error("a letter counts as a digit in a record")
	}
}

func TestReadPhoneAndPlate(t *testing.T) {
	for in, want := range map[string]string{"15400000001": "15400000001", "+86 154-0000-0001": "15400000001", "008615400000001": "15400000001", "８６15400000001": "15400000001",
		"015400000001": "15400000001", "1795115400000001": "15400000001", "0573-80000000": "057380000000", "+86 573 80000000": "057380000000", "(0573)80000000转12": "057380000000", "154****0001": "154****0001", "154**0001": "154****0001", "0001": "0001"} {
		if p := ReadPhone(in); p.Number != want {
			t.Errorf("ReadPhone(%q) = %+v, want %s", in, p, want)
		}
	}
	for in, want := range map[string]string{"浙F00000": "浙F00000", "浙F·0OO00": "浙F00000", "浙f 00000": "浙F00000", "F00I00": "F00100", "沪AD00000": "沪AD00000"} {
		if p := ReadPlate(in); p.Full != want {
			t.Errorf("ReadPlate(%q) = %+v, want %s", in, p, want)
		}
	}
}

func TestReadAddress(t *testing.T) {
	for _, tt := range []struct{ in, county, town, areas, numbers string }{
		{"上海市金山区样例镇测试村3组12号后间", "310116", "样例", "测试", "3-12"},
		{"样例镇测试村三组１２号", "", "样例", "测试", "3-12"},
		{"海市金山区样例镇测试村3组12号", "310116", "样例", "测试", "3-12"},
		{"浙省嘉兴市嘉善县样例镇测试村3组12号", "330421", "样例", "测试", "3-12"},
		{"测试路金山区12号", "", "", "测试|金山区", "12"},
		{"样例大楼金山区5幢201室", "", "", "样例大楼金山区", "5-201"},
		{"测试样例园金山区样例5幢", "", "", "测试样例园金山区样例", "5"},
		{"样例测试金山区块3号", "", "", "样例测试金山区块", "3"},
		{"浙江省平湖市样例街道示范路88弄6号402室", "330482", "样例", "示范", "88-6-402"},
		{"平湖样例街道示范路88弄6号楼402", "330482", "样例", "示范", "88-6-402"},
		{"示范路八十八弄六号402室", "", "", "示范", "88-6-402"},
		{"吴江市样例镇", "320509", "样例", "", ""},
		{"测试花园3幢2单元501室", "", "", "测试", "3-2-501"},
		{"测试花园3-2-501", "", "", "测试", "3-2-501"},
	} {
		a := ReadAddress(tt.in)
		if a.County != tt.county || a.Town != tt.town || strings.Join(a.Areas, "|") != tt.areas || a.Numbers() != tt.numbers {
			t.Errorf("ReadAddress(%q) = %+v %q", tt.in, a, a.Numbers())
		}
	}
}

func TestReadInstitution(t *testing.T) {
	for _, tt := range []struct{ in, core, kind string }{{"平湖市仁济中医诊所", "仁济", "中医诊所"}, {"仁濟門診部", "仁济", "门诊部"}, {"上海丽颜美容有限公司", "丽颜", "美容"}, {"丽颜医疗美容门诊部", "丽颜", "医疗美容门诊部"}} {
		if in := ReadInstitution(tt.in); in.Core != tt.core || in.Kind != tt.kind {
			t.Errorf("ReadInstitution(%q) = %+v", tt.in, in)
		}
	}
}
