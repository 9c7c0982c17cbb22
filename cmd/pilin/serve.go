package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/pilinhub/pilin/internal/node"
)

type serveCmd struct {
	Config string `required:"" help:"节点配置 · Node configuration." type:"existingfile"`
	Debug  bool   `help:"详细日志 · Verbose log."`
}

// Run serves until SIGINT or SIGTERM.
func (c *serveCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	cfg.Supervisor = node.SupervisorOf(os.Getenv, os.Getpid())
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	n, err := node.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	secret, err := n.FirstAdministrator(ctx)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	if secret != "" {
		fmt.Fprintf(out, "首个管理员 administrator: admin  一次性密钥 one-time secret(72 小时内有效 good for 72 hours): %s\n", secret)
	}
	return errors.Join(n.Run(ctx), n.Close())
}

type joinCmd struct {
	Config  string   `required:"" help:"节点配置 · Node configuration." type:"existingfile"`
	Charter []string `arg:"" help:"名册文件,按版本 · Charter versions, in order." type:"existingfile"`
}

// Run verifies the charter and keeps it in the node's database.
func (c *joinCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	var notes [][]byte
	for _, f := range c.Charter {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		notes = append(notes, b)
	}
	dir, err := node.Join(ctx, cfg, notes...)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "已加入 joined: %s  第 %d 版  联盟 %s\n", dir.Name(), dir.Charter().Version, dir.Federation())
	if dir.TestOnly(cfg.Member) {
		fmt.Fprintln(out, "本单位缺协议号、评估号或保存期限表:仅可演练(test_ok),不能发布 · exercise only")
	}
	return nil
}

type exportCmd struct {
	Dir    string `arg:"" help:"输出目录,须为空或不存在 · Output folder, empty or new." type:"path"`
	Config string `required:"" help:"节点配置;节点可以停着 · Node configuration; the node may be stopped." type:"existingfile"`
}

// Run writes charter, logs and receipts.
func (c *exportCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	n, err := node.Export(ctx, cfg, c.Dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "已导出 exported: %d 条记录 records → %s\n", n, c.Dir)
	return nil
}
