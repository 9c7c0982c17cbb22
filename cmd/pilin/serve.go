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

	log io.Writer // os.Stderr without it
}

// Run serves until SIGINT or SIGTERM. With --json the log is JSON too.
func (c *serveCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	cfg.Supervisor = node.SupervisorOf(os.Getenv, os.Getpid())
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	if c.log == nil {
		c.log = os.Stderr
	}
	log := slog.New(logTo(c.log, level, out.JSON))
	n, err := node.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	secret, err := n.FirstAdministrator(ctx)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	if secret != "" {
		first := map[string]any{"account": "admin", "secret": secret, "good_for_hours": 72}
		if out.JSON {
			err = out.line(first)
		} else {
			_, err = fmt.Fprintf(out, "首个管理员 administrator: admin  一次性密钥 one-time secret(72 小时内有效 good for 72 hours): %s\n", secret)
		}
		if err != nil {
			return errors.Join(err, n.Close())
		}
	}
	return errors.Join(n.Run(ctx), n.Close())
}

// logTo makes the handler of a node's log: text, or with --json one object a line.
func logTo(w io.Writer, level slog.Level, asJSON bool) slog.Handler {
	o := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

type joinCmd struct {
	Config  string   `required:"" help:"节点配置 · Node configuration." type:"existingfile"`
	Charter []string `arg:"" help:"名册文件,按版本 · Charter versions, in order." type:"existingfile"`
}

// Run verifies the charter and keeps it in the node's database.
func (c *joinCmd) Run(ctx context.Context, out *printer) error {
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
	test := dir.TestOnly(cfg.Member)
	joined := map[string]any{"member": cfg.Member, "name": dir.Name(), "version": dir.Charter().Version, "federation": dir.Federation().String(), "test_only": test}
	return out.answer(joined, func(w io.Writer) {
		fmt.Fprintf(w, "已加入 joined: %s  第 %d 版  联盟 %s\n", dir.Name(), dir.Charter().Version, dir.Federation())
		if test {
			fmt.Fprintln(w, "本单位缺协议号、评估号或保存期限表:仅可演练(test_ok),不能发布 · exercise only")
		}
	})
}

type exportCmd struct {
	Dir    string `arg:"" help:"输出目录,须为空或不存在 · Output folder, empty or new." type:"path"`
	Config string `required:"" help:"节点配置;节点可以停着 · Node configuration; the node may be stopped." type:"existingfile"`
}

// Run writes charter, logs and receipts.
func (c *exportCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	b := newBar(out)
	defer b.end()
	cfg.Progress = b.tool
	n, err := node.Export(ctx, cfg, c.Dir)
	if err != nil {
		return err
	}
	return out.answer(map[string]any{"folder": c.Dir, "records": n}, func(w io.Writer) {
		fmt.Fprintf(w, "已导出 exported: %d 条记录 records → %s\n", n, c.Dir)
	})
}
