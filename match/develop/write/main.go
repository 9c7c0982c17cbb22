// Command write puts a development set into a folder: registry.jsonl.gz and queries.jsonl in the formats of `pilin match
// eval`, and labels.jsonl, which says of each question what kind it is and which entry is meant.
package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/match/develop"
)

func main() {
	seed := flag.Uint64("seed", 1, "the same seed makes the same set")
	records := flag.Int("records", 200000, "entries of the registry; over -whole no questions are made")
	whole := flag.Int("whole", 1000000, "the largest registry that is held in memory to ask about it")
	share := flag.Float64("share", 1, "questions as a share of the counts of the anchors' set, 3,800 at 1")
	out := flag.String("out", "", "folder; made when it is missing")
	flag.Parse()
	if err := write(*seed, *records, *whole, *share, *out); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

// label is what is known of a question.
type label struct {
	QID      string `json:"qid"`
	Kind     string `json:"kind"`
	Form     string `json:"form,omitzero"`
	Want     string `json:"want,omitzero"`
	Negative bool   `json:"negative,omitzero"`
	Strong   bool   `json:"strong,omitzero"`
}

func write(seed uint64, records, whole int, share float64, out string) error {
	if out == "" || records < 1 {
		return errors.New("-out names the folder, -records is at least 1")
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	err := file(filepath.Join(out, "registry.jsonl.gz"), func(w io.Writer) error {
		z := gzip.NewWriter(w)
		for l := range develop.Registry(seed, records) {
			if err := line(z, l); err != nil {
				return err
			}
		}
		return z.Close()
	})
	if err != nil || records > whole {
		return err
	}
	queries := develop.Queries(seed, develop.Sample(seed, records), share)
	err = file(filepath.Join(out, "queries.jsonl"), func(w io.Writer) error {
		for i := range queries {
			if err := line(w, queries[i].QueryLine); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return file(filepath.Join(out, "labels.jsonl"), func(w io.Writer) error {
		for _, q := range queries {
			if err := line(w, label{q.QID, q.Kind, q.Form, q.Want, q.Negative, q.Strong}); err != nil {
				return err
			}
		}
		return nil
	})
}

func line(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

func file(name string, fill func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if err = fill(w); err == nil {
		err = w.Flush()
	}
	return errors.Join(err, f.Close())
}
