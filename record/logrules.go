package record

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// This file holds the rules that every Log follows, so that the SQL store and the simulator's Log cannot differ in them.

// NextSeq returns the sequence of the next record of an own stream: the size that the head has under lock. issued is what
// this process handed out last; it is kept for NextSeq alone and must not decide anything, because a number that was
// handed out to an append that came to nothing would leave a gap (reliability-security.md M6: serial ids).
func NextSeq(size uint64, issued *uint64) uint64 {
	seq := size
	if bugSerialIDs {
		seq = max(size, *issued)
	}
	*issued = seq + 1
	return seq
}

// Replayed reports whether a one-use id must be refused without looking it up: ids that expire at or before the floor may
// have been pruned, so that nobody can tell any more whether they were used, whatever the clock says.
func Replayed(u Use, floor int64) bool { return u.Expires <= floor && !bugReplayFloorDropped }

// CompareLockOrder orders the streams of one transaction: audit, local, records, then by name.
func CompareLockOrder(a, b StreamID) int {
	rank := func(s StreamID) int { return slices.Index([]string{Audit, Local, Records}, s.Kind()) }
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// Versions is what an own stream holds of one subject, as far as it decides what may be appended. What replicas would
// list as without effect (docs/design/log.md §2) the origin refuses.
type Versions struct {
	begun, ended, erased bool
	taken                map[uint64]bool
}

// Add notes a record of the subject.
func (v *Versions) Add(m Meaning) {
	if v.taken == nil {
		v.taken = map[uint64]bool{}
	}
	_, n := m.Subject()
	v.taken[n] = true
	ref, change := m.Change()
	v.begun = v.begun || !change
	v.ended = v.ended || change && ref.Rel.Ends()
	v.erased = v.erased || change && ref.Rel == Erases
}

// Check says whether m may come next: ErrVersionTaken if its version exists or the subject has ended, ErrNotFound if it
// changes a subject, or follows a version, that this stream does not hold.
func (v *Versions) Check(m Meaning) error {
	_, n := m.Subject()
	ref, change := m.Change()
	switch {
	case v.taken[n]:
		return ErrVersionTaken
	case v.ended && (ref.Rel != Erases || v.erased):
		return fmt.Errorf("subject has ended: %w", ErrVersionTaken)
	case change && (!v.begun || !v.taken[ref.Version]):
		return fmt.Errorf("subject %s version %d: %w", ref.ID, ref.Version, ErrNotFound)
	}
	return nil
}

// Clone returns a copy that can be thrown away.
func (v *Versions) Clone() *Versions {
	c := *v
	c.taken = make(map[uint64]bool, len(v.taken))
	for n := range v.taken {
		c.taken[n] = true
	}
	return &c
}

// errMisfit: an Apply that is not one step of its stream. Only a programming error makes one.
var errMisfit = errors.New("does not fit the stream")

// CheckApply holds an Apply to the head as it is stored: ErrStale if it was decided against another size, if the stream
// is frozen, or if it would extend the node's own stream after release. The roots are the Follower's; here only the
// places are looked at.
func CheckApply(h Head, a Apply, ownReleased bool) error {
	if h.Size != a.From || h.Frozen != "" || ownReleased && a.Group != nil {
		return fmt.Errorf("apply to %s at %d, stored %d: %w", a.Stream, a.From, h.Size, ErrStale)
	}
	next := a.From
	if g := a.Group; g != nil {
		if g.First != a.From || len(g.Records) == 0 || g.Checkpoint == nil || a.NewHead.Signed != a.NewHead.Size {
			return fmt.Errorf("group of %s at %d, stored %d: %w", a.Stream, g.First, h.Size, errMisfit)
		}
		for _, st := range g.Records {
			if st.Stream != a.Stream || st.Seq != next {
				return fmt.Errorf("record %s %d at %d: %w", st.Stream, st.Seq, next, errMisfit)
			}
			next++
		}
	}
	if a.NewHead.Stream != a.Stream || a.NewHead.Size != next {
		return fmt.Errorf("new head of %s at %d, want %d: %w", a.Stream, a.NewHead.Size, next, errMisfit)
	}
	for _, st := range a.Late {
		if st.Stream != a.Stream || st.Seq >= a.From {
			return fmt.Errorf("late record %s %d: %w", st.Stream, st.Seq, errMisfit)
		}
	}
	return nil
}

// AppliedSize is Head.Applied: up to the first record with a pending part, if there is one. Of an own stream too: parts
// of records that were taken back may still be on their way.
func AppliedSize(size, firstPending uint64, pending bool) uint64 {
	if !pending {
		return size
	}
	return min(size, firstPending)
}

// CheckCosign says whether a node may vouch for a stream at size with root, having vouched for it at last before, as
// old says too; note is the stored checkpoint of exactly that size, nil if there is none. Never a smaller tree, never
// another one of equal size, never what no checkpoint covers, never above what is applied: ErrStale.
func CheckCosign(h Head, last uint64, lastRoot tlog.Hash, old, size uint64, root tlog.Hash, note []byte) error {
	switch {
	case last != old, size < old, size == old && size > 0 && root != lastRoot:
		return fmt.Errorf("cosign %s at %d after %d: %w", h.Stream, size, last, ErrStale)
	case size > h.Applied && !bugReceiptBeforeApply:
		return fmt.Errorf("cosign %s at %d, applied %d: %w", h.Stream, size, h.Applied, ErrStale)
	}
	if c, err := ParseCheckpoint(note); err != nil || c.Size != size || c.Root != root {
		return fmt.Errorf("cosign %s at %d: no such checkpoint stored: %w", h.Stream, size, ErrStale)
	}
	return nil
}

// DraftOf returns what a record of an own stream said before it had a place, with what is present of its parts.
func DraftOf(st Stored) Draft {
	m := st.Meaning
	d := Draft{Stream: st.Stream, ID: m.ID, Type: m.Type, Schema: m.Schema, Day: m.Day, Audience: m.Audience, Refs: m.Refs, Parts: map[PartName][]byte{}}
	for _, p := range st.Parts {
		if p.Name != Meta && p.State == PartPresent {
			d.Parts[p.Name] = p.Bytes
		}
	}
	return d
}

// SealedSize is what a record takes in a frame: header and boxes, salts, tags and wraps included. Home has no box.
func SealedSize(st Stored) int {
	n := 4 + len(st.Header)
	for _, p := range st.Parts {
		if p.Name != Home {
			n += 2 + 1 + len(p.Name) + 1 + 4 + saltSize + len(p.Bytes) + tagSize + 1 + wrapSize*len(p.Keys)
		}
	}
	return n
}

// CheckAppend refuses what no look at the log is needed to refuse: streams of others, too many drafts, a half-named
// idempotency slot, a one-use id without name. What Seal refuses is not looked at.
func CheckAppend(self MemberID, a Append) error {
	if len(a.Drafts) > MaxGroupRecords {
		return fmt.Errorf("append %d records: %w", len(a.Drafts), ErrTooLarge)
	}
	if (a.Scope == "") != (a.Key == "") {
		return errors.New("append: an idempotency key needs a scope, and a scope a key")
	}
	for _, u := range a.Uses {
		if u.Kind == "" || u.ID == "" {
			return errors.New("append: one-use id without kind or id")
		}
	}
	for _, d := range a.Drafts {
		if !d.Stream.Valid() || d.Stream.Member() != self {
			return fmt.Errorf("append to %s: not a stream of %s", d.Stream, self)
		}
	}
	return nil
}
