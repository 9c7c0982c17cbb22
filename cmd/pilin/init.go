package main

import (
	"fmt"
	"io"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

type initCmd struct {
	Dir         string `required:"" help:"数据目录 · Data folder." type:"path"`
	Member      string `required:"" help:"成员代码,如 310116-01 · Member code."`
	Name        string `required:"" help:"单位名称 · Name of the bureau."`
	Address     string `required:"" help:"成员监听地址 https://主机:端口 · Address of the members' listener."`
	AgreementNo string `help:"共建协议号;缺则只能演练 · Agreement number; without it the member can only exercise."`
	PipiaNo     string `name:"pipia-no" help:"个人信息保护影响评估号 · Impact assessment number."`
	Retention   string `help:"保存期限表编号 · Retention table."`
}

// Run makes keys and request.
func (c *initCmd) Run(out *printer) error {
	m := record.MemberID(c.Member)
	if !m.Valid() {
		return fmt.Errorf("member %q: want a code like 310116-01", c.Member)
	}
	id, err := node.Init(c.Dir, m, federation.Entry{Name: c.Name, Address: c.Address, AgreementNo: c.AgreementNo, PIPIANo: c.PipiaNo, Retention: c.Retention}, time.Now())
	if err != nil {
		return err
	}
	made := map[string]string{"member": c.Member, "request": id.RequestFile, "fingerprint": id.Fingerprint, "recovery": id.Recovery}
	return out.answer(made, func(w io.Writer) {
		fmt.Fprintf(w, "申请文件 request:     %s\n电话核对指纹 fingerprint: %s\n恢复密钥 recovery key: %s\n  立即移到离线介质并锁好;丢失全部密钥时只有它能救。\n  Move it to offline media now and lock it away.\n", id.RequestFile, id.Fingerprint, id.Recovery)
	})
}
