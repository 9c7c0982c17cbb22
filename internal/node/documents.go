package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/sqlstore"
)

// readDirectory builds the directory from the kept documents, in the order in which they came.
func readDirectory(ctx context.Context, store *sqlstore.Store, keys *federation.Keys) (*federation.Directory, error) {
	docs, err := store.Documents(ctx)
	if err != nil {
		return nil, fmt.Errorf("read charter: %w", err)
	}
	var dir *federation.Directory
	for _, d := range docs {
		switch {
		case keys == nil && d.Kind == sqlstore.AgreementDocument:
			continue // an agreement is read by the members that it names, and a tool without keys is none
		case dir == nil && d.Kind == sqlstore.CharterDocument:
			dir, err = federation.NewDirectory(keys, d.Note)
		case dir == nil:
			err = fmt.Errorf("first document is a %s", d.Kind)
		default:
			_, err = addDocument(dir, d)
		}
		if err != nil {
			return nil, fmt.Errorf("read kept %s: %w", d.Kind, err)
		}
	}
	if dir == nil {
		return nil, ErrNotJoined
	}
	return dir, nil
}

// keepDocuments stores what the directory holds; what is stored already stays.
func (n *Node) keepDocuments(ctx context.Context) error {
	var docs []sqlstore.Document
	add := func(kind string, notes [][]byte) {
		for _, b := range notes {
			docs = append(docs, sqlstore.Document{Kind: kind, Hash: sha256.Sum256(b), Note: b})
		}
	}
	add(sqlstore.CharterDocument, n.dir.Versions(1))
	add(sqlstore.StatementDocument, n.dir.Statements())
	add(sqlstore.AgreementDocument, n.dir.AgreementNotes())
	return n.store.PutDocuments(ctx, docs)
}

// Join verifies charter versions and keeps them in the node's store: from then on the node can be served.
func Join(ctx context.Context, cfg Config, notes ...[]byte) (*federation.Directory, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	keys, err := ReadKeys(cfg.Data)
	if err != nil {
		return nil, err
	}
	var dir *federation.Directory
	var docs []sqlstore.Document
	for i, b := range notes {
		if i == 0 {
			dir, err = federation.NewDirectory(keys, b)
		} else {
			_, err = dir.Add(b)
		}
		if err != nil {
			return nil, fmt.Errorf("verify charter: %w", err)
		}
		docs = append(docs, sqlstore.Document{Kind: sqlstore.CharterDocument, Hash: sha256.Sum256(b), Note: b})
	}
	if dir == nil || !dir.IsActive(keys.Member) {
		return nil, fmt.Errorf("the charter does not name %s as an active member", keys.Member)
	}
	n := &Node{cfg: cfg, now: cfg.Now, keys: keys, dir: dir}
	if n.store, err = n.openStore(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	kept, err := n.store.Documents(ctx)
	if err == nil && len(kept) > 0 && kept[0].Hash != docs[0].Hash {
		err = errors.New("this database belongs to another federation")
	}
	if err == nil {
		err = n.store.PutDocuments(ctx, docs)
	}
	return dir, errors.Join(err, n.store.Close())
}

// readNews takes what the command line put beside a running node: charter versions and statements that came by hand, and
// own statements.
func (n *Node) readNews(ctx context.Context) error {
	count, err := n.store.CountDocuments(ctx)
	if err != nil || count == n.documents {
		return err
	}
	docs, err := n.store.Documents(ctx)
	if err != nil {
		return err
	}
	changed := false
	for _, d := range docs {
		yes, err := addDocument(n.dir, d)
		if err != nil {
			n.slog.LogAttrs(ctx, slog.LevelError, "kept document not taken", slog.String("kind", d.Kind), slog.String("err", err.Error()))
		}
		changed = changed || yes
	}
	n.documents = len(docs)
	if changed {
		n.slog.LogAttrs(ctx, slog.LevelWarn, "documents taken", slog.Uint64("charter", n.dir.Charter().Version))
		n.t.changed()
		n.t.rekeyed(ctx)
		n.t.news.Store(true)
	}
	return nil
}

func addDocument(dir *federation.Directory, d sqlstore.Document) (changed bool, err error) {
	switch d.Kind {
	case sqlstore.CharterDocument:
		return dir.Add(d.Note)
	case sqlstore.StatementDocument:
		return dir.AddStatement(d.Note)
	case sqlstore.AgreementDocument:
		return dir.AddAgreement(d.Note)
	}
	return false, fmt.Errorf("kept document of kind %q", d.Kind)
}

// TakeNotes verifies charter versions and member statements that came by hand and keeps them in the node's store. A node
// that runs takes them within a second. It returns the directory with them.
func TakeNotes(ctx context.Context, cfg Config, notes ...[]byte) (*federation.Directory, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	store, err := openForTools(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	dir, err := readDirectory(ctx, store, nil)
	var docs []sqlstore.Document
	for _, b := range notes {
		d := sqlstore.Document{Kind: sqlstore.CharterDocument, Hash: sha256.Sum256(b), Note: b}
		if _, bad := federation.ParseStatement(b); bad == nil {
			d.Kind = sqlstore.StatementDocument
		}
		if err == nil {
			_, err = addDocument(dir, d)
		}
		docs = append(docs, d)
	}
	if err == nil {
		err = store.PutDocuments(ctx, docs)
	}
	for _, d := range docs {
		if err == nil {
			err = noteOperated(cfg, operated{Event: didTake, Digest: digest(d.Note)})
		}
	}
	return dir, errors.Join(err, store.Close())
}
