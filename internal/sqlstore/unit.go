package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pilinhub/pilin/internal/auth"
)

// Units implements auth.Accounts.
func (s *Store) Units(ctx context.Context) (auth.Tree, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT code, name, kind, parent, closed FROM unit ORDER BY code")
	if err != nil {
		return nil, classify(fmt.Errorf("read units: %w", err))
	}
	defer rows.Close()
	var out auth.Tree
	for rows.Next() {
		var u auth.Unit
		if err := rows.Scan(&u.Code, &u.Name, &u.Kind, &u.Parent, &u.Closed); err != nil {
			return nil, classify(fmt.Errorf("read unit: %w", err))
		}
		out = append(out, u)
	}
	return out, classify(rows.Err())
}

// PutUnit implements auth.Accounts.
func (s *Store) PutUnit(ctx context.Context, u auth.Unit) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO unit (code, name, kind, parent, closed) VALUES ($1,$2,$3,$4,0) ON CONFLICT (code) DO UPDATE SET name=excluded.name, kind=excluded.kind, parent=excluded.parent",
			u.Code, u.Name, u.Kind, u.Parent); err != nil {
			return fmt.Errorf("keep unit: %w", err)
		}
		return nil
	})
}

// CloseUnit implements auth.Accounts.
func (s *Store) CloseUnit(ctx context.Context, code string, at int64, into *string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if into != nil {
			for _, q := range []string{"UPDATE account SET unit=$2 WHERE unit=$1", "UPDATE unit SET parent=$2 WHERE parent=$1 AND closed=0"} {
				if _, err := tx.ExecContext(ctx, q, code, *into); err != nil {
					return fmt.Errorf("empty unit: %w", err)
				}
			}
		}
		var within int
		if err := tx.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM account WHERE unit=$1 AND disabled=0) + (SELECT COUNT(*) FROM unit WHERE parent=$1 AND closed=0)", code).Scan(&within); err != nil {
			return fmt.Errorf("look into unit: %w", err)
		}
		if within > 0 {
			return auth.ErrUnitInUse
		}
		if _, err := tx.ExecContext(ctx, "UPDATE unit SET closed=$2 WHERE code=$1", code, at); err != nil {
			return fmt.Errorf("close unit: %w", err)
		}
		return nil
	})
}

// SetUnit implements auth.Accounts.
func (s *Store) SetUnit(ctx context.Context, account, unit string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE account SET unit=$2 WHERE id=$1", account, unit)
		return one(res, err, "set unit", auth.ErrNoAccount)
	})
}
