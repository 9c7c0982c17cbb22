package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pilinhub/pilin/internal/node"
)

type rebuildCmd struct{ configured }

// Run makes read models and index from the log.
func (c *rebuildCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	b := newBar(out)
	defer b.end()
	cfg.Progress = b.tool
	r, err := node.Rebuild(ctx, cfg)
	if err != nil {
		return err
	}
	return out.answer(r, func(w io.Writer) {
		fmt.Fprintf(w, "已由日志重建 rebuilt from the log: %d 个对象 subjects, 索引 %d 条记录 records indexed\n", r.Subjects, r.Records)
	})
}
