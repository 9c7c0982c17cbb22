package identifier

import (
	"iter"
	"maps"
)

// provinces are the first two digits of every province-level code of GB/T 2260 since 1980. Identity numbers keep their
// code for life, so a county code is accepted by its province: the union of all historical county codes is open-ended
// (domain.md §2.6.1) and a code that a table lacks must not make a true number suspect.
var provinces = map[string]string{
	"11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古",
	"21": "辽宁", "22": "吉林", "23": "黑龙江",
	"31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东",
	"41": "河南", "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南",
	"50": "重庆", "51": "四川", "52": "贵州", "53": "云南", "54": "西藏",
	"61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆", "71": "台湾",
}

// regions are the codes of domain.md §2.6.1, today's and earlier ones, with the successor of a code that is retired.
var regions = map[string]Region{
	"310116": {Name: "金山区"}, "310118": {Name: "青浦区"}, "310117": {Name: "松江区"}, "320509": {Name: "吴江区"},
	"330400": {Name: "嘉兴市"}, "330421": {Name: "嘉善县"}, "330482": {Name: "平湖市"},
	"330402": {Name: "南湖区"}, "330411": {Name: "秀洲区"}, "330424": {Name: "海盐县"}, "330481": {Name: "海宁市"}, "330483": {Name: "桐乡市"},
	"310000": {Name: "上海市"}, "320600": {Name: "南通市"}, "320613": {Name: "崇川区"}, "320612": {Name: "通州区"}, "320614": {Name: "海门区"},
	"320623": {Name: "如东县"}, "320681": {Name: "启东市"}, "320682": {Name: "如皋市"}, "320685": {Name: "海安市"}, "320671": {Name: "南通经开区"},
	"310151": {Name: "崇明区"}, "321200": {Name: "泰州市"}, "321202": {Name: "海陵区"}, "321203": {Name: "高港区"}, "321204": {Name: "姜堰区"},
	"321281": {Name: "兴化市"}, "321282": {Name: "靖江市"}, "321283": {Name: "泰兴市"}, "320900": {Name: "盐城市"}, "320902": {Name: "亭湖区"},
	"320903": {Name: "盐都区"}, "320904": {Name: "大丰区"}, "320921": {Name: "响水县"}, "320922": {Name: "滨海县"}, "320923": {Name: "阜宁县"},
	"320924": {Name: "射阳县"}, "320925": {Name: "建湖县"}, "320981": {Name: "东台市"},
	"370214": {Name: "城阳区"}, "370406": {Name: "山亭区"}, "511011": {Name: "东兴区(内江)"},
	"320602": {Name: "崇川区(2020年前)", Successor: "320613"}, "320611": {Name: "港闸区", Successor: "320613"},
	"320684": {Name: "海门市", Successor: "320614"}, "320621": {Name: "海安县", Successor: "320685"},
	"320584": {Name: "吴江市", Successor: "320509"}, "320525": {Name: "吴江县", Successor: "320509"},
	"310230": {Name: "崇明县", Successor: "310151"},
}

// Region is what we know of a county, city or province code of GB/T 2260.
type Region struct {
	Name      string // as on maps; empty when only the province is known
	Province  string
	Successor string // today's code, when this one is retired
}

// LookupRegion returns what is known of a six-digit code; ok is false for a province that never existed.
func LookupRegion(code string) (r Region, ok bool) {
	if len(code) != 6 || !digits(code) {
		return Region{}, false
	}
	r = regions[code]
	r.Province, ok = provinces[code[:2]]
	return r, ok
}

// Regions yields the codes that we know by name, in no order.
func Regions() iter.Seq2[string, Region] { return maps.All(regions) }
