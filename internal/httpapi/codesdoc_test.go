package httpapi

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/schemas"
)

var updateDocs = flag.Bool("update-docs", false, "write docs/codes.*.md")

// codesHead is what stands before the tables, in Chinese and English.
var codesHead = [2]string{`# 代码一览

由程序写出(` + "`go test ./internal/httpapi -run TestDocs_codes -update-docs`" + `),测试核对与程序一致。代码不变,程序按代码判断,不要按文字判断。该怎么办另见[故障处理](trouble.zh.md)。
`, `# Codes

Written by the program (` + "`go test ./internal/httpapi -run TestDocs_codes -update-docs`" + `), and a test compares. Codes do not change: programs branch on them and on no text. What to do stands in [trouble](trouble.en.md) too.
`}

// codesParts are the headings of the tables.
var codesParts = [][2]string{
	{"## 问题代码(HTTP 答复的 `code`,RFC 9457)\n\n| 代码 | 状态 | 含义与办法 |\n| --- | --- | --- |\n", "## Problems (`code` of an HTTP answer, RFC 9457)\n\n| code | status | meaning, and what to do |\n| --- | --- | --- |\n"},
	{"\n## 字段代码(`errors[].code`)\n\n| 代码 | 含义 |\n| --- | --- |\n", "\n## Fields (`errors[].code`)\n\n| code | meaning |\n| --- | --- |\n"},
	{"\n## 步骤的条件(`guard` 时的 `errors[].code`)\n\n| 代码 | 含义 |\n| --- | --- |\n", "\n## Conditions of a step (`errors[].code` beside `guard`)\n\n| code | meaning |\n| --- | --- |\n"},
	{"\n## 导入表格逐行代码\n\n| 代码 | 含义 | 办法 |\n| --- | --- | --- |\n", "\n## Rows of an imported sheet\n\n| code | meaning | what to do |\n| --- | --- | --- |\n"},
	{"\n## 建议(`pilin status` 的 `advice[].code`)\n\n| 代码 | 缓急 | 做什么 |\n| --- | --- | --- |\n", "\n## Advice (`advice[].code` of `pilin status`)\n\n| code | urgency | do |\n| --- | --- | --- |\n"},
}

// codesDoc writes the document in one language: 0 Chinese, 1 English.
func codesDoc(lang int) []byte {
	var b bytes.Buffer
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	pick := func(zh, en string) string { return [2]string{zh, en}[lang] }
	b.WriteString(codesHead[lang] + "\n" + codesParts[0][lang])
	for _, c := range slices.Sorted(maps.Keys(codes)) {
		w := codes[c]
		row("`"+c+"`", fmt.Sprint(w.status), pick(w.zh, w.en))
	}
	b.WriteString(codesParts[1][lang])
	for _, c := range schemas.Codes() {
		row("`"+c+"`", pick(schemas.Texts(c)))
	}
	b.WriteString(codesParts[2][lang])
	for _, c := range slices.Sorted(maps.Keys(guardTexts)) {
		row("`"+c+"`", guardTexts[c][lang])
	}
	b.WriteString(codesParts[3][lang])
	for _, c := range sheets.Codes() {
		zh, en, adviceZH, adviceEN := sheets.Words(c)
		row("`"+c+"`", pick(zh, en), pick(adviceZH, adviceEN))
	}
	b.WriteString(codesParts[4][lang])
	for _, c := range slices.Sorted(maps.Keys(advices)) {
		a := advices[c]
		row("`"+c+"`", map[string]string{page: pick("立即", "at once"), ticket: pick("工作日", "on a working day")}[a.urgency], pick(a.zh, a.en))
	}
	return b.Bytes()
}

// docs/codes.*.md hold every code with its words, as the program says them.
func TestDocs_codes(t *testing.T) {
	for lang, name := range []string{"../../docs/codes.zh.md", "../../docs/codes.en.md"} {
		want := codesDoc(lang)
		if *updateDocs {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the program says (%v): go test ./internal/httpapi -run TestDocs_codes -update-docs", name, err)
		}
	}
}
