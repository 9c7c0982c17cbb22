package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/pilinhub/pilin/client"
)

type actingCmd struct {
	Give giveActingCmd `cmd:"" help:"负责人:凭已签字委托书,委托一人在期限内主持工作 · Head: let somebody act as head for a term, by a signed paper."`
	List listActingCmd `cmd:"" help:"列出委托 · List delegations."`
	End  endActingCmd  `cmd:"" help:"负责人:提前终止委托,即时生效 · Head: end a delegation before its last day, at once."`
}

type giveActingCmd struct {
	person
	Name  string `arg:"" help:"受委托人的账号名 · Sign-in name of who is to act."`
	From  string `required:"" placeholder:"YYYY-MM-DD" help:"起始日 · First day."`
	Until string `required:"" placeholder:"YYYY-MM-DD" help:"截止日(含)· Last day."`
	Paper string `required:"" type:"existingfile" help:"已签字委托书的扫描件;只送出其 SHA-256 · Scan of the signed delegation; only its SHA-256 is sent."`
}

// Run hands the delegation in.
func (c *giveActingCmd) Run(ctx context.Context, out *printer) error {
	paper, err := os.ReadFile(c.Paper)
	if err != nil {
		return err
	}
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	h := sha256.Sum256(paper)
	given, err := d.Delegate(ctx, c.Name, c.From, c.Until, hex.EncodeToString(h[:]))
	if err != nil {
		return err
	}
	return out.answer(given, func(w io.Writer) { printDelegation(w, &given) })
}

func printDelegation(out io.Writer, d *client.Delegation) {
	state := "未在期限内 not running"
	switch {
	case !d.Ended.IsZero():
		state = "已提前终止 ended " + d.Ended.Format("2006-01-02 15:04")
	case d.Runs:
		state = "有效 running"
	}
	fmt.Fprintf(out, "%s  账号 account %s  %s – %s  %s\n  委托书 paper SHA-256 %s\n", d.ID, d.Account, d.From, d.Until, state, d.DocumentHash)
}

type listActingCmd struct{ person }

// Run lists delegations, newest first.
func (c *listActingCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	all, err := d.Delegations(ctx)
	if err != nil {
		return err
	}
	return out.answer(all, func(w io.Writer) {
		for i := range all {
			printDelegation(w, &all[i])
		}
	})
}

type endActingCmd struct {
	person
	ID string `arg:"" help:"委托 · Delegation."`
}

// Run ends one.
func (c *endActingCmd) Run(ctx context.Context, out *printer) error {
	return c.and(ctx, out, func(d *client.Desk) error { return d.EndDelegation(ctx, c.ID) })
}
