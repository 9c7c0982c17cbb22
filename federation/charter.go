package federation

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// State says what a member is to the federation.
type State string

// The states of a member. A member that left or was removed stays in the list: its records must verify for ever.
const (
	Active  State = "active"
	Left    State = "left"
	Removed State = "removed"
)

// SignKey is one entry of a member's key history.
type SignKey struct {
	Key  ed25519.PublicKey `json:"key"`
	From uint64            `json:"from"` // first sequence of each of the member's streams that it signs
}

// Revocation marks a signing key of the history as compromised: what it signed from this sequence on does not count.
type Revocation struct {
	Key             ed25519.PublicKey `json:"key"`
	CompromisedFrom uint64            `json:"compromised_from"`
}

// Member 成员单位 is one bureau's entry in the charter.
type Member struct {
	Code        record.MemberID   `json:"code"`
	Name        string            `json:"name"`
	State       State             `json:"state"`
	Sign        []SignKey         `json:"sign"`              // ascending by From, never shortened
	Revoked     []Revocation      `json:"revoked,omitempty"` // in the order of Sign, each key once, never shortened
	KEM         KEMKey            `json:"kem"`               // X25519 public key that epoch keys are wrapped for
	TLS         Hash              `json:"tls"`               // SHA-256 of its certificate's SubjectPublicKeyInfo
	Recovery    ed25519.PublicKey `json:"recovery"`          // offline key
	Address     string            `json:"address"`           // https://host:port of its members' listener
	AgreementNo string            `json:"agreement_no"`
	PIPIANo     string            `json:"pipia_no"` // 个人信息保护影响评估
	Retention   string            `json:"retention"`
}

// KEMKey is an X25519 public key.
type KEMKey [32]byte

// Wrap is an epoch key sealed for one member by HPKE: encapsulated key ‖ ciphertext.
type Wrap struct {
	Member record.MemberID `json:"member"`
	Enc    []byte          `json:"enc"`
}

// Epoch is one key of a group, wrapped for those who were members then.
type Epoch struct {
	Key   record.KeyID `json:"key"`
	Wraps []Wrap       `json:"wraps"`
}

// Group is a set of members that share records. Its last epoch is the current one.
type Group struct {
	ID      record.GroupID    `json:"group"`
	Members []record.MemberID `json:"members"` // sorted
	History string            `json:"history"` // "all" or "none": is a newcomer given older parts; of All always "all"
	Epochs  []Epoch           `json:"epochs"`
}

// Charter 章程 is one version of it. Text is what was signed; Hash is its SHA-256.
type Charter struct {
	Federation record.FederationID // of version 1 too, where the text leaves it out
	Version    uint64
	Prev       []Hash // versions that it follows: none, one, or both sides of a frozen chain
	Name       string
	Synthetic  bool // a federation for exercises: all purposes work without agreement data
	Day        string
	Members    []Member // sorted by code
	Groups     []Group  // All first, then by id
	Statements []string // member statements folded into this version, as signed notes
	Text       string
	Hash       Hash
}

type charterText struct {
	Pilin      string              `json:"pilin"`
	V          int                 `json:"v"`
	Federation record.FederationID `json:"federation"`
	Version    uint64              `json:"version"`
	Prev       []Hash              `json:"prev"`
	Name       string              `json:"name"`
	Synthetic  bool                `json:"synthetic"`
	Day        string              `json:"day"`
	Members    []Member            `json:"members"`
	Groups     []Group             `json:"groups"`
	Statements []string            `json:"statements"`
}

// Limits of one charter: what a federation of bureaux can need, and what a hostile one may cost.
const (
	maxMembers = 64
	maxGroups  = 64
	maxEpochs  = 4096
	maxText    = 300 // of a name, address or number, in bytes
)

// ParseCharter reads a charter note and checks its form. It verifies no signature and no succession: Directory does.
func ParseCharter(b []byte) (*Charter, error) {
	s, err := readNote(b)
	if err != nil {
		return nil, fmt.Errorf("parse charter: %w", err)
	}
	return parseCharterText(s)
}

func parseCharterText(s signed) (*Charter, error) {
	var t charterText
	if err := decodeLine(s.text, &t); err != nil {
		return nil, fmt.Errorf("parse charter: %w", err)
	}
	if t.Pilin != "charter" || t.V != 1 {
		return nil, fmt.Errorf("parse charter: %w: not a charter of format 1", ErrMalformed)
	}
	c := &Charter{Federation: t.Federation, Version: t.Version, Prev: t.Prev, Name: t.Name, Synthetic: t.Synthetic,
		Day: t.Day, Members: t.Members, Groups: t.Groups, Statements: t.Statements, Text: s.text, Hash: s.hash}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("parse charter: %w", unfit(err))
	}
	if c.Version == 1 {
		c.Federation = record.FederationID(c.Hash)
	}
	return c, nil
}

// encode returns the text of a version that nobody has signed yet.
func (c *Charter) encode() (string, error) {
	t := charterText{Pilin: "charter", V: 1, Federation: c.Federation, Version: c.Version, Prev: c.Prev, Name: c.Name,
		Synthetic: c.Synthetic, Day: c.Day, Members: c.Members, Groups: c.Groups, Statements: c.Statements}
	if c.Version == 1 {
		t.Federation = record.FederationID{}
	}
	return encodeLine(t)
}

// Ref names this version as checkpoints, asks and heads do.
func (c *Charter) Ref() record.CharterRef { return record.CharterRef{Version: c.Version, Hash: c.Hash} }

// Member returns the entry of a member, whatever its state.
func (c *Charter) Member(m record.MemberID) (Member, bool) {
	i, ok := slices.BinarySearchFunc(c.Members, m, func(e Member, m record.MemberID) int { return compareMembers(e.Code, m) })
	if !ok {
		return Member{}, false
	}
	return c.Members[i], true
}

// TestOnly reports whether a member may take part in exercises only, for want of its agreement number, the number of its
// impact assessment or its retention table. In a synthetic federation nobody is.
func (m Member) TestOnly(synthetic bool) bool {
	return !synthetic && (m.AgreementNo == "" || m.PIPIANo == "" || m.Retention == "")
}

// current returns the signing key of now.
func (m Member) current() ed25519.PublicKey { return m.Sign[len(m.Sign)-1].Key }

// IsRevoked reports whether key is marked as compromised, from whatever sequence. Such a key signs nothing new.
func (m Member) IsRevoked(key ed25519.PublicKey) bool {
	_, yes := m.compromised(key)
	return yes
}

// compromised returns the first sequence that key does not sign any more; false if it is not marked.
func (m Member) compromised(key ed25519.PublicKey) (from uint64, yes bool) {
	for _, r := range m.Revoked {
		if r.Key.Equal(key) {
			return r.CompromisedFrom, true
		}
	}
	return 0, false
}

// place returns where key stands in the history; -1 if it does not.
func (m Member) place(key ed25519.PublicKey) int {
	return slices.IndexFunc(m.Sign, func(k SignKey) bool { return k.Key.Equal(key) })
}

// revoke returns the revocations with one more, in the order of the history. check refuses what does not fit.
func (m Member) revoke(r Revocation) []Revocation {
	out := append(slices.Clone(m.Revoked), r)
	slices.SortStableFunc(out, func(a, b Revocation) int { return m.place(a.Key) - m.place(b.Key) })
	return out
}

// SignKey returns the key that signs sequence seq of any stream of this member. False for a sequence that a revoked key
// would sign at or after its compromise.
func (m Member) SignKey(seq uint64) (ed25519.PublicKey, bool) {
	for i := len(m.Sign) - 1; i >= 0; i-- {
		if k := m.Sign[i]; k.From <= seq {
			from, compromised := m.compromised(k.Key)
			return k.Key, !compromised || seq < from
		}
	}
	return nil, false
}

// check says what is wrong with the form of an entry.
func (m Member) check() error {
	if !m.Code.Valid() || m.State != Active && m.State != Left && m.State != Removed {
		return errors.New("member: code or state ill-formed")
	}
	if m.Name == "" || m.Address == "" {
		return fmt.Errorf("member %s: name or address missing", m.Code)
	}
	for _, s := range []string{m.Name, m.Address, m.AgreementNo, m.PIPIANo, m.Retention} {
		if len(s) > maxText {
			return fmt.Errorf("member %s: text over %d bytes", m.Code, maxText)
		}
	}
	if !validAddress(m.Address) {
		return fmt.Errorf("member %s: address: want https://host:port", m.Code)
	}
	if len(m.Sign) == 0 || m.Sign[0].From != 0 || len(m.Recovery) == 0 {
		return fmt.Errorf("member %s: keys missing", m.Code)
	}
	for i, k := range m.Sign {
		if len(k.Key) == 0 || i > 0 && k.From < m.Sign[i-1].From {
			return fmt.Errorf("member %s: key history does not ascend", m.Code)
		}
		if k.Key.Equal(m.Recovery) {
			return fmt.Errorf("member %s: recovery key signs records", m.Code)
		}
	}
	return m.checkRevoked()
}

func (m Member) checkRevoked() error {
	if m.Revoked != nil && len(m.Revoked) == 0 {
		return fmt.Errorf("member %s: empty list of revocations", m.Code)
	}
	last := -1
	for _, r := range m.Revoked {
		at := m.place(r.Key)
		if at < 0 {
			return fmt.Errorf("member %s: revoked key not in the history", m.Code)
		}
		if at <= last {
			return fmt.Errorf("member %s: revocations not in the order of the history, or a key twice", m.Code)
		}
		last = at
	}
	return nil
}

// check says what is wrong with the form of a version; succession is another matter.
func (c *Charter) check() error {
	first := c.Version == 1
	switch {
	case c.Version == 0, first != (c.Federation == record.FederationID{}), first != (len(c.Prev) == 0), len(c.Prev) > 2:
		return errors.New("version, federation and prev do not fit")
	case len(c.Prev) == 2 && slices.Compare(c.Prev[0][:], c.Prev[1][:]) >= 0:
		return errors.New("prev: two versions in ascending order")
	case !validDay(c.Day), c.Name == "", len(c.Name) > maxText:
		return errors.New("day or name ill-formed")
	case len(c.Members) == 0, len(c.Members) > maxMembers, len(c.Groups) == 0, len(c.Groups) > maxGroups:
		return errors.New("number of members or groups")
	}
	if err := c.checkMembers(); err != nil {
		return err
	}
	return c.checkGroups()
}

func (c *Charter) checkMembers() error {
	keys := map[string]bool{}
	for i, m := range c.Members {
		if err := m.check(); err != nil {
			return err
		}
		if i > 0 && c.Members[i-1].Code >= m.Code {
			return errors.New("members: not sorted by code")
		}
		for _, k := range m.Sign {
			if keys[string(k.Key)] {
				return fmt.Errorf("member %s: signing key used twice", m.Code)
			}
			keys[string(k.Key)] = true
		}
		if m.State != Active {
			continue
		}
		tls := "tls" + string(m.TLS[:])
		if keys[tls] {
			return fmt.Errorf("member %s: TLS key of another member", m.Code)
		}
		keys[tls] = true
	}
	return nil
}

func (c *Charter) checkGroups() error {
	active := c.active()
	ids := map[record.KeyID]bool{}
	for i, g := range c.Groups {
		switch {
		case (i == 0) != (g.ID == record.All), !g.ID.Valid(), i > 1 && c.Groups[i-1].ID >= g.ID:
			return errors.New("groups: all first, then sorted by id")
		case g.History != "all" && g.History != "none":
			return fmt.Errorf("group %s: history", g.ID)
		case g.ID == record.All && g.History != "all":
			// Every active member is in All and entitled to its parts: a newcomer whom holders refuse the older ones would
			// wait for them for ever.
			return errors.New("group all: history: want all")
		case g.History == "none":
			return ErrHistoryNone
		case g.ID == record.All && !slices.Equal(g.Members, active):
			return errors.New("group all: not the active members")
		}
		if err := checkEpochs(g.Members, g.Epochs, ids); err != nil {
			return fmt.Errorf("group %s: %w", g.ID, err)
		}
		for _, m := range g.Members {
			if _, ok := slices.BinarySearch(active, m); !ok {
				return fmt.Errorf("group %s: %s is not an active member", g.ID, m)
			}
		}
	}
	return nil
}

// checkEpochs checks that members are sorted, key ids are new and the last epoch is wrapped for exactly the members.
func checkEpochs(members []record.MemberID, epochs []Epoch, ids map[record.KeyID]bool) error {
	if len(epochs) == 0 || len(epochs) > maxEpochs || len(members) > maxMembers || !ascending(members) {
		return errors.New("members not sorted, or number of epochs")
	}
	for _, e := range epochs {
		if ids[e.Key] || e.Key.IsZero() {
			return fmt.Errorf("epoch key id %s used twice", e.Key)
		}
		ids[e.Key] = true
		var holders []record.MemberID
		for _, w := range e.Wraps {
			if len(w.Enc) != wrapSize {
				return fmt.Errorf("epoch %s: wrap of %d bytes", e.Key, len(w.Enc))
			}
			holders = append(holders, w.Member)
		}
		if !ascending(holders) {
			return fmt.Errorf("epoch %s: wraps not sorted", e.Key)
		}
	}
	last := epochs[len(epochs)-1]
	if !slices.EqualFunc(last.Wraps, members, func(w Wrap, m record.MemberID) bool { return w.Member == m }) {
		return fmt.Errorf("epoch %s: not wrapped for exactly the members", last.Key)
	}
	return nil
}

func ascending(ms []record.MemberID) bool {
	for i, m := range ms {
		if !m.Valid() || i > 0 && ms[i-1] >= m {
			return false
		}
	}
	return true
}

// active returns the codes of the active members, sorted.
func (c *Charter) active() []record.MemberID {
	var out []record.MemberID
	for _, m := range c.Members {
		if m.State == Active {
			out = append(out, m.Code)
		}
	}
	return out
}
