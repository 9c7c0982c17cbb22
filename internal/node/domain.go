package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// ownLog is the store as the domains append to it: a record that is durable is in the index before its caller knows.
type ownLog struct {
	*sqlstore.Store
	n *Node
}

// Append implements record.Log.
func (l ownLog) Append(ctx context.Context, a record.Append) (record.Appended, error) {
	return l.n.append(ctx, a)
}

// buildRegisters makes the desks of the domains.
func (n *Node) buildRegisters() {
	n.register = &blacklist.Register{Log: ownLog{n.store, n}, Self: n.cfg.Member, Now: n.now, Random: rand.Reader, Synthetic: n.dir.Synthetic(), Calendar: n.calendar,
		Covers: func(string, record.Level) bool { return !n.dir.TestOnly(n.cfg.Member) }}
}

// exerciseMemory is what one password hash takes in an exercise, in KiB: its accounts guard synthetic data, and a
// demonstration makes dozens of them at once.
const exerciseMemory = 8 << 10

// buildPeople makes the sign-in of this bureau's people. Their access tokens are signed with a key of this process only:
// a restart makes them fetch a new one with their refresh token.
func (n *Node) buildPeople() error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("key of access tokens: %w", err)
	}
	memory := uint32(0)
	if n.dir.Synthetic() {
		memory = exerciseMemory
	}
	passwords, err := auth.NewPasswords(2, memory)
	if err != nil {
		return fmt.Errorf("passwords: %w", err)
	}
	n.people = &auth.People{Federation: n.dir.Federation(), Self: n.cfg.Member, Key: key, Accounts: n.store, Sessions: n.store, Passwords: passwords,
		Audit: func(ctx context.Context, e auth.Event) error {
			d, err := e.Draft(n.audit, rand.Reader, n.dir.Synthetic())
			if err != nil {
				return err
			}
			_, err = n.store.Append(ctx, record.Append{Drafts: []record.Draft{d}})
			return err
		}, Now: n.now, Random: rand.Reader}
	return nil
}

// Account is an account of a demonstration or a test.
type Account struct {
	Name, Password string
	Certificate    string   // number of an enforcement certificate; empty without one
	Roles          []string // by their names, such as "officer"
}

// NewAccount creates an account with a password, for a demonstration or a test, and returns its id; in daily use an
// administrator creates accounts and their owners choose passwords through one-time links.
func (n *Node) NewAccount(ctx context.Context, a Account) (string, error) {
	roles := make([]auth.Role, len(a.Roles))
	for i, r := range a.Roles {
		roles[i] = auth.Role(r)
	}
	account, link, err := n.people.Create(ctx, "", auth.NewAccount{Name: a.Name, Certificate: a.Certificate, Roles: roles})
	if err != nil {
		return "", err
	}
	return account.ID, n.people.UseLink(ctx, link, a.Password, netip.IPv6Loopback())
}

// FirstAdministrator creates the node's administrator at its first start and returns the secret of the one-time link with
// which he chooses a password; a new one at each start until he has, and none after that.
func (n *Node) FirstAdministrator(ctx context.Context) (string, error) {
	secret, err := n.people.FirstAdministrator(ctx)
	if !errors.Is(err, auth.ErrAccountTaken) {
		return secret, err
	}
	all, err := n.store.ListAccounts(ctx)
	if err != nil || len(all) != 1 || all[0].Password != "" {
		return "", err
	}
	return n.people.NewLink(ctx, "", all[0].ID)
}

// Register returns the desk of list entries and penalties.
func (n *Node) Register() *blacklist.Register { return n.register }
