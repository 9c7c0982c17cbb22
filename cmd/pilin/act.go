package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type actCmd struct {
	Sign     signActCmd     `cmd:"" help:"执法人员:签认新的诊疗行为,两名持证人员各自签认 · Officer: sign that a new treating act was met; two confirm it."`
	Withdraw withdrawActCmd `cmd:"" help:"撤回签认:法制审核人员一人即可;签认人撤回本人的,全部签认人撤回后生效 · Take signatures back: a legal reviewer ends the act; a signer his own, until all have."`
	List     listActsCmd    `cmd:"" help:"法制、负责人、稽查:列出签认记录 · Reviewer, head, auditor: list what was signed."`
}

type signActCmd struct {
	person
	Ask           string `arg:"" help:"未结核查的标识,见 pilin ask · Id of the open question, as pilin ask prints it."`
	At            string `required:"" placeholder:"YYYY-MM-DD" help:"行为日;持续行为填最后一日 · Day of the act; of a continuing one its last."`
	Place         string `required:"" help:"行为地区划代码(本单位辖区)· County code, of this bureau."`
	Qualification string `required:"" enum:"none,forged,revoked,assistant_physician,qualified_unregistered,qualified_registered,tcm_specialist,tcm_apprentice,foreign_only,trainee,village_doctor,unknown" help:"该人当日医师资格,如 none · The person's qualification on that day."`
}

// Run signs under the person's own sign-in; the certificate number is the account's and is never typed.
func (c *signActCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	u, err := d.SignAct(ctx, c.Ask, client.Act{At: c.At, Place: c.Place, Qualification: c.Qualification})
	var p *client.Problem
	if errors.As(err, &p) && p.Code == "not_found" {
		return fmt.Errorf("问题未开启或已结束 the question is not open, or no longer: %w", err)
	}
	if err != nil {
		return err
	}
	more := "尚须另一名持证人员签认 one more officer must sign"
	if u.Signed >= 2 {
		more = "已确认 confirmed"
	}
	return out.answer(u, func(w io.Writer) {
		fmt.Fprintf(w, "已签认 signed by %d  %s\n", u.Signed, more)
		printCount(w, &u.Count, false)
	})
}

type withdrawActCmd struct {
	person
	Ask    string `arg:"" help:"核查标识,见 pilin act list · Id of the question, as pilin act list prints it."`
	Reason string `required:"" help:"理由,4 至 200 字,不含证件号 · Why: 4 to 200 characters, without anybody's number."`
}

// Run takes signatures back under the person's own sign-in.
func (c *withdrawActCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	a, err := d.WithdrawAct(ctx, c.Ask, c.Reason)
	if err != nil {
		return err
	}
	return out.answer(a, func(w io.Writer) {
		if a.State == "withdrawn" {
			fmt.Fprintln(w, "签认已撤回 withdrawn")
			return
		}
		fmt.Fprintf(w, "已登记撤回 taken back by %d of %d  其余签认人撤回或法制审核后生效 it ends when the others, or a reviewer, do too\n", len(a.Leaving), len(a.Signed))
	})
}

type listActsCmd struct {
	person
	Limit int `default:"50" help:"条数 · Rows, at most 200."`
}

// Run lists acts, newest first. Whom an act is about is not in it: that stands in the audit record of its question.
func (c *listActsCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	rows, _, err := d.Acts(ctx, c.Limit, "")
	if err != nil {
		return err
	}
	states := map[string]string{"signed": "一人签认 signed by one", "confirmed": "已确认 confirmed", "withdrawn": "已撤回 withdrawn"}
	return out.answer(rows, func(w io.Writer) {
		for _, r := range rows {
			var by []string
			for _, s := range r.Signed {
				by = append(by, s.Certificate)
			}
			fmt.Fprintf(w, "%s  %s  %s  %s  %s  执法证 %s\n", r.Ask, r.At, r.Place, r.Qualification, states[r.State], strings.Join(by, "、"))
		}
	})
}
