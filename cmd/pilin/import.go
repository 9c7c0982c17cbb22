package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type importCmd struct {
	person
	File    string `arg:"" help:"表格文件 .xlsx 或 .csv · Spreadsheet." type:"existingfile"`
	Type    string `default:"penalty" enum:"penalty,blacklist.person,duty_roster" help:"没有映射方案时:每行是什么;duty_roster 值班表每行一班、每周一条 · What the rows are, without a profile; of duty_roster a row is a shift, a week a record."`
	Profile string `help:"已保存映射方案的名称 · Name of a saved profile."`
	DryRun  bool   `help:"只试算(缺省)· Check only; the default." xor:"do"`
	Commit  bool   `help:"试算后把没有问题的行作为一个批次送审 · Hand all good rows to the reviewer as one batch." xor:"do"`
	Rows    []int  `help:"只送这些行 · Only these rows."`
	Copy    string `help:"退回件写到此文件 · Write the file back here, with the reason beside each bad row." type:"path"`
}

// Run hands a file in, prints what is said of its rows, and on request commits the good ones.
func (c *importCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	profile, err := profileNamed(ctx, d, c.Profile)
	if err != nil {
		return err
	}
	imp, err := d.UploadImport(ctx, b, c.Type, profile)
	if err != nil {
		return err
	}
	if imp, err = wait(ctx, out, d, imp.ID); err != nil {
		return err
	}
	bad, err := d.ImportRows(ctx, imp.ID, "problem", "")
	if err != nil {
		return err
	}
	if c.Copy != "" {
		copied, err := d.ImportCopy(ctx, imp.ID)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Copy, copied, 0o600); err != nil {
			return err
		}
	}
	if c.Commit || len(c.Rows) > 0 && !c.DryRun {
		if imp, err = d.CommitImport(ctx, imp.ID, c.Rows...); err != nil {
			return err
		}
		if imp, err = wait(ctx, out, d, imp.ID); err != nil {
			return err
		}
	}
	return out.answer(struct {
		client.Import
		Problems []client.ImportRow `json:"problems"`
	}{imp, bad}, func(w io.Writer) {
		printImport(w, &imp)
		for _, r := range bad {
			for _, i := range r.Issues {
				fmt.Fprintf(w, "  第 %d 行 %s「%s」 %s:%s%s\n", r.Row, i.Column, i.Heading, i.Code, i.Detail, advice(i.Advice))
			}
		}
	})
}

func advice(s string) string {
	if s == "" {
		return ""
	}
	return "。" + s
}

// profileNamed finds the id of a saved profile; none for an empty name.
func profileNamed(ctx context.Context, d *client.Desk, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	all, err := d.Profiles(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if p.Name == name {
			return p.ID, nil
		}
	}
	return "", fmt.Errorf("没有映射方案 no profile %q", name)
}

// wait waits for the work on an import, with a bar.
func wait(ctx context.Context, out *printer, d *client.Desk, id string) (client.Import, error) {
	b := newBar(out)
	defer b.end()
	imp, err := d.WaitImport(ctx, id, func(w client.Work) { b.see(w.Step, uint64(max(w.Done, 0)), uint64(max(w.Total, 0))) })
	if err == nil && imp.Work.State != "done" {
		err = fmt.Errorf("导入中断 import %s %s %s", imp.Work.Step, imp.Work.State, imp.Work.Code)
	}
	return imp, err
}

func printImport(out io.Writer, imp *client.Import) {
	n := imp.Counts
	fmt.Fprintf(out, "%s  工作表「%s」 %d 行 rows\n", imp.ID, imp.Survey.Sheet, imp.Survey.Rows)
	fmt.Fprintf(out, "  可导入 ok %d,须核对 warning %d,有问题 problem %d,未读 skipped %d,已导入过 known %d\n", n.OK, n.Warning, n.Problem, n.Skipped, n.Known)
	fmt.Fprintf(out, "  待审 submitted %d,已审 approved %d,已发布 published %d\n", n.Submitted, n.Approved, n.Published)
	if imp.Survey.HiddenRows > 0 || imp.Survey.MergedCells > 0 {
		fmt.Fprintf(out, "  隐藏行 hidden rows %d,合并单元格 merged cells %d\n", imp.Survey.HiddenRows, imp.Survey.MergedCells)
	}
	if len(imp.Missing) > 0 {
		fmt.Fprintf(out, "  缺少必填列 missing: %s\n", strings.Join(imp.Missing, " "))
	}
}

type batchCmd struct {
	List    batchListCmd    `cmd:"" help:"列出导入 · List imports."`
	Show    batchShowCmd    `cmd:"" help:"查看一个批次及须核对的行 · Show a batch and its rows with warnings."`
	Step    batchStepCmd    `cmd:"" help:"审核、退回、发布一个批次 · Approve, return or publish a batch."`
	Gaps    batchGapsCmd    `cmd:"" help:"待补齐 · What old papers do not say."`
	Profile batchProfileCmd `cmd:"" help:"映射方案:保存或列出 · Save or list column mappings."`
	Model   batchModelCmd   `cmd:"" name:"template" help:"导入模板 · Write an empty workbook with drop-downs."`
}

type batchListCmd struct {
	person
}

// Run lists imports, newest first.
func (c *batchListCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	all, err := d.Imports(ctx)
	if err != nil {
		return err
	}
	return out.answer(all, func(w io.Writer) {
		for i := range all {
			printImport(w, &all[i])
		}
	})
}

type batchShowCmd struct {
	person
	ID    string `arg:"" help:"批次 · Import."`
	State string `default:"warning" enum:"ok,warning,problem,skipped" help:"列出哪些行 · Which rows."`
}

// Run prints an import and rows of one state.
func (c *batchShowCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	imp, err := d.Import(ctx, c.ID)
	if err != nil {
		return err
	}
	rows, err := d.ImportRows(ctx, c.ID, c.State, "")
	if err != nil {
		return err
	}
	return out.answer(struct {
		client.Import
		Rows []client.ImportRow `json:"rows"`
	}{imp, rows}, func(w io.Writer) {
		printImport(w, &imp)
		fmt.Fprintf(w, "  文件 file SHA-256 %s\n", imp.FileHash)
		for _, r := range rows {
			for _, i := range r.Issues {
				fmt.Fprintf(w, "  第 %d 行 %s「%s」 %s%s\n", r.Row, i.Column, i.Heading, i.Detail, advice(i.Advice))
			}
		}
	})
}

type batchStepCmd struct {
	person
	ID     string `arg:"" help:"批次 · Import."`
	Step   string `arg:"" enum:"approve,return,publish" help:"步骤 · Step."`
	Hash   string `required:"" help:"您核对过的文件 SHA-256 · SHA-256 of the file that you have seen."`
	Rows   int    `required:"" help:"批次行数 · Rows of the batch."`
	Warned []int  `help:"须核对且已逐一打开的行 · Rows with warnings; each has been opened."`
	Reason string `help:"退回理由 · Reason of a return."`
}

// Run takes a step with a batch; what the person has seen must be what is there.
func (c *batchStepCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	if _, err := d.StepImport(ctx, c.ID, c.Step, client.Review{FileHash: c.Hash, Rows: c.Rows, Warnings: c.Warned, Reason: c.Reason}); err != nil {
		return err
	}
	imp, err := wait(ctx, out, d, c.ID)
	if err != nil {
		return err
	}
	return out.answer(imp, func(w io.Writer) { printImport(w, &imp) })
}

type batchGapsCmd struct {
	person
}

// Run prints the list 待补齐.
func (c *batchGapsCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	all := []client.GapLine{}
	for cursor := ""; ; {
		lines, next, err := d.Gaps(ctx, cursor)
		if err != nil {
			return err
		}
		all = append(all, lines...)
		if cursor = next; cursor == "" {
			break
		}
	}
	return out.answer(all, func(w io.Writer) {
		for _, l := range all {
			var names []string
			for _, g := range l.Gaps {
				names = append(names, g.Title)
			}
			fmt.Fprintf(w, "%s  %s  第 %d 行  %s\n", l.ID, l.Stage, l.Row, strings.Join(names, "、"))
		}
	})
}

type batchProfileCmd struct {
	person
	File string `help:"保存此 JSON 文件为映射方案 · Save this JSON file as a profile." type:"existingfile"`
}

// Run saves a profile, or lists those that are saved.
func (c *batchProfileCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	if c.File == "" {
		all, err := d.Profiles(ctx)
		if err != nil {
			return err
		}
		return out.document(all)
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	p, err := client.ReadProfile(b)
	if err != nil {
		return err
	}
	if p, err = d.SaveProfile(ctx, p); err != nil {
		return err
	}
	return out.document(p)
}

type batchModelCmd struct {
	person
	Type string `default:"penalty" enum:"penalty,blacklist.person,duty_roster" help:"记录类型 · Record type."`
	Out  string `required:"" help:"写到此文件 · File to write." type:"path"`
}

// Run writes a template.
func (c *batchModelCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	b, err := d.ImportTemplate(ctx, c.Type)
	if err != nil {
		return err
	}
	return writeFile(out, "已写入 written", c.Out, b)
}

// writeFile writes a file that only its owner may read, and says so.
func writeFile(out *printer, done, name string, b []byte) error {
	if err := os.WriteFile(name, b, 0o600); err != nil {
		return err
	}
	return out.answer(map[string]any{"file": name, "bytes": len(b)}, func(w io.Writer) { fmt.Fprintf(w, "%s: %s  %d 字节 bytes\n", done, name, len(b)) })
}

// exportTree keeps "pilin export DIR" what it was and adds "pilin export list".
type exportTree struct {
	Log  exportCmd     `cmd:"" default:"withargs" help:"导出日志供核验 · Export logs for verification."`
	List exportListCmd `cmd:"" help:"导出本单位记录为表格 · Export own records as a spreadsheet."`
}

type exportListCmd struct {
	person
	Out     string `required:"" help:"写到此文件 · File to write." type:"path"`
	Type    string `default:"penalty" enum:"penalty,blacklist.person" help:"记录类型 · Record type."`
	From    string `help:"起始日 · First day."`
	To      string `help:"截止日 · Last day."`
	Purpose string `required:"" suggest:"CASE,RAID,JOINT,TRANSFER,ASSIST,INSPECT,CORRECT,AUDIT,STAT,TEST" help:"目的代码 · Purpose code."`
	Ref     string `required:"" help:"工作编号 kind:number · Work reference."`
}

// Run writes own records as far as the person may see them; .csv by the file's name, else .xlsx.
func (c *exportListCmd) Run(ctx context.Context, out *printer) error {
	ref, err := workRef(c.Ref, "--ref: want kind:number, e.g. case:测金卫医案〔2026〕9001")
	if err != nil {
		return err
	}
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	format := "xlsx"
	if strings.HasSuffix(strings.ToLower(c.Out), ".csv") {
		format = "csv"
	}
	b, err := d.ExportList(ctx, client.Export{Type: c.Type, Format: format, From: c.From, To: c.To, Purpose: c.Purpose, WorkRef: ref})
	if err != nil {
		return err
	}
	return writeFile(out, "已导出 exported", c.Out, b)
}
