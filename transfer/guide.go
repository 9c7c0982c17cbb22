package transfer

import (
	"fmt"
	"strings"
)

// Guide is the answer in three lines, as an officer at the door reads it (domain.md §1.3): who answered, the counted
// penalties with the alert's text, what to do now. missing names the members that did not answer, as a person would say them.
func (r *Result) Guide(missing []string) [3]Text {
	who := Text{fmt.Sprintf("%d/%d 家均已答复。", r.Answered, r.Total), fmt.Sprintf("All %d of %d members answered.", r.Answered, r.Total)}
	if r.Incomplete() {
		who = Text{fmt.Sprintf("仅 %d/%d 家答复", r.Answered, r.Total), fmt.Sprintf("Only %d of %d members answered", r.Answered, r.Total)}
		if len(missing) > 0 {
			who.ZH += ",未答复:" + strings.Join(missing, "、")
			who.EN += "; missing: " + strings.Join(missing, ", ")
		}
		who.ZH, who.EN = who.ZH+"。", who.EN+"."
	}
	code := string(r.Alert)
	for _, a := range r.Also {
		code += "/" + string(a)
	}
	if r.Incomplete() {
		code += fmt.Sprintf(" + 答复不全 incomplete %d/%d", r.Answered, r.Total)
	}
	count := Text{fmt.Sprintf("可计次处罚 %d 次(严格口径 %d 次),待法制确认 %d 项 · %s:", r.Basic, r.Strict, r.Pending, code),
		fmt.Sprintf("Counted penalties %d (strict %d), %d to be confirmed · %s:", r.Basic, r.Strict, r.Pending, code)}
	for _, t := range r.Texts() {
		count.ZH += t.ZH
		count.EN += " " + t.EN
	}
	now := r.now()
	if r.Incomplete() {
		now.ZH += "未答复单位恢复后自动重问;在此之前不下“未发现”结论。"
		now.EN += " The question is asked again when the missing members return; until then nothing is called absent."
	}
	return [3]Text{who, count, now}
}

// now is what to do: the steps of domain.md §6.6 and §6.7 that come first. Nobody is told what to decide.
func (r *Result) now() Text {
	switch r.Alert {
	case G0:
		return Text{"核实身份和行医资格,按一般程序办理。", "Verify identity and qualification, and proceed as usual."}
	case GP0:
		return Text{"请法制审核待定项;核实身份后再问一次。", "Have the pending item reviewed; verify the identity and ask again."}
	case G1:
		return Text{"核实身份、资格,在决定书中写明行医人,告知救济权利并留存送达回证。",
			"Verify identity and qualification, name the practitioner in the decision, tell of the remedies and keep the proof of service."}
	case GP:
		return Text{"请法制逐项审核待定项;核验身份,向来源单位调取决定书和送达回证副本。",
			"Have the pending items reviewed one by one; verify the identity and request certified copies of decision and service from their origins."}
	case G2:
		return Text{"核实是否有诊疗行为:确认须两名执法人员各自签认;联系法制审核,向来源单位调取副本。",
			"Establish whether there is a treating act: two officers sign, each for himself; call the legal reviewer and request certified copies."}
	case G3:
		return Text{"报法制审核和单位负责人启动移送审查;通知来源单位准备证明文书。",
			"Report to legal reviewer and head to begin the transfer review; the origins prepare certified copies."}
	case G3d:
		return Text{"报法制审核,先行会商检察机关并记录意见,再定是否启动移送审查。",
			"Report to the legal reviewer and consult the procuratorate, recording its view, before a transfer review is begun."}
	}
	return Text{"报单位负责人和稽查复核,核对每件决定是否已移送。", "Report to the head and the auditor; check for each decision whether it was transferred."}
}

// Weight orders alerts from nothing to the gravest, to tell a rise from a fall.
func (a Alert) Weight() int {
	for i, b := range []Alert{G0, GP0, G1, GP, G2, G3d, G3, G4} {
		if a == b {
			return i
		}
	}
	return -1
}

// Change compares a result with the one before it. A fall is told in the same form and length as a rise (domain.md §6.6).
type Change struct {
	Direction string // up, down, same
	Text      Text
}

// Since says how r differs from what was told before: first by the alert, then by the counts, then by completeness.
func (r *Result) Since(before *Result) Change {
	code := func(x *Result) string {
		if x.Incomplete() {
			return fmt.Sprintf("%s + %d/%d", x.Alert, x.Answered, x.Total)
		}
		return fmt.Sprintf("%s (%d/%d)", x.Alert, x.Answered, x.Total)
	}
	step := func(old, new int) int {
		switch {
		case new > old:
			return 1
		case new < old:
			return -1
		}
		return 0
	}
	dir := 0
	for _, d := range []int{step(before.Alert.Weight(), r.Alert.Weight()), step(before.Basic, r.Basic), step(before.Strict, r.Strict),
		step(before.Pending, r.Pending)} {
		if dir == 0 {
			dir = d
		}
	}
	numbers := func(x *Result) string { return fmt.Sprintf("%d(%d)", x.Basic, x.Strict) }
	word := map[int][3]string{1: {"up", "上调", "raised"}, -1: {"down", "下调", "lowered"}, 0: {"same", "不变", "unchanged"}}[dir]
	return Change{word[0], Text{
		fmt.Sprintf("提示%s:%s → %s;计次(严格)%s → %s。", word[1], code(before), code(r), numbers(before), numbers(r)),
		fmt.Sprintf("Alert %s: %s → %s; counted (strict) %s → %s.", word[2], code(before), code(r), numbers(before), numbers(r))}}
}
