package transfer

// IDQuality 核验方式 says how a person's number was established (domain.md T01).
type IDQuality string

// SelfStated is the one quality that limits what a number proves (§6.2).
const SelfStated IDQuality = "self_stated"

// IssuerKind 决定机关类别 (domain.md T05).
type IssuerKind string

// The kinds of issuers.
const (
	HealthAuthority    IssuerKind = "health_authority"
	TCMAuthority       IssuerKind = "tcm_authority"
	CDCAuthority       IssuerKind = "cdc_authority"
	TownOrStreet       IssuerKind = "town_or_street"
	GeneralEnforcement IssuerKind = "general_enforcement_bureau" // 综合行政执法局
	OtherIssuer        IssuerKind = "other"
)

// RespondentKind 当事人类型 (domain.md T05).
type RespondentKind string

// The kinds of respondents.
const (
	NaturalPerson RespondentKind = "person"
	SoleTrader    RespondentKind = "sole_trader" // 个体工商户
	Organisation  RespondentKind = "organisation"
)

// Qualification 医师资格状态 on the day of an act (domain.md T01).
type Qualification string

// The states of qualification.
const (
	Unqualified           Qualification = "none"
	Forged                Qualification = "forged"
	RevokedCertificate    Qualification = "revoked"
	QualifiedRegistered   Qualification = "qualified_registered"
	QualifiedUnregistered Qualification = "qualified_unregistered"
	AssistantPhysician    Qualification = "assistant_physician" // 执业助理医师
	TCMSpecialist         Qualification = "tcm_specialist"      // 中医(专长)医师
	VillageDoctor         Qualification = "village_doctor"
	TCMApprentice         Qualification = "tcm_apprentice"
	ForeignOnly           Qualification = "foreign_only"
	Trainee               Qualification = "trainee"
	QualificationUnknown  Qualification = "unknown"
)

// lacking reports what is established as no qualification; a missing or doubtful one is not (§6.3 step 10, §6.5).
func (q Qualification) lacking() bool {
	return q == Unqualified || q == Forged || q == RevokedCertificate
}

// physician reports who is never the subject of the crime, whatever the cause text says: the item on practising without
// an institution's licence was deleted (法释〔2016〕27号, domain.md §4.2; §6.3 step 6).
func (q Qualification) physician() bool {
	return q == QualifiedRegistered || q == QualifiedUnregistered || q == AssistantPhysician || q == TCMSpecialist
}

// ServiceMode 送达方式 (domain.md §2.6.10).
type ServiceMode string

// Announcement 公告 is the mode whose day of service is computed.
const Announcement ServiceMode = "ANN"

// penaltyKinds are the 处罚种类 of 行政处罚法 art. 9 (domain.md §2.6.12); measures are what is written beside them and is no
// penalty.
var (
	penaltyKinds = []string{"P1", "P2a", "P2b", "P2c", "P3", "P4", "P5", "P6"}
	measures     = []string{"CORRECT", "BAN", "STOP", "REGISTER", "OPINION", "NONE"}
)

// countClass is the last column of domain.md §2.6.3 for the codes that are not class Q. The conditions written there are
// steps of their own.
type countClass uint8

const (
	classQ countClass = iota // a legal reviewer classifies; every code that is not in the table
	classK
	classN
)

var causes = map[string]countClass{
	"UP01": classK, // 医师法 art. 59
	"UP02": classK, // 基本医疗卫生与健康促进法 art. 99-1
	"UP05": classK, // 乡村医生从业管理条例 art. 42
	"UP06": classK, // 法释〔2016〕27号 art. 1(2)
	"UP08": classK, // as UP01 and UP02; 解释 art. 6 includes 医疗美容
	"UP10": classK, // 解释 art. 1(4)
	"IN01": classN, "IN02": classN, "IN03": classN, "IN04": classN,
}

// EventType 救济事项 (domain.md T05).
type EventType string

// The events of reconsideration and litigation.
const (
	Stayed            EventType = "stayed"
	StayLifted        EventType = "stay_lifted"
	ReviewApplied     EventType = "review_applied"
	ReviewDecided     EventType = "review_decided"
	ReviewWithdrawn   EventType = "review_withdrawn"
	SuitFiled         EventType = "suit_filed"
	Judgment          EventType = "judgment"
	SuitWithdrawn     EventType = "suit_withdrawn"
	WithdrawnByIssuer EventType = "withdrawn_by_issuer"
)

// eventOrder is how events of one day are read, outcomeOrder how two of one type on one day are (§6.4).
var (
	eventOrder = []EventType{Stayed, StayLifted, ReviewApplied, ReviewDecided, ReviewWithdrawn, SuitFiled, Judgment, SuitWithdrawn, WithdrawnByIssuer}

	outcomeOrder = []Outcome{Settled, Dismissed, Upheld, Varied, IllegalNotRevoked, OutcomeWithdrawn, Revoked, RevokedRedo, Void}
)

// Outcome is a code of a legal decision on a penalty (domain.md §2.6.5).
type Outcome string

// The outcomes.
const (
	Upheld            Outcome = "upheld"
	Varied            Outcome = "varied"
	Revoked           Outcome = "revoked"
	RevokedRedo       Outcome = "revoked_redo"
	IllegalNotRevoked Outcome = "illegal_not_revoked"
	Void              Outcome = "void"
	OutcomeWithdrawn  Outcome = "withdrawn_by_issuer"
	Dismissed         Outcome = "dismissed"
	Settled           Outcome = "settled"
)

// ends reports an outcome that annuls the penalty for good (行政复议法 arts. 63, 64; 行政诉讼法 arts. 70, 75; domain.md §6.4).
func (o Outcome) ends() bool {
	return o == Revoked || o == RevokedRedo || o == Void || o == OutcomeWithdrawn
}
