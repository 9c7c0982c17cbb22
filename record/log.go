package record

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// Errors that a Log reports; callers test them with errors.Is.
var (
	// ErrVersionTaken: another record already is this version of the subject; the caller's change lost the race.
	ErrVersionTaken = errors.New("version taken")
	// ErrIdempotencyConflict: the key was used before with another body.
	ErrIdempotencyConflict = errors.New("idempotency key used with another body")
	// ErrDuplicateRecord: a record with this id exists already.
	ErrDuplicateRecord = errors.New("record id exists")
	// ErrStale: the head moved since the caller read it, or another process took over (epoch); re-read and decide again.
	ErrStale = errors.New("head moved")
	// ErrFenced: another process of this node has taken the head row's epoch; this one must stop.
	ErrFenced = errors.New("fenced by a newer process")
	// ErrNotFound: no such record, stream or group.
	ErrNotFound = errors.New("not found")
	// ErrStorageFull: the store cannot write (disk full, read-only, gone); nothing was written, try again later.
	ErrStorageFull = errors.New("storage full or unavailable")
	// ErrOutcomeUnknown: the store broke off while it committed and cannot be asked; it may or may not be written. Who asks
	// again with the same idempotency key is told.
	ErrOutcomeUnknown = errors.New("outcome of commit is unknown")
	// ErrTooLarge: a record over MaxRecord.
	ErrTooLarge = errors.New("record too large")
	// ErrReplayed: a one-use id (token, ask) was used before.
	ErrReplayed = errors.New("replayed")
)

// Limits of one record, one commit group and one range answer (architecture.md §5).
const (
	MaxHeader       = 8 << 10   // bytes of one header
	MaxRecord       = 256 << 10 // bytes of one record: header and all parts
	MaxGroupRecords = 200
	MaxGroupBytes   = 512 << 10 // sealed bytes of one commit group
	MaxRangeRecords = 1000
	MaxRangeBytes   = 4 << 20
)

// Draft is a record before it has a sequence: what a domain wants to say.
type Draft struct {
	Stream   StreamID
	ID       RecordID
	Type     string
	Schema   string              // schema version, "1"
	Day      string              // civil date at +08:00, YYYY-MM-DD
	Audience map[GroupID]Level   // empty = nobody
	Refs     []Ref               // at most one of follows, supersedes, withdraws, erases
	Parts    map[PartName][]byte // card, body, home; Meta is made by the Sealer
}

// Use is a one-use id that must not have been used before: a member token's or an ask's (architecture.md §5, replay).
type Use struct {
	Kind    string // "jti", "ask"
	ID      string
	Expires int64 // Unix seconds after which the id itself is refused
}

// Append is one request: its drafts are appended in order, all or none, in one transaction with its idempotency answer
// and one-use ids. Requests of several callers may share a transaction (group commit), never an outcome.
type Append struct {
	Drafts []Draft
	// Scope and Key name the idempotency slot (principal+route, key); both empty = none. BodyHash is what was asked.
	Scope, Key string
	BodyHash   [32]byte
	// Answer makes the bytes kept for repeats, inside the transaction; nil keeps an empty answer. It must be pure.
	Answer func(Appended) ([]byte, error)
	// Uses fail the whole request with ErrReplayed if any was used before.
	Uses []Use
}

// Appended tells what an Append did.
type Appended struct {
	Records    []Placed
	Checkpoint map[StreamID][]byte // signed note that covers the records; absent while the stream is unreleased
	Repeated   bool                // the idempotency key was known: nothing was written, Answer is the first answer
	Answer     []byte
}

// Placed is where a draft went.
type Placed struct {
	ID     RecordID
	Stream StreamID
	Seq    uint64
	Leaf   tlog.Hash
}

// PartState says whether a node has a part (log.md §3).
type PartState uint8

// States of a part at a node.
const (
	PartNone     PartState = iota // not for this node
	PartPresent                   // here, proven against the header
	PartPending                   // this node is entitled, the bytes are not here yet
	PartWithheld                  // sealed under a key this node does not have
	PartGone                      // deleted by a later record
	PartLost                      // the origin itself lost it (restore without backup)
)

// StoredPart is one part as a node holds it. Salt and Bytes are set only when State is PartPresent.
type StoredPart struct {
	Name   PartName
	State  PartState
	Salt   [32]byte
	Bytes  []byte
	Keys   []KeyID // epoch keys that its box is wrapped for, ascending; fixed at sealing
	GoneBy uint64  // sequence of the record that deleted it, when PartGone
}

// Stored is one record as a node holds it: the exact header bytes, its leaf, its parts.
type Stored struct {
	Stream   StreamID
	Seq      uint64
	Header   []byte
	Leaf     tlog.Hash
	Parts    []StoredPart
	Unusable string // why a proven record has no effect; empty for a usable one
	// Meaning is what header (and meta, when sealed and present) say; zero while meta is missing, and of a record that has
	// no place in a subject. A record that only its schema refuses keeps its Meaning and its parts: it holds its version,
	// its references delete, and it can be checked again after an upgrade.
	Meaning Meaning
}

// Group is one commit group: consecutive records and the checkpoint that the origin signed over them.
type Group struct {
	Stream     StreamID
	First      uint64
	Records    []Stored
	Checkpoint []byte // signed note; nil while the own stream is unreleased
}

// Head is how far a node is with one stream.
type Head struct {
	Stream     StreamID
	Size       uint64 // records stored; for a foreign stream all are verified
	Applied    uint64 // records before the first pending part; of an own stream only what was taken back can be pending
	Root       tlog.Hash
	Frontier   []tlog.Hash // perfect-subtree roots of Size, left to right
	Checkpoint []byte      // newest signed checkpoint; nil if none
	Signed     uint64      // size of Checkpoint
	Frozen     string      // why nothing more is applied (forked), empty otherwise
}

// PartAt names one part of one record of a stream.
type PartAt struct {
	Seq  uint64
	Part PartName
}

// Deletion is what one record deletes: the parts of earlier records of its subject.
type Deletion struct {
	By    uint64 // sequence of the deleting record
	Parts []PartAt
}

// Apply is what a Follower decided about one commit group or some late parts, for the store to do in one transaction.
type Apply struct {
	Stream  StreamID
	From    uint64   // Head.Size it was decided against; another size now = ErrStale
	Group   *Group   // nil when only parts arrive
	Late    []Stored // records that were stored before and whose listed parts are now present or gone
	Deletes []Deletion
	NewHead Head
	Via     string  // "kafka" or "http", for counting
	Cursor  *Cursor // courier position to store with the effects; a hint only
}

// Cursor is how far a node has read a topic.
type Cursor struct {
	Topic  string
	Offset int64 // next offset to read
}

// Log is a node's durable store of streams: its own, and replicas of others. Every implementation passes
// record/recordtest. Guarantees, for all methods together:
//
//   - Append and Apply are atomic and durable when they return nil; a caller that gives up does not cancel its append,
//     and after an error that is not one of the named ones the outcome is unknown until asked by idempotency key.
//   - Sequences of a stream are 0,1,2,… without gap or reuse; leaves and headers never change.
//   - Records of one Append stand next to each other per stream. Streams are locked in the order audit, local, records.
//   - Any number of callers may call any method at once; no method calls back into the caller while it holds a lock,
//     but Append.Answer, which must not block.
//   - A reader sees only committed state, and of one call one state.
type Log interface {
	// Append adds to own streams. All drafts of a records stream that is not released yet are stored without checkpoint.
	Append(ctx context.Context, a Append) (Appended, error)
	// Answered returns the kept answer of an idempotency slot and the body hash it was given for; ErrNotFound if none.
	Answered(ctx context.Context, scope, key string) (answer []byte, bodyHash [32]byte, err error)
	// Apply stores what a Follower decided about a foreign stream.
	Apply(ctx context.Context, a Apply) error
	// Head returns a stream's head; a stream never seen has the zero Head with its name.
	Head(ctx context.Context, s StreamID) (Head, error)
	// Heads returns all heads, sorted by stream.
	Heads(ctx context.Context) ([]Head, error)
	// Groups returns whole stored commit groups, the first one containing from, at most limit records but at least one
	// group; none if from is at or past the end. Parts come with their states.
	Groups(ctx context.Context, s StreamID, from uint64, limit int) ([]Group, error)
	// Record returns one record by id; of several streams that carry the id, the own stream first. ErrNotFound if none.
	Record(ctx context.Context, id RecordID) (Stored, error)
	// Subject returns the records of a subject of one stream that have a Meaning, by version; before them the record whose
	// id the subject is while its meta is not here (sealed, withheld or pending), so that a later change is not taken for
	// one of a foreign subject.
	Subject(ctx context.Context, s StreamID, subject RecordID) ([]Stored, error)
	// Subjects returns what Subject does, of many subjects, each named once; those without a record are left out.
	Subjects(ctx context.Context, s StreamID, subjects []RecordID) (map[RecordID][]Stored, error)
	// Leaves returns leaf hashes [from,to) of a stream.
	Leaves(ctx context.Context, s StreamID, from, to uint64) ([]tlog.Hash, error)
	// NoEffect returns the sequences of a stream's records that are proven and unusable, ascending.
	NoEffect(ctx context.Context, s StreamID) ([]uint64, error)
	// Pending returns parts that are pending, ascending.
	Pending(ctx context.Context, s StreamID) ([]PartAt, error)
	// Rekey turns withheld parts into pending where now reports that the node holds one of their keys.
	Rekey(ctx context.Context, s StreamID, has func(KeyID) bool) (int, error)
	// Release marks an own stream released and signs the checkpoint of every group stored without one, in order.
	Release(ctx context.Context, s StreamID) error
	// Unreleased removes and returns, as drafts, the unsigned tail of an own stream, so that what peers hold can be taken
	// back by Apply and the tail appended again behind it. It fails with ErrStale once the stream is released.
	Unreleased(ctx context.Context, s StreamID) ([]Draft, error)
	// PutReceipt keeps a member's newest receipt about a stream if size is larger than the kept one's (or none is kept).
	PutReceipt(ctx context.Context, s StreamID, by MemberID, size uint64, receipt []byte) error
	// Receipts returns the newest receipt of each member about a stream.
	Receipts(ctx context.Context, s StreamID) (map[MemberID][]byte, error)
	// Cosign records that this node cosigns a foreign stream at size, given that its last cosigned size is old:
	// one UPDATE … WHERE size = old; ErrStale otherwise. The receipt is kept as this node's own.
	Cosign(ctx context.Context, s StreamID, old, size uint64, root tlog.Hash, receipt []byte) error
	// Cosigned returns the size and root last cosigned by this node; zero if never.
	Cosigned(ctx context.Context, s StreamID) (size uint64, root tlog.Hash, err error)
	// PutEvidence keeps fork evidence and freezes the stream with it.
	PutEvidence(ctx context.Context, s StreamID, evidence []byte) error
	// Evidence returns all kept fork evidence.
	Evidence(ctx context.Context) (map[StreamID][]byte, error)
	// Cursor returns the stored courier position of a topic; ErrNotFound if none.
	Cursor(ctx context.Context, topic string) (Cursor, error)
	// SetCursor stores a courier position by itself (the relay's last confirmed size, intake's progress over duplicates).
	SetCursor(ctx context.Context, c Cursor) error
}
