package federation

import (
	"crypto/ed25519"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// Federation returns the federation id.
func (d *Directory) Federation() record.FederationID { return d.now.Load().tip.Federation }

// Self returns this member; empty if the Directory was made without keys.
func (d *Directory) Self() record.MemberID {
	if d.keys == nil {
		return ""
	}
	return d.keys.Member
}

// Charter names the version that counts now; while the chain is frozen, the one before the rivals.
func (d *Directory) Charter() record.CharterRef { return d.now.Load().tip.Ref() }

// Current returns the version that counts now. The caller does not change it.
func (d *Directory) Current() *Charter { return d.now.Load().tip.Charter }

// Known reports whether a version is here and verified, even if it does not count.
func (d *Directory) Known(r record.CharterRef) bool {
	st := d.now.Load().chain.find(r.Hash)
	return st != nil && st.Version == r.Version
}

// Frozen returns the evidence while the chain is frozen: an alarm for every member.
func (d *Directory) Frozen() (Freeze, bool) { return d.now.Load().chain.freeze() }

// Synthetic reports whether the federation is one for exercises.
func (d *Directory) Synthetic() bool { return d.now.Load().tip.Synthetic }

// Name returns the federation's name.
func (d *Directory) Name() string { return d.now.Load().tip.Name }

// Member returns a member's entry of now, with its statements in force, whatever its state.
func (d *Directory) Member(m record.MemberID) (Member, bool) {
	e, ok := d.now.Load().members[m]
	return e, ok
}

// Members returns every member that the charter ever had, sorted.
func (d *Directory) Members() []record.MemberID {
	v := d.now.Load()
	out := make([]record.MemberID, 0, len(v.members))
	for m := range v.members {
		out = append(out, m)
	}
	slices.Sort(out)
	return out
}

// Active returns the active members, sorted. They are the n of a federated answer.
func (d *Directory) Active() []record.MemberID {
	v := d.now.Load()
	return slices.DeleteFunc(d.Members(), func(m record.MemberID) bool { return v.members[m].State != Active })
}

// IsActive reports whether m is an active member.
func (d *Directory) IsActive(m record.MemberID) bool { return d.now.Load().members[m].State == Active }

// TestOnly reports whether m may take part in exercises only (Member.TestOnly). Unknown members may.
func (d *Directory) TestOnly(m record.MemberID) bool {
	v := d.now.Load()
	e, ok := v.members[m]
	return !ok || e.TestOnly(v.tip.Synthetic)
}

// Address returns where m's members' listener is; false if m is not active or has no address.
func (d *Directory) Address(m record.MemberID) (string, bool) {
	e := d.now.Load().members[m]
	return e.Address, e.State == Active && e.Address != ""
}

// PinnedTLS returns the hash of the public key that m's certificate must have; false if m is not active.
func (d *Directory) PinnedTLS(m record.MemberID) (Hash, bool) {
	e := d.now.Load().members[m]
	return e.TLS, e.State == Active
}

// MemberOfTLS returns the active member whose certificate has this public key.
func (d *Directory) MemberOfTLS(spki Hash) (record.MemberID, bool) {
	for m, e := range d.now.Load().members {
		if e.State == Active && e.TLS == spki {
			return m, true
		}
	}
	return "", false
}

// SignKey returns the key that signs record seq of a stream; it fits Follower.SignKey. It answers for members that have
// left too: their records stay provable.
func (d *Directory) SignKey(s record.StreamID, seq uint64) (ed25519.PublicKey, bool) {
	m, ok := d.now.Load().members[s.Member()]
	if !ok || !s.Valid() {
		return nil, false
	}
	return m.SignKey(seq)
}

// CurrentKey returns the key that an active member signs answers, heads and tokens with; false if it is revoked.
func (d *Directory) CurrentKey(m record.MemberID) (ed25519.PublicKey, bool) {
	e, ok := d.now.Load().members[m]
	if !ok || e.State != Active || e.IsRevoked(e.current()) {
		return nil, false
	}
	return e.current(), true
}

// Signer returns the signer of record seq of an own stream; false if that key is not in the key file.
func (d *Directory) Signer(s record.StreamID, seq uint64) (*record.Signer, bool) {
	pub, ok := d.SignKey(s, seq)
	if !ok || d.keys == nil || s.Member() != d.keys.Member {
		return nil, false
	}
	return d.keys.SignerOf(pub)
}

// CurrentSigner returns the signer of this member's answers, heads and tokens.
func (d *Directory) CurrentSigner() (*record.Signer, error) { return d.currentSigner() }

// EpochKey returns the epoch key of that id if it is wrapped for this member; it fits Follower.Key.
func (d *Directory) EpochKey(id record.KeyID) (record.EpochKey, bool) {
	k, ok := d.now.Load().opened[id]
	return k, ok
}

// CurrentEpoch returns the key that new records for the group are sealed with; it fits Sealer.Current. False if this
// member is not in the group or cannot open its key.
func (d *Directory) CurrentEpoch(g record.GroupID) (record.EpochKey, bool) {
	v := d.now.Load()
	members, epochs, ok := v.group(g)
	if !ok || !slices.Contains(members, d.Self()) || v.members[d.Self()].State != Active {
		return record.EpochKey{}, false
	}
	last := epochs[len(epochs)-1]
	if bugEpochIgnored {
		last = epochs[0]
	}
	k, ok := v.opened[last.Key]
	return k, ok
}

// group returns the members and epochs of a group of charter or agreement.
func (v *view) group(id record.GroupID) ([]record.MemberID, []Epoch, bool) {
	for _, g := range v.tip.Groups {
		if g.ID == id {
			return g.Members, g.Epochs, true
		}
	}
	for _, a := range v.agreements {
		if a.Group == id {
			return a.Members, a.Epochs, true
		}
	}
	return nil, nil, false
}

// GroupMembers returns the active members of a group that this member knows of, sorted.
func (d *Directory) GroupMembers(id record.GroupID) []record.MemberID {
	v := d.now.Load()
	members, _, _ := v.group(id)
	return slices.DeleteFunc(slices.Clone(members), func(m record.MemberID) bool { return v.members[m].State != Active })
}

// Groups returns the groups that m is in now, as far as this member knows; it fits record.Cut. Empty if m is not active.
func (d *Directory) Groups(m record.MemberID) map[record.GroupID]bool {
	v := d.now.Load()
	out := map[record.GroupID]bool{}
	if v.members[m].State != Active {
		return out
	}
	for _, g := range v.tip.Groups {
		if slices.Contains(g.Members, m) {
			out[g.ID] = true
		}
	}
	for _, a := range v.agreements {
		if slices.Contains(a.Members, m) {
			out[a.Group] = true
		}
	}
	return out
}

// Entitled reports whether this member is in the group now; it fits Follower.Entitled.
func (d *Directory) Entitled(g record.GroupID) bool { return d.Groups(d.Self())[g] }

// Versions returns the charter notes from a version on, ascending, rivals and other verified versions behind them: what
// GET /member/v1/charter answers and what the node stores.
func (d *Directory) Versions(from uint64) [][]byte {
	var all []*standing
	for _, st := range d.now.Load().chain.all() {
		if st.Version >= from {
			all = append(all, st)
		}
	}
	slices.SortStableFunc(all, func(a, b *standing) int { return int(a.Version) - int(b.Version) })
	out := make([][]byte, len(all))
	for i, st := range all {
		out[i] = st.note
	}
	return out
}

// Statements returns the notes of the statements in force that the current version does not hold, in order.
func (d *Directory) Statements() [][]byte {
	var out [][]byte
	for _, p := range d.now.Load().pending {
		out = append(out, p.note)
	}
	return out
}

// Counter returns the counter of m's last statement in force; the next one has this plus 1.
func (d *Directory) Counter(m record.MemberID) uint64 {
	_, counters := d.now.Load().inForce()
	return counters[m]
}

// AgreementsOf returns the ids of the agreements that name m and that this member has: what head exchanges tell m, and m
// alone.
func (d *Directory) AgreementsOf(m record.MemberID) []Hash {
	var out []Hash
	for _, a := range d.now.Load().agreements {
		if slices.Contains(a.Members, m) {
			out = append(out, a.ID)
		}
	}
	slices.SortFunc(out, func(a, b Hash) int { return slices.Compare(a[:], b[:]) })
	return out
}

// Agreement returns the note of an agreement for m, which must be named in it.
func (d *Directory) Agreement(id Hash, m record.MemberID) ([]byte, bool) {
	v := d.now.Load()
	for _, a := range slices.Concat(v.agreements, v.older) {
		if a.ID == id && slices.Contains(a.Members, m) {
			return a.note, true
		}
	}
	return nil, false
}

// AgreementNotes returns every agreement note, for the node to store; older notes of a group first.
func (d *Directory) AgreementNotes() [][]byte {
	v := d.now.Load()
	var out [][]byte
	for _, a := range slices.Concat(v.older, v.agreements) {
		out = append(out, a.note)
	}
	return out
}
