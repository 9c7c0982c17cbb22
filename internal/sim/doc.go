// Package sim runs a whole federation in one thread under a virtual clock: production Follower, exchange, relay step and
// an in-memory record.Log, over a network and a courier that lose, repeat, reorder, corrupt and cut, with processes that
// die, disks that fill up and come back older, clocks that are wrong, and a member that shows two histories. It holds the
// outcome to the invariants of docs and contains no second implementation of a rule: what it checks is stated over what
// was acknowledged, what was signed and what is stored.
//
// One seed and one commit are one history, to the byte. It leaves real brokers, databases, goroutines and kill -9 to the
// tests of the packages that own them.
package sim
