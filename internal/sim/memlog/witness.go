package memlog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// PutReceipt implements record.Log.
func (l *Log) PutReceipt(_ context.Context, id record.StreamID, by record.MemberID, size uint64, receipt []byte) error {
	return l.write(func(s *state) error {
		if old, ok := s.receipts[id][by]; !ok || old.size < size {
			s.putReceipt(id, by, size, receipt)
		}
		return nil
	})
}

func (s *state) putReceipt(id record.StreamID, by record.MemberID, size uint64, receipt []byte) {
	m := maps.Clone(s.receipts[id])
	if m == nil {
		m = map[record.MemberID]kept{}
	}
	m[by] = kept{size, bytes.Clone(receipt)}
	s.receipts[id] = m
}

// Receipts implements record.Log.
func (l *Log) Receipts(_ context.Context, id record.StreamID) (map[record.MemberID][]byte, error) {
	out := map[record.MemberID][]byte{}
	for m, k := range l.read().receipts[id] {
		out[m] = k.receipt
	}
	return out, nil
}

// Cosign implements record.Log.
func (l *Log) Cosign(_ context.Context, id record.StreamID, old, size uint64, root tlog.Hash, receipt []byte) error {
	return l.write(func(s *state) error {
		last, st := s.cosigned[id], s.look(id)
		if err := record.CheckCosign(st.head, last.size, last.root, old, size, root, st.note(size)); err != nil {
			return err
		}
		s.cosigned[id] = cosigned{size, root}
		s.putReceipt(id, l.cfg.Self, size, receipt)
		return nil
	})
}

// note returns the checkpoint of exactly that size, nil if there is none.
func (st *stream) note(size uint64) []byte {
	if i, ok := slices.BinarySearch(st.ends, size); ok {
		return st.notes[i]
	}
	return nil
}

// Cosigned implements record.Log.
func (l *Log) Cosigned(_ context.Context, id record.StreamID) (uint64, tlog.Hash, error) {
	c := l.read().cosigned[id]
	return c.size, c.root, nil
}

// PutEvidence implements record.Log.
func (l *Log) PutEvidence(_ context.Context, id record.StreamID, evidence []byte) error {
	return l.write(func(s *state) error {
		if s.evidence[id] == nil {
			s.evidence[id] = bytes.Clone(evidence)
		}
		s.stream(id).head.Frozen = "forked"
		return nil
	})
}

// Evidence implements record.Log.
func (l *Log) Evidence(context.Context) (map[record.StreamID][]byte, error) {
	return maps.Clone(l.read().evidence), nil
}

// Cursor implements record.Log.
func (l *Log) Cursor(_ context.Context, topic string) (record.Cursor, error) {
	n, ok := l.read().cursors[topic]
	if !ok {
		return record.Cursor{}, fmt.Errorf("position in %s: %w", topic, record.ErrNotFound)
	}
	return record.Cursor{Topic: topic, Offset: n}, nil
}

// SetCursor implements record.Log.
func (l *Log) SetCursor(_ context.Context, c record.Cursor) error {
	return l.write(func(s *state) error { s.cursors[c.Topic] = c.Offset; return nil })
}
