// Package demo founds a federation of seven bureaux, the "6+1" around Jinshan, with wholly synthetic data (domain.md
// §7), and runs it in one process over in-process Kafka and Redis through the code path of production. It refuses to
// touch a charter that is not marked synthetic.
package demo

import (
	"fmt"
	"math/rand/v2"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Bureau is one member of the 6+1 (domain.md §2.6.1, §7). Codes of issuing organs are invented bodies with valid check
// characters.
type Bureau struct {
	Member record.MemberID
	Name   string // the bureau's short name, as colleagues say it
	Short  string // the one character in its document numbers
	Region string // GB/T 2260
	Issuer string // unified social credit code of the organ whose seal is on its decisions
}

// Bureaux are the seven members, the lead first.
var Bureaux = []Bureau{
	{"310116-01", "金山", "金", "310116", "11310116000090018Y"},
	{"310118-01", "青浦", "青", "310118", "11310118000090077Y"},
	{"310117-01", "松江", "松", "310117", "113101170000900343"},
	{"320509-01", "吴江", "吴", "320509", "113205090000900424"},
	{"330400-01", "嘉兴", "嘉", "330400", "11330400000090050U"},
	{"330421-01", "嘉善", "善", "330421", "113304210000900696"},
	{"330482-01", "平湖", "平", "330482", "113304820000900264"},
}

// bureau returns the bureau with the given short name.
func bureau(name string) Bureau {
	for _, b := range Bureaux {
		if b.Name == name {
			return b
		}
	}
	panic("demo: no bureau " + name)
}

// Person is somebody who does not exist.
type Person struct {
	Name  string
	ID    string // resident number with a valid check digit: born 1900–1909, sequence 900–999, so nobody's
	Sex   string // GB/T 2261.1: 1 male, 2 female
	Birth string
	Alias string // 绰号; empty for none
	Home  string // where he was met or lives; empty where no record says it
}

// Decision is one penalty decision of the story or the background.
type Decision struct {
	No            string // document number
	Issuer        Bureau
	Person        Person
	Cause         string // domain.md §2.6.3
	From, To      string // the act
	Filed         string
	Decided       string
	Served        string
	Qualification string // at the act
	Kind          string // of practice, domain.md §2.6.6
	Entry         bool   // whether a list entry stands on it
	ReviewApplied string // day on which 复议 was applied for; empty if it was not
	// What was found in the case and is listed beside the person; zero for nothing.
	Premises    Premises
	Handle      Handle
	Institution Institution
}

// The cast of domain.md §7.1.
var (
	p1    = Person{Name: "测甲一", ID: "320623190001159016", Sex: "1", Birth: "1900-01-15", Alias: "测阿甲", Home: "上海市金山区样例镇测试村3组12号"}
	p1bis = Person{Name: "测甲一", ID: "340123190001159055", Sex: "1", Birth: "1900-01-15"}
	p2    = Person{Name: "测乙二", ID: "330482190102209028", Sex: "2", Birth: "1901-02-20", Home: "浙江省平湖市样例街道示范路88弄6号402室"}
	p3    = Person{Name: "测丙三", ID: "310117190203259035", Sex: "1", Birth: "1902-03-25", Home: "上海市松江区样例镇示范村2组7号"}
	p4    = Person{Name: "测丁四", ID: "310118190304309042", Sex: "2", Birth: "1903-04-30"}
)

// StoryBegins is the day on which the seven bureaux join (domain.md §7.3).
const StoryBegins = "2026-03-02"

// Story is the history loaded on day one (domain.md §7.2). The day of filing and of the decision are not in the story's
// table; they are set four and one weeks before service.
var Story = []Decision{
	{No: "测平卫医罚〔2024〕9002号", Issuer: bureau("平湖"), Person: p1, Cause: "UP01", From: "2024-09-21", To: "2024-10-09", Filed: "2024-10-10", Decided: "2024-11-12", Served: "2024-11-15", Qualification: "none", Kind: "DEN", Entry: true,
		Premises: Premises{Address: "浙江省平湖市样板镇测样村9组8号", Town: "样板镇", Kind: "RENT", Signboard: "样例镶牙", State: "vacated", Closed: 1},
		Handle:   Handle{Kind: "plate", Value: "浙F00000"}}, // the van of 15 April (domain.md §7.3)
	{No: "测松卫医罚〔2025〕9017号", Issuer: bureau("松江"), Person: p1, Cause: "UP01", From: "2025-07-02", To: "2025-07-04", Filed: "2025-07-07", Decided: "2025-08-25", Served: "2025-08-28", Qualification: "none", Kind: "DEN", Entry: true,
		Handle: Handle{Kind: "phone", Value: "15400000101"}},
	{No: "测松卫医罚〔2025〕9011号", Issuer: bureau("松江"), Person: p3, Cause: "UP01", From: "2025-04-17", To: "2025-04-17", Filed: "2025-04-18", Decided: "2025-06-03", Served: "2025-06-05", Qualification: "none", Kind: "TCM", Entry: true},
	{No: "测吴卫医罚〔2026〕9001号", Issuer: bureau("吴江"), Person: p3, Cause: "UP02", From: "2025-12-18", To: "2025-12-18", Filed: "2025-12-19", Decided: "2026-02-06", Served: "2026-02-10", Qualification: "none", Kind: "TCM", Entry: true,
		Institution: Institution{Name: "吴江区测样堂中医诊所", Number: "测样9001"}},
	{No: "测嘉卫医罚〔2025〕9005号", Issuer: bureau("嘉兴"), Person: p2, Cause: "UP01", From: "2025-01-16", To: "2025-01-16", Filed: "2025-01-17", Decided: "2025-03-07", Served: "2025-03-11", Qualification: "none", Kind: "INF", Entry: true},
	{No: "测善卫医罚〔2026〕9003号", Issuer: bureau("嘉善"), Person: p2, Cause: "UP01", From: "2025-11-27", To: "2025-11-27", Filed: "2025-11-28", Decided: "2026-01-13", Served: "2026-01-16", Qualification: "none", Kind: "INF", Entry: true, ReviewApplied: "2026-03-12"},
	{No: "测善卫医罚〔2023〕9008号", Issuer: bureau("嘉善"), Person: p1bis, Cause: "UP03", From: "2023-04-20", To: "2023-04-20", Filed: "2023-04-21", Decided: "2023-06-09", Served: "2023-06-13", Qualification: "qualified_registered", Kind: "OTH"},
	{No: "测青卫医罚〔2025〕9020号", Issuer: bureau("青浦"), Person: p4, Cause: "UP01", From: "2025-02-26", To: "2025-02-26", Filed: "2025-02-27", Decided: "2025-03-31", Served: "2025-04-02", Qualification: "qualified_unregistered", Kind: "TCM", Entry: true},
	{No: "测青卫医罚〔2025〕9031号", Issuer: bureau("青浦"), Person: p4, Cause: "UP01", From: "2025-10-22", To: "2025-10-22", Filed: "2025-10-23", Decided: "2025-11-18", Served: "2025-11-20", Qualification: "qualified_unregistered", Kind: "TCM", Entry: true},
}

var (
	stems = []rune("甲乙丙丁戊己庚辛壬癸")
	marks = []rune("子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒日月盈昃寒来暑往秋收冬藏")
)

// Background returns n further decisions, spread over the bureaux, the same for the same seed.
func Background(n int, seed uint64) []Decision {
	r := rand.New(rand.NewPCG(seed, 0x70696c696e))
	kinds := []string{"DEN", "INF", "TCM", "SUR", "BEA", "OTH"}
	out := make([]Decision, 0, n)
	for i := range n {
		b := Bureaux[i%len(Bureaux)]
		male := r.IntN(2)
		y, m, d := 1900+r.IntN(10), 1+r.IntN(12), 1+r.IntN(28)
		seq := 900 + r.IntN(99)
		if seq%2 != male {
			seq++
		}
		body := fmt.Sprintf("%s%04d%02d%02d%03d", Bureaux[r.IntN(len(Bureaux))].Region, y, m, d, seq)
		check, _ := identifier.ResidentCheck(body) // 17 digits, made above
		sex := "2"
		if male == 1 {
			sex = "1"
		}
		name := "测" + string(stems[r.IntN(len(stems))]) + string(marks[r.IntN(len(marks))])
		year, month, day := 2023+r.IntN(3), 1+r.IntN(9), 1+r.IntN(28)
		date := func(m, d int) string { return fmt.Sprintf("%04d-%02d-%02d", year, m, d) }
		x := Decision{
			No: fmt.Sprintf("测%s卫医罚〔%d〕%d号", b.Short, year, 7000+i), Issuer: b,
			Person: Person{Name: name, ID: body + string(check), Sex: sex, Birth: fmt.Sprintf("%04d-%02d-%02d", y, m, d)},
			Cause:  "UP01", From: date(month, day), To: date(month, day), Filed: date(month, day),
			Decided: date(month+2, 1), Served: date(month+2, 5), Qualification: "none", Kind: kinds[r.IntN(len(kinds))], Entry: true,
		}
		x.Premises, x.Handle = b.premises(i), b.handle(i)
		out = append(out, x)
	}
	return out
}
