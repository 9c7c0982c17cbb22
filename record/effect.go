package record

import (
	"cmp"
	"errors"
	"slices"
)

// pass is the work on one frame: what its records say, what they may do, what they delete.
type pass struct {
	f       *Follower
	boxes   map[boxAt]FrameBox
	fresh   []Stored          // new records of the frame so far, in sequence order
	late    []Stored          // stored records that the frame completes, as they will be
	was     map[uint64]Stored // the late ones as they are stored
	deletes deletions
	stored  map[RecordID][]Stored // of subjects that were looked up together
}

type boxAt struct {
	index int
	part  PartName
}

func boxIndex(fr *Frame) map[boxAt]FrameBox {
	m := make(map[boxAt]FrameBox, len(fr.Boxes))
	for _, b := range fr.Boxes {
		m[boxAt{b.Index, b.Part}] = b
	}
	return m
}

// read makes of a proven header, and of the frame's boxes as far as they are proven against it, what this node keeps.
// What the record may do is settle's question.
func (p *pass) read(index int, seq uint64, header []byte) Stored {
	st := Stored{Stream: p.f.Head.Stream, Seq: seq, Header: header, Leaf: Leaf(header)}
	h, err := DecodeHeader(header)
	switch {
	case errors.Is(err, ErrUnknownVersion):
		st.Unusable = UnusableVersion
	case err != nil:
		st.Unusable = UnusableHeader
	case h.Stream != st.Stream || h.Seq != seq:
		st.Unusable = UnusablePlace
	}
	if st.Unusable != "" {
		return st
	}
	var meta []byte
	for _, c := range h.Parts {
		part := StoredPart{Name: c.Part, Keys: h.Keys}
		switch {
		case c.Part == Meta:
			p.take(&part, index, st, c)
			meta = part.Bytes
			if meta == nil {
				part.State = p.sealedState(h)
			}
		case !L3.Includes(c.Part):
			part.State = p.absent() // home, and parts of later releases: whatever meta says
		case h.Sealed() && meta == nil:
			part.State = p.sealedState(h) // who is given it stands in meta
		}
		st.Parts = append(st.Parts, part)
	}
	m, err := h.Meaning(meta)
	switch {
	case errors.Is(err, ErrNoMeta):
		return st
	case err != nil:
		void(&st, UnusableMeta)
		return st
	}
	if h.Sealed() && !m.gives(Meta, p.f.Entitled) && p.sealedState(h) == PartWithheld {
		// A peer that knows more handed meta over in clear before the agreement is here. Read now, it would say that nothing
		// is for this node, for good: everything waits for the key.
		for i, c := range h.Parts {
			if L3.Includes(c.Part) || c.Part == Meta {
				st.Parts[i] = StoredPart{Name: c.Part, Keys: h.Keys, State: PartWithheld}
			}
		}
		return st
	}
	st.Meaning = m
	for i, c := range h.Parts {
		part := &st.Parts[i]
		switch {
		case c.Part == Meta:
		case !m.gives(c.Part, p.f.Entitled):
			part.State = p.absent()
		default:
			if p.take(part, index, st, c); part.State != PartPresent {
				part.State = PartPending
			}
		}
	}
	return st
}

// sealedState is the state of the parts of a sealed record whose meta is not here: pending if a key of it is.
func (p *pass) sealedState(h *Header) PartState {
	for _, id := range h.Keys {
		if _, ok := p.f.Key(id); ok {
			return PartPending
		}
	}
	return PartWithheld
}

// absent is the state of a part that nobody hands over to this node: lost if the stream is its own (taken back after a
// restore), else none.
func (p *pass) absent() PartState {
	if p.own() {
		return PartLost
	}
	return PartNone
}

func (p *pass) own() bool { return p.f.Head.Stream.Member() == p.f.Self }

// take makes the part present if the frame's box for it is proven. A claim that it is gone is no proof: the deletion
// acts when the deleting record is verified, and until then the part stays what it is.
func (p *pass) take(part *StoredPart, index int, st Stored, c Commitment) {
	b, ok := p.boxes[boxAt{index, c.Part}]
	if !ok {
		return
	}
	var salt [32]byte
	var data []byte
	switch b.Kind {
	case BoxSealed:
		var err error
		if salt, data, err = OpenBox(st.Leaf, c.Part, b.Data, b.Wraps, p.f.Key); err != nil {
			return
		}
	case BoxOpen:
		salt, data = [32]byte(b.Data), b.Data[saltSize:]
	default:
		return
	}
	if !Check(c, salt, data) {
		return
	}
	part.State, part.Salt, part.Bytes = PartPresent, salt, slices.Clone(data)
	if part.Bytes == nil {
		part.Bytes = []byte{}
	}
}

// void takes a proven record's effect away: listed, no parts, no meaning.
func void(st *Stored, why string) {
	st.Unusable, st.Meaning = why, Meaning{}
	for i, p := range st.Parts {
		st.Parts[i] = StoredPart{Name: p.Name, Keys: p.Keys}
	}
}

// settle decides whether a record whose meaning is known has effect, and asks the schema once everything is here. A
// payload that the schema refuses keeps its place in the subject: only the payload has no effect.
func (p *pass) settle(st *Stored) error {
	if st.Meaning.IsZero() {
		return nil
	}
	why, err := p.verdict(*st)
	if err != nil {
		return err
	}
	if why != "" {
		void(st, why)
		return nil
	}
	st.Unusable = p.usable(*st)
	return nil
}

// usable asks the schema unless a part is still to come.
func (p *pass) usable(st Stored) string {
	if p.f.Usable == nil {
		return ""
	}
	parts := map[PartName][]byte{}
	for _, part := range st.Parts {
		switch part.State {
		case PartPending, PartGone:
			return ""
		case PartPresent:
			if part.Name != Meta {
				parts[part.Name] = part.Bytes
			}
		}
	}
	return p.f.Usable(st.Meaning, parts)
}

// lookUp asks for all subjects of new records at once: a full group would otherwise cost a question for each.
func (p *pass) lookUp(fresh []Stored) error {
	if p.f.Subjects == nil {
		return nil
	}
	var ids []RecordID
	for _, st := range fresh {
		if !st.Meaning.IsZero() {
			if id, _ := st.Meaning.Subject(); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := p.f.Subjects(ids)
	if err != nil {
		return err
	}
	p.stored = make(map[RecordID][]Stored, len(ids))
	for _, id := range ids {
		p.stored[id] = found[id]
	}
	return nil
}

// records returns the subject's records in sequence order: stored ones as the late ones of this frame leave them, then
// new ones.
func (p *pass) records(subject RecordID) ([]Stored, error) {
	var all []Stored
	if p.f.Subject != nil {
		stored, known := p.stored[subject]
		if !known {
			var err error
			if stored, err = p.f.Subject(subject); err != nil {
				return nil, err
			}
		}
		for _, st := range stored {
			if st.Stream == p.f.Head.Stream && st.Seq < p.f.Head.Size && !hasSeq(p.late, st.Seq) {
				all = append(all, st)
			}
		}
	}
	for _, st := range slices.Concat(p.late, p.fresh) {
		if belongs(st, subject) {
			all = append(all, st)
		}
	}
	slices.SortStableFunc(all, func(a, b Stored) int { return cmp.Compare(a.Seq, b.Seq) })
	return all, nil
}

func hasSeq(records []Stored, seq uint64) bool {
	return slices.ContainsFunc(records, func(st Stored) bool { return st.Seq == seq })
}

// belongs reports whether st is a record of the subject, or the one that begins it while its meta is not here.
func belongs(st Stored, subject RecordID) bool {
	if !st.Meaning.IsZero() {
		id, _ := st.Meaning.Subject()
		return id == subject
	}
	return begins(st, subject)
}

// begins reports whether st is the subject's first record: its id is the subject's name, in a sealed header too.
func begins(st Stored, subject RecordID) bool {
	if !st.Meaning.IsZero() {
		_, change := st.Meaning.Change()
		return st.Meaning.ID == subject && !change
	}
	if st.Unusable != "" {
		return false
	}
	h, err := DecodeHeader(st.Header)
	return err == nil && h.ID == subject
}

// verdict says why a record has no effect, by the records before it: lowest sequence wins.
func (p *pass) verdict(st Stored) (string, error) {
	subject, version := st.Meaning.Subject()
	ref, change := st.Meaning.Change()
	all, err := p.records(subject)
	if err != nil {
		return "", err
	}
	begun := false
	for _, before := range all {
		if before.Seq >= st.Seq {
			break
		}
		begun = begun || begins(before, subject)
		if why := conflict(before, ref.Rel, version, change); why != "" {
			return why, nil
		}
	}
	if change && !begun {
		return UnusableForeignChange, nil
	}
	return "", nil
}

// conflict says why a record of this version cannot follow one that stands before it.
func conflict(before Stored, rel Relation, version uint64, change bool) string {
	if before.Meaning.IsZero() {
		if !change {
			return UnusableVersionTaken // the same id a second time
		}
		return ""
	}
	if _, v := before.Meaning.Subject(); v == version {
		return UnusableVersionTaken
	}
	if ended, ok := before.Meaning.Change(); ok && ended.Rel.Ends() && (rel != Erases || ended.Rel == Erases) {
		return UnusableSubjectEnded
	}
	return ""
}

// deletionsOf returns the content parts that a record with effect deletes of one earlier record of its subject. Meta is
// kept: it says no more than an open header says for ever, and without it nobody could tell whose the record is. At
// the origin only an erasure deletes what is held.
func deletionsOf(rel Relation, earlier Stored, own bool) []PartName {
	var names []PartName
	if !rel.Deletes() {
		return nil
	}
	for _, part := range earlier.Parts {
		held := part.State == PartPresent || part.State == PartLost || part.State == PartNone
		switch {
		case part.Name == Meta, part.State == PartGone, part.State == PartNone:
		case own && held && rel != Erases:
		default:
			names = append(names, part.Name)
		}
	}
	return names
}

// deleteFor lets a record with effect delete: in records of this frame at once, in stored ones by a Deletion.
func (p *pass) deleteFor(st Stored) error {
	ref, change := st.Meaning.Change()
	if !change || !ref.Rel.Deletes() {
		return nil
	}
	all, err := p.records(ref.ID)
	if err != nil {
		return err
	}
	d := Deletion{By: st.Seq}
	for _, earlier := range all {
		if earlier.Seq >= st.Seq {
			break
		}
		for _, name := range deletionsOf(ref.Rel, earlier, p.own()) {
			at := PartAt{earlier.Seq, name}
			if markGone(p.fresh, at, st.Seq) || markGone(p.late, at, st.Seq) || p.deletes.has(at) {
				continue // done, or deleted already by a record of this frame
			}
			d.Parts = append(d.Parts, at)
		}
	}
	if len(d.Parts) > 0 {
		p.deletes = append(p.deletes, d)
	}
	return nil
}

// deletions are of stored records, by the records of one frame.
type deletions []Deletion

func (ds deletions) has(at PartAt) bool {
	return slices.ContainsFunc(ds, func(d Deletion) bool { return slices.Contains(d.Parts, at) })
}

// markGone empties a part of one of the records and reports whether the record is among them.
func markGone(records []Stored, at PartAt, by uint64) bool {
	i := slices.IndexFunc(records, func(st Stored) bool { return st.Seq == at.Seq })
	if i >= 0 {
		records[i].empty(at.Part, by)
	}
	return i >= 0
}

// empty makes a part gone.
func (st *Stored) empty(name PartName, by uint64) {
	for i, part := range st.Parts {
		if part.Name == name {
			st.Parts[i] = StoredPart{Name: name, State: PartGone, Keys: part.Keys, GoneBy: by}
		}
	}
}
