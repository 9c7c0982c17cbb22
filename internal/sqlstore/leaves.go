package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// tileSize is the number of leaves in a row of the table tile. A proof needs most leaves of a stream; reading them from
// the records would read every header too.
const tileSize = 256

// writeTiles stores the tiles that are full now and were not before. It is called when the stream grew from old to size.
func writeTiles(ctx context.Context, t *together, st record.StreamID, old, size uint64) error {
	for n := old / tileSize; (n+1)*tileSize <= size; n++ {
		if err := t.run(ctx); err != nil { // the records may be among what waits
			return err
		}
		hs, err := columnLeaves(ctx, t.tx, st, n*tileSize, (n+1)*tileSize)
		if err != nil {
			return err
		}
		if err := t.add(ctx, "INSERT INTO tile (stream, n, leaves) VALUES ($1,$2,$3)", string(st), n, joinHashes(hs)); err != nil {
			return err
		}
	}
	return nil
}

// leaves reads leaf hashes [from,to), from tiles as far as they reach.
func leaves(ctx context.Context, q querier, st record.StreamID, from, to uint64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	next := from
	if first := from / tileSize; (first+1)*tileSize <= to {
		err := each(ctx, q, "SELECT n, leaves FROM tile WHERE stream=$1 AND n>=$2 AND n<$3 ORDER BY n", []any{string(st), first, to / tileSize}, func(rows *sql.Rows) error {
			var n uint64
			var b []byte
			if err := rows.Scan(&n, &b); err != nil {
				return err
			}
			if n != next/tileSize || len(b) != tileSize*tlog.HashSize {
				return fmt.Errorf("tile %d is missing or short", next/tileSize)
			}
			out = append(out, splitHashes(b)[next%tileSize:]...)
			next = (n + 1) * tileSize
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read leaves of %s: %w", st, err)
		}
	}
	rest, err := columnLeaves(ctx, q, st, next, to)
	return append(out, rest...), err
}

// columnLeaves reads leaf hashes [from,to) from the records.
func columnLeaves(ctx context.Context, q querier, st record.StreamID, from, to uint64) ([]tlog.Hash, error) {
	if from == to {
		return nil, nil
	}
	var out []tlog.Hash
	err := each(ctx, q, "SELECT leaf FROM record WHERE stream=$1 AND seq>=$2 AND seq<$3 ORDER BY seq", []any{string(st), from, to}, func(rows *sql.Rows) error {
		var b []byte
		err := rows.Scan(&b)
		if err == nil {
			out = append(out, tlog.Hash(b))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read leaves of %s: %w", st, err)
	}
	if uint64(len(out)) != to-from {
		return nil, fmt.Errorf("read leaves of %s: %d of %d: %w", st, len(out), to-from, record.ErrNotFound)
	}
	return out, nil
}

func treeOf(hs []tlog.Hash) record.Tree {
	var t record.Tree
	for _, l := range hs {
		t = t.Add(l)
	}
	return t
}
