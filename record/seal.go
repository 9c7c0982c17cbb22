package record

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Sealer turns what a domain wants to say into a record with a place.
type Sealer struct {
	// Random is where salts come from: crypto/rand.Reader in a node.
	Random io.Reader
	// Current returns a group's epoch key of now; false refuses the draft.
	Current func(GroupID) (EpochKey, bool)
}

// ErrNoEpoch: the draft names a group that has no current epoch key here, one that this node is not in.
var ErrNoEpoch = errors.New("group without current epoch key")

// Seal makes header, leaf and salted parts of d as record seq of its stream. Parts come with the epoch keys that their
// boxes will be wrapped for for ever. ErrTooLarge, ErrNoEpoch or a description of what is ill-formed.
func (s *Sealer) Seal(d Draft, seq uint64) (Stored, error) {
	st, err := s.seal(d, seq)
	if err != nil {
		return Stored{}, fmt.Errorf("seal record %s: %w", d.ID, err)
	}
	return st, nil
}

func (s *Sealer) seal(d Draft, seq uint64) (Stored, error) {
	if d.ID.IsZero() {
		return Stored{}, errors.New("id missing")
	}
	m := Meaning{ID: d.ID, Type: d.Type, Schema: d.Schema, Day: d.Day, Audience: maps.Clone(d.Audience), Refs: slices.Clone(d.Refs)}
	if m.Audience == nil {
		m.Audience = map[GroupID]Level{}
	}
	if err := m.check(); err != nil {
		return Stored{}, err
	}
	_, toAll := m.Audience[All]
	m.Sealed = d.Stream.Kind() == Records && !toAll
	epochs, err := s.epochs(m)
	if err != nil {
		return Stored{}, err
	}
	h := Header{V: Format, Stream: d.Stream, Seq: seq, ID: d.ID}
	if m.Sealed {
		if h.Week, err = weekOf(m.Day); err != nil {
			return Stored{}, err
		}
		h.Keys = keysFor(Meta, m, epochs)
	} else {
		h.Type, h.Schema, h.Day, h.Audience, h.Refs = m.Type, m.Schema, m.Day, m.Audience, m.Refs
	}
	parts, size, err := s.parts(d, m, epochs)
	if err != nil {
		return Stored{}, err
	}
	for _, p := range parts {
		h.Parts = append(h.Parts, Commitment{Part: p.Name, MAC: Commit(p.Salt, p.Bytes)})
	}
	b, err := h.Encode()
	if err != nil {
		return Stored{}, err
	}
	if size += len(b); size > MaxRecord {
		return Stored{}, fmt.Errorf("%d bytes: %w", size, ErrTooLarge)
	}
	return Stored{Stream: d.Stream, Seq: seq, Header: b, Leaf: Leaf(b), Parts: parts, Meaning: m}, nil
}

// epochs returns the current key of each group of the audience.
func (s *Sealer) epochs(m Meaning) (map[GroupID]KeyID, error) {
	keys := make(map[GroupID]KeyID, len(m.Audience))
	for _, g := range slices.Sorted(maps.Keys(m.Audience)) {
		e, ok := s.Current(g)
		if !ok {
			return nil, fmt.Errorf("group %s: %w", g, ErrNoEpoch)
		}
		keys[g] = e.ID
	}
	return keys, nil
}

// keysFor returns, ascending, the keys of the groups whose level includes part p.
func keysFor(p PartName, m Meaning, epochs map[GroupID]KeyID) []KeyID {
	keys := []KeyID{}
	for g, l := range m.Audience {
		if l.Includes(p) && (p != Meta || m.Sealed) {
			keys = append(keys, epochs[g])
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// parts salts the draft's parts and makes meta of a sealed record.
func (s *Sealer) parts(d Draft, m Meaning, epochs map[GroupID]KeyID) (parts []StoredPart, size int, err error) {
	content := make(map[PartName][]byte, len(d.Parts)+1)
	for name, b := range d.Parts {
		if name == Meta || !slices.Contains(PartOrder, name) {
			return nil, 0, fmt.Errorf("part %q is not a draft's", name)
		}
		if len(b) == 0 {
			return nil, 0, fmt.Errorf("part %s is empty", name)
		}
		content[name] = b
	}
	if m.Sealed {
		content[Meta] = encodeMeta(m)
	}
	for _, name := range PartOrder {
		b, ok := content[name]
		if !ok {
			continue
		}
		p := StoredPart{Name: name, State: PartPresent, Bytes: slices.Clone(b), Keys: keysFor(name, m, epochs)}
		if _, err := io.ReadFull(s.Random, p.Salt[:]); err != nil {
			return nil, 0, fmt.Errorf("draw salt: %w", err)
		}
		size += len(p.Bytes) + saltSize
		parts = append(parts, p)
	}
	return parts, size, nil
}
