package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type rosterCmd struct {
	Import importRosterCmd   `cmd:"" help:"管理员:按执法证名册建立、更新账号,证件到期自动停止执法权限 · Administrator: let accounts follow the certificate roster."`
	Model  rosterTemplateCmd `cmd:"" name:"template" help:"执法证名册模板 · Write an empty roster."`
}

type importRosterCmd struct {
	person
	File     string `arg:"" type:"existingfile" help:"执法证名册 .xlsx 或 .csv · Certificate roster."`
	DryRun   bool   `help:"只试算,不改动任何账号 · Check only; no account is changed."`
	Encoding string `help:"文本文件的编码,如 gbk · Encoding of a text file."`
	Copy     string `type:"path" help:"退回件写到此文件 · Write the file back here, with the reason beside each bad row."`
}

// Run hands the roster in and prints what it did. One-time secrets of new accounts are printed once and kept nowhere.
func (c *importRosterCmd) Run(ctx context.Context, out *printer) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	if c.Copy != "" { // first: it tells what is wrong with rows, and afterwards more accounts are there
		copied, err := d.OfficersCopy(ctx, b, c.Encoding)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Copy, copied, 0o600); err != nil {
			return err
		}
	}
	r, err := d.ImportOfficers(ctx, b, c.Encoding, c.DryRun)
	if err != nil {
		return err
	}
	return out.answer(r, func(w io.Writer) { printRoster(w, &r) })
}

func printRoster(out io.Writer, r *client.Officers) {
	dry := ""
	if r.DryRun {
		dry = "(试算 dry run)"
	}
	fmt.Fprintf(out, "新建 created %d,更新 updated %d,不变 unchanged %d,有问题 problem %d%s\n", r.Created, r.Updated, r.Unchanged, r.Problems, dry)
	for _, o := range r.Rows {
		if o.Link != "" {
			fmt.Fprintf(out, "  %s  %s  一次性密钥 one-time secret: %s\n", o.Account, o.Certificate, o.Link)
		}
		for _, i := range o.Issues {
			fmt.Fprintf(out, "  第 %d 行 %s「%s」 %s:%s%s\n", o.Row, i.Column, i.Heading, i.Code, i.Detail, advice(i.Advice))
		}
	}
	if len(r.Absent) > 0 {
		fmt.Fprintf(out, "  名册中没有(保持不变)not in the roster, unchanged: %s\n", strings.Join(r.Absent, " "))
	}
}

type rosterTemplateCmd struct {
	person
	Out string `required:"" type:"path" help:"写到此文件 · File to write."`
}

// Run writes a template.
func (c *rosterTemplateCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	b, err := d.OfficersTemplate(ctx)
	if err != nil {
		return err
	}
	return writeFile(out, "模板已写入 template written", c.Out, b)
}
