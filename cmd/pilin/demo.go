package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/pilinhub/pilin/internal/demo"
)

type demoCmd struct {
	Dir        string `help:"数据目录 · Folder of the demo." default:"build/demo" type:"path"`
	Fresh      bool   `help:"从头开始 · Begin anew."`
	Port       int    `help:"第一家的端口 · Port of the first bureau." default:"8101"`
	Background int    `help:"生成的处罚决定数 · Generated decisions beside the story." default:"400"`
	Clock      string `help:"从这一天 09:00 起走表,如 2026-03-13;缺省为今天 · The demo's day, e.g. 2026-03-13; today without it."`
	Debug      bool   `help:"详细日志 · Verbose log."`
}

// Run runs the demo until it is stopped.
func (c *demoCmd) Run(ctx context.Context, out *printer) error {
	level := slog.LevelError
	if c.Debug {
		level = slog.LevelDebug
	}
	var now func() time.Time
	if c.Clock != "" {
		var err error
		if now, err = demo.Clock(c.Clock); err != nil {
			return err
		}
	}
	return demo.Run(ctx, demo.Options{Now: now, Dir: c.Dir, Fresh: c.Fresh, Port: c.Port, Background: c.Background,
		JSON: out.JSON, Log: slog.New(logTo(os.Stderr, level, out.JSON))}, out)
}
