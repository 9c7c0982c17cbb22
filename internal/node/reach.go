package node

import (
	"context"

	"github.com/pilinhub/pilin/internal/fault"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file is what tests of whole nodes (internal/nodetest) reach a node by without an account.

// Append appends to own streams as everything in this node does: when it returns, the records are durable, in the index
// and on their way. Errors are those of record.Log.
func (n *Node) Append(ctx context.Context, a record.Append) (record.Appended, error) {
	res, err := n.append(ctx, a)
	if err == nil {
		fault.Point(fault.NodeBeforeReply)
	}
	return res, err
}

// ReadModel returns the list row that a subject's records, by version, amount to; false if they have none. A stored row
// that differs from it is wrong.
func ReadModel(records []record.Stored) (sqlstore.Row, bool) { return project(records) }
