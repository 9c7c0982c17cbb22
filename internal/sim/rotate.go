package sim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"math/rand/v2"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/exchange"
)

// planRotation lets one member change its signing key in some histories, and again later. It draws from a source of its own:
// a history without it is the one that it was.
func (w *world) planRotation() {
	rng := rand.New(rand.NewPCG(w.cfg.Seed, 0x6b657973))
	if w.cfg.Calm || rng.Float64() >= 0.15 {
		return
	}
	n := w.nodes[rng.IntN(len(w.nodes)-1)] // never the one that may be removed
	for i := range 1 + rng.IntN(2) {
		w.after(meetFor+time.Duration(i*8_000+rng.IntN(12_000))*time.Millisecond, func() { w.rotate(n) })
	}
}

// rotate is pilin key rotate: the node is stopped, the new key signs from where its log goes on, and the statement lies on
// its disk when it starts again. Not while an older copy of the disk is coming back: the command refuses that.
func (w *world) rotate(n *node) {
	if w.ended || w.healing || w.forker != nil && w.forker.node == n {
		return
	}
	if n.process == nil || n.process.release.Phase() != exchange.Open || n.restored || n.relearn || w.quiet {
		w.after(time.Second, func() { w.rotate(n) })
		return
	}
	if h, err := n.log().Head(w.ctx, n.stream()); err != nil || h.Signed < n.keyFrom() { // the command refuses that too
		w.after(time.Second, func() { w.rotate(n) })
		return
	}
	w.fault("key_rotated")
	w.kill(n)
	h, err := n.durable.log.Crash().Head(w.ctx, n.stream())
	if !w.must("read head", err) {
		return
	}
	keys, old := *n.Keys, n.Keys.Signer()
	seed := sha256.Sum256(n.Keys.Sign.Seed())
	keys.PastSign = append([]ed25519.PrivateKey{keys.Sign}, keys.PastSign...)
	keys.Sign = ed25519.NewKeyFromSeed(seed[:])
	note, err := n.dir.NextStatement(federation.Statement{Member: n.ID, Kind: federation.Rotate, Key: keys.Signer().Public(), From: h.Signed}, old, false)
	if !w.must("state a new key", err) {
		return
	}
	w.tell("%s signs by another key from %d", n.ID, h.Signed)
	n.Keys, n.signer, n.key = &keys, keys.Signer(), keys.Signer().Public()
	n.durable.papers.statements = append(n.durable.papers.statements[:len(n.durable.papers.statements):len(n.durable.papers.statements)], note)
	n.dir = n.directory(n.durable.papers)
}

// keyFrom is from where the node's newest key signs. A disk of before the rotation came back may end below it: then nothing
// is stated until the log is as long again.
func (n *node) keyFrom() uint64 {
	m, _ := n.dir.Member(n.ID)
	return m.Sign[len(m.Sign)-1].From
}
