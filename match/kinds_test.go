package match

import "testing"

// TestPairs asks for one subject among a few that stand near it. All people are invented.
func TestPairs(t *testing.T) {
	for _, tt := range []struct {
		about    string
		entry    Entry
		question Question
		outcome  Outcome // "" for nobody
		code     string
	}{
		{"traditional", Entry{Name: "张伟强"}, Question{Name: "張偉強"}, Possible, "name_variant"},
		{"surname simplified", Entry{Name: "肖测红"}, Question{Name: "萧测红"}, Possible, "name_variant"},
		{"surname variants", Entry{Name: "付测测"}, Question{Name: "傅测测"}, Possible, "name_variant"},
		{"homophone", Entry{Name: "王玮"}, Question{Name: "王伟"}, Possible, "name_homophone"},
		{"homophone with birth", Entry{Name: "王玮测", Birth: "1901-02-03"}, Question{Name: "王伟测", Birth: "1901-02-03"}, Hit, "name_homophone"},
		{"name alone is no hit", Entry{Name: "鄢骉骧"}, Question{Name: "鄢骉骧"}, Possible, "name_equal"},
		{"look-alike", Entry{Name: "张己明"}, Question{Name: "张已明"}, Possible, ""},
		{"compound surname", Entry{Name: "欧阳测试"}, Question{Name: "歐陽測試"}, Possible, "name_variant"},
		{"pinyin", Entry{Name: "张小明"}, Question{Name: "Zhang Xiaoming"}, Possible, "name_pinyin"},
		{"pinyin, given name first", Entry{Name: "张小明"}, Question{Name: "Xiaoming ZHANG"}, Possible, "name_pinyin"},
		{"pinyin in one", Entry{Name: "张小明"}, Question{Name: "zhangxiaoming"}, Possible, "name_pinyin"},
		{"pinyin of passports", Entry{Name: "吕安"}, Question{Name: "LYU AN"}, Possible, "name_pinyin"},
		{"Wade-Giles", Entry{Name: "张小明"}, Question{Name: "Chang Hsiao-ming"}, Possible, "name_pinyin"},
		{"Wade-Giles without apostrophe", Entry{Name: "陈建国"}, Question{Name: "Chen Chien-kuo"}, Possible, "name_pinyin"},
		{"Hong Kong", Entry{Name: "陈小明"}, Question{Name: "Chan Siu Ming"}, Possible, "name_cantonese"},
		{"Hong Kong, joined", Entry{Name: "张国强"}, Question{Name: "CHEUNG Kwok-keung"}, Possible, "name_cantonese"},
		{"minority, other characters", Entry{Name: "阿不都热依木·买买提"}, Question{Name: "阿布都热依木·麦麦提"}, Possible, "name_transcribed"},
		{"minority, dot lost", Entry{Name: "阿不都热依木·买买提"}, Question{Name: "阿不都热依木买买提"}, Possible, "name_equal"},
		{"minority, first part", Entry{Name: "阿不都热依木·买买提"}, Question{Name: "阿不都热依木"}, Possible, "name_part"},
		{"minority, letters", Entry{Name: "阿不都热依木·买买提"}, Question{Name: "Abudureyimu Maimaiti"}, Possible, "name_transcribed"},
		{"Tibetan", Entry{Name: "次仁旺堆"}, Question{Name: "才仁旺堆"}, Possible, ""},
		{"lost character", Entry{Name: "张骉明"}, Question{Name: "张?明"}, Possible, "name_lost"},
		{"lost character in the record", Entry{Name: "张□明"}, Question{Name: "张骉明"}, Possible, "name_lost"},
		{"character in pinyin", Entry{Name: "张喆"}, Question{Name: "张zhe"}, Possible, "name_hint"},
		{"nickname", Entry{Name: "王测试", Birth: "1901-01-01"}, Question{Name: "老王", Birth: "1901"}, Possible, "name_nick_surname"},
		{"nickname and town", Entry{Name: "王测试", Addresses: []string{"平湖市样板镇测试村3组12号"}}, Question{Name: "王大夫", Address: "样板镇"}, Possible, "name_nick_surname"},
		{"nickname and village", Entry{Name: "王测试", Addresses: []string{"平湖市样例镇测试村3组12号"}}, Question{Name: "老王", Address: "测试村"}, Possible, "name_nick_surname"},
		{"character described", Entry{Name: "张骉明"}, Question{Name: "张⿱马马明"}, Possible, "name_lost"},
		{"English name before", Entry{Name: "陈小明"}, Question{Name: "Peter Chan Siu Ming"}, Possible, "name_cantonese"},
		{"nickname by given name", Entry{Name: "王测强", Birth: "1901-01-01"}, Question{Name: "阿强", Birth: "1901"}, Possible, "name_nick_given"},
		{"alias", Entry{Name: "王测试", Aliases: []string{"老神医"}}, Question{Name: "老神医"}, Possible, "name_equal"},
		{"id", Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, Question{Name: "王测试", ID: "310116 19000101 0016"}, Hit, "id_equal"},
		{"id of 15", Entry{IDs: []string{"310116000101001"}}, Question{ID: "310116190001010016"}, Hit, "id_equal"},
		{"id equal, name other", Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, Question{Name: "李样例", ID: "310116190001010016"}, Possible, "id_other_name"},
		{"wrong check digit", Entry{IDs: []string{"310116190001010016"}}, Question{ID: "310116190001010017"}, Possible, "id_near"},
		{"letters for digits", Entry{IDs: []string{"310116190001010016"}}, Question{ID: "31O116I9000101OO16"}, Hit, "id_equal"},
		{"two valid ids", Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, Question{Name: "王测试", ID: "310117190003030244"}, Possible, "id_other"},
		{"masked id", Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, Question{Name: "王测试", ID: "3101**********0016"}, Hit, "id_part"},
		{"last digits of an id", Entry{Name: "王测试", IDs: []string{"310116190001010016"}}, Question{Name: "王测试", ID: "0016"}, Possible, "id_part"},
		{"digit dropped", Entry{IDs: []string{"310116190001010016"}}, Question{ID: "31011619000101016"}, Possible, "id_length"},
		{"passport", Entry{Name: "测试", Documents: []string{"passport:XXX:E99999999"}}, Question{Documents: []string{"passport:XXX:E99999999"}}, Hit, "document_equal"},
		{"passport, other name", Entry{Name: "王测试", Documents: []string{"passport:XXX:E99999999"}}, Question{Name: "李样例", Documents: []string{"passport:XXX:E99999999"}}, Possible, "id_other_name"},
		{"phone", Entry{Phones: []string{"15400000001"}}, Question{Phone: "+86 154 0000 0001"}, Hit, "phone_equal"},
		{"phone, other name", Entry{Name: "王测试", Phones: []string{"15400000001"}}, Question{Name: "李样例", Phone: "15400000001"}, Possible, "phone_equal"},
		{"phone one off", Entry{Phones: []string{"15400000001"}}, Question{Phone: "15400000002"}, Possible, "phone_near"},
		{"masked phone", Entry{Name: "王测试", Phones: []string{"15400000001"}}, Question{Name: "王测试", Phone: "154****0001"}, Possible, "phone_masked"},
		{"plate with O", Entry{Plates: []string{"浙F00000"}}, Question{Plate: "浙F·OO000"}, Hit, "plate_equal"},
		{"plate confused", Entry{Plates: []string{"浙F8B000"}}, Question{Plate: "浙F88000"}, Possible, "plate_confused"},
		{"address", Entry{Addresses: []string{"浙江省平湖市样例街道示范路88弄6号402室"}}, Question{Address: "平湖样例街道示范路八十八弄6号楼402"}, Hit, "place_equal"},
		{"next door", Entry{Addresses: []string{"浙江省平湖市样例街道示范路88弄6号402室"}}, Question{Address: "平湖样例街道示范路88弄6号403室"}, Possible, "place_next_door"},
		{"institution", Entry{Orgs: []string{"平湖市仁济中医诊所"}}, Question{Org: "仁濟診所"}, Possible, "org_equal"},
		{"institution, homophone", Entry{Orgs: []string{"平湖市仁济中医诊所"}}, Question{Org: "人济诊所"}, Possible, "org_like"},
		{"sex", Entry{Name: "王测试", Birth: "1901-02-03", Sex: "1"}, Question{Name: "王测试", Birth: "1901-02-03", Sex: "女"}, Possible, "sex_other"},
		{"birth year", Entry{Name: "王测试", Birth: "1901-02-03"}, Question{Name: "王测试", Birth: "1905-02-03"}, Possible, "birth_other"},
		{"nobody", Entry{Name: "王测试"}, Question{Name: "李样例"}, "", ""},
	} {
		e := NewEngine()
		e.Load(devRegistry(3, 300))
		tt.entry.Ref = Ref{"310116-01/records", [16]byte{1}}
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
