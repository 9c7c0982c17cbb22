package httpapi

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/transfer"
)

// Receipts says who has applied a record: "k/n applied".
type Receipts struct {
	Applied int               `json:"applied" doc:"k: of these, whose newest receipt covers the record; the origin counts once a signed checkpoint covers it"`
	Total   int               `json:"total" doc:"n: members that are to have it"`
	Missing []record.MemberID `json:"missing" doc:"Members without"`
}

// receipts counts the receipts of these members that cover a record.
func (h *people) receipts(ctx context.Context, s record.StreamID, seq uint64, members []record.MemberID) (*Receipts, error) {
	applied, missing, err := h.Coverage(ctx, s, seq, members)
	if err != nil {
		return nil, err
	}
	return &Receipts{Applied: applied, Total: len(members), Missing: append([]record.MemberID{}, missing...)}, nil
}

// Proof lets anybody with the charter check that a record stands in a member's log.
type Proof struct {
	Record     string   `json:"record"`
	Stream     string   `json:"stream"`
	Seq        uint64   `json:"seq"`
	Header     string   `json:"header" doc:"The exact bytes that the leaf is the hash of"`
	Leaf       string   `json:"leaf"`
	Size       uint64   `json:"size" doc:"Of the tree"`
	Checkpoint string   `json:"checkpoint" doc:"Signed note over the tree's root"`
	Proof      []string `json:"proof" doc:"RFC 6962 inclusion proof, leaf to root"`
}

type proofOut struct{ Body Proof }

func (h *people) recordRoutes(api huma.API) {
	o := h.op(api, auth.Prove, "prove-record", http.MethodGet, "records/{id}/proof", "Inclusion proof of a record 存证证明", http.StatusOK)
	o.Tags = []string{"records"}
	register(api, o, h.proof)
}

func (h *people) proof(ctx context.Context, in *entryIn) (*proofOut, error) {
	id, err := record.ParseBits128(in.ID)
	if err != nil {
		return nil, problem("not_found")
	}
	noteRecord(ctx, id)
	st, err := h.Log.Record(ctx, id)
	if err != nil {
		return nil, err
	}
	act := h.ownAudit(st.Stream) && (st.Meaning.Type == transfer.TypeActSigned || st.Meaning.Type == transfer.TypeActWithdrawn) && principalOf(ctx).May(auth.SeeActs)
	if st.Stream.Kind() != record.Records && !act {
		return nil, problem("not_found") // drafts and the rest of the audit log are proven to auditors, not here
	}
	head, err := h.Log.Head(ctx, st.Stream)
	if err != nil {
		return nil, err
	}
	if head.Signed <= st.Seq {
		return nil, problem("unreleased")
	}
	proof, err := record.ProveInclusion(func(from, to uint64) ([]tlog.Hash, error) { return h.Log.Leaves(ctx, st.Stream, from, to) }, head.Signed, st.Seq)
	if err != nil {
		return nil, fmt.Errorf("prove record %s: %w", id, err)
	}
	out := Proof{Record: id.String(), Stream: string(st.Stream), Seq: st.Seq, Header: string(st.Header), Leaf: hex.EncodeToString(st.Leaf[:]),
		Size: head.Signed, Checkpoint: string(head.Checkpoint), Proof: []string{}}
	for _, p := range proof {
		out.Proof = append(out.Proof, hex.EncodeToString(p[:]))
	}
	return &proofOut{out}, nil
}
