package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pilinhub/pilin/client"
)

type accountCmd struct {
	Password passwordCmd      `cmd:"" help:"用一次性密钥设置口令 · Choose a password with a one-time secret."`
	Create   createAccountCmd `cmd:"" help:"管理员:建立账号,输出一次性密钥 · Administrator: create an account, print its one-time secret."`
	List     listAccountsCmd  `cmd:"" help:"管理员:列出账号 · Administrator: list accounts."`
	Disable  disableCmd       `cmd:"" help:"管理员:停用账号,五秒内处处生效 · Administrator: disable, in force everywhere within five seconds."`
}

type passwordCmd struct {
	Node   string `help:"节点地址 · Address of the node." env:"PILIN_NODE" default:"http://127.0.0.1:8080"`
	Secret string `required:"" help:"一次性密钥 · One-time secret."`
}

// Run sets the password that PILIN_PASSWORD holds; a password is never an argument.
func (c *passwordCmd) Run(ctx context.Context, out *printer) error {
	password := os.Getenv("PILIN_PASSWORD")
	if password == "" {
		return errors.New("put the new password into PILIN_PASSWORD")
	}
	if err := client.NewDesk(c.Node, nil).UseLink(ctx, c.Secret, password); err != nil {
		return err
	}
	return out.answer(map[string]bool{"password_set": true}, func(w io.Writer) { fmt.Fprintln(w, "口令已设置 password set") })
}

type createAccountCmd struct {
	person
	Name        string   `arg:"" help:"新账号名 · Name of the new account."`
	Roles       []string `required:"" suggest:"liaison,officer,coordinator,legal_reviewer,head,sentinel,aide,supervisor,auditor,security_admin,sys_admin,audit_admin" help:"岗位,逗号分隔,如 officer,liaison · Roles."`
	Unit        string   `help:"科室/分所/街镇 · Unit."`
	Certificate string   `help:"执法证号 · Certificate number."`
}

// Run creates the account.
func (c *createAccountCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	a, err := d.CreateAccount(ctx, client.Account{Name: c.Name, Roles: c.Roles, Unit: c.Unit, Certificate: c.Certificate})
	if err != nil {
		return err
	}
	return out.answer(a, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s  一次性密钥 one-time secret: %s\n", a.ID, a.Name, a.Link)
	})
}

type listAccountsCmd struct{ person }

// Run lists the accounts, as JSON.
func (c *listAccountsCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	all, err := d.Accounts(ctx)
	if err != nil {
		return err
	}
	return out.document(all)
}

type disableCmd struct {
	person
	ID     string `arg:"" help:"账号标识 · Account id."`
	Enable bool   `help:"重新启用 · Enable again."`
}

// Run disables or enables.
func (c *disableCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	if err := d.DisableAccount(ctx, c.ID, !c.Enable); err != nil {
		return err
	}
	word := "已停用 disabled"
	if c.Enable {
		word = "已启用 enabled"
	}
	return out.answer(map[string]any{"id": c.ID, "disabled": !c.Enable}, func(w io.Writer) { fmt.Fprintln(w, word) })
}
