package blacklist

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Record types of the stream local (schemas/entry.draft, schemas/entry.step).
const (
	typeDraft = "entry.draft"
	typeStep  = "entry.step"
)

// Sheet 拟稿 is a draft as its records in the stream local say it. It never leaves the node.
type Sheet struct {
	ID      record.RecordID
	Version uint64
	State   workflow.State
	Type    string // of the record that is to be published
	Payload []byte
	Level   record.Level // highest level that the author wants
	Unit    string
	Authors []string // accounts that wrote a version of it, each once; none of them may review
	// Reviewer approved it as it is; zero while nobody has.
	Reviewer Person
	// Corrects is the subject that it corrects and the version that it follows; zero for a new entry.
	Corrects               On
	ReasonCode, DiffReason string
	Reopens                record.RecordID // the ended entry that it goes on from
	Published              record.RecordID // record that it became
	History                []Step
}

// sheetText is the part home of an entry.draft.
type sheetText struct {
	Type       string         `json:"record_type"`
	Schema     string         `json:"record_schema"`
	Payload    jsontext.Value `json:"payload"`
	Level      string         `json:"level"`
	Corrects   *onText        `json:"corrects,omitempty"`
	ReasonCode string         `json:"reason_code,omitempty"`
	DiffReason string         `json:"diff_reason,omitempty"`
	Reopens    string         `json:"reopens,omitempty"`
	Unit       string         `json:"unit,omitempty"`
	By         Person         `json:"by"`
	At         string         `json:"at"`
	Synthetic  bool           `json:"synthetic"`
}

type onText struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

// stepText is the part home of an entry.step.
type stepText struct {
	Event     workflow.Event `json:"event"`
	Reason    string         `json:"reason,omitempty"`
	Record    string         `json:"record,omitempty"`
	By        Person         `json:"by"`
	At        string         `json:"at"`
	Synthetic bool           `json:"synthetic"`
}

// FoldSheet says what the local records of one draft amount to. It is pure and does not depend on their order.
func FoldSheet(records []record.Stored) (Sheet, error) {
	var d Sheet
	sorted := slices.SortedStableFunc(slices.Values(records), func(a, b record.Stored) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, st := range sorted {
		if st.Meaning.IsZero() {
			continue
		}
		subject, version := st.Meaning.Subject()
		if d.Version != 0 && subject != d.ID {
			return Sheet{}, ErrMixed
		}
		home := present(st)[record.Home]
		s := Step{Record: st.Meaning.ID, Version: version, Seq: st.Seq, Leaf: st.Leaf, Day: st.Meaning.Day}
		var err error
		switch {
		case d.Version == 0 && st.Meaning.Type != typeDraft:
			return Sheet{}, ErrOtherType
		case home == nil && erased(st):
			return Sheet{}, ErrNothing // with the subject that it became or corrects
		case home == nil:
			err = errors.New("its part is lost")
		case st.Meaning.Type == typeDraft:
			err = d.rewrite(home, &s)
		case st.Meaning.Type == typeStep:
			err = d.step(home, &s)
		default:
			err = ErrOtherType
		}
		if err != nil {
			return Sheet{}, fmt.Errorf("draft record %s: %w", st.Meaning.ID, err)
		}
		d.ID, d.Version = subject, version
		s.To = d.State
		d.History = append(d.History, s)
	}
	if d.Version == 0 {
		return Sheet{}, ErrNothing
	}
	return d, nil
}

func erased(st record.Stored) bool {
	return slices.ContainsFunc(st.Parts, func(p record.StoredPart) bool { return p.Name == record.Home && p.State == record.PartGone })
}

func (d *Sheet) rewrite(home []byte, s *Step) error {
	var t sheetText
	if err := json.Unmarshal(home, &t); err != nil {
		return err
	}
	level, err := record.ParseLevel(t.Level)
	if err != nil {
		return err
	}
	s.Event = EventAmend
	if d.Version == 0 {
		s.Event = EventDraft
		d.Type, d.ReasonCode, d.DiffReason = t.Type, t.ReasonCode, t.DiffReason
		if t.Corrects != nil {
			if d.Corrects.ID, err = record.ParseBits128(t.Corrects.ID); err != nil {
				return err
			}
			if d.Corrects.Version, err = strconv.ParseUint(t.Corrects.Version, 10, 63); err != nil {
				return err
			}
		}
		if t.Reopens != "" {
			if d.Reopens, err = record.ParseBits128(t.Reopens); err != nil {
				return err
			}
		}
	}
	d.Payload, d.Level, d.Unit, d.State = t.Payload, level, t.Unit, Drafting
	if !slices.Contains(d.Authors, t.By.User) {
		d.Authors = append(d.Authors, t.By.User)
	}
	s.By, s.At = t.By, t.At
	return nil
}

func (d *Sheet) step(home []byte, s *Step) error {
	var t stepText
	if err := json.Unmarshal(home, &t); err != nil {
		return err
	}
	s.Event, s.By, s.At = t.Event, t.By, t.At
	d.Reviewer = Person{}
	switch t.Event {
	case EventSubmit:
		d.State = InReview
	case EventReturn:
		d.State = Drafting
	case EventDiscard:
		d.State = Discarded
	case EventApprove:
		d.State, d.Reviewer = Approved, t.By
	case EventPublish, EventCorrect:
		d.State = Published
		id, err := record.ParseBits128(t.Record)
		if err != nil {
			return err
		}
		d.Published = id
	default:
		return fmt.Errorf("unknown step %s", t.Event)
	}
	return nil
}
