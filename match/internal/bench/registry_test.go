//go:build linux

package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// The registry of the measurements: record i is a function of seed and i, so that any of them can be made again without
// keeping them. All people are synthetic: birth years 1900 to 1979 with sequences from 900, phones of a prefix that is not
// given out, places that are not there.

const (
	surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇解查区" +
		"温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋"
	given = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国红玉兰文辉力健世广志义兴良海山仁波宁贵福生龙元全胜学祥才发武新利清飞彬富顺信子昌成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会思群豪心邦承乐绍功松善厚庆民友裕河哲江浩亮政谦亨奇固之轮翰朗伯宏言若鸣朋斌梁栋维启克伦翔旭鹏泽晨辰士以家致树炎德行时泰盛雄琛钧冠策腾楠榕风航弘慧巧美淑惠珠翠雅芝萍云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉嫣晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希欣飘育滢馥筠柔竹霭凝晓欢霄枫芸菲寒亚宜可姬舒影荔枝"
	areas = "示范样例测试甲乙丙丁青山绿水长河高桥石湖南塘北港东浜西泾新丰大通"
)

var (
	counties = []struct{ code, name string }{{"310116", "上海市金山区"}, {"310118", "上海市青浦区"}, {"310117", "上海市松江区"}, {"320509", "江苏省苏州市吴江区"}, {"330421", "浙江省嘉兴市嘉善县"}, {"330482", "浙江省嘉兴市平湖市"}}

	surnameList, surnameUpTo = weighted([]rune(surnames), 3, 1.2)
	givenList, givenUpTo     = weighted(givenCharacters(), 20, 1.4)
)

// givenCharacters are common ones first, then two thousand others that have readings.
func givenCharacters() []rune {
	all := []rune(given)
	seen := map[rune]bool{}
	for _, c := range all {
		seen[c] = true
	}
	for c := rune(0x4e00); len(all) < 2400; c += 7 {
		if len(hanzi.Syllables(c)) > 0 && len(hanzi.Cantonese(c)) > 0 && hanzi.Fold(c) == c && !seen[c] {
			all = append(all, c)
		}
	}
	return all
}

// weighted gives each a weight of (rank+shift)^-power, summed up.
func weighted(list []rune, shift, power float64) ([]rune, []float64) {
	sum := 0.0
	upTo := make([]float64, len(list))
	for i := range list {
		sum += 1 / math.Pow(float64(i)+shift, power)
		upTo[i] = sum
	}
	return list, upTo
}

type draw struct{ *rand.Rand }

func (d draw) one(list []rune, upTo []float64) rune {
	return list[sort.SearchFloat64s(upTo, d.Float64()*upTo[len(upTo)-1])]
}

func (d draw) name() string {
	r := []rune{d.one(surnameList, surnameUpTo), d.one(givenList, givenUpTo)}
	if d.IntN(100) < 84 {
		r = append(r, d.one(givenList, givenUpTo))
	}
	return string(r)
}

// registry is the people of one seed.
type registry struct{ seed uint64 }

func (r registry) draw(i int) draw { return draw{rand.New(rand.NewPCG(r.seed, uint64(i)))} }

// name is how record i is called, without the rest of it.
func (r registry) name(i int) string { return r.draw(i).name() }

func ref(i int) match.Ref {
	m := match.Ref{Stream: "310116-01/records"}
	binary.BigEndian.PutUint64(m.Subject[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(m.Subject[8:], uint64(i))
	return m
}

func number(m match.Ref) int { return int(binary.BigEndian.Uint64(m.Subject[8:])) }

func (r registry) entry(i int) match.Entry {
	d := r.draw(i)
	e := match.Entry{Ref: ref(i), Seq: uint64(i + 1), Name: d.name()}
	county := counties[d.IntN(len(counties))]
	sex := 1 + d.IntN(2)
	birth := fmt.Sprintf("%d%02d%02d", 1900+d.IntN(80), 1+d.IntN(12), 1+d.IntN(28))
	e.Sex, e.Birth = fmt.Sprint(sex), birth[:4]+"-"+birth[4:6]+"-"+birth[6:]
	if d.IntN(10) < 7 {
		body := county.code + birth + fmt.Sprintf("9%d%d", d.IntN(10), 2*d.IntN(5)+sex%2)
		c, _ := identifier.ResidentCheck(body)
		e.IDs = []string{body + string(c)}
	}
	if d.IntN(10) < 6 {
		e.Phones = []string{fmt.Sprintf("154%08d", d.IntN(100000000))}
	}
	if d.IntN(8) == 0 {
		e.Plates = []string{fmt.Sprintf("%c%c%c%04d", []rune("沪浙苏")[d.IntN(3)], 'A'+d.IntN(6), "ACEFHJKPQR"[d.IntN(10)], d.IntN(10000))}
	}
	if d.IntN(100) < 3 {
		e.Aliases = []string{d.name()}
	}
	area := []rune(areas)
	some := func() string { return string([]rune{area[d.IntN(len(area))], area[d.IntN(len(area))]}) }
	switch d.IntN(5) {
	case 0, 1:
		e.Addresses = []string{fmt.Sprintf("%s%s镇%s村%d组%d号", county.name, some(), some(), 1+d.IntN(12), 1+d.IntN(60))}
	case 2, 3:
		e.Addresses = []string{fmt.Sprintf("%s%s街道%s路%d弄%d号%d室", county.name, some(), some(), 10+d.IntN(300), 1+d.IntN(30), 100*(1+d.IntN(6))+1+d.IntN(4))}
	}
	if d.IntN(100) < 12 {
		e.Orgs = []string{county.name[9:] + string(d.one(givenList, givenUpTo)) + some() + []string{"诊所", "口腔门诊部", "美容院", "中医诊所", "卫生室"}[d.IntN(5)]}
	}
	return e
}

// asked is a question and the record that is meant.
type asked struct {
	kind string
	name string
	id   int
}

// kinds of slips and their share in a hundred questions, as look-ups at a counter were found to be distributed.
var kinds = []struct {
	kind  string
	share int
	slip  func(d draw, r []rune) []rune
}{
	{"exact", 33, func(_ draw, r []rune) []rune { return r }},
	{"homophone", 33, func(d draw, r []rune) []rune {
		return replaced(d, r, func(a, b rune) bool { return hanzi.Sound(a, b) == hanzi.SameSound })
	}},
	{"one character", 22, func(d draw, r []rune) []rune { return replaced(d, r, func(rune, rune) bool { return true }) }},
	{"look-alike", 6, func(d draw, r []rune) []rune {
		i := 1 + d.IntN(len(r)-1)
		l := hanzi.Lookalikes(hanzi.Fold(r[i]))
		if len(l) == 0 {
			return nil
		}
		r[i] = l[d.IntN(min(6, len(l)))]
		return r
	}},
	{"missing", 6, func(d draw, r []rune) []rune {
		if len(r) < 3 {
			return nil
		}
		i := 1 + d.IntN(2)
		return append(r[:i], r[i+1:]...)
	}},
}

// replaced puts a frequency-weighted other character into a given place.
func replaced(d draw, r []rune, so func(a, b rune) bool) []rune {
	i := 1 + d.IntN(len(r)-1)
	for range 4000 {
		if c := d.one(givenList, givenUpTo); c != r[i] && so(r[i], c) {
			r[i] = c
			return r
		}
	}
	return nil
}

// questions are n distinct ones about the first records.
func (r registry) questions(records, n int) []asked {
	d := draw{rand.New(rand.NewPCG(r.seed, 1<<63))}
	seen := map[string]bool{}
	var out []asked
	for len(out) < n {
		id, at := d.IntN(records), d.IntN(100)
		k := 0
		for ; at >= kinds[k].share; k++ {
			at -= kinds[k].share
		}
		s := kinds[k].slip(d, slices.Clone([]rune(r.name(id))))
		if s == nil || seen[string(s)] {
			continue
		}
		seen[string(s)] = true
		out = append(out, asked{kinds[k].kind, string(s), id})
	}
	return out
}
