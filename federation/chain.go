package federation

import (
	"fmt"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// chain is the succession of charter versions that this node has verified: an immutable value, so that a document that
// turns out wrong leaves nothing behind.
type chain struct {
	line []*standing // version 1 to the tip, each following the one before
	// rivals are the successors of the tip while it is frozen: two or more that are valid and not the same.
	rivals []*standing
	// others are verified versions that no longer count: rivals of frozen points that are passed, and what had followed
	// them. Checkpoints may name them, and they are evidence.
	others []*standing
}

func (c chain) tip() *standing { return c.line[len(c.line)-1] }

// frozen reports whether two successors of the tip are known.
func (c chain) frozen() bool { return len(c.rivals) > 1 }

// all returns every verified version.
func (c chain) all() []*standing { return slices.Concat(c.line, c.rivals, c.others) }

func (c chain) find(h Hash) *standing {
	for _, st := range c.all() {
		if st.Hash == h {
			return st
		}
	}
	return nil
}

// add returns the chain with one more version. changed is false if it is here already.
func (c chain) add(note []byte) (next chain, changed bool, err error) {
	s, err := readNote(note)
	if err != nil {
		return c, false, err
	}
	v, err := parseCharterText(s)
	if err != nil {
		return c, false, err
	}
	if len(c.line) == 0 {
		st, err := found(v, s)
		if err != nil {
			return c, false, err
		}
		return chain{line: []*standing{st}}, true, nil
	}
	if v.Federation != c.line[0].Federation {
		return c, false, fmt.Errorf("charter version %d: %w", v.Version, ErrOtherFederation)
	}
	if c.find(v.Hash) != nil {
		return c, false, nil
	}
	if len(v.Prev) == 2 {
		return c.merge(v, s)
	}
	return c.follow(v, s)
}

// follow adds a version that names one predecessor: the next one, or a rival that freezes the chain at its predecessor.
func (c chain) follow(v *Charter, s signed) (chain, bool, error) {
	i := slices.IndexFunc(c.line, func(st *standing) bool { return st.Hash == v.Prev[0] })
	if i < 0 {
		base := c.find(v.Prev[0])
		if base == nil {
			return c, false, fmt.Errorf("charter version %d: %w", v.Version, ErrMissing)
		}
		// It follows a version that does not count any more.
		st, err := base.succeed(v, s)
		if err != nil {
			return c, false, err
		}
		c.others = append(slices.Clone(c.others), st)
		return c, true, nil
	}
	st, err := c.line[i].succeed(v, s)
	if err != nil {
		return c, false, err
	}
	last := i == len(c.line)-1
	switch {
	case last && !c.frozen():
		c.line = append(slices.Clone(c.line), st)
	case last:
		c.rivals = append(slices.Clone(c.rivals), st)
	case len(c.line[i+1].Prev) == 2:
		// The chain was frozen here and has gone on: one more rival is evidence only.
		c.others = append(slices.Clone(c.others), st)
	default:
		c = chain{line: slices.Clone(c.line[:i+1]), rivals: []*standing{c.line[i+1], st},
			others: slices.Concat(c.others, c.rivals, c.line[i+2:])}
	}
	return c, true, nil
}

// merge adds a version that names two rivals and so ends their freeze.
func (c chain) merge(v *Charter, s signed) (chain, bool, error) {
	a, b := c.find(v.Prev[0]), c.find(v.Prev[1])
	if a == nil || b == nil {
		return c, false, fmt.Errorf("charter version %d: %w", v.Version, ErrMissing)
	}
	if len(a.Prev) != 1 || len(b.Prev) != 1 || a.Prev[0] != b.Prev[0] || !c.frozen() || a.Prev[0] != c.tip().Hash {
		return c, false, fmt.Errorf("charter version %d: %w: does not name the two successors of a frozen version", v.Version, ErrRefused)
	}
	st, err := c.tip().succeed(v, s, a, b)
	if err != nil {
		return c, false, err
	}
	return chain{line: append(slices.Clone(c.line), st), others: slices.Concat(c.others, c.rivals)}, true, nil
}

// Freeze is the evidence that somebody signed two successors of one charter version.
type Freeze struct {
	At      record.CharterRef // the version that counts while it lasts
	Rivals  [][]byte          // its successors, as charter notes
	Signers []record.MemberID // who signed more than one of them
}

// freeze returns the evidence of c, if it is frozen.
func (c chain) freeze() (Freeze, bool) {
	if !c.frozen() {
		return Freeze{}, false
	}
	f := Freeze{At: c.tip().Ref()}
	count := map[record.MemberID]int{}
	for _, r := range c.rivals {
		f.Rivals = append(f.Rivals, r.note)
		for _, m := range r.signers {
			count[m]++
		}
	}
	for _, m := range c.tip().active() {
		if count[m] > 1 {
			f.Signers = append(f.Signers, m)
		}
	}
	return f, true
}
