package federation

import (
	"regexp"
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

// Question 核查内容 is what is asked about a person, body or place, as somebody types it: a name may be a nickname, in
// letters or with lost characters, a number masked or in part. It prints as "[redacted]" field by field.
type Question struct {
	Name      identifier.Secret
	Sex       string            // 1 or M or 男, 2 or F or 女; empty = not known
	BirthDate identifier.Secret // YYYY-MM-DD or YYYY
	IDType    string            // code of domain.md §2.6.4; empty = resident identity card
	IDCountry string            // of a passport, ISO 3166-1 alpha-3; without it a passport is at most possible
	IDNo      identifier.Secret
	Phone     identifier.Secret
	USCC      identifier.Secret // 统一社会信用代码
	DocNo     identifier.Secret // 文号
	Org       identifier.Secret // 单位名称
	Address   identifier.Secret
	Plate     identifier.Secret
	County    string // GB/T 2260, six digits: where the asker stands or looks
}

// questionText is the question on the wire (wire.md §5).
type questionText struct {
	Name      string `json:"name,omitempty"`
	BirthDate string `json:"birth_date,omitempty"`
	Sex       string `json:"sex,omitempty"`
	IDType    string `json:"id_type,omitempty"`
	IDCountry string `json:"id_country,omitempty"`
	IDNo      string `json:"id_no,omitempty"`
	Phone     string `json:"phone,omitempty"`
	USCC      string `json:"uscc,omitempty"`
	DocNo     string `json:"doc_no,omitempty"`
	Org       string `json:"org,omitempty"`
	Address   string `json:"address,omitempty"`
	Plate     string `json:"plate,omitempty"`
	County    string `json:"county,omitempty"`
}

func (q Question) reveal() questionText {
	return questionText{Name: q.Name.Reveal(), BirthDate: q.BirthDate.Reveal(), Sex: q.Sex, IDType: q.IDType, IDCountry: q.IDCountry, IDNo: q.IDNo.Reveal(),
		Phone: q.Phone.Reveal(), USCC: q.USCC.Reveal(), DocNo: q.DocNo.Reveal(), Org: q.Org.Reveal(), Address: q.Address.Reveal(), Plate: q.Plate.Reveal(),
		County: q.County}
}

func (t questionText) hide() Question {
	secret := identifier.NewSecret
	return Question{Name: secret(t.Name), BirthDate: secret(t.BirthDate), Sex: t.Sex, IDType: t.IDType, IDCountry: t.IDCountry, IDNo: secret(t.IDNo),
		Phone: secret(t.Phone), USCC: secret(t.USCC), DocNo: secret(t.DocNo), Org: secret(t.Org), Address: secret(t.Address), Plate: secret(t.Plate),
		County: t.County}
}

// kinds returns which fields are set, not their values, in the order of the schema lookup.asked.
func (q Question) kinds() []string {
	var out []string
	for _, f := range q.reveal().fields() {
		if f.s != "" && f.name != "id_type" && f.name != "id_country" { // these say how the number is meant
			out = append(out, f.name)
		}
	}
	return out
}

type questionField struct{ name, s string }

// fields are all members of a question, by their names on the wire.
func (t questionText) fields() []questionField {
	return []questionField{{"name", t.Name}, {"birth_date", t.BirthDate}, {"sex", t.Sex}, {"id_type", t.IDType}, {"id_country", t.IDCountry}, {"id_no", t.IDNo},
		{"phone", t.Phone}, {"uscc", t.USCC}, {"doc_no", t.DocNo}, {"org", t.Org}, {"address", t.Address}, {"plate", t.Plate}, {"county", t.County}}
}

// maxQuestion bounds each field of a question in bytes; an address of 200 characters fits.
const maxQuestion = 800

var (
	yearForm    = regexp.MustCompile(`^(18|19|20)[0-9]{2}$`)
	sexForm     = regexp.MustCompile(`^([12MF男女])?$`)
	countyForm  = regexp.MustCompile(`^([1-9][0-9]{5})?$`)
	countryForm = regexp.MustCompile(`^([A-Z]{3})?$`)
)

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
	RefusedNotHeld   = "work_ref_not_held" // an on-the-spot check number that this node did not issue to the officer, or that is closed
	RefusedQuestion  = "question_invalid"  // nothing that can be looked up
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

// check refuses a question that could mean nobody or half a town (match.Question.Askable), and fields of another form.
func (q Question) check() *Refusal {
	t := q.reveal()
	for _, f := range t.fields() {
		if f.name == "sex" || f.name == "id_country" || f.name == "county" {
			continue // these have a form, below
		}
		if len(f.s) > maxQuestion || hasControl(f.s) {
			return &Refusal{RefusedQuestion, "/question/" + f.name}
		}
	}
	switch {
	case t.BirthDate != "" && !validDay(t.BirthDate) && !yearForm.MatchString(t.BirthDate):
		return &Refusal{RefusedQuestion, "/question/birth_date"}
	case !sexForm.MatchString(t.Sex):
		return &Refusal{RefusedQuestion, "/question/sex"}
	case !countyForm.MatchString(t.County):
		return &Refusal{RefusedQuestion, "/question/county"}
	case !countryForm.MatchString(t.IDCountry):
		return &Refusal{RefusedQuestion, "/question/id_country"}
	case !q.engineQuestion("").Askable():
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
