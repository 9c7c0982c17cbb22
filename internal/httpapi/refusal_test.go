package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
)

// refusal is what the auditor reads of a refusal for the role.
type refusal struct {
	Event   string   `json:"event"`
	Account string   `json:"account"`
	Roles   []string `json:"roles"`
	Route   string   `json:"route"`
	Lacking []string `json:"lacking"`
}

// refusals returns the audit records of refusals for the role.
func (o *office) refusals() (out []refusal) {
	o.t.Helper()
	schema, _ := schemas.Lookup("account.event", "1")
	types, bodies := o.audits()
	for i, b := range bodies {
		var r refusal
		if types[i] == "account.event" && json.Unmarshal([]byte(b), &r) == nil && r.Event == "refused" {
			if vs := schema.Validate([]byte(b), "2026-03-13"); len(vs) > 0 {
				o.t.Errorf("%s: %v", b, vs)
			}
			out = append(out, r)
		}
	}
	return out
}

// Who is refused for the role is in the audit log before the answer: by opaque account, with the operation and the roles
// that would have done (ASVS 5.0 16.3.2); nothing of what was sent is.
func TestPeople_a_refusal_for_the_role_is_audited(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	_, entry := o.penaltyAndEntry()
	if got := o.refusals(); len(got) != 0 {
		t.Fatalf("before any: %v", got)
	}
	asked, err := json.Marshal(question(obj{"purpose": "AUDIT", "question": obj{"id_no": "320623190001159016"}}))
	must(t, err)
	for _, row := range []struct {
		name    string
		r       request
		route   string
		roles   []string
		lacking []auth.Role
	}{
		{"by the route", request{as: "aide", method: "GET", path: "/api/v1/records/" + entry.Record + "/proof"}, "prove-record", []string{"aide"}, auth.Allowing(auth.Prove)},
		{"a body with a name", request{as: "aide", method: "POST", path: "/api/v1/accounts", body: `{"name":"ce.zhang","roles":["officer"]}`}, "create-account", []string{"aide"}, []auth.Role{auth.SysAdmin}},
		{"by the purpose", request{as: "officer", method: "POST", path: "/api/v1/asks", body: string(asked)}, "ask", []string{"officer"}, nil},
		{"by the state of a record", request{as: "head", method: "POST", path: "/api/v1/entries/" + entry.ID + "/suspend",
			body: `{"version":1,"reason":"身份存疑","reason_code":"identity_doubt","document_hash":"` + strings.Repeat("ab", 32) + `","legal_basis":"测","purpose":"CORRECT"}`}, "suspend-entry", []string{"head"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := o.refusals()
			o.refused(row.r, 403, "forbidden")
			all := o.refusals()
			if len(all) != len(before)+1 {
				t.Fatalf("%d audit records of one refusal", len(all)-len(before))
			}
			got := all[len(all)-1]
			var lacking []string
			for _, r := range row.lacking {
				lacking = append(lacking, string(r))
			}
			if len(got.Account) != 32 || got.Route != row.route || !slices.Equal(got.Roles, row.roles) || !slices.Equal(got.Lacking, lacking) {
				t.Errorf("%+v", got)
			}
		})
	}
	_, bodies := o.audits()
	for _, b := range bodies {
		if strings.Contains(b, `"refused"`) && (strings.Contains(b, "zhang") || strings.Contains(b, "320623190001159016") || strings.Contains(b, "身份存疑")) {
			t.Errorf("what was sent is in the audit record: %s", b)
		}
	}
}

// A refusal that cannot be audited is still a refusal, and says that the node cannot write.
func TestPeople_a_refusal_that_cannot_be_audited(t *testing.T) {
	o := offices(t, 1)[0].open().staff()
	o.full = record.ErrStorageFull
	o.refused(request{as: "aide", method: "GET", path: "/api/v1/records/" + strings.Repeat("1", 32) + "/proof"}, 503, "storage_full")
}
