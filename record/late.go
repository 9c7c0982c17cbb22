package record

import (
	"cmp"
	"slices"
)

// OfferLate decides about a range answer over records that are stored already, for their pending parts, and for sealed
// records that were withheld and that a holder now opens. The stored leaf proves the frame's header, the header its
// parts. The Apply's Late records list only parts whose state changes (to present, gone, none, or pending where they
// were withheld), those without effect first. DoDuplicate if the frame brings nothing.
func (f *Follower) OfferLate(fr *Frame, via string) Decision {
	if _, why := f.admit(fr); why != "" {
		return refuse(why)
	}
	end := min(fr.End(), f.Head.Size)
	if fr.First >= end {
		return Decision{Kind: DoDuplicate}
	}
	ours, err := f.Leaves(fr.First, end)
	if err != nil || uint64(len(ours)) != end-fr.First {
		return refuse(WhyStore)
	}
	if !slices.Equal(ours, frameLeaves(fr)[:len(ours)]) {
		return refuse(WhyWrongHeader)
	}
	p := &pass{f: f, boxes: boxIndex(fr), was: map[uint64]Stored{}}
	for i := range ours {
		if err := p.complete(i, fr.First+uint64(i), fr.Headers[i]); err != nil {
			return refuse(WhyStore)
		}
	}
	a := &Apply{Stream: fr.Stream, From: f.Head.Size, Late: p.changed(), Deletes: p.deletes, NewHead: f.Head, Via: via}
	if len(a.Late) == 0 && len(a.Deletes) == 0 {
		return Decision{Kind: DoDuplicate}
	}
	a.NewHead.Applied = appliedHead(f.Head.Size, pendingAfter(f.Pending, a))
	return Decision{Kind: DoApply, Apply: a}
}

// complete works on one stored record.
func (p *pass) complete(index int, seq uint64, header []byte) error {
	now := p.read(index, seq, header)
	if len(now.Parts) == 0 || now.Meaning.IsZero() && now.Unusable == "" {
		return nil // no parts at all, or still no meta
	}
	was, err := p.before(now)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(was.Parts, awaited) {
		return nil
	}
	newMeaning := was.Meaning.IsZero()
	for i, part := range was.Parts {
		if !awaited(part) {
			now.Parts[i] = part
		}
	}
	if now.Unusable != UnusableMeta {
		if err := p.settleLate(&now, newMeaning); err != nil {
			return err
		}
	}
	p.was[seq] = was
	p.late = append(p.late, now)
	if !newMeaning || now.Meaning.IsZero() {
		return nil
	}
	if err := p.deleteFor(now); err != nil {
		return err
	}
	return p.rejudge(now)
}

// awaited reports whether bytes may still come for a part.
func awaited(p StoredPart) bool {
	return p.State == PartPending || p.State == PartWithheld || p.State == PartGone && bugWithdrawnReinserted
}

// before returns the record as it is stored: with its bytes if its meaning is known, else with the states that a sealed
// record has before its meta is here.
func (p *pass) before(now Stored) (Stored, error) {
	if !now.Meaning.IsZero() && p.f.Subject != nil {
		subject, _ := now.Meaning.Subject()
		stored, err := p.f.Subject(subject)
		if err != nil {
			return Stored{}, err
		}
		for _, st := range stored {
			if st.Stream == now.Stream && st.Seq == now.Seq && !st.Meaning.IsZero() && sameParts(st.Parts, now.Parts) {
				st.Parts = slices.Clone(st.Parts)
				for i, part := range st.Parts {
					if p.f.Pending[PartAt{st.Seq, part.Name}] {
						st.Parts[i].State = PartPending
					}
				}
				return st, nil
			}
		}
	}
	was := Stored{Stream: now.Stream, Seq: now.Seq, Header: now.Header, Leaf: now.Leaf}
	h, err := DecodeHeader(now.Header)
	for _, part := range now.Parts {
		old := StoredPart{Name: part.Name, Keys: part.Keys}
		switch {
		case p.f.Pending[PartAt{now.Seq, part.Name}]:
			old.State = PartPending
		case err == nil && h.Sealed() && p.sealedState(h) == PartWithheld:
			old.State = PartWithheld
		}
		was.Parts = append(was.Parts, old)
	}
	return was, nil
}

func sameParts(a, b []StoredPart) bool {
	return slices.EqualFunc(a, b, func(x, y StoredPart) bool { return x.Name == y.Name })
}

// settleLate settles a record whose meaning may have been known before, and empties what a later record deleted.
func (p *pass) settleLate(now *Stored, newMeaning bool) error {
	if newMeaning {
		why, err := p.verdict(*now)
		if err != nil {
			return err
		}
		if why != "" {
			void(now, why)
			return nil
		}
	}
	subject, _ := now.Meaning.Subject()
	all, err := p.records(subject)
	if err != nil {
		return err
	}
	for _, later := range all {
		ref, change := later.Meaning.Change()
		if later.Seq <= now.Seq || !change || bugWithdrawnReinserted {
			continue
		}
		for _, name := range deletionsOf(ref.Rel, *now, p.own()) {
			now.empty(name, later.Seq)
		}
	}
	now.Unusable = p.usable(*now)
	return nil
}

// rejudge takes back the effect of later records that lose to one whose meaning came late: the lowest sequence wins,
// whatever came first. Honest origins never cause it.
func (p *pass) rejudge(now Stored) error {
	subject, _ := now.Meaning.Subject()
	all, err := p.records(subject)
	if err != nil {
		return err
	}
	for _, later := range all {
		if later.Seq <= now.Seq || later.Meaning.IsZero() {
			continue
		}
		why, err := p.verdict(later)
		if err != nil {
			return err
		}
		if why == "" {
			continue
		}
		if !hasSeq(p.late, later.Seq) {
			p.was[later.Seq] = later
			later.Parts = slices.Clone(later.Parts)
			void(&later, why)
			p.late = append(p.late, later)
			continue
		}
		i := slices.IndexFunc(p.late, func(st Stored) bool { return st.Seq == later.Seq })
		void(&p.late[i], why)
	}
	return nil
}

// changed returns the late records with the parts that changed, leaving out those of which nothing did.
func (p *pass) changed() []Stored {
	var out []Stored
	for _, now := range p.late {
		was := p.was[now.Seq]
		var parts []StoredPart
		for i, part := range now.Parts {
			if part.State != was.Parts[i].State {
				parts = append(parts, part)
			}
		}
		if len(parts) == 0 && now.Unusable == was.Unusable && now.Meaning.IsZero() == was.Meaning.IsZero() {
			continue
		}
		now.Parts = parts
		out = append(out, now)
	}
	slices.SortStableFunc(out, func(a, b Stored) int {
		if (a.Unusable == "") != (b.Unusable == "") {
			if a.Unusable != "" {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Seq, b.Seq)
	})
	return out
}
