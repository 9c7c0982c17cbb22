package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// EncodeRange returns a range answer: unpadded frames of consecutive commit groups, open and gone boxes only. It refuses
// more than MaxRangeRecords or MaxRangeBytes unless there is one group, which is never cut.
func EncodeRange(fs []*Frame) ([]byte, error) {
	b := []byte(rangeMagic)
	for _, f := range fs {
		if err := f.only(BoxOpen, BoxGone); err != nil {
			return nil, fmt.Errorf("encode range: %w", err)
		}
		start := len(b)
		var err error
		if b, err = f.appendTo(append(b, 0, 0, 0, 0)); err != nil {
			return nil, fmt.Errorf("encode range: %w", err)
		}
		binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	}
	if err := checkRange(fs, len(b)); err != nil {
		return nil, fmt.Errorf("encode range: %w", err)
	}
	return b, nil
}

// checkRange holds frames together: one stream, no gap, within the limits.
func checkRange(fs []*Frame, size int) error {
	records := 0
	for i, f := range fs {
		records += len(f.Headers)
		if i > 0 && (f.Stream != fs[0].Stream || f.Federation != fs[0].Federation || f.First != fs[i-1].End()) {
			return fmt.Errorf("frame %d does not follow the one before", i)
		}
	}
	if len(fs) > 1 && (size > MaxRangeBytes || records > MaxRangeRecords) {
		return fmt.Errorf("%d records in %d bytes: %w", records, size, ErrTooLarge)
	}
	return nil
}

// DecodeRange reads a range answer, possibly of no frame. It checks form only, as DecodeFrame does.
func DecodeRange(b []byte) ([]*Frame, error) {
	if len(b) < len(rangeMagic) || string(b[:len(rangeMagic)]) != rangeMagic {
		return nil, errors.New("decode range: not a range")
	}
	var fs []*Frame
	for rest := b[len(rangeMagic):]; len(rest) > 0; {
		if len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-4) {
			return nil, errors.New("decode range: truncated")
		}
		n := int(binary.BigEndian.Uint32(rest))
		f, used, err := readFrame(rest[4 : 4+n])
		if err != nil {
			return nil, fmt.Errorf("decode range: frame %d: %w", len(fs), err)
		}
		if used != n {
			return nil, fmt.Errorf("decode range: frame %d: padded", len(fs))
		}
		if err := f.only(BoxOpen, BoxGone); err != nil {
			return nil, fmt.Errorf("decode range: frame %d: %w", len(fs), err)
		}
		fs, rest = append(fs, f), rest[4+n:]
	}
	if err := checkRange(fs, len(b)); err != nil {
		return nil, fmt.Errorf("decode range: %w", err)
	}
	return fs, nil
}
