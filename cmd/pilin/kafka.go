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
func (c *provisionCmd) Run(ctx context.Context, out *printer) error {
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
	said := out.answer(map[string][]string{"done": append([]string{}, done...)}, func(w io.Writer) {
		for _, line := range done {
			fmt.Fprintln(w, line)
		}
	})
	return errors.Join(err, said)
}

type checkCmd struct{ configured }

// Run prints what was tried, and fails if anything is not as it must be.
func (c *checkCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	findings, err := node.CheckKafka(ctx, cfg)
	if err != nil {
		return err
	}
	return printFindings(out, findings)
}

// finding is a finding as JSON.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Do   string `json:"do,omitempty"`
}

// printFindings prints findings, bad ones in red with what to do, and fails if there is one.
func printFindings(out *printer, all []node.Finding) error {
	list, bad := []finding{}, 0
	for _, f := range all {
		list = append(list, finding{f.What, f.OK, f.Do})
		if !f.OK {
			bad++
		}
	}
	err := out.answer(list, func(w io.Writer) {
		for _, f := range list {
			if f.OK {
				fmt.Fprintf(w, "  好 ok   %s\n", f.What)
			} else {
				fmt.Fprintf(w, "\x1b[31m  坏 BAD  %s\n          %s\x1b[0m\n", f.What, f.Do)
			}
		}
	})
	if bad > 0 {
		err = errors.Join(err, exit{1, fmt.Errorf("%d 项需要处理 · need attention", bad)})
	}
	return err
}

type doctorCmd struct{ configured }

// Run examines the node without changing it.
func (c *doctorCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	return printFindings(out, node.Doctor(ctx, cfg))
}
