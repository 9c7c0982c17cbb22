package match_test

import (
	"testing"

	"github.com/pilinhub/pilin/match"
)

// TestPairs asks for one subject among a few that stand near it. All people are invented.
func TestPairs(t *testing.T) {
	for _, tt := range []struct {
		about    string
		entry    match.Entry
		question match.Question
		outcome  match.Outcome // "" for nobody
		code     string
	}{
		{"traditional", match.Entry{Name: "张伟强"}, match.Question{Name: "張偉強"}, match.Possible, "name_variant"},
		{"surname simplified", match.Entry{Name: "肖测红"}, match.Question{Name: "萧测红"}, match.Possible, "name_variant"},
		{"surname variants", match.Entry{Name: "付测测"}, match.Question{Name: "傅测测"}, match.Possible, "name_variant"},
		{"homophone", match.Entry{Name: "王玮"}, match.Question{Name: "王伟"}, match.Possible, "name_homophone"},
		{"homophone with birth", match.Entry{Name: "王玮测", Birth: "1901-02-03"}, match.Question{Name: "王伟测", Birth: "1901-02-03"}, match.Hit, "name_homophone"},
		{"name alone is no hit", match.Entry{Name: "鄢骉骧"}, match.Question{Name: "鄢骉骧"}, match.Possible, "name_equal"},
		{"look-alike", match.Entry{Name: "张己明"}, match.Question{Name: "张已明"}, match.Possible, ""},
		{"compound surname", match.Entry{Name: "欧阳测试"}, match.Question{Name: "歐陽測試"}, match.Possible, "name_variant"},
		{"pinyin", match.Entry{Name: "张小明"}, match.Question{Name: "Zhang Xiaoming"}, match.Possible, "name_pinyin"},
		{"pinyin, given name first", match.Entry{Name: "张小明"}, match.Question{Name: "Xiaoming ZHANG"}, match.Possible, "name_pinyin"},
		{"pinyin in one", match.Entry{Name: "张小明"}, match.Question{Name: "zhangxiaoming"}, match.Possible, "name_pinyin"},
		{"pinyin of passports", match.Entry{Name: "吕安"}, match.Question{Name: "LYU AN"}, match.Possible, "name_pinyin"},
		{"Wade-Giles", match.Entry{Name: "张小明"}, match.Question{Name: "Chang Hsiao-ming"}, match.Possible, "name_pinyin"},
		{"Wade-Giles without apostrophe", match.Entry{Name: "陈建国"}, match.Question{Name: "Chen Chien-kuo"}, match.Possible, "name_pinyin"},
		{"Hong Kong", match.Entry{Name: "陈小明"}, match.Question{Name: "Chan Siu Ming"}, match.Possible, "name_cantonese"},
		{"Hong Kong, joined", match.Entry{Name: "张国强"}, match.Question{Name: "CHEUNG Kwok-keung"}, match.Possible, "name_cantonese"},
		{"minority, other characters", match.Entry{Name: "阿不都热依木·买买提"}, match.Question{Name: "阿布都热依木·麦麦提"}, match.Possible, "name_transcribed"},
		{"minority, dot lost", match.Entry{Name: "阿不都热依木·买买提"}, match.Question{Name: "阿不都热依木买买提"}, match.Possible, "name_equal"},
		{"minority, first part", match.Entry{Name: "阿不都热依木·买买提"}, match.Question{Name: "阿不都热依木"}, match.Possible, "name_part"},
		{"minority, letters", match.Entry{Name: "阿不都热依木·买买提"}, match.Question{Name: "Abudureyimu Maimaiti"}, match.Possible, "name_transcribed"},
		{"Tibetan", match.Entry{Name: "次仁旺堆"}, match.Question{Name: "才仁旺堆"}, match.Possible, ""},
		{"lost character", match.Entry{Name: "张骉明"}, match.Question{Name: "张?明"}, match.Possible, "name_lost"},
		{"lost character in the record", match.Entry{Name: "张□明"}, match.Question{Name: "张骉明"}, match.Possible, "name_lost"},
		{"character in pinyin", match.Entry{Name: "张喆"}, match.Question{Name: "张zhe"}, match.Possible, "name_hint"},
		{"nickname", match.Entry{Name: "王测试", Birth: "1901-01-01"}, match.Question{Name: "老王", Birth: "1901"}, match.Possible, "name_nick_surname"},
		{"nickname and town", match.Entry{Name: "王测试", Addresses: []string{"平湖市样板镇测试村3组12号"}}, match.Question{Name: "王大夫", Address: "样板镇"}, match.Possible, "name_nick_surname"},
		{"nickname and village", match.Entry{Name: "王测试", Addresses: []string{"平湖市样例镇测试村3组12号"}}, match.Question{Name: "老王", Address: "测试村"}, match.Possible, "name_nick_surname"},
		{"character described", match.Entry{Name: "张骉明"}, match.Question{Name: "张⿱马马明"}, match.Possible, "name_lost"},
		{"English name before", match.Entry{Name: "陈小明"}, match.Question{Name: "Peter Chan Siu Ming"}, match.Possible, "name_cantonese"},
		{"nickname by given name", match.Entry{Name: "王测强", Birth: "1901-01-01"}, match.Question{Name: "阿强", Birth: "1901"}, match.Possible, "name_nick_given"},
		{"alias", match.Entry{Name: "王测试", Aliases: []string{"老神医"}}, match.Question{Name: "老神医"}, match.Possible, "name_equal"},
		{"id", match.Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, match.Question{Name: "王测试", ID: "310116 19000101 0016"}, match.Hit, "id_equal"},
		{"id of 15", match.Entry{IDs: []string{"310116000101001"}}, match.Question{ID: "310116190001010016"}, match.Hit, "id_equal"},
		{"id equal, name other", match.Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, match.Question{Name: "李样例", ID: "310116190001010016"}, match.Possible, "id_other_name"},
		{"wrong check digit", match.Entry{IDs: []string{"310116190001010016"}}, match.Question{ID: "310116190001010017"}, match.Possible, "id_near"},
		{"letters for digits", match.Entry{IDs: []string{"310116190001010016"}}, match.Question{ID: "31O116I9000101OO16"}, match.Hit, "id_equal"},
		{"two valid ids", match.Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, match.Question{Name: "王测试", ID: "310117190003030244"}, match.Possible, "id_other"},
		{"masked id", match.Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, match.Question{Name: "王测试", ID: "3101**********0016"}, match.Hit, "id_part"},
		{"last digits of an id", match.Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, match.Question{Name: "王测试", ID: "0016"}, match.Possible, "id_part"},
		{"digit dropped", match.Entry{IDs: []string{"310116190001010016"}}, match.Question{ID: "31011619000101016"}, match.Possible, "id_length"},
		{"passport", match.Entry{Name: "测试", Documents: []string{"passport:XXX:E99999999"}}, match.Question{Documents: []string{"passport:XXX:E99999999"}}, match.Hit, "document_equal"},
		{"passport, other name", match.Entry{Name: "王测试", Documents: []string{"passport:XXX:E99999999"}}, match.Question{Name: "李样例", Documents: []string{"passport:XXX:E99999999"}}, match.Possible, "id_other_name"},
		{"phone", match.Entry{Phones: []string{"15400000001"}}, match.Question{Phone: "+86 154 0000 0001"}, match.Hit, "phone_equal"},
		{"phone, other name", match.Entry{Name: "王测试", Phones: []string{"15400000001"}}, match.Question{Name: "李样例", Phone: "15400000001"}, match.Possible, "phone_equal"},
		{"phone one off", match.Entry{Phones: []string{"15400000001"}}, match.Question{Phone: "15400000002"}, match.Possible, "phone_near"},
		{"masked phone", match.Entry{Name: "王测试", Phones: []string{"15400000001"}}, match.Question{Name: "王测试", Phone: "154****0001"}, match.Possible, "phone_masked"},
		{"plate with O", match.Entry{Plates: []string{"浙F00000"}}, match.Question{Plate: "浙F·OO000"}, match.Hit, "plate_equal"},
		{"plate confused", match.Entry{Plates: []string{"浙F8B000"}}, match.Question{Plate: "浙F88000"}, match.Possible, "plate_confused"},
		{"address", match.Entry{Addresses: []string{"浙江省平湖市样例街道示范路88弄6号402室"}}, match.Question{Address: "平湖样例街道示范路八十八弄6号楼402"}, match.Hit, "place_equal"},
		{"next door", match.Entry{Addresses: []string{"浙江省平湖市样例街道示范路88弄6号402室"}}, match.Question{Address: "平湖样例街道示范路88弄6号403室"}, match.Possible, "place_next_door"},
		{"institution", match.Entry{Orgs: []string{"平湖市仁济中医诊所"}}, match.Question{Org: "仁濟診所"}, match.Possible, "org_equal"},
		{"institution, homophone", match.Entry{Orgs: []string{"平湖市仁济中医诊所"}}, match.Question{Org: "人济诊所"}, match.Possible, "org_like"},
		{"sex", match.Entry{Name: "王测试", Birth: "1901-02-03", Sex: "1"}, match.Question{Name: "王测试", Birth: "1901-02-03", Sex: "女"}, match.Possible, "sex_other"},
		{"birth year", match.Entry{Name: "王测试", Birth: "1901-02-03"}, match.Question{Name: "王测试", Birth: "1905-02-03"}, match.Possible, "birth_other"},
		{"nobody", match.Entry{Name: "王测试"}, match.Question{Name: "李样例"}, "", ""},
	} {
		e := match.NewEngine()
		e.Load(people(3, 300))
		tt.entry.Ref = match.Ref{"310116-01/records", [16]byte{1}}
		e.Put(tt.entry)
		found := false
		for _, c := range e.Ask(tt.question).Candidates {
			if c.Ref != tt.entry.Ref {
				continue
			}
			found = true
			has := tt.code == ""
			for _, l := range c.Lines {
				has = has || l.Code == tt.code
			}
			if !has || c.Outcome != tt.outcome && tt.outcome != "" {
				t.Errorf("%s: %s %+v, want %s with %s", tt.about, c.Outcome, c.Lines, tt.outcome, tt.code)
			}
		}
		if want := tt.outcome != ""; found != want {
			t.Errorf("%s: found %t", tt.about, found)
		}
	}
}
