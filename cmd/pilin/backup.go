package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pilinhub/pilin/internal/node"
)

type backupCmd struct {
	configured
	Dir  string `arg:"" help:"输出目录,须为空或不存在 · Output folder, empty or new." type:"path"`
	Keys string `help:"密钥另存到此目录;不得与数据库同放 · Copy the key file into this other folder; never kept together with the database." type:"path"`
}

// Run copies the database, and the keys if a folder is named, while the node serves.
func (c *backupCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	b := newBar(out)
	defer b.end()
	cfg.Progress = b.tool
	m, err := node.BackUp(ctx, cfg, c.Dir, c.Keys)
	if err != nil {
		return err
	}
	return out.answer(m, func(w io.Writer) { printManifest(w, m, "已备份 backed up") })
}

func printManifest(out io.Writer, m node.Manifest, done string) {
	fmt.Fprintf(out, "%s: %s  %s  名册第 %d 版 charter version %d\n", done, m.Member, m.At, m.Charter, m.Charter)
	for _, s := range m.Streams {
		fmt.Fprintf(out, "  %s  %d\n", s.Stream, s.Size)
	}
	for _, f := range m.Files {
		fmt.Fprintf(out, "  %s  %d 字节 bytes  SHA-256 %s\n", f.Name, f.Size, f.SHA256)
	}
}

type restoreCmd struct {
	Dir    string `arg:"" help:"备份目录 · Folder of the backup." type:"existingdir"`
	Config string `help:"节点配置;数据库须为空,节点须停着 · Node configuration; the database must be empty, the node stopped." type:"existingfile" xor:"what" required:""`
	Check  bool   `help:"只检查备份是否完整 · Only check that the backup is whole." xor:"what" required:""`
	Keys   string `help:"密钥备份目录 · Folder with the backed up key file." type:"existingdir"`
}

// Run checks a backup, and fills an empty database from it.
func (c *restoreCmd) Run(ctx context.Context, out *printer) error {
	b := newBar(out)
	defer b.end()
	if c.Check {
		m, err := node.CheckBackup(ctx, c.Dir, b.tool)
		if err != nil {
			return torn(err)
		}
		return out.answer(m, func(w io.Writer) { printManifest(w, m, "完整 whole") })
	}
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	cfg.Progress = b.tool
	r, err := node.Restore(ctx, cfg, c.Dir, c.Keys)
	if err != nil {
		return torn(err)
	}
	return out.answer(r.Manifest, func(w io.Writer) {
		printManifest(w, r.Manifest, "已恢复 restored")
		fmt.Fprint(w, "账号、岗位与停用状态回到备份时,请逐一核对;所有人须重新登录。\nAccounts, roles and what was disabled are as they were then: check them. Everybody signs in anew.\n下一步 next: pilin serve, 然后 then pilin rejoin\n")
	})
}

// torn gives a backup that is not whole an exit code of its own.
func torn(err error) error {
	if errors.Is(err, node.ErrTorn) {
		return exit{exitUnchecked, err}
	}
	return err
}

type rejoinCmd struct {
	configured
	Yes    bool `help:"确认:本单位日志可以继续外发 · Confirm: this member's log may go out again."`
	Silent bool `help:"已电话核实未答成员所见不多于已答成员 · The members that did not answer were asked by telephone and hold no more than those that did."`
}

// Run shows how far a restored node is, and confirms.
func (c *rejoinCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	w, err := node.Rejoin(ctx, cfg, c.Yes, c.Silent)
	if err != nil && w.At == "" {
		return err
	}
	said := out.answer(w, func(to io.Writer) { c.print(to, &w, err == nil) })
	return errors.Join(said, err)
}

func (c *rejoinCmd) print(out io.Writer, w *node.Waiting, confirmed bool) {
	fmt.Fprintf(out, "阶段 phase: %s  本单位记录 own records: 备份中 in the copy %d,现有 now %d\n已答 heard: %v\n未答 silent: %v\n尚缺他家记录 behind in: %v\n", w.Phase, w.From, w.Size, w.Heard, w.Silent, w.Behind)
	if confirmed && c.Yes {
		fmt.Fprintln(out, "已确认,节点随即恢复外发 confirmed; the node goes on at once")
	}
}
