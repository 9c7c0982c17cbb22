package node

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file makes member statements by the command line and hands them to the others.

// state puts statements in force here, one after the other, keeps them, leaves a note for the audit and hands them over.
func (o *operator) state(ctx context.Context, s Stated, did string, sg *record.Signer, recovery bool, sts ...federation.Statement) (Stated, error) {
	var docs []sqlstore.Document
	for _, st := range sts {
		note, err := o.dir.NextStatement(st, sg, recovery)
		if err == nil {
			_, err = o.dir.AddStatement(note)
		}
		if err != nil {
			return s, err
		}
		s.Counter, s.Statements = o.dir.Counter(o.cfg.Member), append(s.Statements, note)
		docs = append(docs, sqlstore.Document{Kind: sqlstore.StatementDocument, Hash: sha256.Sum256(note), Note: note})
	}
	if err := o.store.PutDocuments(ctx, docs); err != nil {
		return s, err
	}
	// Before anybody is called: broken off later, the own records would have no valid signature of this member's.
	n, err := o.resign(ctx)
	if err != nil {
		return s, err
	}
	s.Resigned = n
	first := s.Counter + 1 - uint64(len(sts))
	for i, note := range s.Statements {
		name := fmt.Sprintf("%s-%d.statement", o.cfg.Member, first+uint64(i))
		if err := writeInto(o.cfg.Data, name, note); err != nil {
			return s, err
		}
		s.Files = append(s.Files, filepath.Join(o.cfg.Data, name))
		e := operated{Event: did, Counter: number(first + uint64(i)), Digest: digest(note)}
		if sts[i].Kind == federation.Revoke {
			e.Event = didRevoke
		}
		if len(sts[i].Key) > 0 {
			e.From = number(sts[i].From)
		}
		if err := noteOperated(o.cfg, e); err != nil {
			return s, err
		}
	}
	s.Taken, s.Missing = o.handOver(ctx)
	return s, nil
}

// handOver brings the statements in force to every other active member, by whatever keys it knows this one. A member that
// heard of a leaving from another member first counts as missing: it answers no more.
func (o *operator) handOver(ctx context.Context) (taken, missing []record.MemberID) {
	ro := rosterOf(o.dir)
	peers := ro.Peers()
	given := make([]bool, len(peers))
	var wg sync.WaitGroup
	for i, m := range peers {
		wg.Go(func() {
			for range 2 { // again: another may have told it meanwhile
				given[i] = given[i] || o.handTo(ctx, ro, m)
			}
		})
	}
	wg.Wait()
	for i, m := range peers {
		if given[i] {
			taken = append(taken, m)
		} else {
			missing = append(missing, m)
		}
	}
	return taken, missing
}

// handTo tries the keys of now and those of before each statement.
func (o *operator) handTo(ctx context.Context, ro *exchange.Roster, m record.MemberID) bool {
	now, _ := o.dir.Member(o.cfg.Member)
	return slices.ContainsFunc(append([]federation.Member{now}, o.dir.Before()...), func(e federation.Member) bool {
		k, ok := o.keys.As(e)
		return ok && o.give(ctx, ro, k, m)
	})
}

// give makes one head exchange that brings nothing but statements; the answer says whether m has them.
func (o *operator) give(ctx context.Context, ro *exchange.Roster, k *federation.Keys, m record.MemberID) bool {
	ctx, cancel := context.WithTimeout(ctx, headsTimeout)
	defer cancel()
	p := peersAs(o.dir, k, o.now)
	defer p.Close()
	var nonce [32]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return false
	}
	body, err := exchange.HeadsRequest{Nonce: nonce, Charter: ro.Charter(), Statements: o.dir.Statements()}.Encode()
	if err != nil {
		return false
	}
	answer, err := p.Heads(ctx, m, body)
	if err != nil {
		return false
	}
	a, err := exchange.OpenHeadsAnswer(answer, ro.Federation, m, ro.NoteKeys(m), nonce)
	if err != nil {
		return false
	}
	has := map[string]bool{}
	for _, n := range a.Statements {
		has[string(n)] = true
	}
	for _, n := range o.dir.Statements() {
		if st, err := federation.ParseStatement(n); err == nil && st.Member == o.cfg.Member && !has[string(n)] {
			return false
		}
	}
	return true
}

// ChangeAddress states where the members' listener is from now on. The node may run; it listens there after its
// configuration says so and it was started again.
func ChangeAddress(ctx context.Context, cfg Config, address string) (Stated, error) {
	return stateOne(ctx, cfg, false, didAddress, func(*operator) (federation.Statement, error) {
		return federation.Statement{Kind: federation.Address, Address: address}, nil
	})
}

// Leave states that this member leaves: at once nobody asks it, answers it or counts it. Its records stay and verify. The
// others make a charter version that holds it, with a new epoch.
func Leave(ctx context.Context, cfg Config) (Stated, error) {
	return stateOne(ctx, cfg, false, didLeave, func(*operator) (federation.Statement, error) {
		return federation.Statement{Kind: federation.Leave}, nil
	})
}

// stateOne makes one statement of this member, signed by the key in force, and hands it over. exclusive: the node must be
// stopped.
func stateOne(ctx context.Context, cfg Config, exclusive bool, did string, say func(*operator) (federation.Statement, error)) (s Stated, err error) {
	o, err := operate(ctx, cfg, exclusive)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, o.store.Close()) }()
	if err := o.whole(ctx); err != nil { // the counter of a copy's statements may be one that is taken
		return s, err
	}
	was, err := knownKeys(o.dir, o.keys)
	if err != nil {
		return s, err
	}
	st, err := say(o)
	if err != nil {
		return s, err
	}
	st.Member, s.From = cfg.Member, st.From
	return o.state(ctx, s, did, was.Signer(), false, st)
}

// SendStatements hands the statements in force to every member once more.
func SendStatements(ctx context.Context, cfg Config) (s Stated, err error) {
	if err := cfg.complete(); err != nil {
		return s, err
	}
	o := &operator{Node: &Node{cfg: cfg, now: cfg.Now}, file: true}
	if o.keys, err = ReadKeys(cfg.Data); err != nil {
		return s, err
	}
	if o.store, err = openForTools(ctx, cfg); err != nil {
		return s, fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, o.store.Close()) }()
	if o.dir, err = o.directory(ctx); err != nil {
		return s, err
	}
	s.Counter, s.Statements = o.dir.Counter(cfg.Member), o.dir.Statements()
	s.Taken, s.Missing = o.handOver(ctx)
	return s, nil
}

// releasedSize reads the file beside the database; 0 if nothing was released yet.
func (n *Node) releasedSize() (uint64, error) {
	b, err := os.ReadFile(n.releasedFile())
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read released size: %w", err)
	}
	size, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("released size in %s: %w", n.releasedFile(), err)
	}
	return size, nil
}
