package sheets

import "context"

// Step is how far a row of an import has come on its way into the register.
type Step string

// Steps of a row.
const (
	StepNone      Step = ""
	StepKnown     Step = "known" // another import brings it in, or has
	StepPart      Step = "part"  // of a record that an earlier row carries
	StepSubmitted Step = "submitted"
	StepApproved  Step = "approved"
	StepPublished Step = "published"
	StepReturned  Step = "returned" // to its author; it goes on as a single draft
)

// StoredRow is what a store keeps of a row. It holds no value of the file.
type StoredRow struct {
	Import  string
	Row     int
	State   RowState
	Step    Step
	Draft   string // record id
	Version uint64 // of the draft, or of the published subject
	Record  string // record that it was published as
	Key     []byte // SHA-256 of what tells decisions and persons apart, nil without one; as it was stored, maybe keyed, in a row that is read
	Gaps    int    // nulls that 待补齐 lists
	Issues  []Issue
}

// Count is how many rows stand in a state and step.
type Count struct {
	State RowState
	Step  Step
	N     int
}

// Store keeps imports. A file and its rows are of this node alone and never leave it.
type Store interface {
	// PutImport writes the document of an import; a file is written with the first one and nil later.
	PutImport(ctx context.Context, id string, at int64, doc, file []byte) error
	// Import returns a document, or nil.
	Import(ctx context.Context, id string) ([]byte, error)
	// ImportFile returns the file of an import, or nil.
	ImportFile(ctx context.Context, id string) ([]byte, error)
	// Imports returns documents, newest first.
	Imports(ctx context.Context, limit int) ([][]byte, error)
	// PutChecked writes what a check said of rows. Rows that have a draft keep all but their gaps.
	PutChecked(ctx context.Context, rows []StoredRow) error
	// DropChecked removes rows without a draft.
	DropChecked(ctx context.Context, id string) error
	// PutSteps writes how far rows have come, and their issues.
	PutSteps(ctx context.Context, rows []StoredRow) error
	// ImportRows returns rows after a row number, ascending; state and step empty select all, "*" any step but none.
	ImportRows(ctx context.Context, id string, state RowState, step Step, after, limit int) ([]StoredRow, error)
	// CountRows counts the rows of an import.
	CountRows(ctx context.Context, id string) ([]Count, error)
	// DraftedElsewhere returns, by key, the rows of other imports that have a draft.
	DraftedElsewhere(ctx context.Context, id string, keys [][]byte) (map[string][]StoredRow, error)
	// GapRows returns rows with gaps and a draft, in order of import and row, after one.
	GapRows(ctx context.Context, afterImport string, afterRow, limit int) ([]StoredRow, error)
	// PutProfile writes a profile under its name; Profiles returns all, by name.
	PutProfile(ctx context.Context, name string, doc []byte) error
	Profiles(ctx context.Context) ([][]byte, error)
}
