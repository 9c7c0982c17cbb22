package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

type keyCmd struct {
	List    listKeysCmd `cmd:"" help:"查看签名密钥沿革 · Show the history of signing keys."`
	Rotate  rotateCmd   `cmd:"" help:"轮换密钥(先停节点)· Rotate keys; stop the node first."`
	Recover recoverCmd  `cmd:"" help:"密钥丢失或被盗:用离线恢复密钥换新(先停节点)· Keys lost or stolen: new ones by the offline recovery key; stop the node first."`
	Revoke  revokeCmd   `cmd:"" help:"吊销一把旧密钥(先停节点)· Revoke a key of the past; stop the node first."`
	Send    sendCmd     `cmd:"" help:"把生效中的声明再送各家 · Hand the statements in force to the others once more."`
}

// configured is a command that works on a node's keys, documents and database.
type configured struct {
	Config string `required:"" help:"节点配置 · Node configuration." type:"existingfile"`
}

// stated is what such a command prints as JSON.
type stated struct {
	Counter    uint64            `json:"counter"`
	From       uint64            `json:"from"`
	Resigned   int               `json:"resigned"`
	Statements []string          `json:"statements"`
	Taken      []record.MemberID `json:"taken"`
	Missing    []record.MemberID `json:"missing"`
}

func printStated(out *printer, s node.Stated) error {
	return out.answer(stated{s.Counter, s.From, s.Resigned, s.Files, s.Taken, s.Missing}, func(w io.Writer) { printStatement(w, &s) })
}

func printStatement(out io.Writer, s *node.Stated) {
	for _, f := range s.Files {
		fmt.Fprintf(out, "声明 statement: %s\n", f)
	}
	fmt.Fprintf(out, "序号 counter: %d\n", s.Counter)
	if s.Resigned > 0 {
		fmt.Fprintf(out, "以新密钥重签的提交组 commit groups signed anew: %d\n", s.Resigned)
	}
	fmt.Fprintf(out, "已送达 taken by: %v\n", s.Taken)
	if len(s.Missing) > 0 {
		fmt.Fprintf(out, "未送达 not reached: %v\n  各家互相转告;一家也未送达时,把声明文件交给任何一家执行 pilin charter take,或稍后再 pilin key send\n  Members tell each other. If nobody was reached, give the file to any of them for pilin charter take, or run pilin key send later.\n", s.Missing)
	}
}

type listKeysCmd struct {
	configured
	Of string `help:"成员代码,缺省为本单位 · Member code; this member without it."`
}

type listedKey struct {
	Key             string  `json:"key"`
	Public          string  `json:"public"`
	From            uint64  `json:"from"`
	Current         bool    `json:"current"`
	CompromisedFrom *uint64 `json:"compromised_from,omitempty"`
}

// Run lists a member's signing keys with what each signs.
func (c *listKeysCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	dir, err := node.TakeNotes(ctx, cfg)
	if err != nil {
		return err
	}
	of := cfg.Member
	if c.Of != "" {
		of = record.MemberID(c.Of)
	}
	m, ok := dir.Member(of)
	if !ok {
		return fmt.Errorf("%s is not in the charter", of)
	}
	keys := listed(m)
	return out.answer(keys, func(w io.Writer) {
		for _, k := range keys {
			note := ""
			if k.Current {
				note = "  现用 current"
			}
			if k.CompromisedFrom != nil {
				note += fmt.Sprintf("  已吊销,自 %d 起不算 revoked, does not count from %d", *k.CompromisedFrom, *k.CompromisedFrom)
			}
			fmt.Fprintf(w, "%s  自序号 from %d%s\n", k.Key, k.From, note)
		}
	})
}

func listed(m federation.Member) []listedKey {
	var out []listedKey
	for i, k := range m.Sign {
		l := listedKey{Key: node.KeyName(k.Key), Public: base64.StdEncoding.EncodeToString(k.Key), From: k.From, Current: i == len(m.Sign)-1}
		for _, r := range m.Revoked {
			if r.Key.Equal(k.Key) {
				l.CompromisedFrom = &r.CompromisedFrom
			}
		}
		out = append(out, l)
	}
	return out
}

type rotateCmd struct {
	configured
	Sign    bool   `negatable:"" default:"true" help:"签名密钥 · Signing key."`
	TLS     bool   `name:"tls" help:"传输密钥和证书 · TLS key and certificate."`
	KEM     bool   `name:"kem" help:"封装密钥;名册下一版才按它封装 · Encapsulation key; the next charter version wraps for it."`
	Unheard bool   `help:"无一成员应答也照做:已另行问明各家所存不多于本机 · Go on though no member answers: it was found out otherwise that none holds more."`
	Storage bool   `help:"只换存储密钥:数据库内容按它加密;本节点之外无人知晓 · The storage key alone, under which the database's content is sealed; nobody outside this node hears of it."`
	Out     string `help:"与 --storage 同用:把新密钥库写入此文件,供制作 systemd 凭据,节点不必停 · With --storage: write the new key store to this file, to make a systemd credential of; the node may run." type:"path"`
}

// Run draws new keys, states them and hands the statement to the others.
func (c *rotateCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.Storage {
		return c.storage(ctx, out, cfg)
	}
	if c.Out != "" {
		return exit{64, errors.New("--out 只与 --storage 同用 · --out goes with --storage")}
	}
	s, err := node.RotateKeys(ctx, cfg, node.Change{Sign: c.Sign, TLS: c.TLS, KEM: c.KEM, Unheard: c.Unheard})
	if err != nil {
		return err
	}
	return printStated(out, s)
}

// storage draws a new storage key.
func (c *rotateCmd) storage(ctx context.Context, out *printer, cfg node.Config) error {
	r, err := node.RotateStorage(ctx, cfg, c.Out)
	if err != nil {
		return err
	}
	return out.answer(r, func(w io.Writer) {
		fmt.Fprintf(w, "现用存储密钥 storage key in use: %s\n密钥库 key store: %s  共 %d 把 keys\n", r.Current, r.File, len(r.Kept))
		if r.Wrapped {
			fmt.Fprintln(w, "数据密钥已按新密钥重新封装;请备份密钥库,与数据库分开存放\nThe data keys are wrapped anew. Back up the key store, apart from the database.")
			return
		}
		fmt.Fprintln(w, "用它制作凭据后删除此文件;节点下次启动时重新封装\nMake the credential of it and delete the file; the node wraps anew at its next start.")
	})
}

type recoverCmd struct {
	configured
	Recovery string  `required:"" help:"从保险柜取来的恢复密钥文件 · Recovery file, from the safe." type:"existingfile"`
	All      bool    `help:"封装密钥也丢失或被盗 · The encapsulation key is lost or stolen too."`
	Stolen   bool    `help:"签名密钥可能在他人手中:同时吊销 · The signing key may be in other hands: revoke it too."`
	From     *uint64 `help:"新密钥起始序号。本机日志不全时取各家所见最大长度;--stolen 时可取更低,其后由旧密钥所签不再算数 · First sequence of the new key: the size that the others hold, exactly; with --stolen possibly lower, and what the old key signed from there does not count."`
	Unheard  bool    `help:"无一成员应答也照做:已另行问明各家所存不多于本机 · Go on though no member answers: it was found out otherwise that none holds more."`
}

// Run draws new keys and states them by the recovery key.
func (c *recoverCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	s, err := node.RecoverKeys(ctx, cfg, node.Lost{Recovery: c.Recovery, All: c.All, Stolen: c.Stolen, From: c.From, Unheard: c.Unheard})
	if err != nil {
		return err
	}
	return printStated(out, s)
}

type revokeCmd struct {
	configured
	Key  string `arg:"" help:"密钥名,见 pilin key list · Name of the key, as pilin key list shows it."`
	From uint64 `required:"" help:"自此序号起不算数 · First sequence that does not count."`
}

// Run revokes a key of the past.
func (c *revokeCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	s, err := node.RevokeKey(ctx, cfg, node.Revocation{Key: c.Key, From: c.From})
	if err != nil {
		return err
	}
	return printStated(out, s)
}

type sendCmd struct{ configured }

// Run hands over what is in force.
func (c *sendCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	s, err := node.SendStatements(ctx, cfg)
	if err != nil {
		return err
	}
	return printStated(out, s)
}

type memberCmd struct {
	Address addressCmd `cmd:"" help:"改成员监听地址 · Change the address of the members' listener."`
	Leave   leaveCmd   `cmd:"" help:"退出联盟 · Leave the federation."`
}

type addressCmd struct {
	configured
	Address string `arg:"" help:"新地址 https://主机:端口 · New address."`
}

// Run states the new address.
func (c *addressCmd) Run(ctx context.Context, out *printer) error {
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	s, err := node.ChangeAddress(ctx, cfg, c.Address)
	if err != nil {
		return err
	}
	return printStated(out, s)
}

type leaveCmd struct {
	configured
	Yes bool `help:"确认:退出后不能以同一代码回来 · Confirm: no way back under this code."`
}

// Run states that this member leaves.
func (c *leaveCmd) Run(ctx context.Context, out *printer) error {
	if !c.Yes {
		return exit{64, fmt.Errorf("退出后不能以同一代码回来;确认请加 --yes · there is no way back under this code; add --yes")}
	}
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	s, err := node.Leave(ctx, cfg)
	if err != nil {
		return err
	}
	return printStated(out, s)
}
