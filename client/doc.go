// Package client is the Go client of Pilin's HTTP API. Peers speaks to other members' listeners, for a node that asks,
// exchanges heads and fills gaps; Desk speaks to a node's own listener for people, for integrators and the command line.
//
// It leaves the making of member tokens to whoever holds the signing key (a function value), verification of what comes
// back to record and federation, and all storage to the caller. It keeps no secret on disk.
package client
