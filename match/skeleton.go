package match

import "strings"

// lookalikes takes letters that look the same on screen to one of them: what Latin shares with Cyrillic and Greek, and Han
// with Katakana (a choice from confusables.txt of UTS #39, for names in upper case). A slip of the input method or a
// deceit, both are found by it.
var lookalikes = strings.NewReplacer(
	"А", "A", "В", "B", "Е", "E", "К", "K", "М", "M", "Н", "H", "О", "O", "Р", "P", "С", "C", "Т", "T", "У", "Y", "Х", "X", "І", "I", "Ј", "J", "Ѕ", "S",
	"Α", "A", "Β", "B", "Ε", "E", "Ζ", "Z", "Η", "H", "Ι", "I", "Κ", "K", "Μ", "M", "Ν", "N", "Ο", "O", "Ρ", "P", "Τ", "T", "Υ", "Y", "Χ", "X",
	"ロ", "口", "ニ", "二", "カ", "力", "タ", "夕", "ト", "卜", "ハ", "八", "エ", "工",
)

// skeleton gives equal texts for normalised names that look alike (reliability-security.md §4.2). Names that are equal
// have equal skeletons, so names are filed by it; it never makes two names equal, only like.
func skeleton(name string) string { return lookalikes.Replace(name) }
