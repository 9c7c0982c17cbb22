package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// BoxKind says how a frame carries a part (wire.md §2).
type BoxKind uint8

// The kinds: BoxSealed occurs in Kafka only, the others in range answers only.
const (
	BoxSealed BoxKind = 0 // data is a box for the holders of the wraps' keys
	BoxOpen   BoxKind = 1 // data is salt ‖ bytes
	BoxGone   BoxKind = 2 // data is the u64 sequence of the record that deleted the part
)

// FrameBox is one part of one record of a frame. Data and Wraps are what the sender says, unproven.
type FrameBox struct {
	Index int // of the record in the frame
	Part  PartName
	Kind  BoxKind
	Data  []byte
	Wraps [][64]byte // BoxSealed only, ascending by key id
}

// Frame is one commit group on the road: headers, checkpoint, boxes. Decoding proves nothing but its form.
type Frame struct {
	Federation FederationID
	Stream     StreamID
	First      uint64
	Headers    [][]byte
	Checkpoint []byte
	Boxes      []FrameBox
}

// End returns the sequence behind the frame's last record, which is the checkpoint's size.
func (f *Frame) End() uint64 { return f.First + uint64(len(f.Headers)) }

const (
	frameMagic = "PILINF\x00\x01"
	rangeMagic = "PILINR\x00\x01"
	frameHead  = len(frameMagic) + 4
	maxNote    = 16 << 10 // bytes of a checkpoint note, with room for further signatures
)

// ladder lists the sizes that a frame is padded to, so that Kafka's operator learns little from its length.
var ladder = []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 576 << 10}

// MaxFrame is the largest padded frame in bytes.
const MaxFrame = 576 << 10

// padded returns the smallest step of the ladder that n bytes fit.
func padded(n int) (int, bool) {
	i, _ := slices.BinarySearch(ladder, n)
	if i == len(ladder) {
		return 0, false
	}
	return ladder[i], true
}

// check holds a frame to wire.md §2 apart from the kinds, which depend on the road.
func (f *Frame) check() error {
	switch {
	case !f.Stream.Valid():
		return errors.New("stream: ill-formed")
	case len(f.Headers) == 0 || len(f.Headers) > MaxGroupRecords:
		return fmt.Errorf("count %d: want 1 to %d", len(f.Headers), MaxGroupRecords)
	case f.First >= maxNumber:
		return fmt.Errorf("first: %w", errNumber)
	case len(f.Checkpoint) == 0 || len(f.Checkpoint) > maxNote:
		return errors.New("checkpoint: missing or too long")
	}
	for i, h := range f.Headers {
		if len(h) > MaxHeader {
			return fmt.Errorf("header %d: %w", i, ErrTooLarge)
		}
	}
	for i, b := range f.Boxes {
		if err := b.check(len(f.Headers)); err != nil {
			return fmt.Errorf("box %d: %w", i, err)
		}
		if i > 0 && compareBoxes(f.Boxes[i-1], b) >= 0 {
			return fmt.Errorf("box %d: out of order", i)
		}
	}
	c, err := ParseCheckpoint(f.Checkpoint)
	if err != nil {
		return err
	}
	if c.Size != f.End() {
		return errors.New("checkpoint: its size is not the frame's end")
	}
	return nil
}

func compareBoxes(a, b FrameBox) int {
	if d := a.Index - b.Index; d != 0 {
		return d
	}
	return comparePart(a.Part, b.Part)
}

func (b FrameBox) check(records int) error {
	switch {
	case b.Index < 0 || b.Index >= records:
		return errors.New("index past the records")
	case !partForm.MatchString(string(b.Part)):
		return errors.New("part: ill-formed name")
	case b.Kind > BoxGone:
		return fmt.Errorf("unknown kind %d", b.Kind)
	case b.Kind == BoxGone && len(b.Data) != 8:
		return errors.New("gone: want 8 bytes")
	case b.Kind == BoxOpen && len(b.Data) < saltSize, b.Kind == BoxSealed && len(b.Data) < saltSize+tagSize:
		return errors.New("data too short")
	case len(b.Data) > MaxRecord+saltSize+tagSize:
		return ErrTooLarge
	case (b.Kind == BoxSealed) != (len(b.Wraps) > 0) || len(b.Wraps) > maxGroups:
		return errors.New("wraps: 1 to 16 for a sealed box, else none")
	}
	for i := 1; i < len(b.Wraps); i++ {
		if bytes.Compare(b.Wraps[i-1][:16], b.Wraps[i][:16]) >= 0 {
			return fmt.Errorf("wraps[%d]: out of order", i)
		}
	}
	return nil
}

// Encode returns the frame's Kafka form: sealed boxes only, padded. ErrTooLarge if it does not fit the last step.
func (f *Frame) Encode() ([]byte, error) {
	if err := f.only(BoxSealed); err != nil {
		return nil, fmt.Errorf("encode frame: %w", err)
	}
	b, err := f.appendTo(nil)
	if err != nil {
		return nil, fmt.Errorf("encode frame: %w", err)
	}
	n, ok := padded(len(b))
	if !ok {
		return nil, fmt.Errorf("encode frame of %d bytes: %w", len(b), ErrTooLarge)
	}
	return append(b, make([]byte, n-len(b))...), nil
}

// only checks that all boxes are of the given kinds.
func (f *Frame) only(kinds ...BoxKind) error {
	for i, b := range f.Boxes {
		if !slices.Contains(kinds, b.Kind) {
			return fmt.Errorf("box %d: kind %d does not travel here", i, b.Kind)
		}
	}
	return nil
}

// appendTo writes the unpadded frame.
func (f *Frame) appendTo(b []byte) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	start := len(b)
	b = append(b, frameMagic...)
	b = append(b, 0, 0, 0, 0)
	b = append(b, f.Federation[:]...)
	b = appendString8(b, string(f.Stream))
	b = binary.BigEndian.AppendUint64(b, f.First)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.Headers)))
	for _, h := range f.Headers {
		b = appendBytes32(b, h)
	}
	b = appendBytes32(b, f.Checkpoint)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.Boxes)))
	for _, x := range f.Boxes {
		b = binary.BigEndian.AppendUint16(b, uint16(x.Index))
		b = appendString8(b, string(x.Part))
		b = append(b, byte(x.Kind))
		b = appendBytes32(b, x.Data)
		b = append(b, byte(len(x.Wraps)))
		for _, w := range x.Wraps {
			b = append(b, w[:]...)
		}
	}
	binary.BigEndian.PutUint32(b[start+len(frameMagic):], uint32(len(b)-start-frameHead))
	return b, nil
}

func appendString8(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func appendBytes32(b, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
}

// DecodeFrame reads a frame in Kafka form. Everything about its form is checked, nothing about its truth; the frame's
// slices point into b. It never panics and allocates no more than a small multiple of len(b).
func DecodeFrame(b []byte) (*Frame, error) {
	f, n, err := readFrame(b)
	if err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	if want, ok := padded(n); !ok || len(b) != want {
		return nil, errors.New("decode frame: padded to another size than the smallest that fits")
	}
	for _, c := range b[n:] {
		if c != 0 {
			return nil, errors.New("decode frame: padding is not zero")
		}
	}
	if err := f.only(BoxSealed); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	return f, nil
}

// readFrame reads the unpadded frame at the beginning of b and returns its length.
func readFrame(b []byte) (*Frame, int, error) {
	if len(b) < frameHead || string(b[:len(frameMagic)]) != frameMagic {
		return nil, 0, errors.New("not a frame")
	}
	n := binary.BigEndian.Uint32(b[len(frameMagic):])
	if uint64(n) > uint64(len(b)-frameHead) {
		return nil, 0, errors.New("truncated")
	}
	end := frameHead + int(n)
	r := reader{rest: b[frameHead:end]}
	f := &Frame{}
	copy(f.Federation[:], r.take(32))
	f.Stream = StreamID(r.take(uint64(r.u8())))
	f.First = r.u64()
	for i, count := 0, r.u16(); i < count && !r.failed; i++ {
		f.Headers = append(f.Headers, r.take(r.u32()))
	}
	f.Checkpoint = r.take(r.u32())
	for i, count := 0, r.u16(); i < count && !r.failed; i++ {
		x := FrameBox{Index: r.u16(), Part: PartName(r.take(uint64(r.u8()))), Kind: BoxKind(r.u8()), Data: r.take(r.u32())}
		for wraps := r.u8(); wraps > 0 && !r.failed; wraps-- {
			w := r.take(wrapSize)
			if len(w) == wrapSize {
				x.Wraps = append(x.Wraps, [64]byte(w))
			}
		}
		f.Boxes = append(f.Boxes, x)
	}
	if r.failed || len(r.rest) > 0 {
		return nil, 0, errors.New("lengths do not add up")
	}
	return f, end, f.check()
}

// reader takes fields off the front of a body; after the first that is not there it only returns zeros.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) take(n uint64) []byte {
	if r.failed || n > uint64(len(r.rest)) {
		r.failed = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) number(n int) (v uint64) {
	for _, c := range r.take(uint64(n)) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (r *reader) u8() int     { return int(r.number(1)) }
func (r *reader) u16() int    { return int(r.number(2)) }
func (r *reader) u32() uint64 { return r.number(4) }
func (r *reader) u64() uint64 { return r.number(8) }
