package match

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/pilinhub/pilin/match/normal"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Ref is where a subject stands: a subject of one stream.
type Ref struct {
	Stream  string
	Subject [16]byte
}

// Entry is one person, institution or place as records tell it: what it can be found by, as written. Empty fields are not
// known. It prints as where it stands.
type Entry struct {
	Ref       Ref
	Seq       uint64 // of the newest record considered; an older Put or Delete never undoes a newer one
	Name      string
	Aliases   []string
	Orgs      []string // names of institutions
	Sex       string   // 1 or M male, 2 or F female; anything else is not known
	Birth     string   // YYYY-MM-DD or YYYY
	IDs       []string // resident numbers
	Documents []string // other documents and codes that identify alone, as "kind:number" in the form of package identifier
	Doubtful  []string // numbers and codes that are at most possible, in the same form
	Phones    []string
	Plates    []string
	Addresses []string
	County    string // six digits, when a record says it apart from its address
	Shelf     uint32 // where it stands for those who may see it: whatever is on one shelf is seen by the same (Within)
}

// Format prints where the entry stands and never what it says.
func (e Entry) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s %x", e.Ref.Stream, e.Ref.Subject)
}

// LogValue is Format for log/slog.
func (e Entry) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// subject is an entry read once.
type subject struct {
	ref      Ref
	seq      uint64
	shelf    uint32
	names    []normal.Name
	main     int // how many of names are not aliases
	sex      byte
	birth    string
	county   string
	ids      []normal.ID
	papers   []string
	doubtful []string
	phones   []string
	plates   []normal.Plate
	places   []normal.Address
	orgs     []normal.Institution
}

func readEntry(e *Entry) *subject {
	s := &subject{ref: e.Ref, seq: e.Seq, shelf: e.Shelf, sex: readSex(e.Sex), birth: readBirth(e.Birth), county: e.County, papers: slices.Clone(e.Documents), doubtful: slices.Clone(e.Doubtful)}
	name := func(n string) {
		if read := normal.ReadName(n); read.Form != normal.NoName {
			s.names = append(s.names, read)
		}
	}
	if normal.LooksInstitutional(e.Name) {
		s.org(e.Name)
	} else {
		name(e.Name)
	}
	s.main = len(s.names)
	for _, a := range e.Aliases {
		if normal.LooksInstitutional(a) {
			s.org(a)
		} else {
			name(a)
		}
	}
	if s.main > 0 && s.names[0].Form == normal.Mono {
		for i := s.main; i < len(s.names); i++ {
			if s.names[i].Form == normal.Han {
				s.names[i].AsMono()
			}
		}
	}
	for _, o := range e.Orgs {
		s.org(o)
	}
	for _, n := range e.IDs {
		if id := normal.ReadID(n, false); id.Number != "" || id.Part != "" {
			s.ids = append(s.ids, id)
		}
	}
	for _, p := range e.Phones {
		if ph := normal.ReadPhone(p); ph.Number != "" && !slices.Contains(s.phones, ph.Number) {
			s.phones = append(s.phones, ph.Number)
		}
	}
	for _, p := range e.Plates {
		if pl := normal.ReadPlate(p); pl.Bare != "" {
			s.plates = append(s.plates, pl)
		}
	}
	for _, a := range e.Addresses {
		if ad := normal.ReadAddress(a); !ad.IsZero() {
			s.places = append(s.places, ad)
			if s.county == "" {
				s.county = ad.County
			}
		}
	}
	for _, id := range s.ids { // what the number says is the better known
		if id.Birth != "" && id.Valid {
			s.birth = id.Birth
		}
		if id.Sex != 0 && s.sex == 0 {
			s.sex = id.Sex
		}
	}
	return s
}

func (s *subject) org(n string) {
	if o := normal.ReadInstitution(n); o.Core != "" {
		s.orgs = append(s.orgs, o)
	}
}

func readSex(s string) byte {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "1", "M", "男":
		return 1
	case "2", "F", "女":
		return 2
	}
	return 0
}

// readBirth returns YYYY-MM-DD, YYYY or nothing; separators may be . / 年 or none.
func readBirth(s string) string {
	d := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if len(d) == 1 && len(d[0]) == 8 {
		d = []string{d[0][:4], d[0][4:6], d[0][6:]}
	}
	if len(d) == 0 || len(d[0]) != 4 {
		return ""
	}
	if len(d) == 3 && len(d[1]) <= 2 && len(d[2]) <= 2 {
		full := fmt.Sprintf("%s-%02s-%02s", d[0], d[1], d[2])
		if _, err := identifier.ParseDate(full); err == nil {
			return full
		}
	}
	return d[0]
}
