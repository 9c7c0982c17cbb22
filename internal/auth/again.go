package auth

import "context"

// Again looks at a person anew: whether the session still lives and which roles and certificate the account has now.
// Somebody whose delegation of the head's work runs is looked at as acting head: what goes on after a request is read, not
// done. Errors are those of Verify for an ended session or a disabled account; a store that cannot be asked lets nobody in.
func (p *People) Again(ctx context.Context, who Principal) (Principal, error) {
	now, err := p.standing(ctx, personClaims{Sub: who.Account, Sid: who.Family}, p.Now())
	return now.AsHead(), err
}
