package memlog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// Head implements record.Log.
func (l *Log) Head(_ context.Context, id record.StreamID) (record.Head, error) {
	return l.read().look(id).head, nil
}

// Heads implements record.Log.
func (l *Log) Heads(context.Context) ([]record.Head, error) {
	s := l.read()
	var out []record.Head
	for _, id := range slices.Sorted(maps.Keys(s.streams)) {
		out = append(out, s.streams[id].head)
	}
	return out, nil
}

// Groups implements record.Log.
func (l *Log) Groups(_ context.Context, id record.StreamID, from uint64, limit int) ([]record.Group, error) {
	st := l.read().look(id)
	var out []record.Group
	n, first := 0, uint64(0)
	for i, end := range st.ends {
		count := int(end - first)
		if end > from {
			if len(out) > 0 && n+count > limit {
				break
			}
			n += count
			out = append(out, record.Group{Stream: id, First: first, Records: st.records[first:end:end], Checkpoint: st.notes[i]})
		}
		first = end
	}
	return out, nil
}

// Record implements record.Log.
func (l *Log) Record(_ context.Context, id record.RecordID) (record.Stored, error) {
	s := l.read()
	var found []record.Stored
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		for _, r := range s.streams[name].records {
			if idOf(r) == id {
				found = append(found, r)
			}
		}
	}
	rank := func(r record.Stored) int {
		switch {
		case !l.own(r.Stream):
			return 2
		case r.Stream.Kind() != record.Records:
			return 1
		}
		return 0
	}
	if len(found) == 0 {
		return record.Stored{}, fmt.Errorf("record %s: %w", id, record.ErrNotFound)
	}
	return slices.MinFunc(found, func(a, b record.Stored) int { return cmp.Compare(rank(a), rank(b)) }), nil
}

// Subject implements record.Log.
func (l *Log) Subject(_ context.Context, id record.StreamID, subject record.RecordID) ([]record.Stored, error) {
	var out []record.Stored
	version := func(r record.Stored) uint64 {
		if r.Meaning.IsZero() {
			return 0
		}
		_, v := r.Meaning.Subject()
		return v
	}
	name := []byte(subject.String()) // most headers are told apart without decoding them
	for _, r := range l.read().look(id).records {
		if r.Meaning.IsZero() {
			if r.Unusable == "" && bytes.Contains(r.Header, name) && idOf(r) == subject {
				out = append(out, r)
			}
			continue
		}
		if sub, _ := r.Meaning.Subject(); sub == subject {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b record.Stored) int { return cmp.Compare(version(a), version(b)) })
	return out, nil
}

// Subjects implements record.Log.
func (l *Log) Subjects(ctx context.Context, id record.StreamID, subjects []record.RecordID) (map[record.RecordID][]record.Stored, error) {
	out := map[record.RecordID][]record.Stored{}
	for _, subject := range subjects {
		all, err := l.Subject(ctx, id, subject)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			out[subject] = all
		}
	}
	return out, nil
}

// NoEffect implements record.Log.
func (l *Log) NoEffect(_ context.Context, id record.StreamID) ([]uint64, error) {
	var out []uint64
	for _, r := range l.read().look(id).records {
		if r.Unusable != "" {
			out = append(out, r.Seq)
		}
	}
	return out, nil
}

// Leaves implements record.Log.
func (l *Log) Leaves(_ context.Context, id record.StreamID, from, to uint64) ([]tlog.Hash, error) {
	st := l.read().look(id)
	if to < from || to > uint64(len(st.records)) {
		return nil, fmt.Errorf("leaves of %s from %d to %d: %w", id, from, to, record.ErrNotFound)
	}
	var out []tlog.Hash
	for _, r := range st.records[from:to] {
		out = append(out, r.Leaf)
	}
	return out, nil
}
