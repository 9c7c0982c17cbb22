package record_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pilinhub/pilin/record"
)

// vectorAuthor writes with fixed seeds only.
func vectorAuthor(t *testing.T, name string) *author {
	a := newAuthor(t, newFederation())
	a.random = seeded("vectors " + name)
	a.seal.Random = a.random
	return a
}

func checkpointVectors(t *testing.T) vectors {
	v := vectors{About: "Checkpoints (log.md §4): notes that public must have signed under their origin line."}
	fed := newFederation()
	sg := fed.signers[origin]
	public := hexOf(sg.Public())
	sign := func(c record.Checkpoint) []byte {
		b, err := record.SignCheckpoint(sg, c)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	strange, err := record.NewSigner(keyOf("strange")).Note("witness.example/w", "x\n")
	if err != nil {
		t.Fatal(err)
	}
	seven := sign(checkpointOf(fed, 7, tlog.Hash{7}))
	add := func(name string, b []byte) {
		c, err := record.ParseCheckpoint(b)
		if err != nil {
			t.Fatal(err)
		}
		v.Good = append(v.Good, vector{
			"name": name, "note": string(b), "public": public, "federation": c.Federation.String(), "stream": string(c.Stream), "size": c.Size,
			"root": hexOf(c.Root[:]), "charter": c.Charter.Version, "charter_hash": hexOf(c.Charter.Hash[:]),
		})
	}
	add("size 7", seven)
	add("empty tree", sign(checkpointOf(fed, 0, record.EmptyRoot())))
	audit := checkpointOf(fed, 1<<53, tlog.Hash{9})
	audit.Stream = record.Stream(origin, "audit.2")
	add("large audit stream", sign(audit))
	text := "pilin/" + fed.id.String() + "/310116-01/records\n7\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ncharter 1 " + hexOf(fed.charter.Hash[:]) + "\n"
	extended, err := sg.Note(record.Origin(fed.id, record.Stream(origin, record.Records)), text+"later extension\n")
	if err != nil {
		t.Fatal(err)
	}
	add("with an extension line of a later release", extended)

	edit := func(old, new string) string { return strings.Replace(string(seven), old, new, 1) }
	raw := func(name string, text string) []byte {
		b, err := sg.Note(record.Origin(fed.id, record.Stream(origin, record.Records)), text)
		if err != nil {
			t.Fatal(name, err)
		}
		return b
	}
	stray := bytes.Clone(seven)
	stray[len(stray)-3]++
	for _, c := range []struct{ name, note, public string }{
		{"other size under the signature", edit("\n7\n", "\n8\n"), public},
		{"other key", string(seven), hexOf(record.NewSigner(keyOf("strange")).Public())},
		{"signature of a stranger only", edit(string(seven[strings.LastIndex(string(seven), "\n\n"):]), "\n\n"+string(strange[3:])), public},
		{"signed under another name", edit("— pilin/", "— polin/"), public},
		{"base64 with stray bits", string(stray), public},
		{"signed, size with leading zero", string(raw("zero", strings.Replace(text, "\n7\n", "\n07\n", 1))), public},
		{"signed, without charter line", string(raw("charter", strings.Replace(text, "charter 1 ", "chapter 1 ", 1))), public},
		{"signed, empty tree with another root", string(raw("empty", strings.Replace(text, "\n7\n", "\n0\n", 1))), public},
		{"signed, size 2^62", string(raw("size", strings.Replace(text, "\n7\n", "\n4611686018427387904\n", 1))), public},
		{"signed, root of 31 bytes", string(raw("root", strings.Replace(text, "AAA=\n", "\n", 1))), public},
		{"small-order key, for which one signature fits all", smallOrderNote(text), "01" + strings.Repeat("00", 31)},
	} {
		v.Bad = append(v.Bad, vector{"name": c.name, "note": c.note, "public": c.public})
	}
	return refused(t, v, func(x vector) error {
		_, err := record.VerifyCheckpoint([]byte(x["note"].(string)), unhex(x["public"].(string)))
		return err
	})
}

// smallOrderNote signs text with the identity as key: R = identity, S = 0.
func smallOrderNote(text string) string {
	name, _, _ := strings.Cut(text, "\n")
	sum := noteKeyHash(name, 1, append([]byte{1}, make([]byte, 31)...))
	return text + "\n— " + name + " " + base64Of(append(sum, append([]byte{1}, make([]byte, 63)...)...)) + "\n"
}

func frameVectors(t *testing.T) vectors {
	v := vectors{About: "Frames in Kafka form (wire.md §2), base64. before are the leaves before first, so that the root can be computed; the boxes open with the epochs' keys."}
	a := vectorAuthor(t, "frame")
	subject := a.draft(toAll(record.L3))
	withdrawal := a.draft(toAll(record.L1), change(record.Withdraws, subject.ID, 1))
	withdrawal.Parts = map[record.PartName][]byte{record.Home: []byte(`{"why":"x"}`)}
	groups := []record.Group{
		a.commit(a.draft(toAll(record.L1))),
		a.commit(subject, a.draft(map[record.GroupID]record.Level{groupA: record.L2, groupB: record.L3})),
		a.commit(withdrawal),
	}
	keys := []vector{}
	for _, g := range []record.GroupID{record.All, groupA, groupB} {
		e := a.fed.epochs[g]
		keys = append(keys, vector{"id": e.ID.String(), "key": hexOf(e.Key[:])})
	}
	for i, g := range groups {
		f := a.kafka(g)
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		opened := []vector{}
		used := map[string]bool{}
		for _, x := range f.Boxes {
			salt, content, err := record.OpenBox(g.Records[x.Index].Leaf, x.Part, x.Data, x.Wraps, a.fed.keys(everyGroup))
			if err != nil {
				t.Fatal(err)
			}
			ids := []string{}
			for _, w := range x.Wraps {
				ids = append(ids, hexOf(w[:16]))
				used[hexOf(w[:16])] = true
			}
			opened = append(opened, vector{"index": x.Index, "part": string(x.Part), "keys": ids, "salt": hexOf(salt[:]), "bytes": hexOf(content)})
		}
		mine := []vector{}
		for _, k := range keys {
			if used[k["id"].(string)] {
				mine = append(mine, k)
			}
		}
		good := vector{
			"name": "group " + string(rune('1'+i)), "frame": base64Of(b), "public": hexOf(a.signer.Public()), "federation": a.fed.id.String(),
			"stream": string(g.Stream), "first": g.First, "count": len(g.Records), "boxes": opened, "epochs": mine, "before": hashes(a.leaves[:g.First]),
		}
		v.Good = append(v.Good, good)
	}
	small, err := a.kafka(groups[0]).Encode()
	if err != nil {
		t.Fatal(err)
	}
	boxed, err := a.kafka(groups[1]).Encode()
	if err != nil {
		t.Fatal(err)
	}
	bad := func(name string, b []byte, change func(b []byte) []byte) {
		before := []tlog.Hash{}
		if bytes.Equal(b, boxed) {
			before = a.leaves[:groups[1].First]
		}
		v.Bad = append(v.Bad, vector{"name": name, "frame": base64Of(change(bytes.Clone(b))), "public": hexOf(a.signer.Public()), "before": hashes(before)})
	}
	kind := bytes.LastIndex(boxed, []byte("\x04body")) + 5
	bad("empty", small, func([]byte) []byte { return nil })
	bad("later format", small, func(b []byte) []byte { b[7] = 2; return b })
	bad("cut short", small, func(b []byte) []byte { return b[:len(b)-1] })
	bad("padded to the next step", small, func(b []byte) []byte { return append(b, make([]byte, 4<<10-len(b))...) })
	bad("padding not zero", small, func(b []byte) []byte { b[len(b)-1] = 1; return b })
	bad("length one short", small, func(b []byte) []byte { b[11]--; return b })
	bad("length one long", small, func(b []byte) []byte { b[11]++; return b })
	bad("length past the end", small, func(b []byte) []byte { b[8] = 0xff; return b })
	bad("no records", small, func(b []byte) []byte { b[12+32+18+9] = 0; return b })
	bad("first that the checkpoint contradicts", small, func(b []byte) []byte { b[12+32+18+7] = 3; return b })
	bad("header changed", small, func(b []byte) []byte { b[12+32+18+10+4+20] ^= 1; return b })
	bad("open box in Kafka", boxed, func(b []byte) []byte { b[kind] = 1; return b })
	bad("unknown kind", boxed, func(b []byte) []byte { b[kind] = 3; return b })
	bad("boxes out of order", boxed, func(b []byte) []byte { copy(b[kind-4:], "card"); return b })
	return refused(t, v, func(x vector) error {
		b, err := base64.StdEncoding.DecodeString(x["frame"].(string))
		if err != nil {
			return err
		}
		f, err := record.DecodeFrame(b)
		if err != nil {
			return err
		}
		tree := record.Tree{}
		for _, l := range x["before"].([]string) {
			tree = tree.Add([32]byte(unhex(l)))
		}
		for _, h := range f.Headers {
			tree = tree.Add(record.Leaf(h))
		}
		c, err := record.VerifyCheckpoint(f.Checkpoint, a.signer.Public())
		if err == nil && c.Root != tree.Root() {
			return record.ErrBadSignature
		}
		return err
	})
}

func rangeVectors(t *testing.T) vectors {
	v := vectors{About: "Range answers (wire.md §3), base64; parts are proven against their header's commitment."}
	a := vectorAuthor(t, "range")
	g1 := a.commit(a.draft(toAll(record.L2)), a.draft(toA(record.L1)))
	g2 := a.commit(a.draft(toAll(record.L3)))
	g2.Records[0].Parts[1] = record.StoredPart{Name: record.Body, State: record.PartGone, GoneBy: 9}
	fs := []*record.Frame{a.answer(g1, everyGroup), a.answer(g2, everyGroup)}
	encode := func(fs ...*record.Frame) []byte {
		b, err := record.EncodeRange(fs)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name string
		fs   []*record.Frame
	}{{"two groups", fs}, {"one group", fs[1:]}, {"none", nil}} {
		groups := []vector{}
		for _, f := range c.fs {
			boxes := []vector{}
			for _, x := range f.Boxes {
				boxes = append(boxes, vector{"index": x.Index, "part": string(x.Part), "kind": int(x.Kind), "data": hexOf(x.Data)})
			}
			groups = append(groups, vector{"stream": string(f.Stream), "federation": f.Federation.String(), "first": f.First, "count": len(f.Headers), "boxes": boxes})
		}
		good := vector{"name": c.name, "range": base64Of(encode(c.fs...)), "groups": groups, "before": []string{}}
		if len(c.fs) > 0 { // what proves nothing needs no key
			good["public"], good["before"] = hexOf(a.signer.Public()), hashes(a.leaves[:c.fs[0].First])
		}
		v.Good = append(v.Good, good)
	}
	before := []string{}
	bad := func(name string, b []byte) {
		v.Bad = append(v.Bad, vector{"name": name, "range": base64Of(b), "public": hexOf(a.signer.Public()), "before": before})
	}
	both, one := encode(fs...), encode(fs[0])
	sealed, err := a.kafka(g1).Encode()
	if err != nil {
		t.Fatal(err)
	}
	bad("a frame is no range", sealed)
	bad("cut short", both[:len(both)-1])
	bad("a byte too many", append(bytes.Clone(both), 0))
	before = hashes(a.leaves[:2])
	bad("groups in the wrong order", append(encode(fs[1]), one[8:]...))
	before = []string{}
	bad("a group twice", append(bytes.Clone(one), one[8:]...))
	long := bytes.Clone(one)
	long[8] = 1
	bad("length past the end", long)
	return refused(t, v, func(x vector) error {
		b, err := base64.StdEncoding.DecodeString(x["range"].(string))
		if err != nil {
			return err
		}
		_, err = record.DecodeRange(b)
		return err
	})
}

func receiptVectors(t *testing.T) vectors {
	v := vectors{About: "Receipts (log.md §5): origin_public signed the checkpoint, member_public the cosignature and the held note."}
	a := vectorAuthor(t, "receipt")
	g := a.commit(a.draft(toAll(record.L1)), a.draft(toAll(record.L1)), a.draft(toAll(record.L1)))
	sg := a.fed.signers[other]
	sign := func(held []record.HeldBack, unix int64) []byte {
		b, err := record.SignReceipt(sg, a.fed.id, other, g.Checkpoint, held, unix)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	some := []record.HeldBack{{Seq: 0, Reason: record.HeldUnusable}, {Seq: 1, Reason: record.HeldWithheld}, {Seq: 2, Reason: record.HeldPending}}
	keys := vector{"federation": a.fed.id.String(), "by": string(other), "member_public": hexOf(sg.Public()), "origin_public": hexOf(a.signer.Public())}
	put := func(into *[]vector, members vector) {
		for k, x := range keys {
			if _, ok := members[k]; !ok {
				members[k] = x
			}
		}
		*into = append(*into, members)
	}
	root := a.tree.Root()
	put(&v.Good, vector{"name": "all applied", "receipt": string(sign(nil, 1_772_000_000)), "stream": string(a.stream), "size": 3, "root": hexOf(root[:]), "time": 1_772_000_000, "held": []any{}})
	put(&v.Good, vector{"name": "some held back", "receipt": string(sign(some, 1)), "stream": string(a.stream), "size": 3, "root": hexOf(root[:]), "time": 1,
		"held": []any{[]any{0, "unusable"}, []any{1, "withheld"}, []any{2, "pending"}}})
	good := string(sign(some, 1))
	plain := `{"v":1,"checkpoint":` + quote(g.Checkpoint) + `,"held":` + quote(noteIn(t, []byte(good), "held")) + `}`
	for name, text := range map[string]string{
		"held line dropped":       strings.Replace(good, `2 pending\n`, "", 1),
		"no cosignature":          plain,
		"unknown member":          strings.Replace(good, `"v":1`, `"v":1,"x":1`, 1),
		"later version":           strings.Replace(good, `"v":1`, `"v":2`, 1),
		"duplicate member":        strings.Replace(good, `"v":1`, `"v":1,"v":1`, 1),
		"held lines out of order": heldNote(t, sg, a, g, "2 pending\n1 pending\n", good),
		"held past the size":      heldNote(t, sg, a, g, "3 pending\n", good),
		"held twice":              heldNote(t, sg, a, g, "1 pending\n1 unusable\n", good),
		"unknown reason":          heldNote(t, sg, a, g, "1 asleep\n", good),
	} {
		put(&v.Bad, vector{"name": name, "receipt": text})
	}
	put(&v.Bad, vector{"name": "of another member", "receipt": good, "by": string(origin)})
	put(&v.Bad, vector{"name": "of another federation", "receipt": good, "federation": strings.Repeat("0", 64)})
	put(&v.Bad, vector{"name": "other origin key", "receipt": good, "origin_public": hexOf(sg.Public())})
	sortByName(v.Bad)
	return refused(t, v, func(x vector) error {
		fed, err := record.ParseFederationID(x["federation"].(string))
		if err != nil {
			return err
		}
		_, err = record.VerifyReceipt([]byte(x["receipt"].(string)), fed, record.MemberID(x["by"].(string)), unhex(x["member_public"].(string)), fixedKey(x["origin_public"].(string)))
		return err
	})
}

// heldNote replaces the held note of a receipt by a signed one with other lines.
func heldNote(t *testing.T, sg *record.Signer, a *author, g record.Group, lines, receipt string) string {
	c, err := record.ParseCheckpoint(g.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	name := "pilin/" + a.fed.id.String() + "/" + string(other) + "/receipt"
	sum := record.FederationID(sha([]byte(c.Text)))
	b, err := sg.Note(name, name+"\n"+record.Origin(a.fed.id, a.stream)+"\n3\n"+hex.EncodeToString(sum[:])+"\n"+lines)
	if err != nil {
		t.Fatal(err)
	}
	return `{"v":1,"checkpoint":` + quote(noteIn(t, []byte(receipt), "checkpoint")) + `,"held":` + quote(b) + `}`
}

func evidenceVectors(t *testing.T) vectors {
	v := vectors{About: "Fork evidence (log.md §7); bad ones are well-formed or not, and prove nothing."}
	fed := newFederation()
	honest, liar := someLeaves(5), someLeaves(5)
	liar[1] = tlog.Hash{0xbb}
	sign := func(leaves []tlog.Hash) []byte {
		tree := record.Tree{}
		for _, l := range leaves {
			tree = tree.Add(l)
		}
		b, err := record.SignCheckpoint(fed.signers[origin], checkpointOf(fed, tree.Size, tree.Root()))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	put := func(into *[]vector, name string, e record.Evidence) {
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		*into = append(*into, vector{"name": name, "evidence": string(b), "public": hexOf(fed.signers[origin].Public())})
	}
	put(&v.Good, "same size", record.Evidence{A: sign(honest), B: sign(liar)})
	put(&v.Good, "smaller first", record.Evidence{A: sign(honest[:3]), B: sign(liar), Leaves: liar})
	put(&v.Good, "larger first", record.Evidence{A: sign(liar), B: sign(honest[:2]), Leaves: liar})
	put(&v.Bad, "one tree", record.Evidence{A: sign(honest[:3]), B: sign(honest), Leaves: honest})
	put(&v.Bad, "one note twice", record.Evidence{A: sign(honest), B: sign(honest)})
	put(&v.Bad, "without leaves", record.Evidence{A: sign(honest[:3]), B: sign(liar)})
	put(&v.Bad, "leaves of nobody", record.Evidence{A: sign(honest[:3]), B: sign(honest), Leaves: liar})
	put(&v.Bad, "size before the fork", record.Evidence{A: sign(honest[:1]), B: sign(liar), Leaves: liar})
	good := v.Good[1]["evidence"].(string)
	for _, c := range [][2]string{
		{"unsigned", strings.Replace(good, `\n3\n`, `\n4\n`, 1)},
		{"later version", strings.Replace(good, `"v":1`, `"v":2`, 1)},
		{"leaf in capitals", strings.Replace(good, "bb00", "BB00", 1)},
	} {
		v.Bad = append(v.Bad, vector{"name": c[0], "evidence": c[1], "public": v.Good[0]["public"]})
	}
	return refused(t, v, func(x vector) error {
		e, err := record.DecodeEvidence([]byte(x["evidence"].(string)))
		if err != nil {
			return err
		}
		return e.Verify(fixedKey(x["public"].(string)))
	})
}
