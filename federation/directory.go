package federation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pilinhub/pilin/record"
)

// Directory 名录 holds the verified charter chain, the member statements in force, the agreements that name this member
// and this member's keys. Readers see one immutable view; Add, AddStatement and AddAgreement swap it. It is safe for use
// by several goroutines. It keeps nothing on disk: the node stores the notes and gives them back at start, in any order
// that names what came before.
type Directory struct {
	keys *Keys
	mu   sync.Mutex // writers
	now  atomic.Pointer[view]
}

// view is what the documents of one moment say together.
type view struct {
	chain      chain
	tip        *standing
	members    map[record.MemberID]Member // tip with pending statements
	pending    []statementNote            // statements in force that no version has folded in
	agreements []agreementNote            // newest note of each group
	older      []agreementNote            // notes that were extended; their keys still open what they sealed
	opened     map[record.KeyID]record.EpochKey
}

type statementNote struct {
	*Statement
	note []byte
}

type agreementNote struct {
	*Agreement
	note []byte
}

// NewDirectory starts from charter version 1, which it verifies. keys are this member's; nil keys make a Directory that
// verifies for somebody who is no member (pilin verify).
func NewDirectory(keys *Keys, first []byte) (*Directory, error) {
	c, _, err := chain{}.add(first)
	if err != nil {
		return nil, fmt.Errorf("new directory: %w", err)
	}
	d := &Directory{keys: keys}
	d.swap(&view{chain: c})
	return d, nil
}

// Add takes a charter version. changed is false if it was here already. ErrMissing asks for the versions before it first;
// ErrSigners, ErrRefused, ErrOtherFederation and ErrMalformed are final, and the Directory is as it was.
func (d *Directory) Add(note []byte) (changed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := *d.now.Load()
	v.chain, changed, err = v.chain.add(note)
	if err != nil {
		return false, fmt.Errorf("add charter: %w", err)
	}
	if changed {
		d.swap(&v)
	}
	return changed, nil
}

// AddStatement takes a member statement; it is in force when this returns. Errors as Add.
func (d *Directory) AddStatement(note []byte) (changed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := *d.now.Load()
	s, err := readNote(note)
	if err != nil {
		return false, fmt.Errorf("add statement: %w", err)
	}
	st, err := parseStatementText(s)
	if err != nil {
		return false, fmt.Errorf("add statement: %w", err)
	}
	if v.knowsStatement(st) {
		return false, nil
	}
	members, counters := v.inForce()
	if err := foldOne(v.tip.Federation, members, counters, note); err != nil {
		return false, fmt.Errorf("add statement: %w", err)
	}
	v.pending = append(slices.Clone(v.pending), statementNote{st, slices.Clone(note)})
	d.swap(&v)
	return true, nil
}

// knowsStatement reports whether the very statement is in force or folded in.
func (v *view) knowsStatement(st *Statement) bool {
	for _, p := range v.pending {
		if p.Hash == st.Hash {
			return true
		}
	}
	for _, c := range v.chain.line {
		for _, n := range c.Statements {
			if s, err := readNote([]byte(n)); err == nil && s.hash == st.Hash {
				return true
			}
		}
	}
	return false
}

// AddAgreement takes an agreement note that names this member. A second note of the same group must come from the same
// founder and extend the first. Errors as Add.
func (d *Directory) AddAgreement(note []byte) (changed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := *d.now.Load()
	s, err := readNote(note)
	if err != nil {
		return false, fmt.Errorf("add agreement: %w", err)
	}
	a, err := parseAgreementText(s)
	if err != nil {
		return false, fmt.Errorf("add agreement: %w", err)
	}
	if err := v.verifyAgreement(a, s); err != nil {
		return false, fmt.Errorf("add agreement: %w", err)
	}
	if !slices.Contains(a.Members, d.Self()) {
		return false, fmt.Errorf("add agreement: %w: it does not name this member", ErrRefused)
	}
	mine := agreementNote{a, slices.Clone(note)}
	i := slices.IndexFunc(v.agreements, func(o agreementNote) bool { return o.Group == a.Group })
	if i < 0 {
		if v.reusesKey(a) {
			return false, fmt.Errorf("add agreement: %w: key id used before", ErrRefused)
		}
		v.agreements = append(slices.Clone(v.agreements), mine)
		d.swap(&v)
		return true, nil
	}
	switch old := v.agreements[i]; {
	case old.ID == a.ID || old.extends(a):
		return false, nil
	case a.extends(old.Agreement):
		v.agreements = slices.Clone(v.agreements)
		v.agreements[i] = mine
		v.older = append(slices.Clone(v.older), old)
		d.swap(&v)
		return true, nil
	}
	return false, fmt.Errorf("add agreement: %w: it does not extend the group's other agreement", ErrRefused)
}

// reusesKey reports whether one of a's key ids is taken: an id must never name two keys.
func (v *view) reusesKey(a *Agreement) bool {
	for _, e := range a.Epochs {
		if _, ok := v.opened[e.Key]; ok {
			return true
		}
	}
	return false
}

// inForce returns the members and counters with the pending statements applied.
func (v *view) inForce() (map[record.MemberID]Member, map[record.MemberID]uint64) {
	tip := v.chain.tip()
	members, counters := cloneStanding(tip)
	for _, p := range v.pending {
		_ = foldOne(tip.Federation, members, counters, p.note) // swap dropped those that do not apply
	}
	return members, counters
}

func cloneStanding(st *standing) (map[record.MemberID]Member, map[record.MemberID]uint64) {
	return maps.Clone(st.members), maps.Clone(st.counters)
}

// swap completes v and makes it the view of now.
func (d *Directory) swap(v *view) {
	v.tip = v.chain.tip()
	members, counters := maps.Clone(v.tip.members), maps.Clone(v.tip.counters)
	var pending []statementNote
	for _, p := range v.pending {
		// A version may have folded it in, or another statement under the same counter: then that one counts.
		if foldOne(v.tip.Federation, members, counters, p.note) == nil {
			pending = append(pending, p)
		}
	}
	v.pending, v.members = pending, members
	v.opened = d.open(v)
	d.now.Store(v)
}

// open opens the epochs that are wrapped for this member; what was open before stays open.
func (d *Directory) open(v *view) map[record.KeyID]record.EpochKey {
	out := maps.Clone(v.opened)
	if out == nil {
		out = map[record.KeyID]record.EpochKey{}
	}
	if d.keys == nil {
		return out
	}
	open := func(g record.GroupID, epochs []Epoch) {
		for _, e := range epochs {
			if _, ok := out[e.Key]; ok {
				continue
			}
			if k, ok := OpenEpoch(g, e, d.keys.Member, d.keys.kems()...); ok {
				out[e.Key] = k
			}
		}
	}
	for _, st := range v.chain.all() {
		for _, g := range st.Groups {
			open(g.ID, g.Epochs)
		}
	}
	for _, a := range v.agreements {
		open(a.Group, a.Epochs)
	}
	return out
}

// currentSigner returns the signer of the key that the charter has for this member now.
func (d *Directory) currentSigner() (*record.Signer, error) {
	if d.keys == nil {
		return nil, errors.New("no keys of a member here")
	}
	m, ok := d.Member(d.keys.Member)
	if !ok {
		return nil, fmt.Errorf("%s is not in the charter", d.keys.Member)
	}
	sg, ok := d.keys.SignerOf(m.current())
	if !ok {
		return nil, fmt.Errorf("the charter's signing key of %s is not in the key file", d.keys.Member)
	}
	return sg, nil
}
