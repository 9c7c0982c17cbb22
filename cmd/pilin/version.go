package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/pilinhub/pilin/internal/node"
)

type versionCmd struct{}

// Run prints the version, the commit it was built from and the Go that built it.
func (versionCmd) Run(out io.Writer) error {
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
	_, err := fmt.Fprintf(out, "pilin %s  commit %s  %s\n", node.Release, commit, goVersion)
	return err
}
