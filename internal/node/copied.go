package node

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pilinhub/pilin/federation"
)

// This file keeps an operator from stating or signing anything by an older copy.

// whole fails while the database is a copy that has not rejoined, or one that was put in place by hand and never started. A
// federation of one has nobody that could hold more.
func (o *operator) whole(ctx context.Context) error {
	if o.alone() {
		return nil
	}
	if err := o.noCopy(); err != nil {
		return err
	}
	h, err := o.store.Head(ctx, o.own())
	if err != nil {
		return err
	}
	released, err := o.releasedSize()
	if err == nil && h.Signed < released {
		err = fmt.Errorf("%w (%d here, %d released)", ErrBehind, h.Signed, released)
	}
	return err
}

// noCopy fails while the mark of a copy lies in the data folder.
func (n *Node) noCopy() error {
	_, err := os.Stat(n.copyMarkFile())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look for the mark of a copy: %w", err)
	}
	return ErrCopy
}

// SignCharter adds this member's signature to a charter version. A restored copy does not know what it signed since it was
// taken: two versions of one number under one key would freeze the charter.
func SignCharter(data string, note []byte) ([]byte, error) {
	if err := (&Node{cfg: Config{Data: data}}).noCopy(); err != nil {
		return nil, err
	}
	k, err := ReadKeys(data)
	if err != nil {
		return nil, err
	}
	return federation.Sign(note, k.Member, k.Signer())
}

// OwnDirectory reads the directory that the next charter version is made from. It is refused on a restored copy, whose version
// may be an old one.
func OwnDirectory(ctx context.Context, cfg Config) (*federation.Directory, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	o := &operator{Node: &Node{cfg: cfg, now: cfg.Now}}
	var err error
	if o.store, err = openForTools(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if o.dir, err = readDirectory(ctx, o.store, nil); err == nil {
		err = o.whole(ctx)
	}
	return o.dir, errors.Join(err, o.store.Close())
}

// knows reports whether nobody can hold more than was found: all others were asked, or the database is the one that wrote
// what left this node. On another machine without its files only the operator can say.
func (o *operator) knows(ctx context.Context, heard int) bool {
	if heard >= len(o.dir.Active())-1 {
		return true
	}
	released, err := o.releasedSize()
	return err == nil && released > 0 && o.whole(ctx) == nil
}
