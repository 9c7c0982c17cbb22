package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type refCmd struct {
	New   newRefCmd   `cmd:"" help:"取一个现场核查号 · Take an on-the-spot check number."`
	List  listRefsCmd `cmd:"" help:"列出未了结的现场核查号 · List numbers that wait for a case, a lead or a reason."`
	Tie   tieRefCmd   `cmd:"" help:"并入案件或线索 · Tie a number to a case or lead."`
	Close closeRefCmd `cmd:"" help:"说明理由销号 · Close a number with a reason."`
}

type newRefCmd struct {
	person
	With  string `required:"" placeholder:"CERT" help:"第二名执法人员的执法证号 · Certificate number of the second officer."`
	Place string `help:"现场区划代码,缺省本单位 · County of the spot, six digits."`
	Key   string `help:"幂等键:重发仍得同一号 · Idempotency key: a repeat gets the same number."`
}

// Run takes a number and prints it alone on the first line, for use in --ref.
func (c *newRefCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	s, err := d.TakeSpotCheck(ctx, c.With, c.Place, c.Key)
	if err != nil {
		return err
	}
	return out.answer(s, func(w io.Writer) { fmt.Fprintf(w, "spot_check:%s\n%s\n", s.Number, due(&s)) })
}

// due says by when a number is to be settled.
func due(s *client.SpotCheck) string {
	switch {
	case s.NoCalendar != 0:
		return fmt.Sprintf("缺 %d 年工作日历,无法算出期限 no working-day calendar of %d: the last day is not known", s.NoCalendar, s.NoCalendar)
	case s.Overdue:
		return "已逾期 overdue since " + s.LastDay
	}
	return "请在此日前并案或销号 tie or close it by " + s.LastDay
}

type listRefsCmd struct {
	person
}

// Run lists untied numbers, oldest first.
func (c *listRefsCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	all, err := d.UntiedSpotChecks(ctx)
	if err != nil {
		return err
	}
	return out.answer(all, func(w io.Writer) {
		for i := range all {
			s := &all[i]
			fmt.Fprintf(w, "%s  %s  执法证 %s、%s  %s\n", s.Number, s.Place, s.Cert, s.SecondCert, due(s))
		}
	})
}

type tieRefCmd struct {
	person
	Number string `arg:"" help:"现场核查号 · The number."`
	To     string `required:"" placeholder:"KIND:NUMBER" help:"case:案号 或 complaint:线索号 · Case or lead."`
}

// Run ties a number.
func (c *tieRefCmd) Run(ctx context.Context, out *printer) error {
	to, err := workRef(c.To, "--to: want case:number or complaint:number")
	if err != nil {
		return err
	}
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	s, err := d.TieSpotCheck(ctx, strings.TrimPrefix(c.Number, "spot_check:"), to)
	return settled(out, &s, "已并入 tied to "+c.To, err)
}

type closeRefCmd struct {
	person
	Number string `arg:"" help:"现场核查号 · The number."`
	Reason string `required:"" help:"理由,4 至 200 字,不得含证件号码 · Reason, without identifiers."`
}

// Run closes a number.
func (c *closeRefCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	s, err := d.CloseSpotCheck(ctx, strings.TrimPrefix(c.Number, "spot_check:"), c.Reason)
	return settled(out, &s, "已销号 closed", err)
}

func settled(out *printer, s *client.SpotCheck, how string, err error) error {
	if err != nil {
		return err
	}
	return out.answer(s, func(w io.Writer) { fmt.Fprintf(w, "%s  %s\n", s.Number, how) })
}
