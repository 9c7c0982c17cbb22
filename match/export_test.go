package match

// What tests outside of the package need of its inside.

// Shown is how many candidates an answer has at most.
const Shown = shown

// Merge merges the segments now.
func (e *Engine) Merge() {
	e.writer.Lock()
	defer e.writer.Unlock()
	e.settle()
	e.merge()
}

// ReadKeys normalises an entry and makes its keys.
func ReadKeys(en *Entry) { readEntry(en).keys() }

// The development set imports this package, so tests inside of it get entries and questions through the ones outside.
var (
	devRegistry  func(seed uint64, n int) []Entry
	devQuestions func(registry []Entry, seed uint64, each int) []Question
)

// ProvideDevelopment is called once, before any test.
func ProvideDevelopment(registry func(seed uint64, n int) []Entry, questions func(registry []Entry, seed uint64, each int) []Question) {
	devRegistry, devQuestions = registry, questions
}

// Settle waits for the merge that runs.
func (e *Engine) Settle() {
	e.writer.Lock()
	defer e.writer.Unlock()
	e.settle()
}
