package record

import (
	"crypto/ed25519"
	"errors"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Kind says what a Follower decided.
type Kind int

// The decisions.
const (
	DoApply     Kind = iota // proven: store Decision.Apply in one transaction, then call Applied
	DoNeed                  // proven to lie ahead: first fetch [From, To)
	DoDuplicate             // nothing in it that is not here
	DoForked                // the origin signed two trees: keep Evidence, freeze the stream, alarm
	DoRefuse                // drop it, see Why; the stream waits for other bytes
)

// Why a frame is refused. The codes are stable: they are metric labels and are shown by doctor.
const (
	WhyEmpty           = "empty"
	WhyMalformed       = "malformed"
	WhyWrongStream     = "wrong_stream"
	WhyWrongFederation = "wrong_federation"
	WhyFrozen          = "frozen"
	WhyUnknownCharter  = "unknown_charter" // fetch the charter, then offer again
	WhyUnknownKey      = "unknown_key"     // the charter puts no key in force there: not yet, or revoked
	WhyUnknownSuite    = "unknown_suite"   // no line of the key in force: of another key, or of a suite that we cannot verify
	WhyBadSignature    = "bad_signature"
	WhyBadRoot         = "bad_root" // the signature was good: persistent, it hints at a fork that leaves must show
	WhyWrongHeader     = "wrong_header"
	WhyStore           = "store" // this node's own store failed to answer; offer again
)

// Why a proven record has no effect (Stored.Unusable). Reasons of Follower.Usable stand beside these.
const (
	UnusableHeader        = "header"         // does not parse
	UnusableVersion       = "version"        // of a later format; retried after an upgrade
	UnusablePlace         = "place"          // names another stream or sequence than its own
	UnusableMeta          = "meta"           // does not parse, or contradicts the header
	UnusableForeignChange = "foreign_change" // changes a subject that this stream did not begin
	UnusableVersionTaken  = "version_taken"  // an earlier record is this version
	UnusableSubjectEnded  = "subject_ended"  // the subject was withdrawn or erased before
)

// Decision is what a Follower made of one frame.
type Decision struct {
	Kind     Kind
	Apply    *Apply
	From, To uint64    // of DoNeed: sequences missing before the frame
	Evidence *Evidence // of DoForked; it verifies unless the tree has more than MaxEvidenceLeaves leaves
	Why      string    // of DoRefuse
}

// Follower is the state machine of one foreign stream: it decides what foreign bytes mean and touches nothing. Kafka,
// range answers and simulations feed the same one. It is not safe for use by several goroutines.
type Follower struct {
	Federation FederationID
	Self       MemberID
	Head       Head            // as stored
	Pending    map[PartAt]bool // as stored (Log.Pending)

	// SignKey is the key that the charter puts in force at a sequence of a stream; false if none, or if revoked there.
	SignKey func(s StreamID, seq uint64) (ed25519.PublicKey, bool)
	// CharterKnown reports whether this charter version is held and verified.
	CharterKnown func(CharterRef) bool
	// Key returns epoch keys of the groups that Self is in now, of any epoch; others are unknown keys, else a part could
	// stay pending that no holder may hand over any more.
	Key func(KeyID) (EpochKey, bool)
	// Entitled reports whether Self is in the group now.
	Entitled func(GroupID) bool
	// Usable checks a record against its schema once all its parts are here; "" = usable, nil accepts everything. Parts
	// that this node is not given are absent.
	Usable func(Meaning, map[PartName][]byte) string
	// Checkpoint returns the stored checkpoint of exactly this size.
	Checkpoint func(size uint64) ([]byte, bool)
	// Leaves returns stored leaf hashes [from,to).
	Leaves func(from, to uint64) ([]tlog.Hash, error)
	// Subject returns what Log.Subject says: the stored records of a subject of this stream.
	Subject func(RecordID) ([]Stored, error)
	// Subjects returns what Subject does of many at once, those without a record left out; nil: they are asked one by one.
	Subjects func([]RecordID) (map[RecordID][]Stored, error)
}

// Offer decides about a frame that may extend the stream. It is pure: offer the same twice, get the same twice.
func (f *Follower) Offer(fr *Frame, via string) Decision {
	c, why := f.admit(fr)
	if why != "" {
		return refuse(why)
	}
	if f.sameCheckpoint(c) {
		return Decision{Kind: DoDuplicate} // before the signature is verified: a replayed topic must stay cheap
	}
	if why := f.authentic(fr, c); why != "" {
		return refuse(why)
	}
	switch {
	case f.isDuplicate(fr):
		return f.known(fr, c)
	case f.gapBefore(fr):
		return Decision{Kind: DoNeed, From: f.Head.Size, To: fr.First}
	}
	leaves := frameLeaves(fr)
	fresh, same, err := f.overlap(fr, leaves)
	if err != nil {
		return refuse(WhyStore)
	}
	if !same {
		return f.diverged(fr, c, leaves)
	}
	tree := Tree{Size: f.Head.Size, Frontier: slices.Clone(f.Head.Frontier)}
	for _, l := range leaves[len(leaves)-fresh:] {
		tree.grow(l)
	}
	if !rootMatches(tree, c) {
		return refuse(WhyBadRoot)
	}
	a, err := f.extend(fr, fresh, tree, via)
	if err != nil {
		return refuse(WhyStore)
	}
	return Decision{Kind: DoApply, Apply: a}
}

// Applied tells the Follower that the store committed a.
func (f *Follower) Applied(a *Apply) {
	f.Head = a.NewHead
	f.Pending = pendingAfter(f.Pending, a)
}

func refuse(why string) Decision { return Decision{Kind: DoRefuse, Why: why} }

// admit checks whose the frame is and what its checkpoint claims, before any cryptography.
func (f *Follower) admit(fr *Frame) (Checkpoint, string) {
	switch {
	case fr == nil || len(fr.Headers) == 0:
		return Checkpoint{}, WhyEmpty
	case fr.Stream != f.Head.Stream || f.Head.Stream.Kind() != Records:
		return Checkpoint{}, WhyWrongStream
	case fr.Federation != f.Federation:
		return Checkpoint{}, WhyWrongFederation
	case f.Head.Frozen != "":
		return Checkpoint{}, WhyFrozen
	case fr.check() != nil:
		return Checkpoint{}, WhyMalformed
	case !(Tree{f.Head.Size, f.Head.Frontier}).whole(), f.Head.Signed != f.Head.Size:
		return Checkpoint{}, WhyStore // of an own stream the unsigned tail is taken away first (Log.Unreleased)
	}
	c, err := ParseCheckpoint(fr.Checkpoint)
	switch {
	case err != nil:
		return c, WhyMalformed
	case c.Federation != f.Federation:
		return c, WhyWrongFederation
	case c.Stream != f.Head.Stream:
		return c, WhyWrongStream
	}
	return c, ""
}

// authentic checks that the key in force at the checkpoint's last record signed it.
func (f *Follower) authentic(fr *Frame, c Checkpoint) string {
	if !f.CharterKnown(c.Charter) {
		return WhyUnknownCharter
	}
	key, ok := f.SignKey(c.Stream, lastSeq(c.Size))
	if !ok {
		return WhyUnknownKey
	}
	_, err := VerifyCheckpoint(fr.Checkpoint, key)
	switch {
	case errors.Is(err, ErrNoSignature):
		return WhyUnknownSuite
	case errors.Is(err, ErrBadSignature):
		return WhyBadSignature
	case err != nil:
		return WhyMalformed
	}
	return ""
}

// isDuplicate reports whether every sequence of the frame is stored already.
func (f *Follower) isDuplicate(fr *Frame) bool {
	return fr.End() <= f.Head.Size && !bugNoDuplicateCheck
}

// gapBefore reports whether sequences are missing before the frame.
func (f *Follower) gapBefore(fr *Frame) bool { return fr.First > f.Head.Size && !bugGapSkipped }

// rootMatches is the proof: the tree that we computed ourselves is the one that the origin signed.
func rootMatches(t Tree, c Checkpoint) bool {
	return t.Size == c.Size && (t.Root() == c.Root || bugCheckpointOverUnreadBytes)
}

// sameCheckpoint reports whether a checkpoint with this root is stored for this size; its frame brings nothing new.
func (f *Follower) sameCheckpoint(c Checkpoint) bool {
	if c.Size > f.Head.Size || bugNoDuplicateCheck {
		return false
	}
	b, ok := f.stored(c.Size)
	if !ok {
		return false
	}
	ours, err := ParseCheckpoint(b)
	return err == nil && ours.Root == c.Root
}

// stored returns the stored checkpoint of a size.
func (f *Follower) stored(size uint64) ([]byte, bool) {
	if size == f.Head.Signed && f.Head.Checkpoint != nil {
		return f.Head.Checkpoint, true
	}
	if f.Checkpoint == nil {
		return nil, false
	}
	return f.Checkpoint(size)
}

// known decides about a signed checkpoint at or below our size whose root is not on file: the stored leaves tell whether
// it is of our tree.
func (f *Follower) known(fr *Frame, c Checkpoint) Decision {
	if b, ok := f.stored(c.Size); ok { // not the same root, or sameCheckpoint had seen it
		return forked(b, fr.Checkpoint, nil)
	}
	leaves, err := f.leavesTo(f.Head.Size)
	if err != nil {
		return refuse(WhyStore)
	}
	if rootMatches(leafTree(leaves[:c.Size]), c) {
		return Decision{Kind: DoDuplicate}
	}
	larger, size := f.nextCheckpoint(c.Size)
	return forked(larger, fr.Checkpoint, leaves[:size])
}

// nextCheckpoint returns the smallest stored checkpoint above size: evidence of few leaves. One stands within a group's
// length unless the head's is the only one.
func (f *Follower) nextCheckpoint(size uint64) ([]byte, uint64) {
	for n := size + 1; n <= size+MaxGroupRecords && n < f.Head.Signed; n++ {
		if b, ok := f.stored(n); ok {
			return b, n
		}
	}
	return f.Head.Checkpoint, f.Head.Signed
}

func forked(a, b []byte, leaves []tlog.Hash) Decision {
	if len(leaves) > MaxEvidenceLeaves {
		leaves = nil
	}
	return Decision{Kind: DoForked, Evidence: &Evidence{A: a, B: b, Leaves: leaves}}
}

// leavesTo returns the first size stored leaves.
func (f *Follower) leavesTo(size uint64) ([]tlog.Hash, error) {
	leaves, err := f.Leaves(0, size)
	if err == nil && uint64(len(leaves)) != size {
		err = errLeaves
	}
	return leaves, err
}

func frameLeaves(fr *Frame) []tlog.Hash {
	leaves := make([]tlog.Hash, len(fr.Headers))
	for i, h := range fr.Headers {
		leaves[i] = Leaf(h)
	}
	return leaves
}

// overlap returns how many records of the frame are new, and whether those that are not equal ours.
func (f *Follower) overlap(fr *Frame, leaves []tlog.Hash) (fresh int, same bool, err error) {
	fresh = int(fr.End() - f.Head.Size)
	if fr.First == f.Head.Size {
		return fresh, true, nil
	}
	ours, err := f.Leaves(fr.First, f.Head.Size)
	return fresh, slices.Equal(ours, leaves[:len(leaves)-fresh]), err
}

// diverged decides about a signed, longer checkpoint whose frame shows other leaves at places that we hold. If those
// leaves give the signed root, the origin forked; if not, the bytes prove nothing.
func (f *Follower) diverged(fr *Frame, c Checkpoint, leaves []tlog.Hash) Decision {
	before, err := f.leavesTo(fr.First)
	if err != nil {
		return refuse(WhyStore)
	}
	all := append(slices.Clone(before), leaves...)
	if !rootMatches(leafTree(all), c) {
		return refuse(WhyBadRoot)
	}
	return forked(f.Head.Checkpoint, fr.Checkpoint, all)
}

// extend makes the Apply of a proven frame's last fresh records.
func (f *Follower) extend(fr *Frame, fresh int, tree Tree, via string) (*Apply, error) {
	p := &pass{f: f, boxes: boxIndex(fr)}
	a := &Apply{Stream: fr.Stream, From: f.Head.Size, Via: via}
	read := make([]Stored, 0, fresh)
	for i := len(fr.Headers) - fresh; i < len(fr.Headers); i++ {
		read = append(read, p.read(i, fr.First+uint64(i), fr.Headers[i]))
	}
	if err := p.lookUp(read); err != nil {
		return nil, err
	}
	for _, st := range read {
		if err := p.settle(&st); err != nil {
			return nil, err
		}
		p.fresh = append(p.fresh, st)
		if err := p.deleteFor(st); err != nil {
			return nil, err
		}
	}
	a.Group = &Group{Stream: fr.Stream, First: f.Head.Size, Records: p.fresh, Checkpoint: fr.Checkpoint}
	a.Deletes = p.deletes
	a.NewHead = Head{Stream: fr.Stream, Size: tree.Size, Root: tree.Root(), Frontier: tree.Frontier, Checkpoint: fr.Checkpoint, Signed: tree.Size}
	a.NewHead.Applied = appliedHead(a.NewHead.Size, pendingAfter(f.Pending, a))
	return a, nil
}

// appliedHead is the first sequence with a pending part, or the size.
func appliedHead(size uint64, pending map[PartAt]bool) uint64 {
	for at := range pending {
		size = min(size, at.Seq)
	}
	return size
}

// pendingAfter returns what is pending once a is stored.
func pendingAfter(pending map[PartAt]bool, a *Apply) map[PartAt]bool {
	next := make(map[PartAt]bool, len(pending))
	for at := range pending {
		next[at] = true
	}
	note := func(st Stored) {
		for _, p := range st.Parts {
			at := PartAt{st.Seq, p.Name}
			if p.State == PartPending {
				next[at] = true
			} else {
				delete(next, at)
			}
		}
	}
	if a.Group != nil {
		for _, st := range a.Group.Records {
			note(st)
		}
	}
	for _, st := range a.Late {
		note(st)
	}
	for _, d := range a.Deletes {
		for _, at := range d.Parts {
			delete(next, at)
		}
	}
	return next
}
