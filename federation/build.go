package federation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// Founding is what the founders agree on beside their own entries.
type Founding struct {
	Name      string
	Synthetic bool   // for exercises only: no real person's data may enter
	Day       string // civil date
}

// Found returns the unsigned text of charter version 1 for these requests, and makes the first epoch key. Every member
// that it names must Sign it.
func Found(random io.Reader, f Founding, requests ...[]byte) ([]byte, error) {
	c := &Charter{Version: 1, Prev: []Hash{}, Name: f.Name, Synthetic: f.Synthetic, Day: f.Day, Statements: []string{}}
	for _, r := range requests {
		m, err := ParseRequest(r)
		if err != nil {
			return nil, fmt.Errorf("found: %w", err)
		}
		c.Members = append(c.Members, m)
	}
	slices.SortFunc(c.Members, func(a, b Member) int { return compareMembers(a.Code, b.Code) })
	c.Groups = []Group{{ID: record.All, Members: c.active(), History: "all"}}
	if err := c.addEpoch(random, record.All); err != nil {
		return nil, fmt.Errorf("found: %w", err)
	}
	return c.unsigned()
}

// Admit returns the unsigned text of the next version, with the requesting member in it. statements are the member
// statements in force that prev does not hold yet (Directory.Statements); they are folded in.
func Admit(random io.Reader, prev []byte, statements [][]byte, day string, request []byte) ([]byte, error) {
	return succeeding(random, prev, statements, day, func(c *Charter) error {
		m, err := ParseRequest(request)
		if err != nil {
			return err
		}
		if _, known := c.Member(m.Code); known {
			return fmt.Errorf("%w: %s is in the charter already", ErrRefused, m.Code)
		}
		c.Members = append(c.Members, m)
		return nil
	})
}

// Remove returns the unsigned text of the next version, without member m.
func Remove(random io.Reader, prev []byte, statements [][]byte, day string, m record.MemberID) ([]byte, error) {
	return succeeding(random, prev, statements, day, func(c *Charter) error {
		for i := range c.Members {
			if c.Members[i].Code == m && c.Members[i].State == Active {
				c.Members[i].State = Removed
				return nil
			}
		}
		return fmt.Errorf("%w: %s is not an active member", ErrRefused, m)
	})
}

// Renew returns the unsigned text of the next version that only folds statements in and makes new epoch keys.
func Renew(random io.Reader, prev []byte, statements [][]byte, day string) ([]byte, error) {
	return succeeding(random, prev, statements, day, func(*Charter) error { return nil })
}

// Resume returns the unsigned text of the version that ends a frozen chain: it follows base and names both rivals.
func Resume(random io.Reader, base []byte, rivals [2][]byte, statements [][]byte, day string) ([]byte, error) {
	return succeeding(random, base, statements, day, func(c *Charter) error {
		a, b := textHash(rivals[0]), textHash(rivals[1])
		if slices.Compare(a[:], b[:]) > 0 {
			a, b = b, a
		}
		c.Prev = []Hash{a, b}
		c.Version++
		return nil
	})
}

// succeeding makes the version after prev: statements folded, change made, every group given a new epoch.
func succeeding(random io.Reader, prev []byte, statements [][]byte, day string, change func(*Charter) error) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("next charter version: %w", err) }
	p, err := ParseCharter(prev)
	if err != nil {
		return fail(err)
	}
	members := map[record.MemberID]Member{}
	for _, m := range p.Members {
		members[m.Code] = m
	}
	c := &Charter{Federation: p.Federation, Version: p.Version + 1, Prev: []Hash{p.Hash}, Name: p.Name, Synthetic: p.Synthetic,
		Day: day, Statements: []string{}}
	for _, n := range statements {
		s, err := readNote(n)
		if err != nil {
			return fail(err)
		}
		st, err := parseStatementText(s)
		if err != nil {
			return fail(err)
		}
		m, ok := members[st.Member]
		if !ok {
			return fail(fmt.Errorf("statement of %s: %w", st.Member, ErrMissing))
		}
		if members[st.Member], err = applyStatement(m, st, s); err != nil {
			return fail(err)
		}
		c.Statements = append(c.Statements, string(n))
	}
	for _, m := range members {
		c.Members = append(c.Members, m)
	}
	if err := change(c); err != nil {
		return fail(err)
	}
	slices.SortFunc(c.Members, func(a, b Member) int { return compareMembers(a.Code, b.Code) })
	active := c.active()
	for _, g := range p.Groups {
		g.Epochs = slices.Clone(g.Epochs)
		if g.ID == record.All {
			g.Members = active
		} else {
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m record.MemberID) bool { return !slices.Contains(active, m) })
		}
		c.Groups = append(c.Groups, g)
		if err := c.addEpoch(random, g.ID); err != nil {
			return fail(err)
		}
	}
	return c.unsigned()
}

// addEpoch gives a group a new epoch for its present members.
func (c *Charter) addEpoch(random io.Reader, id record.GroupID) error {
	for i := range c.Groups {
		g := &c.Groups[i]
		if g.ID != id {
			continue
		}
		var members []Member
		for _, m := range c.Members {
			if slices.Contains(g.Members, m.Code) {
				members = append(members, m)
			}
		}
		e, _, err := NewEpoch(random, id, members)
		if err != nil {
			return err
		}
		g.Epochs = append(g.Epochs, e)
	}
	return nil
}

// unsigned returns the text after checking its form.
func (c *Charter) unsigned() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	text, err := c.encode()
	if err != nil {
		return nil, fmt.Errorf("encode charter: %w", err)
	}
	if len(text) > maxNote/2 {
		return nil, errors.New("encode charter: too large")
	}
	return []byte(text), nil
}

// Sign adds member m's line to a charter: to the unsigned text that a builder returned or to a note that others signed.
// The person who calls it has compared the Fingerprint.
func Sign(charter []byte, m record.MemberID, sg *record.Signer) ([]byte, error) {
	out, err := addLine(charter, sg, charterName(m))
	if err != nil {
		return nil, fmt.Errorf("sign charter as %s: %w", m, err)
	}
	if _, err := ParseCharter(out); err != nil {
		return nil, fmt.Errorf("sign charter as %s: %w", m, err)
	}
	return out, nil
}

// Merge joins the signatures of notes over the same charter text, each signed by some of the members.
func Merge(notes ...[]byte) ([]byte, error) {
	if len(notes) == 0 {
		return nil, errors.New("merge signatures: nothing given")
	}
	return mergeNotes(notes...)
}

// textHash returns the SHA-256 of a note's text, or of the bytes if they are no note.
func textHash(b []byte) Hash {
	if s, err := readNote(b); err == nil {
		return s.hash
	}
	return sha256.Sum256(b)
}
