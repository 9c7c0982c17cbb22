package sheets

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Encodings of text files. GB18030 reads GBK and GB 2312 as well.
const (
	UTF8    = "utf-8"
	GB18030 = "gb18030"
	UTF16LE = "utf-16le"
	UTF16BE = "utf-16be"
)

var marks = []struct {
	bytes, name string
}{{"\xEF\xBB\xBF", UTF8}, {"\xFF\xFE", UTF16LE}, {"\xFE\xFF", UTF16BE}}

var encodings = map[string]encoding.Encoding{
	GB18030: simplifiedchinese.GB18030,
	UTF16LE: unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	UTF16BE: unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
}

// certainly is from how many characters outside ASCII on UTF-8 is certain: text of another encoding passes as UTF-8 by
// chance for a word or two (联通 in GBK), not for ten.
const certainly = 10

// openText finds out in which encoding a text file is, and what separates its columns.
func (f *File) openText(b []byte, stated string) error {
	stated = strings.ToLower(stated)
	switch stated {
	case "gbk", "gb2312":
		stated = GB18030
	case "utf8":
		stated = UTF8
	case "", UTF8, GB18030, UTF16LE, UTF16BE:
	default:
		return refuse(EncodingInvalid, "")
	}
	for _, m := range marks {
		if bytes.HasPrefix(b, []byte(m.bytes)) {
			if stated != "" && stated != m.name {
				return refuse(EncodingInvalid, "")
			}
			b, stated = b[len(m.bytes):], m.name
			break
		}
	}
	if stated == "" {
		var err error
		if stated, err = detect(b); err != nil {
			return err
		}
	}
	text, ok := decode(b, stated)
	if !ok || bytes.IndexByte(text, 0) >= 0 {
		return refuse(EncodingInvalid, "")
	}
	if len(text) > maxUnzip {
		return refuse(Bomb, "")
	}
	f.text, f.Encoding, f.Comma = text, stated, separator(text)
	f.Sheets = []SheetInfo{{Name: "csv"}}
	return nil
}

func decode(b []byte, name string) ([]byte, bool) {
	if name == UTF8 {
		return b, utf8.Valid(b)
	}
	out, err := encodings[name].NewDecoder().Bytes(b)
	return out, err == nil && !bytes.ContainsRune(out, utf8.RuneError)
}

// detect is for a file without a mark and without a word from the person.
func detect(b []byte) (string, error) {
	if bytes.IndexByte(b, 0) >= 0 {
		return "", refuse(EncodingAmbiguous, "")
	}
	outside := 0
	for _, r := range string(b) {
		if r >= utf8.RuneSelf {
			outside++
		}
	}
	_, gb := decode(b, GB18030)
	switch {
	case utf8.Valid(b) && (outside == 0 || outside >= certainly || !gb):
		return UTF8, nil
	case utf8.Valid(b):
		return "", refuse(EncodingAmbiguous, "")
	case mixed(b):
		return "", refuse(EncodingMixed, "")
	case gb:
		return GB18030, nil
	}
	return "", refuse(EncodingInvalid, "")
}

// mixed reports a file some of whose lines are UTF-8 and others are not: two files that somebody has joined.
func mixed(b []byte) bool {
	for line := range bytes.Lines(b) {
		han := 0
		for _, r := range string(line) {
			if r >= 0x4E00 && r <= 0x9FFF {
				han++
			}
		}
		if utf8.Valid(line) && han >= 2 {
			return true
		}
	}
	return false
}

// separator is what the first line with any of them has most of.
func separator(text []byte) rune {
	for line := range bytes.Lines(text) {
		best, most := ',', 0
		for _, c := range ",\t;|" {
			if n := strings.Count(string(line), string(c)); n > most {
				best, most = c, n
			}
		}
		if most > 0 {
			return best
		}
	}
	return ','
}

// textRows streams the records of a text file (RFC 4180; a bare quote is refused, not repaired).
func (f *File) textRows(each func(*Row) error) error {
	r := csv.NewReader(bytes.NewReader(f.text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = f.Comma, -1, true
	row := Row{}
	line := 0
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			var at *csv.ParseError
			if errors.As(err, &at) {
				return refuse(CSVMalformed, "line "+strconv.Itoa(at.StartLine))
			}
			return refuse(CSVMalformed, "")
		}
		// Empty lines are skipped by the reader; a spreadsheet program numbers them all the same.
		start, _ := r.FieldPos(0)
		if row.Number = line + 1; start > row.Number {
			row.Number = start
		}
		line = start + strings.Count(strings.Join(fields, ""), "\n")
		row.Cells = row.Cells[:0]
		for i, s := range fields {
			if strings.TrimSpace(s) != "" {
				row.Cells = append(row.Cells, Cell{Col: i, Kind: Text, Text: s})
			}
		}
		if len(row.Cells) > 0 {
			if err := each(&row); err != nil {
				return err
			}
		}
	}
}
