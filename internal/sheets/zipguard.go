package sheets

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// pack is a workbook's zip whose directory has been checked. Each reading of it counts what it unpacks against one budget.
type pack struct {
	raw     []byte
	entries map[string]*zip.File // by lower-case name
	left    int64                // bytes that may still be unpacked
}

const localHeader = 30 // bytes of a local file header without name and extra field

// openPack checks a zip's directory: what no spreadsheet program writes is refused before anything is unpacked.
func openPack(b []byte) (*pack, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, refuse(Malformed, "zip")
	}
	if len(z.File) > maxEntries {
		return nil, refuse(Bomb, "zip")
	}
	p := &pack{raw: b, entries: map[string]*zip.File{}, left: maxUnzip}
	type span struct{ from, to int64 }
	var spans []span
	var declared uint64
	for _, f := range z.File {
		name := f.Name
		low := strings.ToLower(name)
		switch {
		case name == "", strings.HasPrefix(name, "/"), strings.ContainsAny(name, "\\:\x00"), slices.Contains(strings.Split(name, "/"), ".."):
			return nil, refuse(Malformed, "zip: path")
		case f.Mode()&fs.ModeSymlink != 0, f.Mode().Type()&^fs.ModeDir != 0:
			return nil, refuse(Malformed, "zip: link")
		case p.entries[low] != nil:
			return nil, refuse(Malformed, "zip: name twice")
		case f.Flags&1 != 0:
			return nil, refuse(Unsupported, "zip: encrypted")
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return nil, refuse(Malformed, "zip: method")
		case f.CompressedSize64 > uint64(len(b)):
			return nil, refuse(Malformed, "zip: size")
		}
		declared += f.UncompressedSize64
		if declared > maxUnzip {
			return nil, refuse(Bomb, "zip")
		}
		from, err := f.DataOffset()
		if err != nil || !sameLocalName(b, from, f) {
			return nil, refuse(Malformed, "zip: entry")
		}
		if bytes.HasPrefix(b[min(from, int64(len(b))):], []byte("PK\x03\x04")) && f.Method == zip.Store || strings.HasSuffix(low, ".zip") || strings.HasSuffix(low, ".xlsx") {
			return nil, refuse(Malformed, "zip: nested")
		}
		spans = append(spans, span{from - localHeader - int64(len(name)), from + int64(f.CompressedSize64)})
		p.entries[low] = f
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i, s := range spans { // entries that share bytes: a small file with a large content
		if s.to > int64(len(b)) || i > 0 && s.from < spans[i-1].to {
			return nil, refuse(Malformed, "zip: overlap")
		}
	}
	return p, nil
}

// sameLocalName reports whether the header in front of an entry's data names the same entry as the directory: entries
// that are quoted inside others, and readers that look at different places, differ here.
func sameLocalName(b []byte, data int64, f *zip.File) bool {
	n := int64(len(f.Name))
	for extra := int64(0); extra <= 1<<12; extra++ {
		at := data - extra - n - localHeader
		if at < 0 {
			return false
		}
		if string(b[at:at+4]) == "PK\x03\x04" && int64(binary.LittleEndian.Uint16(b[at+26:])) == n && int64(binary.LittleEndian.Uint16(b[at+28:])) == extra {
			return string(b[at+localHeader:at+localHeader+n]) == f.Name
		}
	}
	return false
}

// again returns the same zip with a fresh budget, for another reading.
func (p *pack) again() *pack { return &pack{raw: p.raw, entries: p.entries, left: maxUnzip} }

func (p *pack) has(name string) bool { return p.entries[strings.ToLower(name)] != nil }

// open returns a counted reader of an entry.
func (p *pack) open(name string) (io.ReadCloser, error) {
	f := p.entries[strings.ToLower(name)]
	if f == nil {
		return nil, refuse(Malformed, "zip: missing part")
	}
	r, err := f.Open()
	if err != nil {
		return nil, refuse(Malformed, "zip: entry")
	}
	return &counted{ReadCloser: r, p: p, packed: int64(f.CompressedSize64)}, nil
}

// counted stops a reading that unpacks too much.
type counted struct {
	io.ReadCloser
	p         *pack
	n, packed int64
}

// Read implements io.Reader.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n += int64(n)
	c.p.left -= int64(n)
	if c.p.left < 0 || c.n > ratioFrom && c.n > maxRatio*c.packed {
		return 0, refuse(Bomb, "zip")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, refuse(Malformed, "zip: entry")
	}
	return n, err
}
