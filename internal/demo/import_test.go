package demo

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// An old list of 平湖 in GBK, 300 rows, ten of them damaged, goes in as one reviewed batch; 金山 finds its people by a live
// question over the network, and not those whose numbers the spreadsheet had destroyed (domain.md §2.1.3, W5).
func TestTimedStory_AnOldListIsFoundAtAnotherNode(t *testing.T) {
	a := play(t, "2026-03-13")
	ctx := t.Context()
	var text strings.Builder
	text.WriteString("序号,当事人,身份证号,性别,处罚决定书文号,处罚日期,案由,罚款金额(元)\r\n")
	ids := make([]string, 300)
	for i := range ids {
		body := fmt.Sprintf("330482190%d%02d%02d%03d", i%10, i/10%12+1, i/120+3, 900+i%100)
		c, _ := identifier.ResidentCheck(body)
		ids[i] = body + string(c)
		no := ids[i]
		switch i % 30 {
		case 7:
			no = "3.30482E+17"
		case 8:
			no = ids[i][:6] + ids[i][8:17]
		}
		fmt.Fprintf(&text, "%d,测庚%c,%s,%s,测平卫医罚〔2025〕%d号,%s,非医师行医,%s\r\n", i+1, []rune("一二三四五六七八九十")[i%10], no,
			[]string{"女", "男"}[(ids[i][16]-'0')%2], 8000+i, []string{"2025-03-05", "2025.3.5", "2025年3月5日"}[i%3], []string{"20000", "2万元", "不详"}[i%3])
	}
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(text.String())
	must(t, err)

	officer, legal, liaison := a.desk("平湖", "officer"), a.desk("平湖", "legal"), a.desk("平湖", "liaison")
	p, err := officer.SaveProfile(ctx, client.Profile{Name: "平湖年度台账", Type: "penalty", Constants: map[string]string{"/issuer_uscc": "113304820000900264",
		"/issuer_name": "测平湖市卫生健康局", "/issuer_kind": "health_authority", "/respondent_kind": "person", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}})
	must(t, err)
	imp, err := officer.UploadImport(ctx, []byte(gbk), "", p.ID)
	must(t, err)
	imp, err = officer.WaitImport(ctx, imp.ID, nil)
	must(t, err)
	if c := imp.Counts; c.Problem != 10 || c.OK+c.Warning != 290 || imp.Survey.Encoding != "gb18030" {
		t.Fatalf("%+v %+v", c, imp.Survey)
	}
	_, err = officer.CommitImport(ctx, imp.ID)
	must(t, err)
	imp, err = officer.WaitImport(ctx, imp.ID, nil)
	must(t, err)
	seen := client.Review{FileHash: imp.FileHash, Rows: imp.Counts.Submitted}
	warned, err := legal.ImportRows(ctx, imp.ID, "warning", "submitted")
	must(t, err)
	for _, r := range warned {
		seen.Warnings = append(seen.Warnings, r.Row)
	}
	_, err = legal.StepImport(ctx, imp.ID, "approve", seen)
	must(t, err)
	_, err = legal.WaitImport(ctx, imp.ID, nil)
	must(t, err)
	_, err = liaison.StepImport(ctx, imp.ID, "publish", client.Review{FileHash: imp.FileHash, Rows: 290})
	must(t, err)
	if imp, err = liaison.WaitImport(ctx, imp.ID, nil); err != nil || imp.Counts.Published != 290 {
		t.Fatalf("%+v %v", imp, err)
	}

	asker := a.desk("金山", "officer")
	for _, i := range []int{0, 8, 299} {
		ans := a.counted(asker, client.Question{IDNo: ids[i]})
		if ans.Outcome != "hit" || ans.Answered != len(Bureaux) || len(ans.Hits) == 0 || ans.Hits[0].Member != Bureaux[indexOf("平湖")].Member {
			t.Errorf("row %d: %s %d/%d %+v", i+2, ans.Outcome, ans.Answered, ans.Total, ans.Hits)
		}
	}
	if ans := a.counted(asker, client.Question{IDNo: ids[7]}); ans.Outcome == "hit" {
		t.Errorf("a number that the spreadsheet destroyed is found: %+v", ans.Hits)
	}
}
