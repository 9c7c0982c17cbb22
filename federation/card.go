package federation

import (
	"cmp"
	"slices"

	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/schemas"
)

// Card 对象卡 joins the hits of an answer that are about one person or body, as far as a number tells. It holds for this
// answer alone: it has no id and is kept nowhere, so that no profile of a person grows over members (domain.md L57).
type Card struct {
	Hits    []int // indexes of Answer.Hits, ascending
	Outcome Outcome
	Score   float64 // of the best hit
	By      string  // why they are joined: CardByNumber, CardByQuestion; empty for a single hit
	// NamesDiffer: the records write no name in common: 同号而姓名不同, a borrowed number or another writing.
	NamesDiffer bool

	numbered bool // a hit of it carries a valid number of a person
}

// Why hits stand on one card.
const (
	CardByNumber   = "number"   // the records carry the same valid document number or organisation code
	CardByQuestion = "question" // each answered that the valid number asked for is its own
)

// cards joins hits. Names, births, phones, plates and addresses join nobody: 同名不等于本人, and a family or a shop shares
// the rest. A hit whose number is equal and whose name is clearly another stays alone (号同名异).
func cards(hits []LiveHit) []Card {
	joined := make([]int, len(hits)) // card of each hit
	by := make([]string, len(hits))
	for i := range joined {
		joined[i] = i
	}
	first := map[string]int{}
	names := make([][]string, len(hits))
	numbered := make([]bool, len(hits))
	for i, h := range hits {
		ids := identifiersOf(h.Type, "1", h.Card, h.Body)
		names[i] = namesOf(ids)
		numbered[i] = slices.ContainsFunc(ids, func(id schemas.Identifier) bool { return id.Strong && match.IdentifiesPerson(id.Kind) })
		for _, k := range joinKeys(h, ids) {
			j, ok := first[k.key]
			if !ok {
				first[k.key] = i
				continue
			}
			from, to := joined[i], joined[j]
			for n := range joined {
				if joined[n] == from {
					joined[n] = to
				}
			}
			if by[j] != CardByNumber {
				by[j] = k.by
			}
			by[i] = k.by
		}
	}
	at := map[int]int{}
	var out []Card
	for i, h := range hits {
		n, ok := at[joined[i]]
		if !ok {
			n = len(out)
			at[joined[i]] = n
			out = append(out, Card{Outcome: h.Outcome, Score: h.Score})
		}
		c := &out[n]
		c.NamesDiffer = c.NamesDiffer || slices.ContainsFunc(c.Hits, func(j int) bool { return apart(names[i], names[j]) })
		c.Hits, c.Score, c.numbered = append(c.Hits, i), max(c.Score, h.Score), c.numbered || numbered[i]
		if h.Outcome == Hit {
			c.Outcome = Hit
		}
		if c.By != CardByNumber && by[i] != "" {
			c.By = by[i]
		}
	}
	slices.SortStableFunc(out, byOutcome)
	return out
}

type joinKey struct{ key, by string }

func joinKeys(h LiveHit, ids []schemas.Identifier) []joinKey {
	asked := map[string]bool{} // which number of the question: a person's and an institution's may both be asked for
	for _, l := range h.Lines {
		switch l.Code {
		case "id_other_name":
			return nil
		case "id_equal", "document_equal", "uscc_equal":
			asked[l.Code] = true
		}
	}
	var out []joinKey
	for _, id := range ids {
		if id.Strong && (match.IdentifiesPerson(id.Kind) || id.Kind == "uscc") {
			out = append(out, joinKey{id.Kind + ":" + id.Value, CardByNumber})
		}
	}
	for _, code := range []string{"id_equal", "document_equal", "uscc_equal"} {
		if asked[code] {
			out = append(out, joinKey{"asked:" + code, CardByQuestion})
		}
	}
	return out
}

func namesOf(ids []schemas.Identifier) []string {
	var out []string
	for _, id := range ids {
		if id.Kind == "name" || id.Kind == "name_variant" || id.Kind == "org_name" {
			out = append(out, id.Value)
		}
	}
	return out
}

// undecided makes cards possible that cannot all be meant: a question that rests on no number and fits several people with
// different valid numbers says of none that he is the one.
func undecided(cs []Card) {
	var several []int
	for i, c := range cs {
		if c.Outcome == Hit && c.numbered {
			several = append(several, i)
		}
	}
	if len(several) > 1 {
		for _, i := range several {
			cs[i].Outcome = Possible
		}
	}
	slices.SortStableFunc(cs, byOutcome)
}

func byOutcome(a, b Card) int {
	return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(b.Score, a.Score)) // hit before possible
}

// apart reports two lists of names without one in common.
func apart(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, func(n string) bool { return slices.Contains(b, n) })
}
