package auth

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Limits of a password, in characters and bytes.
const (
	minPassword = 12
	maxPassword = 128
)

// Passwords hashes and compares passwords with argon2id. One hash takes 64 MiB and most of a second of one core, so only
// a few run at once; who waits longer than his request is refused, and nobody else feels it.
type Passwords struct {
	params *argon2id.Params
	slots  chan struct{}
	decoy  string // compared when there is no such account, so that the answer takes as long
}

// NewPasswords makes a hasher that runs at most concurrent computations at once. Memory is that of one computation in
// KiB; 0 is the library's default of 64 MiB. Only tests lower it.
func NewPasswords(concurrent int, memory uint32) (*Passwords, error) {
	p := *argon2id.DefaultParams
	if memory > 0 {
		p.Memory = memory
	}
	h := &Passwords{params: &p, slots: make(chan struct{}, concurrent)}
	var err error
	if h.decoy, err = argon2id.CreateHash("no account has this password", &p); err != nil {
		return nil, fmt.Errorf("hash decoy: %w", err)
	}
	return h, nil
}

func (h *Passwords) slot(ctx context.Context) (release func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for password check: %w", ctx.Err())
	}
}

// hash returns the argon2id hash of a password.
func (h *Passwords) hash(ctx context.Context, password string) (string, error) {
	release, err := h.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	s, err := argon2id.CreateHash(password, h.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return s, nil
}

// match compares a password with a hash; an empty hash matches nothing and takes as long.
func (h *Passwords) match(ctx context.Context, password, hash string) (bool, error) {
	release, err := h.slot(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	known := hash != ""
	if !known {
		hash = h.decoy
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: stored hash is ill-formed")
	}
	return ok && known, nil
}

// strong refuses passwords that are short, that are the account's name, or that no keyboard gives.
func strong(password, account string) bool {
	return utf8.ValidString(password) && utf8.RuneCountInString(password) >= minPassword && len(password) <= maxPassword &&
		!strings.Contains(strings.ToLower(password), strings.ToLower(account)) && !strings.ContainsAny(password, "\x00\r\n")
}
