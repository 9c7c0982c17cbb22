package federation

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas/identifier"
)

// Whatever a question can hold comes back: a member that is not kept would make another question after a restart.
func TestAskRequest_Keep(t *testing.T) {
	r := AskRequest{Purpose: PurposeRaid, WorkRef: WorkRef{"case", "9001"}, Scope: []record.MemberID{"310116-01", "330482-01"}, AsOf: "2026-03-13"}
	q := reflect.ValueOf(&r.Question).Elem()
	for i := range q.NumField() {
		switch f := q.Field(i); f.Interface().(type) {
		case identifier.Secret:
			f.Set(reflect.ValueOf(identifier.NewSecret(fmt.Sprint("CANARY-", i))))
		case string:
			f.SetString(fmt.Sprint("CANARY-", i))
		default:
			t.Fatalf("field %s: how is a %s kept?", q.Type().Field(i).Name, f.Type())
		}
	}
	b, err := r.Keep()
	if err != nil {
		t.Fatal(err)
	}
	got, err := RecallAsk(b)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Error("another question comes back")
	}
	for i := range q.NumField() {
		if !strings.Contains(string(b), fmt.Sprintf("%q", fmt.Sprint("CANARY-", i))) {
			t.Errorf("field %s is not kept", q.Type().Field(i).Name)
		}
	}
	k := KeptAsk{State: b}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, k); strings.Contains(s, "CANARY") {
			t.Errorf("%s prints what was asked", verb)
		}
	}
	if _, err := RecallAsk([]byte(`{"purpose":"RAID","question":{"name":"CANARY","of_later":"x"}}`)); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a later version's question: %v", err)
	}
}
