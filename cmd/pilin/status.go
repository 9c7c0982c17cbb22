package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/record"
)

type statusCmd struct {
	person
	Federation bool `help:"整页:各家、各日志、密钥 · The whole page: members, logs, keys."`
}

// Run prints what the node can do and what is to be done; with --federation also every member and log.
func (c *statusCmd) Run(ctx context.Context, out *printer) error {
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	s, err := d.Status(ctx)
	if err != nil {
		return err
	}
	return out.answer(s, func(w io.Writer) { printStatus(w, &s, c.Federation) })
}

// printStatus writes the page of federation health.
func printStatus(out io.Writer, s *client.Status, whole bool) {
	w := tabwriter.NewWriter(out, 0, 1, 2, ' ', 0)
	fmt.Fprintf(w, "%s  %s  名册第 %d 版 charter %d  软件 release %s  Kafka %s\n", s.Member, s.Name, s.CharterVersion, s.CharterVersion, s.Release, s.Kafka)
	for _, k := range s.Capabilities {
		word := "好 ok"
		if !k.Ready {
			word = "不行 no: " + k.Why
		}
		fmt.Fprintf(w, "  %s\t%s\n", k.Name, word)
	}
	for _, d := range s.Disks {
		fmt.Fprintf(w, "  磁盘 disk %s\t%.0f %%, 剩余 free %.1f GiB\n", d.Place, d.UsedPercent, float64(d.FreeBytes)/(1<<30))
	}
	if whole {
		fmt.Fprintln(w, "\n成员 member\t最近 heard\t时钟差 clock\t名册 charter\t软件 release\t签名密钥 signing key")
		for i := range s.Members {
			printMember(w, &s.Members[i])
		}
		fmt.Fprintln(w, "\n日志 log\t生效 applied\t最新 newest\t落后 lag\t待收 pending\t隔离 quarantine\t回执 receipts")
		for i := range s.Streams {
			printStream(w, &s.Streams[i])
		}
	}
	if len(s.Advice) == 0 {
		fmt.Fprintln(w, "\n无需处理 nothing to do")
	}
	for _, a := range s.Advice {
		urgency := "工作日 ticket"
		if a.Urgency == "page" {
			urgency = "立即 AT ONCE"
		}
		about := a.Stream
		if about == "" {
			about = string(a.Member)
		}
		fmt.Fprintf(w, "\n%s  %s  %s\n    %s\n    %s\n", urgency, a.Code, about, a.Detail, a.DetailEn)
	}
	_ = w.Flush() // out keeps its error
}

func printMember(w io.Writer, m *client.MemberStatus) {
	heard, clock, charter, release, key := "从未 never", "?", "?", "?", ""
	switch {
	case m.Self:
		heard = "本机 self"
	case m.HeardSecAgo >= 0:
		heard = fmt.Sprintf("%ds", m.HeardSecAgo)
	}
	if m.ClockOffset != nil {
		clock = fmt.Sprintf("%+ds", *m.ClockOffset)
	}
	if m.CharterVersion > 0 {
		charter = fmt.Sprint(m.CharterVersion)
	}
	if m.Release != "" {
		release = m.Release
	}
	for _, k := range m.Keys {
		if k.Kind == "sign" {
			key = k.Name + " " + keyAge(k)
		}
	}
	name := fmt.Sprintf("%s %s", m.Member, m.Name)
	if m.State != "active" {
		name += " (" + m.State + ")"
	}
	if m.EraseOverdue > 0 {
		name += fmt.Sprintf(" 逾期未删 erase overdue %d", m.EraseOverdue)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, heard, clock, charter, release, key)
}

// keyAge says how old a key is and when its rotation is due.
func keyAge(k client.KeyStatus) string {
	switch {
	case k.AgeDays < 0:
		return "新,名册尚未载明 new"
	case k.DaysLeft != nil && *k.DaysLeft < 0:
		return fmt.Sprintf("%d 天 days, 轮换已到期 rotation overdue", k.AgeDays)
	}
	return fmt.Sprintf("%d 天 days", k.AgeDays)
}

func printStream(w io.Writer, s *client.StreamStatus) {
	lag := "–"
	if s.Seen > s.Applied {
		lag = fmt.Sprintf("%d (%ds)", s.Seen-s.Applied, s.LagSeconds)
	}
	var held []string
	for _, why := range slices.Sorted(maps.Keys(s.Unusable)) {
		held = append(held, fmt.Sprintf("%s %d", why, s.Unusable[why]))
	}
	if s.Frozen != "" {
		held = append(held, "冻结 frozen: "+s.Frozen)
	}
	if len(held) == 0 {
		held = []string{"–"}
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%s\t%d", s.Stream, s.Applied, s.Seen, lag, s.PendingParts, strings.Join(held, ", "), s.Receipts)
	if len(s.WithoutReceipt) > 0 {
		fmt.Fprintf(w, " 缺 without %s", joinMembers(s.WithoutReceipt))
	}
	fmt.Fprintln(w)
}

func joinMembers(all []record.MemberID) string {
	var out []string
	for _, m := range all {
		out = append(out, string(m))
	}
	return strings.Join(out, " ")
}
