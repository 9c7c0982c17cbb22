package federation

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pilinhub/pilin/record"
)

// Export 导出 is one person's export of own records as a file: a look-up of everybody in it (domain.md T24).
type Export struct {
	Account     string // opaque account id
	Certificate string // 执法证号, may be empty
	Purpose     Purpose
	WorkRef     WorkRef
	Type        string // of the records
	From, To    string // civil days that it was narrowed to; empty = not
	// What is known when the file is made.
	Format   string // xlsx or csv
	Shown    []uint64
	FileHash [32]byte // SHA-256
}

// exportedBody is the payload of schemas/lookup.exported.
type exportedBody struct {
	Member    record.MemberID `json:"member"`
	Account   string          `json:"account"`
	CertNo    string          `json:"cert_no,omitempty"`
	Purpose   Purpose         `json:"purpose,omitempty"`
	WorkRef   *WorkRef        `json:"work_ref,omitempty"`
	At        string          `json:"at"`
	Type      string          `json:"record_type"`
	Format    string          `json:"format,omitempty"`
	From      string          `json:"from,omitempty"`
	To        string          `json:"to,omitempty"`
	Rows      *int            `json:"rows,omitempty"`
	FileHash  string          `json:"file_hash,omitempty"`
	Shown     string          `json:"shown_seq,omitempty"`
	Refused   string          `json:"refused,omitempty"`
	Synthetic bool            `json:"synthetic"`
}

// AdmitExport looks at purpose and work reference before anything is read. A *Refusal says why nothing is exported; it has
// been audited. Other errors are those of the log.
func (h *Hub) AdmitExport(ctx context.Context, e Export) error {
	ref := checkPurpose(e.Purpose, e.WorkRef)
	if ref == nil {
		ref = checkPerson(e.Account, e.Certificate)
	}
	if ref == nil && h.Holds != nil {
		var err error
		if ref, err = h.Holds(ctx, &AskRequest{Account: e.Account, Certificate: e.Certificate, Purpose: e.Purpose, WorkRef: e.WorkRef}); err != nil {
			return fmt.Errorf("look up work reference: %w", err)
		}
	}
	if ref == nil {
		ref = h.refuseExportByForm(e)
	}
	if ref == nil {
		return nil
	}
	b := exportedBody{Member: h.Directory.Self(), Account: e.Account, CertNo: e.Certificate, At: h.at(), Type: e.Type, Refused: ref.Code, Synthetic: h.Directory.Synthetic()}
	if checkPerson(e.Account, "") != nil {
		b.Account = "?"
	}
	if checkPerson("?", e.Certificate) != nil {
		b.CertNo = ""
	}
	if err := h.audit(ctx, "lookup.exported", b); err != nil {
		return err
	}
	return ref
}

// refuseExportByForm refuses a work reference that the audit record could not hold by its schema.
func (h *Hub) refuseExportByForm(e Export) *Refusal {
	t, payload, err := auditPayload("lookup.exported", h.exported(e))
	if err != nil {
		return &Refusal{RefusedWorkRef, ""}
	}
	for _, v := range t.Validate(payload, h.today()) {
		if strings.HasPrefix(v.Pointer, "/work_ref") {
			return &Refusal{RefusedWorkRef, v.Pointer}
		}
	}
	return nil
}

// AuditExport records an export. It returns when the record is durable, and only then may the file leave.
func (h *Hub) AuditExport(ctx context.Context, e Export) error {
	return h.audit(ctx, "lookup.exported", h.exported(e))
}

func (h *Hub) exported(e Export) exportedBody {
	rows := len(e.Shown)
	return exportedBody{Member: h.Directory.Self(), Account: e.Account, CertNo: e.Certificate, Purpose: e.Purpose, WorkRef: &e.WorkRef, At: h.at(), Type: e.Type,
		Format: e.Format, From: e.From, To: e.To, Rows: &rows, FileHash: hex.EncodeToString(e.FileHash[:]), Shown: spans(e.Shown), Synthetic: h.Directory.Synthetic()}
}

// spans writes sequences as ranges: thousands of records of one bureau are a few runs.
func spans(seqs []uint64) string {
	all := slices.Compact(slices.Sorted(slices.Values(seqs)))
	var b strings.Builder
	for i := 0; i < len(all); {
		j := i
		for j+1 < len(all) && all[j+1] == all[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(all[i], 10))
		if j > i {
			b.WriteString("-" + strconv.FormatUint(all[j], 10))
		}
		i = j + 1
	}
	return b.String()
}

// Showed reports whether an export held the record of a sequence of the stream records.
func (a LookupAudit) Showed(seq uint64) bool {
	for span := range strings.SplitSeq(a.ShownSeq, ",") {
		low, high, ranged := strings.Cut(span, "-")
		if !ranged {
			high = low
		}
		from, err := strconv.ParseUint(low, 10, 64)
		to, err2 := strconv.ParseUint(high, 10, 64)
		if err == nil && err2 == nil && seq >= from && seq <= to {
			return true
		}
	}
	return false
}
