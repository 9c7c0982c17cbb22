package main

import (
	"context"
	"errors"
	"os"

	"github.com/pilinhub/pilin/client"
)

type operationCmd struct {
	Plan  planCmd          `cmd:"" help:"提出联合行动,邀请成员 · Plan an operation and invite members."`
	Reply replyCmd         `cmd:"" help:"同意或不参加 · Accept or decline."`
	Step  stepCmd          `cmd:"" help:"牵头单位:开始、结束、取消 · The lead: start, end, cancel."`
	Show  showOperationCmd `cmd:"" help:"列出或查看 · List, or show one."`
}

type planCmd struct {
	person
	File string `required:"" help:"计划 JSON 文件(schemas/operation)· JSON file of the plan." type:"existingfile"`
}

// Run proposes a plan; only its lead and the members that it invites can ever read it.
func (c *planCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	w, err := d.Plan(ctx, "", b)
	return wrote(out, w, err)
}

type replyCmd struct {
	person
	ID       string `arg:"" help:"行动 · Operation."`
	Accept   bool   `xor:"reply" required:"" help:"参加 · Take part."`
	Decline  bool   `xor:"reply" required:"" help:"不参加 · Do not."`
	Reason   string `help:"不参加的原因 · Reason to decline."`
	Officers int    `help:"派出人数 · Officers that come."`
	Cars     int    `help:"车辆数 · Cars."`
	Basis    string `default:"行政处罚法第26条" help:"依据 · Legal basis."`
}

// Run replies for this bureau.
func (c *replyCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	a := client.OperationAnswer{Reason: c.Reason, Officers: c.Officers, Cars: c.Cars, LegalBasis: c.Basis}
	reply := d.Accept
	if c.Decline {
		if c.Reason == "" {
			return errors.New("--reason is needed to decline")
		}
		reply = d.Decline
	}
	w, err := reply(ctx, c.ID, "", a)
	return wrote(out, w, err)
}

type stepCmd struct {
	person
	ID      string `arg:"" help:"行动 · Operation."`
	Step    string `arg:"" enum:"start,end,cancel" help:"start, end, cancel."`
	Version uint64 `required:"" help:"你看到的计划版本 · Version of the plan that you have seen."`
	Reason  string `help:"取消的原因 · Reason to cancel."`
	Basis   string `default:"行政处罚法第26条" help:"依据 · Legal basis."`
}

// Run takes a step of the lead.
func (c *stepCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	w, err := d.Lead(ctx, c.ID, c.Step, "", client.OperationChange{Version: c.Version, Reason: c.Reason, LegalBasis: c.Basis})
	return wrote(out, w, err)
}

type showOperationCmd struct {
	person
	ID string `arg:"" optional:"" help:"行动;不写则列出全部 · Operation; all without it."`
}

// Run prints one operation, or all, as JSON.
func (c *showOperationCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	if c.ID == "" {
		all, err := d.Operations(ctx)
		if err != nil {
			return err
		}
		return out.document(all)
	}
	o, err := d.Operation(ctx, c.ID)
	if err != nil {
		return err
	}
	return out.document(o)
}
