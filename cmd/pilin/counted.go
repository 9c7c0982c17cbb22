package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pilinhub/pilin/client"
)

// verdicts are the three verdicts in the words of the work.
var verdicts = map[string]string{"C": "计次 counts", "P": "待定 pending", "E": "不计 excluded"}

// printCount prints the three lines, and the decisions if they were asked for.
func printCount(out io.Writer, c *client.Count, first bool) {
	if c == nil {
		return
	}
	for i, l := range c.Lines {
		fmt.Fprintf(out, "%d. %s\n   %s\n", i+1, l.ZH, l.EN)
	}
	if first {
		fmt.Fprintf(out, "   首违 first offence: %s  %s\n   %s\n", c.FirstOffence.Answer, c.FirstOffence.Text.ZH, c.FirstOffence.Text.EN)
	}
	for _, d := range c.Decisions {
		strict := ""
		if d.Strict {
			strict = "  严格口径 strict"
		}
		fmt.Fprintf(out, "   %s  %s  %s  %s  送达 served %s%s\n", verdicts[d.Verdict], d.Reason, d.Doc, d.Level, d.Served, strict)
	}
}

// watch follows an open question until it is closed or the person has had enough. What was printed with the answer is not
// printed again.
func watch(ctx context.Context, d *client.Desk, a client.Answer, tell func(client.Update) error) error {
	if a.OpenUntil.IsZero() {
		return errors.New("this question is not kept open: the person is not told its count, or too many are open")
	}
	err := d.Watch(ctx, a.Ask, func(u client.Update) error {
		if u.Seq == 1 {
			return nil
		}
		return tell(u)
	})
	if errors.Is(err, context.Canceled) {
		return nil // the person has had enough
	}
	return err
}

// printUpdate prints a change; a fall as loudly as a rise.
func printUpdate(out io.Writer, u *client.Update) error {
	sign := map[string]string{"up": "▲ 上调 UP", "down": "▼ 下调 DOWN", "same": "= 不变 SAME"}[u.Direction]
	if _, err := fmt.Fprintf(out, "\n%s  %s\n%s\n%s\n", u.At.Format("2006-01-02 15:04:05"), sign, u.Change.ZH, u.Change.EN); err != nil {
		return err
	}
	printCount(out, &u.Count, false)
	printDuty(out, u.Duty)
	return nil
}
