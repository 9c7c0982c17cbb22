// Package match says who may be the same: it normalises a question, finds the records that carry the same identifiers,
// and explains each candidate line by line. In this version it knows exact identifiers, near resident numbers where a
// check digit is wrong, and an equal name with an equal birth date; the scored engine of later versions stands behind the
// same three calls, Put, Delete and Find.
//
// It reads identifiers with package schemas/identifier and holds everything in memory. It leaves to others who may ask,
// what of a record may be shown, which day a record is valid on, and which records there are: federation and blacklist.
// No key of it ever leaves the node (domain.md §2.3).
package match

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/pilinhub/pilin/schemas"
)

// Version names the rules of normalising and comparing. Who keeps keys or answers made by another version makes them
// again before it answers (reliability-security.md §5 row 40).
const Version = "match-v1"

// Doc is one subject as the index knows it: where it stands and what it can be found by.
type Doc struct {
	Stream  string   // "310116-01/records"
	Subject [16]byte // a record.RecordID
	Record  [16]byte // the record whose content the identifiers were read from
	Version uint64   // of the subject
	// Seq is the sequence of the newest record of the subject that was considered. It orders changes of the subject: an
	// older Put or Delete never undoes a newer one.
	Seq         uint64
	Identifiers []schemas.Identifier // schemas.Type.Identifiers of the parts at hand; the index does not change them
}

// Format prints where the document stands and never what it says.
func (d Doc) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s %x v%d", d.Stream, d.Subject, d.Version)
}

// LogValue is Format for log/slog.
func (d Doc) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(d)) }

// Kinds of identifiers that the index looks at. Others (sex, region, issuer) never make a candidate.
const (
	kindName        = "name"
	kindNameVariant = "name_variant"
	kindOrgName     = "org_name"
	kindBirth       = "birth_date"
	kindResident    = "resident_id"
	kindResidence   = "residence_permit"
	kindPassport    = "passport"
	kindOther       = "other_document"
	kindUSCC        = "uscc"
	kindPhone       = "phone"
	kindDocNo       = "doc_no"
	kindDecision    = "decision"
)

// documents are the kinds of a person's document number. changes says that the number changes on renewal, so that a
// difference proves nothing (domain.md §3.4).
var documents = map[string]struct{ changes bool }{
	kindResident:       {},
	kindResidence:      {},
	"hk_macau_permit":  {},
	"taiwan_permit":    {},
	"foreign_resident": {changes: true}, // the card of 2023 has a new number
	kindPassport:       {changes: true},
	kindOther:          {changes: true},
}

// face is what Find compares: a document's identifiers by their use.
type face struct {
	doc     Doc
	ids     []schemas.Identifier // person's documents
	names   []schemas.Identifier // normalised, of any name kind
	births  []string             // YYYY-MM-DD or YYYY
	phones  []string
	usccs   []schemas.Identifier
	docNos  []string
	decided []schemas.Identifier // "issuer USCC/number"
}

func faceOf(d Doc) *face {
	d.Identifiers = slices.Clone(d.Identifiers)
	f := &face{doc: d}
	for _, id := range d.Identifiers {
		if id.Value == "" {
			continue
		}
		switch id.Kind {
		case kindName, kindNameVariant, kindOrgName:
			id.Value = NormaliseName(id.Value)
			f.names = append(f.names, id)
		case kindBirth:
			f.births = append(f.births, id.Value)
		case kindPhone:
			f.phones = append(f.phones, id.Value)
		case kindUSCC:
			f.usccs = append(f.usccs, id)
		case kindDocNo:
			f.docNos = append(f.docNos, id.Value)
		case kindDecision:
			f.decided = append(f.decided, id)
		default:
			if _, ok := documents[id.Kind]; ok {
				f.ids = append(f.ids, id)
				if b := birthIn(id.Kind, id.Value); b != "" && id.Strong {
					f.births = append(f.births, b)
				}
			}
		}
	}
	return f
}

// birthIn returns the birth date that a number carries; empty if it carries none. The number has been read before, so
// its form is known.
func birthIn(kind, number string) string {
	if kind != kindResident && kind != kindResidence || len(number) != 18 {
		return ""
	}
	return number[6:10] + "-" + number[10:12] + "-" + number[12:14]
}

// keys lists what the document is found under, each once.
func (f *face) keys() []string {
	var out []string
	add := func(kind, value string) {
		if k := key(kind, value); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	for _, id := range f.ids {
		add(documentKey, id.Value)
		if n, ok := passportNumber(id); ok {
			add(documentKey, n)
		}
	}
	for _, n := range f.names {
		add(kindName, n.Value)
		for _, b := range f.births {
			add(kindBirth, skeleton(n.Value)+"\x00"+b)
		}
	}
	for _, p := range f.phones {
		add(kindPhone, p)
	}
	for _, u := range f.usccs {
		add(kindUSCC, u.Value)
	}
	for _, n := range f.docNos {
		add(kindDocNo, n)
	}
	return out
}

// documentKey is the key kind of every person's document: a number written under another type is found and then judged.
const documentKey = "document"

func key(kind, value string) string { return kind + "\x00" + value }

// passportNumber is the number of a passport without its country.
func passportNumber(id schemas.Identifier) (string, bool) {
	if id.Kind != kindPassport || len(id.Value) < 5 || id.Value[3] != ':' {
		return "", false
	}
	return id.Value[4:], true
}
