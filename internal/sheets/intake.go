package sheets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/schemas"
)

// Intake 导入台 takes files in: checks them, makes drafts of chosen rows, and lets them be reviewed and published as one
// batch. A file is known by its hash: the same one again changes nothing. Fields are set before use; it is safe for any
// number of goroutines. Work on rows goes on after the call that began it; one import at a time, so that memory is
// bounded. Close ends it.
type Intake struct {
	Store     Store
	Register  *blacklist.Register
	Synthetic bool
	Now       func() time.Time
	Logger    *slog.Logger // is told why work failed; nil tells nobody
	// Decision finds the record of an own published penalty by issuer and normalised number; nil finds none.
	Decision func(ctx context.Context, issuer, docNo string) (record string, found bool)

	mu      sync.Mutex
	jobs    map[string]*job
	turn    chan struct{}
	wg      sync.WaitGroup
	stop    context.CancelFunc
	ctx     context.Context
	started sync.Once
}

// Import is one file on its way in.
type Import struct {
	ID       string   `json:"id" doc:"Made of the file's hash, type and sheet"`
	FileHash string   `json:"file_hash" doc:"SHA-256"`
	At       string   `json:"at" doc:"RFC 3339, of the first upload"`
	By       string   `json:"by" doc:"Opaque account id"`
	Unit     string   `json:"unit,omitempty" doc:"Of who handed it in; absent = the bureau itself"`
	Profile  Profile  `json:"profile" doc:"As it is read, with what was proposed"`
	Survey   Survey   `json:"survey"`
	Missing  []string `json:"missing" doc:"Fields that every record needs and that neither a column nor a constant gives"`
	Work     Work     `json:"work"`
	Counts   Counts   `json:"counts"`
	Batch    []Signed `json:"batch" doc:"Who did what with the batch"`
	Erased   bool     `json:"erased,omitzero" doc:"A record that it made was erased, and the file with it"`
	Repeated bool     `json:"repeated,omitzero" doc:"The file was known; nothing changed"`
}

// Work is what is being done with an import, or was last.
type Work struct {
	Step  string `json:"step" enum:"check,commit,approve,return,publish"`
	State string `json:"state" enum:"running,done,failed,interrupted"`
	Done  int    `json:"done" doc:"Rows"`
	Total int    `json:"total" doc:"Rows"`
	Code  string `json:"code,omitempty" doc:"Of a failure"`
}

// Counts are rows by what is said of them and how far they have come.
type Counts struct {
	OK        int `json:"ok"`
	Warning   int `json:"warning"`
	Problem   int `json:"problem"`
	Skipped   int `json:"skipped"`
	Known     int `json:"known" doc:"In another import already"`
	Submitted int `json:"submitted" doc:"Waiting for the reviewer"`
	Approved  int `json:"approved"`
	Published int `json:"published"`
	Returned  int `json:"returned"`
}

// Signed is a step that a person took with a batch (domain.md §2.1.3: the reviewer signs file hash, row count and the rows
// with warnings).
type Signed struct {
	Step     string `json:"step"`
	By       string `json:"by" doc:"Opaque account id"`
	At       string `json:"at"`
	FileHash string `json:"file_hash"`
	Rows     int    `json:"rows"`
	Warnings []int  `json:"warnings,omitempty" doc:"Rows with warnings"`
}

// Conflict is why a step is not taken: a stable code.
type Conflict struct{ Code string }

// Error returns the code.
func (c *Conflict) Error() string { return "import: " + c.Code }

// Codes of conflicts.
const (
	Running      = "import_running"
	BatchChanged = "batch_changed" // the batch is not what the reviewer has seen
	NothingToDo  = "batch_empty"
	Unknown      = "not_found"
	OwnBatch     = "guard:not_author"
	FileGone     = "import_file_gone" // the file is past its retention
	FileErased   = "import_file_erased"
	Elsewhere    = "import_elsewhere" // another unit of the bureau has handed the file in
)

type job struct {
	work Work
}

func (d *Intake) start() {
	d.started.Do(func() {
		d.ctx, d.stop = context.WithCancel(context.Background())
		d.jobs, d.turn = map[string]*job{}, make(chan struct{}, 1)
	})
}

// Close stops work under way at a row's end and waits for it.
func (d *Intake) Close() {
	d.start()
	d.stop()
	d.wg.Wait()
}

// Uploader is who hands a file in.
type Uploader struct {
	Account, Unit string
	Reaches       func(unit string) bool // whether he has to do with what a unit has handed in
}

// Upload takes a file in and begins its check. The same file again, for the same type and sheet, is the same import: rows
// that have gone in stay as they are, the others are checked anew if the profile has changed. A *Refusal says why the file
// is not read; *blacklist.Invalid what is wrong with the profile.
func (d *Intake) Upload(ctx context.Context, by Uploader, b []byte, p Profile) (*Import, error) {
	d.start()
	if vs := p.Check(); len(vs) > 0 {
		return nil, &blacklist.Invalid{Violations: vs}
	}
	select { // surveys unpack a whole file: one after the other
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, s, err := look(b, p)
	if err != nil {
		return nil, err
	}
	imp := &Import{ID: importID(f.Hash, p.Type, s.Sheet), FileHash: hex.EncodeToString(f.Hash[:]), At: d.Now().UTC().Format(time.RFC3339), By: by.Account, Unit: by.Unit, Batch: []Signed{}}
	old, err := d.load(ctx, imp.ID)
	if err != nil {
		return nil, err
	}
	if d.busy(imp.ID) {
		return nil, &Conflict{Running}
	}
	if old != nil && old.Erased {
		return nil, &Conflict{FileErased}
	}
	if old != nil {
		if !by.Reaches(old.Unit) {
			return nil, &Conflict{Elsewhere}
		}
		imp.At, imp.By, imp.Unit, imp.Batch = old.At, old.By, old.Unit, old.Batch
	}
	imp.Survey = *s
	imp.Survey.Columns = p.fill(s)
	imp.Profile, imp.Missing = p, lacking(&p, imp.Survey.Columns)
	if old != nil && old.Work.State == "done" && samePlan(old, imp) {
		old.Repeated = true
		return old, d.count(ctx, old)
	}
	imp.Work = Work{Step: "check", State: "running", Total: s.Rows}
	return imp, d.begin(ctx, imp, b, func(ctx context.Context, j *job) error { return d.check(ctx, imp, j) })
}

func look(b []byte, p Profile) (*File, *Survey, error) {
	f, err := Open(b, p.Encoding)
	if err != nil {
		return nil, nil, err
	}
	s, err := f.Look(p.Type, p.Sheet)
	return f, s, err
}

// samePlan reports whether a file was read in the same way before.
func samePlan(a, b *Import) bool {
	x, errX := json.Marshal(a.Profile, json.Deterministic(true))
	y, errY := json.Marshal(b.Profile, json.Deterministic(true))
	return errX == nil && errY == nil && slices.Equal(x, y)
}

// lacking lists fields that no row will have.
func lacking(p *Profile, cols []Column) []string {
	out := []string{}
	for _, f := range FieldsOf(p.Type) {
		if f.needed && p.Constants[f.Pointer] == "" && columnIndex(cols, f.Pointer) < 0 {
			out = append(out, f.Pointer)
		}
	}
	return out
}

func importID(file [32]byte, typ, sheet string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "pilin import 1\x00%x\x00%s\x00%s", file, typ, sheet))
	return hex.EncodeToString(h[:16])
}

func (d *Intake) busy(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.jobs[id] != nil
}

// begin writes that work on an import begins, and does it in the background, one import at a time. The work is known before
// its document says so: a document of running work that nobody does is one that a stop has broken off.
func (d *Intake) begin(ctx context.Context, imp *Import, file []byte, work func(context.Context, *job) error) error {
	j := &job{work: imp.Work}
	d.mu.Lock()
	if d.jobs[imp.ID] != nil {
		d.mu.Unlock()
		return &Conflict{Running}
	}
	d.jobs[imp.ID] = j
	d.mu.Unlock()
	err := d.ctx.Err()
	if err == nil {
		err = d.save(ctx, imp, file)
	}
	if err != nil {
		d.drop(imp.ID)
		return err
	}
	d.wg.Go(func() {
		err := func() error {
			select {
			case d.turn <- struct{}{}:
				defer func() { <-d.turn }()
				return work(d.ctx, j)
			case <-d.ctx.Done():
				return d.ctx.Err()
			}
		}()
		d.finish(imp, j, err)
	})
	return nil
}

func (d *Intake) drop(id string) {
	d.mu.Lock()
	delete(d.jobs, id)
	d.mu.Unlock()
}

// finish writes how work ended. What a stop breaks off says so by itself: it is running and nobody does it.
func (d *Intake) finish(imp *Import, j *job, err error) {
	d.mu.Lock()
	w := j.work
	d.mu.Unlock()
	w.State, w.Code = ended(err, d.ctx.Err() != nil)
	if w.State == "failed" && d.Logger != nil {
		d.Logger.LogAttrs(d.ctx, slog.LevelWarn, "import failed", slog.String("import", imp.ID), slog.String("step", w.Step), slog.String("code", w.Code),
			slog.Any("error", err))
	}
	if fresh, loadErr := d.load(context.WithoutCancel(d.ctx), imp.ID); loadErr == nil && fresh != nil {
		fresh.Work = w
		_ = d.save(context.WithoutCancel(d.ctx), fresh, nil) // unsaved it reads as interrupted, and can be begun again
	}
	d.drop(imp.ID)
}

// ended says what an error, or none, makes of work: its state and, of a failure, the code that a screen can explain.
func ended(err error, stopped bool) (state, code string) {
	var no *Refusal
	var conflict *Conflict
	switch {
	case err == nil:
		return "done", ""
	case errors.As(err, &no):
		return "failed", no.Code
	case errors.As(err, &conflict):
		return "failed", conflict.Code
	case stopped:
		return "interrupted", ""
	}
	return "failed", "unavailable"
}

func (d *Intake) progress(j *job, done int) {
	d.mu.Lock()
	j.work.Done = done
	d.mu.Unlock()
}

func (d *Intake) load(ctx context.Context, id string) (*Import, error) {
	b, err := d.Store.Import(ctx, id)
	if err != nil || b == nil {
		return nil, err
	}
	var imp Import
	if err := json.Unmarshal(b, &imp); err != nil {
		return nil, fmt.Errorf("read import %s: %w", id, err)
	}
	return &imp, nil
}

func (d *Intake) save(ctx context.Context, imp *Import, file []byte) error {
	b, err := json.Marshal(imp, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode import: %w", err)
	}
	return d.Store.PutImport(ctx, imp.ID, d.Now().Unix(), b, file)
}

// Import returns an import as it stands; a *Conflict not_found if there is none.
func (d *Intake) Import(ctx context.Context, id string) (*Import, error) {
	d.start()
	imp, err := d.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if imp == nil {
		return nil, &Conflict{Unknown}
	}
	return imp, d.count(ctx, imp)
}

// count fills in what changes while work goes on.
func (d *Intake) count(ctx context.Context, imp *Import) error {
	if !d.working(imp) && imp.Work.State == "running" { // it has ended since the document was read, or was broken off
		fresh, err := d.load(ctx, imp.ID)
		if err != nil {
			return err
		}
		if fresh != nil {
			imp.Work, imp.Batch = fresh.Work, fresh.Batch
		}
		if !d.working(imp) && imp.Work.State == "running" {
			imp.Work.State = "interrupted"
		}
	}
	all, err := d.Store.CountRows(ctx, imp.ID)
	if err != nil {
		return err
	}
	imp.Counts = Counts{}
	c := &imp.Counts
	for _, n := range all {
		by := map[Step]*int{StepKnown: &c.Known, StepSubmitted: &c.Submitted, StepApproved: &c.Approved, StepPublished: &c.Published, StepReturned: &c.Returned}[n.Step]
		if by != nil {
			*by += n.N
		}
		*map[RowState]*int{RowOK: &c.OK, RowWarning: &c.Warning, RowProblem: &c.Problem, RowSkipped: &c.Skipped}[n.State] += n.N
	}
	return nil
}

// working fills in how far work under way is; false if there is none.
func (d *Intake) working(imp *Import) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	j := d.jobs[imp.ID]
	if j != nil {
		imp.Work = j.work
	}
	return j != nil
}

// Imports returns imports, newest first.
func (d *Intake) Imports(ctx context.Context, limit int) ([]Import, error) {
	d.start()
	docs, err := d.Store.Imports(ctx, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Import, len(docs))
	for i, b := range docs {
		if err := json.Unmarshal(b, &out[i]); err != nil {
			return nil, fmt.Errorf("read import: %w", err)
		}
		if err := d.count(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Rows returns rows of an import after a row number; state and step empty select all.
func (d *Intake) Rows(ctx context.Context, id string, state RowState, step Step, after, limit int) ([]StoredRow, error) {
	if _, err := d.Import(ctx, id); err != nil {
		return nil, err
	}
	return d.Store.ImportRows(ctx, id, state, step, after, limit)
}

// SaveProfile keeps a profile under its name.
func (d *Intake) SaveProfile(ctx context.Context, p Profile) error {
	vs := p.Check()
	if p.Name == "" {
		vs = append(vs, schemas.Violation{Pointer: "/name", Code: "required"})
	}
	if len(vs) > 0 {
		return &blacklist.Invalid{Violations: vs}
	}
	b, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	return d.Store.PutProfile(ctx, p.Name, b)
}

// Profiles returns the saved profiles by name.
func (d *Intake) Profiles(ctx context.Context) ([]Profile, error) {
	docs, err := d.Store.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Profile, len(docs))
	for i, b := range docs {
		if err := json.Unmarshal(b, &out[i]); err != nil {
			return nil, fmt.Errorf("read profile: %w", err)
		}
	}
	return out, nil
}
