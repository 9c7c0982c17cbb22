package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file is what an operator does to his own member's keys and membership (charter.md §2). Each makes a member
// statement, keeps it in the node's store and hands it to the other members; what they do not take goes by hand.

// Errors of these commands.
var (
	// ErrServing: the node runs; a change of its keys needs it stopped, because the sequence from which the new key signs must
	// not be passed meanwhile.
	ErrServing = errors.New("the node is running: stop it first")
	// ErrBehind: somebody holds more of this member's records than its own database, so that no sequence can be named.
	ErrBehind = errors.New("database_behind: the database is behind what left this node: start it, let it take its records back, run pilin rejoin")
	// ErrCopy: the database is a restored copy that has not rejoined; what it says of its records, of the charter and of its own
	// statements is old, and whatever is stated or signed by it may be a second one of the same number.
	ErrCopy = errors.New("restored_copy: the database is a restored copy: run pilin rejoin first, or, if the key file is lost, pilin key recover --from with the size that the others hold")
	// ErrBeyond: a sequence is named that the log does not reach. Nobody could ever lower it again: the sequences of signing keys
	// ascend.
	ErrBeyond = errors.New("from_beyond: the sequence lies behind the end of the log")
	// ErrUnheard: no other member said what it holds of this member's records, which may be more than is here.
	ErrUnheard = errors.New("no other member has said what it holds: ask them, then repeat with --unheard, or with --from when recovering")
)

// Stated is what a command stated and who has it.
type Stated struct {
	Statements [][]byte          // notes, in order
	Files      []string          // where they lie, to be handed over by hand
	Counter    uint64            // of the last one
	From       uint64            // first sequence of the new key, or from which the revoked one does not count
	Resigned   int               // commit groups that were signed anew
	Taken      []record.MemberID // members that have them
	Missing    []record.MemberID // active members that do not
}

// Change says which keys to draw anew.
type Change struct {
	Sign, TLS, KEM bool
	// Unheard goes on though no other member said what it holds: the operator has found out otherwise that none holds more.
	Unheard bool
}

// Revocation says which own key is compromised, by its kid or base64 form, and the first sequence that no longer counts.
type Revocation struct {
	Key  string
	From uint64
}

// operator is the state that these commands work on.
type operator struct {
	*Node
	file bool // the key file was there
}

// operate opens keys, store and directory. exclusive takes the database over from any process of this node.
func operate(ctx context.Context, cfg Config, exclusive bool) (_ *operator, err error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if exclusive {
		if err := stopped(cfg); err != nil {
			return nil, err
		}
	}
	o := &operator{Node: &Node{cfg: cfg, now: cfg.Now}}
	o.keys, err = ReadKeys(cfg.Data)
	switch {
	case err == nil && o.keys.Member != cfg.Member:
		return nil, fmt.Errorf("keys in %s are of %s, the configuration says %s", cfg.Data, o.keys.Member, cfg.Member)
	case err == nil:
		o.file = true
	case errors.Is(err, os.ErrNotExist):
		o.keys = &federation.Keys{Member: cfg.Member} // lost
	default:
		return nil, err
	}
	open := openForTools
	if exclusive {
		open = func(ctx context.Context, _ Config) (*sqlstore.Store, error) { return o.openStore(ctx) }
	}
	if o.store, err = open(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if o.dir, err = o.directory(ctx); err == nil && !o.dir.IsActive(cfg.Member) {
		err = fmt.Errorf("%s is not an active member of %s", cfg.Member, o.dir.Name())
	}
	if err != nil {
		return nil, errors.Join(err, o.store.Close())
	}
	return o, nil
}

// directory reads the kept documents; without a key file it opens no epoch.
func (o *operator) directory(ctx context.Context) (*federation.Directory, error) {
	if o.file {
		return readDirectory(ctx, o.store, o.keys)
	}
	return readDirectory(ctx, o.store, nil)
}

// stopped fails while somebody listens where this node would.
func stopped(cfg Config) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Members.Listen)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrServing, err)
	}
	return l.Close()
}

// RotateKeys draws new keys and states them. The old ones stay in the key file: the signing key for nothing but members
// that have not heard of the new one, the others as federation.Keys says.
func RotateKeys(ctx context.Context, cfg Config, c Change) (s Stated, err error) {
	o, err := operate(ctx, cfg, true)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, o.store.Close()) }()
	if !o.file {
		return s, errors.New("there is no key file: bring it back, or run pilin key recover")
	}
	was, err := knownKeys(o.dir, o.keys)
	if err != nil {
		return s, err
	}
	if err := o.whole(ctx); err != nil { // whatever is drawn: the counter of a copy's statements may be old too
		return s, err
	}
	st := federation.Statement{Member: cfg.Member, Kind: federation.Rotate}
	if c.Sign {
		if st.From, err = o.next(ctx, nil, c.Unheard); err != nil {
			return s, err
		}
		s.From = st.From
	}
	if err := o.draw(c, &st); err != nil {
		return s, err
	}
	return o.state(ctx, s, didRotate, was.Signer(), false, st)
}

// alone reports a federation of one. The directory does not know which member it is while the key file is lost.
func (o *operator) alone() bool {
	return !slices.ContainsFunc(o.dir.Active(), func(m record.MemberID) bool { return m != o.cfg.Member })
}

// next returns the sequence at which the own records go on: nobody holds more, by this node's files and by what the
// members that can be reached say. named is what the operator says, nil if nothing: it is taken where it is not below
// what is here or is held, since what is missing up to there is taken back under the old key.
func (o *operator) next(ctx context.Context, named *uint64, unheard bool) (uint64, error) {
	h, err := o.store.Head(ctx, record.Stream(o.cfg.Member, record.Records))
	if err != nil {
		return 0, err
	}
	held, err := o.releasedSize()
	if err != nil {
		return 0, err
	}
	heard := 0
	if o.file {
		var size uint64
		size, heard = o.heldByOthers(ctx)
		held = max(held, size)
	}
	if named != nil {
		if held = max(held, h.Signed); *named < held {
			return 0, fmt.Errorf("--from %d: %d records are here or elsewhere", *named, held)
		}
		if *named > held && o.knows(ctx, heard) {
			return 0, fmt.Errorf("%w: --from %d, but %d records are here and elsewhere", ErrBeyond, *named, held)
		}
		return *named, nil
	}
	if err := o.whole(ctx); err != nil {
		return 0, err
	}
	if h.Signed < held {
		return 0, fmt.Errorf("%w (%d here, %d elsewhere)", ErrBehind, h.Signed, held)
	}
	if heard == 0 && !unheard && !o.alone() {
		return 0, ErrUnheard
	}
	return h.Signed, nil
}

// heldByOthers asks the other members what they hold of the own records, and returns the largest size and how many said
// so. Who does not answer says nothing.
func (o *operator) heldByOthers(ctx context.Context) (size uint64, heard int) {
	known, err := knownKeys(o.dir, o.keys)
	if err != nil {
		return 0, 0
	}
	p := peersAs(o.dir, known, o.now)
	defer p.Close()
	ro := rosterOf(o.dir)
	for _, m := range ro.Peers() {
		a, err := headsOf(ctx, p, o.dir.Federation(), ro, m)
		if err != nil {
			continue
		}
		heard++
		for _, y := range a.Yours {
			c, err := record.ParseCheckpoint(y.Checkpoint)
			if err != nil || c.Stream != record.Stream(o.cfg.Member, record.Records) {
				continue
			}
			if key, ok := o.dir.SignKey(c.Stream, max(c.Size, 1)-1); ok {
				if _, err := record.VerifyCheckpoint(y.Checkpoint, key); err == nil {
					size = max(size, c.Size)
				}
			}
		}
	}
	return size, heard
}

// draw makes the new keys and writes the key file before anything names them.
func (o *operator) draw(c Change, st *federation.Statement) error {
	if c.Sign {
		if err := o.keys.RotateSign(rand.Reader); err != nil {
			return err
		}
		st.Key = o.keys.Signer().Public()
	}
	if c.TLS {
		if err := o.keys.RotateTLS(rand.Reader, o.now()); err != nil {
			return err
		}
		spki, err := o.keys.SPKI()
		if err != nil {
			return err
		}
		st.TLS = spki
	}
	if c.KEM {
		if err := o.keys.RotateKEM(rand.Reader); err != nil {
			return err
		}
		st.KEM = o.keys.KEMPublic()
	}
	b, err := o.keys.Encode()
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	return WriteDurably(filepath.Join(o.cfg.Data, keysFile), b, 0o600)
}

// Lost says how a recovery goes.
type Lost struct {
	Recovery string // recovery file, brought from the safe
	All      bool   // every key is lost or stolen, the encapsulation key too
	// Stolen says that the signing key may be in other hands: it is revoked in the same breath.
	Stolen bool
	// From is the first sequence that the new key signs, for a member whose own database cannot say: exactly the largest size
	// that others hold, since what is missing here up to there is taken back from them and nobody can sign it any more.
	// With Stolen and a database that is no copy it may be lower: what the stolen key signed from there on does not count.
	From *uint64
	// Unheard goes on though no other member said what it holds: see Change.
	Unheard bool
}

// RecoverKeys draws new keys and states them with the recovery key: the way back for a member that lost its key file, or
// whose signing key is in other hands.
func RecoverKeys(ctx context.Context, cfg Config, l Lost) (s Stated, err error) {
	b, err := os.ReadFile(l.Recovery)
	if err != nil {
		return s, fmt.Errorf("read recovery key: %w", err)
	}
	m, key, err := federation.DecodeRecovery(b)
	if err != nil {
		return s, err
	}
	o, err := operate(ctx, cfg, true)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, o.store.Close()) }()
	e, _ := o.dir.Member(cfg.Member)
	if m != cfg.Member || !e.Recovery.Equal(key.Public()) {
		return s, fmt.Errorf("%s is not the recovery key that the charter has for %s", l.Recovery, cfg.Member)
	}
	next, err := o.recoverFrom(ctx, l)
	if err != nil {
		return s, err
	}
	s.From = next
	st := federation.Statement{Member: cfg.Member, Kind: federation.Rotate, From: next}
	old := e.Sign[len(e.Sign)-1].Key
	if err := o.draw(Change{Sign: true, TLS: true, KEM: l.All || !o.file}, &st); err != nil {
		return s, err
	}
	o.file = true
	sts := []federation.Statement{st}
	if l.Stolen {
		sts = append(sts, federation.Statement{Member: cfg.Member, Kind: federation.Revoke, Key: old, From: next})
	}
	if o.dir, err = o.directory(ctx); err != nil {
		return s, err
	}
	return o.state(ctx, s, didRecover, record.NewSigner(key), true, sts...)
}

// resign signs the own commit groups anew whose signature does not count any more, because a statement or a charter version
// took it from the key that signed them (ADR 5), and returns how many. All are signed in one transaction, so the newest
// checkpoint tells whether it was done.
func (n *Node) resign(ctx context.Context) (int, error) {
	h, err := n.store.Head(ctx, n.own())
	if err != nil || h.Signed == 0 {
		return 0, err
	}
	if key, ok := n.dir.SignKey(n.own(), h.Signed-1); ok {
		if _, err := record.VerifyCheckpoint(h.Checkpoint, key); err == nil {
			return 0, nil
		}
	}
	e, _ := n.dir.Member(n.cfg.Member)
	return n.store.Resign(ctx, n.own(), e.Sign[len(e.Sign)-1].From)
}

// recoverFrom returns the first sequence of a recovered key.
func (o *operator) recoverFrom(ctx context.Context, l Lost) (uint64, error) {
	if l.From == nil || !l.Stolen {
		return o.next(ctx, l.From, l.Unheard)
	}
	h, err := o.store.Head(ctx, o.own())
	if err != nil {
		return 0, err
	}
	// From a copy nothing is cut off: what the others hold behind the cut could not be signed anew here, and would fork.
	if o.whole(ctx) != nil || *l.From > h.Signed {
		return o.next(ctx, l.From, l.Unheard)
	}
	if _, err := o.next(ctx, nil, true); err != nil { // naming it is the operator's word
		return 0, err
	}
	return *l.From, nil
}

// RevokeKey marks an own key of the past as compromised and signs anew what it had signed from there on, where another own
// key is in force.
func RevokeKey(ctx context.Context, cfg Config, r Revocation) (Stated, error) {
	return stateOne(ctx, cfg, true, didRevoke, func(o *operator) (federation.Statement, error) {
		e, _ := o.dir.Member(cfg.Member)
		key, last, err := pastKey(e, r.Key)
		if err != nil {
			return federation.Statement{}, err
		}
		h, err := o.store.Head(ctx, o.own())
		if end := max(h.Signed, last); err == nil && r.From > end {
			err = fmt.Errorf("%w: --from %d, but this key could sign %d records at the most: nothing would be revoked", ErrBeyond, r.From, end)
		}
		if err == nil && r.From < last {
			err = fmt.Errorf("--from %d: the next key signs from %d only, and what lies between would have no key for ever: name %d or more", r.From, last, last)
		}
		return federation.Statement{Kind: federation.Revoke, Key: key, From: r.From}, err
	})
}

// pastKey finds an own key of the past by its kid or base64 form; next is where the key behind it takes over.
func pastKey(e federation.Member, name string) (key ed25519.PublicKey, next uint64, err error) {
	for i, k := range e.Sign {
		if name != KeyName(k.Key) && name != fmt.Sprintf("%x", []byte(k.Key)) {
			continue
		}
		if i == len(e.Sign)-1 {
			return nil, 0, errors.New("this is the current key: run pilin key recover --stolen, with the recovery key")
		}
		return k.Key, e.Sign[i+1].From, nil
	}
	return nil, 0, fmt.Errorf("no signing key of %s is called %q: see pilin key list", e.Code, name)
}

// KeyName is how people name a signing key: the first 16 hex digits of its SHA-256, as in tokens (wire.md §6).
func KeyName(k ed25519.PublicKey) string {
	sum := sha256.Sum256(k)
	return fmt.Sprintf("%x", sum[:8])
}
