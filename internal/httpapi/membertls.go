package httpapi

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pilinhub/pilin/federation"
)

// errPin is what a handshake with somebody who is not in the charter ends with.
var errPin = errors.New("certificate is not one that the charter pins")

// MemberTLS returns the server's side of TLS between members: 1.3 only, this member's own certificate, and a client
// certificate whose public key the charter of this moment pins. The check stands in VerifyConnection, which runs on
// resumed sessions too; names, issuers and dates of certificates mean nothing.
func MemberTLS(d *federation.Directory, k *federation.Keys) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{k.Cert}, PrivateKey: k.TLS}},
		ClientAuth:   tls.RequireAnyClientCert,
		NextProtos:   []string{"http/1.1"},
		VerifyConnection: func(c tls.ConnectionState) error {
			if _, ok := PeerOf(d, &c); !ok {
				return errPin
			}
			return nil
		},
	}
}

// MemberListener is the server of the members' listener. It closes connections of members whose place in the charter has
// changed; one that is just being answered, after the answer: it may be to the very statement that changed it.
type MemberListener struct {
	*http.Server
	dir   *federation.Directory
	mu    sync.Mutex
	conns map[*tls.Conn]bool // true: a request of it is being answered
}

// MemberServer returns the server for a handler made by Members. The caller listens with ListenAndServeTLS("", "") or
// ServeTLS(l, "", ""), and calls Recheck after every change of the charter.
func MemberServer(h http.Handler, d *federation.Directory, k *federation.Keys) *MemberListener {
	m := &MemberListener{dir: d, conns: map[*tls.Conn]bool{}}
	m.Server = &http.Server{Handler: h, TLSConfig: MemberTLS(d, k), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: MaxHeaderBytes,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 only: one request at a time on a connection
		ConnState:    m.track, ErrorLog: log.New(io.Discard, "", 0)}            // its lines are peers' handshakes: counted by nobody, chosen by anybody
	return m
}

func (m *MemberListener) track(c net.Conn, s http.ConnState) {
	t, ok := c.(*tls.Conn)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch s {
	case http.StateActive: // the handshake is over; a connection that has sent nothing yet is checked with its first request
		m.conns[t] = true
	case http.StateIdle:
		m.conns[t] = false
		if !m.pinned(t) {
			_ = t.NetConn().Close() // it is being thrown away
		}
	case http.StateClosed, http.StateHijacked:
		delete(m.conns, t)
	}
}

// Recheck closes the connections whose certificate the charter no longer pins.
func (m *MemberListener) Recheck() {
	m.mu.Lock()
	var gone []*tls.Conn
	for c, busy := range m.conns {
		if !busy && !m.pinned(c) {
			gone = append(gone, c)
		}
	}
	m.mu.Unlock()
	for _, c := range gone {
		_ = c.NetConn().Close() // it is being thrown away
	}
}

func (m *MemberListener) pinned(c *tls.Conn) bool {
	s := c.ConnectionState()
	_, ok := PeerOf(m.dir, &s)
	return ok
}

// maxH2Streams bounds what one HTTP/2 connection may have running. Four times as many may wait, also when they were reset;
// whoever opens more is sent away (GOAWAY).
const maxH2Streams = 64

// PeopleServer returns the server for a handler made by People. cert is nil on a loopback address only.
func PeopleServer(h http.Handler, cert *tls.Certificate) *http.Server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: MaxHeaderBytes, ErrorLog: log.New(io.Discard, "", 0),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxH2Streams}}
	if cert != nil {
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*cert}}
	}
	return s
}
