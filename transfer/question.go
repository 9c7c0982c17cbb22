package transfer

import (
	"fmt"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// Question is everything that the count depends on (domain.md §6.1). The zero value of every field means missing.
type Question struct {
	Subject   Person
	Penalties []Penalty  // of all members, any order; copies and superseded versions too
	Lines     []Line     // what members of level 2 answered about their own records
	L1Answers []L1Answer // what members of level 1 answered
	Links     []Link
	NewAct    *NewAct // the act that was met now; nil if none
	AsOf      identifier.Date
	Answered  int // members that answered, of Total that were asked
	Total     int
}

// Person 当事人 is what is known of a person. It prints as "[redacted]".
type Person struct {
	Name         string
	NameVariants []string // 曾用名, 化名, 绰号
	IDType       string   // domain.md §2.6.4
	IDNo         string
	IDCountry    string // of a passport
	IDNoOld      string // the 15-digit number of a resident
	IDQuality    IDQuality
	Sex          identifier.Sex
	Birth        Birth
	HukouRegion  string
	Phones       []Phone
}

// Format prints "[redacted]": a person stands in here in plain text.
func (p Person) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// Birth is a birth date, or its year alone when Day is no day.
type Birth struct {
	Year int
	Day  identifier.Date
}

// Phone is a number with the days between which it was the person's. A missing end is open.
type Phone struct {
	No       string
	From, To identifier.Date
}

// Penalty 行政处罚 is one record of a decision, as far as the count reads it (domain.md T05).
type Penalty struct {
	RecordID   string
	Origin     string // member code
	Version    int
	DocNo      string // as written
	IssuerUSCC string // as written
	IssuerKind IssuerKind

	RespondentKind RespondentKind
	Respondent     Person // of a sole trader the operator
	Practised      bool   // 当事人即行医人: the decision says that this person treated patients
	Cause          string // code of domain.md §2.6.3; open
	ActFrom        identifier.Date
	ActTo          identifier.Date
	ActPlace       string // six digits
	Qualification  Qualification
	Kinds          []string // what remains after the decision was varied

	Decided      identifier.Date
	Served       identifier.Date // as typed; of an announcement the day is computed
	ServiceMode  ServiceMode
	Announced    identifier.Date
	ServiceProof bool
	NotTold      bool // the decision is known not to have told of the remedies

	UsedInConviction bool
	Transferred      bool
	Suspended        *Suspension
	Objections       []identifier.Date // days on which one was received
	PhotoComparedBy  []string          // officers who compared the photos of subject and respondent
	Confirmed        []Confirmation
	Events           []Event
}

// Suspension 暂停 is the origin's statement that person or record is plausibly wrong (domain.md §5.1).
type Suspension struct {
	At, Lifted identifier.Date
	By         string // who decided; without a name it is ignored
}

// Event 救济事项 is one event of reconsideration or litigation.
type Event struct {
	Type    EventType
	At      identifier.Date // of a review decision the day it reached the person
	Outcome Outcome
	FinalOn identifier.Date // of a judgment; no day = not final
}

// Link is a record of evidence that two numbers belong to one person (R1L).
type Link struct {
	A, B       Document
	ApprovedBy string // the reviewer; without one the link is ignored
}

// Document is a numbered identity document. It prints as "[redacted]".
type Document struct{ Type, No, Country string }

// Format prints "[redacted]".
func (d Document) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// L1Answer is the bare number that a member of level 1 answers: its own Basic.
type L1Answer struct {
	Member    string
	Countable int
}

// NewAct is the act that was met now.
type NewAct struct {
	At                identifier.Date // of a continuing act its last day
	Place             string
	TreatingConfirmed bool     // a treating act, 诊疗活动 or 医疗美容
	Officers          []string // certificate numbers that signed, checked before (§5.3)
	EstablishedInCase bool     // already established in a case file
	Qualification     Qualification
}
