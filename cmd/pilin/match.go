package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/match"
)

type matchCmd struct {
	Eval matchEvalCmd `cmd:"" help:"用给定名册和问题评测比对引擎 · Answer a file of questions over a registry file."`
}

type matchEvalCmd struct {
	Registry string `required:"" placeholder:"FILE" help:"名册,JSONL 或 .gz · Registry, JSONL, .gz by name."`
	Queries  string `required:"" placeholder:"FILE" help:"问题,JSONL 或 .gz · Questions."`
	Out      string `required:"" placeholder:"FILE" help:"结果文件 · Results."`
}

// Run answers every question, one after another, and prints what it took. A line that cannot be read ends it with 2.
func (c *matchEvalCmd) Run(out *printer) error {
	var registry []match.RegistryLine
	if err := eachLine(c.Registry, func(b []byte) error {
		l, err := match.ParseRegistryLine(b)
		registry = append(registry, l)
		return err
	}); err != nil {
		return exit{exitUnchecked, err}
	}
	e := evaluated{Version: match.EngineVersion, Records: len(registry)}
	if !out.JSON {
		fmt.Fprintf(out, "version %s\nrecords %d\n", e.Version, e.Records)
	}
	begun := time.Now()
	ev := match.NewEvaluation(registry)
	registry = nil
	built := time.Since(begun)
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	e.Build, e.Memory = built.Seconds(), float64(mem.HeapAlloc)/(1<<20)
	if !out.JSON {
		fmt.Fprintf(out, "build %.2f s\nmemory %.0f MiB\n", e.Build, e.Memory)
	}

	took, err := c.answer(ev)
	if err != nil {
		return exit{exitUnchecked, err}
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		at := func(p float64) time.Duration { return took[min(n-1, int(p*float64(n)))].Round(time.Microsecond) }
		e.Queries, e.Latency = n, map[string]int64{"p50": at(0.5).Microseconds(), "p90": at(0.9).Microseconds(), "p99": at(0.99).Microseconds(), "max": took[n-1].Microseconds()}
		if !out.JSON {
			fmt.Fprintf(out, "queries %d\nlatency p50 %s p90 %s p99 %s max %s\n", n, at(0.5), at(0.9), at(0.99), took[n-1].Round(time.Microsecond))
		}
	}
	if out.JSON {
		return out.document(e)
	}
	return nil
}

// evaluated is what an evaluation took.
type evaluated struct {
	Version string           `json:"version"`
	Records int              `json:"records"`
	Build   float64          `json:"build_s"`
	Memory  float64          `json:"memory_mib"`
	Queries int              `json:"queries"`
	Latency map[string]int64 `json:"latency_us"`
}

func (c *matchEvalCmd) answer(ev *match.Evaluation) (took []time.Duration, err error) {
	f, err := os.Create(c.Out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	to := io.Writer(f)
	if strings.HasSuffix(c.Out, ".gz") {
		z := gzip.NewWriter(f)
		defer func() { err = errors.Join(err, z.Close()) }()
		to = z
	}
	w := bufio.NewWriter(to)
	defer func() { err = errors.Join(w.Flush(), err) }()
	err = eachLine(c.Queries, func(b []byte) error {
		q, err := match.ParseQueryLine(b)
		if err != nil {
			return err
		}
		begun := time.Now()
		r := ev.Answer(q)
		took = append(took, time.Since(begun))
		if b, err = json.Marshal(r); err != nil {
			return err
		}
		_, err = w.Write(append(b, '\n'))
		return err
	})
	return took, err
}
