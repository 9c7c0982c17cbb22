// Package match says who may be the same: it reads a question as people type it, finds the subjects whose names, numbers
// or places may be meant, and explains each candidate line by line, in bits that add up to its score.
//
// It reads identifiers with package schemas/identifier, normalises with match/normal and holds everything in memory. It
// leaves to others who may ask, what of a record may be shown, which day a record is valid on, and which records there
// are: federation and blacklist. No key of it ever leaves the node (domain.md §2.3).
package match

import (
	"fmt"
	"log/slog"

	"github.com/pilinhub/pilin/schemas"
)

// Outcome is what a candidate amounts to.
type Outcome string

// The outcomes of a candidate. 同名不等于本人: Possible is for a person to decide.
const (
	Hit      Outcome = "hit"      // a gate holds and nothing contradicts
	Possible Outcome = "possible" // something agrees that is not enough, or something contradicts
)

// maxCompared bounds the work on one pair of names; honest names are far shorter (T01: 50 characters).
const maxCompared = 64

// Doc is one subject as records tell it: where it stands and what it can be found by.
type Doc struct {
	Stream  string   // "310116-01/records"
	Subject [16]byte // a record.RecordID
	// Seq is the sequence of the newest record of the subject that was considered. It orders changes of the subject: an
	// older Put or Delete never undoes a newer one.
	Seq         uint64
	Identifiers []schemas.Identifier // schemas.Type.Identifiers of the parts at hand
}

// Format prints where the document stands and never what it says.
func (d Doc) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s %x", d.Stream, d.Subject) }

// LogValue is Format for log/slog.
func (d Doc) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(d)) }

// Entry gives what the engine keeps of a document: the same identifiers by their use. Numbers that are not strong identify
// nobody alone; they stand among the doubtful.
func (d Doc) Entry() Entry {
	e := Entry{Ref: Ref{d.Stream, d.Subject}, Seq: d.Seq}
	birth := ""
	for _, id := range d.Identifiers {
		if id.Value == "" {
			continue
		}
		switch id.Kind {
		case kindName:
			if e.Name == "" {
				e.Name = id.Value
			} else {
				e.Aliases = append(e.Aliases, id.Value)
			}
		case kindNameVariant:
			e.Aliases = append(e.Aliases, id.Value)
		case kindOrgName:
			e.Orgs = append(e.Orgs, id.Value)
		case kindBirth:
			e.Birth = id.Value
		case kindSex:
			e.Sex = id.Value
		case kindPhone:
			e.Phones = append(e.Phones, id.Value)
		case kindPlate:
			e.Plates = append(e.Plates, id.Value)
		case kindAddress:
			e.Addresses = append(e.Addresses, id.Value)
		case kindResident:
			e.addDocument(id.Kind, id.Value, false)
			if id.Strong {
				e.IDs = append(e.IDs, id.Value)
			}
		default:
			e.addDocument(id.Kind, id.Value, id.Strong)
			if id.Kind == kindResidence && id.Strong && len(id.Value) == 18 {
				birth = id.Value[6:10] + "-" + id.Value[10:12] + "-" + id.Value[12:14]
			}
		}
	}
	if birth != "" { // what the number says is the better known
		e.Birth = birth
	}
	return e
}
