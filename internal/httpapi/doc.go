// Package httpapi is the node's border: the HTTP API for the bureau's own people and the one for other members' nodes,
// each with its own listener. It decodes strictly, says who is asking, calls one method of the domain and writes the
// answer or an RFC 9457 problem with a stable code in Chinese and English. OpenAPI is emitted from this code.
//
// It leaves every rule to the domain packages, tokens and clearance to internal/auth, and the wiring to internal/node,
// which fills Deps. It never repeats input in an answer, a log line or a metric.
package httpapi
