package histories_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Whom the histories are about (domain.md §7.1): one person under several numbers, and others close to him.
const (
	card   = "320623190001159016" // 测甲一
	card15 = "320623000115901"
	permit = "H90000001"
	other  = "330482190102209028" // 测乙二
)

var issuers = map[record.MemberID][2]string{pinghu: {"113304820000900264", "330482"}, songjiang: {"113101170000900343", "310117"}, jinshan: {"11310116000090018Y", "310116"}}

// subject is a published subject that later steps are about.
type subject struct {
	at  record.MemberID
	typ string
	on  blacklist.On
	id  string // of a penalty

	suspended bool
}

func person(account string, roles ...workflow.Role) blacklist.Request {
	return blacklist.Request{Actor: blacklist.Actor{Account: account, Certificate: "99000000001", Roles: roles}}
}

var (
	officer  = person("acc-1", workflow.Officer)
	liaison  = person("acc-11", workflow.Liaison)
	reviewer = person("acc-31", workflow.LegalReviewer)
	head     = person("acc-41", workflow.Head)
)

func pick[T any](h *history, of ...T) T { return of[h.draw.IntN(len(of))] }

// mostly draws the first in about seven of eight cases.
func mostly[T any](h *history, first T, others ...T) T {
	if h.draw.IntN(8) > 0 {
		return first
	}
	return pick(h, others...)
}

// day is a day up to n days before now.
func (h *history) day(n int) string { return record.CivilDay(h.now.AddDate(0, 0, -h.draw.IntN(n+1))) }

func (h *history) step(b *subject, done blacklist.Done, err error) (bool, error) {
	var no *blacklist.Refusal
	var bad *blacklist.Invalid
	switch {
	case errors.As(err, &no), errors.As(err, &bad):
		return false, nil // the table says no: nothing happened
	case err != nil:
		return false, err
	}
	if b != nil {
		b.on = done.On
	}
	return true, nil
}

// publish takes a payload from draft to publication.
func (h *history) publish(at record.MemberID, typ, payload string) error {
	r := h.places[at].register
	done, err := r.Draft(ctx, officer, blacklist.Proposal{Type: typ, Payload: []byte(payload)})
	for _, next := range []func() (blacklist.Done, error){
		func() (blacklist.Done, error) { return r.Submit(ctx, officer, done.On) },
		func() (blacklist.Done, error) { return r.Approve(ctx, reviewer, done.On) },
		func() (blacklist.Done, error) { return r.Publish(ctx, liaison, done.On) },
	} {
		if err == nil {
			done, err = next()
		}
	}
	s := &subject{at: at, typ: typ}
	ok, err := h.step(s, done, err)
	if err != nil || !ok {
		if err == nil {
			h.told["refused "+typ]++
		}
		return err
	}
	s.id = s.on.ID.String()
	h.open = append(h.open, s)
	h.told[typ]++
	return nil
}

const common = `"legal_basis":"行政处罚法第26条","purpose":"CASE","occurred_at":"%sT09:00:00+08:00","valid_until":"%s","retention_until":"2099-01-01","synthetic":true}`

func (h *history) common(until string) string { return fmt.Sprintf(common, h.day(20), until) }

func quoted(s string) string {
	if s == "" {
		return "null"
	}
	return `"` + s + `"`
}

// penaltyOf is the payload of a decision. What the rule looks at meets everything else; few issuers, days and places, so
// that copies and overlaps are common.
func (h *history) penaltyOf(at record.MemberID) string {
	issuer := issuers[mostly(h, at, bureaux...)]
	if h.serial++; h.draw.IntN(6) == 0 && h.serial > 1 {
		h.serial-- // a copy of the decision before
	}
	decided := h.now.AddDate(0, 0, -h.draw.IntN(120))
	act := decided.AddDate(0, 0, -10-h.draw.IntN(60))
	served, mode, state := record.CivilDay(decided.AddDate(0, 0, h.draw.IntN(8))), "DIR", "in_period"
	var proof string
	if served > record.CivilDay(h.now) || h.draw.IntN(4) == 0 {
		served, mode, proof, state = "", "", "false", "none"
	} else {
		proof = mostly(h, "true", "false")
	}
	id := mostly(h, `"id_type":"RIC","id_no":"`+card+`"`, `"id_type":"RIC","id_no":"`+card15+`"`, `"id_type":"HMP","id_no":"`+permit+`"`, `"id_type":"HMP","id_no":"`+permit+`"`, `"id_type":"HMP","id_no":"`+permit+`"`, `"id_type":"RIC","id_no":"`+other+`"`)
	respondent := fmt.Sprintf(`{"name":"%s",%s,"id_quality":"%s","sex":"%s","birth_date":"1900-01-15","hukou_region":"320623"}`, mostly(h, "测甲一", "测乙二", "测小一"), id,
		mostly(h, "card_read", "self_stated"), mostly(h, "1", "0"))
	if strings.Contains(id, other) {
		respondent = `{"name":"测乙二","id_type":"RIC","id_no":"` + other + `","id_quality":"seen","sex":"2","birth_date":"1901-02-20"}`
	}
	return fmt.Sprintf(`{"doc_no":"测卫医罚〔%d〕%d号","issuer_uscc":"%s","issuer_name":"测卫生健康委员会","issuer_kind":"%s","respondent_kind":"%s","respondent":%s,`+
		`"practitioner_is_respondent":%s,"cause_code":"%s","cause_text":"非医师行医","violated_art":[{"law":"医师法","art":"13"}],"basis_art":[{"law":"医师法","art":"59"}],`+
		`"act_from":"%s","act_to":"%s","act_place":"%s","qualification_at_act":"%s","kinds":["%s"],"fine_fen":2000000,"procedure":"ordinary","filed_at":"%s","decided_at":"%s",`+
		`"served_at":%s,"service_mode":%s,"service_proof":%s,"remedy_told":%s,"remedy_state":"%s","performed":"none","publicity_state":"none","notice":{"mode":"in_decision_text"},`+
		`"used_in_conviction":%s,"intake":"live",%s`,
		decided.Year(), 9000+h.serial, issuer[0], mostly(h, "health_authority", "town_or_street", "other"), mostly(h, "person", "sole_trader"), respondent,
		mostly(h, "true", "false"), mostly(h, "UP01", "UP02", "UP03"), record.CivilDay(act), record.CivilDay(act.AddDate(0, 0, h.draw.IntN(9))), mostly(h, issuer[1], "310116", "330482"),
		mostly(h, "none", "village_doctor", "qualified_registered"), mostly(h, "P2a", "BAN"), record.CivilDay(decided.AddDate(0, 0, -1)), record.CivilDay(decided),
		quoted(served), quoted(mode), proof, mostly(h, "true", "false"), state, mostly(h, "false", "true"), h.common("2099-01-01"))
}

func (h *history) linkOf() string {
	return fmt.Sprintf(`{"a":{"id_type":"RIC","id_no":"%s"},"b":{"id_type":"HMP","id_no":"%s"},"evidence_kind":"police_reply","evidence_hash":"%s",%s`,
		mostly(h, card, other), permit, strings.Repeat("ef", 32), h.common(mostly(h, "2099-01-01", record.CivilDay(h.now.AddDate(0, 3, 0)))))
}

func (h *history) entryOf(penalty string) string {
	return fmt.Sprintf(`{"name":"测甲一","id_type":"RIC","id_no":"%s","id_quality":"card_read","sex":"1","birth_date":"1900-01-15","nationality":"156","qualification":"none",`+
		`"qual_checked_at":"2025-06-01","qual_source":"register","specialities":["DEN"],"penalty_refs":["%s"],"open_case":false,"notice":{"mode":"in_decision_text"},"intake":"live",%s`,
		card, penalty, h.common(mostly(h, "2099-01-01", record.CivilDay(h.now.AddDate(0, 2, 0)))))
}

func paper(code string) blacklist.Change {
	return blacklist.Change{ReasonCode: code, Reason: "合成数据,仅供测试", DocumentHash: strings.Repeat("ab", 32), LegalBasis: "行政处罚法第26条", Purpose: "CORRECT"}
}

// act does one thing, and says which bureau may have appended.
func (h *history) act() (record.MemberID, error) {
	h.now = h.now.Add(time.Duration(h.draw.IntN(12*24)) * time.Hour)
	at := pick(h, bureaux...)
	if len(h.open) < 2 || h.draw.IntN(6) == 0 {
		return at, h.publish(at, blacklist.TypePenalty, h.penaltyOf(at))
	}
	if h.draw.IntN(8) == 0 {
		return at, h.publish(at, blacklist.TypeLink, h.linkOf())
	}
	s := pick(h, h.open...)
	if newest := h.open[len(h.open)-1]; newest.typ == blacklist.TypePerson && h.draw.IntN(3) == 0 {
		s = newest
	}
	switch s.typ {
	case blacklist.TypeLink:
		done, err := h.places[s.at].register.WithdrawLink(ctx, liaison, s.on, paper("wrong_person"))
		return s.at, h.did("withdraw link", s, done, err)
	case blacklist.TypePerson:
		return s.at, h.entryStep(s)
	}
	switch h.draw.IntN(10) {
	case 0:
		return s.at, h.publish(s.at, blacklist.TypePerson, h.entryOf(s.id))
	case 1:
		return s.at, h.correct(s)
	}
	return s.at, h.status(s)
}

func (h *history) did(what string, s *subject, done blacklist.Done, err error) error {
	ok, err := h.step(s, done, err)
	if !ok {
		what = "refused " + what
	}
	h.told[what]++
	return err
}

func (h *history) entryStep(s *subject) error {
	r := h.places[s.at].register
	x := h.draw.IntN(4)
	switch {
	case s.suspended && x < 2:
		s.suspended = false
		done, err := r.Lift(ctx, head, s.on, paper("examined"))
		return h.did("lift entry", s, done, err)
	case s.suspended:
		done, err := r.Confirm(ctx, head, s.on, paper("wrong_person"))
		return h.did("withdraw entry", s, done, err)
	case x == 0:
		done, err := r.Repair(ctx, reviewer, s.on, paper(""))
		return h.did("repair entry", s, done, err)
	}
	s.suspended = true
	done, err := r.Suspend(ctx, liaison, s.on, paper("identity_doubt"))
	return h.did("suspend entry", s, done, err)
}

// status records what happened to a decision.
func (h *history) status(s *subject) error {
	day := h.day(30)
	c := blacklist.PenaltyChange{Change: paper("")}
	who := reviewer
	final := func() *string { return pick(h, nil, &day) }
	switch h.draw.IntN(9) {
	case 0:
		c.Status, c.ServedAt, c.ServiceMode, c.ServiceProof = "served", day, "DIR", []byte("true")
	case 1, 2, 3, 4:
		c.Status, c.RemedyEvent = "remedy_event", &blacklist.RemedyEvent{At: day, Type: pick(h, "review_applied", "review_applied", "review_decided", "review_withdrawn",
			"suit_filed", "suit_filed", "judgment", "suit_withdrawn", "withdrawn_by_issuer", "stayed", "stayed", "stay_lifted")}
		switch e := c.RemedyEvent; e.Type {
		case "judgment":
			e.FinalOn = final()
			fallthrough
		case "review_decided":
			e.Outcome = pick(h, "upheld", "varied", "revoked", "illegal_not_revoked", "settled", "dismissed")
		case "review_withdrawn":
			e.Outcome = mostly(h, "", "settled")
		}
	case 5:
		c.Status, who = "suspended", liaison
		if s.suspended {
			c.Status, who = "lifted", head
		}
		s.suspended = !s.suspended
	case 6:
		c.Status, c.Confirms = "confirmed", pick(h, "sole_trader", "qualification_unclear", "cause_q", "illegal_not_revoked", "issuer_unclear", "prior_conviction")
	case 7:
		switch h.draw.IntN(3) {
		case 0:
			c.Status, c.ObjectionAt = "objection", day
		case 1:
			c.Status, c.TransferredAt = "transferred", day
		default:
			c.Status, c.ComparedAt, c.Officers = "photo_compared", day, []string{"99000000001", "99000000002"}
		}
	default:
		if h.draw.IntN(3) > 0 {
			return nil
		}
		c.Status, c.Outcome = "voided", pick(h, "revoked", "void", "withdrawn_by_issuer")
	}
	done, err := h.places[s.at].register.PenaltyStatus(ctx, who, s.on, c)
	return h.did("status "+c.Status, s, done, err)
}

// correct proposes a payload in which one thing is changed, and approves it.
func (h *history) correct(s *subject) error {
	r := h.places[s.at].register
	e, err := r.Entry(ctx, record.Stream(s.at, record.Records), s.on.ID, "")
	if err != nil {
		return err
	}
	b, err := e.Payload()
	if errors.Is(err, blacklist.ErrNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	var p map[string]any
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	switch h.draw.IntN(5) {
	case 0:
		p["cause_code"] = pick(h, "UP01", "UP03")
	case 1:
		p["qualification_at_act"] = pick(h, "none", "village_doctor")
	case 2:
		delete(p, "confirmed")
	case 3:
		p["service_proof"] = true
	default: // another person, or the same under another number
		p["respondent"].(map[string]any)["id_type"], p["respondent"].(map[string]any)["id_no"] = "RIC", card
		if h.draw.IntN(2) == 0 {
			p["respondent"].(map[string]any)["id_type"], p["respondent"].(map[string]any)["id_no"] = "HMP", permit
		}
	}
	if b, err = json.Marshal(p); err != nil {
		return err
	}
	done, err := r.Correct(ctx, officer, s.on, blacklist.Correction{Proposal: blacklist.Proposal{Payload: b}, ReasonCode: "facts_corrected", DiffReason: "更正"})
	if err == nil {
		done, err = r.Approve(ctx, reviewer, done.On)
	}
	return h.did("correct", s, done, err)
}
