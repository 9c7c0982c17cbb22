package node

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/testsvc/servers"
)

// A health check sees what the node can do, over TLS too, and never takes another server's word for it.
func TestProbe(t *testing.T) {
	d := newDirect(t, onHTTP)
	d.released()
	n := d.nodes[d.members[0]]
	probe := func(cfg Config, name string) (ready bool, names []string, err error) {
		ready, all, err := Probe(t.Context(), cfg, name)
		for _, c := range all {
			names = append(names, c.Name)
		}
		return ready, names, err
	}
	for _, secure := range []bool{false, true} {
		cfg := n.cfg
		if secure {
			dir := t.TempDir()
			ca, err := servers.NewCA(dir, "ca")
			d.ok(err)
			cfg.People.CertFile, cfg.People.KeyFile, err = ca.Issue(dir, "people", "desk.example")
			d.ok(err)
			d.stop(n)
			n.cfg = cfg
			n = d.again(d.members[0])
			d.released()
		}
		d.until("ready", func() bool { ready, _, err := probe(cfg, ""); return err == nil && ready })
		if ready, names, err := probe(cfg, ""); err != nil || !ready || !slices.Contains(names, "audit_writable") || len(names) < 5 {
			t.Errorf("secure %t: %t %v %v", secure, ready, names, err)
		}
		if ready, names, err := probe(cfg, "release"); err != nil || !ready || !slices.Equal(names, []string{"release"}) {
			t.Errorf("secure %t, one: %t %v %v", secure, ready, names, err)
		}
		if _, _, err := probe(cfg, "flying"); err == nil || !strings.Contains(err.Error(), "flying") {
			t.Errorf("secure %t, unknown: %v", secure, err)
		}
		_, port, err := net.SplitHostPort(cfg.People.Listen)
		d.ok(err)
		everywhere := cfg
		everywhere.People.Listen = "0.0.0.0:" + port
		if ready, _, err := probe(everywhere, "publish"); err != nil || !ready {
			t.Errorf("secure %t, all addresses: %t %v", secure, ready, err)
		}
		if !secure {
			continue
		}
		other := cfg
		dir := t.TempDir()
		ca, err := servers.NewCA(dir, "ca")
		d.ok(err)
		other.People.CertFile, other.People.KeyFile, err = ca.Issue(dir, "people", "desk.example")
		d.ok(err)
		if ready, _, err := probe(other, ""); err == nil || ready {
			t.Errorf("another certificate: %t %v", ready, err)
		}
	}
	d.stop(n)
	if ready, all, err := Probe(t.Context(), n.cfg, ""); err == nil || ready || len(all) > 0 {
		t.Errorf("nobody there: %t %v %v", ready, all, err)
	}
}
