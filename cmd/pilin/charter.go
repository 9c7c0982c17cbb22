package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

type charterCmd struct {
	Found  foundCmd       `cmd:"" help:"由申请文件创立名册第 1 版 · Make version 1 from requests."`
	Admit  admitCmd       `cmd:"" help:"接纳新成员,生成下一版 · Admit a member: make the next version."`
	Remove removeCmd      `cmd:"" help:"除名,生成下一版 · Remove a member: make the next version."`
	Renew  renewCmd       `cmd:"" help:"并入声明并换新群密钥,生成下一版 · Fold statements in and make new epoch keys: the next version."`
	Take   takeCmd        `cmd:"" help:"收下别家送来的新版名册或成员声明,节点可以在运行 · Take a newer version or a member statement that came by hand; the node may run."`
	Sign   signCmd        `cmd:"" help:"核对后签名 · Sign after reading."`
	Merge  mergeCmd       `cmd:"" help:"合并各家分别签名的同一版 · Merge signatures made on copies of one version."`
	Show   showCharterCmd `cmd:"" help:"显示内容、指纹和签名 · Show content, fingerprint and signatures."`
}

type foundCmd struct {
	Requests  []string `arg:"" help:"申请文件 · Request files." type:"existingfile"`
	Name      string   `required:"" help:"联盟名称 · Name of the federation."`
	Synthetic bool     `help:"演练联盟:只允许合成数据 · Exercise federation, synthetic data only."`
	Out       string   `required:"" help:"输出文件 · Output file." type:"path"`
}

// Run writes an unsigned version 1.
func (c *foundCmd) Run(out *printer) error {
	var reqs [][]byte
	for _, f := range c.Requests {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		m, err := federation.ParseRequest(b)
		if err != nil {
			return fmt.Errorf("request %s: %w", f, err)
		}
		if !out.JSON {
			fmt.Fprintf(out, "%s %s  指纹 %s\n", m.Code, m.Name, federation.Fingerprint(b))
		}
		reqs = append(reqs, b)
	}
	note, err := federation.Found(rand.Reader, federation.Founding{Name: c.Name, Synthetic: c.Synthetic, Day: record.CivilDay(time.Now())}, reqs...)
	if err != nil {
		return err
	}
	return writeCharter(out, c.Out, note)
}

type admitCmd struct {
	Charter   string   `arg:"" help:"现行名册 · Current version." type:"existingfile"`
	Request   string   `arg:"" help:"申请文件 · Request." type:"existingfile"`
	Statement []string `help:"尚未并入名册的成员声明,按序 · Member statements that the version does not hold yet, in order." type:"existingfile"`
	Out       string   `required:"" help:"输出文件 · Output file." type:"path"`
}

// Run writes an unsigned next version with the new member and a new epoch.
func (c *admitCmd) Run(out *printer) error {
	prev, err := os.ReadFile(c.Charter)
	if err != nil {
		return err
	}
	req, err := os.ReadFile(c.Request)
	if err != nil {
		return err
	}
	var statements [][]byte
	for _, f := range c.Statement {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		statements = append(statements, b)
	}
	note, err := federation.Admit(rand.Reader, prev, statements, record.CivilDay(time.Now()), req)
	if err != nil {
		return err
	}
	return writeCharter(out, c.Out, note)
}

// ownCharter is the current version and the statements in force, as the own node holds them.
type ownCharter struct {
	Config string `required:"" help:"节点配置;节点可以在运行 · Node configuration; the node may run." type:"existingfile"`
	Out    string `required:"" help:"输出文件 · Output file." type:"path"`
}

func (o ownCharter) read(ctx context.Context) (charter []byte, statements [][]byte, err error) {
	cfg, err := node.ReadConfig(o.Config)
	if err != nil {
		return nil, nil, err
	}
	dir, err := node.OwnDirectory(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	if _, frozen := dir.Frozen(); frozen {
		return nil, nil, errors.New("the charter is frozen: two versions follow one; see pilin doctor")
	}
	return dir.Versions(dir.Charter().Version)[0], dir.Statements(), nil
}

type removeCmd struct {
	ownCharter
	Member string `arg:"" help:"成员代码 · Member code."`
}

// Run writes an unsigned next version without the member and with a new epoch.
func (c *removeCmd) Run(ctx context.Context, out *printer) error {
	prev, statements, err := c.read(ctx)
	if err != nil {
		return err
	}
	note, err := federation.Remove(rand.Reader, prev, statements, record.CivilDay(time.Now()), record.MemberID(c.Member))
	if err != nil {
		return err
	}
	return writeCharter(out, c.Out, note)
}

type renewCmd struct{ ownCharter }

// Run writes an unsigned next version with the statements in force and a new epoch.
func (c *renewCmd) Run(ctx context.Context, out *printer) error {
	prev, statements, err := c.read(ctx)
	if err != nil {
		return err
	}
	note, err := federation.Renew(rand.Reader, prev, statements, record.CivilDay(time.Now()))
	if err != nil {
		return err
	}
	return writeCharter(out, c.Out, note)
}

type takeCmd struct {
	Config string   `required:"" help:"节点配置 · Node configuration." type:"existingfile"`
	Notes  []string `arg:"" help:"名册或声明文件,按序 · Charter versions or statements, in order." type:"existingfile"`
}

// Run verifies the notes and keeps them; a running node takes them within a second.
func (c *takeCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	var notes [][]byte
	for _, f := range c.Notes {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		notes = append(notes, b)
	}
	dir, err := node.TakeNotes(ctx, cfg, notes...)
	if err != nil {
		return err
	}
	version, statements := dir.Charter().Version, len(dir.Statements())
	return out.answer(map[string]any{"version": version, "statements": statements, "active": dir.Active()}, func(w io.Writer) {
		fmt.Fprintf(w, "已收下 taken: 名册第 %d 版 version %d,未并入的声明 statements in force: %d,在盟 active: %v\n", version, version, statements, dir.Active())
	})
}

type signCmd struct {
	Dir     string `required:"" help:"数据目录 · Data folder." type:"existingdir"`
	Charter string `arg:"" help:"待签名册 · Version to sign; the signature is added to this file." type:"existingfile"`
}

// Run adds this member's signature to the file.
func (c *signCmd) Run(out *printer) error {
	b, err := os.ReadFile(c.Charter)
	if err != nil {
		return err
	}
	signed, err := node.SignCharter(c.Dir, b)
	if err != nil {
		return err
	}
	return writeCharter(out, c.Charter, signed)
}

type mergeCmd struct {
	Copies []string `arg:"" help:"同一版的若干份 · Copies of one version." type:"existingfile"`
	Out    string   `required:"" help:"输出文件 · Output file." type:"path"`
}

// Run writes one file with all signatures.
func (c *mergeCmd) Run(out *printer) error {
	var notes [][]byte
	for _, f := range c.Copies {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		notes = append(notes, b)
	}
	note, err := federation.Merge(notes...)
	if err != nil {
		return err
	}
	return writeCharter(out, c.Out, note)
}

type showCharterCmd struct {
	Charter string `arg:"" type:"existingfile" help:"名册文件 · Charter file."`
}

// Run prints what a person should read before signing.
func (c *showCharterCmd) Run(out *printer) error {
	b, err := os.ReadFile(c.Charter)
	if err != nil {
		return err
	}
	return describeCharter(out, "", b)
}

func writeCharter(out *printer, name string, note []byte) error {
	if err := node.WriteDurably(name, note, 0o644); err != nil {
		return err
	}
	return describeCharter(out, name, note)
}

// described is a charter version as JSON.
type described struct {
	File       string            `json:"file,omitempty"` // that was written
	Name       string            `json:"name"`
	Version    uint64            `json:"version"`
	Synthetic  bool              `json:"synthetic"`
	Federation string            `json:"federation"`
	Hash       string            `json:"hash"`
	Members    []describedMember `json:"members"`
	Signatures []string          `json:"signatures"` // codes of the lines that are there
	Verified   bool              `json:"verified"`   // version 1 with every signature
}

type describedMember struct {
	Member   record.MemberID `json:"member"`
	Name     string          `json:"name"`
	State    string          `json:"state"`
	Address  string          `json:"address"`
	TestOnly bool            `json:"test_only"`
}

func describeCharter(out *printer, file string, note []byte) error {
	c, lines, err := federation.ReadDraft(note)
	if err != nil {
		return err
	}
	d := described{File: file, Name: c.Name, Version: c.Version, Synthetic: c.Synthetic, Federation: c.Federation.String(), Hash: c.Hash.String()}
	for _, m := range c.Members {
		d.Members = append(d.Members, describedMember{Member: m.Code, Name: m.Name, State: string(m.State), Address: m.Address, TestOnly: m.TestOnly(c.Synthetic)})
	}
	for _, l := range lines {
		d.Signatures = append(d.Signatures, fmt.Sprint(l))
	}
	if c.Version == 1 && len(lines) == len(c.Members) {
		if _, err := federation.NewDirectory(nil, note); err != nil {
			return fmt.Errorf("charter does not verify: %w", err)
		}
		d.Verified = true
	}
	return out.answer(d, func(w io.Writer) { printCharter(w, &d) })
}

// printCharter prints what a person should read before signing.
func printCharter(out io.Writer, d *described) {
	if d.File != "" {
		fmt.Fprintf(out, "已写入 written: %s\n", d.File)
	}
	kind := "正式 real"
	if d.Synthetic {
		kind = "演练·合成数据 SYNTHETIC"
	}
	fmt.Fprintf(out, "%s 第 %d 版 (%s)\n联盟标识 federation: %s\n本版摘要 hash: %s\n", d.Name, d.Version, kind, d.Federation, d.Hash)
	for _, m := range d.Members {
		test := ""
		if m.TestOnly {
			test = "  仅演练 test_ok(缺协议号、评估号或保存期限表)"
		}
		fmt.Fprintf(out, "  %s %s %s %s%s\n", m.Member, m.Name, m.State, m.Address, test)
	}
	fmt.Fprintf(out, "签名 signatures: %d %v\n", len(d.Signatures), d.Signatures)
	if d.Verified {
		fmt.Fprintln(out, "签名齐全有效 all signatures verify")
	}
}
