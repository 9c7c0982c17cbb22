package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// This file reads and writes single rows: heads, records, parts.

func joinHashes(hs []tlog.Hash) []byte {
	b := make([]byte, 0, len(hs)*tlog.HashSize)
	for _, h := range hs {
		b = append(b, h[:]...)
	}
	return b
}

func splitHashes(b []byte) []tlog.Hash {
	var hs []tlog.Hash
	for ; len(b) >= tlog.HashSize; b = b[tlog.HashSize:] {
		hs = append(hs, tlog.Hash(b[:tlog.HashSize]))
	}
	return hs
}

func joinKeys(keys []record.KeyID) []byte {
	b := make([]byte, 0, len(keys)*16)
	for _, k := range keys {
		b = append(b, k[:]...)
	}
	return b
}

func splitKeys(b []byte) []record.KeyID {
	var keys []record.KeyID
	for ; len(b) >= 16; b = b[16:] {
		keys = append(keys, record.KeyID(b[:16]))
	}
	return keys
}

const headColumns = "stream, size, applied, root, frontier, checkpoint, signed, frozen"

func scanHead(row interface{ Scan(...any) error }) (record.Head, error) {
	var h record.Head
	var root, frontier []byte
	err := row.Scan(&h.Stream, &h.Size, &h.Applied, &root, &frontier, &h.Checkpoint, &h.Signed, &h.Frozen)
	if err == nil {
		h.Root, h.Frontier = tlog.Hash(root), splitHashes(frontier)
	}
	return h, err
}

// head reads a head; a stream never seen has an empty one.
func head(ctx context.Context, q querier, s record.StreamID, suffix string) (record.Head, error) {
	h, err := scanHead(q.QueryRowContext(ctx, "SELECT "+headColumns+" FROM stream_head WHERE stream = $1"+suffix, string(s)))
	if errors.Is(err, sql.ErrNoRows) {
		return record.Head{Stream: s, Root: record.EmptyRoot()}, nil
	}
	if err != nil {
		return h, fmt.Errorf("read head of %s: %w", s, err)
	}
	return h, nil
}

// putHead writes a head that was read as old: another size now is ErrStale.
func (s *Store) putHead(ctx context.Context, t *together, old, h record.Head) error {
	s.heads.stage(t.tx, h)
	return t.addOne(ctx, "write head of "+string(h.Stream), "INSERT INTO stream_head ("+headColumns+") VALUES ($1,$2,$3,$4,$5,$6,$7,$8)"+
		" ON CONFLICT (stream) DO UPDATE SET size=$2, applied=$3, root=$4, frontier=$5, checkpoint=$6, signed=$7, frozen=$8 WHERE stream_head.size=$9",
		string(h.Stream), h.Size, h.Applied, h.Root[:], joinHashes(h.Frontier), h.Checkpoint, h.Signed, h.Frozen, old.Size)
}

// putHeadNow is putHead in a statement of its own.
func (s *Store) putHeadNow(ctx context.Context, tx *sql.Tx, old, h record.Head) error {
	t := &together{tx: tx, d: s.d}
	if err := s.putHead(ctx, t, old, h); err != nil {
		return err
	}
	return t.run(ctx)
}

// locked is a head under lock.
type locked struct {
	record.Head
	released bool // by this process; streams that never leave the node need no release
}

// lockHeads fences off other processes and locks heads, in the order of their names, which is that of
// record.CompareLockOrder among one member's streams. It returns them and the floor of one-use ids.
func (s *Store) lockHeads(ctx context.Context, tx *sql.Tx, streams ...record.StreamID) (map[record.StreamID]locked, int64, error) {
	if len(streams) == 0 {
		floor, err := s.fence(ctx, tx)
		return nil, floor, err
	}
	names := make([]any, len(streams))
	for i, st := range streams {
		names[i] = string(st)
	}
	out := make(map[record.StreamID]locked, len(streams))
	var epoch, floor int64
	err := each(ctx, tx, "WITH n AS (SELECT epoch, floor FROM node WHERE one = 1"+s.d.forUpdate+"), h AS (SELECT "+headColumns+", released FROM stream_head WHERE stream IN ("+
		tuples(0, len(names), 1)+") ORDER BY stream"+s.d.forUpdate+") SELECT n.epoch, n.floor, h.* FROM n LEFT JOIN h ON 1=1", names, func(rows *sql.Rows) error {
		var stream, frozen sql.NullString
		var size, applied, signed, released sql.NullInt64
		var root, frontier, checkpoint []byte
		if err := rows.Scan(&epoch, &floor, &stream, &size, &applied, &root, &frontier, &checkpoint, &signed, &frozen, &released); err != nil || !stream.Valid {
			return err
		}
		h := record.Head{Stream: record.StreamID(stream.String), Size: uint64(size.Int64), Applied: uint64(applied.Int64), Root: tlog.Hash(root), Frontier: splitHashes(frontier),
			Checkpoint: checkpoint, Signed: uint64(signed.Int64), Frozen: frozen.String}
		out[h.Stream] = locked{h, released.Int64 == s.epoch || h.Stream.Kind() != record.Records}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("lock heads: %w", err)
	}
	if epoch != s.epoch {
		return nil, 0, record.ErrFenced
	}
	for _, st := range streams {
		if _, ok := out[st]; ok {
			continue
		}
		// None when the statement began. It may have come while the statement waited for the fence: only now that is seen.
		l := locked{}
		if l.Head, err = head(ctx, tx, st, s.d.forUpdate); err != nil {
			return nil, 0, err
		}
		if l.released, err = s.isReleased(ctx, tx, st); err != nil {
			return nil, 0, err
		}
		out[st] = l
	}
	return out, floor, nil
}

// changedOne turns "no row changed" into ErrStale.
func changedOne(res sql.Result, err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n != 1 {
		return fmt.Errorf("%s: %w", what, record.ErrStale)
	}
	return nil
}

// columnsOf returns a record's id, subject and version as columns: id of any header that parses, the others of a record that
// has a place in a subject.
func columnsOf(st record.Stored) (id, subject, version any) {
	if st.Meaning.IsZero() {
		if h, err := record.DecodeHeader(st.Header); err == nil {
			id = h.ID[:]
		}
		return id, nil, nil
	}
	sub, v := st.Meaning.Subject()
	return append([]byte{}, st.Meaning.ID[:]...), sub[:], int64(v)
}

// partBytes returns salt and bytes as columns, null unless the part is present. A part other than meta is sealed together
// with its salt, which is null then: header and salt would tell whoever guesses the content that he guessed it.
func (v *vault) partBytes(st record.Stored, p record.StoredPart) (salt, data []byte) {
	if p.State != record.PartPresent {
		return nil, nil
	}
	if v.on() && p.Name != record.Meta {
		return nil, v.seal(partPlace(st.Stream, st.Seq, p.Name), slices.Concat(p.Salt[:], p.Bytes))
	}
	if p.Bytes == nil {
		return p.Salt[:], []byte{}
	}
	return p.Salt[:], p.Bytes
}

// openPart gives a part that is present its salt and bytes from the columns.
func (v *vault) openPart(ctx context.Context, st record.Stored, p *record.StoredPart, salt, data []byte) error {
	if salt == nil {
		if !v.on() {
			return fmt.Errorf("part %s of %s %d: %w", p.Name, st.Stream, st.Seq, ErrSealed)
		}
		b, err := v.open(ctx, partPlace(st.Stream, st.Seq, p.Name), data)
		if err == nil && len(b) < len(p.Salt) {
			err = errCell
		}
		if err != nil {
			return fmt.Errorf("part %s of %s %d: %w", p.Name, st.Stream, st.Seq, err)
		}
		salt, data = b[:len(p.Salt)], b[len(p.Salt):]
	}
	p.Salt, p.Bytes = [32]byte(salt), data
	if p.Bytes == nil {
		p.Bytes = []byte{}
	}
	return nil
}

func (v *vault) updateRecord(ctx context.Context, tx *sql.Tx, st record.Stored) error {
	_, subject, version := columnsOf(st)
	if _, err := tx.ExecContext(ctx, "UPDATE record SET subject=$3, version=$4, unusable=$5 WHERE stream=$1 AND seq=$2",
		string(st.Stream), st.Seq, subject, version, st.Unusable); err != nil {
		return fmt.Errorf("update record %s %d: %w", st.Stream, st.Seq, err)
	}
	for _, p := range st.Parts {
		salt, data := v.partBytes(st, p)
		if _, err := tx.ExecContext(ctx, "UPDATE part SET state=$4, salt=$5, bytes=$6, gone_by=$7 WHERE stream=$1 AND seq=$2 AND name=$3",
			string(st.Stream), st.Seq, string(p.Name), int(p.State), salt, data, p.GoneBy); err != nil {
			return fmt.Errorf("update part %s of %s %d: %w", p.Name, st.Stream, st.Seq, err)
		}
	}
	return nil
}

func deleteParts(ctx context.Context, tx *sql.Tx, s record.StreamID, d record.Deletion) error {
	for _, at := range d.Parts {
		if _, err := tx.ExecContext(ctx, "UPDATE part SET state=$4, salt=NULL, bytes=NULL, gone_by=$5 WHERE stream=$1 AND seq=$2 AND name=$3",
			string(s), at.Seq, string(at.Part), int(record.PartGone), d.By); err != nil {
			return fmt.Errorf("delete part %s of %s %d: %w", at.Part, s, at.Seq, err)
		}
	}
	return nil
}

// records reads whole records that a condition on the table record selects, in sequence order.
func (v *vault) records(ctx context.Context, q querier, where string, args ...any) ([]record.Stored, error) {
	rows, err := q.QueryContext(ctx, "SELECT r.stream, r.seq, r.header, r.leaf, r.subject, r.unusable, p.name, p.state, p.salt, p.bytes, p.keys, p.gone_by"+
		" FROM record r LEFT JOIN part p ON p.stream = r.stream AND p.seq = r.seq WHERE "+where+" ORDER BY r.stream, r.seq, p.ord", args...)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	defer rows.Close()
	var out []record.Stored
	placed := map[int]bool{}
	for rows.Next() {
		var st record.Stored
		var leaf, subject, salt, data, keys []byte
		var name sql.NullString
		var state, goneBy sql.NullInt64
		if err := rows.Scan(&st.Stream, &st.Seq, &st.Header, &leaf, &subject, &st.Unusable, &name, &state, &salt, &data, &keys, &goneBy); err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
		if n := len(out); n == 0 || out[n-1].Stream != st.Stream || out[n-1].Seq != st.Seq {
			st.Leaf = tlog.Hash(leaf)
			placed[len(out)] = subject != nil
			out = append(out, st)
		}
		if name.Valid {
			p := record.StoredPart{Name: record.PartName(name.String), State: record.PartState(state.Int64), Keys: splitKeys(keys), GoneBy: uint64(goneBy.Int64)}
			if p.State == record.PartPresent {
				if err := v.openPart(ctx, out[len(out)-1], &p, salt, data); err != nil {
					return nil, err
				}
			}
			out[len(out)-1].Parts = append(out[len(out)-1].Parts, p)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	for i := range out {
		if placed[i] {
			if err := readMeaning(&out[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func readMeaning(st *record.Stored) error {
	h, err := record.DecodeHeader(st.Header)
	if err != nil {
		return fmt.Errorf("stored header of %s %d: %w", st.Stream, st.Seq, err)
	}
	var meta []byte
	for _, p := range st.Parts {
		if p.Name == record.Meta && p.State == record.PartPresent {
			meta = p.Bytes
		}
	}
	if st.Meaning, err = h.Meaning(meta); err != nil {
		return fmt.Errorf("stored meaning of %s %d: %w", st.Stream, st.Seq, err)
	}
	return nil
}

// subjectRecords returns what Log.Subject does.
func (v *vault) subjectRecords(ctx context.Context, q querier, s record.StreamID, subject record.RecordID) ([]record.Stored, error) {
	all, err := v.records(ctx, q, "r.stream=$1 AND (r.subject=$2 OR (r.id=$2 AND r.subject IS NULL AND r.unusable=''))", string(s), subject[:])
	if err != nil {
		return nil, err
	}
	return byVersion(all), nil
}
