package transfer

import (
	"fmt"
	"strings"
)

// Alert 提示 is what the count tells the officer (domain.md §6.6).
type Alert string

// The alerts, by rising weight.
const (
	G0  Alert = "G0"
	GP0 Alert = "GP0"
	G1  Alert = "G1"
	GP  Alert = "GP"
	G2  Alert = "G2"
	G3d Alert = "G3d"
	G3  Alert = "G3"
	G4  Alert = "G4"
)

// Text is what a screen says, in Chinese and English. No text names a crime or judges a decision: the hub finds
// candidates.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Texts returns the short texts to show: of the alert, of the one beside it, of an incomplete answer, and of released
// decisions, which say why the numbers can have risen.
func (r *Result) Texts() []Text {
	var out []Text
	for _, a := range append([]Alert{r.Alert}, r.Also...) {
		if a != G0 || !r.Incomplete() {
			out = append(out, r.text(a))
		}
	}
	switch {
	case r.Incomplete() && r.Alert == G0:
		out = append(out, Text{fmt.Sprintf("仅 %d/%d 家答复,尚不能判断。", r.Answered, r.Total),
			fmt.Sprintf("Only %d of %d members answered: nothing can be said yet.", r.Answered, r.Total)})
	case r.Incomplete():
		out = append(out, Text{fmt.Sprintf("仅 %d/%d 家答复,以上次数为最低数。", r.Answered, r.Total),
			fmt.Sprintf("Only %d of %d members answered: the numbers are minimums.", r.Answered, r.Total)})
	}
	if len(r.Released) > 0 {
		var zh, en []string
		for _, p := range r.Released {
			zh = append(zh, fmt.Sprintf("%s 因 %s 不再成立而恢复计次", p.Decision, p.By))
			en = append(en, fmt.Sprintf("%s counts because %s no longer stands", p.Decision, p.By))
		}
		out = append(out, Text{strings.Join(zh, ";") + "。", strings.Join(en, "; ") + "."})
	}
	return out
}

func (r *Result) text(a Alert) Text {
	switch a {
	case G0:
		return Text{fmt.Sprintf("未发现可计次处罚(%d/%d 均已答复)。", r.Answered, r.Total),
			fmt.Sprintf("No penalty that counts was found (%d/%d answered).", r.Answered, r.Total)}
	case GP0:
		return Text{"有1项处罚待法制确认,尚无可计次处罚。", "One penalty waits for the legal reviewer; none counts yet."}
	case G1:
		return Text{"已有1次可计次处罚(待核实)。若再处罚即为第2次:请核实身份、资格,在决定书中写明行医人,并告知救济权利。",
			"One penalty counts (to be verified). Another would be the second: verify identity and qualification, name the practitioner in the decision, and tell of the remedies."}
	case GP:
		return Text{fmt.Sprintf("可能达到2次,有 %d 项待法制确认。", r.Pending),
			fmt.Sprintf("Two may be reached: %d items wait for the legal reviewer.", r.Pending)}
	case G2:
		return Text{fmt.Sprintf("已有%d次可计次处罚(待法制核实)。现场如确认新的诊疗行为,即达移送审查条件:按刑事证据要求固定证据,联系法制审核,需要时商请公安到场。", r.Basic),
			fmt.Sprintf("%d penalties count (for the legal reviewer to verify). If a new treating act is confirmed on the spot, the conditions for a transfer review are met: secure evidence to the criminal standard, call the legal reviewer, and ask the police to come where needed.", r.Basic)}
	case G3:
		return reviewText
	case G3d:
		zh, en := "第2次处罚救济处理中", "Remedies against the second penalty are pending"
		if r.BeforeFirst {
			zh, en = "第2次违法行为早于首次处罚送达", "The second act came before the first penalty was served"
		} else if !r.StrictFrom.IsZero() {
			zh, en = "第2次处罚救济期未满(至 "+r.StrictFrom.String()+")", "The period for remedies of the second penalty runs until "+r.StrictFrom.String()
		}
		return Text{reviewText.ZH + zh + ",先行会商检察机关。", reviewText.EN + " " + en + ": consult the procuratorate first."}
	}
	return Text{"疑似应移未移,请单位负责人和稽查复核。", "A transfer may have been due and was not made: for the head of the bureau and the auditor to review."}
}

var reviewText = Text{"已达“两次处罚后再次非法行医”移送审查条件(候选):启动移送审查,不得以罚代刑。",
	"The conditions for a transfer review are met (candidate): two penalties, then practising again. Begin the transfer review; a penalty does not replace it."}
