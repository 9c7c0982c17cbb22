package record_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// TestCatalogue has one case for each row of the bad-input catalogue "frames and records of peers" that this package
// answers. Offsets, alarms, counters and HTTP states are the callers'.
func TestCatalogue(t *testing.T) {
	fed := newFederation()
	const next = 2 // what the replica of each case holds already
	setup := func(t *testing.T) (*author, *replica) {
		a, r := newAuthor(t, fed), newReplica(t, fed, record.All, groupA)
		wantKind(t, r.offer(a.kafka(a.commit(a.draft(toAll(record.L2)), a.draft(toAll(record.L2))))), record.DoApply, "")
		return a, r
	}
	refuse := func(t *testing.T, r *replica, f *record.Frame, why string) {
		t.Helper()
		wantKind(t, r.offer(f), record.DoRefuse, why)
		if r.f.Head.Size != next {
			t.Error("the stream moved")
		}
	}
	rows := []struct {
		row string
		run func(t *testing.T)
	}{
		{"not our frame, truncated, over the size limits, empty, tombstone", func(t *testing.T) {
			a := newAuthor(t, fed)
			b, err := a.kafka(a.commit(a.draft(toAll(record.L2)))).Encode()
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range [][]byte{nil, {}, []byte("hello"), b[:100], b[:len(b)-1], append(bytes.Clone(b), make([]byte, record.MaxFrame)...)} {
				if _, err := record.DecodeFrame(bad); err == nil {
					t.Errorf("%d bytes decoded", len(bad))
				}
			}
		}},
		{"other federation id", func(t *testing.T) {
			a, r := setup(t)
			f := a.kafka(a.commit(a.draft(toAll(record.L2))))
			f.Federation[31]++
			refuse(t, r, f, record.WhyWrongFederation)
		}},
		{"corrupted bytes", func(t *testing.T) {
			a, r := setup(t)
			f := a.kafka(a.commit(a.draft(toAll(record.L2))))
			f.Headers[0] = bytes.Clone(f.Headers[0])
			f.Headers[0][30] ^= 4
			refuse(t, r, f, record.WhyBadRoot)
			wantKind(t, r.offer(a.answer(a.groups[1], everyGroup)), record.DoApply, "") // another holder heals it
		}},
		{"right signature, wrong topic/stream", func(t *testing.T) {
			_, r := setup(t)
			b := newAuthor(t, fed)
			b.stream, b.signer = record.Stream(other, record.Records), fed.signers[other]
			refuse(t, r, b.kafka(b.commit(b.draft(toAll(record.L2)))), record.WhyWrongStream)
		}},
		{"seq < next, same leaves", func(t *testing.T) {
			a, r := setup(t)
			wantKind(t, r.offer(a.kafka(a.groups[0])), record.DoDuplicate, "")
		}},
		{"seq < next, other leaf under a signed checkpoint", func(t *testing.T) {
			_, r := setup(t)
			b := newAuthor(t, fed)
			b.random.Seed([32]byte{9})
			d := r.offer(b.kafka(b.commit(b.draft(toAll(record.L2)))))
			wantKind(t, d, record.DoForked, "")
			if err := d.Evidence.Verify(fed.signKey); err != nil {
				t.Error(err)
			}
		}},
		{"seq > next", func(t *testing.T) {
			a, r := setup(t)
			a.commit(a.draft(toAll(record.L2)))
			d := r.offer(a.kafka(a.commit(a.draft(toAll(record.L2)))))
			wantKind(t, d, record.DoNeed, "")
			if d.From != next || d.To != next+1 {
				t.Errorf("need [%d,%d)", d.From, d.To)
			}
		}},
		{"recomputed root is not the frame's checkpoint", func(t *testing.T) {
			a, r := setup(t)
			f := a.kafka(a.commit(a.draft(toAll(record.L2))))
			f.Checkpoint = a.checkpoint(record.Tree{Size: 3, Frontier: []tlog.Hash{{1}, {2}}})
			refuse(t, r, f, record.WhyBadRoot)
		}},
		{"box that does not open: not entitled", func(t *testing.T) {
			a, r := setup(t)
			wantKind(t, r.offer(a.kafka(a.commit(a.draft(map[record.GroupID]record.Level{groupB: record.L3})))), record.DoApply, "")
			r.wantStates(next, "meta:withheld card:withheld body:withheld home:none")
			if r.f.Head.Applied != next+1 {
				t.Error("a withheld part stops the applied head")
			}
		}},
		{"box or part that fails AEAD or commitment although entitled", func(t *testing.T) {
			a, r := setup(t)
			f := a.kafka(a.commit(a.draft(toAll(record.L2))))
			f.Boxes[0].Data[0] ^= 1
			wantKind(t, r.offer(f), record.DoApply, "")
			r.wantStates(next, "card:pending body:none home:none")
			if r.f.Head.Applied != next {
				t.Error("applied past a pending part")
			}
		}},
		{"unknown type/version", func(t *testing.T) {
			a, r := setup(t)
			r.f.Usable = func(m record.Meaning, _ map[record.PartName][]byte) string { return "pending_upgrade" }
			wantKind(t, r.offer(a.kafka(a.commitHeaders([]byte(`{"v":3}`)))), record.DoApply, "")
			wantKind(t, r.offer(a.kafka(a.commit(a.draft(toAll(record.L2))))), record.DoApply, "")
			r.wantUnusable(next, record.UnusableVersion)
			r.wantUnusable(next+1, "pending_upgrade")
			if r.f.Head.Applied != next+2 {
				t.Error("an unusable record stops the stream")
			}
		}},
		{"checkpoint signed with an unknown suite only", func(t *testing.T) {
			a, r := setup(t)
			f := a.kafka(a.commit(a.draft(toAll(record.L2))))
			i := bytes.LastIndex(f.Checkpoint, []byte("\n\n"))
			f.Checkpoint = append(bytes.Clone(f.Checkpoint[:i+2]), "— "+record.Origin(fed.id, a.stream)+" AAAAAv8=\n"...)
			refuse(t, r, f, record.WhyUnknownSuite)
		}},
		{"known type, schema-invalid but proven", func(t *testing.T) {
			a, r := setup(t)
			r.f.Usable = func(_ record.Meaning, parts map[record.PartName][]byte) string {
				if len(parts[record.Card]) != 0 {
					return "schema"
				}
				return ""
			}
			wantKind(t, r.offer(a.kafka(a.commit(a.draft(toAll(record.L2))))), record.DoApply, "")
			r.wantUnusable(next, "schema")
		}},
		{"withdraw of foreign/unknown/already withdrawn/erased id", func(t *testing.T) {
			a, r := setup(t)
			mine, foreign := a.groups[0].Records[0].Meaning.ID, a.id()
			a.commit(a.draft(toAll(record.L1), change(record.Withdraws, foreign, 1)))
			a.commit(a.draft(toAll(record.L1), change(record.Withdraws, mine, 1)))
			a.commit(a.draft(toAll(record.L1), change(record.Withdraws, mine, 2)))
			a.commit(a.draft(toAll(record.L1), change(record.Erases, mine, 2)))
			a.commit(a.draft(toAll(record.L1), change(record.Withdraws, mine, 3)))
			for _, g := range a.groups[1:] {
				wantKind(t, r.offer(a.kafka(g)), record.DoApply, "")
			}
			for i, want := range []string{record.UnusableForeignChange, "", record.UnusableSubjectEnded, "", record.UnusableSubjectEnded} {
				r.wantUnusable(uint64(next+i), want)
			}
			r.wantStates(0, "card:gone(3) body:none home:none")
			r.wantStates(1, "card:present body:none home:none")
		}},
		{"time in the far future/past", func(t *testing.T) {
			a, r := setup(t)
			for _, day := range []string{"9999-12-31", "1900-01-01"} {
				d := a.draft(toAll(record.L2))
				d.Day = day
				wantKind(t, r.offer(a.kafka(a.commit(d))), record.DoApply, "")
			}
			r.wantUnusable(next, "")
			r.wantUnusable(next+1, "")
		}},
		{"key from after revocation", func(t *testing.T) {
			a, r := setup(t)
			r.f.SignKey = func(s record.StreamID, seq uint64) (ed25519.PublicKey, bool) {
				key, _ := fed.signKey(s, seq)
				return key, seq < next+1 // compromised from there on, and not cosigned before
			}
			wantKind(t, r.offer(a.kafka(a.commit(a.draft(toAll(record.L2))))), record.DoApply, "")
			wantKind(t, r.offer(a.kafka(a.commit(a.draft(toAll(record.L2))))), record.DoRefuse, record.WhyUnknownKey)
		}},
		{"charter version newer than ours", func(t *testing.T) {
			a, r := setup(t)
			fed := *fed
			a.fed = &fed
			a.fed.charter.Version = 2
			f := a.kafka(a.commit(a.draft(toAll(record.L2))))
			refuse(t, r, f, record.WhyUnknownCharter)
			r.f.CharterKnown = func(record.CharterRef) bool { return true } // fetched
			wantKind(t, r.offer(f), record.DoApply, "")
		}},
		{"range over the limit", func(t *testing.T) {
			a := newAuthor(t, fed)
			var fs []*record.Frame
			for range 6 {
				drafts := make([]record.Draft, record.MaxGroupRecords)
				for i := range drafts {
					drafts[i] = a.draft(toAll(record.L1))
				}
				fs = append(fs, a.answer(a.commit(drafts...), nil))
			}
			whole, err := record.EncodeRange(fs[:5])
			if err != nil {
				t.Fatal(err)
			}
			sixth, err := record.EncodeRange(fs[5:])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := record.DecodeRange(append(whole, sixth[8:]...)); err == nil {
				t.Error("1,200 records decoded")
			}
		}},
		{"replay of a whole old topic", func(t *testing.T) {
			a, r := setup(t)
			for range 20 {
				a.commit(a.draft(toAll(record.L2)))
			}
			for _, g := range a.groups {
				r.offer(a.kafka(g))
			}
			r.keyCalls = 0
			for _, g := range a.groups {
				wantKind(t, r.offer(a.kafka(g)), record.DoDuplicate, "")
			}
			if r.keyCalls != 0 {
				t.Errorf("%d signatures verified", r.keyCalls)
			}
		}},
	}
	for _, row := range rows {
		t.Run(row.row, row.run)
	}
}
