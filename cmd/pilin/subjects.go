package main

import (
	"fmt"
	"io"

	"github.com/pilinhub/pilin/client"
)

// joined says why the records on one card are of one person or body.
var joined = map[string]string{"number": "证件号码相同 same number", "question": "均与所查号码相同 each equals the number asked for"}

// printSubjects prints what an answer says of people and bodies: remarks first, then card by card each record with the
// lines of its score.
func printSubjects(out io.Writer, a *client.Answer) {
	if a.CheckDigit {
		fmt.Fprintln(out, "  校验位不符,按相近号码查 wrong check digit: looked for by near numbers, at most possible")
	}
	if a.Namesakes > 0 {
		fmt.Fprintf(out, "  同名 %d 人(各单位分别计数),同名不等于本人 namesakes: %d, each member counts its own\n", a.Namesakes, a.Namesakes)
	}
	for _, m := range a.NotFuzzy {
		fmt.Fprintf(out, "  不能模糊核查 cannot serve fuzzy questions: %s %s\n", m.Member, m.Name)
	}
	for i, s := range a.Subjects {
		why := joined[s.By]
		if s.NamesDiffer {
			why += ",姓名写法不同,须核对 names differ, check"
		}
		fmt.Fprintf(out, "  %d) %s  %+.1f 比特 bits  %s\n", i+1, outcomes[s.Outcome], s.Score, why)
		for _, n := range s.Hits {
			h := a.Hits[n]
			fmt.Fprintf(out, "     %s  %s  %s  %s\n       %s\n      ", h.Member, h.Type, h.State, h.Subject, h.Card)
			for _, l := range h.Lines {
				fmt.Fprintf(out, " %s %+.1f;", l.Text, l.Bits)
			}
			fmt.Fprintln(out)
		}
	}
	if a.Truncated {
		fmt.Fprintln(out, "  尚有其他疑似未列出,请补充条件再查 there may be more: ask with more")
	}
}

// printDuty prints whom to call now at each member, beside every answer and alert.
func printDuty(out io.Writer, all []client.MemberDuty) {
	for _, m := range all {
		when := "白天 day"
		if m.Night {
			when = "夜间 night"
		}
		shift := ""
		if m.Person != "" {
			shift = fmt.Sprintf("  %s–%s %s %s", m.From, m.To, m.Person, m.Deputy)
		}
		fmt.Fprintf(out, "  值班 duty: %s %s  %s %s%s\n", m.Member, m.Name, m.Phone, when, shift)
	}
}

// onDuty returns the duty contacts that an answer names.
func onDuty(a *client.Answer) []client.MemberDuty {
	var out []client.MemberDuty
	for _, m := range a.Members {
		if m.Duty != nil {
			out = append(out, client.MemberDuty{Member: m.Member, Name: m.Name, DutyContact: *m.Duty})
		}
	}
	return out
}
