package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/pilinhub/pilin/internal/node"
)

type versionCmd struct {
	JSON bool `name:"json" help:"输出 JSON · Print JSON."`
}

// Run prints the version, the commit it was built from and the Go that built it.
func (c versionCmd) Run(out io.Writer) error {
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
	if c.JSON {
		return printJSON(out, map[string]string{"release": node.Release, "commit": commit, "go": goVersion})
	}
	_, err := fmt.Fprintf(out, "pilin %s  commit %s  %s\n", node.Release, commit, goVersion)
	return err
}
