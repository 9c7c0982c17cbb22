package node

// Step is a part of a long work that Progress tells of.
type Step string

// The steps.
const (
	StepCopy    Step = "copy"    // rows from one database to the other
	StepCheck   Step = "check"   // records of a backup, proven
	StepSubject Step = "subject" // subjects, their read model written anew
	StepIndex   Step = "index"   // records that the index reads
	StepExport  Step = "export"  // records written out
)

// Progress hears how much of a step is done. It is called often, by one goroutine at a time, and must not block.
type Progress func(s Step, done, total uint64)

// of binds a step; nil if nobody hears.
func (p Progress) of(s Step) func(done, total uint64) {
	if p == nil {
		return nil
	}
	return func(done, total uint64) { p(s, done, total) }
}

// at tells one figure.
func (p Progress) at(s Step, done, total uint64) {
	if p != nil {
		p(s, done, total)
	}
}
