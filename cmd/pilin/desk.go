package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
)

// person is who a command acts for, and at which node.
type person struct {
	Node         string `help:"节点地址 · Address of the node." env:"PILIN_NODE" default:"http://127.0.0.1:8080"`
	Account      string `help:"账号 · Account." env:"PILIN_ACCOUNT" required:""`
	PasswordFile string `help:"口令文件;缺则读 PILIN_PASSWORD · File with the password, else PILIN_PASSWORD." type:"existingfile"`
}

// desk signs the person in.
func (p person) desk(ctx context.Context) (*client.Desk, error) {
	password := os.Getenv("PILIN_PASSWORD")
	if p.PasswordFile != "" {
		b, err := os.ReadFile(p.PasswordFile)
		if err != nil {
			return nil, err
		}
		password = strings.TrimRight(string(b), "\r\n")
	}
	if password == "" {
		return nil, errors.New("no password: set --password-file or PILIN_PASSWORD")
	}
	d := client.NewDesk(p.Node, nil)
	return d, d.SignIn(ctx, p.Account, password)
}

type askCmd struct {
	person
	Purpose string `required:"" suggest:"CASE,RAID,JOINT,TRANSFER,ASSIST,INSPECT,CORRECT,AUDIT,STAT,TEST" help:"目的代码,如 RAID · Purpose code."`
	Ref     string `required:"" help:"工作编号 kind:number,如 spot_check:310116-01-XC-20260313-001 · Work reference."`
	Name    string `help:"姓名:全名、绰号(老王)、拼音均可,缺字用 ? · Name: in full, a nickname, in letters, ? for a lost character."`
	Sex     string `help:"性别 1/男 2/女 · Sex: 1 male, 2 female." enum:"1,2,M,F,男,女," default:""`
	Birth   string `help:"出生日期 YYYY-MM-DD 或年份 · Birth date or year."`
	IDType  string `name:"id-type" suggest:"RIC,HKB,PPT,MIL,HMP,TWP,HMR,TWR,FPR,UNK" help:"证件类型,缺省居民身份证 · Document type."`
	Country string `name:"id-country" help:"护照国家三字母代码 · Country of a passport, three letters."`
	ID      string `name:"id" help:"证件号码:可用 * 遮盖,可只填末几位 · Document number: masked with *, or its last digits, will do."`
	Phone   string `help:"电话:可用 * 遮盖,可只填末几位 · Telephone: masked or in part will do."`
	Plate   string `help:"车牌 · Plate."`
	Address string `help:"地址 · Address."`
	Org     string `help:"单位名称 · Name of an institution."`
	County  string `help:"所在区县六位代码,与绰号、缺字姓名一并使用 · County, six digits: beside a nickname or half a name."`
	USCC    string `name:"uscc" help:"统一社会信用代码 · Unified social credit code."`
	DocNo   string `name:"doc-no" help:"决定书文号 · Decision number."`
	AsOf    string `help:"以哪一天为准 · As of this day."`
	Why     bool   `help:"逐件列出计次、待定、不计次的理由 · Each decision with its reason."`
	First   bool   `help:"是否首次违法(首违不罚)· Is this the first offence anywhere?"`
	Watch   bool   `help:"继续关注:记录变化、缺席单位恢复时自动重问并告知 · Keep watching: told when a record changes or a member returns."`
}

// outcomes are the four answers, in the words of the work (domain.md §0.3).
var outcomes = map[string]string{"hit": "命中 HIT", "possible": "疑似,待核 POSSIBLE(同名不等于本人)", "no_hit": "未发现 NO HIT", "incomplete": "答复不全,不能下结论 INCOMPLETE"}

// workRef reads kind:number; complaint is what to say of a text that is not so.
func workRef(text, complaint string) (client.WorkRef, error) {
	kind, number, ok := strings.Cut(text, ":")
	if !ok {
		return client.WorkRef{}, errors.New(complaint)
	}
	return client.WorkRef{Kind: kind, Number: number}, nil
}

// Run asks every member; with --watch it goes on, and prints JSON line by line.
func (c *askCmd) Run(ctx context.Context, out *printer) error {
	ref, err := workRef(c.Ref, "--ref: want kind:number, e.g. spot_check:310116-01-XC-20260313-001")
	if err != nil {
		return err
	}
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	a, err := d.Ask(ctx, client.Ask{Purpose: federation.Purpose(c.Purpose), WorkRef: ref, AsOf: c.AsOf, Why: c.Why,
		Question: client.Question{Name: c.Name, Sex: c.Sex, BirthDate: c.Birth, IDType: c.IDType, IDCountry: c.Country, IDNo: c.ID, Phone: c.Phone,
			USCC: c.USCC, DocNo: c.DocNo, Org: c.Org, Address: c.Address, Plate: c.Plate, County: c.County}})
	if err != nil {
		return err
	}
	if out.JSON && c.Watch {
		if err := out.line(a); err != nil {
			return err
		}
		return watch(ctx, d, a, func(u client.Update) error { return out.line(u) })
	}
	if err := out.answer(a, func(w io.Writer) { c.print(w, &a) }); err != nil || !c.Watch {
		return err
	}
	return watch(ctx, d, a, func(u client.Update) error { return printUpdate(out, &u) })
}

// print prints who answered, what was found, and who is missing.
func (c *askCmd) print(out io.Writer, a *client.Answer) {
	fmt.Fprintf(out, "%s  (%d/%d 家当场答复 answered)\n", outcomes[a.Outcome], a.Answered, a.Total)
	for _, m := range a.Members {
		if m.State != "answered" {
			fmt.Fprintf(out, "  未答复 missing: %s %s  %s %s\n", m.Member, m.Name, m.State, m.Reason)
		}
	}
	printCount(out, a.Count, c.First)
	printSubjects(out, a)
	printDuty(out, onDuty(a))
	for _, h := range a.FirstPicture {
		gone := ""
		if h.Gone {
			gone = "  已由来源撤回 withdrawn at origin"
		}
		fmt.Fprintf(out, "  本地副本(%d 秒前,不作数)replica: %s  %s  %s%s\n", h.AgeSeconds, h.Member, h.Type, h.State, gone)
	}
}

type publishCmd struct {
	person
	Type    string `required:"" enum:"entry,premises,institution,handle,penalty,link,roster" help:"entry 个人条目、premises 场所、institution 机构、handle 电话·车辆·账号、penalty 处罚、link 身份关联 或 roster 值班表 · List entry of a person, premises, an institution or a handle (telephone, plate, account); penalty; link; duty roster."`
	Step    string `default:"draft" enum:"draft,submit,return,approve,publish,suspend,withdraw,confirm,lift,repair" help:"步骤;每一步由有权的人做 · Step; each by whoever may take it."`
	File    string `help:"起草:内容 JSON 文件 · draft: JSON file of the payload." type:"existingfile"`
	ID      string `name:"id" help:"草稿或条目 · Draft or entry."`
	Version uint64 `help:"你看到的版本 · Version that you have seen."`
	Reason  string `help:"原因 · Reason, without identifiers."`
	Code    string `help:"原因代码 · Reason code."`
	Hash    string `help:"依据文书的 SHA-256 · SHA-256 of the paper it rests on."`
	Basis   string `help:"依据 · Legal basis of a suspension or withdrawal."`
	Purpose string `suggest:"CASE,RAID,JOINT,TRANSFER,ASSIST,INSPECT,CORRECT,AUDIT,STAT,TEST" help:"目的代码 · Purpose of a suspension or withdrawal."`
}

// Run takes one step.
func (c *publishCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	var w client.Written
	if c.Step == "draft" {
		payload, err := os.ReadFile(c.File)
		if err != nil {
			return fmt.Errorf("--file: %w", err)
		}
		w, err = d.Draft(ctx, families[c.Type], "", client.Proposal{Type: entryTypes[c.Type], Payload: payload})
		return wrote(out, w, err)
	}
	if c.ID == "" || c.Version == 0 {
		return errors.New("--id and --version are needed for this step")
	}
	w, err = d.Step(ctx, families[c.Type], c.ID, c.Step, "", client.Step{Version: c.Version, Reason: c.Reason, ReasonCode: c.Code, DocumentHash: c.Hash, LegalBasis: c.Basis, Purpose: c.Purpose})
	return wrote(out, w, err)
}

// wrote prints what a write did.
func wrote(out *printer, w client.Written, err error) error {
	if err != nil {
		return err
	}
	return out.answer(w, func(to io.Writer) { fmt.Fprintf(to, "%s  版本 version %d  %s\n", w.ID, w.Version, w.State) })
}

// families are the paths of the kinds of subjects.
var families = map[string]client.Family{"entry": client.Entries, "premises": client.Entries, "institution": client.Entries, "handle": client.Entries,
	"penalty": client.Penalties, "link": client.Links, "roster": client.Rosters}

// entryTypes are the record types of the kinds of list entries.
var entryTypes = map[string]string{"entry": client.EntryPerson, "premises": client.EntryPremises, "institution": client.EntryInstitution, "handle": client.EntryHandle}

type listCmd struct {
	person
	Type  string `default:"entry" enum:"entry,premises,institution,handle,penalty,link,roster" help:"entry 个人条目、premises 场所、institution 机构、handle 电话·车辆·账号、penalty 处罚、link 身份关联 或 roster 值班表."`
	Stage string `default:"published" enum:"draft,published" help:"草稿或已发布 · Drafts or published."`
	State string `suggest:"draft,in_review,approved,published,suspended,withdrawn,expired,repaired,voided,discarded" help:"只列此状态 · Only this state."`
	Limit int    `default:"50" help:"条数 · Rows."`
}

// Run lists own subjects, newest change first.
func (c *listCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	page, err := d.List(ctx, families[c.Type], client.Filter{Type: entryTypes[c.Type], Drafts: c.Stage == "draft", State: c.State, Limit: c.Limit})
	if err != nil {
		return err
	}
	return out.answer(page.Rows, func(w io.Writer) {
		for _, r := range page.Rows {
			fmt.Fprintf(w, "%s  v%d  %-10s  %s  有效期至 %s\n", r.ID, r.Version, r.State, r.Day, r.ValidUntil)
		}
	})
}

type showCmd struct {
	person
	Type string `default:"entry" enum:"entry,premises,institution,handle,penalty,link,roster" help:"entry 个人条目、premises 场所、institution 机构、handle 电话·车辆·账号、penalty 处罚、link 身份关联 或 roster 值班表."`
	ID   string `arg:"" help:"条目 · Entry."`
}

// Run prints one subject with history and receipts, as JSON.
func (c *showCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	e, err := d.Entry(ctx, families[c.Type], c.ID)
	if err != nil {
		return err
	}
	return out.document(e)
}
