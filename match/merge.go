package match

import (
	"iter"
	"slices"
	"sync"
)

// merge takes the delta into the recent part, and this into the base when it has grown. It works beside questions and
// changes; the writer's lock is held when it begins. If one runs already, the delta goes on growing until that ends.
func (e *Engine) merge() {
	if e.merging() {
		if e.store.n-e.first < deltaMost {
			return
		}
		e.writer.Unlock()
		e.merges.Wait()
		e.writer.Lock()
		if e.merging() || e.store.n-e.first < deltaLimit {
			return // somebody else has begun the next
		}
	}
	if e.sparse() || e.base.len() > bucketMost<<e.base.width {
		e.rebuild()
		return
	}
	e.mu.Lock()
	e.frozen, e.delta, e.first = e.delta, &delta{}, e.store.n
	base, lately, frozen, alive, n := e.base, e.recent, e.frozen, e.living(), e.store.n
	e.mu.Unlock()
	e.merges.Go(func() {
		lately := lately.with(frozen, alive)
		next := base
		if recentPart*len(lately.posts) > base.len() {
			if base.width == 0 {
				next = lately.segment()
			} else {
				next = base.with(lately, alive)
			}
			lately = &recent{}
		}
		e.weed(alive, n)
		e.mu.Lock()
		e.base, e.recent, e.frozen = next, lately, nil
		e.mu.Unlock()
	})
}

// weed takes out of memory what subjects said that are gone, from blocks where an eighth is. alive was taken when n numbers
// were given; of a block that has filled since it knows nothing.
func (e *Engine) weed(alive func(uint32) bool, n int) {
	e.mu.RLock()
	blocks := slices.Clone(e.store.blocks[:n/blockSize])
	e.mu.RUnlock()
	for i, b := range blocks {
		weeded := b.weeded(func(at uint32) bool { return alive(uint32(i)<<blockBits | at) })
		if weeded == nil {
			continue
		}
		e.mu.Lock()
		weeded.alive, weeded.marks, weeded.second, weeded.shelf = b.alive, b.marks, b.second, b.shelf
		e.store.blocks[i] = weeded
		e.mu.Unlock()
	}
}

func (e *Engine) merging() bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.frozen != nil
}

// sparse reports that most numbers belong to subjects that are gone.
func (e *Engine) sparse() bool { return e.store.n > 2*e.store.live+deltaMost }

// living is a copy of who is there; it may be used while changes go on.
func (e *Engine) living() func(uint32) bool {
	bits := make([]uint64, 0, len(e.store.blocks)*blockSize/64)
	for _, b := range e.store.blocks {
		bits = append(bits, b.alive[:]...)
	}
	return func(id uint32) bool { return bits[id/64]>>(id%64)&1 != 0 }
}

// settle waits until no merge runs. The writer's lock is held before and after.
func (e *Engine) settle() {
	for e.merging() {
		e.writer.Unlock()
		e.merges.Wait()
		e.writer.Lock()
	}
}

// rebuild numbers the subjects anew and files them in one base. Changes wait for it, questions do not. The writer's lock is
// held.
func (e *Engine) rebuild() {
	var next store
	next.streams, next.number = e.store.streams, e.store.number
	var f filing
	e.mu.RLock() // nobody but us writes; questions go on
	old := e.store
	e.mu.RUnlock()
	parallelBatches(func(yield func([]uint32) bool) {
		batch := make([]uint32, 0, batchSize)
		for id := range uint32(old.n) {
			if !old.alive(id) {
				continue
			}
			if batch = append(batch, id); len(batch) == batchSize {
				if !yield(batch) {
					return
				}
				batch = make([]uint32, 0, batchSize)
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}, func(ids []uint32) [][]uint64 {
		var x scratch
		out := make([][]uint64, len(ids))
		for i, id := range ids {
			k := old.read(id, wantAll, &x).keys()
			for j := range k {
				k[j] = e.secret.file(k[j])
			}
			out[i] = k
		}
		return out
	}, func(ids []uint32, keys [][]uint64) {
		for i, id := range ids {
			n := next.append(old.packed(id), old.mark(id), old.second(id), old.shelf(id))
			for _, k := range keys[i] {
				f.add(k, n)
			}
		}
	})
	base := f.segment(next.alive)
	var at refs
	for id := range uint32(next.n) {
		u := unpacker{next.packed(id)}
		stream, subject, _, _ := u.head()
		p := where{stream, subject}
		h := e.secret.place(p)
		slot, _, _ := at.find(h, p, &next)
		at.set(slot, h, id)
	}
	e.at = at
	e.mu.Lock()
	e.store, e.base, e.recent, e.delta, e.first = next, base, &recent{}, &delta{}, next.n
	e.mu.Unlock()
}

// segment makes the first base of a recent part.
func (r *recent) segment() *segment {
	var f filing
	for x := range r.all {
		f.add(x.key<<(64-topBits-restBits), x.id)
	}
	return f.segment(func(uint32) bool { return true })
}

// Load puts many entries at once.
func (e *Engine) Load(all []Entry) { e.LoadEach(slices.Values(all)) }

// LoadEach puts all entries of a sequence and holds few of them at a time. Into an empty engine they go as one base.
func (e *Engine) LoadEach(all iter.Seq[Entry]) {
	e.writer.Lock()
	defer e.writer.Unlock()
	e.settle()
	fresh := e.store.n == 0
	var f filing
	file := f.add
	if !fresh {
		file = func(key uint64, id uint32) { e.delta.add(key, id) }
	}
	parallelBatches(func(yield func([]Entry) bool) {
		batch := make([]Entry, 0, batchSize)
		for en := range all {
			if batch = append(batch, en); len(batch) == batchSize {
				if !yield(batch) {
					return
				}
				batch = make([]Entry, 0, batchSize)
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}, func(entries []Entry) []arrival {
		out := make([]arrival, len(entries))
		for i := range entries {
			out[i] = e.read(&entries[i])
		}
		return out
	}, func(_ []Entry, reads []arrival) {
		for i := range reads {
			if e.take(&reads[i], file) && !fresh && e.store.n-e.first >= deltaLimit {
				e.merge()
			}
		}
	})
	if !fresh {
		return
	}
	base := f.segment(e.store.alive)
	e.mu.Lock()
	e.base, e.first = base, e.store.n
	e.mu.Unlock()
}

const batchSize = 1024

// parallelBatches makes of every batch what make makes, several at once, and hands them on in order.
func parallelBatches[A, B any](batches iter.Seq[[]A], work func([]A) []B, take func([]A, []B)) {
	type job struct {
		in   []A
		done chan []B
	}
	jobs, ordered := make(chan job), make(chan job, 2*workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				j.done <- work(j.in)
			}
		})
	}
	wg.Go(func() {
		for in := range batches {
			j := job{in, make(chan []B, 1)}
			ordered <- j
			jobs <- j
		}
		close(jobs)
		close(ordered)
	})
	for j := range ordered {
		take(j.in, <-j.done)
	}
	wg.Wait()
}
