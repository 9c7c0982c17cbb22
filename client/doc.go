// Package client is the Go client of Pilin's HTTP API.
//
// [Desk] is one person's session at his bureau's node, over the listener for people; integrators and the command line use it.
// It signs in, renews its session by itself, asks every member ([Desk.Ask], [Desk.Watch]), writes penalties and list entries
// ([Desk.Draft], [Desk.Step], [Desk.Correct]), takes old spreadsheets in ([Desk.UploadImport]), hears what happens
// ([Desk.Hear]) and fetches proofs ([Desk.Proof]). [Peers] speaks to other members' listeners, for a node that asks, exchanges
// heads and fills gaps; an integrator has no use for it.
//
// An answer that is no success is a [*Problem] (RFC 9457): programs branch on its Code, people read its Detail in Chinese or
// DetailEn in English; docs/trouble lists every code with what to do. Everything that writes takes an idempotency key, "" draws
// one: a caller that may have to repeat a write after a lost answer draws it with [NewKey] and passes it both times.
//
// The package leaves the making of member tokens to whoever holds the signing key (a function value), verification of what
// comes back to packages record and federation, and all storage to the caller. It keeps no secret on disk.
package client
