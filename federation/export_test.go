package federation_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

// An export's audit record names each record that the file held and no other, in whatever order they were written.
func TestHub_AuditExport(t *testing.T) {
	c := open(t, 1, true)
	h := c.desks[0]
	e := federation.Export{Account: "u-1", Purpose: "CASE", WorkRef: federation.WorkRef{Kind: "case", Number: "测金卫医案〔2026〕9001"}, Type: "penalty",
		Format: "csv", Shown: []uint64{9, 3, 5, 4, 4, 11, 12}}
	if err := h.AdmitExport(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := h.AuditExport(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	body := h.log.audit[0].Parts[record.Body]
	a, err := federation.ReadLookupAudit(body)
	if err != nil || !strings.Contains(string(body), `"shown_seq":"3-5,9,11-12"`) || a.Rows != 7 {
		t.Errorf("%s %v", body, err)
	}
	for seq := range uint64(14) {
		if want := seq >= 3 && seq <= 5 || seq == 9 || seq == 11 || seq == 12; a.Showed(seq) != want {
			t.Errorf("record %d: %v", seq, !want)
		}
	}
	if (federation.LookupAudit{}).Showed(0) {
		t.Error("an export of nothing held a record")
	}
}

// What is refused is audited, without what the caller wrote into the work reference.
func TestHub_AdmitExport(t *testing.T) {
	c := open(t, 1, true)
	h := c.desks[0]
	h.Holds = func(_ context.Context, r *federation.AskRequest) (*federation.Refusal, error) {
		if r.WorkRef.Kind == "spot_check" {
			return &federation.Refusal{Code: federation.RefusedNotHeld}, nil
		}
		return nil, nil
	}
	good := federation.Export{Account: "u-1", Purpose: "CASE", WorkRef: federation.WorkRef{Kind: "case", Number: "1"}, Type: "penalty"}
	for want, f := range map[string]func(*federation.Export){
		federation.RefusedPurpose: func(e *federation.Export) { e.Purpose = "NOSY" },
		federation.RefusedWorkRef: func(e *federation.Export) { e.WorkRef = federation.WorkRef{Kind: "case", Number: " "} },
		federation.RefusedNotHeld: func(e *federation.Export) { e.WorkRef = federation.WorkRef{Kind: "spot_check", Number: "测甲"} },
		federation.RefusedPerson:  func(e *federation.Export) { e.Account = "" },
	} {
		e := good
		f(&e)
		h.log.audit = nil
		var ref *federation.Refusal
		if err := h.AdmitExport(t.Context(), e); !errors.As(err, &ref) || ref.Code != want {
			t.Errorf("%v, want %s", err, want)
		}
		if len(h.log.audit) != 1 || !strings.Contains(string(h.log.audit[0].Parts[record.Body]), `"refused":"`+want+`"`) || strings.Contains(string(h.log.audit[0].Parts[record.Body]), "测甲") {
			t.Errorf("%s: %v", want, h.log.audit)
		}
	}
}
