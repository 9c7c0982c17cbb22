package federation

import (
	"slices"
	"strings"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Purpose 核查目的 is a code of domain.md §2.6.9. Every look-up needs one.
type Purpose string

// The purposes.
const (
	PurposeCase     Purpose = "CASE"     // 案件调查
	PurposeRaid     Purpose = "RAID"     // 现场核查
	PurposeJoint    Purpose = "JOINT"    // 联合行动
	PurposeTransfer Purpose = "TRANSFER" // 移送审查
	PurposeAssist   Purpose = "ASSIST"   // 答复协查
	PurposeInspect  Purpose = "INSPECT"  // 监督检查
	PurposeCorrect  Purpose = "CORRECT"  // 更正异议
	PurposeAudit    Purpose = "AUDIT"    // 审计
	PurposeStat     Purpose = "STAT"     // 统计(去标识)
	PurposeTest     Purpose = "TEST"     // 合成数据演练
)

// Purposes lists all purposes.
var Purposes = []Purpose{PurposeCase, PurposeRaid, PurposeJoint, PurposeTransfer, PurposeAssist, PurposeInspect,
	PurposeCorrect, PurposeAudit, PurposeStat, PurposeTest}

// WorkRef 工作编号 is the work that a look-up belongs to (domain.md §2.1.2).
type WorkRef struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

// WorkRefKinds lists the kinds of work references.
var WorkRefKinds = []string{"case", "operation", "inspection", "complaint", "assistance", "transfer", "spot_check"}

// Question 核查内容 is what is asked about a person or body. It prints as "[redacted]" field by field.
type Question struct {
	Name      identifier.Secret
	BirthDate identifier.Secret // YYYY-MM-DD, counts only beside a name
	IDType    string            // code of domain.md §2.6.4; empty = resident identity card
	IDNo      identifier.Secret
	Phone     identifier.Secret
	USCC      identifier.Secret // 统一社会信用代码
	DocNo     identifier.Secret // 文号
}

// questionText is the question on the wire (wire.md §5).
type questionText struct {
	Name      string `json:"name,omitempty"`
	BirthDate string `json:"birth_date,omitempty"`
	IDType    string `json:"id_type,omitempty"`
	IDNo      string `json:"id_no,omitempty"`
	Phone     string `json:"phone,omitempty"`
	USCC      string `json:"uscc,omitempty"`
	DocNo     string `json:"doc_no,omitempty"`
}

func (q Question) reveal() questionText {
	return questionText{Name: q.Name.Reveal(), BirthDate: q.BirthDate.Reveal(), IDType: q.IDType, IDNo: q.IDNo.Reveal(),
		Phone: q.Phone.Reveal(), USCC: q.USCC.Reveal(), DocNo: q.DocNo.Reveal()}
}

func (t questionText) hide() Question {
	secret := identifier.NewSecret
	return Question{Name: secret(t.Name), BirthDate: secret(t.BirthDate), IDType: t.IDType, IDNo: secret(t.IDNo),
		Phone: secret(t.Phone), USCC: secret(t.USCC), DocNo: secret(t.DocNo)}
}

// kinds returns which fields are set, not their values, in the order of the schema lookup.asked.
func (q Question) kinds() []string {
	var out []string
	for _, f := range []struct {
		name string
		s    identifier.Secret
	}{{"name", q.Name}, {"birth_date", q.BirthDate}, {"id_no", q.IDNo}, {"phone", q.Phone}, {"uscc", q.USCC}, {"doc_no", q.DocNo}} {
		if !f.s.IsZero() {
			out = append(out, f.name)
		}
	}
	return out
}

// maxQuestion bounds each field of a question in bytes; names and numbers are far shorter.
const maxQuestion = 300

// Refusal is why a question is not asked or not answered: a stable code and a pointer to the field, for the border to
// turn into words. A refused question has been audited when the caller sees it.
type Refusal struct {
	Code    string
	Pointer string
}

// Codes of refusals.
const (
	RefusedPurpose   = "purpose_invalid"
	RefusedWorkRef   = "work_ref_invalid"
	RefusedQuestion  = "question_invalid" // nothing that can be looked up
	RefusedAsOf      = "as_of_invalid"
	RefusedScope     = "scope_invalid"
	RefusedTestOnly  = "test_only" // a member without agreement data, another purpose than TEST
	RefusedNotMember = "not_member"
	RefusedPerson    = "person_invalid" // account or certificate number
)

// Error returns the code and pointer, never what was asked.
func (r *Refusal) Error() string { return "question refused: " + r.Code + " " + r.Pointer }

// checkPurpose refuses an unknown purpose or a missing work reference.
func checkPurpose(p Purpose, w WorkRef) *Refusal {
	if !slices.Contains(Purposes, p) {
		return &Refusal{RefusedPurpose, "/purpose"}
	}
	if !slices.Contains(WorkRefKinds, w.Kind) {
		return &Refusal{RefusedWorkRef, "/work_ref/kind"}
	}
	if n := len([]rune(w.Number)); strings.TrimSpace(w.Number) == "" || n > 64 || hasControl(w.Number) {
		return &Refusal{RefusedWorkRef, "/work_ref/number"}
	}
	return nil
}

// check refuses a question without an identifier, or a name without a birth date.
func (q Question) check() *Refusal {
	t := q.reveal()
	for pointer, s := range map[string]string{"/question/name": t.Name, "/question/birth_date": t.BirthDate, "/question/id_type": t.IDType,
		"/question/id_no": t.IDNo, "/question/phone": t.Phone, "/question/uscc": t.USCC, "/question/doc_no": t.DocNo} {
		if len(s) > maxQuestion || hasControl(s) {
			return &Refusal{RefusedQuestion, pointer}
		}
	}
	if t.BirthDate != "" && !validDay(t.BirthDate) {
		return &Refusal{RefusedQuestion, "/question/birth_date"}
	}
	if t.IDNo == "" && t.Phone == "" && t.USCC == "" && t.DocNo == "" && (t.Name == "" || t.BirthDate == "") {
		return &Refusal{RefusedQuestion, "/question"}
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// checkPerson refuses an account or certificate number that the audit record could not hold.
func checkPerson(account, certificate string) *Refusal {
	if account == "" || len(account) > 64 || hasControl(account) {
		return &Refusal{RefusedPerson, "/account"}
	}
	if certificate == "" {
		return nil
	}
	alnum := func(r rune) bool { return r < 0x80 && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') }
	if n := len(certificate); n < 6 || n > 20 || strings.ContainsFunc(certificate, func(r rune) bool { return !alnum(r) }) {
		return &Refusal{RefusedPerson, "/certificate"}
	}
	return nil
}
