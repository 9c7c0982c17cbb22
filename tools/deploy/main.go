// Command deploy checks what deploy/ ships for containers: the compose file with the compose specification's own parser,
// the Helm chart with Helm's linter and template engine and the API types of Kubernetes, both against the rules that
// deploy/README.md states, and the alerts with Prometheus's own reader. With -out it writes each configuration file that
// results, so that the node can read it.
//
//	go run . -deploy ../../deploy -out /tmp/x
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// complaints collects what is wrong; all of it is printed, not only the first.
type complaints []string

func (c *complaints) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

func main() {
	deploy := flag.String("deploy", "deploy", "folder to check")
	out := flag.String("out", "", "folder for the node configurations that result; empty = not written")
	flag.Parse()
	var c complaints
	configs, err := check(context.Background(), *deploy, &c)
	if err == nil && *out != "" {
		err = write(*out, configs)
	}
	for _, line := range c {
		fmt.Fprintln(os.Stderr, line)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(2)
	case len(c) > 0:
		os.Exit(1)
	}
	fmt.Printf("compose file, chart and alerts are sound; %d configurations result\n", len(configs))
}

// check returns the node's configuration files by a name for each.
func check(ctx context.Context, deploy string, c *complaints) (map[string]string, error) {
	configs := map[string]string{}
	text, err := checkCompose(ctx, filepath.Join(deploy, "compose"), c)
	if err != nil {
		return nil, err
	}
	configs["compose"] = text
	if err := checkAlerts(filepath.Join(deploy, "prometheus", "alerts.yaml"), c); err != nil {
		return nil, err
	}
	values, err := filepath.Glob(filepath.Join(deploy, "helm", "pilin", "ci", "*-values.yaml"))
	if err != nil || len(values) == 0 {
		return nil, fmt.Errorf("no values to try the chart with: %w", err)
	}
	for _, file := range values {
		text, err := checkChart(filepath.Join(deploy, "helm", "pilin"), file, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		configs["helm-"+filepath.Base(file)] = text
	}
	return configs, nil
}

func write(dir string, configs map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range configs {
		if err := os.WriteFile(filepath.Join(dir, name+".pilin.yaml"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
