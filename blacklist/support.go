package blacklist

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/schemas"
	"github.com/pilinhub/pilin/workflow"
)

// openCaseDays is how long an entry of an open case may stand from the day on which it is written: 90 natural days (T01,
// 行政处罚法 art. 60). An extension of the case is recorded by a correction.
const openCaseDays = 90

// backing is what stands behind a payload today.
type backing struct {
	standing, served bool
	level            record.Level // lowest of the persons' entries that a place or handle names; L3 without any
	missing          []schemas.Violation
}

// support looks at what an entry names, own records and replicas: penalties, and the entries of persons and premises. The
// penalties of a person who is named stand behind a place or handle too.
func (r *Register) support(ctx context.Context, k kind, p *payload) (backing, error) {
	s := backing{level: record.L3}
	if k.entry && p.OpenCase && p.ValidUntil > record.CivilDay(r.Now().Add(openCaseDays*24*time.Hour)) {
		s.missing = append(s.missing, schemas.Violation{Pointer: "/valid_until", Code: ViolationOpenCaseTerm})
	}
	if err := r.penalties(ctx, &s, p.PenaltyRefs, "/penalty_refs/"); err != nil || !k.entry {
		return s, err
	}
	persons := map[string]string{} // pointer → reference
	for i, ref := range p.PersonRefs {
		persons["/person_refs/"+strconv.Itoa(i)] = ref
	}
	for i, seen := range p.PersonsSeen {
		persons["/persons_seen/"+strconv.Itoa(i)+"/ref"] = seen.Ref
	}
	for _, at := range slices.Sorted(maps.Keys(persons)) {
		e, err := r.named(ctx, persons[at], TypePerson)
		if missed(&s, at, err) {
			continue
		}
		if err != nil {
			return s, err
		}
		s.level = min(s.level, e.Audience[record.All])
		if e.State == Withdrawn {
			continue
		}
		// A penalty that a person's entry names and that is not here stands behind nothing, but it is not this entry's fault.
		var behind backing
		if err := r.penalties(ctx, &behind, readMembers(members(e.Parts)).PenaltyRefs, ""); err != nil {
			return s, err
		}
		s.standing, s.served = s.standing || behind.standing, s.served || behind.served
	}
	for i, ref := range p.PremisesRefs {
		if _, err := r.named(ctx, ref, TypePremises); !missed(&s, "/premises_refs/"+strconv.Itoa(i), err) && err != nil {
			return s, err
		}
	}
	return s, nil
}

// missed notes a reference to what is not here; false for anything else.
func missed(s *backing, pointer string, err error) bool {
	var no *Refusal
	if !errors.As(err, &no) {
		return false
	}
	s.missing = append(s.missing, schemas.Violation{Pointer: pointer, Code: ViolationReference})
	return true
}

// penalties looks at the penalties of a list of references.
func (r *Register) penalties(ctx context.Context, s *backing, refs []string, pointer string) error {
	for i, ref := range refs {
		e, err := r.named(ctx, ref, TypePenalty)
		switch {
		case missed(s, pointer+strconv.Itoa(i), err):
		case err != nil:
			return err
		case slices.Contains([]workflow.State{Published, Suspended, Expired}, e.State):
			s.standing = true
			s.served = s.served || e.Served
		}
	}
	return nil
}

// named finds the subject of a type that a reference names, in whatever stream it stands.
func (r *Register) named(ctx context.Context, ref, typ string) (Entry, error) {
	id, err := record.ParseBits128(ref)
	if err != nil {
		return Entry{}, &Refusal{Code: NotFound}
	}
	st, err := r.Log.Record(ctx, id)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return Entry{}, &Refusal{Code: NotFound}
	case err != nil:
		return Entry{}, fmt.Errorf("read %s %s: %w", typ, id, err)
	case st.Meaning.IsZero() || st.Stream.Kind() != record.Records:
		return Entry{}, &Refusal{Code: NotFound}
	}
	subject, _ := st.Meaning.Subject()
	e, err := r.Entry(ctx, st.Stream, subject, r.today())
	if err == nil && e.Type != typ {
		err = &Refusal{Code: NotFound}
	}
	return e, err
}
