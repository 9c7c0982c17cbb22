package match

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Index finds subjects by what identifies them. The zero Index is empty and ready. It may be used by any number of
// goroutines. What it answers depends on the newest change of each subject alone, not on the order in which changes came.
type Index struct {
	mu       sync.RWMutex
	subjects map[place]*face
	gone     map[place]uint64 // sequence of the deletion, so that an older record that comes late does not return
	postings map[string][]*face
}

// place is a subject of one stream: ids of other streams do not collide with it.
type place struct {
	stream  string
	subject [16]byte
}

// Put makes d the document of its subject, unless the index knows of a newer change. Equal Seq replaces: parts of the
// same record may arrive later.
func (x *Index) Put(d Doc) {
	f := faceOf(d)
	at := place{d.Stream, d.Subject}
	x.mu.Lock()
	defer x.mu.Unlock()
	if seq, ok := x.gone[at]; ok && d.Seq <= seq {
		return
	}
	if old := x.subjects[at]; old != nil {
		if d.Seq < old.doc.Seq {
			return
		}
		x.unpost(old)
	}
	if x.subjects == nil {
		x.subjects, x.postings = map[place]*face{}, map[string][]*face{}
	}
	delete(x.gone, at)
	x.subjects[at] = f
	for _, k := range f.keys() {
		x.postings[k] = append(x.postings[k], f)
	}
}

// Delete takes a subject out, as of the record with sequence seq that ended or emptied it. A Put of that sequence or an
// older one does not bring it back.
func (x *Index) Delete(stream string, subject [16]byte, seq uint64) {
	at := place{stream, subject}
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.subjects[at]; old != nil {
		if seq < old.doc.Seq {
			return
		}
		x.unpost(old)
		delete(x.subjects, at)
	}
	if x.gone == nil {
		x.gone = map[place]uint64{}
	}
	x.gone[at] = max(x.gone[at], seq)
}

// unpost takes a document out of every list. The order of a list means nothing.
func (x *Index) unpost(f *face) {
	for _, k := range f.keys() {
		list := x.postings[k]
		if i := slices.Index(list, f); i >= 0 {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			list = list[:len(list)-1]
		}
		if len(list) == 0 {
			delete(x.postings, k)
		} else {
			x.postings[k] = list
		}
	}
}

// Find returns the candidates, best first and each subject once; none if nothing that was asked is equal. It never
// refuses a question: what cannot be read as an identifier finds nothing by it. A name finds nobody without a birth date.
func (x *Index) Find(q Query) []Found {
	a := read(q)
	var out []Found
	seen := map[*face]bool{}
	x.mu.RLock()
	for _, k := range a.keys() {
		for _, f := range x.postings[k] {
			if seen[f] {
				continue
			}
			seen[f] = true
			if found, ok := a.verdict(f); ok {
				out = append(out, found)
			}
		}
	}
	x.mu.RUnlock()
	slices.SortFunc(out, func(a, b Found) int {
		return cmp.Or(strings.Compare(string(a.Outcome), string(b.Outcome)), // hit before possible
			cmp.Compare(b.weight, a.weight), strings.Compare(a.Doc.Stream, b.Doc.Stream), bytes.Compare(a.Doc.Subject[:], b.Doc.Subject[:]))
	})
	return out
}

// Namesakes returns how many subjects carry exactly this name, as name or recorded alias: 同名 N 人. A number, never a hit.
func (x *Index) Namesakes(name string) int {
	n := NormaliseName(name)
	if n == "" {
		return 0
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.postings[key(kindName, n)])
}

// Len returns the number of subjects.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.subjects)
}
