package federation

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// Errors of charters, statements and agreements; the wrapping text says which document and why.
var (
	// ErrSigners: too few of those who must sign have signed.
	ErrSigners = errors.New("not enough signatures")
	// ErrRefused: the document breaks a rule of the charter.
	ErrRefused = errors.New("refused")
	// ErrHistoryNone: a group of history "none". The format knows it (charter.md §1), but this release would hand older parts
	// to newcomers all the same: no charter or agreement with such a group is taken. Its first word is a stable code.
	ErrHistoryNone = errors.New("history_none_unbuilt: 本版本尚不能对新成员隐去组内旧记录,含此类组的名册或协议一律不予接受 · this release cannot yet keep older records of a group from newcomers; a charter or agreement with such a group is refused")
	// ErrMissing: the document follows one that is not here yet; fetch that first.
	ErrMissing = errors.New("follows a document that is not here")
	// ErrOtherFederation: the document belongs to another federation.
	ErrOtherFederation = errors.New("another federation")
)

// unfit gives what a document's check found its class: a document that this release does not take is refused, any other
// is malformed.
func unfit(err error) error {
	if errors.Is(err, ErrHistoryNone) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// Quorum returns k = ⌊2m/3⌋+1, how many of m active members must sign a version: strictly more than two thirds, so that
// one double signer cannot carry two versions (charter.md §1).
func Quorum(m int) int { return 2*m/3 + 1 }

// RemovalQuorum returns how many of the m−1 others must sign the removal of one of m active members: min(k, m−1) and at
// least two, so that in a federation of two nobody can be removed.
func RemovalQuorum(m int) int { return max(2, min(Quorum(m), m-1)) }

func compareMembers(a, b record.MemberID) int { return cmp.Compare(a, b) }

// standing is what one version of the chain makes of the members: an immutable value.
type standing struct {
	*Charter
	note     []byte
	signers  []record.MemberID // whose lines verified
	members  map[record.MemberID]Member
	counters map[record.MemberID]uint64 // last statement folded in
}

// found verifies version 1: signed by every member that it names.
func found(c *Charter, s signed) (*standing, error) {
	if c.Version != 1 || len(c.Statements) > 0 {
		return nil, fmt.Errorf("charter version %d: %w: want version 1 without statements", c.Version, ErrRefused)
	}
	st := &standing{Charter: c, note: s.note, members: map[record.MemberID]Member{}, counters: map[record.MemberID]uint64{}}
	for _, m := range c.Members {
		if m.State != Active || !fresh(m) {
			return nil, fmt.Errorf("charter version 1: %w: %s is not a new active member", ErrRefused, m.Code)
		}
		if !s.by(charterName(m.Code), m.current()) {
			return nil, fmt.Errorf("charter version 1: %s: %w", m.Code, ErrSigners)
		}
		st.signers = append(st.signers, m.Code)
		st.members[m.Code] = m
	}
	for _, g := range c.Groups {
		if len(g.Epochs) != 1 {
			return nil, fmt.Errorf("charter version 1: %w: group %s: want one epoch", ErrRefused, g.ID)
		}
	}
	return st, nil
}

// fresh reports whether m has the key history of a newcomer.
func fresh(m Member) bool { return len(m.Sign) == 1 && len(m.Revoked) == 0 }

// succeed verifies c as a successor of base: what it changes, and that enough signed. With rivals, two valid successors
// of base that c names both, everybody but those who signed both must sign.
func (base *standing) succeed(c *Charter, s signed, rivals ...*standing) (*standing, error) {
	fail := func(err error) (*standing, error) { return nil, fmt.Errorf("charter version %d: %w", c.Version, err) }
	want := base.Version + 1
	if len(rivals) == 2 {
		want++ // it also comes after the two that it ends
	}
	switch {
	case c.Federation != base.Federation:
		return fail(ErrOtherFederation)
	case c.Version != want:
		return fail(fmt.Errorf("%w: want version %d", ErrRefused, want))
	case c.Synthetic != base.Synthetic:
		return fail(fmt.Errorf("%w: synthetic is a property of the federation", ErrRefused))
	case c.Day < base.Day:
		return fail(fmt.Errorf("%w: earlier day than the version before", ErrRefused))
	}
	next := &standing{Charter: c, note: s.note, counters: maps.Clone(base.counters)}
	folded, err := base.fold(c.Statements, next.counters)
	if err != nil {
		return fail(err)
	}
	removed, err := compareMemberLists(c, base.members, folded)
	if err != nil {
		return fail(err)
	}
	if err := compareGroups(c, base.Charter, len(rivals) == 2); err != nil {
		return fail(err)
	}
	next.signers = base.signed(s, folded)
	if err := base.enough(next.signers, folded, removed, rivals); err != nil {
		return fail(err)
	}
	next.members = map[record.MemberID]Member{}
	for _, m := range c.Members {
		next.members[m.Code] = m
	}
	return next, nil
}

// fold applies statement notes, in order, to the base's members; counters are advanced.
func (base *standing) fold(notes []string, counters map[record.MemberID]uint64) (map[record.MemberID]Member, error) {
	members := maps.Clone(base.members)
	for _, n := range notes {
		if err := foldOne(base.Federation, members, counters, []byte(n)); err != nil {
			return nil, err
		}
	}
	return members, nil
}

func foldOne(fed record.FederationID, members map[record.MemberID]Member, counters map[record.MemberID]uint64, note []byte) error {
	s, err := readNote(note)
	if err != nil {
		return err
	}
	st, err := parseStatementText(s)
	if err != nil {
		return err
	}
	m, ok := members[st.Member]
	switch {
	case st.Federation != fed:
		return fmt.Errorf("statement %d of %s: %w", st.Counter, st.Member, ErrOtherFederation)
	case !ok:
		return fmt.Errorf("statement %d of %s: %w: no such member", st.Counter, st.Member, ErrMissing)
	case st.Counter > counters[st.Member]+1:
		return fmt.Errorf("statement %d of %s: %w", st.Counter, st.Member, ErrMissing)
	case st.Counter <= counters[st.Member]:
		return fmt.Errorf("statement %d of %s: %w: counter used before", st.Counter, st.Member, ErrRefused)
	}
	for _, other := range members {
		reused := slices.ContainsFunc(other.Sign, func(k SignKey) bool { return st.Kind == Rotate && k.Key.Equal(st.Key) })
		if reused || other.State == Active && other.Code != m.Code && st.TLS != (Hash{}) && other.TLS == st.TLS {
			return fmt.Errorf("statement %d of %s: %w: key used before", st.Counter, st.Member, ErrRefused)
		}
	}
	if m, err = applyStatement(m, st, s); err != nil {
		return err
	}
	members[st.Member] = m
	counters[st.Member] = st.Counter
	return nil
}

// compareMemberLists checks that c changes a member's keys, address and leaving only by its own statements, admits
// newcomers properly and removes at most one, whom it returns. A removal stands alone, since fewer than k may carry it.
func compareMemberLists(c *Charter, before, folded map[record.MemberID]Member) (removed record.MemberID, err error) {
	admitted := false
	for _, m := range c.Members {
		old, known := folded[m.Code]
		if !known {
			if m.State != Active || !fresh(m) {
				return "", fmt.Errorf("%w: %s is not a new active member", ErrRefused, m.Code)
			}
			admitted = true
			continue
		}
		if !sameKeys(m, old) {
			return "", fmt.Errorf("%w: %s: keys or address changed without its statement", ErrRefused, m.Code)
		}
		switch {
		case m.State == old.State:
		case m.State == Removed && old.State == Active && removed == "":
			removed = m.Code
		default:
			return "", fmt.Errorf("%w: %s: state %s after %s", ErrRefused, m.Code, m.State, old.State)
		}
	}
	for code := range before {
		if _, ok := c.Member(code); !ok {
			return "", fmt.Errorf("%w: %s is missing", ErrRefused, code)
		}
	}
	if removed != "" && admitted {
		return "", fmt.Errorf("%w: a version that removes admits nobody", ErrRefused)
	}
	return removed, nil
}

func sameKeys(a, b Member) bool {
	return slices.EqualFunc(a.Sign, b.Sign, func(x, y SignKey) bool { return x.From == y.From && x.Key.Equal(y.Key) }) &&
		slices.EqualFunc(a.Revoked, b.Revoked, sameRevocation) &&
		a.KEM == b.KEM && a.TLS == b.TLS && a.Address == b.Address && a.Recovery.Equal(b.Recovery)
}

func sameRevocation(a, b Revocation) bool {
	return a.CompromisedFrom == b.CompromisedFrom && a.Key.Equal(b.Key)
}

// compareGroups checks that groups keep their past epochs. That a change of members makes a new epoch follows: the last
// epoch of a version is wrapped for exactly its members (checkEpochs).
func compareGroups(c, base *Charter, merge bool) error {
	for _, old := range base.Groups {
		i := slices.IndexFunc(c.Groups, func(g Group) bool { return g.ID == old.ID })
		if i < 0 {
			return fmt.Errorf("%w: group %s is missing", ErrRefused, old.ID)
		}
		g := c.Groups[i]
		if g.History != old.History || len(g.Epochs) < len(old.Epochs) ||
			!slices.EqualFunc(g.Epochs[:len(old.Epochs)], old.Epochs, sameEpoch) {
			return fmt.Errorf("%w: group %s: its past changed", ErrRefused, g.ID)
		}
		grown := len(g.Epochs) - len(old.Epochs)
		if grown > 1 && !merge {
			return fmt.Errorf("%w: group %s: more than one new epoch", ErrRefused, g.ID)
		}
	}
	return nil
}

func sameEpoch(a, b Epoch) bool {
	return a.Key == b.Key && slices.EqualFunc(a.Wraps, b.Wraps, func(x, y Wrap) bool {
		return x.Member == y.Member && slices.Equal(x.Enc, y.Enc)
	})
}

// signed returns which of the base's active members signed, each under its key in the base or under the one that a
// statement of the new version brings; a key that is revoked there does not count.
func (base *standing) signed(s signed, folded map[record.MemberID]Member) []record.MemberID {
	var out []record.MemberID
	for _, code := range base.active() {
		after := folded[code]
		keys := []SignKey{{Key: base.members[code].current()}, {Key: after.current()}}
		keys = slices.DeleteFunc(keys, func(k SignKey) bool { return after.IsRevoked(k.Key) })
		if slices.ContainsFunc(keys, func(k SignKey) bool { return s.by(charterName(code), k.Key) }) {
			out = append(out, code)
		}
	}
	return out
}

// enough decides whether these signers may make this version.
func (base *standing) enough(signers []record.MemberID, folded map[record.MemberID]Member, removed record.MemberID,
	rivals []*standing) error {
	// Who leaves by a statement of this version has left already and is not waited for.
	var voters []record.MemberID
	for _, code := range base.active() {
		if folded[code].State == Active {
			voters = append(voters, code)
		}
	}
	need := Quorum(len(voters))
	if removed != "" {
		need = RemovalQuorum(len(voters))
	}
	counts := func(m record.MemberID) bool { return slices.Contains(voters, m) && m != removed }
	if len(rivals) == 2 {
		double := both(rivals[0].signers, rivals[1].signers)
		honest := 0
		for _, m := range voters {
			if !slices.Contains(double, m) && m != removed {
				honest++
			}
		}
		need = max(2, honest)
		all := counts
		counts = func(m record.MemberID) bool { return all(m) && !slices.Contains(double, m) }
	}
	have := 0
	for _, m := range signers {
		if counts(m) {
			have++
		}
	}
	if have < need {
		return fmt.Errorf("%w: %d of %d", ErrSigners, have, need)
	}
	return nil
}

func both(a, b []record.MemberID) []record.MemberID {
	var out []record.MemberID
	for _, m := range a {
		if slices.Contains(b, m) {
			out = append(out, m)
		}
	}
	return out
}
