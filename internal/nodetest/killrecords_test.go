package nodetest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// This file makes the records that are appended, all of them synthetic.

// day of all records of these tests.
const day = "2026-03-13"

// draft splits a payload into its parts as the domain packages do.
func draft(s record.StreamID, typ string, payload []byte) (record.Draft, error) {
	d := record.Draft{Stream: s, Type: typ, Schema: "1", Day: day, Parts: map[record.PartName][]byte{}}
	if s.Kind() == record.Records {
		d.Audience = map[record.GroupID]record.Level{record.All: record.L3}
	}
	t, ok := schemas.Lookup(typ, "1")
	if !ok {
		return d, fmt.Errorf("no schema of %s", typ)
	}
	split, err := t.Split(payload)
	if err != nil {
		return d, err
	}
	for name, b := range split {
		d.Parts[record.PartName(name)] = b
	}
	d.ID, err = record.NewBits128(rand.Reader)
	return d, err
}

// person is a synthetic entry (domain.md §7.1) about somebody of its own, whose 法律依据 carries the key that it was asked
// with.
func person(key string) []byte {
	draw := sha256.Sum256([]byte(key))
	const given = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
	letters := []rune(given)
	name := "测" + string(letters[int(draw[0])%len(letters)]) + string(letters[int(draw[1])%len(letters)])
	born := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, (int(draw[2])<<8|int(draw[3]))%3652)
	sequence := 900 + int(draw[4])%100
	number := fmt.Sprintf("310116%s%03d", born.Format("20060102"), sequence)
	check, ok := identifier.ResidentCheck(number)
	if !ok {
		panic("no check digit of " + number)
	}
	return fmt.Appendf(nil, `{"name":%q,"id_type":"RIC","id_no":"%s%c","id_quality":"seen","sex":"%d","birth_date":%q,`+
		`"nationality":"156","qualification":"none","qual_checked_at":"2026-03-01","qual_source":"测","specialities":["DEN"],`+
		`"penalty_refs":["00000000000000000000000000000001"],"open_case":false,"notice":{"mode":"in_decision_text"},"legal_basis":%q,`+
		`"purpose":"CASE","occurred_at":"2026-03-01T09:00:00+08:00","valid_until":"2099-01-01","retention_until":"2099-01-01","intake":"live","synthetic":true}`,
		name, number, check, 2-sequence%2, born.Format(time.DateOnly), "测"+key)
}

func withdrawal(key string) []byte {
	return fmt.Appendf(nil, `{"reason_code":"no_basis","reason":"测","legal_basis":%q,"purpose":"CORRECT","occurred_at":"2026-03-02T09:00:00+08:00","synthetic":true}`, "测"+key)
}

func refused(m record.MemberID, key string) []byte {
	return fmt.Appendf(nil, `{"ask":"00112233445566778899aabbccddeeff","member":%q,"account":%q,"at":"2026-03-13T19:40:00.123+08:00","refused":"work_ref_missing","synthetic":true}`,
		m, "acc-"+key[max(0, len(key)-16):])
}

// carries reports whether a stored record says what the request with this key asked for, as far as its parts are here.
func carries(st record.Stored, key string) bool {
	short := []byte("acc-" + key[max(0, len(key)-16):])
	return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool {
		return bytes.Contains(p.Bytes, []byte("测"+key)) || st.Stream.Kind() == record.Audit && bytes.Contains(p.Bytes, short)
	})
}
