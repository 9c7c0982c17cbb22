package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
)

// Filter selects own subjects for a list. Empty fields select everything.
type Filter struct {
	Stream         record.StreamID // of drafts the local stream, else the records stream
	Type, State    string
	DayFrom, DayTo string // civil dates of the first record, inclusive
	Before         uint64 // only rows whose newest record stands before this sequence; 0 = from the newest
	Limit          int
}

// Item is one row of a list: no personal data.
type Item struct {
	Subject    record.RecordID
	Type       string
	Version    uint64
	State      string // as recorded; expiry is computed when the list is shown
	ValidUntil string
	Day        string
	Seq        uint64 // of the newest record
}

// Listing is what every list is asked by.
type Listing struct {
	Stage  string `query:"stage" enum:"draft,published" default:"published" doc:"Drafts, or what has been published"`
	State  string `query:"state" maxLength:"20" doc:"Only this state"`
	From   string `query:"from" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"First day, of the first record"`
	To     string `query:"to" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"Last day"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" doc:"From the answer before, for the same caller and filter"`
}

// entryListIn is Listing of entries, which are of four types.
type entryListIn struct {
	Type string `query:"type" enum:"blacklist.person,blacklist.premises,blacklist.institution,blacklist.handle" default:"blacklist.person" doc:"Which entries: of persons, premises, institutions, or telephones, vehicles and accounts"`
	Listing
}

// Row is one line of a list.
type Row struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Version    uint64 `json:"version"`
	State      string `json:"state"`
	ValidUntil string `json:"valid_until,omitempty"`
	Day        string `json:"day"`
}

type listOut struct {
	Body struct {
		Rows []Row  `json:"rows"`
		Next string `json:"next,omitempty" doc:"Cursor of the next page, which may have fewer rows; absent on the last"`
	}
}

func (h *people) list(ctx context.Context, f family, typ string, in *Listing) (*listOut, error) {
	q := Filter{Stream: record.Stream(h.Directory.Self(), record.Records), Type: typ, State: in.State, DayFrom: in.From, DayTo: in.To, Limit: in.Limit}
	if in.Stage == "draft" {
		q.Stream = record.Stream(h.Directory.Self(), record.Local)
	}
	if in.State == string(blacklist.Expired) {
		q.State = string(blacklist.Published) // expiry is a function of the day, not a stored state
	}
	person := principalOf(ctx)
	who := person.Account
	filter := fmt.Sprint(f.path, "|", typ, "|", in.Stage, "|", in.State, "|", in.From, "|", in.To)
	if in.Cursor != "" {
		var ok bool
		if q.Before, ok = h.openCursor(in.Cursor, who, filter); !ok {
			return nil, problem("cursor_invalid")
		}
	}
	items, err := h.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Rows = []Row{}
	today := record.CivilDay(h.Now())
	for _, it := range items {
		if in.Stage == "draft" && person.Unit != "" {
			if ok, err := h.reachesDraft(ctx, person, it.Subject.String()); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		r := Row{ID: it.Subject.String(), Type: it.Type, Version: it.Version, State: it.State, ValidUntil: it.ValidUntil, Day: it.Day}
		if it.State == string(blacklist.Published) && it.ValidUntil != "" && it.ValidUntil < today {
			r.State = string(blacklist.Expired)
		}
		if in.State == "" || r.State == in.State {
			out.Body.Rows = append(out.Body.Rows, r)
		}
	}
	if len(items) == in.Limit {
		out.Body.Next = h.cursor(items[len(items)-1].Seq, who, filter)
	}
	return out, nil
}

// cursor is a sequence under a MAC that binds it to the caller and his filter, so that it cannot be made up, traded or
// used to look elsewhere. Its key lives as long as the process.
func (h *people) cursor(seq uint64, who, filter string) string {
	b := binary.BigEndian.AppendUint64(nil, seq)
	return base64.RawURLEncoding.EncodeToString(append(b, h.cursorMAC(b, who, filter)...))
}

func (h *people) cursorMAC(seq []byte, who, filter string) []byte {
	m := hmac.New(sha256.New, h.cursorKey[:])
	fmt.Fprintf(m, "pilin cursor 1\x00%x\x00%s\x00%s", seq, who, filter)
	return m.Sum(nil)[:16]
}

func (h *people) openCursor(s, who, filter string) (uint64, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 24 || !hmac.Equal(b[8:], h.cursorMAC(b[:8], who, filter)) {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}
