package exchange

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

// MaxHeads bounds a head exchange's request and answer in bytes. Receipts that do not fit are left out, heads never.
const MaxHeads = 4 << 20

// MaxStatements bounds the member statements of one head exchange: each costs a signature to verify.
const MaxStatements = 256

// HeadsRequest is what a node tells when it asks for heads (wire.md §4). It is authentic by the member token that
// carries it.
type HeadsRequest struct {
	Nonce    [32]byte
	Charter  record.CharterRef
	Heads    [][]byte // checkpoint notes
	Receipts [][]byte // the asker's own
	// Statements are the member statements in force that no charter version of the asker holds yet. Each proves itself.
	Statements [][]byte
}

// HeadsAnswer is the signed answer.
type HeadsAnswer struct {
	Nonce      [32]byte
	Charter    record.CharterRef
	Heads      [][]byte
	Receipts   [][]byte // the answerer's own
	Yours      []Yours
	Agreements [][32]byte // ids of agreements that name the asker
	Time       time.Time
	Statements [][]byte // as in the request
	Release    string   // of the answerer's software; empty: not told
}

// Yours is what the answerer holds of one of the asker's streams.
type Yours struct {
	Stream     record.StreamID
	Checkpoint []byte // nil: holds none
}

type charterWire struct {
	Version *string `json:"version"`
	Hash    *string `json:"hash"`
}

type yoursWire struct {
	Stream     *string `json:"stream"`
	Checkpoint *string `json:"checkpoint"`
}

type headsWire struct {
	Pilin      *string           `json:"pilin"`
	V          jsontext.Value    `json:"v"`
	Nonce      *string           `json:"nonce"`
	Charter    *charterWire      `json:"charter"`
	Heads      *[]string         `json:"heads"`
	Receipts   *[]jsontext.Value `json:"receipts"`
	Yours      *[]yoursWire      `json:"yours"`
	Agreements *[]string         `json:"agreements"`
	Time       *string           `json:"time"`
	Statements []string          `json:"statements"` // absent from members of older releases
	Release    string            `json:"release"`    // absent from members of older releases
}

var (
	hex64Form  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	numberForm = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
)

func parseHex32(s string) (b [32]byte, err error) {
	if !hex64Form.MatchString(s) {
		return b, errors.New("want 64 lower-case hex digits")
	}
	_, err = hex.Decode(b[:], []byte(s))
	return b, err
}

// appendHeads writes the members that request and answer share.
func appendHeads(b []byte, nonce [32]byte, c record.CharterRef, heads, receipts, statements [][]byte) ([]byte, error) {
	b = fmt.Appendf(b, `"v":1,"nonce":"%x","charter":{"version":"%d","hash":"%x"},"heads":[`, nonce, c.Version, c.Hash)
	b, err := appendNotes(b, "heads", heads)
	if err != nil {
		return nil, err
	}
	b = append(b, ']')
	if len(statements) > 0 {
		b = append(b, `,"statements":[`...)
		if b, err = appendNotes(b, "statements", statements[:min(len(statements), MaxStatements)]); err != nil {
			return nil, err
		}
		b = append(b, ']')
	}
	b = append(b, `,"receipts":[`...)
	first := true
	for i, r := range receipts {
		if !jsontext.Value(r).IsValid() {
			return nil, fmt.Errorf("receipts[%d]: not JSON", i)
		}
		if len(b)+len(r) > MaxHeads/2 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, r...)
	}
	return append(b, ']'), nil
}

func appendNotes(b []byte, name string, notes [][]byte) (_ []byte, err error) {
	for i, n := range notes {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = jsontext.AppendQuote(b, n); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return b, nil
}

// Encode returns the request's body.
func (r HeadsRequest) Encode() ([]byte, error) {
	b, err := appendHeads([]byte{'{'}, r.Nonce, r.Charter, r.Heads, r.Receipts, r.Statements)
	if err != nil {
		return nil, fmt.Errorf("encode heads request: %w", err)
	}
	return append(b, '}'), nil
}

// DecodeHeadsRequest reads a request's body. Members that it does not know are ignored: the peer may be newer.
func DecodeHeadsRequest(b []byte) (HeadsRequest, error) {
	var r HeadsRequest
	var w headsWire
	if err := readHeads(b, &w); err != nil {
		return r, fmt.Errorf("decode heads request: %w", err)
	}
	var err error
	if r.Nonce, r.Charter, r.Heads, r.Receipts, err = w.shared(); err != nil {
		return r, fmt.Errorf("decode heads request: %w", err)
	}
	r.Statements = w.statements()
	return r, nil
}

// statements returns the statement notes; what is beyond MaxStatements comes when those before it are in a version.
func (w *headsWire) statements() (notes [][]byte) {
	for _, s := range w.Statements[:min(len(w.Statements), MaxStatements)] {
		notes = append(notes, []byte(s))
	}
	return notes
}

// readHeads decodes strict I-JSON: duplicate names, other letter case, invalid UTF-8 and trailing bytes are refused.
func readHeads(b []byte, w *headsWire) error {
	if len(b) > MaxHeads {
		return fmt.Errorf("%d bytes: %w", len(b), record.ErrTooLarge)
	}
	return json.Unmarshal(b, w)
}

// shared reads the members that request and answer share.
func (w *headsWire) shared() (nonce [32]byte, c record.CharterRef, heads, receipts [][]byte, err error) {
	switch {
	case string(w.V) != "1":
		err = errors.New("v: want 1")
	case w.Nonce == nil || w.Charter == nil || w.Heads == nil || w.Receipts == nil:
		err = errors.New("nonce, charter, heads or receipts missing")
	case w.Charter.Version == nil || w.Charter.Hash == nil:
		err = errors.New("charter: version or hash missing")
	}
	if err != nil {
		return
	}
	if nonce, err = parseHex32(*w.Nonce); err != nil {
		err = fmt.Errorf("nonce: %w", err)
		return
	}
	if c.Hash, err = parseHex32(*w.Charter.Hash); err != nil {
		err = fmt.Errorf("charter hash: %w", err)
		return
	}
	if !numberForm.MatchString(*w.Charter.Version) {
		err = errors.New("charter version: want a decimal number from 1")
		return
	}
	c.Version, _ = strconv.ParseUint(*w.Charter.Version, 10, 64) // 18 digits fit
	for _, h := range *w.Heads {
		heads = append(heads, []byte(h))
	}
	for i, r := range *w.Receipts {
		if r.Kind() != '{' {
			err = fmt.Errorf("receipts[%d]: want an object", i)
			return
		}
		receipts = append(receipts, r)
	}
	return
}

func headsName(fed record.FederationID, m record.MemberID) string {
	return "pilin/" + fed.String() + "/" + string(m) + "/heads"
}

// Sign returns the answer as the signed note of wire.md §4.
func (a HeadsAnswer) Sign(sg *record.Signer, fed record.FederationID, by record.MemberID) ([]byte, error) {
	b, err := appendHeads([]byte(`{"pilin":"heads",`), a.Nonce, a.Charter, a.Heads, a.Receipts, a.Statements)
	if err != nil {
		return nil, fmt.Errorf("sign heads: %w", err)
	}
	b = append(b, `,"yours":[`...)
	for i, y := range a.Yours {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"stream":"%s","checkpoint":`, y.Stream)
		if b, err = jsontext.AppendQuote(b, y.Checkpoint); err != nil {
			return nil, fmt.Errorf("sign heads: yours[%d]: %w", i, err)
		}
		b = append(b, '}')
	}
	b = append(b, `],"agreements":[`...)
	for i, id := range a.Agreements {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `"%x"`, id)
	}
	b = fmt.Appendf(b, `],"time":"%s"`, a.Time.UTC().Format(time.RFC3339))
	if releaseForm.MatchString(a.Release) {
		b = fmt.Appendf(b, `,"release":"%s"`, a.Release)
	}
	b = append(b, '}')
	return sg.Note(headsName(fed, by), string(b)+"\n")
}

// OpenHeadsAnswer reads an answer that peer by signed with one of keys, to the request with this nonce.
func OpenHeadsAnswer(b []byte, fed record.FederationID, by record.MemberID, keys []ed25519.PublicKey, nonce [32]byte) (HeadsAnswer, error) {
	a, err := openHeadsAnswer(b, fed, by, keys)
	if err == nil && a.Nonce != nonce {
		err = errors.New("answers another request")
	}
	if err != nil {
		return HeadsAnswer{}, fmt.Errorf("heads of %s: %w", by, err)
	}
	return a, nil
}

func openHeadsAnswer(b []byte, fed record.FederationID, by record.MemberID, keys []ed25519.PublicKey) (HeadsAnswer, error) {
	var a HeadsAnswer
	if len(b) > MaxHeads {
		return a, record.ErrTooLarge
	}
	text, err := "", record.ErrNoSignature
	for _, k := range keys {
		if text, err = record.VerifyNote(b, headsName(fed, by), k); err == nil {
			break
		}
	}
	if err != nil {
		return a, err
	}
	line, ok := strings.CutSuffix(text, "\n")
	if !ok || strings.Contains(line, "\n") {
		return a, errors.New("want one line")
	}
	var w headsWire
	if err := readHeads([]byte(line), &w); err != nil {
		return a, err
	}
	if a.Nonce, a.Charter, a.Heads, a.Receipts, err = w.shared(); err != nil {
		return a, err
	}
	if w.Pilin == nil || *w.Pilin != "heads" || w.Yours == nil || w.Agreements == nil || w.Time == nil {
		return a, errors.New("pilin, yours, agreements or time missing")
	}
	for i, y := range *w.Yours {
		if y.Stream == nil || y.Checkpoint == nil || !record.StreamID(*y.Stream).Valid() {
			return a, fmt.Errorf("yours[%d]: stream or checkpoint missing or ill-formed", i)
		}
		v := Yours{Stream: record.StreamID(*y.Stream)}
		if *y.Checkpoint != "" {
			v.Checkpoint = []byte(*y.Checkpoint)
		}
		a.Yours = append(a.Yours, v)
	}
	for i, s := range *w.Agreements {
		id, err := parseHex32(s)
		if err != nil {
			return a, fmt.Errorf("agreements[%d]: %w", i, err)
		}
		a.Agreements = append(a.Agreements, id)
	}
	if a.Time, err = time.Parse(time.RFC3339, *w.Time); err != nil {
		return a, errors.New("time: want RFC 3339")
	}
	a.Statements = w.statements()
	if releaseForm.MatchString(w.Release) {
		a.Release = w.Release
	}
	return a, nil
}

// StatementsOf returns the member statements in an answer whose signature says nothing yet: whoever has just changed its
// signing key signs with one that this node learns from the very statement. Statements prove themselves; nothing else of
// such an answer may be used.
func StatementsOf(answer []byte) [][]byte {
	text, _, ok := strings.Cut(string(answer), "\n")
	if !ok || len(answer) > MaxHeads {
		return nil
	}
	var w headsWire
	if readHeads([]byte(text), &w) != nil {
		return nil
	}
	return w.statements()
}
