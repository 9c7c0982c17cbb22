package record_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/record"
)

var update = flag.Bool("update", false, "write schemas/vectors anew instead of comparing")

const vectorFolder = "../schemas/vectors"

// vectors is one file: what a reader must accept, and what it must refuse. The members of each vector are those that
// verify.py reads; nothing in a good one is there for show, so that any flipped byte is found.
type vectors struct {
	About string   `json:"about"`
	Good  []vector `json:"good"`
	Bad   []vector `json:"bad"`
}

type vector map[string]any

func hexOf(b []byte) string    { return hex.EncodeToString(b) }
func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// TestVectors makes all files anew from fixed seeds and compares them with those that are kept.
func TestVectors(t *testing.T) {
	files := map[string]vectors{
		"header.json": headerVectors(t), "part.json": partVectors(t), "box.json": boxVectors(t), "tree.json": treeVectors(t),
		"checkpoint.json": checkpointVectors(t), "frame.json": frameVectors(t), "range.json": rangeVectors(t),
		"receipt.json": receiptVectors(t), "evidence.json": evidenceVectors(t),
		"charter.json": charterVectors(t), "token.json": tokenVectors(t),
	}
	for name, v := range files {
		b, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent(" "))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, '\n')
		path := filepath.Join(vectorFolder, name)
		if *update {
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(kept, b) {
			t.Errorf("%s is not what this code writes: a format changed, or run with -update after a change of the vectors", name)
		}
	}
}

// TestVectors_SecondReader runs the independent verifier, which shares no line with this package, and its self-test.
func TestVectors_SecondReader(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: the independent verifier did not run")
	}
	for _, args := range [][]string{{}, {"--self-test"}} {
		out, err := exec.CommandContext(t.Context(), python, append([]string{filepath.Join(vectorFolder, "verify.py")}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("verify.py %v: %v\n%s", args, err, out)
		}
	}
}

// refused holds our own decoders to the bad vectors as they are made.
func refused(t *testing.T, v vectors, accept func(vector) error) vectors {
	t.Helper()
	for _, bad := range v.Bad {
		if accept(bad) == nil {
			t.Errorf("vector %q is accepted", bad["name"])
		}
	}
	for _, good := range v.Good {
		if err := accept(good); err != nil {
			t.Errorf("vector %q: %v", good["name"], err)
		}
	}
	return v
}

func meaningVector(m record.Meaning) vector {
	audience, refs := vector{}, []any{}
	for g, l := range m.Audience {
		audience[string(g)] = l.String()
	}
	for _, r := range m.Refs {
		refs = append(refs, []any{string(r.Rel), r.ID.String(), r.Version})
	}
	subject, version := m.Subject()
	return vector{
		"id": m.ID.String(), "type": m.Type, "schema": m.Schema, "day": m.Day, "audience": audience, "refs": refs,
		"subject": subject.String(), "version": version,
	}
}

func headerVectors(t *testing.T) vectors {
	v := vectors{About: "Headers and meta (log.md §2). header and meta are text, or header_hex where that is not possible. leaf = SHA-256(0x00, header). A bad one must be refused."}
	sealedEmpty := strings.Replace(sealedHeader, `"`+hex32a+`","`+hex32b+`"`, "", 1)
	emptyMeta := strings.Replace(sealedMeta, `"`+hex32a+`":"L1","`+hex32b+`":"L3"`, "", 1)
	tolerant := strings.Replace(openHeader, `}]}`, `},{"part":"scan","mac":"`+mac+`"}],"later":{"x":[1,null]}}`, 1)
	local := strings.Replace(strings.Replace(openHeader, "/records", "/local", 1), `"`+hex32a+`":"L1","all":"L3"`, "", 1)
	for _, c := range [][3]string{
		{"open", openHeader, ""},
		{"open, with a part and a member of later releases", tolerant, ""},
		{"local stream, for nobody", local, ""},
		{"sealed", sealedHeader, sealedMeta},
		{"sealed, for nobody", sealedEmpty, emptyMeta},
	} {
		h, err := record.DecodeHeader([]byte(c[1]))
		if err != nil {
			t.Fatalf("%s: %v", c[0], err)
		}
		good := vector{"name": c[0], "header": c[1], "stream": string(h.Stream), "seq": h.Seq, "sealed": h.Sealed()}
		var meta []byte
		if c[2] != "" {
			meta, good["meta"] = []byte(c[2]), c[2]
		}
		m, err := h.Meaning(meta)
		if err != nil {
			t.Fatalf("%s: %v", c[0], err)
		}
		leaf := record.Leaf([]byte(c[1]))
		good["meaning"], good["leaf"] = meaningVector(m), hexOf(leaf[:])
		v.Good = append(v.Good, good)
	}
	edit := func(old, new string) string { return strings.Replace(openHeader, old, new, 1) }
	for _, c := range [][3]string{
		{"later version", edit(`"v":1`, `"v":2`), ""},
		{"1.0 for 1", edit(`"v":1`, `"v":1.0`), ""},
		{"duplicate member", edit(`"seq":"41"`, `"seq":"41","seq":"41"`), ""},
		{"duplicate member, escaped", edit(`"seq":"41"`, `"seq":"41","\u0073eq":"41"`), ""},
		{"case variant", edit(`"type"`, `"Type"`), ""},
		{"white space", edit(`"v":1,`, `"v":1, `), ""},
		{"trailing newline", openHeader + "\n", ""},
		{"not ASCII", edit(`"v":1`, `"v":1,"x":"测"`), ""},
		{"lone surrogate", edit(`"v":1`, `"v":1,"x":"\ud800"`), ""},
		{"NaN", edit(`"v":1`, `"v":1,"x":NaN`), ""},
		{"nested 33 deep", edit(`"v":1`, `"v":1,"x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)), ""},
		{"over 8 KiB", edit(`"v":1`, `"v":1,"x":"`+strings.Repeat("x", record.MaxHeader)+`"`), ""},
		{"null member", edit(`"2026-03-13"`, `null`), ""},
		{"sequence with leading zero", edit(`"41"`, `"041"`), ""},
		{"sequence 2^62", edit(`"41"`, `"4611686018427387904"`), ""},
		{"id in capitals", edit(hex32a, strings.ToUpper(hex32a)), ""},
		{"no such day", edit(`2026-03-13`, `2026-02-29`), ""},
		{"L0", edit(`"L3"`, `"L0"`), ""},
		{"open without all", edit(`"all":"L3"`, `"`+hex32b+`":"L3"`), ""},
		{"two changes", edit(`cites`, `follows`), ""},
		{"change after version 0", edit(`"version":"1"`, `"version":"0"`), ""},
		{"parts out of order", edit(`"part":"card"`, `"part":"home"`), ""},
		{"meta in an open header", edit(`"part":"card"`, `"part":"meta"`), ""},
		{"open and sealed at once", edit(`"refs"`, `"week":"2026-W11","keys":[],"refs"`), ""},
		{"open with a null week", edit(`"refs"`, `"week":null,"refs"`), ""},
		{"sealed with null refs", strings.Replace(sealedHeader, `"week"`, `"refs":null,"week"`, 1), sealedMeta},
		{"audience in a local stream", edit(`/records`, `/local`), ""},
		{"sealed without meta part", strings.Replace(sealedHeader, `"meta"`, `"card"`, 1), sealedMeta},
		{"keys out of order", strings.Replace(sealedHeader, hex32a+`","`+hex32b, hex32b+`","`+hex32a, 1), sealedMeta},
		{"meta for all", sealedHeader, strings.Replace(sealedMeta, hex32a, "all", 1)},
		{"meta of another week", sealedHeader, strings.Replace(sealedMeta, "03-13", "03-16", 1)},
		{"meta with fewer groups than keys", sealedHeader, strings.Replace(sealedMeta, `"`+hex32a+`":"L1",`, ``, 1)},
	} {
		bad := vector{"name": c[0], "header": c[1]}
		if c[2] != "" {
			bad["meta"] = c[2]
		}
		v.Bad = append(v.Bad, bad)
	}
	v.Bad = append(v.Bad, vector{"name": "invalid UTF-8", "header_hex": hexOf([]byte(edit(`"v":1`, "\"v\":1,\"x\":\"\xff\"")))})
	return refused(t, v, func(x vector) error {
		text, _ := x["header"].(string)
		if raw, ok := x["header_hex"].(string); ok {
			text = string(unhex(raw))
		}
		h, err := record.DecodeHeader([]byte(text))
		if err != nil {
			return err
		}
		var meta []byte
		if s, ok := x["meta"].(string); ok {
			meta = []byte(s)
		}
		_, err = h.Meaning(meta)
		return err
	})
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func partVectors(t *testing.T) vectors {
	v := vectors{About: "Commitments (log.md §3): mac = HMAC-SHA256(salt, bytes)."}
	salt := [32]byte(bytes.Repeat([]byte{0xa5}, 32))
	for _, content := range []string{`{"name":"测甲一"}`, `{}`, strings.Repeat("x", 200)} {
		c := record.Commit(salt, []byte(content))
		v.Good = append(v.Good, vector{"name": "part of " + base64Of([]byte(content))[:4], "salt": hexOf(salt[:]), "bytes": hexOf([]byte(content)), "mac": hexOf(c[:])})
		salt[0]++
	}
	first := v.Good[0]
	v.Bad = []vector{
		{"name": "one space more", "salt": first["salt"], "bytes": hexOf([]byte(`{"name": "测甲一"}`)), "mac": first["mac"]},
		{"name": "salt of another part", "salt": v.Good[1]["salt"], "bytes": first["bytes"], "mac": first["mac"]},
	}
	return refused(t, v, func(x vector) error {
		c := record.Commitment{MAC: [32]byte(unhex(x["mac"].(string)))}
		if !record.Check(c, [32]byte(unhex(x["salt"].(string))), unhex(x["bytes"].(string))) {
			return record.ErrBox
		}
		return nil
	})
}

func boxVectors(t *testing.T) vectors {
	v := vectors{About: "Boxes and wraps (wire.md §1). A reader opens the wrap with key, then the box, then checks mac; a good one also rebuilds both byte for byte."}
	leaf := record.Leaf([]byte(openHeader))
	for i, name := range []record.PartName{record.Meta, record.Card, record.Body} {
		p := record.StoredPart{Name: name, Salt: [32]byte{byte(i), 1}, Bytes: bytes.Repeat([]byte(`{"测":1}`), 1+5*i)}
		e := record.EpochKey{ID: record.KeyID{byte(i), 2}, Key: [32]byte{byte(i), 3}}
		w, c := record.Wrap(leaf, p, e), record.Commit(p.Salt, p.Bytes)
		v.Good = append(v.Good, vector{
			"name": "part " + string(name), "leaf": hexOf(leaf[:]), "part": string(name), "salt": hexOf(p.Salt[:]), "bytes": hexOf(p.Bytes),
			"key_id": e.ID.String(), "key": hexOf(e.Key[:]), "box": hexOf(record.Box(leaf, p)), "wrap": hexOf(w[:]), "mac": hexOf(c[:]),
		})
	}
	change := func(name, member string, value any) {
		bad := vector{}
		for k, x := range v.Good[1] {
			bad[k] = x
		}
		delete(bad, "salt")
		delete(bad, "bytes")
		bad["name"], bad[member] = name, value
		v.Bad = append(v.Bad, bad)
	}
	flip := func(member string, at int) string {
		b := unhex(v.Good[1][member].(string))
		b[at] ^= 1
		return hexOf(b)
	}
	change("leaf of another record", "leaf", flip("leaf", 0))
	change("part of another name", "part", "body")
	change("other epoch key", "key", flip("key", 0))
	change("wrap for another key id", "wrap", flip("wrap", 0))
	change("wrap damaged", "wrap", flip("wrap", 63))
	change("box damaged", "box", flip("box", 0))
	change("tag damaged", "box", flip("box", len(v.Good[1]["box"].(string))/2-1))
	change("commitment of other bytes", "mac", flip("mac", 0))
	return refused(t, v, func(x vector) error {
		get := func(member string) []byte { return unhex(x[member].(string)) }
		e := record.EpochKey{ID: record.KeyID(get("key_id")), Key: [32]byte(get("key"))}
		part := record.PartName(x["part"].(string))
		salt, b, err := record.OpenBox([32]byte(get("leaf")), part, get("box"), [][64]byte{[64]byte(get("wrap"))}, func(id record.KeyID) (record.EpochKey, bool) {
			return e, id == e.ID
		})
		if err == nil && !record.Check(record.Commitment{MAC: [32]byte(get("mac"))}, salt, b) {
			return record.ErrBox
		}
		return err
	})
}

func treeVectors(t *testing.T) vectors {
	v := vectors{About: "Trees (RFC 6962 §2.1): root of leaf hashes, inclusion proofs {seq, proof}, consistency proofs {old, root, proof}."}
	hexes := func(n int) []string {
		out := []string{}
		for _, l := range someLeaves(n) {
			out = append(out, hexOf(l[:]))
		}
		return out
	}
	for _, n := range []int{0, 1, 2, 3, 7, 8, 13} {
		leaves := someLeaves(n)
		var tree record.Tree
		var roots []string
		for _, l := range leaves {
			r := tree.Root()
			roots = append(roots, hexOf(r[:]))
			tree = tree.Add(l)
		}
		root := tree.Root()
		good := vector{"name": fmt.Sprintf("%d leaves", n), "leaves": hexes(n), "root": hexOf(root[:])}
		var inclusion, consistency []vector
		for i := range n {
			p, err := record.ProveInclusion(reader(leaves), uint64(n), uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			inclusion = append(inclusion, vector{"seq": i, "proof": hashes(p)})
			if i == 0 {
				continue
			}
			if p, err = record.ProveConsistency(reader(leaves), uint64(n), uint64(i)); err != nil {
				t.Fatal(err)
			}
			consistency = append(consistency, vector{"old": i, "root": roots[i], "proof": hashes(p)})
		}
		good["inclusion"], good["consistency"] = slices.Clone(inclusion), slices.Clone(consistency)
		v.Good = append(v.Good, good)
	}
	swapped := hexes(3)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	v.Bad = []vector{
		{"name": "leaves swapped", "leaves": swapped, "root": v.Good[3]["root"], "inclusion": []vector{}, "consistency": []vector{}},
		{"name": "proof of another leaf", "leaves": hexes(3), "root": v.Good[3]["root"], "consistency": []vector{},
			"inclusion": []vector{{"seq": 1, "proof": v.Good[3]["inclusion"].([]vector)[0]["proof"]}}},
	}
	return v
}

func hashes[H ~[32]byte](hs []H) []string {
	out := []string{}
	for _, h := range hs {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}
