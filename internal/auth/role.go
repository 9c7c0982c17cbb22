package auth

import (
	"slices"

	"github.com/pilinhub/pilin/federation"
)

// Role is what a person does in the bureau (domain.md §1.1). One person may have several.
type Role string

// The roles.
const (
	Liaison       Role = "liaison"        // 联络员
	Officer       Role = "officer"        // 执法人员
	Coordinator   Role = "coordinator"    // 牵头单位联络人
	LegalReviewer Role = "legal_reviewer" // 法制审核人员
	Head          Role = "head"           // 单位负责人
	Sentinel      Role = "sentinel"       // 哨点信息员
	Aide          Role = "aide"           // 协管员
	Supervisor    Role = "supervisor"     // 上级督办
	Auditor       Role = "auditor"        // 稽查
	SecurityAdmin Role = "security_admin" // 安全管理员
	SysAdmin      Role = "sys_admin"      // 系统管理员
	AuditAdmin    Role = "audit_admin"    // 安全审计员
)

// AllRoles lists the roles.
var AllRoles = []Role{Liaison, Officer, Coordinator, LegalReviewer, Head, Sentinel, Aide, Supervisor, Auditor,
	SecurityAdmin, SysAdmin, AuditAdmin}

// Act is something that a person asks this node to do.
type Act string

// The acts that need a role. What an entry's state allows, and that author and reviewer differ, the domains decide.
const (
	Ask        Act = "ask"        // put a question to the federation
	Count      Act = "count"      // reckon penalties that the asker brings along
	Draft      Act = "draft"      // write and submit entries, penalties
	Record     Act = "record"     // enter what happened to a penalty; which step is whose, the state machine says
	Review     Act = "review"     // return or approve what another wrote
	Publish    Act = "publish"    // publish, correct, suspend
	Confirm    Act = "confirm"    // withdraw, confirm a suspension, lift it
	ListOwn    Act = "list_own"   // list and read the bureau's own entries
	Plan       Act = "plan"       // plan, start, end, cancel operations
	Reply      Act = "reply"      // accept or decline an operation
	SeePlans   Act = "see_plans"  // list operations that the bureau takes part in
	Prove      Act = "prove"      // fetch inclusion proofs
	Administer Act = "administer" // create, disable, list accounts
	TakeBack   Act = "take_back"  // take signatures under an act back: one's own, or as a reviewer all
	SeeActs    Act = "see_acts"   // read who signed which act, and prove it
	SeeAudit   Act = "see_audit"  // read who looked up what for, without what was asked
	SeeStatus  Act = "see_status" // health of the federation
	SeeMetrics Act = "see_metrics"
	Delegate   Act = "delegate" // let somebody act as head; never by delegation

	SeeDelegations Act = "see_delegations"

	TakeNumber   Act = "take_number"   // take an on-the-spot check number
	SeeNumbers   Act = "see_numbers"   // list untied ones: one's own
	SettleNumber Act = "settle_number" // tie or close one's own
	Supervise    Act = "supervise"     // both of those of others
	Hear         Act = "hear"          // be told of changes as they come; of which, MayHear says
)

// may is the table of who may do what. A missing line refuses. The three administrators of 等保 (system, security,
// audit) and the auditor never write or approve a record.
var may = map[Act][]Role{
	Ask:        {Officer, Liaison, LegalReviewer, Head, Coordinator},
	Count:      {Officer, Liaison, LegalReviewer, Head},
	Draft:      {Liaison, Officer},
	Record:     {Liaison, Officer, LegalReviewer, Head},
	Review:     {LegalReviewer},
	Publish:    {Liaison, LegalReviewer, Head},
	Confirm:    {Head},
	ListOwn:    {Liaison, Officer, LegalReviewer, Head, Auditor},
	Plan:       {Coordinator, Liaison, Head},
	Reply:      {Liaison, Head},
	SeePlans:   {Coordinator, Liaison, Officer, LegalReviewer, Head},
	Prove:      {Liaison, Officer, LegalReviewer, Head, Auditor, AuditAdmin},
	Administer: {SysAdmin},
	TakeBack:   {Officer, LegalReviewer},
	SeeActs:    {LegalReviewer, Head, Auditor},
	SeeAudit:   {Auditor, AuditAdmin},
	SeeStatus:  {Liaison, Officer, Coordinator, LegalReviewer, Head, Auditor, SecurityAdmin, SysAdmin, AuditAdmin},
	SeeMetrics: {SecurityAdmin, SysAdmin, AuditAdmin},
	Delegate:   {Head},

	SeeDelegations: {Liaison, Officer, LegalReviewer, Head, Auditor, AuditAdmin},

	TakeNumber:   {Officer, Liaison},
	SeeNumbers:   {Officer, Liaison, LegalReviewer, Head, Coordinator, Auditor},
	SettleNumber: {Officer, Liaison, LegalReviewer, Head},
	Supervise:    {LegalReviewer, Head, Coordinator, Auditor},
	Hear:         {Liaison, Officer, Coordinator, LegalReviewer, Head, Auditor},
}

// May reports whether one of the roles may do act.
func May(roles []Role, act Act) bool {
	return slices.ContainsFunc(may[act], func(r Role) bool { return slices.Contains(roles, r) })
}

// Allowing returns the roles that may do act; none for an act that does not exist.
func Allowing(act Act) []Role { return slices.Clone(may[act]) }

// MayAsk reports whether one of the roles may ask with this purpose. A coordinator asks for figures only; an audit opens
// the log, it asks nobody; nobody but those who answer for a record asks in order to correct it.
func MayAsk(roles []Role, p federation.Purpose) bool {
	switch p {
	case federation.PurposeAudit:
		return false
	case federation.PurposeStat, federation.PurposeTest:
		return May(roles, Ask)
	case federation.PurposeJoint:
		return has(roles, Officer, Liaison, LegalReviewer, Head, Coordinator)
	case federation.PurposeCorrect, federation.PurposeAssist:
		return has(roles, Liaison, LegalReviewer, Head)
	}
	return has(roles, Officer, Liaison, LegalReviewer, Head)
}

func has(roles []Role, want ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(want, r) })
}

// CheckRoles returns a role that does not exist, or a pair that one person may not hold together: whoever administers the
// system does not approve records or audit, and whoever audits does neither of the others (三权分立).
func CheckRoles(roles []Role) error {
	for i, r := range roles {
		if !slices.Contains(AllRoles, r) || slices.Contains(roles[:i], r) {
			return ErrRoleUnknown
		}
	}
	operations := []Role{Liaison, Officer, Coordinator, LegalReviewer, Head}
	switch {
	case len(roles) == 0:
		return ErrRoleUnknown
	case has(roles, SysAdmin, SecurityAdmin) && has(roles, operations...),
		has(roles, SysAdmin, SecurityAdmin) && has(roles, Auditor, AuditAdmin),
		has(roles, Auditor) && has(roles, operations...),
		has(roles, LegalReviewer) && has(roles, Sentinel, Aide):
		return ErrRolesApart
	}
	return nil
}
