// Package federation is what several bureaux have in common: the charter that says who is a member, under which keys and
// in which groups (Directory 名录), and the question that all of them answer (Hub). A "no hit" leaves this package only
// if every member in scope answered live; whatever is missing is named.
//
// It leaves bytes on the wire to internal/httpapi, storage to record.Log, what an entry is to blacklist, and what a person
// may see of an answer to internal/auth. Peers, the log and the state of a subject reach it as function values.
package federation
