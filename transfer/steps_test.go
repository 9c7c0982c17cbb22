package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// finalOf counts one penalty served on the day and returns its verdict and the end of its period for remedies.
func finalOf(t *testing.T, p transfer.Penalty, asOf string) string {
	t.Helper()
	q := question(nil, p)
	q.AsOf = day(asOf)
	r := transfer.Count(q)
	if len(r.Verdicts) != 1 {
		t.Fatalf("%+v", r.Verdicts)
	}
	v := r.Verdicts[0]
	if v.Verdict != transfer.Counts {
		return string(v.Reason)
	}
	if v.Final.IsZero() {
		return "open"
	}
	return v.Final.String()
}

// The end of the period for remedies (domain.md §6.4).
func TestCount_final_at(t *testing.T) {
	final := func(e transfer.Event, on string) transfer.Event { e.FinalOn = day(on); return e }
	applied, filed := event(transfer.ReviewApplied, "2025-02-01", ""), event(transfer.SuitFiled, "2025-05-01", "")
	for _, c := range []struct {
		name, served, asOf, want string
		told                     bool
		events                   []transfer.Event
	}{
		{"six months", "2025-01-15", "2026-03-13", "2025-07-15", true, nil},
		{"31 August", "2025-08-31", "2026-03-13", "2026-02-28", true, nil},
		{"31 August before a leap day", "2023-08-31", "2026-03-13", "2024-02-29", true, nil},
		{"30 August before a leap day", "2023-08-30", "2026-03-13", "2024-02-29", true, nil},
		{"31 October", "2024-10-31", "2026-03-13", "2025-04-30", true, nil},
		{"31 March", "2025-03-31", "2026-03-13", "2025-09-30", true, nil},
		{"a holiday moves nothing", "2025-04-01", "2026-03-13", "2025-10-01", true, nil},
		{"not told: a year", "2025-01-15", "2026-03-13", "2026-01-15", false, nil},
		{"not told on a leap day", "2024-02-29", "2026-03-13", "2025-02-28", false, nil},
		{"review open", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied}},
		{"review decided", "2025-01-15", "2026-03-13", "2025-03-18", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld)}},
		{"review dismissed", "2025-01-15", "2026-03-13", "2025-03-18", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Dismissed)}},
		{"review decided tomorrow", "2025-01-15", "2025-03-02", "open", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld)}},
		{"sued after review", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld), filed}},
		{"sued before the review is decided", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied, event(transfer.ReviewDecided, "2025-05-03", transfer.Upheld), filed}},
		{"judgment not final", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{filed, event(transfer.Judgment, "2025-07-01", transfer.Upheld)}},
		{"judgment final", "2025-01-15", "2026-03-13", "2025-07-20", true, []transfer.Event{filed, final(event(transfer.Judgment, "2025-07-01", transfer.Dismissed), "2025-07-20")}},
		{"judgment final tomorrow", "2025-01-15", "2025-07-19", "open", true, []transfer.Event{filed, final(event(transfer.Judgment, "2025-07-01", transfer.Revoked), "2025-07-20")}},
		{"judgment revokes today", "2025-01-15", "2025-07-20", "annulled", true, []transfer.Event{filed, final(event(transfer.Judgment, "2025-07-01", transfer.Revoked), "2025-07-20")}},
		{"judgment revokes and is not final", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{event(transfer.Judgment, "2025-07-01", transfer.Void)}},
		{"a judgment counts from the day it is final", "2025-01-15", "2026-03-13", "2025-07-20", true, []transfer.Event{final(event(transfer.Judgment, "2025-07-01", transfer.Upheld), "2025-07-20"), event(transfer.ReviewDecided, "2025-07-10", transfer.Settled)}},
		{"a judgment ends the review too", "2025-01-15", "2026-03-13", "2025-07-20", true, []transfer.Event{applied, filed, final(event(transfer.Judgment, "2025-07-01", transfer.Upheld), "2025-07-20")}},
		{"review withdrawn early", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{applied, event(transfer.ReviewWithdrawn, "2025-03-03", "")}},
		{"review withdrawn late", "2025-01-15", "2026-03-13", "2025-08-03", true, []transfer.Event{applied, event(transfer.ReviewWithdrawn, "2025-08-03", "")}},
		{"suit withdrawn after review", "2025-01-15", "2026-03-13", "2025-05-09", true, []transfer.Event{event(transfer.ReviewDecided, "2025-04-20", transfer.Upheld), filed, event(transfer.SuitWithdrawn, "2025-05-09", "")}},
		{"suit withdrawn within 15 days of the review", "2025-01-15", "2026-03-13", "2025-05-05", true, []transfer.Event{event(transfer.ReviewDecided, "2025-04-20", transfer.Upheld), filed, event(transfer.SuitWithdrawn, "2025-05-02", "")}},
		{"review withdrawn while sued", "2025-01-15", "2026-03-13", "open", true, []transfer.Event{applied, filed, event(transfer.ReviewWithdrawn, "2025-06-02", "")}},
		{"settled by withdrawal", "2025-01-15", "2026-03-13", "settled", true, []transfer.Event{applied, event(transfer.ReviewWithdrawn, "2025-03-03", transfer.Settled)}},
		{"settled, then varied", "2025-01-15", "2026-03-13", "2025-04-16", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Settled), event(transfer.ReviewDecided, "2025-04-01", transfer.Varied)}},
		{"settled, then dismissed", "2025-01-15", "2026-03-13", "settled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Settled), event(transfer.ReviewDecided, "2025-04-01", transfer.Dismissed)}},
		{"settled and upheld on one day", "2025-01-15", "2026-03-13", "2025-03-18", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Upheld), event(transfer.ReviewDecided, "2025-03-03", transfer.Settled)}},
		{"varied and illegal on one day", "2025-01-15", "2026-03-13", "illegal_not_revoked", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.IllegalNotRevoked), event(transfer.ReviewDecided, "2025-03-03", transfer.Varied)}},
		{"settled after illegal", "2025-01-15", "2026-03-13", "settled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.IllegalNotRevoked), event(transfer.SuitWithdrawn, "2025-03-04", transfer.Settled)}},
		{"revoked, then upheld", "2025-01-15", "2026-03-13", "annulled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Revoked), event(transfer.ReviewDecided, "2025-03-04", transfer.Upheld)}},
		{"void by review", "2025-01-15", "2026-03-13", "annulled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.Void)}},
		{"withdrawn as an outcome", "2025-01-15", "2026-03-13", "annulled", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.OutcomeWithdrawn)}},
		{"stayed", "2025-01-15", "2026-03-13", "stayed", true, []transfer.Event{event(transfer.Stayed, "2025-03-03", "")}},
		{"stay lifted", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{event(transfer.StayLifted, "2025-03-04", ""), event(transfer.Stayed, "2025-03-03", "")}},
		{"stayed and lifted on one day", "2025-01-15", "2026-03-13", "2025-07-15", true, []transfer.Event{event(transfer.StayLifted, "2025-03-03", ""), event(transfer.Stayed, "2025-03-03", "")}},
		{"illegal goes before settled and stayed", "2025-01-15", "2026-03-13", "illegal_not_revoked", true, []transfer.Event{event(transfer.ReviewDecided, "2025-03-03", transfer.IllegalNotRevoked), event(transfer.Stayed, "2025-03-03", "")}},
		{"an event without a day", "2025-01-15", "2026-03-13", "record_incomplete", true, []transfer.Event{{Type: transfer.WithdrawnByIssuer}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := penalty("a", "330482-01", pinghu, 9002, c.served)
			p.Events, p.NotTold = c.events, !c.told
			if got := finalOf(t, p, c.asOf); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Announcements took 60 days before 2022-01-01 and take 30 since.
func TestCount_announced_service(t *testing.T) {
	for on, want := range map[string]string{"2021-12-31": "2022-09-01", "2022-01-01": "2022-07-31"} {
		p := with(b(), func(p *transfer.Penalty) {
			p.ServiceMode, p.Announced, p.Decided, p.ActFrom, p.ActTo = transfer.Announcement, day(on), day("2021-12-01"), day("2021-11-01"), day("2021-11-01")
		})
		if got := finalOf(t, p, "2026-03-13"); got != want {
			t.Errorf("announced on %s: final %s, want %s", on, got, want)
		}
	}
}

// Single steps of domain.md §6.3 and their order.
func TestCount_steps(t *testing.T) {
	announce := func(on string) func(p *transfer.Penalty) {
		return func(p *transfer.Penalty) {
			p.ServiceMode, p.Announced, p.Served = transfer.Announcement, day(on), day("2030-01-01")
		}
	}
	for _, c := range []struct {
		name   string
		change func(p *transfer.Penalty)
		want   string
	}{
		{"announced 30 days ago", announce("2026-02-11"), "C counted"},
		{"announced 29 days ago", announce("2026-02-12"), "E service_future"},
		{"announced under the old rule", func(p *transfer.Penalty) { announce("2021-12-31")(p); p.Decided = day("2021-12-01") }, "C counted"},
		{"announced, the day is missing", func(p *transfer.Penalty) { p.ServiceMode = transfer.Announcement }, "P service_unproven"},
		{"decided tomorrow", func(p *transfer.Penalty) { p.Decided = day("2026-03-14") }, "E service_future"},
		{"served tomorrow without proof", func(p *transfer.Penalty) { p.Served, p.ServiceProof = day("2026-03-14"), false }, "E service_future"},
		{"mode missing", func(p *transfer.Penalty) { p.ServiceMode = "" }, "P service_unproven"},
		{"mode missing, served tomorrow, announced long ago", func(p *transfer.Penalty) {
			p.ServiceMode, p.Served, p.Announced = "", day("2026-03-14"), day("2025-01-01")
		}, "P service_unproven"},
		{"served today", func(p *transfer.Penalty) { p.Served = day("2026-03-13") }, "C counted"},
		{"one penalty among measures", func(p *transfer.Penalty) { p.Kinds = []string{"CORRECT", "P1"} }, "C counted"},
		{"kinds missing", func(p *transfer.Penalty) { p.Kinds = nil }, "P record_incomplete"},
		{"respondent kind missing", func(p *transfer.Penalty) { p.RespondentKind = "" }, "P record_incomplete"},
		{"act before incomplete", func(p *transfer.Penalty) { p.Kinds, p.ActTo = nil, day("") }, "P act_unknown"},
		{"act of tomorrow", func(p *transfer.Penalty) { p.ActTo = day("2026-03-14") }, "P act_unknown"},
		{"organisation before cause", func(p *transfer.Penalty) { p.RespondentKind, p.Cause = transfer.Organisation, "IN01" }, "E organisation"},
		{"cause before qualification", func(p *transfer.Penalty) { p.Cause, p.Qualification = "IN04", transfer.QualifiedRegistered }, "E cause_n"},
		{"qualified before issuer", func(p *transfer.Penalty) {
			p.Qualification, p.IssuerKind = transfer.AssistantPhysician, transfer.OtherIssuer
		}, "E qualified"},
		{"issuer before service", func(p *transfer.Penalty) { p.IssuerKind, p.Served = transfer.OtherIssuer, day("2026-04-01") }, "E issuer_kind"},
		{"sole trader before qualification", func(p *transfer.Penalty) { p.RespondentKind, p.Qualification = transfer.SoleTrader, "" }, "P sole_trader"},
		{"village doctor", func(p *transfer.Penalty) { p.Qualification = transfer.VillageDoctor }, "P qualification_unclear"},
		{"forged", func(p *transfer.Penalty) { p.Qualification = transfer.Forged }, "C counted"},
		{"revoked certificate", func(p *transfer.Penalty) { p.Qualification, p.Cause = transfer.RevokedCertificate, "UP06" }, "C counted"},
		{"qualification before cause", func(p *transfer.Penalty) { p.Qualification, p.Cause = transfer.Trainee, "UP03" }, "P qualification_unclear"},
		{"class Q", func(p *transfer.Penalty) { p.Cause = "UP12" }, "P cause_q"},
		{"unknown cause", func(p *transfer.Penalty) { p.Cause = "UP99" }, "P cause_q"},
		{"cause missing", func(p *transfer.Penalty) { p.Cause = "" }, "P cause_q"},
		{"UP08 not practised", func(p *transfer.Penalty) { p.Cause, p.Practised = "UP08", false }, "P practitioner_unclear"},
		{"UP05 needs no such statement", func(p *transfer.Penalty) { p.Cause, p.Practised = "UP05", false }, "C counted"},
		{"UP10", func(p *transfer.Penalty) { p.Cause = "UP10" }, "C counted"},
		{"issuer kind missing", func(p *transfer.Penalty) { p.IssuerKind = "" }, "P issuer_unclear"},
		{"TCM authority", func(p *transfer.Penalty) { p.IssuerKind = transfer.TCMAuthority }, "P issuer_unclear"},
		{"suspended without a name", func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-01-01")} }, "C counted"},
		{"suspended tomorrow", func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-03-14"), By: "x"} }, "C counted"},
		{"suspended today", func(p *transfer.Penalty) { p.Suspended = &transfer.Suspension{At: day("2026-03-13"), By: "x"} }, "P suspended"},
		{"lifted today", func(p *transfer.Penalty) {
			p.Suspended = &transfer.Suspension{At: day("2026-03-01"), Lifted: day("2026-03-13"), By: "x"}
		}, "C counted"},
		{"lifted tomorrow", func(p *transfer.Penalty) {
			p.Suspended = &transfer.Suspension{At: day("2026-03-01"), Lifted: day("2026-03-14"), By: "x"}
		}, "P suspended"},
		{"suspended before issuer", func(p *transfer.Penalty) {
			p.Suspended, p.IssuerKind = &transfer.Suspension{At: day("2026-03-01"), By: "x"}, transfer.TownOrStreet
		}, "P suspended"},
		{"issuer before identity", func(p *transfer.Penalty) {
			p.IssuerKind, p.Respondent.IDQuality = transfer.TownOrStreet, transfer.SelfStated
		}, "P issuer_unclear"},
		{"identity before conviction", func(p *transfer.Penalty) { p.UsedInConviction, p.Respondent.IDQuality = true, transfer.SelfStated }, "P identity_r2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reasonOf(t, transfer.Count(question(nil, with(b(), c.change))), "b"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestCount_levels(t *testing.T) {
	none := func(*transfer.Person) {}
	typ := func(t, no string) func(p *transfer.Person) {
		return func(p *transfer.Person) { p.IDType, p.IDNo, p.IDCountry = t, no, "CHN" }
	}
	phone := func(no, from, to string) func(p *transfer.Person) {
		return func(p *transfer.Person) {
			p.IDNo, p.HukouRegion, p.Phones = "", "", []transfer.Phone{{No: no, From: day(from), To: day(to)}}
		}
	}
	link := []transfer.Link{{A: transfer.Document{Type: "HMP", No: "H90000001"}, B: transfer.Document{Type: "HMR", No: "810000190001019012"}, ApprovedBy: "法制-01"}}
	for _, c := range []struct {
		name        string
		s, r        func(p *transfer.Person)
		links       []transfer.Link
		photo, want string
	}{
		{"equal", none, none, nil, "", "R1"},
		{"15 digits", typ("RIC", "320623000115901"), none, nil, "", "R1"},
		{"old number", func(p *transfer.Person) { p.IDNo, p.IDNoOld = "", "320623000115901" }, none, nil, "", "R1"},
		{"full-width X is X", typ("RIC", "33048219000202013Ｘ"), typ("RIC", "33048219000202013x"), nil, "", "R1"},
		{"a cross is suspect", typ("RIC", "33048219000202013×"), typ("RIC", "33048219000202013X"), nil, "", "R2"},
		{"wrong check digit on both sides", typ("RIC", "320623190001159017"), typ("RIC", "320623190001159017"), nil, "", "R2"},
		{"letter O", typ("RIC", "32O623190001159016"), none, nil, "", "R2"},
		{"no type", typ("", p1), none, nil, "", "R2"},
		{"other type", typ("HMR", "810000190001019012"), typ("TWR", "810000190001019012"), nil, "", "R2"},
		{"military numbers are never exact", typ("MIL", "12345678"), typ("MIL", "12345678"), nil, "", "R2"},
		{"Taiwan permit on eight", typ("TWP", "00000001"), typ("TWP", "0000000102(B)"), nil, "", "R1"},
		{"passport", typ("PPT", "E99999999"), typ("PPT", "e99999999"), nil, "", "R1"},
		{"another passport", typ("PPT", "E99999999"), typ("PPT", "E99999998"), nil, "", "R2"},
		{"passport without country", func(p *transfer.Person) { p.IDType, p.IDNo = "PPT", "E99999999" }, typ("PPT", "E99999999"), nil, "", "R2"},
		{"another resident number", none, typ("RIC", p2), nil, "", "R3"},
		{"another permit", typ("HMP", "H90000001"), typ("HMP", "H90000002"), nil, "", "R3"},
		{"linked", typ("HMP", "H9000000102"), typ("HMR", "810000190001019012"), link, "", "R1L"},
		{"linked the other way", typ("HMR", "810000190001019012"), typ("HMP", "H90000001"), link, "", "R1L"},
		{"linked, self-stated", typ("HMP", "H9000000102"), func(p *transfer.Person) {
			typ("HMR", "810000190001019012")(p)
			p.IDQuality = transfer.SelfStated
		}, link, "", "R2"},
		{"other numbers linked", typ("HMP", "H90000002"), typ("HMR", "810000190001019012"), link, "", "R2"},
		{"two lifelong numbers linked", none, typ("RIC", p2), []transfer.Link{{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "RIC", No: p2}, ApprovedBy: "x"}}, "", "R3"},
		{"self-stated question", func(p *transfer.Person) { p.IDQuality = transfer.SelfStated }, none, nil, "", "R2"},
		{"quality unknown", func(p *transfer.Person) { p.IDQuality = "unknown" }, none, nil, "", "R1"},
		{"other sex", none, func(p *transfer.Person) { p.Sex = "2" }, nil, "", "RX"},
		{"other sex, self-stated", none, func(p *transfer.Person) { p.Sex, p.IDQuality = "2", transfer.SelfStated }, nil, "", "RX"},
		{"sex not stated", none, func(p *transfer.Person) { p.Sex = "9" }, nil, "", "R1"},
		{"other year", none, func(p *transfer.Person) { p.Birth = transfer.Birth{Year: 1901} }, nil, "", "RX"},
		{"same year", none, func(p *transfer.Person) { p.Birth = transfer.Birth{Year: 1900} }, nil, "", "R1"},
		{"other day", none, func(p *transfer.Person) { p.Birth.Day = day("1900-01-16") }, nil, "", "RX"},
		{"other name", none, func(p *transfer.Person) { p.Name = "测乙二" }, nil, "", "RX"},
		{"variant", none, func(p *transfer.Person) { p.Name, p.NameVariants = "测乙二", []string{"测 甲一"} }, nil, "", "R1"},
		{"conflict with a link", none, func(p *transfer.Person) { p.Sex = "2" },
			[]transfer.Link{{A: transfer.Document{Type: "RIC", No: p1}, B: transfer.Document{Type: "RIC", No: p1}, ApprovedBy: "x"}}, "", "RX"},
		{"facts and home", typ("", ""), none, nil, "", "R2"},
		{"facts without home", func(p *transfer.Person) { p.IDNo, p.HukouRegion = "", "" }, none, nil, "", "R3"},
		{"facts and photo", func(p *transfer.Person) { p.IDNo, p.HukouRegion = "", "" }, none, nil, "99000000001 99000000002", "R2"},
		{"photo by one officer", func(p *transfer.Person) { p.IDNo, p.HukouRegion = "", "" }, none, nil, "99000000001 99000000001", "R3"},
		{"year only", func(p *transfer.Person) { p.IDNo, p.Birth = "", transfer.Birth{Year: 1900} }, none, nil, "", "R3"},
		{"sex unknown", func(p *transfer.Person) { p.IDNo, p.Sex = "", "0" }, none, nil, "", "R3"},
		{"phone in period", phone("154 0000 0001", "2025-01-01", ""), phone("+8615400000001", "2020-01-01", "2025-01-01"), nil, "", "R2"},
		{"phone out of period", phone("15400000001", "2025-01-02", ""), phone("15400000001", "2020-01-01", "2025-01-01"), nil, "", "R3"},
		{"phone of tomorrow", phone("15400000001", "2026-03-14", ""), phone("15400000001", "", ""), nil, "", "R3"},
		{"name alone", func(p *transfer.Person) { *p = transfer.Person{Name: "测甲一"} }, none, nil, "", "R3"},
		{"phone alone", func(p *transfer.Person) { *p = transfer.Person{Phones: []transfer.Phone{{No: "15400000001"}}} },
			func(p *transfer.Person) { p.Phones = []transfer.Phone{{No: "15400000001"}} }, nil, "", "R3"},
		{"nobody", func(p *transfer.Person) { *p = transfer.Person{Name: "测乙二"} }, none, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := subject(), b()
			c.s(&s)
			c.r(&p.Respondent)
			p.PhotoComparedBy = strings.Fields(c.photo)
			if l := transfer.Examine(&s, &p, c.links, day("2026-03-13")); string(l.Level) != c.want {
				t.Errorf("got %q, want %q (%v agree, %v disagree)", l.Level, c.want, l.Agreed, l.Disagreed)
			}
		})
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", b(), question(nil, b()), subject(), transfer.Document{Type: "RIC", No: p1}); strings.Contains(shown, p1) || strings.Contains(shown, "测甲一") {
		t.Error("printing a question shows the person")
	}
}

// Which copy is kept (domain.md §6.3 step 1).
func TestCount_copies(t *testing.T) {
	copyOf := func(id, origin string, version int) transfer.Penalty {
		return with(b(), func(p *transfer.Penalty) {
			p.RecordID, p.Origin, p.Version, p.IssuerUSCC = id, origin, version, "11 330482 0000900264"
		})
	}
	stayed := func(p transfer.Penalty) transfer.Penalty { return events(p, event(transfer.Stayed, "2026-01-01", "")) }
	for _, c := range []struct {
		name   string
		copies []transfer.Penalty
		kept   string
		want   string
	}{
		{"its county before its city", []transfer.Penalty{copyOf("a", "330400-01", 9), copyOf("b", "330482-02", 1)}, "b", "C counted"},
		{"its city before another county of it", []transfer.Penalty{copyOf("a", "330421-01", 9), copyOf("b", "330400-01", 1)}, "b", "C counted"},
		{"the city before the province", []transfer.Penalty{copyOf("a", "330100-01", 9), copyOf("b", "330421-01", 1)}, "b", "C counted"},
		{"the province before others", []transfer.Penalty{copyOf("a", "310116-01", 9), copyOf("b", "330100-01", 1)}, "b", "C counted"},
		{"the higher version", []transfer.Penalty{copyOf("a", "330482-01", 1), copyOf("b", "330482-01", 2)}, "b", "C counted"},
		{"the smaller id", []transfer.Penalty{copyOf("b", "330482-01", 2), copyOf("a", "330482-01", 2)}, "a", "C counted"},
		{"a copy is stayed", []transfer.Penalty{copyOf("a", "330482-01", 1), stayed(copyOf("b", "310116-01", 1))}, "a", "P copies_differ"},
		{"all are stayed", []transfer.Penalty{stayed(copyOf("a", "330482-01", 1)), stayed(copyOf("b", "310116-01", 1))}, "a", "P stayed"},
		{"the kept one is annulled", []transfer.Penalty{events(copyOf("a", "330482-01", 1), event(transfer.WithdrawnByIssuer, "2026-01-01", "")), copyOf("b", "310116-01", 1)}, "a", "E annulled"},
		{"a copy is settled", []transfer.Penalty{copyOf("a", "330482-01", 1), events(copyOf("b", "310116-01", 1), event(transfer.ReviewDecided, "2026-01-01", transfer.Settled))}, "a", "C counted"},
		{"a doubtful copy is annulled", []transfer.Penalty{copyOf("a", "330482-01", 1), with(events(copyOf("b", "310116-01", 1), event(transfer.WithdrawnByIssuer, "2026-01-01", "")),
			func(p *transfer.Penalty) { p.Respondent.IDQuality = transfer.SelfStated })}, "a", "C counted"},
		{"differing goes before proof", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.ServiceProof = false }), stayed(copyOf("b", "310116-01", 1))}, "a", "P copies_differ"},
		{"exclusion goes before differing", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.Cause = "IN01" }), stayed(copyOf("b", "310116-01", 1))}, "a", "E cause_n"},
		{"a superseded version is gone", []transfer.Penalty{events(copyOf("a", "330482-01", 1), event(transfer.WithdrawnByIssuer, "2026-01-01", "")), copyOf("a", "330482-01", 2)}, "a", "C counted"},
		{"a kept copy at R2 decides", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.Respondent.IDNo = "" }), copyOf("b", "310116-01", 1)}, "a", "P identity_r2"},
		{"a copy at R3 is no copy", []transfer.Penalty{with(copyOf("a", "330482-01", 1), func(p *transfer.Penalty) { p.Respondent = transfer.Person{Name: "测甲一"} }), copyOf("b", "310116-01", 1)}, "b", "C counted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := transfer.Count(question(nil, c.copies...))
			if len(r.Verdicts) != 1 || r.Verdicts[0].Decision != c.kept || reasonOf(t, r, c.kept) != c.want {
				t.Errorf("got %+v", r.Verdicts)
			}
		})
	}
}

// What makes two numbers one decision (domain.md §3.11).
func TestCount_numbers_of_decisions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		one  bool
	}{
		{"测金卫医罚〔2025〕9001号", "测金卫医罚【2025】009001号", true},
		{"测金卫医罚〔2025〕9001号", "测金卫医罚字(2025)第9001号", true},
		{"测金卫医罚〔2025〕9001号", "测金卫医罚 [2025] ９００１", true},
		{"测金卫医罚〔2025〕11-1号", "测金卫医罚〔2025〕11—1号", true},
		{"测金卫医罚〔2025〕11-1号", "测金卫医罚〔2025〕11-2号", false},
		{"测金卫医罚〔2025〕9001号", "测金卫医罚〔2025〕9002号", false},
		{"测金卫医罚〔25〕9001号", "测金卫医罚(25)9001", true},
		{"卫医罚9001", "卫医罚9001号", true},
		{"卫医罚9001", "卫医罚9002", false},
	} {
		p := with(b(), func(p *transfer.Penalty) { p.DocNo = c.a })
		q := with(b(), func(p *transfer.Penalty) { p.RecordID, p.DocNo = "c", c.b })
		if r := transfer.Count(question(nil, p, q)); (len(r.Verdicts) == 1) != c.one {
			t.Errorf("%s, %s: %+v", c.a, c.b, r.Verdicts)
		}
	}
	p, q := b(), with(b(), func(p *transfer.Penalty) { p.RecordID, p.IssuerUSCC = "c", "1131 0117 0000 9003 43" })
	if r := transfer.Count(question(nil, p, q)); len(r.Verdicts) != 1 {
		t.Errorf("spaces in an issuer's code: %+v", r.Verdicts)
	}
}

// The order and the reach of the overlap, strict, and what G3d says.
func TestCount_overlap_and_strict(t *testing.T) {
	at := func(id, issuer, from, to, served string) transfer.Penalty {
		return with(penalty(id, "330482-01", issuer, int(id[0]), served), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day(from), day(to) })
	}
	// c meets only b, and b is absorbed by a: only what is kept absorbs.
	r := transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), at("b", pinghu, "2024-01-10", "2024-01-20", "2024-04-01"), at("c", pinghu, "2024-01-20", "2024-01-30", "2024-05-01")))
	if r.Basic != 2 || reasonOf(t, r, "b") != "E same_act" || reasonOf(t, r, "c") != "C counted" {
		t.Errorf("%+v", r.Verdicts)
	}
	// A place of its own makes it the same act, even of another issuer; a missing place equals nothing.
	same := with(at("b", songjian, "2024-01-10", "2024-01-20", "2024-04-01"), func(p *transfer.Penalty) { p.ActPlace = "330482" })
	if r = transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), same)); reasonOf(t, r, "b") != "E same_act" {
		t.Errorf("%+v", r.Verdicts)
	}
	nowhere := func(p *transfer.Penalty) { p.ActPlace = "" }
	if r = transfer.Count(question(nil, with(at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), nowhere), with(same, nowhere))); reasonOf(t, r, "b") != "P parallel_act" {
		t.Errorf("%+v", r.Verdicts)
	}
	// It meets two kept ones, the second of the same place.
	r = transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), at("b", songjian, "2024-01-11", "2024-01-20", "2024-04-01"),
		with(at("c", jinshan, "2024-01-10", "2024-01-11", "2024-05-01"), func(p *transfer.Penalty) { p.ActPlace = "310117" })))
	if reasonOf(t, r, "c") != "E same_act" || r.Basic != 2 {
		t.Errorf("%+v", r.Verdicts)
	}
	for _, c := range []struct{ secondAct, want string }{{"2024-03-01", "1 false"}, {"2024-03-02", "2 false"}} {
		r = transfer.Count(question(nil, at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), at("b", songjian, c.secondAct, c.secondAct, "2024-05-01")))
		if got := fmt.Sprint(r.Strict, " ", r.Again); got != c.want {
			t.Errorf("second act on %s: %s, want %s", c.secondAct, got, c.want)
		}
	}
	// The first of the strict count is the first that is final.
	open := events(at("a", pinghu, "2024-01-01", "2024-01-10", "2024-03-01"), event(transfer.ReviewApplied, "2024-04-01", ""))
	r = transfer.Count(question(nil, open, at("b", songjian, "2024-02-01", "2024-02-01", "2024-05-01"), at("c", jinshan, "2024-04-30", "2024-04-30", "2024-08-01")))
	if r.Basic != 3 || r.Strict != 1 {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		name, text string
		q          transfer.Question
	}{
		{"a day", "救济期未满(至 2026-07-20)", question(act("2026-03-13"), a(), penalty("b", "310117-01", songjian, 9017, "2026-01-20"))},
		{"pending", "救济处理中", question(act("2026-03-13"), a(), events(b(), event(transfer.SuitFiled, "2025-10-01", "")))},
		{"before the first warning", "第2次违法行为早于首次处罚送达", question(act("2026-03-13"), at("a", pinghu, "2025-01-10", "2025-01-10", "2025-03-01"), at("b", songjian, "2025-02-10", "2025-02-10", "2025-04-01"))},
	} {
		if r := transfer.Count(c.q); r.Alert != transfer.G3d || !strings.Contains(r.Texts()[0].ZH, c.text) {
			t.Errorf("%s: %s %v", c.name, r.Alert, r.Texts())
		}
	}
}

func TestCount_again_and_alerts(t *testing.T) {
	set := func(f func(n *transfer.NewAct)) *transfer.NewAct { n := act("2026-03-13"); f(n); return n }
	for _, c := range []struct {
		name string
		n    *transfer.NewAct
		want transfer.Alert
	}{
		{"on the day of the second service", act("2025-08-28"), transfer.G2},
		{"the day after", act("2025-08-29"), transfer.G3d},
		{"one officer twice", set(func(n *transfer.NewAct) { n.Officers[1] = " 9900000-0001 " }), transfer.G2},
		{"in a case file", set(func(n *transfer.NewAct) { n.TreatingConfirmed, n.Officers, n.EstablishedInCase = false, nil, true }), transfer.G3},
		{"officers without a treating act", set(func(n *transfer.NewAct) { n.TreatingConfirmed = false }), transfer.G2},
		{"qualification missing", set(func(n *transfer.NewAct) { n.Qualification = "" }), transfer.G2},
		{"village doctor", set(func(n *transfer.NewAct) { n.Qualification = transfer.VillageDoctor }), transfer.G2},
		{"forged", set(func(n *transfer.NewAct) { n.Qualification = transfer.Forged }), transfer.G3},
	} {
		if r := transfer.Count(question(c.n, a(), b())); r.Alert != c.want {
			t.Errorf("%s: %s, want %s", c.name, r.Alert, c.want)
		}
	}
	pending := with(b(), func(p *transfer.Penalty) { p.IssuerKind = "" })
	if r := transfer.Count(question(nil, pending)); r.Alert != transfer.GP0 || r.Candidate {
		t.Errorf("%s", r.Alert)
	}
	// A pending of whom step 6 would not exclude that day is a candidate, even if his status is not known.
	for q, want := range map[transfer.Qualification]bool{"": true, transfer.VillageDoctor: true, transfer.AssistantPhysician: false, transfer.TCMSpecialist: false} {
		if r := transfer.Count(question(set(func(n *transfer.NewAct) { n.Qualification = q }), a(), pending)); r.Alert != transfer.GP || r.Candidate != want {
			t.Errorf("%s: %s %v", q, r.Alert, r.Candidate)
		}
	}
	third := func(actTo string) transfer.Penalty {
		return with(penalty("c", "310116-01", jinshan, 9001, "2026-02-10"), func(p *transfer.Penalty) { p.ActFrom, p.ActTo = day("2025-08-20"), day(actTo) })
	}
	r := transfer.Count(question(act("2026-03-13"), a(), b(), third("2025-08-29")))
	if r.Alert != transfer.G4 || len(r.Also) != 1 || r.Also[0] != transfer.G3 || !r.Candidate {
		t.Errorf("%s %v", r.Alert, r.Also)
	}
	for name, p := range map[string]transfer.Penalty{"its act ended before": third("2025-08-28"), "transferred": with(third("2025-08-29"), func(p *transfer.Penalty) { p.Transferred = true })} {
		if r := transfer.Count(question(act("2026-03-13"), a(), b(), p)); r.Alert != transfer.G3 || r.Basic != 3 {
			t.Errorf("%s: %s", name, r.Alert)
		}
	}
	q := question(nil)
	q.Answered = 6
	if r := transfer.Count(q); len(r.Texts()) != 1 || strings.Contains(r.Texts()[0].ZH, "未发现") || !strings.Contains(r.Texts()[0].ZH, "6/7") {
		t.Errorf("an incomplete G0 is never shown as nothing found: %v", r.Texts())
	}
	q.L1Answers = []transfer.L1Answer{{Member: "330421-01", Countable: 2}, {Member: "330421-01", Countable: 1}, {Member: "310118-01", Countable: 1}}
	if r := transfer.Count(q); r.Pending != 3 || r.Alert != transfer.GP || reasonOf(t, r, "330421-01#2") != "P l1_answer" {
		t.Errorf("%+v", r)
	}
	if identifier.Normalise(" 9900000-0001 ") != "99000000001" {
		t.Error("the case of one officer twice tests nothing")
	}
}
