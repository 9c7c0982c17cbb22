package blacklist

import (
	"slices"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// Types that a Register keeps. Their later steps are records of their own (domain.md §2.1.1).
const (
	TypePerson      = "blacklist.person"
	TypePremises    = "blacklist.premises"
	TypeInstitution = "blacklist.institution"
	TypeHandle      = "blacklist.handle" // telephone, vehicle or account: a lead, never a count
	TypePenalty     = "penalty"
	TypeLink        = "identity.link" // 身份关联: evidence that two documents are one person's (domain.md §6.2, R1L)
	TypeRoster      = "duty_roster"   // 值班表 (domain.md T30)
)

// schemaVersion is the version that this release writes of each type.
const schemaVersion = "1"

// kind is what the Register knows of a type.
type kind struct {
	typ, correction, status, withdrawal string
	level                               record.Level // default in the alliance (domain.md §2.3)
	machine                             *workflow.Machine[facts]
	entry                               bool // a list entry (T01–T04)
	// thing says that it lists no person or body but a place or handle: it may rest on the work in which it was found alone,
	// and is then not shared above L1.
	thing bool
}

var kinds = []kind{
	{typ: TypePerson, correction: "blacklist.correction", status: "blacklist.status", withdrawal: "blacklist.withdrawal",
		level: record.L3, machine: EntryMachine, entry: true},
	{typ: TypePremises, correction: "premises.correction", status: "blacklist.status", withdrawal: "blacklist.withdrawal",
		level: record.L3, machine: EntryMachine, entry: true, thing: true},
	{typ: TypeInstitution, correction: "institution.correction", status: "blacklist.status", withdrawal: "blacklist.withdrawal",
		level: record.L3, machine: EntryMachine, entry: true},
	{typ: TypeHandle, correction: "handle.correction", status: "blacklist.status", withdrawal: "blacklist.withdrawal",
		level: record.L3, machine: EntryMachine, entry: true, thing: true},
	{typ: TypePenalty, correction: "penalty.correction", status: "penalty.status", level: record.L3, machine: PenaltyMachine},
	{typ: TypeLink, withdrawal: "identity.withdrawal", level: record.L3, machine: LinkMachine},
	{typ: TypeRoster, withdrawal: "roster.withdrawal", level: record.L3, machine: RosterMachine},
}

// IsEntry reports whether a type is one of list entries.
func IsEntry(typ string) bool {
	k, ok := kindOf(typ)
	return ok && k.entry
}

// kindOf returns the kind that typ begins.
func kindOf(typ string) (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.typ == typ })
	if i < 0 {
		return kind{}, false
	}
	return kinds[i], true
}

// schema returns the version of typ that this release writes.
func schema(typ string) *schemas.Type {
	t, ok := schemas.Lookup(typ, schemaVersion)
	if !ok {
		panic("blacklist: no schema of " + typ) // the catalogue is part of the program
	}
	return t
}

// levelOf returns the level at which a payload is shared: what the author wants, at most the default of the type, and not
// above L1 for an open case and for a person of 14 to 17 at the act (T01). A place or handle is not shared above the
// entries of persons that it names, which it would tell of, nor above L1 without a served penalty behind it.
func (k kind) levelOf(p *payload, s backing, wanted record.Level, asOf string) record.Level {
	level := k.level
	if k.thing {
		level = min(level, s.level)
		if !s.served {
			level = min(level, record.L1)
		}
	}
	if wanted != record.L0 {
		level = min(level, wanted)
	}
	if p.OpenCase {
		level = min(level, record.L1)
	}
	for _, w := range schema(k.typ).Warnings(p.raw, asOf) {
		if w.Code == "minor_14_to_17" {
			level = min(level, record.L1)
		}
	}
	return level
}

// toAll is the audience of the whole federation.
func toAll(l record.Level) map[record.GroupID]record.Level {
	return map[record.GroupID]record.Level{record.All: l}
}
