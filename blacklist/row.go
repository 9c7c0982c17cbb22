package blacklist

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// RowVersion numbers the code that makes rows: a read model of another version is made again before it answers
// (reliability-security.md §5 row 40).
const RowVersion = 1

// Row is what a read model keeps of a subject, for lists and filters. It holds nothing of a person: no name, number,
// address, and no reason in words.
type Row struct {
	Stream     record.StreamID
	Subject    record.RecordID
	Type       string
	Version    uint64
	Recorded   workflow.State // without the day; State computes the rest
	ValidUntil string         // empty = none known
	AnnulledOn string         // of a penalty: first day from which it has ended
	Content    record.RecordID
	Level      record.Level // at which the whole federation holds the content
	OpenCase   bool
	Served     bool
	Region     string // of a penalty: county of the act
	Cause      string // of a penalty
	First      string // civil day on which it was published
	Last       string // civil day of the newest record
	Seq        uint64 // of the newest record
}

// Project makes the row of a subject; false if there is none (nothing that can be read, or another type).
func Project(records []record.Stored) (Row, bool) {
	e, err := Fold(records, "")
	if err != nil {
		return Row{}, false
	}
	p := readMembers(members(e.Parts))
	last := e.History[len(e.History)-1]
	return Row{Stream: e.Stream, Subject: e.Subject, Type: e.Type, Version: e.Version, Recorded: e.Recorded, ValidUntil: e.ValidUntil,
		AnnulledOn: e.AnnulledOn(), Content: e.Content.Meaning.ID, Level: e.Audience[record.All], OpenCase: e.OpenCase, Served: e.Served,
		Region: p.ActPlace, Cause: p.CauseCode, First: e.History[0].Day, Last: last.Day, Seq: last.Seq}, true
}

// State returns the state as of a civil day, as Fold computes it.
func (w Row) State(asOf string) workflow.State {
	return stateOn(w.Recorded, w.AnnulledOn, w.ValidUntil, asOf)
}

// SheetRow is what a read model keeps of a draft.
type SheetRow struct {
	ID        record.RecordID
	Version   uint64
	State     workflow.State
	Type      string
	Unit      string
	Author    string // account that wrote the newest version
	Correct   record.RecordID
	Published record.RecordID
	Last      string // civil day of the newest record
}

// About is the published subject that the draft corrects or became; zero while there is none.
func (w SheetRow) About() record.RecordID {
	if !w.Correct.IsZero() {
		return w.Correct
	}
	return w.Published
}

// ProjectSheet makes the row of a draft; false if there is none.
func ProjectSheet(records []record.Stored) (SheetRow, bool) {
	d, err := FoldSheet(records)
	if err != nil {
		return SheetRow{}, false
	}
	w := SheetRow{ID: d.ID, Version: d.Version, State: d.State, Type: d.Type, Unit: d.Unit, Correct: d.Corrects.ID, Published: d.Published,
		Last: d.History[len(d.History)-1].Day}
	for _, s := range d.History {
		if s.Event == EventDraft || s.Event == EventAmend {
			w.Author = s.By.User
		}
	}
	return w, true
}

// Digest condenses a view as of a day: equal at all members of equal entitlement that have applied the same (I3). The
// part home counts for nothing, as the origin alone holds it.
func Digest(view []Entry, asOf string) [32]byte {
	sorted := slices.SortedFunc(slices.Values(view), func(a, b Entry) int {
		if a.Stream != b.Stream {
			return slices.Compare([]record.StreamID{a.Stream}, []record.StreamID{b.Stream})
		}
		return slices.Compare(a.Subject[:], b.Subject[:])
	})
	h := sha256.New()
	put(h, []byte(asOf))
	for _, e := range sorted {
		state := stateOn(e.Recorded, e.AnnulledOn(), e.ValidUntil, asOf)
		put(h, []byte(e.Stream), e.Subject[:], []byte(e.Type), binary.BigEndian.AppendUint64(nil, e.Version), []byte(state),
			[]byte(e.RemedyState), e.Content.Meaning.ID[:])
		for _, name := range []record.PartName{record.Card, record.Body} {
			put(h, []byte(name), e.Parts[name])
		}
	}
	return [32]byte(h.Sum(nil))
}

// put writes each piece with its length before it, so that no two lists of pieces look alike.
func put(h hash.Hash, pieces ...[]byte) {
	for _, b := range pieces {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
}
