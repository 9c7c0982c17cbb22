package record

// Cut returns the parts of st that a holder may hand over to a member that is in these groups now: present, in the
// audience at a level that includes them, and never home. It is the only place that chooses what leaves; it reads
// header and meta themselves, so that a wrong read model cannot widen it.
func Cut(st Stored, entitled map[GroupID]bool) []PartName {
	return cut(st, entitled, PartPresent)
}

// cut returns the parts in the given state that the audience gives to a member of the groups.
func cut(st Stored, entitled map[GroupID]bool, state PartState) []PartName {
	m, ok := meaningOf(st)
	if !ok || st.Stream.Kind() != Records {
		return nil
	}
	var names []PartName
	for _, p := range st.Parts {
		if p.State == state && p.Name != Home && m.gives(p.Name, func(g GroupID) bool { return entitled[g] }) {
			names = append(names, p.Name)
		}
	}
	return names
}

// meaningOf reads header and, of a sealed record, the present meta.
func meaningOf(st Stored) (Meaning, bool) {
	h, err := DecodeHeader(st.Header)
	if err != nil {
		return Meaning{}, false
	}
	var meta []byte
	if p, ok := st.part(Meta); ok && p.State == PartPresent {
		meta = p.Bytes
	}
	m, err := h.Meaning(meta)
	return m, err == nil
}

// part returns the named part.
func (st Stored) part(name PartName) (StoredPart, bool) {
	for _, p := range st.Parts {
		if p.Name == name {
			return p, true
		}
	}
	return StoredPart{}, false
}
