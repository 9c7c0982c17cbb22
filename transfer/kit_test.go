package transfer_test

import (
	"fmt"
	"testing"

	"github.com/pilinhub/pilin/schemas/identifier"
	"github.com/pilinhub/pilin/transfer"
)

// Synthetic people and bodies (domain.md §7.1).
const (
	p1 = "320623190001159016" // 测甲一
	p2 = "330482190102209028" // 测乙二

	jinshan  = "11310116000090018Y"
	songjian = "113101170000900343"
	jiaxing  = "11330400000090050U"
	pinghu   = "113304820000900264"
)

func day(s string) identifier.Date {
	if s == "" {
		return identifier.Date{}
	}
	d, err := identifier.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func subject() transfer.Person {
	return transfer.Person{Name: "测甲一", IDType: "RIC", IDNo: p1, IDQuality: "card_read", Sex: "1",
		Birth: transfer.Birth{Year: 1900, Day: day("1900-01-15")}, HukouRegion: "320623"}
}

// penalty is a decision about which nothing is wrong: an act of one day thirty days before it, served ten days after it.
func penalty(id, origin, issuer string, serial int, served string) transfer.Penalty {
	s := day(served)
	act := s.AddDays(-40)
	return transfer.Penalty{RecordID: id, Origin: origin, Version: 1, DocNo: fmt.Sprintf("测卫医罚〔%d〕%d号", s.Year, serial), IssuerUSCC: issuer,
		IssuerKind: transfer.HealthAuthority, RespondentKind: transfer.NaturalPerson, Respondent: subject(), Practised: true, Cause: "UP01",
		ActFrom: act, ActTo: act, ActPlace: issuer[2:8], Qualification: transfer.Unqualified, Kinds: []string{"P2a", "P2b"},
		Decided: s.AddDays(-10), Served: s, ServiceMode: "DIR", ServiceProof: true}
}

// a and b are the two penalties of domain.md §6.10.
func a() transfer.Penalty {
	p := penalty("a", "330482-01", pinghu, 9002, "2024-11-15")
	p.ActFrom, p.ActTo = day("2024-09-21"), day("2024-10-09")
	return p
}

func b() transfer.Penalty {
	p := penalty("b", "310117-01", songjian, 9017, "2025-08-28")
	p.ActFrom, p.ActTo = day("2025-07-02"), day("2025-07-04")
	return p
}

// with changes a penalty.
func with(p transfer.Penalty, change func(p *transfer.Penalty)) transfer.Penalty {
	change(&p)
	return p
}

// act is a confirmed treating act in Jinshan.
func act(on string) *transfer.NewAct {
	return &transfer.NewAct{At: day(on), Place: "310116", TreatingConfirmed: true, Officers: []string{"99000000001", "99000000002"}, Qualification: transfer.Unqualified}
}

func question(x *transfer.NewAct, ps ...transfer.Penalty) transfer.Question {
	return transfer.Question{Subject: subject(), Penalties: ps, NewAct: x, AsOf: day("2026-03-13"), Answered: 7, Total: 7}
}

func event(typ transfer.EventType, at string, o transfer.Outcome) transfer.Event {
	return transfer.Event{Type: typ, At: day(at), Outcome: o}
}

func events(p transfer.Penalty, es ...transfer.Event) transfer.Penalty {
	p.Events = es
	return p
}

// reasonOf returns verdict and reason of one decision.
func reasonOf(t testing.TB, r transfer.Result, decision string) string {
	t.Helper()
	for _, v := range r.Verdicts {
		if v.Decision == decision {
			return string(v.Verdict) + " " + string(v.Reason)
		}
	}
	return "none"
}
