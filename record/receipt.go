package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxReceipt bounds a receipt in bytes; it also travels inside head exchanges.
const MaxReceipt = 512 << 10

// Reasons of held-back records.
const (
	HeldPending  = "pending"
	HeldUnusable = "unusable"
	HeldWithheld = "withheld"
)

// HeldBack is a record under a receipt's checkpoint that its member has not applied, and why.
type HeldBack struct {
	Seq    uint64
	Reason string
}

// Receipt says what one member has applied of a stream.
type Receipt struct {
	By     MemberID
	Stream StreamID
	Size   uint64
	Root   tlog.Hash
	Time   int64 // of the cosignature, Unix seconds on the member's clock
	Held   []HeldBack
}

// Covers reports whether the member has applied record seq: below the size and not held back.
func (r Receipt) Covers(seq uint64) bool {
	i := sort.Search(len(r.Held), func(i int) bool { return r.Held[i].Seq >= seq })
	return seq < r.Size && (i == len(r.Held) || r.Held[i].Seq != seq)
}

func receiptName(fed FederationID, by MemberID) string {
	return "pilin/" + fed.String() + "/" + string(by) + "/receipt"
}

type receiptWire struct {
	V          jsontext.Value `json:"v"`
	Checkpoint *string        `json:"checkpoint"`
	Held       *string        `json:"held"`
}

// SignReceipt cosigns a checkpoint note that member by has applied, at the given Unix second, and signs what it holds
// back. The caller has verified the note and persists size and root in the same step (Log.Cosign).
func SignReceipt(sg *Signer, fed FederationID, by MemberID, checkpoint []byte, held []HeldBack, unix int64) ([]byte, error) {
	c, err := ParseCheckpoint(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	if c.Federation != fed || !by.Valid() || unix < 0 {
		return nil, errors.New("sign receipt: federation, member or time is wrong")
	}
	kept, err := originLines(checkpoint, c)
	if err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	name := receiptName(fed, by)
	cosigned, err := note.Sign(&note.Note{Text: c.Text, UnverifiedSigs: kept}, sg.cosigner(name, unix))
	if err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	text := heldText(name, c, held)
	if _, err := parseHeld(text, name, c); err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	heldNote, err := sg.Note(name, text)
	if err != nil {
		return nil, err
	}
	b := []byte(`{"v":1,"checkpoint":`)
	for i, s := range [][]byte{cosigned, heldNote} {
		if i > 0 {
			b = append(b, `,"held":`...)
		}
		if b, err = jsontext.AppendQuote(b, s); err != nil {
			return nil, fmt.Errorf("sign receipt: %w", err)
		}
	}
	b = append(b, '}')
	if len(b) > MaxReceipt {
		return nil, fmt.Errorf("sign receipt of %d bytes: %w", len(b), ErrTooLarge)
	}
	return b, nil
}

// originLines returns the checkpoint's signature lines of its origin; lines of others are dropped from a receipt.
func originLines(checkpoint []byte, c Checkpoint) ([]note.Signature, error) {
	_, err := note.Open(checkpoint, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return nil, fmt.Errorf("checkpoint note: %w", err)
	}
	origin := Origin(c.Federation, c.Stream)
	lines := slices.DeleteFunc(unverified.Note.UnverifiedSigs, func(s note.Signature) bool { return s.Name != origin })
	if len(lines) == 0 {
		return nil, ErrNoSignature
	}
	return lines, nil
}

func heldText(name string, c Checkpoint, held []HeldBack) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%d\n%x\n", name, Origin(c.Federation, c.Stream), c.Size, sha256.Sum256([]byte(c.Text)))
	for _, h := range held {
		fmt.Fprintf(&b, "%d %s\n", h.Seq, h.Reason)
	}
	return b.String()
}

// parseHeld reads a held note's text that belongs to checkpoint c.
func parseHeld(text, name string, c Checkpoint) ([]HeldBack, error) {
	rest, ok := strings.CutPrefix(text, heldText(name, c, nil))
	if !ok {
		return nil, errors.New("held: about another checkpoint or member")
	}
	var held []HeldBack
	for rest != "" {
		var line string
		if line, rest, ok = strings.Cut(rest, "\n"); !ok {
			return nil, errors.New("held: no newline at the end")
		}
		number, reason, _ := strings.Cut(line, " ")
		seq, err := parseNumber(number)
		if err != nil || seq >= c.Size || len(held) > 0 && seq <= held[len(held)-1].Seq {
			return nil, errors.New("held: sequence ill-formed, out of order or past the size")
		}
		if reason != HeldPending && reason != HeldUnusable && reason != HeldWithheld {
			return nil, errors.New("held: unknown reason")
		}
		held = append(held, HeldBack{Seq: seq, Reason: reason})
	}
	return held, nil
}

// VerifyReceipt reads a receipt of member by: the origin's signature under its key of that size, the cosignature and the
// held note under the member's key, all three about one checkpoint of this federation.
func VerifyReceipt(b []byte, fed FederationID, by MemberID, memberKey ed25519.PublicKey, originKey func(StreamID, uint64) (ed25519.PublicKey, bool)) (Receipt, error) {
	r, err := verifyReceipt(b, fed, by, memberKey, originKey)
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt of %s: %w", by, err)
	}
	return r, nil
}

func verifyReceipt(b []byte, fed FederationID, by MemberID, memberKey ed25519.PublicKey, originKey func(StreamID, uint64) (ed25519.PublicKey, bool)) (Receipt, error) {
	if len(b) > MaxReceipt {
		return Receipt{}, ErrTooLarge
	}
	var w receiptWire
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil {
		return Receipt{}, err
	}
	if string(w.V) != "1" || w.Checkpoint == nil || w.Held == nil {
		return Receipt{}, errors.New("v, checkpoint or held missing")
	}
	c, err := ParseCheckpoint([]byte(*w.Checkpoint))
	if err != nil {
		return Receipt{}, err
	}
	if c.Federation != fed {
		return Receipt{}, errors.New("of another federation")
	}
	key, ok := originKey(c.Stream, lastSeq(c.Size))
	if !ok {
		return Receipt{}, errors.New("no key of the origin at this size")
	}
	name := receiptName(fed, by)
	var unix uint64
	_, err = openNote([]byte(*w.Checkpoint), plainVerifier(Origin(fed, c.Stream), key), cosignVerifier(name, memberKey, &unix))
	if err != nil {
		return Receipt{}, err
	}
	if unix > math.MaxInt64 {
		return Receipt{}, errors.New("time past 63 bits")
	}
	text, err := VerifyNote([]byte(*w.Held), name, memberKey)
	if err != nil {
		return Receipt{}, err
	}
	held, err := parseHeld(text, name, c)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{By: by, Stream: c.Stream, Size: c.Size, Root: c.Root, Time: int64(unix), Held: held}, nil
}

// lastSeq is the sequence whose signing key signs a checkpoint of this size.
func lastSeq(size uint64) uint64 {
	if size == 0 {
		return 0
	}
	return size - 1
}
