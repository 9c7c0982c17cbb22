package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pilinhub/pilin/internal/node"
)

type probeCmd struct {
	configured
	Capability string        `arg:"" optional:"" help:"只问一项,如 publish · Only this capability."`
	Within     time.Duration `default:"4s" help:"最多等多久 · How long to wait."`
}

// Run prints what the running node can do. Exit 0: all that it needs works; 1: not, or nobody answers.
func (c *probeCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	ready, all, err := node.Probe(ctx, cfg, c.Capability)
	if err != nil {
		return err
	}
	err = out.answer(all, func(w io.Writer) {
		for _, k := range all {
			word := "好 ok"
			if !k.Ready {
				word = "不行 no: " + k.Why
			}
			fmt.Fprintf(w, "%-18s %s\n", k.Name, word)
		}
	})
	if err == nil && !ready {
		return exit{1, errors.New("未就绪 · not ready")}
	}
	return err
}
