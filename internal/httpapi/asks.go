package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/match"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// askIn is a question. Purpose and work reference are mandatory, but their absence is for the Hub to refuse, because it
// writes the audit record of the refusal.
type askIn struct {
	Body struct {
		Ask      string             `json:"ask,omitempty" pattern:"^[0-9a-f]{32}$" doc:"Id of the question, chosen by the caller so that a repeat is the same question"`
		Purpose  federation.Purpose `json:"purpose,omitempty" maxLength:"16" doc:"核查目的, domain.md §2.6.9; mandatory"`
		WorkRef  *workRef           `json:"work_ref,omitempty" doc:"工作编号; mandatory"`
		Scope    []record.MemberID  `json:"scope,omitempty" maxItems:"200" doc:"Members to ask; absent = all"`
		AsOf     string             `json:"as_of,omitempty" maxLength:"10" doc:"Civil day that is asked for; absent = today"`
		Question questionBody       `json:"question" doc:"A number, code, plate, address, institution or name; a bare nickname or a name with lost characters needs something beside it"`
		Why      bool               `json:"why,omitzero" doc:"List every counted, pending and excluded decision with its reason"`
	}
}

type questionBody struct {
	Name      hidden `json:"name,omitzero" doc:"姓名: in any form, also a nickname (老王), letters, ? for a lost character"`
	Sex       string `json:"sex,omitempty" enum:"1,2,M,F,男,女" doc:"性别"`
	BirthDate hidden `json:"birth_date,omitzero" doc:"出生日期, YYYY-MM-DD or YYYY"`
	IDType    string `json:"id_type,omitempty" maxLength:"8" doc:"证件类型; absent = resident identity card"`
	IDCountry string `json:"id_country,omitempty" pattern:"^[A-Z]{3}$" doc:"护照国家, ISO 3166-1 alpha-3"`
	IDNo      hidden `json:"id_no,omitzero" doc:"证件号码: whole, masked with *, or a part of it"`
	Phone     hidden `json:"phone,omitzero" doc:"电话: whole, masked with *, or its last digits"`
	USCC      hidden `json:"uscc,omitzero" doc:"统一社会信用代码"`
	DocNo     hidden `json:"doc_no,omitzero" doc:"文号"`
	Org       hidden `json:"org,omitzero" doc:"单位名称"`
	Address   hidden `json:"address,omitzero" doc:"地址"`
	Plate     hidden `json:"plate,omitzero" doc:"车牌"`
	County    string `json:"county,omitempty" pattern:"^[1-9][0-9]{5}$" doc:"所在区县, GB/T 2260: where the asker stands or looks"`
}

func (q *questionBody) question() federation.Question {
	return federation.Question{Name: q.Name.Secret, Sex: q.Sex, BirthDate: q.BirthDate.Secret, IDType: q.IDType, IDCountry: q.IDCountry, IDNo: q.IDNo.Secret,
		Phone: q.Phone.Secret, USCC: q.USCC.Secret, DocNo: q.DocNo.Secret, Org: q.Org.Secret, Address: q.Address.Secret, Plate: q.Plate.Secret, County: q.County}
}

// AskAnswer is what a question came to, cut for the person who asked.
type AskAnswer struct {
	Ask            string        `json:"ask"`
	Outcome        string        `json:"outcome" enum:"hit,possible,no_hit,incomplete" doc:"no_hit is said only when every member in scope answered live"`
	Answered       int           `json:"answered" doc:"k: members that answered live and in full"`
	Total          int           `json:"total" doc:"n: members in scope"`
	Complete       bool          `json:"complete"`
	Scoped         bool          `json:"scoped" doc:"The asker chose whom to ask; the outcome speaks for these only"`
	TestOnly       bool          `json:"test_only" doc:"An exercise: no_hit is impossible"`
	AsOf           string        `json:"as_of"`
	At             time.Time     `json:"at"`
	CharterVersion uint64        `json:"charter_version"`
	Members        []AskMember   `json:"members"`
	Counts         AskCounts     `json:"counts"`
	Hits           []AskHit      `json:"hits" doc:"From live answers. 同名不等于本人"`
	Subjects       []AskSubject  `json:"subjects" doc:"Whom the hits are about, best first; of this answer alone"`
	Namesakes      uint64        `json:"namesakes" doc:"同名 N 人: people of exactly this name, summed over members that each count their own; never a hit"`
	Truncated      bool          `json:"truncated" doc:"A member found more possible ones than it told, or may have: ask with more"`
	CheckDigit     bool          `json:"check_digit" doc:"校验位不符,按相近号码查: the number asked for has a wrong check digit"`
	Fuzzy          bool          `json:"fuzzy" doc:"The question rests on no number that finds by equality; only members with a matching engine count"`
	NotFuzzy       []AskNotFuzzy `json:"not_fuzzy" doc:"Members that could not serve a fuzzy question"`
	FirstPicture   []AskFirstHit `json:"first_picture" doc:"From this node's copies; counts for nothing"`
	OpenUntil      *time.Time    `json:"open_until,omitempty" doc:"The question is asked anew by itself until then; watch it at /asks/{ask}/events"`
	Count          *AskCount     `json:"count,omitempty" doc:"The cross-region count, for those who may know it (ADR 8)"`
}

// AskMember is what came of asking one member.
type AskMember struct {
	Member    record.MemberID `json:"member"`
	Name      string          `json:"name"`
	State     string          `json:"state" enum:"answered,partial,timeout,unreachable,refused,stale_charter,incompatible"`
	Reason    string          `json:"reason,omitempty"`
	LatencyMS int64           `json:"latency_ms"`
	Index     uint64          `json:"index" doc:"Records of its stream that the answer covers"`
	Hits      int             `json:"hits"`
	Engine    string          `json:"engine,omitempty" doc:"Version of its matching engine"`
	Namesakes uint64          `json:"namesakes"`
	Truncated bool            `json:"truncated"`
	Duty      *DutyContact    `json:"duty,omitempty" doc:"Who is on duty there now, from its roster; absent if none is known"`
}

// AskNotFuzzy is a member that knows no fuzzy questions.
type AskNotFuzzy struct {
	Member record.MemberID `json:"member"`
	Name   string          `json:"name"`
}

// AskSubject is a person or body that hits are about, as far as a number tells.
type AskSubject struct {
	Hits        []int   `json:"hits" doc:"Indexes of hits"`
	Outcome     string  `json:"outcome" enum:"hit,possible"`
	Score       float64 `json:"score" doc:"Bits, of the best hit"`
	By          string  `json:"by,omitempty" enum:"number,question" doc:"Why they are one: the same valid number stands in the records, or each equals the number asked for"`
	NamesDiffer bool    `json:"names_differ" doc:"同号而姓名写法不同: no name in common"`
}

// AskCounts are the figures that everybody who may ask is told.
type AskCounts struct {
	Hits     int `json:"hits"`
	Possible int `json:"possible"`
}

// AskHit is one subject, as far as the person may see it.
type AskHit struct {
	Member  record.MemberID  `json:"member"`
	Record  string           `json:"record"`
	Subject string           `json:"subject"`
	Version uint64           `json:"version"`
	Type    string           `json:"type"`
	State   string           `json:"state"`
	Outcome string           `json:"outcome" enum:"hit,possible"`
	Level   string           `json:"level"`
	Score   float64          `json:"score" doc:"Bits: the sum of the lines; 0 at L1"`
	Lines   []match.Evidence `json:"lines" doc:"What agreed or not, how many bits it speaks for or against; characters of a name only where the record may be seen"`
	Card    payload          `json:"card,omitempty"`
	Body    payload          `json:"body,omitempty"`
}

// AskFirstHit is a subject in this node's copy of a member's records.
type AskFirstHit struct {
	AskHit
	AgeSeconds int64 `json:"age_s" doc:"Since this node knew that the copy was whole; -1 if it never did"`
	Gone       bool  `json:"gone" doc:"Withdrawn at origin, not yet here"`
}

type askOut struct{ Body AskAnswer }

func (h *people) askRoutes(api huma.API) {
	o := h.op(api, auth.Ask, "ask", http.MethodPost, "asks", "Ask every member 联合核查", http.StatusOK)
	o.Tags = []string{"asks"}
	register(api, o, h.ask)
}

func (h *people) ask(ctx context.Context, in *askIn) (*askOut, error) {
	who, b := principalOf(ctx), &in.Body
	if !auth.MayAsk(who.Roles, b.Purpose) {
		return nil, problem("forbidden")
	}
	req := federation.AskRequest{Account: who.Account, Certificate: who.Certificate, Purpose: b.Purpose, Scope: b.Scope, AsOf: b.AsOf,
		Question: b.Question.question()}
	if b.WorkRef != nil {
		req.WorkRef = federation.WorkRef(*b.WorkRef)
	}
	if b.Ask != "" {
		id, err := record.ParseBits128(b.Ask)
		if err != nil {
			return nil, violations([]schemas.Violation{{Pointer: "/ask", Code: "pattern"}})
		}
		req.ID = id
	}
	var here map[record.RecordID]version
	var began map[record.StreamID]uint64
	if h.Open != nil && mayCount(who, b.Purpose) {
		var err error
		if began, err = h.sizes(ctx); err == nil {
			here, err = h.subjects(ctx, &req, nil)
		}
		if err != nil {
			return nil, err
		}
	}
	a, err := h.Hub.Ask(ctx, req)
	if err != nil {
		return nil, err
	}
	lineOf(ctx).note(slog.String("ask", a.Ask.String()), slog.String("outcome", string(a.Outcome)), slog.Int("answered", a.K), slog.Int("total", a.N))
	out, err := h.answer(a, who, b.Purpose)
	if err != nil {
		return nil, err
	}
	for i := range out.Members {
		out.Members[i].Duty = h.contact(ctx, out.Members[i].Member)
	}
	if r, silent := h.reckon(ctx, a, who, &req, nil); r != nil {
		out.Count = h.countOf(r, silent, a, &req, b.Why)
		if h.Open != nil {
			if until := h.keepOpen(ctx, a, who, req, here, began); !until.IsZero() {
				out.OpenUntil = &until
			}
		}
		lineOf(ctx).note(slog.String("rule", r.Rule), slog.String("alert", string(r.Alert)))
	}
	return &askOut{*out}, nil
}

// answer cuts an answer for the person who asked.
func (h *people) answer(a *federation.Answer, who auth.Principal, p federation.Purpose) (*AskAnswer, error) {
	out := &AskAnswer{Ask: a.Ask.String(), Outcome: string(a.Outcome), Answered: a.K, Total: a.N, Complete: a.Complete(), Scoped: a.Scoped,
		TestOnly: a.TestOnly, AsOf: a.AsOf, At: a.At, CharterVersion: a.Charter.Version, Hits: []AskHit{}, FirstPicture: []AskFirstHit{},
		Subjects: []AskSubject{}, Namesakes: a.Namesakes, CheckDigit: a.CheckDigit, Fuzzy: a.Fuzzy, NotFuzzy: []AskNotFuzzy{}}
	for _, m := range a.Members {
		e, _ := h.Directory.Member(m.Member)
		out.Members = append(out.Members, AskMember{Member: m.Member, Name: e.Name, State: string(m.State), Reason: m.Reason,
			LatencyMS: m.Latency.Milliseconds(), Index: m.Index, Hits: m.Hits, Engine: m.Engine, Namesakes: m.Namesakes, Truncated: m.Truncated})
		out.Truncated = out.Truncated || m.Truncated
	}
	for _, m := range a.NotFuzzy() {
		e, _ := h.Directory.Member(m)
		out.NotFuzzy = append(out.NotFuzzy, AskNotFuzzy{m, e.Name})
	}
	at := map[int]int{} // where a hit stands among those shown
	for i, hit := range a.Hits {
		if hit.Outcome == federation.Hit {
			out.Counts.Hits++
		} else {
			out.Counts.Possible++
		}
		c, shown, err := h.cutHit(hit, who, p)
		if err != nil {
			return nil, err
		}
		if shown {
			at[i] = len(out.Hits)
			out.Hits = append(out.Hits, c)
		}
	}
	for _, c := range a.Cards {
		s := AskSubject{Outcome: string(c.Outcome), Score: c.Score, By: c.By, NamesDiffer: c.NamesDiffer}
		for _, i := range c.Hits {
			if n, shown := at[i]; shown {
				s.Hits = append(s.Hits, n)
			}
		}
		if len(s.Hits) > 0 {
			out.Subjects = append(out.Subjects, s)
		}
	}
	for _, r := range a.Replica {
		c, shown, err := h.cutHit(r.LiveHit, who, p)
		if err != nil {
			return nil, err
		}
		if !shown {
			continue
		}
		age := int64(-1)
		if r.Age >= 0 {
			age = int64(r.Age / time.Second)
		}
		out.FirstPicture = append(out.FirstPicture, AskFirstHit{c, age, r.Gone})
	}
	return out, nil
}

// cutHit returns what of a hit the person sees; false if nothing but its being counted.
func (h *people) cutHit(hit federation.LiveHit, who auth.Principal, p federation.Purpose) (AskHit, bool, error) {
	v := auth.ViewOf(who.Roles, auth.Situation{Own: hit.Member == h.Directory.Self(), Purpose: p})
	if v < auth.ViewMeta {
		return AskHit{}, false, nil
	}
	out := AskHit{Member: hit.Member, Record: hit.Record.String(), Subject: hit.Subject.String(), Version: hit.Version, Type: hit.Type,
		State: hit.State, Outcome: string(hit.Outcome), Level: hit.Level.String(), Score: hit.Score, Lines: []match.Evidence{}}
	for _, l := range hit.Lines {
		if v < auth.ViewMasked {
			l = l.Plain() // the name itself is not shown either
		}
		out.Lines = append(out.Lines, l)
	}
	fields := fieldsOf(hit.Type, "1")
	var err error
	if out.Card, err = auth.Cut(record.Card, hit.Card, v, fields); err != nil {
		return AskHit{}, false, err
	}
	out.Body, err = auth.Cut(record.Body, hit.Body, v, fields)
	return out, true, err
}

// fieldsOf hands the catalogue's annotations to the cut; none for an unknown type, whose content is then not shown.
func fieldsOf(typ, version string) []auth.Field {
	t, ok := schemas.Lookup(typ, version)
	if !ok {
		return nil
	}
	fields := t.Fields()
	out := make([]auth.Field, len(fields))
	for i, f := range fields {
		out[i] = auth.Field{Pointer: f.Pointer, Part: record.PartName(f.Part), Class: f.Class, Vis: f.Vis, Kind: f.Kind, Derived: f.CardName}
	}
	return out
}
