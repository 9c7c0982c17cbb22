package federation

import "github.com/pilinhub/pilin/record"

// LookupAudit is what the bodies of lookup.asked, lookup.answered, lookup.outcome and lookup.exported say, for those who examine the audit
// log; fields that a type does not have are zero. What was asked for is not among them.
type LookupAudit struct {
	Ask       record.Bits128    `json:"ask"`
	Member    record.MemberID   `json:"member"`
	Account   string            `json:"account"`
	CertNo    string            `json:"cert_no"`
	Purpose   Purpose           `json:"purpose"`
	WorkRef   *WorkRef          `json:"work_ref"`
	At        string            `json:"at"`
	Scope     []record.MemberID `json:"scope"`
	QueryKind []string          `json:"query_kind"`
	Refused   string            `json:"refused"`
	State     MemberState       `json:"state"`
	Shown     []shownRecord     `json:"shown"`
	Outcome   Outcome           `json:"outcome"`
	Answered  int               `json:"answered"`
	Total     int               `json:"total"`

	// Of an export.
	Type     string `json:"record_type"`
	Format   string `json:"format"`
	From     string `json:"from"`
	To       string `json:"to"`
	Rows     int    `json:"rows"`
	FileHash string `json:"file_hash"`
	ShownSeq string `json:"shown_seq"` // ranges of sequences of the stream records; Showed reads them
}

// ReadLookupAudit reads such a body; what a newer release adds is passed over.
func ReadLookupAudit(b []byte) (a LookupAudit, err error) {
	err = decodeJSON(b, &a)
	return a, err
}
