package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type auditCmd struct {
	person
	By     string `help:"只看此账号标识 · Only of this account id."`
	Ask    string `help:"只看此次核查 · Only of this question."`
	Record string `help:"只看出示过此条记录的应答和含有它的导出:谁查过它 · Only answers that showed this own record and exports that held it: who looked it up."`
	From   string `placeholder:"YYYY-MM-DD" help:"起始日 · First day."`
	To     string `placeholder:"YYYY-MM-DD" help:"截止日 · Last day."`
	Limit  int    `default:"50" help:"条数 · Rows."`
}

// Run prints who looked up, newest first. What was asked for is not printed: it stands in a part of the audit record that
// auditor and reviewer open together.
func (c *auditCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	f := client.LookupFilter{Account: c.By, Ask: c.Ask, Record: c.Record, From: c.From, To: c.To}
	found := []client.Lookup{}
	for len(found) < c.Limit {
		f.Limit = min(c.Limit-len(found), 200)
		rows, next, err := d.Lookups(ctx, f)
		if err != nil {
			return err
		}
		found = append(found, rows...)
		if f.Cursor = next; next == "" {
			break
		}
	}
	return out.answer(found, func(w io.Writer) { printLookups(w, found) })
}

func printLookups(out io.Writer, found []client.Lookup) {
	words := map[string]string{"asked": "提问 asked", "outcome": "结果 outcome", "answered": "应答 answered", "exported": "导出 exported"}
	for i := range found {
		r := &found[i]
		fmt.Fprintf(out, "%s  %s  %s", r.At, words[r.Kind], r.Ask)
		if r.Account != "" {
			fmt.Fprintf(out, "  %s %s", r.Member, r.Account)
		}
		if r.CertNo != "" {
			fmt.Fprintf(out, "  执法证 %s", r.CertNo)
		}
		if r.Purpose != "" {
			fmt.Fprintf(out, "  %s", r.Purpose)
		}
		if r.WorkRef != nil {
			fmt.Fprintf(out, "  %s:%s", r.WorkRef.Kind, r.WorkRef.Number)
		}
		if len(r.QueryKind) > 0 {
			fmt.Fprintf(out, "  按 by %s", strings.Join(r.QueryKind, ","))
		}
		if r.Refused+r.State+r.Outcome != "" {
			fmt.Fprintf(out, "  %s", r.Refused+r.State+r.Outcome)
		}
		if r.Total > 0 {
			fmt.Fprintf(out, " (%d/%d)", r.Answered, r.Total)
		}
		if r.Kind == "exported" && r.Refused == "" {
			fmt.Fprintf(out, "  %s.%s %s…%s  %d 条 rows  sha256:%s", r.Type, r.Format, r.From, r.To, r.Rows, r.FileHash)
		}
		for _, s := range r.Shown {
			fmt.Fprintf(out, "  出示 shown %s@%s", s.Record, s.Level)
		}
		fmt.Fprintln(out)
	}
}
