package sheets

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// SameDecision reports whether two decisions are the same: issuer and normalised number (domain.md §3.11).
func SameDecision(issuerA, docA, issuerB, docB string) bool {
	return decisionKey(issuerA, docA, identifier.Date{}) == decisionKey(issuerB, docB, identifier.Date{})
}

// RowPerson is who a row is about, for a question to the federation.
type RowPerson struct {
	Row                           int
	Name, BirthDate, IDType, IDNo string
}

// Persons reads who chosen rows are about, from the file; rows with problems are left out.
func (d *Intake) Persons(ctx context.Context, id string, rows []int) ([]RowPerson, error) {
	imp, err := d.idle(ctx, id)
	if err != nil {
		return nil, err
	}
	f, s, k, err := d.reopen(ctx, imp)
	if err != nil {
		return nil, err
	}
	var out []RowPerson
	err = k.Check(f, s, func(c *Checked) error {
		if c.Payload == nil || !slices.Contains(rows, c.Row) {
			return ctx.Err()
		}
		type person struct {
			Name      string `json:"name"`
			BirthDate string `json:"birth_date"`
			IDType    string `json:"id_type"`
			IDNo      string `json:"id_no"`
		}
		var p struct {
			person
			Respondent person `json:"respondent"`
		}
		if err := json.Unmarshal(c.Payload, &p); err != nil {
			return err
		}
		who := p.person
		if imp.Profile.Type == blacklist.TypePenalty {
			who = p.Respondent
		}
		out = append(out, RowPerson{c.Row, who.Name, who.BirthDate, who.IDType, who.IDNo})
		return nil
	})
	return out, err
}
