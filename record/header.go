package record

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"
)

// Format is the header version that this package writes and understands.
const Format = 1

// Bounds of a header's lists. A box carries at most one wrap for each group, and a wrap count must fit (wire.md §2).
const (
	maxGroups = 16
	maxParts  = 16
)

// ErrUnknownVersion: the header's v is not ours; the record is kept and retried after an upgrade.
var ErrUnknownVersion = errors.New("unknown header version")

// Commitment binds one part to its header without telling anything about its bytes.
type Commitment struct {
	Part PartName
	MAC  [32]byte
}

// Header is one leaf's content (log.md §2). Its encoded bytes are what counts; they are hashed and kept for ever.
type Header struct {
	V      int
	Stream StreamID
	Seq    uint64
	ID     RecordID

	// Of an open header only.
	Type, Schema string
	Day          string // civil date at +08:00, YYYY-MM-DD
	Audience     map[GroupID]Level
	Refs         []Ref

	// Of a sealed header only.
	Week string  // ISO 8601 week of the day, e.g. 2026-W11
	Keys []KeyID // epoch key of each group in the audience, ascending; empty when nobody is

	Parts []Commitment // in part order
}

// Sealed reports whether type, day, audience and references stand in the part meta instead of the header.
func (h *Header) Sealed() bool { return h.Week != "" }

// Leaf returns SHA-256(0x00 ‖ header), the tree's leaf hash.
func Leaf(header []byte) tlog.Hash { return tlog.RecordHash(header) }

// partForm leaves room for parts of later releases; they come behind the known ones, in byte order.
var partForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,15}$`)

// partRank orders parts: known ones as PartOrder, unknown ones behind them.
func partRank(p PartName) int {
	if i := slices.Index(PartOrder, p); i >= 0 {
		return i
	}
	return len(PartOrder)
}

// comparePart is the order in which headers and frames list parts.
func comparePart(a, b PartName) int {
	if d := partRank(a) - partRank(b); d != 0 {
		return d
	}
	return strings.Compare(string(a), string(b))
}

// check holds a header to every rule of log.md §2; encoder and decoder share it, so that we cannot write what we refuse.
func (h *Header) check() error {
	switch {
	case h.V != Format:
		return fmt.Errorf("v %d: %w", h.V, ErrUnknownVersion)
	case !h.Stream.Valid():
		return errors.New("stream: ill-formed")
	case h.Seq >= maxNumber:
		return fmt.Errorf("seq: %w", errNumber)
	}
	if err := h.checkParts(); err != nil {
		return err
	}
	if h.Sealed() {
		return h.checkSealed()
	}
	m := Meaning{ID: h.ID, Type: h.Type, Schema: h.Schema, Day: h.Day, Audience: h.Audience, Refs: h.Refs}
	if err := m.check(); err != nil {
		return err
	}
	if _, toAll := h.Audience[All]; h.Stream.Kind() == Records && !toAll {
		return errors.New("audience: an open header of a records stream names all")
	}
	if h.Stream.Kind() != Records && len(h.Audience) > 0 {
		return errors.New("audience: nobody is given records of this stream")
	}
	return nil
}

func (h *Header) checkParts() error {
	if len(h.Parts) > maxParts {
		return fmt.Errorf("parts: more than %d", maxParts)
	}
	for i, c := range h.Parts {
		if !partForm.MatchString(string(c.Part)) {
			return fmt.Errorf("parts[%d]: ill-formed name", i)
		}
		if i > 0 && comparePart(h.Parts[i-1].Part, c.Part) >= 0 {
			return fmt.Errorf("parts[%d]: out of order", i)
		}
	}
	if h.Sealed() != (len(h.Parts) > 0 && h.Parts[0].Part == Meta) {
		return errors.New("parts: meta belongs to sealed headers, and to each of them")
	}
	return nil
}

func (h *Header) checkSealed() error {
	switch {
	case h.Stream.Kind() != Records:
		return errors.New("week: only a records stream has sealed headers")
	case !weekForm.MatchString(h.Week):
		return errors.New("week: ill-formed")
	case h.Type != "" || h.Schema != "" || h.Day != "" || h.Audience != nil || h.Refs != nil:
		return errors.New("a sealed header names type, schema, day, audience or refs")
	case len(h.Keys) > maxGroups:
		return fmt.Errorf("keys: more than %d", maxGroups)
	}
	for i := 1; i < len(h.Keys); i++ {
		if compareKeys(h.Keys[i-1], h.Keys[i]) >= 0 {
			return fmt.Errorf("keys[%d]: out of order", i)
		}
	}
	return nil
}

// Encode returns the exact bytes of log.md §2, or an error if h breaks a rule or is over MaxHeader.
func (h *Header) Encode() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	var b []byte
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(h.V), 10)
	b = append(b, `,"stream":"`...)
	b = append(b, h.Stream...)
	b = append(b, `","seq":"`...)
	b = strconv.AppendUint(b, h.Seq, 10)
	b = append(b, `","id":"`...)
	b = append(b, h.ID.String()...)
	b = append(b, `",`...)
	if h.Sealed() {
		b = append(b, `"week":"`...)
		b = append(b, h.Week...)
		b = append(b, `","keys":[`...)
		for i, k := range h.Keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = append(b, k.String()...)
			b = append(b, '"')
		}
		b = append(b, ']')
	} else {
		b = appendMeaning(b, h.Type, h.Schema, h.Day, h.Audience, h.Refs)
	}
	b = append(b, `,"parts":[`...)
	for i, c := range h.Parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"part":"`...)
		b = append(b, c.Part...)
		b = append(b, `","mac":"`...)
		b = hex.AppendEncode(b, c.MAC[:])
		b = append(b, `"}`...)
	}
	b = append(b, `]}`...)
	if len(b) > MaxHeader {
		return nil, fmt.Errorf("encode header of %d bytes: %w", len(b), ErrTooLarge)
	}
	return b, nil
}

// presence tells which members are there, null or not.
type presence struct {
	V        jsontext.Value `json:"v"`
	Week     jsontext.Value `json:"week"`
	Keys     jsontext.Value `json:"keys"`
	Type     jsontext.Value `json:"type"`
	Schema   jsontext.Value `json:"schema"`
	Day      jsontext.Value `json:"day"`
	Audience jsontext.Value `json:"audience"`
	Refs     jsontext.Value `json:"refs"`
}

func (p *presence) sealed() bool { return p.Week != nil || p.Keys != nil }

func (p *presence) open() bool {
	return p.Type != nil || p.Schema != nil || p.Day != nil || p.Audience != nil || p.Refs != nil
}

// headerWire has a pointer wherever absence and emptiness differ. Unknown members are ignored: the bytes are kept.
type headerWire struct {
	Stream *string `json:"stream"`
	Seq    *string `json:"seq"`
	ID     *string `json:"id"`
	meaningWire
	Week  *string     `json:"week"`
	Keys  *[]string   `json:"keys"`
	Parts *[]partWire `json:"parts"`
}

type partWire struct {
	Part string `json:"part"`
	MAC  string `json:"mac"`
}

// DecodeHeader reads a header strictly: plain ASCII I-JSON within MaxHeader, every known member present and well-formed,
// nothing of the other form; unknown members are tolerated. ErrUnknownVersion is told apart. It never panics.
func DecodeHeader(b []byte) (*Header, error) {
	h, err := decodeHeader(b)
	if err != nil {
		return nil, fmt.Errorf("decode header: %w", err)
	}
	return h, nil
}

func decodeHeader(b []byte) (*Header, error) {
	var p presence
	if err := readJSON(b, MaxHeader, &p); err != nil {
		return nil, err
	}
	if string(p.V) != "1" {
		return nil, ErrUnknownVersion // of whatever form: other members may have changed their form with it
	}
	if p.sealed() == p.open() {
		return nil, errors.New("members of an open and of a sealed header mixed, or none")
	}
	var w headerWire
	if err := readJSON(b, MaxHeader, &w); err != nil {
		return nil, err
	}
	if w.Stream == nil || w.Seq == nil || w.ID == nil || w.Parts == nil {
		return nil, errors.New("stream, seq, id or parts missing")
	}
	h := &Header{V: Format, Stream: StreamID(*w.Stream)}
	var err error
	if h.Seq, err = parseNumber(*w.Seq); err != nil {
		return nil, fmt.Errorf("seq: %w", err)
	}
	if h.ID, err = ParseBits128(*w.ID); err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	for i, p := range *w.Parts {
		c := Commitment{Part: PartName(p.Part)}
		if c.MAC, err = parseHash(p.MAC); err != nil {
			return nil, fmt.Errorf("parts[%d]: mac: %w", i, err)
		}
		h.Parts = append(h.Parts, c)
	}
	if err := w.readForm(h, p.sealed()); err != nil {
		return nil, err
	}
	return h, h.check()
}

// readForm reads the members in which open and sealed headers differ.
func (w *headerWire) readForm(h *Header, sealed bool) error {
	if !sealed {
		m, err := w.read()
		h.Type, h.Schema, h.Day, h.Audience, h.Refs = m.Type, m.Schema, m.Day, m.Audience, m.Refs
		return err
	}
	if w.Week == nil || w.Keys == nil {
		return errors.New("week or keys missing")
	}
	if h.Week = *w.Week; h.Week == "" {
		return errors.New("week: ill-formed")
	}
	h.Keys = []KeyID{}
	for i, s := range *w.Keys {
		k, err := ParseBits128(s)
		if err != nil {
			return fmt.Errorf("keys[%d]: %w", i, err)
		}
		h.Keys = append(h.Keys, k)
	}
	return nil
}

// parseHash reads 64 lower-case hex digits.
func parseHash(s string) ([32]byte, error) {
	f, err := ParseFederationID(s)
	return f, err
}

// compareKeys orders key ids by their bytes, which is also the order of their hex digits.
func compareKeys(a, b KeyID) int { return slices.Compare(a[:], b[:]) }
