package node

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/redis/go-redis/v9"

	"github.com/pilinhub/pilin/events"
	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// An operation for A and B only: B can open it once the agreement came over the members' listener; nothing of it, not
// even a name, is in C's files or on any topic.
func TestNode_SealedGroupStaysInTheGroup(t *testing.T) {
	for _, on := range []stack{onKfake, onReal} {
		t.Run(strings.ReplaceAll(string(on), " ", "_"), func(t *testing.T) { sealedGroup(t, newDirect(t, on)) })
	}
}

func sealedGroup(t *testing.T, d *direct) {
	a, b, c := d.nodes[d.members[0]], d.nodes[d.members[1]], d.nodes[d.members[2]]
	for _, n := range d.nodes {
		d.until("released", n.t.release.Released)
	}
	d.until("everybody answers", func() bool { return d.ask(b.cfg.Member).K == 3 }) // Redis then has something to search
	const canary = "样例行动CANARY"
	at := func(h time.Duration) string { return time.Now().Add(h).In(record.CivilZone).Format(time.RFC3339) }
	payload := fmt.Appendf(nil, `{"title":"%s","kind":"joint_enforcement","lead_member":"%s","participants":["%s"],"areas":[{"pair":"310116/330482"}],"start_at":"%s","end_at":"%s","embargo_until":"%s","legal_basis":"测","purpose":"JOINT","synthetic":true}`,
		canary, a.cfg.Member, b.cfg.Member, at(24*time.Hour), at(30*time.Hour), at(24*time.Hour))
	liaison := events.Request{Actor: events.Actor{Account: "0123456789abcdef0123456789abcdef", Roles: []workflow.Role{workflow.Liaison}}}
	done, err := a.board.Plan(t.Context(), liaison, payload)
	d.ok(err)
	id, s := done.Record, record.Stream(a.cfg.Member, record.Records)
	var group record.GroupID
	for g := range a.dir.Groups(b.cfg.Member) {
		if g != record.All {
			group = g
		}
	}
	for _, n := range []*Node{b, c} {
		d.until("stored at "+string(n.cfg.Member), func() bool { h, err := n.store.Head(t.Context(), s); return err == nil && h.Size == 1 })
	}
	d.until("readable at B", func() bool {
		st, err := b.store.Record(t.Context(), id)
		return err == nil && len(st.Parts) > 1 && st.Parts[1].State == record.PartPresent && bytes.Contains(st.Parts[1].Bytes, []byte(canary))
	})
	_, err = b.board.Accept(t.Context(), liaison, events.On{Stream: s, ID: id, Version: 1}, events.Details{Officers: 2, LegalBasis: "测"})
	d.ok(err)
	d.until("B's reply is at A", func() bool {
		o, err := a.board.Operation(t.Context(), s, id)
		return err == nil && len(o.Replies) == 1 && o.Replies[0].State == events.Accepted
	})
	if ops, err := c.Operations(t.Context()); err != nil || len(ops) != 0 {
		t.Fatalf("C sees %d operations (%v)", len(ops), err)
	}
	for _, what := range []string{canary, string(group)} {
		if !b.holds(t, what) {
			t.Fatalf("the search does not find %q at B", what)
		}
		if c.holds(t, what) {
			t.Fatalf("%q is at C", what)
		}
		if inRedis(t, c.cfg.Redis.URL, what) {
			t.Fatalf("%q is in Redis", what)
		}
		if d.kafka.DataDir != "" && inFolder(t, d.kafka.DataDir, what) {
			t.Fatalf("%q is in the broker's files", what)
		}
		for _, m := range d.members {
			messages, err := kafkabus.Read(t.Context(), a.t.broker, kafkabus.LogTopic(m), 0)
			d.ok(err)
			for _, msg := range messages {
				if bytes.Contains(msg, []byte(what)) {
					t.Fatalf("%q is on the topic of %s", what, m)
				}
			}
		}
	}
	if c.cfg.Database.Driver == "postgres" && !inFolder(t, d.kafka.DataDir, string(s)) {
		t.Fatal("the search does not find in the broker's files what is on its topics")
	}
	st, err := c.store.Record(t.Context(), id)
	d.ok(err)
	if st.Meaning.Type != "" || st.Parts[0].State != record.PartWithheld {
		t.Fatalf("C knows more than it may: %+v", st.Meaning)
	}
	if h, err := c.store.Head(t.Context(), s); err != nil || h.Applied != 1 {
		t.Fatalf("a record that is not for C holds C back: %+v %v", h, err)
	}
}

// forms are the ways in which a text may stand in bytes: as it is, as UTF-16, escaped, in base64 or hex.
func forms(text string) [][]byte {
	var wide, escaped []byte
	for _, r := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(r), byte(r>>8))
		escaped = fmt.Appendf(escaped, "\\u%04x", r)
	}
	return [][]byte{[]byte(text), wide, escaped, []byte(base64.StdEncoding.EncodeToString([]byte(text))), []byte(hex.EncodeToString([]byte(text)))}
}

func contains(data []byte, forms [][]byte) bool {
	return slices.ContainsFunc(forms, func(f []byte) bool { return bytes.Contains(data, f) })
}

// holds reports whether a node's folder or database holds a text in any form, in clear or sealed.
func (n *Node) holds(t testing.TB, text string) bool {
	t.Helper()
	return n.shows(t, text) || contains(openedCells(t.Context(), t, n.cfg), forms(text))
}

// shows is holds for whoever has no storage keys.
func (n *Node) shows(t testing.TB, text string) bool {
	t.Helper()
	return inFolder(t, n.cfg.Data, text) || n.cfg.Database.Driver == "postgres" && inPostgres(t, n.cfg.Database.DSN, text)
}

// inFolder searches every file below dir. The broker's indexes are left out: numbers in 10 MB of zeros each.
func inFolder(t testing.TB, dir, text string) bool {
	t.Helper()
	found, want := false, forms(text)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.HasSuffix(path, "index") {
			var data []byte
			data, err = os.ReadFile(path)
			found = found || contains(data, want)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // servers delete files while we look
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// inPostgres searches every row of every table of a database as text, where PostgreSQL shows bytes in hex.
func inPostgres(t testing.TB, dsn, text string) bool {
	t.Helper()
	want := forms(text)
	for _, f := range forms(text) {
		want = append(want, []byte(hex.EncodeToString(f)))
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	column := func(query string) (all []string) {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	tables := column("SELECT quote_ident(table_schema)||'.'||quote_ident(table_name) FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog','information_schema')")
	if len(tables) < 10 {
		t.Fatalf("only %d tables to search", len(tables))
	}
	for _, table := range tables {
		for _, row := range column("SELECT row::text FROM " + table + " AS row") {
			if contains([]byte(row), want) {
				return true
			}
		}
	}
	return false
}

// plainIn is what stands under a key, whatever its type.
func plainIn(ctx context.Context, c *redis.Client, key string) (string, error) {
	switch kind := c.Type(ctx, key).Val(); kind {
	case "hash":
		m, err := c.HGetAll(ctx, key).Result()
		return fmt.Sprint(m), err
	case "set":
		m, err := c.SMembers(ctx, key).Result()
		return strings.Join(m, "\n"), err
	case "zset":
		m, err := c.ZRange(ctx, key, 0, -1).Result()
		return strings.Join(m, "\n"), err
	default:
		return c.Get(ctx, key).Result()
	}
}

// inRedis searches every key and every value, as DUMP gives it, of a Redis database; a key and a value that hold the text
// are put there first, so that the search is known to find them.
func inRedis(t testing.TB, address, text string) bool {
	t.Helper()
	if address == "" {
		return false
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	want, probes, others := forms(text), 0, 0
	for _, kv := range [][2]string{{"probe:" + text, "x"}, {"probe", text}} {
		if err := c.Set(t.Context(), kv[0], kv[1], 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	found := false
	for keys := c.Scan(t.Context(), 0, "*", 100).Iterator(); keys.Next(t.Context()); {
		value, err := c.Dump(t.Context(), keys.Val()).Result()
		if errors.Is(err, redis.Nil) {
			continue // it has expired
		}
		if err != nil && !strings.HasPrefix(err.Error(), "WRONGTYPE") { // the stand-in dumps strings alone; the rest is read below
			t.Fatal(err)
		}
		plain, err := plainIn(t.Context(), c, keys.Val()) // a dump may be compressed
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		if !strings.HasPrefix(keys.Val(), "probe") {
			others++
		}
		switch hit := contains([]byte(keys.Val()+"\n"+value+"\n"+plain), want); {
		case hit && strings.HasPrefix(keys.Val(), "probe"):
			probes++
		case hit:
			found = true
		}
	}
	if probes < 2 || others == 0 {
		t.Fatalf("the search found %d of 2 probes in Redis, and %d keys of nodes", probes, others)
	}
	if err := c.Del(t.Context(), "probe:"+text, "probe").Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// Without a courier the record of a sealed group and its agreement come by two requests, in either order: the invited member
// reads the operation whichever was first.
func TestNode_SealedGroupWithoutACourier(t *testing.T) {
	d := newDirect(t, onHTTP)
	a, b := d.nodes[d.members[0]], d.nodes[d.members[1]]
	d.released()
	at := func(h time.Duration) string { return time.Now().Add(h).In(record.CivilZone).Format(time.RFC3339) }
	payload := fmt.Appendf(nil, `{"title":"测","kind":"joint_enforcement","lead_member":"%s","participants":["%s"],"areas":[{"pair":"310116/330482"}],"start_at":"%s","end_at":"%s","embargo_until":"%s","legal_basis":"测","purpose":"JOINT","synthetic":true}`,
		a.cfg.Member, b.cfg.Member, at(24*time.Hour), at(30*time.Hour), at(24*time.Hour))
	liaison := events.Request{Actor: events.Actor{Account: "0123456789abcdef0123456789abcdef", Roles: []workflow.Role{workflow.Liaison}}}
	for i := range 3 { // each is a group of its own, with an agreement of its own
		_, err := a.board.Plan(t.Context(), liaison, payload)
		d.ok(err)
		d.until("the invitation can be read", func() bool {
			all, err := b.Operations(t.Context())
			return err == nil && len(all) == i+1
		})
	}
}
