package main

import (
	"fmt"
	"io"
	"runtime/debug"
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
	_, err := fmt.Fprintf(out, "pilin %s  commit %s  %s\n", version, commit, goVersion)
	return err
}

// version is the release; between releases it says so.
const version = "0.1-dev"
