package normal

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every target below holds two things: no text brings a reader down or makes it say more than it can, and a text that it
// has read comes out of it once more as it went in: N(N(x)) = N(x), where a canonical text exists.

func FuzzClean(f *testing.F) {
	for _, s := range []string{"张\u200b伟", "ｚ１２３", "é\u0301", "﨑\ufe00", "\xff", strings.Repeat("王", 300), "\u1100\u1161\u11a8", "ﾊﾞ", "e\x01\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := clean(s)
		if twice := clean(once); twice != once {
			t.Fatalf("%q is cleaned to %q and then to %q", s, once, twice)
		}
		if n := utf8.RuneCountInString(once); n > maxText {
			t.Fatalf("%d characters are left", n)
		}
		folds := Fold(once)
		if again := Fold(folds); again != folds {
			t.Fatalf("%q folds to %q and then to %q", once, folds, again)
		}
	})
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"张伟", "歐陽 娜娜", "阿不都热依木·买买提", "Zhang'an Lü", "王某某", "老王", "王医生", "李(女页)", "⿰女页", "王xx", "某强", "\xff·", "牙医王", "张wei", "·", "张王小明", "强强", "dr wang"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := ReadName(s)
		if len(n.Chars) != len(n.Written) || len(n.Hint) > len(n.Chars) || n.Surname > len(n.Chars) {
			t.Fatalf("%q: %d characters, %d as written, %d hints, surname of %d", s, len(n.Chars), len(n.Written), len(n.Hint), n.Surname)
		}
		for _, at := range n.Parts {
			if at > len(n.Chars) {
				t.Fatalf("%q: a part begins at %d of %d", s, at, len(n.Chars))
			}
		}
		n.PartsOf()
		n.Given()
		for i := range n.Chars {
			n.Readings(i)
		}
		switch n.Form {
		case Latin:
			if again := ReadName(n.String()); again.Form != Latin || !slices.Equal(again.Words, n.Words) {
				t.Fatalf("%q: %q is read as %+v", s, n.Words, again)
			}
		case Han:
			// A name whose lost characters were written in pinyin has no text of its own; one that ends in what a person may
			// be called by (张三 老师) is read as the name before it only when it stands alone.
			if n.Hint == nil {
				if again := ReadName(n.String()); again.Form == Han && !slices.Equal(again.Chars, n.Chars) {
					t.Fatalf("%q: %q is read as %q", s, n.String(), again.String())
				}
			}
		case Mono:
			if n.Wilds() == 0 && len(n.Parts) > 1 {
				var parts []string
				for _, p := range n.PartsOf() {
					parts = append(parts, string(p))
				}
				if again := ReadName(strings.Join(parts, "·")); again.Form == Mono && !slices.Equal(again.Chars, n.Chars) {
					t.Fatalf("%q: %q is read as %q", s, parts, again.String())
				}
			}
		}
	})
}

func FuzzID(f *testing.F) {
	for _, s := range []string{"310116190001010017", "31011619000101001X", "310116********0016", "310116000101001", "3101161900010100l6", "×", "1234", "ⅹ310116", "310116 1900 0101 0016", "********", "310111001001061*690", "06000101#116000101#", "11111111*1111X"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, question bool) {
		id := ReadID(s, question)
		if n := len(id.Number); n != 0 && n != 18 || id.Valid && !id.Whole || id.Letters && !question {
			t.Fatalf("%q: %+v", s, id)
		}
		switch {
		case id.Number != "":
			again := ReadID(id.Number, question)
			if again.Letters = id.Letters; again != id {
				t.Fatalf("%q: %+v is read as %+v", s, id, again)
			}
		case id.Part != "":
			again := ReadID(id.Part, question)
			if again.Letters = id.Letters; again != id {
				t.Fatalf("%q: %+v is read as %+v", s, id, again)
			}
		}
	})
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"15400000000", "+86 154-0000-0000", "0086 21 5700 0000", "021-57000000转12", "17951 15400000000", "154****0000", "015400000000", "8615400000000", "0000", "+86010", "86000000000000", "1*54*", "000015000004000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := ReadPhone(s)
		if p.Mobile && (p.Masked || p.Part || len(p.Number) != 11) || p.Masked != strings.Contains(p.Number, "*") {
			t.Fatalf("%q: %+v", s, p)
		}
		if again := ReadPhone(p.Number); again != p {
			t.Fatalf("%q: %+v is read as %+v", s, p, again)
		}
	})
}

func FuzzPlate(f *testing.F) {
	for _, s := range []string{"浙F00000", "浙F·0OO00", "沪AD00000", "f0o0i", "浙浙F0000", "ẞ0000", "ŉ0000", "Ａ０００００", "O0000", "浙F0000学"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := ReadPlate(s)
		if p.Province != (len(p.Full) > len(p.Bare)) {
			t.Fatalf("%q: %+v", s, p)
		}
		if again := ReadPlate(p.Full); again != p {
			t.Fatalf("%q: %+v is read as %+v", s, p, again)
		}
		if k := (Plate{Bare: p.Skeleton()}).Skeleton(); k != p.Skeleton() {
			t.Fatalf("%q: the skeleton %q has the skeleton %q", s, p.Skeleton(), k)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"上海市金山区样例镇测试村3组12号后间", "浙江省平湖市样例街道示范路88弄6号402室", "示范路八十八弄六号402室", "测试花园3幢2单元501室", "3-2-501", "样例镇", "十百号", "村", "A", "#", "二〇一", "中国中国", "-", "镇镇镇路1号", "测试村0G"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := ReadAddress(s)
		if len(a.Areas) > 64 || len(a.Numbers()) > 4*maxText {
			t.Fatalf("%q: %d areas, numbers %q", s, len(a.Areas), a.Numbers())
		}
		if again := ReadAddress(clean(s)); !reflect.DeepEqual(again, a) {
			t.Fatalf("%q: cleaned it is %+v, not %+v", s, again, a)
		}
		w := a.numbersWritten()
		again := ReadAddress(w)
		if utf8.RuneCountInString(w) <= maxText && (again.Group != a.Group || again.Lane != a.Lane || again.No != a.No || again.Block != a.Block || again.Unit != a.Unit || again.Room != a.Room) {
			t.Fatalf("%q: %+v, written %q, is read as %+v", s, a, w, again)
		}
	})
}

// numbersWritten is the canonical text of an address's numbers, on a road. The text between them has none: suffixes are
// left out.
func (a Address) numbersWritten() string {
	s := "示范路"
	for _, n := range [][2]string{{a.Lane, "弄"}, {a.No, "号"}, {a.Block, "幢"}, {a.Unit, "单元"}, {a.Room, "室"}, {a.Group, "组"}} {
		if n[0] != "" {
			s += n[0] + n[1]
		}
	}
	return s
}

func FuzzInstitution(f *testing.F) {
	for _, s := range []string{"平湖市仁济中医诊所", "仁濟門診部", "上海丽颜美容有限公司", "公司", "诊所", "店店店店", "Ａ诊所", "中国", "上海市"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in := ReadInstitution(s)
		if utf8.RuneCountInString(in.Core) > 2*maxText || in.Kind != "" && KindClass(in.Kind) == "" {
			t.Fatalf("%q: %+v", s, in)
		}
		if again := ReadInstitution(clean(s)); again != in {
			t.Fatalf("%q: cleaned it is %+v, not %+v", s, again, in)
		}
		LooksInstitutional(s)
	})
}
