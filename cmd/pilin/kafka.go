package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

type kafkaCmd struct {
	Provision provisionCmd `cmd:"" help:"按表建立主题和权限(由管理员运行,可反复)· Lay topics and rights; run by the broker's operator."`
	Check     checkCmd     `cmd:"" help:"用本单位的凭据自查,试写别家主题必须失败 · Check with this member's own credentials."`
}

type provisionCmd struct {
	Config   string `required:"" help:"节点配置形式的文件,kafka 段用管理员凭据 · File with a kafka section that has administrator credentials." type:"existingfile"`
	Charter  string `required:"" help:"现行名册 · Current charter." type:"existingfile"`
	Table    string `default:"deploy/kafka/topics.yaml" help:"主题与权限表 · Table of topics and rights." type:"existingfile"`
	Replicas int    `help:"副本数上限,0 不限 · Cap of the replication factor."`
}

// Run lays what the table asks for.
func (c *provisionCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	note, err := os.ReadFile(c.Charter)
	if err != nil {
		return err
	}
	ch, err := federation.ParseCharter(note)
	if err != nil {
		return err
	}
	table, err := os.ReadFile(c.Table)
	if err != nil {
		return err
	}
	var members []record.MemberID
	for _, m := range ch.Members {
		if m.State == federation.Active {
			members = append(members, m.Code)
		}
	}
	done, err := node.ProvisionKafka(ctx, cfg, table, members, c.Replicas)
	for _, line := range done {
		fmt.Fprintln(out, line)
	}
	return err
}

type checkCmd struct{ configured }

// Run prints what was tried, and fails if anything is not as it must be.
func (c *checkCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	findings, err := node.CheckKafka(ctx, cfg)
	if err != nil {
		return err
	}
	return c.findings(out, findings)
}

// finding is a finding as JSON.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Do   string `json:"do,omitempty"`
}

// findings prints findings in the form that was asked for, and fails if one is bad.
func (c configured) findings(out io.Writer, all []node.Finding) error {
	if !c.JSON {
		return printFindings(out, all)
	}
	list, bad := []finding{}, 0
	for _, f := range all {
		list = append(list, finding{f.What, f.OK, f.Do})
		if !f.OK {
			bad++
		}
	}
	if err := printJSON(out, list); err != nil || bad == 0 {
		return err
	}
	return exit{1, fmt.Errorf("%d 项需要处理 · need attention", bad)}
}

// printFindings prints findings, bad ones in red with what to do, and fails if there is one.
func printFindings(out io.Writer, findings []node.Finding) error {
	bad := 0
	for _, f := range findings {
		if f.OK {
			fmt.Fprintf(out, "  好 ok   %s\n", f.What)
			continue
		}
		bad++
		fmt.Fprintf(out, "\x1b[31m  坏 BAD  %s\n          %s\x1b[0m\n", f.What, f.Do)
	}
	if bad > 0 {
		return exit{1, errors.New(fmt.Sprint(bad, " 项需要处理 · need attention"))}
	}
	return nil
}

type doctorCmd struct{ configured }

// Run examines the node without changing it.
func (c *doctorCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	return c.findings(out, node.Doctor(ctx, cfg))
}
