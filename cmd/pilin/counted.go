package main

import (
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
