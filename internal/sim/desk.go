package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/workflow"
)

// desk is what officers work with: the register of their bureau and the hub that asks all bureaux. A history has desks or
// plain records; schemas and answers are dear.
type desk struct {
	register *blacklist.Register
	index    *federation.LogIndex
	hub      *federation.Hub
}

// listed is an entry that was published.
type listed struct {
	node    *node
	subject record.RecordID
	person  int
}

// The people of every bureau. Nobody reviews what he wrote.
var (
	officer  = actorOf("acc-1", workflow.Officer)
	liaison  = actorOf("acc-11", workflow.Liaison)
	reviewer = actorOf("acc-31", workflow.LegalReviewer)
	head     = actorOf("acc-41", workflow.Head)
	system   = actorOf("node", workflow.System)
)

func actorOf(account string, role workflow.Role) blacklist.Request {
	return blacklist.Request{Actor: blacklist.Actor{Account: account, Certificate: "99000000001", Roles: []workflow.Role{role}, Unit: "SX-01"}}
}

// persons is how many people who do not exist may be listed or asked for.
const persons = 24

// idOf returns the resident number of a synthetic person: born 1900, sequence 900 to 999 (domain.md §7.1).
func idOf(person int) string {
	const weights, checks = "79A584216379A5842", "10X98765432" // GB 11643, A stands for 10
	s := fmt.Sprintf("32062319000115%03d", 900+person)
	sum := 0
	for i, c := range []byte(s) {
		w := int(weights[i] - '0')
		if weights[i] == 'A' {
			w = 10
		}
		sum += int(c-'0') * w
	}
	return s + string(checks[sum%11])
}

// openDesk gives a process its register, index and hub.
func (p *process) openDesk() {
	n, w := p.node, p.node.w
	if !w.desks {
		return
	}
	p.roster.Usable = federation.Usable
	d := &desk{
		register: &blacklist.Register{Log: p.log, Self: n.ID, Now: n.wall, Random: n.random, Synthetic: true},
		index:    federation.NewLogIndex(p.raw),
	}
	d.hub = &federation.Hub{
		Directory: n.dir, Index: d.index, View: p.view, Call: nil,
		Append: p.raw.Append, Answered: p.raw.Answered, Head: p.raw.Head,
		Age:      func(record.MemberID) (time.Duration, bool) { return 0, false },
		Released: p.release.Released, Now: n.wall, Random: n.random,
		Records: n.stream(), Audit: record.Stream(n.ID, record.Audit),
		Deadline: time.Hour, IndexWait: time.Nanosecond, // nobody is waited for: what a member does is drawn before it is asked
	}
	p.desk = d
}

// view folds a subject for an answer.
func (p *process) view(ctx context.Context, s record.StreamID, subject record.RecordID, asOf string) (federation.SubjectView, bool, error) {
	all, err := p.raw.Subject(ctx, s, subject)
	if err != nil {
		return federation.SubjectView{}, false, err
	}
	e, err := blacklist.Fold(all, asOf)
	switch {
	case errors.Is(err, blacklist.ErrNothing), errors.Is(err, blacklist.ErrOtherType):
		return federation.SubjectView{}, false, nil
	case err != nil:
		return federation.SubjectView{}, false, err
	case !e.Visible() || e.Content.Header == nil:
		return federation.SubjectView{}, false, nil
	}
	return federation.SubjectView{Version: e.Version, Type: e.Type, State: string(e.State), Record: e.Content}, true, nil
}

// catchUp lets the index follow.
func (p *process) catchUp() {
	if p.desk != nil {
		p.node.w.must("catch up", p.desk.index.CatchUp(p.node.w.ctx))
	}
}

// deskWork is one thing that people do at the desks.
func (w *world) deskWork(n *node) {
	p := n.process
	w.in(p, func() {
		switch x := w.draw(10); {
		case x < 3:
			w.enter(p)
		case x < 6:
			w.takeStep(p)
		default:
			w.question(p)
		}
	})
}

// refusedStep counts what a rule or a bad day did not let through.
func (w *world) refusedStep(what string, err error) bool {
	if err == nil {
		w.count("desk." + what)
		return false
	}
	var invalid *blacklist.Invalid
	var no *blacklist.Refusal
	switch {
	case errors.As(err, &invalid):
		w.count("desk.invalid." + invalid.Violations[0].Code)
	case errors.As(err, &no):
		w.count("desk.refused." + no.Code)
	default:
		w.count("desk.failed")
	}
	return true
}

// Payloads of synthetic persons (domain.md §7.1). The verbs are what differs between them.
const (
	penaltyForm = `{"doc_no":"测金卫医罚〔2025〕9%03d号","issuer_uscc":"113101170000900343","issuer_name":"测松江区卫生健康委员会",` +
		`"issuer_kind":"health_authority","respondent_kind":"person","respondent":{"name":"测甲一","id_type":"RIC","id_no":"%s",` +
		`"id_quality":"card_read","sex":"%d","birth_date":"1900-01-15"},"practitioner_is_respondent":true,"cause_code":"UP01",` +
		`"cause_text":"非医师行医","violated_art":[{"law":"医师法","version":"2022-03-01","art":"13"}],"basis_art":[{"law":"医师法",` +
		`"version":"2022-03-01","art":"59"}],"act_from":"2025-07-02","act_to":"2025-07-04","act_place":"310117","qualification_at_act":"none",` +
		`"qualification_source":"合成数据","kinds":["P2a","P2b","P2c","BAN"],"fine_fen":2000000,"illegal_income_fen":150000,"procedure":"ordinary","filed_at":"2025-07-05",` +
		`"decided_at":"2025-08-25","served_at":"2025-08-28","service_mode":"DIR",` +
		`"service_proof":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","remedy_told":true,"remedy_state":"lapsed",` +
		`"performed":"full","publicity_state":"published","notice":{"mode":"in_decision_text"},"legal_basis":"行政处罚法第26条",` +
		`"purpose":"CASE","unit":"SX-01","occurred_at":"2025-07-02T09:00:00+08:00","valid_until":"2028-08-28",` +
		`"retention_until":"2036-08-28","intake":"live","synthetic":true}`
	entryForm = `{"name":"测甲一","id_type":"RIC","id_no":"%s","id_quality":"card_read","sex":"%d","birth_date":"1900-01-15",` +
		`"nationality":"156","qualification":"none","qual_checked_at":"2025-07-05","qual_source":"合成数据","specialities":["DEN"],` +
		`"modus":"HOP","penalty_refs":[%s],"open_case":%v,"notice":{"mode":"in_decision_text"},"legal_basis":"行政处罚法第26条",` +
		`"purpose":"CASE","work_ref":{"kind":"case","number":"测金卫医案〔2026〕9001"},"occurred_at":"2025-07-04T10:30:00+08:00",` +
		`"valid_until":"%s","retention_until":"2036-03-02","intake":"live","synthetic":true}`
)

// enter publishes an entry: of an open case, or on a penalty that is published first.
func (w *world) enter(p *process) {
	who, refs := w.draw(persons), ""
	if w.chance(0.6) {
		done, ok := w.publishPaper(p, who, blacklist.TypePenalty, fmt.Appendf(nil, penaltyForm, w.ops%1000, idOf(who), 2-who%2))
		if !ok {
			return
		}
		refs = `"` + done.ID.String() + `"`
	}
	validUntil := []string{"2026-03-03", "2026-03-05", "2028-08-28"}[w.draw(3)]
	if refs == "" {
		validUntil = min(validUntil, "2026-05-30") // of an open case no longer
	}
	w.publishPaper(p, who, blacklist.TypePerson, fmt.Appendf(nil, entryForm, idOf(who), 2-who%2, refs, refs == "", validUntil))
}

// publishPaper writes a paper, has it reviewed, and publishes it: four steps of three people.
func (w *world) publishPaper(p *process, who int, typ string, payload []byte) (blacklist.Done, bool) {
	reg := p.desk.register
	done, err := reg.Draft(w.ctx, officer, blacklist.Proposal{Type: typ, Payload: payload, Level: record.L3})
	if w.refusedStep("draft", err) {
		return done, false
	}
	if done, err = reg.Submit(w.ctx, officer, done.On); w.refusedStep("submit", err) {
		return done, false
	}
	if done, err = reg.Approve(w.ctx, reviewer, done.On); w.refusedStep("approve", err) {
		return done, false
	}
	w.ops += 3
	if done, err = reg.Publish(w.ctx, liaison, done.On); w.refusedStep("publish", err) {
		return done, false
	}
	w.told(p.node, done)
	w.listed = append(w.listed, listed{p.node, done.ID, who})
	return done, true
}

// told notes what a person was told.
func (w *world) told(n *node, done blacklist.Done) {
	for _, r := range done.Appended.Records {
		w.promises = append(w.promises, &ack{node: n, id: r.ID, stream: r.Stream, recorded: done.Appended.Checkpoint[r.Stream] == nil})
	}
}

// takeStep takes an entry on: suspended, lifted, confirmed as withdrawn, repaired, expired.
func (w *world) takeStep(p *process) {
	n, reg := p.node, p.desk.register
	var mine []listed
	for _, l := range w.listed {
		if l.node == n {
			mine = append(mine, l)
		}
	}
	if len(mine) == 0 {
		w.enter(p)
		return
	}
	l := mine[w.draw(len(mine))]
	e, err := reg.Entry(w.ctx, n.stream(), l.subject, day)
	if w.refusedStep("read", err) || e.Type != blacklist.TypePerson {
		return
	}
	on := blacklist.On{ID: l.subject, Version: e.Version}
	c := blacklist.Change{
		Reason: "合成数据,仅供测试", LegalBasis: "行政处罚法第26条", Purpose: "CORRECT",
		DocumentHash: "abababababababababababababababababababababababababababababababab",
	}
	var done blacklist.Done
	var what string
	switch x := w.draw(4); {
	case e.Recorded == blacklist.Suspended && x < 3:
		what, c.ReasonCode = "confirm", "wrong_person"
		done, err = reg.Confirm(w.ctx, head, on, c)
	case e.Recorded == blacklist.Suspended:
		what, c.ReasonCode = "lift", "examined"
		done, err = reg.Lift(w.ctx, head, on, c)
	case x < 2:
		what, c.ReasonCode = "suspend", "identity_doubt"
		done, err = reg.Suspend(w.ctx, liaison, on, c)
	case x == 2:
		what = "repair"
		done, err = reg.Repair(w.ctx, reviewer, on, c)
	default:
		what = "expire"
		done, err = reg.Expire(w.ctx, system, on, c)
	}
	if !w.refusedStep(what, err) {
		w.told(n, done)
	}
}

// fate is what the network and a member make of one question, drawn before it is asked: members answer at once and in
// any order, so nothing may be drawn meanwhile.
type fate struct {
	there *process
	err   error
	flip  int // bit of the answer that is changed; -1 none
}

// question asks all bureaux about somebody and holds the answer to what they have (I6, I5).
func (w *world) question(p *process) {
	n := p.node
	fates := map[record.MemberID]fate{}
	for _, m := range n.dir.Active() {
		f := fate{there: w.node(m).process, flip: -1}
		switch {
		case m == n.ID:
		case f.there == nil || w.net.isCut(n.ID, m) || !admits(f.there, n.ID):
			f.err = federation.ErrUnreachable
		case w.faulty && w.chance(0.1+w.net.drop):
			f.err = context.DeadlineExceeded
		case w.faulty && w.chance(w.net.flip):
			f.flip = w.draw(8 * 400)
		}
		fates[m] = f
	}
	who := w.draw(persons)
	if w.chance(0.8) && len(w.listed) > 0 {
		who = w.listed[w.draw(len(w.listed))].person
	}
	hub := p.desk.hub
	ask := w.ops
	hub.Call = func(ctx context.Context, m record.MemberID, body []byte) ([]byte, error) {
		f := fates[m]
		if f.err != nil {
			return nil, f.err
		}
		use := record.Use{Kind: "jti", ID: fmt.Sprintf("ask %d of %s to %s", ask, n.ID, m), Expires: f.there.node.wall().Unix() + 60}
		b, err := f.there.desk.hub.Reply(ctx, n.ID, body, use)
		if err == nil && f.flip >= 0 {
			b = slices.Clone(b)
			b[f.flip/8%len(b)] ^= 1 << (f.flip % 8)
		}
		return b, err
	}
	a, err := hub.Ask(w.ctx, federation.AskRequest{
		Account: "acc-1", Certificate: "99000000001", Purpose: federation.PurposeTest,
		WorkRef:  federation.WorkRef{Kind: "spot_check", Number: string(n.ID) + "-XC-20260302-001"},
		Question: federation.Question{IDType: "RIC", IDNo: identifier.NewSecret(idOf(who))}, AsOf: day,
	})
	if err != nil {
		w.count("desk.ask_refused")
		return
	}
	w.count("desk.ask." + string(a.Outcome))
	w.checkAnswer(a, fates, who)
}

// checkAnswer holds an answer to what was drawn and to what each member's log says by itself.
func (w *world) checkAnswer(a *federation.Answer, fates map[record.MemberID]fate, who int) {
	if a.Complete() {
		for m, f := range fates {
			if f.err != nil || f.flip >= 0 {
				w.violated("I6", "%d of %d are said to have answered, %s did not", a.K, a.N, m)
				return
			}
		}
	}
	if a.Outcome != federation.NoHit {
		return
	}
	if !a.Complete() {
		w.violated("I6", "no hit with %d of %d answers", a.K, a.N)
		return
	}
	for _, l := range w.listed {
		if _, asked := fates[l.node.ID]; !asked || l.person != who {
			continue
		}
		all, err := l.node.log().Subject(w.ctx, l.node.stream(), l.subject)
		if !w.must("read subject", err) {
			return
		}
		e, err := blacklist.Fold(all, day)
		switch {
		case err != nil || !e.Visible():
		case len(e.Parts) == 0: // lost with the disk, shown as such to its bureau: nobody can find it any more
			w.count("desk.no_hit_lost")
		default:
			w.violated("I6", "no hit %d of %d, %s has a visible entry %s", a.K, a.N, l.node.ID, l.subject)
			return
		}
	}
	w.count("checked.no_hit")
}

// checkViews compares what the nodes say of each entry as of some days: the day decides, no node's clock (I3, I16). The
// origin sees its own, the others what the audience gives them.
func (w *world) checkViews() {
	if !w.desks {
		return
	}
	for _, asOf := range []string{day, "2026-03-04", "2026-03-20", "2030-01-01"} {
		for _, l := range w.listed {
			if !w.honest(l.node.stream()) || w.isRemoved(l.node) {
				continue
			}
			var first *blacklist.Entry
			for _, n := range w.staying() {
				e, ok := w.entryAt(n, l, asOf)
				if w.ended {
					return
				}
				if !ok || n == l.node && e.Audience[record.All] != record.L3 {
					continue
				}
				w.count("checked.views")
				if first == nil {
					first = &e
				} else if blacklist.Digest([]blacklist.Entry{e}, asOf) != blacklist.Digest([]blacklist.Entry{*first}, asOf) {
					w.violated("I3", "%s of %s as of %s: version %d %s, at %s version %d %s", l.subject, l.node.ID, asOf,
						first.Version, first.State, n.ID, e.Version, e.State)
					return
				}
			}
		}
	}
}

// entryAt folds an entry at a node by its register, and holds the register to the pure fold.
func (w *world) entryAt(n *node, l listed, asOf string) (blacklist.Entry, bool) {
	e, err := n.process.desk.register.Entry(w.ctx, l.node.stream(), l.subject, asOf)
	var no *blacklist.Refusal
	if errors.As(err, &no) || !w.must("fold", err) {
		return e, false
	}
	all, err := n.log().Subject(w.ctx, l.node.stream(), l.subject)
	if !w.must("read subject", err) {
		return e, false
	}
	if pure, err := blacklist.Fold(all, asOf); err != nil || pure.State != e.State {
		w.violated("I16", "%s says that %s is %s as of %s; its records say %s", n.ID, l.subject, e.State, asOf, pure.State)
		return e, false
	}
	return e, true
}
