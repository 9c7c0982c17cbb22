package exchange

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// ReceiptEvery is the shortest time between two receipts of this node about one stream.
const ReceiptEvery = time.Second

// Receipts makes this node's receipts and keeps those of others.
type Receipts struct {
	Log      record.Log
	Roster   *Roster
	Replicas *Replicas
	Signer   *record.Signer
	Count    *Counters
	Alarm    func(Alarm)
	// Released reports whether this node may speak; its receipts wait for that too.
	Released func() bool
	// Wall is the clock that receipts print; nil: the hour that Step is given. It decides nothing.
	Wall func() time.Time

	mu   sync.Mutex
	last map[record.StreamID]time.Time
	upTo map[record.StreamID]uint64 // the log is known to have cosigned at least so much; it never goes back
	read map[keptAt]readReceipt
}

type keptAt struct {
	stream record.StreamID
	by     record.MemberID
}

// readReceipt is a receipt that was verified, under a charter: a later version may have revoked its key.
type readReceipt struct {
	sum     [32]byte
	charter record.CharterRef
	r       record.Receipt
}

// Made is a receipt of this node that is to be sent.
type Made struct {
	Stream  record.StreamID
	Receipt []byte
}

// Step cosigns what was applied since, at most once in ReceiptEvery for each stream, and returns the new receipts.
func (rc *Receipts) Step(ctx context.Context, now time.Time) ([]Made, error) {
	if !rc.Released() {
		return nil, nil
	}
	var made []Made
	for _, s := range rc.Replicas.Streams() {
		rc.mu.Lock()
		last, ok := rc.last[s]
		rc.mu.Unlock()
		if ok && now.Sub(last) < ReceiptEvery && !now.Before(last) {
			continue
		}
		b, err := rc.cosign(ctx, s, wall(rc.Wall, now).Unix())
		if err != nil {
			return made, err
		}
		if b == nil {
			continue
		}
		rc.mu.Lock()
		if rc.last == nil {
			rc.last = map[record.StreamID]time.Time{}
		}
		rc.last[s] = now
		rc.mu.Unlock()
		rc.Count.Add(CountReceipts, "signed", 1)
		made = append(made, Made{s, b})
	}
	return made, nil
}

// cosign makes one receipt; nil if nothing changed or another process of this node was faster.
func (rc *Receipts) cosign(ctx context.Context, s record.StreamID, unix int64) (receipt []byte, err error) {
	err = rc.Replicas.locked(ctx, s, func(r *replica) error {
		if r.head.Frozen != "" || r.head.Signed == 0 || appliedSize(r.head) <= rc.cosigned(s, 0) {
			return nil
		}
		old, _, err := rc.Log.Cosigned(ctx, s)
		if err != nil {
			return fmt.Errorf("read cosigned size of %s: %w", s, err)
		}
		rc.cosigned(s, old)
		if appliedSize(r.head) <= old {
			return nil
		}
		note, err := appliedCheckpoint(ctx, rc.Log, r.head)
		if err != nil || note == nil {
			return err
		}
		c, err := record.ParseCheckpoint(note)
		if err != nil {
			return fmt.Errorf("stored checkpoint of %s: %w", s, err)
		}
		if c.Size <= old {
			return nil
		}
		if err := r.scan(ctx, rc.Log); err != nil {
			return err
		}
		var held []record.HeldBack
		for _, seq := range slices.Sorted(maps.Keys(r.unusable)) {
			if seq < c.Size {
				held = append(held, record.HeldBack{Seq: seq, Reason: record.HeldUnusable})
			}
		}
		b, err := record.SignReceipt(rc.Signer, rc.Roster.Federation, rc.Roster.Self, note, held, max(unix, 0))
		if err != nil {
			return fmt.Errorf("receipt about %s: %w", s, err)
		}
		err = rc.Log.Cosign(ctx, s, old, c.Size, c.Root, b)
		if errors.Is(err, record.ErrStale) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cosign %s at %d: %w", s, c.Size, err)
		}
		rc.cosigned(s, c.Size)
		receipt = b
		return nil
	})
	return receipt, err
}

// cosigned notes that the log has cosigned a stream up to size, and returns the largest size that was noted. Streams in
// which nothing moved need no question to the log: with every frame that comes that is all of them but one.
func (rc *Receipts) cosigned(s record.StreamID, size uint64) uint64 {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.upTo == nil {
		rc.upTo = map[record.StreamID]uint64{}
	}
	rc.upTo[s] = max(rc.upTo[s], size)
	return rc.upTo[s]
}

// appliedSize is how far records may be vouched for.
func appliedSize(h record.Head) uint64 {
	if bugReceiptBeforeApply {
		return h.Size
	}
	return h.Applied
}

// appliedCheckpoint returns the newest checkpoint that covers nothing but applied records; nil if there is none.
func appliedCheckpoint(ctx context.Context, log record.Log, h record.Head) ([]byte, error) {
	applied := appliedSize(h)
	if applied >= h.Signed {
		return h.Checkpoint, nil
	}
	gs, err := log.Groups(ctx, h.Stream, applied, 1)
	if err != nil || len(gs) == 0 {
		return nil, err
	}
	return checkpointAt(ctx, log, h.Stream, gs[0].First)
}

// scan fills the set of unusable records from the log, once.
func (r *replica) scan(ctx context.Context, log record.Log) error {
	if r.listed {
		return nil
	}
	all, err := log.NoEffect(ctx, r.stream)
	if err != nil {
		return err
	}
	found := make(map[uint64]bool, len(all))
	for _, seq := range all {
		found[seq] = true
	}
	r.unusable, r.listed = found, true
	return nil
}

// Take verifies a receipt of member by and keeps it if it is larger than the kept one. It returns the stream and the
// cosigned checkpoint note of a good one, nil for one that is false, of an unknown stream, or known already. Errors are
// of this node's store.
func (rc *Receipts) Take(ctx context.Context, by record.MemberID, b []byte) (record.StreamID, []byte, error) {
	note, c, ok := receiptCheckpoint(b)
	if !ok || by == rc.Roster.Self || c.Stream.Member() != rc.Roster.Self && !rc.Roster.replicated(c.Stream) {
		rc.Count.Add(CountReceipts, "refused", 1)
		return "", nil, nil
	}
	if !rc.Roster.CharterKnown(c.Charter) {
		return c.Stream, nil, nil // it comes again with the next exchange
	}
	at, sum := keptAt{c.Stream, by}, sha256.Sum256(b)
	rc.mu.Lock()
	known := rc.read[at]
	rc.mu.Unlock()
	if known.sum == sum || c.Size < known.r.Size {
		return c.Stream, nil, nil // known, or overtaken: nothing to verify
	}
	charter := rc.Roster.Charter() // before the verification, which is then under this version or a newer one
	r, err := rc.verify(by, b)
	if err != nil {
		rc.Count.Add(CountReceipts, "refused", 1)
		if rc.Alarm != nil {
			rc.Alarm(Alarm{Code: AlarmReceipt, Stream: c.Stream, Peer: by})
		}
		return c.Stream, nil, nil
	}
	if err := rc.Log.PutReceipt(ctx, r.Stream, by, r.Size, b); err != nil {
		return r.Stream, nil, fmt.Errorf("keep receipt of %s about %s: %w", by, r.Stream, err)
	}
	rc.remember(at, readReceipt{sum, charter, r})
	rc.Count.Add(CountReceipts, "kept", 1)
	return r.Stream, note, nil
}

func (rc *Receipts) verify(by record.MemberID, b []byte) (record.Receipt, error) {
	err := record.ErrNoSignature
	for _, key := range rc.Roster.NoteKeys(by) {
		var r record.Receipt
		if r, err = record.VerifyReceipt(b, rc.Roster.Federation, by, key, rc.Roster.SignKey); err == nil {
			return r, nil
		}
	}
	return record.Receipt{}, err
}

func (rc *Receipts) remember(at keptAt, known readReceipt) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.read == nil {
		rc.read = map[keptAt]readReceipt{}
	}
	if rc.read[at].r.Size <= known.r.Size {
		rc.read[at] = known
	}
}

// receiptCheckpoint returns the checkpoint note inside a receipt, unverified.
func receiptCheckpoint(b []byte) ([]byte, record.Checkpoint, bool) {
	if len(b) > record.MaxReceipt {
		return nil, record.Checkpoint{}, false
	}
	var w struct {
		Checkpoint string `json:"checkpoint"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, record.Checkpoint{}, false
	}
	c, err := record.ParseCheckpoint([]byte(w.Checkpoint))
	return []byte(w.Checkpoint), c, err == nil
}

// Coverage says by how many members a record is applied: "k/n applied".
type Coverage struct {
	K, N    int
	Missing []record.MemberID // ascending
}

// Coverage counts, of members, those whose newest receipt covers record seq and does not hold it back. The origin counts
// as soon as a signed checkpoint covers the record; the own node by its own receipt.
func (rc *Receipts) Coverage(ctx context.Context, s record.StreamID, seq uint64, members []record.MemberID) (Coverage, error) {
	all, err := rc.Coverages(ctx, s, []uint64{seq}, members)
	if err != nil {
		return Coverage{N: len(members)}, err
	}
	return all[0], nil
}

// Coverages is Coverage of several records of a stream, in the order of seqs.
func (rc *Receipts) Coverages(ctx context.Context, s record.StreamID, seqs []uint64, members []record.MemberID) ([]Coverage, error) {
	h, err := rc.Log.Head(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("read head of %s: %w", s, err)
	}
	kept, err := rc.Log.Receipts(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("read receipts of %s: %w", s, err)
	}
	all := make([]Coverage, len(seqs))
	for _, m := range slices.Sorted(slices.Values(members)) {
		for i, seq := range seqs {
			c := &all[i]
			c.N++
			if m == s.Member() && seq < h.Signed || m != s.Member() && rc.covers(s, m, kept[m], seq) {
				c.K++
			} else {
				c.Missing = append(c.Missing, m)
			}
		}
	}
	return all, nil
}

// covers reads a kept receipt, verified once under each charter: one under a key that was revoked since counts no more.
func (rc *Receipts) covers(s record.StreamID, by record.MemberID, b []byte, seq uint64) bool {
	if b == nil {
		return false
	}
	at, sum, charter := keptAt{s, by}, sha256.Sum256(b), rc.Roster.Charter()
	rc.mu.Lock()
	known := rc.read[at]
	rc.mu.Unlock()
	if known.sum != sum || known.charter != charter {
		r, err := rc.verify(by, b)
		if err != nil {
			return false
		}
		known = readReceipt{sum, charter, r}
		rc.remember(at, known)
	}
	return known.r.Stream == s && known.r.Covers(seq)
}
