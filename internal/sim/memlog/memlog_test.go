package memlog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/sim/memlog"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

func config(c recordtest.Config) memlog.Config {
	return memlog.Config{Self: c.Self, Federation: c.Federation, Sealer: c.Sealer, Signer: c.Signer, Charter: c.Charter}
}

func TestMemlog_IsALog(t *testing.T) {
	recordtest.Run(t, func(_ *testing.T, c recordtest.Config) record.Log { return memlog.New(config(c)) }, recordtest.Features{
		Restart: func(_ *testing.T, l record.Log) record.Log { return l.(*memlog.Log).Crash() },
		Prune: func(t *testing.T, l record.Log, now time.Time) {
			if err := l.(*memlog.Log).Prune(now.Add(-5 * time.Minute).Unix()); err != nil {
				t.Fatal(err)
			}
		},
		Runs: 30,
	})
}

// A full disk refuses every write, keeps what is there, and takes writes again when there is room.
func TestMemlog_FullDisk(t *testing.T) {
	k := recordtest.NewKit(1)
	l := memlog.New(config(k.Config(recordtest.Self)))
	put := func() error {
		_, err := l.Append(context.Background(), record.Append{Drafts: []record.Draft{k.Draft(recordtest.Self, record.Audit)}})
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	l.SetFull(true)
	if err := put(); !errors.Is(err, record.ErrStorageFull) {
		t.Fatalf("got %v on a full disk", err)
	}
	l.SetFull(false)
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if h, err := l.Head(context.Background(), record.Stream(recordtest.Self, record.Audit)); err != nil || h.Size != 2 {
		t.Fatalf("head %+v, %v", h, err)
	}
}

// An older copy of the disk knows nothing of what came later; the newer log is not touched by it.
func TestMemlog_RestoreIsOlder(t *testing.T) {
	k := recordtest.NewKit(1)
	ctx := context.Background()
	l := memlog.New(config(k.Config(recordtest.Self)))
	stream := record.Stream(recordtest.Self, record.Records)
	put := func(l *memlog.Log, refs ...record.Ref) record.Placed {
		a, err := l.Append(ctx, record.Append{Drafts: []record.Draft{k.Draft(recordtest.Self, record.Records, refs...)}})
		if err != nil {
			t.Fatal(err)
		}
		return a.Records[0]
	}
	first := put(l)
	disk := l.Copy()
	put(l, record.Ref{Rel: record.Withdraws, ID: first.ID, Version: 1})
	old := l.Restore(disk)
	put(old)
	for log, want := range map[*memlog.Log]record.PartState{l: record.PartGone, old: record.PartPresent} {
		st, err := log.Record(ctx, first.ID)
		if err != nil || st.Parts[0].State != want {
			t.Fatalf("%+v, %v, want state %d", st.Parts, err, want)
		}
		if h, err := log.Head(ctx, stream); err != nil || h.Size != 2 {
			t.Fatalf("head %+v, %v", h, err)
		}
	}
}
