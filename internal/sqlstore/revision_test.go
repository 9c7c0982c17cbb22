package sqlstore_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

// Content that was withheld and becomes readable is a revision of its stream, so that an index that was kept reads it; what
// comes in order is none. Whoever is further behind than revisions are kept reads from the beginning.
func TestStore_Revised(t *testing.T) {
	d := sit(t, nil)
	stream := record.Stream(recordtest.Self, record.Records)
	d.ok(d.Release(d.ctx, stream))
	cfg := config(d.Config(recordtest.Peer))
	cfg.Driver, cfg.DSN = "sqlite", filepath.Join(t.TempDir(), "peer.db")
	peer := open(t, cfg)
	epoch, ok := cfg.Sealer.Current(recordtest.Group)
	if !ok {
		t.Fatal("no epoch of the group")
	}
	outside := func(id record.KeyID) bool { return id != epoch.ID }
	d.append(d.Draft(recordtest.Self, record.Records))
	sealed := d.Draft(recordtest.Self, record.Records)
	sealed.Audience = map[record.GroupID]record.Level{recordtest.Group: record.L3}
	d.append(sealed)
	d.append(d.Draft(recordtest.Self, record.Records))
	d.Copy(t, d.Store, peer, recordtest.Peer, stream, outside)
	revised := func(since, now, lowest uint64) {
		t.Helper()
		gotNow, gotLowest, err := peer.Revised(d.ctx, stream, since)
		if err != nil || gotNow != now || gotLowest != lowest {
			t.Errorf("since %d: %d from %d on (%v), want %d from %d on", since, gotNow, gotLowest, err, now, lowest)
		}
	}
	revised(0, 0, math.MaxUint64)
	if n, err := peer.Rekey(d.ctx, stream, func(id record.KeyID) bool { return id == epoch.ID }); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	revised(0, 1, 1)
	revised(1, 1, math.MaxUint64)
	d.ok(peer.Exec(d.ctx, "INSERT INTO revision (stream, n, seq) SELECT stream, n+1500, 2 FROM revision"))
	revised(1, 1501, 2)
	d.ok(peer.Maintain(d.ctx))
	revised(1, 1501, 0)
	revised(1500, 1501, 2)
	revised(1501, 1501, math.MaxUint64)
}
