package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/record"
)

var _ federation.SpotCheckStore = (*Store)(nil)

const spotCheckColumns = "number, account, certificate, second, place, issued, tied_kind, tied_number, reason, settled, settled_by"

func scanSpotCheck(row interface{ Scan(...any) error }) (federation.SpotCheck, error) {
	var s federation.SpotCheck
	var issued, settled int64
	err := row.Scan(&s.Number, &s.Account, &s.Certificate, &s.Second, &s.Place, &issued, &s.Tied.Kind, &s.Tied.Number, &s.Reason, &settled, &s.SettledBy)
	if errors.Is(err, sql.ErrNoRows) {
		return s, record.ErrNotFound
	}
	if err != nil {
		return s, classify(fmt.Errorf("read spot check: %w", err))
	}
	s.Issued = time.UnixMilli(issued).In(record.CivilZone)
	if settled != 0 {
		s.Settled = time.UnixMilli(settled).In(record.CivilZone)
	}
	return s, nil
}

// IssueSpotCheck implements federation.SpotCheckStore. The officer's row is taken first, then the day's: what is read after
// each is what everybody before has written, on both databases.
func (s *Store) IssueSpotCheck(ctx context.Context, c federation.SpotCheck, key string, most int, number func(serial int) string) (kept federation.SpotCheck, repeated bool, err error) {
	key = c.Account + "/" + key
	err = s.fenced(ctx, func(tx *sql.Tx) error {
		if _, err := countUp(ctx, tx, "officer/"+c.Account); err != nil {
			return err
		}
		kept, err = scanSpotCheck(tx.QueryRowContext(ctx, "SELECT "+spotCheckColumns+" FROM spot_check WHERE key=$1", key))
		if !errors.Is(err, record.ErrNotFound) {
			repeated = err == nil
			return err
		}
		var untied int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM spot_check WHERE settled=0 AND account=$1", c.Account).Scan(&untied); err != nil {
			return fmt.Errorf("count untied spot checks: %w", err)
		}
		if untied >= most {
			return federation.ErrUntied
		}
		serial, err := countUp(ctx, tx, "day/"+record.CivilDay(c.Issued))
		if err != nil {
			return err
		}
		kept = c
		kept.Number, kept.Issued = number(serial), time.UnixMilli(c.Issued.UnixMilli()).In(record.CivilZone)
		_, err = tx.ExecContext(ctx, "INSERT INTO spot_check ("+spotCheckColumns+", key) VALUES ($1,$2,$3,$4,$5,$6,'','','',0,'',$7)",
			kept.Number, c.Account, c.Certificate, c.Second, c.Place, c.Issued.UnixMilli(), key)
		if err != nil {
			return fmt.Errorf("keep spot check: %w", err)
		}
		return nil
	})
	return kept, repeated, err
}

func countUp(ctx context.Context, tx *sql.Tx, name string) (n int, err error) {
	err = tx.QueryRowContext(ctx, "INSERT INTO spot_check_serial (name, n) VALUES ($1,1) ON CONFLICT (name) DO UPDATE SET n=spot_check_serial.n+1 RETURNING n", name).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count spot checks: %w", err)
	}
	return n, nil
}

// SpotCheck implements federation.SpotCheckStore.
func (s *Store) SpotCheck(ctx context.Context, number string) (federation.SpotCheck, error) {
	return scanSpotCheck(s.read.QueryRowContext(ctx, "SELECT "+spotCheckColumns+" FROM spot_check WHERE number=$1", number))
}

// UntiedSpotChecks implements federation.SpotCheckStore.
func (s *Store) UntiedSpotChecks(ctx context.Context, account string) ([]federation.SpotCheck, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+spotCheckColumns+" FROM spot_check WHERE settled=0 AND ($1='' OR account=$1) ORDER BY issued, number", account)
	if err != nil {
		return nil, classify(fmt.Errorf("list spot checks: %w", err))
	}
	defer rows.Close()
	var out []federation.SpotCheck
	for rows.Next() {
		c, err := scanSpotCheck(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, classify(rows.Err())
}

// SettleSpotCheck implements federation.SpotCheckStore.
func (s *Store) SettleSpotCheck(ctx context.Context, c federation.SpotCheck) error {
	return s.fenced(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE spot_check SET tied_kind=$2, tied_number=$3, reason=$4, settled=$5, settled_by=$6 WHERE number=$1 AND settled=0",
			c.Number, c.Tied.Kind, c.Tied.Number, c.Reason, c.Settled.UnixMilli(), c.SettledBy)
		return one(res, err, "settle spot check", record.ErrStale)
	})
}
