package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type unitCmd struct {
	List   listUnitsCmd  `cmd:"" help:"列出本单位的科室、分所、街镇 · List the bureau's units as a tree."`
	Add    addUnitCmd    `cmd:"" help:"管理员:新增 · Administrator: add one."`
	Change changeUnitCmd `cmd:"" help:"管理员:改名、改类别、改上级 · Administrator: rename, or hang elsewhere."`
	Close  closeUnitCmd  `cmd:"" help:"管理员:撤销;尚有人员或下级的须注明移往何处 · Administrator: close; with people or sub-units say where they go."`
	Assign assignUnitCmd `cmd:"" help:"管理员:调整账号所属 · Administrator: let an account belong to one."`
}

// unitKinds are the kinds in the words of the work.
var unitKinds = map[string]string{"section": "科室", "branch": "分所", "town": "街镇"}

type listUnitsCmd struct{ person }

// unitList is the tree with what an administrator must know beside it.
type unitList struct {
	Units   []client.Unit `json:"units"`
	Unknown []string      `json:"unknown"` // sign-in names of accounts whose unit is not in the tree; for administrators
}

// Run prints the tree; closed units at its end.
func (c *listUnitsCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	all, unknown, err := d.Units(ctx)
	if err != nil {
		return err
	}
	return out.answer(unitList{all, unknown}, func(w io.Writer) {
		below := map[string][]client.Unit{}
		for _, u := range all {
			if !u.Closed {
				below[u.Parent] = append(below[u.Parent], u)
			}
		}
		printUnits(w, below, "", 0)
		for _, u := range all {
			if u.Closed {
				fmt.Fprintf(w, "%s  %s  已撤销 closed\n", u.Code, u.Name)
			}
		}
		if len(unknown) > 0 {
			fmt.Fprintf(w, "所属不在其中的账号 accounts of no such unit: %s\n", strings.Join(unknown, " "))
		}
	})
}

func printUnits(out io.Writer, below map[string][]client.Unit, of string, depth int) {
	for _, u := range below[of] {
		fmt.Fprintf(out, "%s%s  %s  %s  %d 人 people\n", strings.Repeat("  ", depth), u.Code, u.Name, unitKinds[u.Kind], u.People)
		printUnits(out, below, u.Code, depth+1)
	}
}

type addUnitCmd struct {
	person
	Code   string `arg:"" help:"编码:字母、数字、横线,撤销后不得再用 · Code: letters, digits, hyphens; never given twice."`
	Name   string `arg:"" help:"名称 · Name."`
	Kind   string `required:"" enum:"section,branch,town" help:"section 科室、branch 分所、town 街镇 · Kind."`
	Parent string `help:"上级编码;缺则直属本单位 · Code of the unit above; absent: the bureau itself."`
}

// Run adds the unit.
func (c *addUnitCmd) Run(ctx context.Context, out *printer) error {
	return c.and(ctx, out, func(d *client.Desk) error {
		return d.AddUnit(ctx, client.Unit{Code: c.Code, Name: c.Name, Kind: c.Kind, Parent: c.Parent})
	})
}

// and signs the person in, does one thing and says that it is done.
func (p person) and(ctx context.Context, out *printer, do func(*client.Desk) error) error {
	d, err := p.desk(ctx)
	if err == nil {
		err = do(d)
	}
	if err != nil {
		return err
	}
	return out.answer(map[string]bool{"done": true}, func(w io.Writer) { fmt.Fprintln(w, "已办理 done") })
}

type changeUnitCmd struct {
	person
	Code   string  `arg:"" help:"编码 · Code."`
	Name   *string `help:"新名称 · New name."`
	Kind   *string `enum:"section,branch,town" help:"新类别 · New kind."`
	Parent *string `help:"新上级编码;- 为直属本单位 · Code of the unit above; - is the bureau itself."`
}

// Run changes the unit.
func (c *changeUnitCmd) Run(ctx context.Context, out *printer) error {
	return c.and(ctx, out, func(d *client.Desk) error {
		return d.ChangeUnit(ctx, c.Code, client.UnitChange{Name: c.Name, Kind: c.Kind, Parent: place(c.Parent)})
	})
}

// bureauItself stands for no unit: an empty argument would be taken for none at all.
const bureauItself = "-"

// place reads where something goes in the tree; nil if nothing is said.
func place(s *string) *string {
	if s != nil && *s == bureauItself {
		return new(string)
	}
	return s
}

type closeUnitCmd struct {
	person
	Code   string  `arg:"" help:"编码 · Code."`
	MoveTo *string `help:"人员和下级移往此编码;- 为直属本单位 · Where people and sub-units go; - is the bureau itself."`
}

// Run closes the unit.
func (c *closeUnitCmd) Run(ctx context.Context, out *printer) error {
	return c.and(ctx, out, func(d *client.Desk) error { return d.CloseUnit(ctx, c.Code, place(c.MoveTo)) })
}

type assignUnitCmd struct {
	person
	ID   string `arg:"" help:"账号标识,见 pilin account list · Account id."`
	Unit string `arg:"" help:"编码或名称;- 为直属本单位 · Code or name; - is the bureau itself."`
}

// Run assigns the account.
func (c *assignUnitCmd) Run(ctx context.Context, out *printer) error {
	return c.and(ctx, out, func(d *client.Desk) error { return d.AssignUnit(ctx, c.ID, *place(&c.Unit)) })
}
