package match

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/internal/hanzi"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// The development data: a registry of synthetic people and questions about them with known slips, drawn from a seed. No
// real person is in it: birth years 1900 to 1909, sequences 900 to 999, phones of a prefix that is not given out.

const (
	devSurnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇解查区"
	devGiven    = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国红玉兰文辉力健世广志义兴良海山仁波宁贵福生龙元全胜学祥才发武新利清飞彬富顺信子昌成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会思群豪心邦承乐绍功松善厚庆民友裕河哲江浩亮政谦亨奇固之轮翰朗伯宏言若鸣朋斌梁栋维启克伦翔旭鹏泽晨辰士以家致树炎德行时泰盛雄琛钧冠策腾楠榕风航弘慧巧美淑惠珠翠雅芝萍云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉嫣晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希宁欣飘育滢馥筠柔竹霭凝晓欢霄枫芸菲寒伊亚宜可姬舒影荔枝思丽"
	devAreas    = "示范样例测试甲乙丙丁青山绿水长河高桥石湖南塘北港东浜西泾新丰大通"
)

var devCounties = []struct{ code, name string }{{"310116", "上海市金山区"}, {"310118", "上海市青浦区"}, {"310117", "上海市松江区"}, {"320509", "江苏省苏州市吴江区"}, {"330421", "浙江省嘉兴市嘉善县"}, {"330482", "浙江省嘉兴市平湖市"}}

type dev struct{ *rand.Rand }

// skewed draws the early ones more often, as names are.
func (d dev) skewed(s []rune) rune {
	return s[int(float64(len(s))*d.Float64()*d.Float64())]
}

func (d dev) name() string {
	s := string(d.skewed([]rune(devSurnames)))
	g := []rune(devGiven)
	s += string(d.skewed(g))
	if d.IntN(4) > 0 {
		s += string(d.skewed(g))
	}
	return s
}

func (d dev) digits(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(byte('0' + d.IntN(10)))
	}
	return b.String()
}

func (d dev) person() Entry {
	sex := 1 + d.IntN(2)
	county := devCounties[d.IntN(len(devCounties))]
	birth := fmt.Sprintf("%d%02d%02d", 1900+d.IntN(10), 1+d.IntN(12), 1+d.IntN(28))
	body := county.code + birth + fmt.Sprintf("9%d%d", d.IntN(10), 2*d.IntN(5)+sex%2)
	c, _ := identifier.ResidentCheck(body)
	e := Entry{Name: d.name(), Sex: fmt.Sprint(sex), Birth: birth[:4] + "-" + birth[4:6] + "-" + birth[6:], IDs: []string{body + string(c)}}
	if d.IntN(5) > 0 {
		e.Phones = []string{"154" + d.digits(8)}
	}
	if d.IntN(6) == 0 {
		e.Plates = []string{string([]rune("沪浙苏")[d.IntN(3)]) + string([]rune("ABCDEF")[d.IntN(6)]) + string([]rune("ACEFHJ")[d.IntN(6)]) + d.digits(4)}
	}
	area := []rune(devAreas)
	place := string(area[d.IntN(len(area))]) + string(area[d.IntN(len(area))])
	if d.IntN(2) == 0 {
		e.Addresses = []string{fmt.Sprintf("%s样例镇%s村%d组%d号", county.name, place, 1+d.IntN(12), 1+d.IntN(60))}
	} else {
		e.Addresses = []string{fmt.Sprintf("%s样例街道%s路%d弄%d号%d室", county.name, place, 10+d.IntN(300), 1+d.IntN(30), 100*(1+d.IntN(6))+1+d.IntN(4))}
	}
	return e
}

func devRegistry(seed uint64, n int) []Entry {
	d := dev{rand.New(rand.NewPCG(seed, 1))}
	out := make([]Entry, n)
	seen := map[string]bool{}
	for i := range out {
		for out[i] = d.person(); seen[out[i].IDs[0]]; out[i] = d.person() { // a number belongs to one
		}
		seen[out[i].IDs[0]] = true
		out[i].Ref.Subject[12], out[i].Ref.Subject[13], out[i].Ref.Subject[14] = byte(i>>16), byte(i>>8), byte(i)
	}
	return out
}

// devKinds make a question about e with one kind of slip; false if e has nothing to ask so. want tells whether e should
// be found; questions of other kinds must not be hits.
var devKinds = []struct {
	kind     string
	negative bool
	strong   bool
	make     func(d dev, e *Entry) (Question, bool)
}{
	{"exact_birth", false, true, func(_ dev, e *Entry) (Question, bool) { return Question{Name: e.Name, Birth: e.Birth}, true }},
	{"exact_id", false, true, func(_ dev, e *Entry) (Question, bool) { return Question{ID: e.IDs[0]}, true }},
	{"id15", false, true, func(_ dev, e *Entry) (Question, bool) {
		return Question{Name: e.Name, ID: e.IDs[0][:6] + e.IDs[0][8:17]}, true
	}},
	{"id_wrong_digit", false, false, func(d dev, e *Entry) (Question, bool) {
		b := []byte(e.IDs[0])
		i := 6 + d.IntN(11)
		b[i] = '0' + (b[i]-'0'+1+byte(d.IntN(8)))%10
		return Question{Name: e.Name, ID: string(b)}, true
	}},
	{"id_masked", false, false, func(_ dev, e *Entry) (Question, bool) {
		return Question{Name: e.Name, ID: e.IDs[0][:6] + "********" + e.IDs[0][14:]}, true
	}},
	{"id_tail", false, false, func(_ dev, e *Entry) (Question, bool) { return Question{Name: e.Name, ID: e.IDs[0][14:]}, true }},
	{"homophone", false, false, func(d dev, e *Entry) (Question, bool) {
		return changed(d, e, func(a, b rune) bool { return hanzi.Sound(a, b) == hanzi.SameSound })
	}},
	{"fuzzy_pinyin", false, false, func(d dev, e *Entry) (Question, bool) {
		return changed(d, e, func(a, b rune) bool { return hanzi.Sound(a, b) == hanzi.FuzzyNear })
	}},
	{"glyph", false, false, func(d dev, e *Entry) (Question, bool) {
		r := []rune(e.Name)
		i := 1 + d.IntN(len(r)-1)
		near := hanzi.Lookalikes(r[i])
		if len(near) == 0 {
			return Question{}, false
		}
		r[i] = near[d.IntN(min(6, len(near)))]
		return Question{Name: string(r), Birth: e.Birth[:4]}, true
	}},
	{"missing_char", false, false, func(d dev, e *Entry) (Question, bool) {
		r := []rune(e.Name)
		if len(r) < 3 {
			return Question{}, false
		}
		return Question{Name: string(without(r, 1+d.IntN(2))), Birth: e.Birth}, true
	}},
	{"lost_char", false, false, func(d dev, e *Entry) (Question, bool) {
		r := []rune(e.Name)
		r[1+d.IntN(len(r)-1)] = '?'
		return Question{Name: string(r), Birth: e.Birth}, true
	}},
	{"swapped", false, false, func(_ dev, e *Entry) (Question, bool) {
		r := []rune(e.Name)
		slices.Reverse(r)
		return Question{Name: string(r), Birth: e.Birth}, string(r) != e.Name
	}},
	{"pinyin", false, false, func(_ dev, e *Entry) (Question, bool) {
		var w []string
		for _, c := range e.Name {
			w = append(w, hanzi.First(c).String())
		}
		return Question{Name: w[0] + " " + strings.Join(w[1:], ""), Birth: e.Birth}, true
	}},
	{"nickname", false, false, func(_ dev, e *Entry) (Question, bool) {
		return Question{Name: "老" + string([]rune(e.Name)[:1]), Birth: e.Birth, Address: e.Addresses[0]}, true
	}},
	{"address", false, true, func(_ dev, e *Entry) (Question, bool) {
		return Question{Address: strings.NewReplacer("上海市", "", "浙江省嘉兴市", "", "号", "号", "弄", " 弄 ", "江苏省", "").Replace(e.Addresses[0])}, true
	}},
	{"phone_format", false, true, func(_ dev, e *Entry) (Question, bool) {
		if len(e.Phones) == 0 {
			return Question{}, false
		}
		p := e.Phones[0]
		return Question{Phone: "+86 " + p[:3] + "-" + p[3:7] + "-" + p[7:]}, true
	}},
	{"phone_part", false, false, func(_ dev, e *Entry) (Question, bool) {
		if len(e.Phones) == 0 {
			return Question{}, false
		}
		return Question{Name: e.Name, Phone: e.Phones[0][7:]}, true
	}},
	{"plate", false, true, func(_ dev, e *Entry) (Question, bool) {
		if len(e.Plates) == 0 {
			return Question{}, false
		}
		return Question{Plate: strings.ReplaceAll(strings.ToLower(e.Plates[0]), "0", "O")}, true
	}},
	{"not_other_year", true, false, func(_ dev, e *Entry) (Question, bool) {
		return Question{Name: e.Name, Birth: "1950-" + e.Birth[5:]}, true
	}},
	{"not_other_sex", true, false, func(_ dev, e *Entry) (Question, bool) {
		return Question{Name: e.Name, Birth: e.Birth[:4], Sex: map[string]string{"1": "2", "2": "1"}[e.Sex]}, true
	}},
	{"not_other_id", true, false, func(d dev, e *Entry) (Question, bool) {
		other := d.person()
		return Question{Name: e.Name, ID: other.IDs[0]}, true
	}},
	{"not_sibling", true, false, func(d dev, e *Entry) (Question, bool) {
		body := []byte(e.IDs[0][:17])
		body[15] = '0' + (body[15]-'0'+1)%10
		c, _ := identifier.ResidentCheck(string(body))
		return Question{Name: string([]rune(e.Name)[:1]) + d.name()[3:], ID: string(body) + string(c)}, true
	}},
	{"not_phone", true, false, func(d dev, e *Entry) (Question, bool) {
		if len(e.Phones) == 0 {
			return Question{}, false
		}
		b := []byte(e.Phones[0])
		b[10] = '0' + (b[10]-'0'+1)%10
		return Question{Phone: string(b)}, true
	}},
	{"not_plate", true, false, func(_ dev, e *Entry) (Question, bool) {
		if len(e.Plates) == 0 {
			return Question{}, false
		}
		b := []byte(e.Plates[0])
		b[len(b)-1] = '0' + (b[len(b)-1]-'0'+1)%10
		return Question{Plate: string(b)}, true
	}},
	{"not_next_door", true, false, func(_ dev, e *Entry) (Question, bool) {
		i := strings.LastIndex(e.Addresses[0], "室")
		if i < 0 {
			return Question{}, false
		}
		return Question{Address: e.Addresses[0][:i-1] + "9室"}, true
	}},
	{"not_known", true, false, func(d dev, _ *Entry) (Question, bool) {
		o := d.person()
		return Question{Name: o.Name, Birth: "1950-01-01"}, true
	}},
}

// changed replaces one given character by another of the list that stands so to it.
func changed(d dev, e *Entry, so func(a, b rune) bool) (Question, bool) {
	r := []rune(e.Name)
	i := 1 + d.IntN(len(r)-1)
	all := []rune(devGiven)
	from := d.IntN(len(all))
	for k := range all {
		if c := all[(from+k)%len(all)]; c != r[i] && so(r[i], c) {
			r[i] = c
			return Question{Name: string(r), Birth: e.Birth[:4], Sex: e.Sex}, true
		}
	}
	return Question{}, false
}

func newDev(seed uint64) dev { return dev{rand.New(rand.NewPCG(seed, 2))} }
