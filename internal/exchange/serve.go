package exchange

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// ErrNotServed: peers are given nothing of this stream: it is not a records stream, its member is unknown, or it is this
// node's own and not released.
var ErrNotServed = errors.New("stream is not served")

// ServeRange returns the body of a range answer to peer: whole commit groups from the one that contains from, headers and
// checkpoints to every member, parts only as record.Cut gives them to the groups that peer is in now. At most
// MaxRangeRecords or MaxRangeBytes, but one group at least; no group if from is at or past the end.
func ServeRange(ctx context.Context, log record.Log, ro *Roster, released bool, peer record.MemberID, s record.StreamID, from uint64) ([]byte, error) {
	if !served(ro, s, released) {
		return nil, fmt.Errorf("range of %s: %w", s, ErrNotServed)
	}
	groups := ro.Groups(peer)
	var frames []*record.Frame
	records, size := 0, rangeHead
	for more := true; more; {
		gs, err := log.Groups(ctx, s, from, record.MaxGroupRecords)
		if err != nil {
			return nil, fmt.Errorf("read %s at %d: %w", s, from, err)
		}
		more = len(gs) > 0
		for _, g := range gs {
			if g.Checkpoint == nil {
				more = false
				break
			}
			fr, err := record.OpenFrame(ro.Federation, g, groups)
			if err != nil {
				return nil, err
			}
			records += len(fr.Headers)
			size += frameSize(fr)
			if len(frames) > 0 && (records > record.MaxRangeRecords || size > record.MaxRangeBytes) {
				more = false
				break
			}
			frames = append(frames, fr)
			from = fr.End()
		}
	}
	return record.EncodeRange(frames)
}

func served(ro *Roster, s record.StreamID, released bool) bool {
	if s.Member() == ro.Self {
		return s.Valid() && s.Kind() == record.Records && released
	}
	return ro.replicated(s)
}

// Lengths of the fixed fields of wire.md §2 and §3.
const (
	rangeHead  = 8
	frameFixed = 4 + 8 + 4 + 32 + 1 + 8 + 2 + 4 + 2
	boxFixed   = 2 + 1 + 1 + 4 + 1
)

// frameSize is the length of an unpadded frame in a range with its length prefix.
func frameSize(fr *record.Frame) int {
	n := frameFixed + len(fr.Stream) + len(fr.Checkpoint)
	for _, h := range fr.Headers {
		n += 4 + len(h)
	}
	for _, b := range fr.Boxes {
		n += boxFixed + len(b.Part) + len(b.Data) + 64*len(b.Wraps)
	}
	return n
}

// ServeLeaves returns the leaves of the first size records of a stream, for fork evidence; record.ErrTooLarge above
// record.MaxEvidenceLeaves, record.ErrNotFound if fewer are held under a checkpoint.
func ServeLeaves(ctx context.Context, log record.Log, ro *Roster, released bool, s record.StreamID, size uint64) ([]tlog.Hash, error) {
	switch {
	case !served(ro, s, released):
		return nil, fmt.Errorf("leaves of %s: %w", s, ErrNotServed)
	case size > record.MaxEvidenceLeaves:
		return nil, fmt.Errorf("leaves of %s to %d: %w", s, size, record.ErrTooLarge)
	}
	h, err := log.Head(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("read head of %s: %w", s, err)
	}
	if size > h.Signed {
		return nil, fmt.Errorf("leaves of %s to %d: %w", s, size, record.ErrNotFound)
	}
	return log.Leaves(ctx, s, 0, size)
}
