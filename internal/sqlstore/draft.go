package sqlstore

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// keptDraft is a draft in the table tail.
type keptDraft struct {
	Stream   record.StreamID            `json:"stream"`
	ID       string                     `json:"id"`
	Type     string                     `json:"type"`
	Schema   string                     `json:"schema"`
	Day      string                     `json:"day"`
	Audience map[record.GroupID]uint8   `json:"audience"`
	Refs     []keptRef                  `json:"refs"`
	Parts    map[record.PartName][]byte `json:"parts"`
}

type keptRef struct {
	Rel     record.Relation `json:"rel"`
	ID      string          `json:"id"`
	Version uint64          `json:"version"`
}

func encodeDraft(d record.Draft) ([]byte, error) {
	k := keptDraft{Stream: d.Stream, ID: d.ID.String(), Type: d.Type, Schema: d.Schema, Day: d.Day, Audience: map[record.GroupID]uint8{}, Parts: d.Parts}
	for g, l := range d.Audience {
		k.Audience[g] = uint8(l)
	}
	for _, r := range d.Refs {
		k.Refs = append(k.Refs, keptRef{r.Rel, r.ID.String(), r.Version})
	}
	b, err := json.Marshal(k, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode draft: %w", err)
	}
	return b, nil
}

func decodeDraft(b []byte) (record.Draft, error) {
	var k keptDraft
	if err := json.Unmarshal(b, &k); err != nil {
		return record.Draft{}, fmt.Errorf("decode draft: %w", err)
	}
	d := record.Draft{Stream: k.Stream, Type: k.Type, Schema: k.Schema, Day: k.Day, Audience: map[record.GroupID]record.Level{}, Parts: k.Parts}
	var err error
	if d.ID, err = record.ParseBits128(k.ID); err != nil {
		return d, fmt.Errorf("decode draft: %w", err)
	}
	for g, l := range k.Audience {
		d.Audience[record.GroupID(strings.Clone(string(g)))] = record.Level(l)
	}
	for _, r := range k.Refs {
		id, err := record.ParseBits128(r.ID)
		if err != nil {
			return d, fmt.Errorf("decode draft: %w", err)
		}
		d.Refs = append(d.Refs, record.Ref{Rel: r.Rel, ID: id, Version: r.Version})
	}
	return d, nil
}
