// Package exchange is how a node's log and the logs of the other members become one set of replicas: what is offered to a
// Follower and what happens to its decision (Replicas), what is missing and whom to ask (GapFiller), the exchange of
// heads and receipts (Heads, Receipts), when the node's own stream may leave it (Release), what goes onto the node's own
// topic (Relay) and what a peer may be given (ServeRange).
//
// Everything here is a state machine without goroutines: the hour is an argument, randomness is an argument, and a
// request to a peer is something that these types ask for and are told the end of. internal/node drives them with real
// connections, internal/sim with a virtual clock, and neither repeats a rule. It leaves the meaning of bytes to
// record.Follower, storage to record.Log, bytes on a connection to internal/httpapi and internal/kafkabus, and who is a
// member to federation, which reaches it as a Roster of function values.
package exchange
