package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pilinhub/pilin/internal/auth"
)

var (
	_ auth.Accounts = (*Store)(nil)
	_ auth.Sessions = (*Store)(nil)
)

const accountColumns = "a.id, a.name, a.unit, a.certificate, a.roles, a.password, a.disabled, a.created, a.certificate_until"

func scanAccount(row interface{ Scan(...any) error }, more ...any) (auth.Account, error) {
	var a auth.Account
	var roles string
	var disabled int
	err := row.Scan(append([]any{&a.ID, &a.Name, &a.Unit, &a.Certificate, &roles, &a.Password, &disabled, &a.Created, &a.CertificateUntil}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return a, auth.ErrNoAccount
	}
	if err != nil {
		return a, classify(fmt.Errorf("read account: %w", err))
	}
	for _, r := range strings.Fields(roles) {
		a.Roles = append(a.Roles, auth.Role(r))
	}
	a.Disabled = disabled != 0
	return a, nil
}

func joinRoles(roles []auth.Role) string {
	var s []string
	for _, r := range roles {
		s = append(s, string(r))
	}
	return strings.Join(s, " ")
}

// CreateAccount implements auth.Accounts.
func (s *Store) CreateAccount(ctx context.Context, a auth.Account) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO account (id, name, unit, certificate, roles, password, disabled, created, certificate_until) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT DO NOTHING",
			a.ID, a.Name, a.Unit, a.Certificate, joinRoles(a.Roles), a.Password, number(a.Disabled), a.Created, a.CertificateUntil)
		return one(res, err, "create account", auth.ErrAccountTaken)
	})
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// one turns "no row changed" into none.
func one(res sql.Result, err error, what string, none error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n == 0 {
		return none
	}
	return nil
}

// Account implements auth.Accounts.
func (s *Store) Account(ctx context.Context, id string) (auth.Account, error) {
	return scanAccount(s.read.QueryRowContext(ctx, "SELECT "+accountColumns+" FROM account a WHERE a.id=$1", id))
}

// AccountByName implements auth.Accounts.
func (s *Store) AccountByName(ctx context.Context, name string) (auth.Account, error) {
	return scanAccount(s.read.QueryRowContext(ctx, "SELECT "+accountColumns+" FROM account a WHERE a.name=$1", name))
}

// ListAccounts implements auth.Accounts.
func (s *Store) ListAccounts(ctx context.Context) ([]auth.Account, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+accountColumns+" FROM account a ORDER BY a.name")
	if err != nil {
		return nil, classify(fmt.Errorf("list accounts: %w", err))
	}
	defer rows.Close()
	var out []auth.Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, classify(rows.Err())
}

// SetDisabled implements auth.Accounts.
func (s *Store) SetDisabled(ctx context.Context, id string, disabled bool) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE account SET disabled=$2 WHERE id=$1", id, number(disabled))
		if err := one(res, err, "disable account", auth.ErrNoAccount); err != nil || !disabled {
			return err
		}
		return endSessions(ctx, tx, id)
	})
}

func endSessions(ctx context.Context, tx *sql.Tx, account string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE session SET live=0 WHERE account=$1", account); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// SetRoles implements auth.Accounts.
func (s *Store) SetRoles(ctx context.Context, id string, roles []auth.Role) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE account SET roles=$2 WHERE id=$1", id, joinRoles(roles))
		return one(res, err, "set roles", auth.ErrNoAccount)
	})
}

// SetCertificate implements auth.Accounts.
func (s *Store) SetCertificate(ctx context.Context, id, certificate, until, unit string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE account SET certificate=$2, certificate_until=$3, unit=$4 WHERE id=$1", id, certificate, until, unit)
		return one(res, err, "set certificate", auth.ErrNoAccount)
	})
}

// PutLink implements auth.Accounts.
func (s *Store) PutLink(ctx context.Context, secret [32]byte, account string, expires int64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO account_link (account, secret, expires) VALUES ($1,$2,$3) ON CONFLICT (account) DO UPDATE SET secret=$2, expires=$3",
			account, secret[:], expires); err != nil {
			return fmt.Errorf("keep one-time link: %w", err)
		}
		return nil
	})
}

// UseLink implements auth.Accounts.
func (s *Store) UseLink(ctx context.Context, secret [32]byte, now int64, password string) (account string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "DELETE FROM account_link WHERE secret=$1 AND expires>$2 RETURNING account", secret[:], now).Scan(&account)
		if errors.Is(err, sql.ErrNoRows) {
			return auth.ErrNoLink
		}
		if err != nil {
			return fmt.Errorf("use one-time link: %w", err)
		}
		res, err := tx.ExecContext(ctx, "UPDATE account SET password=$2 WHERE id=$1", account, password)
		if err := one(res, err, "set password", auth.ErrNoLink); err != nil {
			return err
		}
		return endSessions(ctx, tx, account)
	})
	return account, err
}

// BeginAttempt implements auth.Accounts.
func (s *Store) BeginAttempt(ctx context.Context, key [32]byte, now int64, limit int, lock int64) (lockedUntil int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO attempt (key, count, last, until) VALUES ($1,0,$2,0) ON CONFLICT (key) DO NOTHING", s.v.keyed("attempt", key[:]), now); err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		var count, last, until int64
		if err := tx.QueryRowContext(ctx, "SELECT count, last, until FROM attempt WHERE key=$1"+s.d.forUpdate, s.v.keyed("attempt", key[:])).Scan(&count, &last, &until); err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		if until > now {
			lockedUntil = until
			return nil
		}
		if now-last >= lock {
			count = 0
		}
		count, until = count+1, 0
		if count >= int64(limit) {
			count, until = 0, now+lock
		}
		if _, err := tx.ExecContext(ctx, "UPDATE attempt SET count=$2, last=$3, until=$4 WHERE key=$1", s.v.keyed("attempt", key[:]), count, now, until); err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		return nil
	})
	return lockedUntil, err
}

// ClearAttempts implements auth.Accounts.
func (s *Store) ClearAttempts(ctx context.Context, key [32]byte) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM attempt WHERE key=$1", s.v.keyed("attempt", key[:])); err != nil {
			return fmt.Errorf("clear attempts: %w", err)
		}
		return nil
	})
}

// StartSession implements auth.Sessions.
func (s *Store) StartSession(ctx context.Context, x auth.Session) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO session (family, account, token, expires, ends, live) VALUES ($1,$2,$3,$4,$5,1)",
			x.Family, x.Account, x.Token[:], x.Expires, x.Ends); err != nil {
			return fmt.Errorf("start session: %w", err)
		}
		return nil
	})
}

// RotateSession implements auth.Sessions.
func (s *Store) RotateSession(ctx context.Context, old, next [32]byte, now, expires int64) (auth.Session, error) {
	var x auth.Session
	reused := false
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var family string
		err := tx.QueryRowContext(ctx, "SELECT family FROM rotated_token WHERE token=$1", old[:]).Scan(&family)
		switch {
		case err == nil:
			reused = true // committed below: the family ends, and only then the caller is told whose it was
			err = tx.QueryRowContext(ctx, "UPDATE session SET live=0 WHERE family=$1 RETURNING family, account, expires, ends", family).Scan(&x.Family, &x.Account, &x.Expires, &x.Ends)
			if err != nil {
				return fmt.Errorf("end reused session: %w", err)
			}
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("rotate session: %w", err)
		}
		var live int
		err = tx.QueryRowContext(ctx, "SELECT family, account, expires, ends, live FROM session WHERE token=$1"+s.d.forUpdate, old[:]).Scan(&x.Family, &x.Account, &x.Expires, &x.Ends, &live)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (live == 0 || x.Expires <= now) {
			return auth.ErrNoSession
		}
		if err != nil {
			return fmt.Errorf("rotate session: %w", err)
		}
		x.Token, x.Expires = next, min(expires, x.Ends)
		res, err := tx.ExecContext(ctx, "UPDATE session SET token=$3, expires=$4 WHERE family=$1 AND token=$2", x.Family, old[:], next[:], x.Expires)
		if err := one(res, err, "rotate session", auth.ErrNoSession); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO rotated_token (token, family) VALUES ($1,$2)", old[:], x.Family); err != nil {
			return fmt.Errorf("rotate session: %w", err)
		}
		return nil
	})
	if err == nil && reused {
		return x, auth.ErrReused
	}
	if err != nil {
		return auth.Session{}, err
	}
	return x, nil
}

// EndSession implements auth.Sessions.
func (s *Store) EndSession(ctx context.Context, family string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE session SET live=0 WHERE family=$1", family); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		return nil
	})
}

// Standing implements auth.Sessions.
func (s *Store) Standing(ctx context.Context, account, family string) (auth.Standing, error) {
	var live sql.NullInt64
	a, err := scanAccount(s.read.QueryRowContext(ctx, "SELECT "+accountColumns+", x.live FROM account a LEFT JOIN session x ON x.account=a.id AND x.family=$2 WHERE a.id=$1", account, family), &live)
	if err != nil {
		return auth.Standing{}, err
	}
	if !live.Valid {
		return auth.Standing{}, auth.ErrNoSession
	}
	given, err := delegations(ctx, s.read, "WHERE account=$1 AND ended=0", account)
	return auth.Standing{Account: a, Live: live.Int64 != 0, Delegations: given}, err
}

// PruneSessions implements auth.Sessions.
func (s *Store) PruneSessions(ctx context.Context, before int64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM rotated_token WHERE family IN (SELECT family FROM session WHERE ends<$1)", before); err != nil {
			return fmt.Errorf("prune sessions: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE ends<$1", before); err != nil {
			return fmt.Errorf("prune sessions: %w", err)
		}
		return nil
	})
}

// prunePeople forgets failed sign-ins that no longer count, whose keys are whatever a stranger typed, and one-time links
// that nobody used in time.
func (s *Store) prunePeople(ctx context.Context, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM attempt WHERE last<$1 AND until<$2", now.Add(-keepTried).Unix(), now.Unix()); err != nil {
			return fmt.Errorf("prune attempts: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM account_link WHERE expires<=$1", now.Unix()); err != nil {
			return fmt.Errorf("prune links: %w", err)
		}
		return nil
	})
}
