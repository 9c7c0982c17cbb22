package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrUnreleased: the group has no checkpoint yet; frames of it do not exist (log.md §6).
var ErrUnreleased = errors.New("group is not released")

// frameOf makes a frame without boxes.
func frameOf(fed FederationID, g Group) (*Frame, error) {
	if g.Stream.Kind() != Records {
		return nil, fmt.Errorf("stream %s never leaves its node", g.Stream)
	}
	if g.Checkpoint == nil {
		return nil, ErrUnreleased
	}
	f := &Frame{Federation: fed, Stream: g.Stream, First: g.First, Checkpoint: g.Checkpoint}
	for _, st := range g.Records {
		f.Headers = append(f.Headers, st.Header)
	}
	return f, nil
}

// SealedFrame makes the frame that the origin puts on its topic: the same bytes each time while the same parts are
// present. Parts that are not present, home, and parts that no group is given are left out.
func SealedFrame(fed FederationID, g Group, key func(KeyID) (EpochKey, bool)) (*Frame, error) {
	f, err := frameOf(fed, g)
	if err != nil {
		return nil, fmt.Errorf("frame of %s at %d: %w", g.Stream, g.First, err)
	}
	for i, st := range g.Records {
		for _, p := range st.Parts {
			if p.State != PartPresent || p.Name == Home || len(p.Keys) == 0 {
				continue
			}
			b := FrameBox{Index: i, Part: p.Name, Kind: BoxSealed, Data: Box(st.Leaf, p)}
			for _, id := range p.Keys {
				e, ok := key(id)
				if !ok {
					return nil, fmt.Errorf("frame of %s: record %d: key %s: %w", g.Stream, st.Seq, id, ErrNoKey)
				}
				b.Wraps = append(b.Wraps, Wrap(st.Leaf, p, e))
			}
			f.Boxes = append(f.Boxes, b)
		}
	}
	return f, nil
}

// OpenFrame makes the frame of a range answer to one member that is in the given groups now: the parts that Cut allows,
// and of parts that it would have been given the sequence of the record that deleted them.
func OpenFrame(fed FederationID, g Group, entitled map[GroupID]bool) (*Frame, error) {
	f, err := frameOf(fed, g)
	if err != nil {
		return nil, fmt.Errorf("frame of %s at %d: %w", g.Stream, g.First, err)
	}
	for i, st := range g.Records {
		give, gone := Cut(st, entitled), cut(st, entitled, PartGone)
		for _, p := range st.Parts {
			b := FrameBox{Index: i, Part: p.Name}
			switch {
			case slices.Contains(give, p.Name):
				b.Kind, b.Data = BoxOpen, append(slices.Clone(p.Salt[:]), p.Bytes...)
			case slices.Contains(gone, p.Name):
				b.Kind, b.Data = BoxGone, binary.BigEndian.AppendUint64(nil, p.GoneBy)
			default:
				continue
			}
			f.Boxes = append(f.Boxes, b)
		}
	}
	return f, nil
}
