package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// OwnDecision makes the function by which an import finds penalties that the bureau has published, however they came in: by
// issuer and number (domain.md §3.11). entry reads one own subject (blacklist.Register.Entry).
func OwnDecision(index federation.Index, self record.StreamID, today func() string,
	entry func(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (blacklist.Entry, error)) func(context.Context, string, string) (string, bool) {
	return func(ctx context.Context, issuer, docNo string) (string, bool) {
		found, err := index.Find(ctx, federation.Question{DocNo: identifier.NewSecret(docNo)}, today(), func(s record.StreamID, _ map[record.GroupID]record.Level) bool { return s == self })
		if err != nil {
			return "", false
		}
		for _, c := range found.Candidates {
			e, err := entry(ctx, c.Stream, c.Subject, today())
			if err != nil || e.Type != blacklist.TypePenalty || e.State == blacklist.Voided {
				continue
			}
			b, err := e.Payload()
			var p struct {
				Issuer string `json:"issuer_uscc"`
				DocNo  string `json:"doc_no"`
			}
			if err != nil || json.Unmarshal(b, &p) != nil {
				continue
			}
			if sheets.SameDecision(p.Issuer, p.DocNo, issuer, docNo) {
				return e.Content.Meaning.ID.String(), true
			}
		}
		return "", false
	}
}

// knownIn bounds how many questions one request may put to the federation: twenty.
type knownIn struct {
	ID   string `path:"id" pattern:"^[0-9a-f]{32}$"`
	Body struct {
		Rows    []int              `json:"rows" minItems:"1" maxItems:"20" doc:"Rows to ask about; each is a question of its own, logged at every member"`
		Purpose federation.Purpose `json:"purpose,omitempty" maxLength:"16" doc:"核查目的; mandatory"`
		WorkRef *workRef           `json:"work_ref,omitempty" doc:"工作编号; mandatory"`
	}
}

// KnownRow is what the federation says of a row's person.
type KnownRow struct {
	Row      int               `json:"row"`
	Ask      string            `json:"ask,omitempty"`
	Outcome  string            `json:"outcome" enum:"hit,possible,no_hit,incomplete,no_question" doc:"no_question: the row has neither a number nor a name with a birth date"`
	Answered int               `json:"answered"`
	Total    int               `json:"total"`
	Members  []record.MemberID `json:"members" doc:"Other members with a hit or a possible one"`
}

type knownOut struct {
	Body struct {
		Rows []KnownRow `json:"rows"`
	}
}

func (h *people) knownRoute(api huma.API) {
	o := h.op(api, auth.Ask, "ask-import", http.MethodPost, "imports/{id}/known", "Already known elsewhere? Ask the federation about rows before they are published 他处是否已知", http.StatusOK)
	o.Tags = []string{"imports"}
	register(api, h.ofOwnUnits(api, o, h.reachesImport), h.known)
}

// known puts the ordinary question for each row, with the person's own purpose, work reference and rights.
func (h *people) known(ctx context.Context, in *knownIn) (*knownOut, error) {
	who, b := principalOf(ctx), &in.Body
	if !auth.MayAsk(who.Roles, b.Purpose) || !auth.May(who.Roles, auth.Draft) && !auth.May(who.Roles, auth.Review) {
		return nil, problem("forbidden")
	}
	persons, err := h.Intake.Persons(ctx, in.ID, b.Rows)
	if err != nil {
		return nil, err
	}
	out := &knownOut{}
	out.Body.Rows = []KnownRow{}
	for _, p := range persons {
		k := KnownRow{Row: p.Row, Outcome: "no_question", Members: []record.MemberID{}}
		if p.IDNo != "" || p.BirthDate != "" && p.Name != "" {
			req := federation.AskRequest{Account: who.Account, Certificate: who.Certificate, Purpose: b.Purpose, Question: federation.Question{
				Name: identifier.NewSecret(p.Name), BirthDate: identifier.NewSecret(p.BirthDate), IDType: p.IDType, IDNo: identifier.NewSecret(p.IDNo)}}
			if b.WorkRef != nil {
				req.WorkRef = federation.WorkRef(*b.WorkRef)
			}
			a, err := h.Hub.Ask(ctx, req)
			if err != nil {
				return nil, err
			}
			k.Ask, k.Outcome, k.Answered, k.Total = a.Ask.String(), string(a.Outcome), a.K, a.N
			for _, hit := range a.Hits {
				if hit.Member != h.Directory.Self() && !slices.Contains(k.Members, hit.Member) {
					k.Members = append(k.Members, hit.Member)
				}
			}
		}
		out.Body.Rows = append(out.Body.Rows, k)
	}
	return out, nil
}
