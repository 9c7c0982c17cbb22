package sheets

import (
	"regexp"

	"github.com/pilinhub/pilin/schemas/identifier"
)

// TypeOfficers 执法证名册 is the roster of enforcement certificates: a sheet, and no record type.
const TypeOfficers = "officers"

var officerFields = []Field{
	{Pointer: "/certificate", Title: "执法证号", Kind: ident, Aliases: []string{"证号", "证件编号", "执法证编号", "行政执法证号", "证件号码", "执法证件号"}, needed: true},
	{Pointer: "/valid_until", Title: "有效期至", Kind: day, Aliases: []string{"证件有效期至", "有效期", "有效期限", "有效截止日期", "有效期截止", "到期日期", "到期日", "证件有效期"}, needed: true},
	{Pointer: "/name", Title: "姓名", Aliases: []string{"持证人", "执法人员", "人员姓名", "执法人员姓名"}},
	{Pointer: "/account", Title: "账号", Aliases: []string{"登录名", "账号名", "用户名"}},
	{Pointer: "/unit", Title: "科室", Aliases: []string{"部门", "所在科室", "所属科室", "分所", "街镇", "内设机构"}},
}

// Officer is one line of a certificate roster. The person's name is read past: an account holds none.
type Officer struct {
	Row         int
	Certificate string // as its form is normalised
	Until       string // last civil day on which the certificate is valid
	Account     string // sign-in name; empty where the file says none
	Unit        string
	State       RowState
	Issues      []Issue
}

// Taken reports whether the line may go in.
func (o *Officer) Taken() bool { return o.State == RowOK || o.State == RowWarning }

// Blame says that a line stays out for what the bureau knows of its accounts and units.
func (o *Officer) Blame(s *Survey, code string) {
	at := "/account"
	if code == "unit_unknown" {
		at = "/unit"
	}
	if columnIndex(s.Columns, at) < 0 {
		at = "/certificate"
	}
	i := Issue{Pointer: at, Code: code}
	for _, c := range s.Columns {
		if c.Field == at {
			i.Column, i.Heading = c.Column, c.Heading
		}
	}
	o.Issues, o.State = append(o.Issues, i), RowProblem
}

var accountForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,39}$`)

// Officers reads a surveyed certificate roster: every row below the header, good or not. today is a civil date.
func (f *File) Officers(s *Survey, today string) ([]Officer, error) {
	k := &Checker{Profile: Profile{Type: TypeOfficers, Intake: "live"}, Today: today}
	r := k.begin(f, s)
	var out []Officer
	accounts := map[string]bool{}
	err := r.below(f, func(row *Row) error {
		o := Officer{Row: row.Number, State: RowSkipped}
		if p := r.data(row); p != nil {
			r.officer(&o, p, accounts)
			o.State = stateOf(r.issues)
		}
		o.Issues = r.issues
		out = append(out, o)
		return nil
	})
	return out, err
}

// officer judges one line.
func (r *rowCheck) officer(o *Officer, p *payload, accounts map[string]bool) {
	fault := func(pointer, code string) {
		if !r.about(pointer) {
			r.say(columnIndex(r.columns, pointer), pointer, code, false)
		}
	}
	for _, f := range officerFields {
		if f.needed && p.text(f.Pointer) == "" {
			fault(f.Pointer, "null_not_allowed")
		}
	}
	c := identifier.ParseCertificate(p.text("/certificate"), identifier.Date{})
	o.Certificate, o.Until, o.Account, o.Unit = c.Normalised, p.text("/valid_until"), p.text("/account"), p.text("/unit")
	if c.Quality == identifier.Invalid {
		fault("/certificate", "pattern")
	}
	if o.Account != "" && !accountForm.MatchString(o.Account) {
		fault("/account", "account_form")
	}
	if len(o.Unit) > 64 {
		fault("/unit", "length")
	}
	switch {
	case r.seen[o.Certificate] > 0:
		fault("/certificate", "officer_twice")
	case o.Account != "" && accounts[o.Account]:
		fault("/account", "officer_twice")
	}
	r.seen[o.Certificate], accounts[o.Account] = o.Row, true
	if o.Until != "" && o.Until < r.Today {
		r.say(columnIndex(r.columns, "/valid_until"), "/valid_until", "certificate_expired", true)
	}
}
