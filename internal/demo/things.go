package demo

import "fmt"

// Premises are where somebody of the story or the background practised (domain.md T02).
type Premises struct {
	Address, Town string
	Kind          string // domain.md §2.6.8
	Signboard     string // empty for none
	State         string
	Closed        int // how often
}

// Handle is a telephone, plate or account that somebody used (domain.md T04). Telephones begin with 154, plates have zeros:
// nobody's.
type Handle struct{ Kind, Value string }

// Institution is one that a decision is about (domain.md T03).
type Institution struct {
	Name   string
	Number string // of an old register
}

// counties are how addresses begin, by the bureau's region; of a city's bureau, one of its districts.
var counties = map[string]struct{ name, region string }{
	"310116": {"上海市金山区", "310116"}, "310117": {"上海市松江区", "310117"}, "310118": {"上海市青浦区", "310118"},
	"320509": {"江苏省苏州市吴江区", "320509"}, "330400": {"浙江省嘉兴市秀洲区", "330411"}, "330421": {"浙江省嘉兴市嘉善县", "330421"},
	"330482": {"浙江省平湖市", "330482"},
}

// of each hundred background decisions so many have premises and a handle: 60 and 120 of 400 (domain.md §7.2).
const premisesPercent, handlePercent = 15, 30

// falls spreads a share evenly over the decisions.
func falls(i, percent int) bool { return i*percent/100 != (i+1)*percent/100 }

// premises returns those of background decision i of a bureau, none for most.
func (b Bureau) premises(i int) Premises {
	if !falls(i, premisesPercent) {
		return Premises{}
	}
	kinds := []string{"RENT", "HOUSE", "SHOP", "BEAUTY", "MARKET"}
	return Premises{Address: fmt.Sprintf("%s样板镇样板村%d组%d号", counties[b.Region].name, 20+i/20, 100+i), Town: "样板镇", Kind: kinds[i%len(kinds)],
		State: []string{"active", "vacated", "demolished"}[i%3], Closed: 1 + i%2}
}

// handle returns the one of background decision i of a bureau, none for most.
func (b Bureau) handle(i int) Handle {
	plates := map[byte]string{'1': "沪A", '2': "苏E", '3': "浙F"} // by the second digit of the region
	switch {
	case !falls(i, handlePercent):
		return Handle{}
	case i%3 == 0:
		return Handle{"plate", fmt.Sprintf("%s0%04d", plates[b.Region[1]], 1+i)}
	case i%7 == 0:
		return Handle{"account", fmt.Sprintf("yangli_%04d", i)}
	}
	return Handle{"phone", fmt.Sprintf("1540001%04d", i)}
}

// base is what the entries of a decision have in common.
func (d Decision) base(penalty string) object {
	return object{"penalty_refs": []string{penalty}, "open_case": false, "legal_basis": "行政处罚法第26条", "purpose": "CASE",
		"occurred_at": d.From + "T09:00:00+08:00", "valid_until": after(d.Served, 3), "retention_until": after(d.Served, 5),
		"intake": "live", "synthetic": true}
}

func (o object) with(more object) ([]byte, error) {
	for k, v := range more {
		o[k] = v
	}
	return encode(o)
}

// PremisesEntry returns the payload of the entry of its premises, on the penalty and the person's entry with these ids.
func (d Decision) PremisesEntry(penalty, person string) ([]byte, error) {
	p, more := d.Premises, object{}
	if p.Signboard != "" {
		more["signboard"] = p.Signboard
	}
	more["address"] = object{"text": p.Address, "region": counties[d.Issuer.Region].region, "town": p.Town}
	more["premises_kind"], more["premises_state"], more["times_closed"] = p.Kind, p.State, p.Closed
	more["first_seen"], more["last_seen"] = d.From, d.To
	more["persons_seen"] = []object{{"ref": person, "from": d.From, "to": d.To}}
	return d.base(penalty).with(more)
}

// HandleEntry returns the payload of the entry of its handle; premises may be empty.
func (d Decision) HandleEntry(penalty, person, premises string) ([]byte, error) {
	more := object{"kind": d.Handle.Kind, "value": d.Handle.Value, "used_from": d.From, "used_to": nil, "person_refs": []string{person},
		"evidence": "现场所见(合成)"}
	switch d.Handle.Kind {
	case "plate":
		more["vehicle_kind"], more["plate_colour"] = "van", "blue"
	case "account":
		more["platform"] = "样例平台"
	}
	if premises != "" {
		more["premises_refs"] = []string{premises}
	}
	return d.base(penalty).with(more)
}

// InstitutionEntry returns the payload of the entry of its institution, which names the person's.
func (d Decision) InstitutionEntry(penalty, person string) ([]byte, error) {
	return d.base(penalty).with(object{"name": d.Institution.Name, "other_no": d.Institution.Number, "cause_codes": []string{d.Cause}, "link_refs": []string{person}})
}
