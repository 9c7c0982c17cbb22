package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pilinhub/pilin/internal/auth"
)

// PutDelegation implements auth.Accounts.
func (s *Store) PutDelegation(ctx context.Context, d auth.Delegation) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO delegation (id, account, given_by, from_day, until, document, ended, created) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT DO NOTHING",
			d.ID, d.Account, d.By, d.From, d.Until, d.Document, d.Ended, d.Created); err != nil {
			return fmt.Errorf("keep delegation: %w", err)
		}
		return nil
	})
}

// EndDelegation implements auth.Accounts.
func (s *Store) EndDelegation(ctx context.Context, id string, at int64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE delegation SET ended=$2 WHERE id=$1 AND ended=0", id, at); err != nil {
			return fmt.Errorf("end delegation: %w", err)
		}
		return nil
	})
}

// Delegations implements auth.Accounts.
func (s *Store) Delegations(ctx context.Context) ([]auth.Delegation, error) {
	return delegations(ctx, s.read, "")
}

func delegations(ctx context.Context, db *sql.DB, where string, args ...any) ([]auth.Delegation, error) {
	rows, err := db.QueryContext(ctx, "SELECT id, account, given_by, from_day, until, document, ended, created FROM delegation "+where+" ORDER BY created DESC, id", args...)
	if err != nil {
		return nil, classify(fmt.Errorf("read delegations: %w", err))
	}
	defer rows.Close()
	var out []auth.Delegation
	for rows.Next() {
		var d auth.Delegation
		if err := rows.Scan(&d.ID, &d.Account, &d.By, &d.From, &d.Until, &d.Document, &d.Ended, &d.Created); err != nil {
			return nil, classify(fmt.Errorf("read delegation: %w", err))
		}
		out = append(out, d)
	}
	return out, classify(rows.Err())
}
