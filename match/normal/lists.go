package normal

import (
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
)

// The lists of this file are our own. Characters are folded when they are read in.

var titles = []string{"副主任医师", "主任医师", "主治医师", "老中医", "医生", "大夫", "医师", "郎中", "老师", "师傅", "师父", "先生", "女士", "小姐", "护士", "主任", "院长",
	"所长", "老板娘", "老板", "经理", "教授", "药师", "同志", "阿姨", "大妈", "大爷", "大叔", "大姐", "大哥", "太太"}

// epithets stand for the given name behind a surname (王胖子) or before it (牙医王).
var epithets = []string{"胖子", "瘸子", "麻子", "瞎子", "聋子", "秃子", "矮子", "拐子", "驼子", "神医", "半仙", "一针", "一手", "牙医", "牙科", "郎中", "老头", "老头子", "老太", "老太婆", "婆婆", "奶奶", "爷爷", "大妈", "大娘", "大嫂",
	"游医", "赤脚医生", "赤脚", "江湖郎中", "接骨", "膏药", "瘦子", "胡子", "大胡子", "眼镜", "光头", "黑子", "老大", "老二", "老三", "老四", "老五", "中医", "西医", "军医", "专家", "院士"}

var surnames = set(`王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦
邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单裴霍涂成
苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫
寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋
相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由
萧傅闫阎代丘候锺沙褚滑水祖须邸沃仉蹇羿弓暴禄阙东殴殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红竺权逯盖益桓公`)

// common are surnames that 老 or 小 before a character means; with others it may be the given name.
var common = set(`王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范廖贾夏付邹熊秦邱侯顾钱孟龚邵严施陶倪俞`)

var compound = words(`欧阳 司马 上官 诸葛 尉迟 夏侯 皇甫 东方 令狐 公孙 慕容 司徒 长孙 宇文 轩辕 端木 南宫 万俟 闻人 赫连 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离
鲜于 闾丘 司空 司寇 亓官 子车 颛孙 巫马 公西 漆雕 乐正 壤驷 公良 拓跋 夹谷 宰父 谷梁 段干 百里 东郭 南门 呼延 羊舌 微生 梁丘 左丘 东门 西门 第五 独孤 纳兰 完颜 叶赫 那拉`)

var sounding = set(`阿不布都热依木买提麦尔吐古丽玛合孜汗江克艾力尼亚努尔斯拜巴哈姆沙吾甫祖帕娜扎旦卓玛次仁央金扎西才让多吉拉洛桑尼玛达瓦索朗旺堆格桑德吉平措土登罗布边巴其美巴图
苏日娜乌云高娃呼和宝音额尔敦那仁孟根其木格斯琴塔娜莫色曲比吉克阿卜杜都勒迪里热依吾约伊萨穆罕默德塔伊夏提仙孜帕热茹先古则亥恰什丹增白玉强晋美赤列曲珍措姆拥金嘎洛绒泽仁志玛马坚赞参尖培丁洛珠佩色丹杰贝彭措麻尕南朗嘉群宗才久美俄切邓珍益郎木萨伊艾麦米孜热提肉拜`)

// officially the same, or taken for the same by registries for decades
var surnameClass = pairs(`萧肖 傅付 阎闫 戴代 邱丘 候侯 蓝兰 锺钟 甯宁 於于 乐乐 谭谭 禤宣 邬乌 亓齐 仝同`)

// surnameReadings are readings of a character as a surname where they differ from the commonest one, or where two stand
// beside each other.
var surnameReadings = readings(`单shan 仇qiu 曾zeng 解xie 查zha 区ou 任ren 朴piao,pu 乐yue,le 盖ge,gai 缪miao 覃qin,tan 华hua 宁ning 翟zhai 冼xian 种chong 员yun 秘bi 洗xian
折she 那na 费fei 句gou 繁po 纪ji 应ying 过guo 车che 牟mou,mu 佴nai 乜nie 令ling 谌chen,shen 卜bu 祭zhai 阚kan 隗wei,kui 眭sui 俞yu 郗chi,xi 郇xun,huan 逯lu 薄bo 柏bai 莘shen,xin
褚chu 禚zhuo 瞿qu 晁chao 召shao 重chong 石shi 葛ge 贾jia 万wan 尉wei 长zhang 盛sheng 沈shen 干gan 於yu 曲qu 幺yao 洼wa 燕yan 臧zang 殷yin 宓mi 钻zuan 阙que 撒sa 尹yin 笪da 訾zi 行xing 哈ha
能nai 黑he 朝chao 大da 叶ye 卢lu 吕lv 谷gu 邵shao 侯hou 冯feng 娄lou 乘sheng 炅gui 芮rui 蔚yu 都du 相xiang 称chen 藏zang 降jiang 柳liu 车che`)

func set(s string) map[rune]bool {
	out := map[rune]bool{}
	for _, r := range folded(s) {
		out[r] = true
	}
	delete(out, '\n')
	return out
}

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[string(folded(w))] = true
	}
	return out
}

func pairs(s string) map[rune]rune {
	out := map[rune]rune{}
	for _, w := range strings.Fields(s) {
		r := folded(w)
		if r[0] != r[1] {
			out[r[0]] = r[1]
		}
	}
	return out
}

func readings(s string) map[rune][]hanzi.Syllable {
	out := map[rune][]hanzi.Syllable{}
	for _, w := range strings.Fields(s) {
		r := []rune(w)
		for _, p := range strings.Split(string(r[1:]), ",") {
			if x, ok := hanzi.ParseSyllable(p); ok {
				c := hanzi.Fold(r[0])
				out[c] = append(out[c], x)
			}
		}
	}
	return out
}
