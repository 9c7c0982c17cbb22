package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/pilinhub/pilin/internal/node"
)

type versionCmd struct{}

// Run prints the version, the commit it was built from and the Go that built it.
func (versionCmd) Run(out *printer) error {
	commit := "unknown"
	goVersion := ""
	if i, ok := debug.ReadBuildInfo(); ok {
		goVersion = i.GoVersion
		for _, s := range i.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return out.answer(map[string]string{"release": node.Release, "commit": commit, "go": goVersion}, func(w io.Writer) {
		fmt.Fprintf(w, "pilin %s  commit %s  %s\n", node.Release, commit, goVersion)
	})
}
