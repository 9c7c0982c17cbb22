package node

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/record"
)

// This file audits what an operator does by the command line, beside a node that may run or not: the command leaves a note
// in the data folder, and the node, running or at its next start, makes an audit record of it.

// operatedFolder holds the notes that are not audited yet.
const operatedFolder = "operated"

// What an operator did (schema node.event).
const (
	didRotate  = "key_rotated"
	didRecover = "key_recovered"
	didRevoke  = "key_revoked"
	didAddress = "address_changed"
	didLeave   = "left"
	didTake    = "documents_taken"
	didBackUp  = "backed_up"
	didRestore = "restored"
	didRejoin  = "rejoined"
	// didContinue: the audit goes on in a new stream, because what was written behind the copy's end is lost.
	didContinue      = "continued"
	didRotateStorage = "storage_rotated"
)

// operated is one such note.
type operated struct {
	Event   string            `json:"event"`
	By      string            `json:"by"`
	Counter string            `json:"counter,omitzero"`
	From    string            `json:"from,omitzero"`
	Size    string            `json:"size,omitzero"`
	Stream  record.StreamID   `json:"stream,omitzero"`
	Digest  string            `json:"digest,omitzero"`
	Silent  []record.MemberID `json:"silent,omitempty"`
	At      string            `json:"at"`
}

// operatedBody is the content of the audit record.
type operatedBody struct {
	operated
	Synthetic bool `json:"synthetic"`
}

var loginForm = regexp.MustCompile(`[^A-Za-z0-9_.$-]`)

// login is who runs this process, as the machine knows him.
func login() string {
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	name = loginForm.ReplaceAllString(name, "_")
	return name[:min(len(name), 64)]
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// noteOperated leaves a note for the audit stream; its name is the id of the record to be.
func noteOperated(cfg Config, o operated) error {
	id, err := record.NewBits128(rand.Reader)
	if err != nil {
		return err
	}
	if o.By == "" {
		o.By = login()
	}
	o.At = cfg.Now().In(record.CivilZone).Format(time.RFC3339)
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("note for the audit: %w", err)
	}
	return writeInto(cfg.Data, filepath.Join(operatedFolder, id.String()+".json"), b)
}

// auditOperated makes audit records of the notes that wait, oldest first. A note is deleted when its record is durable.
func (n *Node) auditOperated(ctx context.Context) error {
	folder := filepath.Join(n.cfg.Data, operatedFolder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) || len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read notes for the audit: %w", err)
	}
	type waiting struct {
		file string
		id   record.RecordID
		o    operated
	}
	var all []waiting
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		id, err := record.ParseBits128(name)
		if !ok || err != nil {
			continue // half written: it gets its name last
		}
		w := waiting{file: filepath.Join(folder, e.Name()), id: id}
		b, err := os.ReadFile(w.file)
		if err == nil {
			err = json.Unmarshal(b, &w.o, json.RejectUnknownMembers(true))
		}
		if err != nil {
			return fmt.Errorf("note for the audit %s: %w", w.file, err)
		}
		all = append(all, w)
	}
	slices.SortStableFunc(all, func(a, b waiting) int { return strings.Compare(a.o.At, b.o.At) })
	for _, w := range all {
		body, err := json.Marshal(operatedBody{w.o, n.dir.Synthetic()})
		if err != nil {
			return fmt.Errorf("audit what was operated: %w", err)
		}
		d := record.Draft{Stream: n.audit, ID: w.id, Type: "node.event", Schema: "1", Day: w.o.At[:len(time.DateOnly)], Parts: map[record.PartName][]byte{record.Body: body}}
		if _, err := n.store.Append(ctx, record.Append{Drafts: []record.Draft{d}}); err != nil && !errors.Is(err, record.ErrDuplicateRecord) {
			return fmt.Errorf("audit what was operated: %w", err)
		}
		if err := os.Remove(w.file); err != nil {
			return fmt.Errorf("audit what was operated: %w", err)
		}
	}
	return nil
}
