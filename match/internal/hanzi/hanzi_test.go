package hanzi

import "testing"

func TestFold(t *testing.T) {
	for _, pair := range []string{"張张", "偉伟", "髮发", "發发", "於于", "後后", "羣群", "峯峰", "張张", "陳陈", "劉刘", "衞卫", "温温", "溫温", "黃黄"} {
		r := []rune(pair)
		if got := Fold(r[0]); got != r[1] {
			t.Errorf("Fold(%c) = %c, want %c", r[0], got, r[1])
		}
	}
	for _, e := range rows {
		if Fold(e.fold) != e.fold {
			t.Fatalf("Fold(%c) = %c, whose own is %c", e.char, e.fold, Fold(e.fold))
		}
	}
}

func TestReadings(t *testing.T) {
	for _, tt := range []struct {
		char rune
		want string
	}{{'伟', "wei"}, {'单', "shan"}, {'单', "dan"}, {'吕', "lv"}, {'㛃', "jie"}, {'䶮', "yan"}, {'𬭚', "chun"}, {'女', "nv"}} {
		s, ok := ParseSyllable(tt.want)
		if !ok || !Reads(tt.char, s) {
			t.Errorf("%c cannot be read as %s", tt.char, tt.want)
		}
		if s.String() != tt.want {
			t.Errorf("syllable %d is %s, want %s", s, s, tt.want)
		}
	}
	if got := Cantonese('陈'); len(got) == 0 || got[0] != "can" {
		t.Errorf("Cantonese(陈) = %v", got)
	}
}

func TestLookalikes(t *testing.T) {
	for _, pair := range []string{"己已", "未末", "晴睛", "侯候", "戊戌"} {
		r := []rune(pair)
		if Likeness(r[0], r[1]) == 0 {
			t.Errorf("%c and %c are not taken for each other: %q", r[0], r[1], string(Lookalikes(r[0])))
		}
	}
	if n := Likeness('王', '藏'); n != 0 {
		t.Errorf("王 and 藏 are alike at rank %d", n)
	}
}
