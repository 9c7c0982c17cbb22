package match

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"sync"
)

// OpenSnapshot reads what WriteSnapshot wrote and returns the engine and the caller's position. Postings stay in the file,
// mapped; subjects are unsealed into memory. Every byte is checked first: a file that was torn, changed, or written by
// another version or under another secret gives a *SnapshotError. A file that is not there gives an error that is
// fs.ErrNotExist. The file may be replaced or removed while the engine lives, but not written into.
func OpenSnapshot(path string, options ...Option) (*Engine, []byte, error) {
	e := NewEngine(options...)
	if e.secret.master == nil {
		return nil, nil, ErrNoSecret
	}
	file, unmap, err := mapFile(path)
	if err != nil {
		return nil, nil, err
	}
	position, reason := e.open(file)
	if reason != "" {
		unmap()
		return nil, nil, &SnapshotError{path, reason}
	}
	runtime.AddCleanup(e.base, func(unmap func()) { unmap() }, unmap) // once a merge has made another base
	return e, position, nil
}

// open fills an empty engine; reason says why it could not.
func (e *Engine) open(file []byte) (position []byte, reason string) {
	a, reason := readAbout(file, &e.secret)
	if reason != "" {
		return nil, reason
	}
	var part [sections][]byte
	for i, s := range a.at {
		if s.from+s.length > uint64(len(file)) {
			return nil, "damaged: a section lies outside"
		}
		part[i] = file[s.from : s.from+s.length : s.from+s.length]
	}
	var wg sync.WaitGroup
	var good [sections]bool
	for i := range part {
		wg.Go(func() { good[i] = sha256.Sum256(part[i]) == a.at[i].sum })
	}
	wg.Wait()
	if good != [sections]bool{true, true, true, true, true, true} {
		return nil, "damaged: a section is not as it was written"
	}
	plain, err := newOpener(part[sectionSealed], &e.secret, a.salt)
	if err != nil {
		return nil, err.Error()
	}
	if err := e.subjectsFrom(plain, a.n); err != nil {
		return nil, err.Error()
	}
	e.base = &segment{width: a.width, buckets: part[sectionBuckets], checks: part[sectionChecks], ids: part[sectionIDs]}
	if a.recent > 0 {
		e.recent = &recent{width: a.recent, buckets: make([]uint32, a.at[sectionRecentBuckets].length/4), posts: make([]filed, a.at[sectionRecentPosts].length/8)}
		for i := range e.recent.buckets {
			e.recent.buckets[i] = binary.LittleEndian.Uint32(part[sectionRecentBuckets][4*i:])
		}
		for i := range e.recent.posts {
			e.recent.posts[i] = filed(binary.LittleEndian.Uint64(part[sectionRecentPosts][8*i:]))
		}
	}
	e.first = e.store.n
	return a.position, ""
}
