package sheets

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// Redacted takes everything that a file said out of the document of its import: names of sheets, headings (in a sheet without
// a heading row they are somebody's name and number), and the values of its profile. What was done with the batch stays.
func Redacted(doc []byte) ([]byte, error) {
	var imp Import
	if err := json.Unmarshal(doc, &imp); err != nil {
		return nil, fmt.Errorf("read import: %w", err)
	}
	imp.Erased = true
	imp.Profile = Profile{Type: imp.Profile.Type}
	imp.Survey = Survey{Sheets: []SheetInfo{}, Columns: []Column{}, HeaderRow: imp.Survey.HeaderRow, HeaderRows: imp.Survey.HeaderRows, Rows: imp.Survey.Rows}
	b, err := json.Marshal(imp, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode import: %w", err)
	}
	return b, nil
}
