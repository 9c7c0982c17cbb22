package node

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// A bureau that hands in half a year's duty plan at once is called by this week's shift, its last one into Monday morning
// included; the weeks far ahead, which were published last, do not hide it.
func TestNode_DutyOfAPlanForMonthsAhead(t *testing.T) {
	d := found(t, onHTTP, false, some(2)...)
	d.released()
	a, b := d.members[0], d.members[1]
	example, err := os.ReadFile(filepath.Join("..", "..", "schemas", "duty_roster", "examples", "good", "week.json"))
	d.ok(err)
	typ, _ := schemas.Lookup("duty_roster", "1")
	monday := time.Date(2026, 3, 9, 9, 0, 0, 0, record.CivilZone)
	var drafts []record.Draft
	for i := range 26 {
		first := monday.AddDate(0, 0, 7*i)
		year, week := first.ISOWeek()
		var payload map[string]any
		d.ok(json.Unmarshal(example, &payload))
		payload["week"], payload["valid_until"] = fmt.Sprintf("%04d-W%02d", year, week), record.CivilDay(first.AddDate(0, 0, 6))
		shift := func(day time.Time, from, to string) map[string]any {
			return map[string]any{"date": record.CivilDay(day), "from": from, "to": to, "person": fmt.Sprintf("测值%d", i)}
		}
		payload["shifts"] = []any{shift(first, "08:30", "17:30"), shift(first.AddDate(0, 0, 6), "17:30", "08:30")}
		bytes, err := json.Marshal(payload)
		d.ok(err)
		split, err := typ.Split(bytes)
		d.ok(err)
		id, err := record.NewBits128(rand.Reader)
		d.ok(err)
		dr := record.Draft{Stream: record.Stream(b, record.Records), ID: id, Type: "duty_roster", Schema: "1", Day: "2026-03-06",
			Audience: map[record.GroupID]record.Level{record.All: record.L3}, Parts: map[record.PartName][]byte{}}
		for p, bytes := range split {
			dr.Parts[record.PartName(p)] = bytes
		}
		drafts = append(drafts, dr)
	}
	_, err = d.nodes[b].append(t.Context(), record.Append{Drafts: drafts})
	d.ok(err)
	d.everywhere(b, uint64(len(drafts)))
	for _, row := range []struct {
		at   time.Time
		want string
	}{
		{monday, "测值0 08:30"},
		{monday.AddDate(0, 0, 7).Add(-time.Hour), "测值0 17:30"},
		{monday.AddDate(0, 0, 7), "测值1 08:30"},
		{monday.AddDate(0, 0, 1), " "}, // between shifts the telephones of the week
		{monday.AddDate(0, 0, 7*25), "测值25 08:30"},
		{monday.AddDate(0, 0, 7*26+1), "nobody"},
	} {
		got := "nobody"
		if c, ok := d.nodes[a].duty(t.Context(), b, row.at); ok {
			got = c.Person + " " + c.From
		}
		if got != row.want {
			t.Errorf("at %s: %s, want %s", row.at.Format(time.RFC3339), got, row.want)
		}
	}
	// A restored copy still holds what others withdrew or erased since: it names nobody of theirs.
	d.nodes[a].mark.Store(&copyMark{Size: 0})
	defer d.nodes[a].mark.Store(nil)
	if c, ok := d.nodes[a].duty(t.Context(), b, monday); ok {
		t.Errorf("a copy tells %+v", c)
	}
}
