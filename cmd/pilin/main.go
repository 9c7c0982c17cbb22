// Command pilin is the whole of Pilin in one binary: a node, its tools, and a client. This package holds flags, signals
// and exit codes; what the commands do lives in the packages that they call.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command tree; the struct is the manual.
type cli struct {
	JSON bool `name:"json" help:"只输出 JSON,出错亦然 · Print JSON and nothing else, errors too."`

	Demo       demoCmd       `cmd:"" help:"演示:本机起七个局的合成联盟 · Run the seven-bureau demo federation."`
	Serve      serveCmd      `cmd:"" help:"运行一个节点 · Run a node."`
	Init       initCmd       `cmd:"" help:"生成本单位密钥和入盟申请 · Make this member's keys and request."`
	Charter    charterCmd    `cmd:"" help:"成员名册:创立、接纳、签名、查看 · Charter: found, admit, sign, show."`
	Key        keyCmd        `cmd:"" help:"本单位密钥:查看、轮换、恢复、吊销 · This member's keys: list, rotate, recover, revoke."`
	Member     memberCmd     `cmd:"" help:"本单位:改地址、退出 · This member: change of address, leaving."`
	Join       joinCmd       `cmd:"" help:"核验名册并加入 · Verify a charter and join it."`
	Ask        askCmd        `cmd:"" help:"核查:这人是谁? · Ask all members: who is this?"`
	Ref        refCmd        `cmd:"" help:"工作编号:取现场核查号、并案、销号 · On-the-spot check numbers: take, tie, close."`
	Count      countCmd      `cmd:"" help:"计次:跨区域两次处罚测算 · Count the penalties that stand against a person."`
	Act        actCmd        `cmd:"" help:"签认新的诊疗行为 · Sign a new treating act, or list what was signed."`
	Events     eventsCmd     `cmd:"" help:"待知事项:新记录、更正、撤回、待审、行动、导入 · Hear what this desk should know, as it comes."`
	Match      matchCmd      `cmd:"" help:"比对引擎 · The matching engine."`
	Publish    publishCmd    `cmd:"" help:"起草到发布一条记录 · Take an entry or penalty from draft to published."`
	Operation  operationCmd  `cmd:"" help:"联合行动:计划、答复、查看 · Joint operations: plan, reply, show."`
	List       listCmd       `cmd:"" help:"列出本单位条目 · List this bureau's entries."`
	Show       showCmd       `cmd:"" help:"查看一条及其历史、回执 · Show one entry with history and receipts."`
	Account    accountCmd    `cmd:"" help:"账号与口令 · Accounts and passwords."`
	Unit       unitCmd       `cmd:"" help:"科室、分所、街镇 · The bureau's units: list, add, change, close, assign."`
	Acting     actingCmd     `cmd:"" help:"主持工作委托:委托、列出、终止 · Acting head: give, list, end a delegation."`
	Roster     rosterCmd     `cmd:"" help:"执法证名册:导入、模板 · Certificate roster: import, template."`
	Import     importCmd     `cmd:"" help:"导入表格:试算、退回件、送审 · Check a spreadsheet, give it back marked, hand it to the reviewer."`
	Batch      batchCmd      `cmd:"" help:"导入批次:查看、审核、发布、待补齐 · Batches of imported rows."`
	Export     exportTree    `cmd:"" help:"导出日志或表格 · Export logs, or own records as a spreadsheet."`
	Backup     backupCmd     `cmd:"" help:"备份数据库,密钥另存;节点可以在运行 · Back up the database, keys apart; the node may run."`
	Restore    restoreCmd    `cmd:"" help:"检查备份、恢复到空库 · Check a backup, restore it into an empty database."`
	Rejoin     rejoinCmd     `cmd:"" help:"恢复后:查看进度、确认归队 · After a restore: show how far it is, confirm."`
	Rebuild    rebuildCmd    `cmd:"" help:"由日志重建读模型和索引(先停节点)· Rebuild read models and index from the log; stop the node first."`
	Verify     verifyCmd     `cmd:"" help:"核验日志,只信任名册文件 · Verify logs, trusting the charter file alone."`
	Kafka      kafkaCmd      `cmd:"" help:"建立、检查消息主题 · Provision and check the broker."`
	Status     statusCmd     `cmd:"" help:"本节点与联盟的健康:能做什么、该做什么 · Health of node and federation: what works, what to do."`
	Probe      probeCmd      `cmd:"" help:"健康探测:本机节点能做什么,供容器等使用 · Health check: what the node on this machine can do."`
	Audit      auditCmd      `cmd:"" help:"稽查:谁查了、为何、出示了什么 · Auditor: who looked up, what for, and what was shown."`
	Doctor     doctorCmd     `cmd:"" help:"体检并说明怎么办 · Examine a node and say what to do."`
	OpenAPI    openapiCmd    `cmd:"" name:"openapi" help:"输出 HTTP 接口说明 · Print the HTTP interface description."`
	Version    versionCmd    `cmd:"" help:"版本 · Version."`
	Completion completionCmd `cmd:"" help:"命令行补全脚本 · Completion scripts for bash, zsh and fish."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	out := &printer{Writer: stdout}
	code := -1
	parser, err := kong.New(&c, kong.Name("pilin"), kong.Description("毗邻:毗邻地区打击非法行医联合执法数据交换 · Cross-region joint-enforcement exchange."),
		kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(out))
	if err != nil {
		return complain(stderr, false, exit{3, err})
	}
	k, err := parser.Parse(args)
	if code >= 0 {
		return code
	}
	asJSON := c.JSON || slices.Contains(args, "--json") // a command line that is not understood may have set nothing
	if err != nil {
		return complain(stderr, asJSON, exit{exitUsage, err})
	}
	out.JSON = c.JSON
	return complain(stderr, asJSON, k.Run())
}
