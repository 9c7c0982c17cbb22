package client_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/client"
	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// somebody is a synthetic person of whom nobody has published anything.
const somebody = "310116190505055511"

// Sign in, ask every member who somebody is, and read the answer. "no_hit" is said only when every member answered.
func Example() {
	ctx := context.Background()
	d := client.NewDesk(address(), nil) // e.g. https://pilin.example:8080
	if err := d.SignIn(ctx, "officer", password); err != nil {
		log.Fatal(err)
	}
	a, err := d.Ask(ctx, client.Ask{
		Purpose:  federation.PurposeRaid,
		WorkRef:  client.WorkRef{Kind: "inspection", Number: "测检〔2026〕1号"},
		Question: client.Question{IDNo: somebody},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s (%d/%d answered)\n", a.Outcome, a.Answered, a.Total)
	fmt.Println(a.Count.Alert, len(a.Count.Lines), "lines to show")
	// Output:
	// no_hit (1/1 answered)
	// G0 3 lines to show
}

// A session is renewed by itself, and can be kept and taken up again by another process.
func ExampleDesk_SignIn() {
	ctx := context.Background()
	d := client.NewDesk(address(), nil)
	err := d.SignIn(ctx, "officer", "not the password at all")
	var p *client.Problem
	if errors.As(err, &p) {
		fmt.Println(p.Status, p.Code)
	}
	if err := d.SignIn(ctx, "officer", password); err != nil {
		log.Fatal(err)
	}
	kept := d.Session() // a secret: its refresh token is good for hours
	fmt.Println(kept.Roles)

	other := client.NewDesk(address(), nil)
	other.Resume(kept)
	status, err := other.Status(ctx)
	fmt.Println(status.Member, err)
	fmt.Println(other.SignOut(ctx))
	// Output:
	// 401 sign_in_failed
	// [officer]
	// 310116-01 <nil>
	// <nil>
}

// Without a purpose or a work reference nothing is asked, and the refusal is audited. Programs branch on Code, and show
// Detail to people.
func ExampleDesk_Ask_refused() {
	d := as("officer")
	_, err := d.Ask(context.Background(), client.Ask{Purpose: federation.PurposeRaid, WorkRef: client.WorkRef{Kind: "inspection"}, Question: client.Question{IDNo: somebody}})
	var p *client.Problem
	if errors.As(err, &p) {
		fmt.Println(p.Status, p.Code)
		fmt.Println(p.DetailEn)
	}
	// Output:
	// 422 work_ref_invalid
	// A work reference is required
}

// Watch tells what an open question has come to, now and each time that it changes, a fall as loudly as a rise.
func ExampleDesk_Watch() {
	ctx := context.Background()
	d := as("officer")
	a, err := d.Ask(ctx, client.Ask{Purpose: federation.PurposeRaid, WorkRef: client.WorkRef{Kind: "inspection", Number: "测检〔2026〕2号"},
		Question: client.Question{IDNo: somebody}})
	if err != nil {
		log.Fatal(err)
	}
	enough := errors.New("enough")
	err = d.Watch(ctx, a.Ask, func(u client.Update) error {
		fmt.Println(u.Seq, u.Cause, u.Count.Alert)
		return enough // or nil, to go on
	})
	fmt.Println(errors.Is(err, enough))
	// Output:
	// 1 asked G0
	// true
}

// decision is a penalty as schemas/penalty wants it.
const decision = `{"doc_no":"测金卫医罚〔2025〕9101号","issuer_uscc":"11310116000090018Y","issuer_name":"测金山卫生健康委员会","issuer_kind":"health_authority",
 "respondent_kind":"person","respondent":{"name":"测甲一","id_type":"RIC","id_no":"320623190001159016","id_quality":"seen","sex":"1","birth_date":"1900-01-15","nationality":"156"},
 "practitioner_is_respondent":true,"cause_code":"UP01","cause_text":"非医师行医",
 "violated_art":[{"law":"医师法","version":"2022-03-01","art":"59"}],"basis_art":[{"law":"医师法","version":"2022-03-01","art":"59"}],
 "act_from":"2025-07-02","act_to":"2025-07-04","act_place":"310116","qualification_at_act":"none","kinds":["P2a"],"fine_fen":2000000,"procedure":"ordinary",
 "filed_at":"2025-07-07","decided_at":"2025-08-25","served_at":"2025-08-28","service_mode":"DIR","service_proof":true,"remedy_told":true,"remedy_state":"in_period",
 "performed":"none","publicity_state":"published","notice":{"mode":"in_decision_text"},"legal_basis":"行政处罚法第26条","purpose":"CASE",
 "occurred_at":"2025-07-02T09:00:00+08:00","valid_until":"2028-08-28","retention_until":"2035-08-28","intake":"live","synthetic":true}`

// A penalty goes from an officer's draft over the legal reviewer to the liaison, who publishes it. Every write has an
// idempotency key: the same key again gives the same answer, whatever happened to the first. Here the client draws them.
func ExampleDesk_Draft() {
	ctx := context.Background()
	w, err := as("officer").Draft(ctx, client.Penalties, "", client.Proposal{Payload: []byte(decision)})
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range []struct{ name, by string }{{"submit", "officer"}, {"approve", "legal"}, {"publish", "liaison"}} {
		if w, err = as(step.by).Step(ctx, client.Penalties, w.ID, step.name, "", client.Step{Version: w.Version}); err != nil {
			log.Fatal(err)
		}
		fmt.Println(step.name, w.State)
	}
	e, err := as("liaison").Entry(ctx, client.Penalties, w.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("applied by %d of %d\n", e.Receipts.Applied, e.Receipts.Total)
	// Output:
	// submit in_review
	// approve approved
	// publish published
	// applied by 1 of 1
}

// An old spreadsheet is checked row by row. Nothing goes in before a person commits the good rows and another approves
// what he has seen.
func ExampleDesk_UploadImport() {
	ctx := context.Background()
	d := as("officer")
	p, err := d.SaveProfile(ctx, client.Profile{Name: "旧台账", Type: "penalty", Constants: map[string]string{"/issuer_uscc": "11310116000090018Y", "/issuer_name": "测金山卫生健康委员会",
		"/issuer_kind": "health_authority", "/respondent_kind": "person", "/legal_basis": "行政处罚法第26条", "/purpose": "CASE"}})
	if err != nil {
		log.Fatal(err)
	}
	sheet := "当事人,身份证号,性别,处罚决定书文号,处罚日期,案由,罚款金额(元)\n" +
		"测甲一,320623190001159016,男,测金卫医罚〔2024〕8001号,2024-03-05,非医师行医,20000\n" +
		"测乙二,3.30482E+17,女,测金卫医罚〔2024〕8002号,2024-03-06,非医师行医,20000\n" // a number that a spreadsheet destroyed
	imp, err := d.UploadImport(ctx, []byte(sheet), "", p.ID)
	if err != nil {
		log.Fatal(err)
	}
	if imp, err = d.WaitImport(ctx, imp.ID, nil); err != nil {
		log.Fatal(err)
	}
	bad, err := d.ImportRows(ctx, imp.ID, "problem", "")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range bad {
		fmt.Println("row", r.Row, r.Issues[0].Heading, r.Issues[0].Code)
	}
	if _, err = d.CommitImport(ctx, imp.ID); err != nil { // all good rows, as one batch
		log.Fatal(err)
	}
	if imp, err = d.WaitImport(ctx, imp.ID, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println("handed to the reviewer:", imp.Counts.Submitted)
	// Output:
	// row 3 身份证号 id_lost_precision
	// handed to the reviewer: 1
}

// Hear tells what a desk should know, as it comes. The place that comes with each notice is kept by the caller: the next
// call goes on behind it, and nothing is missed.
func ExampleDesk_Hear() {
	published() // something to hear of
	ctx := context.Background()
	enough := errors.New("enough")
	err := as("liaison").Hear(ctx, "310116-01/local:0", func(place string, n client.Notice) error {
		if n.Topic == "entry" && n.Type == "penalty" {
			fmt.Println(n.Member, n.Event, n.State, place != "")
			return enough
		}
		return nil
	})
	fmt.Println(errors.Is(err, enough))
	// Output:
	// 310116-01 publish published true
	// true
}

// A published record is proven by its member's log: whoever trusts the charter file needs nothing else. Whole logs are
// verified by pilin verify, or by record.Verifier.
func ExampleDesk_Proof() {
	published() // something to prove
	ctx := context.Background()
	d := as("liaison")
	page, err := d.List(ctx, client.Penalties, client.Filter{})
	if err != nil {
		log.Fatal(err)
	}
	e, err := d.Entry(ctx, client.Penalties, page.Rows[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	p, err := d.Proof(ctx, e.History[0].Record)
	if err != nil {
		log.Fatal(err)
	}
	trusted, err := federation.NewDirectory(nil, charter()) // version 1, from a hand that one trusts
	if err != nil {
		log.Fatal(err)
	}
	stream := record.StreamID(p.Stream)
	key, _ := trusted.SignKey(stream, p.Seq)
	c, err := record.VerifyCheckpoint([]byte(p.Checkpoint), key)
	if err != nil {
		log.Fatal(err)
	}
	var path []tlog.Hash
	for _, s := range p.Proof {
		b, err := hex.DecodeString(s)
		if err != nil {
			log.Fatal(err)
		}
		path = append(path, tlog.Hash(b))
	}
	fmt.Println(c.Stream == stream, record.CheckInclusion(path, c.Size, c.Root, p.Seq, record.Leaf([]byte(p.Header))))
	fmt.Println(strings.Contains(p.Header, e.History[0].Record))
	// Output:
	// true <nil>
	// true
}
