// Package record is the core that every other part of Pilin rests on: the header, the parts, the commitment, the
// sequence, the checkpoint, the frame, the receipt, and the Follower that decides what to do with foreign bytes. It
// fixes formats (docs/design/log.md and wire.md) and says what a Log must guarantee; it leaves storage to
// internal/sqlstore, transport to internal/kafkabus and internal/httpapi, and meaning to blacklist, events and transfer.
package record

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// MemberID is a member's opaque code, e.g. 310116-01 (domain.md §2.6.1). Nothing is computed from its digits.
type MemberID string

var memberForm = regexp.MustCompile(`^[0-9]{6}-[0-9]{2}$`)

// Valid reports whether m has the form of a member code.
func (m MemberID) Valid() bool { return memberForm.MatchString(string(m)) }

// StreamID names one append-only log of one member: "<member>/<name>", e.g. 310116-01/records.
type StreamID string

var streamForm = regexp.MustCompile(`^[0-9]{6}-[0-9]{2}/(records|audit|local)(\.[1-9][0-9]{0,3})?$`)

// Stream kinds. Records is replicated, Audit publishes only its hourly checkpoint, Local never leaves the node.
const (
	Records = "records"
	Audit   = "audit"
	Local   = "local"
)

// Stream returns the stream of member m with the given name.
func Stream(m MemberID, name string) StreamID { return StreamID(string(m) + "/" + name) }

// Valid reports whether s has the form of a stream name (log.md §1).
func (s StreamID) Valid() bool { return streamForm.MatchString(string(s)) }

// Member returns the member whose log s is.
func (s StreamID) Member() MemberID {
	m, _, _ := strings.Cut(string(s), "/")
	return MemberID(m)
}

// Name returns the stream's name inside its member, with its number if it has one.
func (s StreamID) Name() string {
	_, n, _ := strings.Cut(string(s), "/")
	return n
}

// Kind returns records, audit or local, without the number of a continued stream.
func (s StreamID) Kind() string {
	k, _, _ := strings.Cut(s.Name(), ".")
	return k
}

// Number returns the number of a stream that continues one that was lost; 0 of the first.
func (s StreamID) Number() uint64 {
	_, number, _ := strings.Cut(s.Name(), ".")
	i, _ := strconv.ParseUint(number, 10, 16) // a valid name has digits or nothing
	return i
}

// Bits128 is a random identifier that tells neither time nor type: the base of RecordID, GroupKeyID and others.
type Bits128 [16]byte

// String returns 32 lower-case hex digits.
func (b Bits128) String() string { return hex.EncodeToString(b[:]) }

// IsZero reports whether b was never set.
func (b Bits128) IsZero() bool { return b == Bits128{} }

// RecordID identifies a record for ever; it may be chosen on a phone and is never reused.
type RecordID = Bits128

// KeyID names one epoch key of one group. It is random: it does not name the group.
type KeyID = Bits128

var errHex128 = errors.New("want 32 lower-case hex digits")

// ParseBits128 reads 32 lower-case hex digits.
func ParseBits128(s string) (Bits128, error) {
	var b Bits128
	if len(s) != 32 || strings.ToLower(s) != s {
		return b, errHex128
	}
	if _, err := hex.Decode(b[:], []byte(s)); err != nil {
		return b, errHex128
	}
	return b, nil
}

// NewBits128 draws an identifier from random, which is crypto/rand.Reader in a node and seeded in a simulation.
func NewBits128(random io.Reader) (Bits128, error) {
	var b Bits128
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return b, fmt.Errorf("draw identifier: %w", err)
	}
	return b, nil
}

// FederationID is the SHA-256 of charter version 1's text. It is part of every origin, token audience and invitation.
type FederationID [32]byte

// String returns 64 lower-case hex digits.
func (f FederationID) String() string { return hex.EncodeToString(f[:]) }

// ParseFederationID reads 64 lower-case hex digits.
func ParseFederationID(s string) (FederationID, error) {
	var f FederationID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 || strings.ToLower(s) != s {
		return f, errors.New("want 64 lower-case hex digits")
	}
	copy(f[:], b)
	return f, nil
}

// GroupID names a set of members that share records: All, or 32 hex digits.
type GroupID string

// All is the group of every active member of the charter.
const All GroupID = "all"

// Valid reports whether g is All or 32 lower-case hex digits.
func (g GroupID) Valid() bool {
	if g == All {
		return true
	}
	_, err := ParseBits128(string(g))
	return err == nil
}

// Level says how much of a record the members of a group are given (domain.md §2.3). The zero value, L0, is nothing.
type Level uint8

// The sharing levels. L0 never reaches a shared stream.
const (
	L0 Level = iota
	L1
	L2
	L3
)

// String returns "L0" to "L3".
func (l Level) String() string { return "L" + strconv.Itoa(int(l)) }

// ParseLevel reads "L1", "L2" or "L3".
func ParseLevel(s string) (Level, error) {
	switch s {
	case "L1":
		return L1, nil
	case "L2":
		return L2, nil
	case "L3":
		return L3, nil
	}
	return L0, fmt.Errorf("level %q: want L1, L2 or L3", s)
}

// PartName is one of the pieces that a payload is split into (log.md §3).
type PartName string

// The parts, in the order in which headers and frames list them.
const (
	Meta PartName = "meta" // type, day, audience and references of a sealed record
	Card PartName = "card" // what L2 shows
	Body PartName = "body" // what L3 adds
	Home PartName = "home" // never leaves the node
)

// PartOrder lists the part names in their fixed order.
var PartOrder = []PartName{Meta, Card, Body, Home}

// Includes reports whether a group with level l is given part p.
func (l Level) Includes(p PartName) bool {
	switch p {
	case Meta:
		return l >= L1
	case Card:
		return l >= L2
	case Body:
		return l >= L3
	}
	return false
}
