package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// checkCompose loads compose.yaml with every profile and returns the node's configuration file.
func checkCompose(ctx context.Context, dir string, c *complaints) (string, error) {
	file := filepath.Join(dir, "compose.yaml")
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	p, err := loader.LoadWithContext(ctx, types.ConfigDetails{WorkingDir: absolute, Environment: types.Mapping{},
		ConfigFiles: []types.ConfigFile{{Filename: file, Content: b}}}, func(o *loader.Options) { o.Profiles = []string{"*"} })
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	for _, want := range []string{"node", "postgres", "redis", "kafka"} {
		if _, ok := p.Services[want]; !ok {
			c.add("compose: no service %s", want)
		}
	}
	for name, s := range p.Services {
		checkService(name, s, c)
	}
	for _, name := range []string{"node", "desk"} { // both open the database: `pilin join` is before the node's first start
		if on, ok := p.Services[name].DependsOn["postgres"]; !ok || on.Condition != types.ServiceConditionHealthy {
			c.add("compose: %s: does not wait for the database", name)
		}
	}
	for name, s := range p.Secrets {
		if s.File == "" || !strings.HasPrefix(s.File, filepath.Join(absolute, "secrets")+string(filepath.Separator)) {
			c.add("compose: secret %s is no file below secrets/", name)
		}
	}
	for name, f := range p.Configs {
		if strings.Contains(f.File, string(filepath.Separator)+"certs"+string(filepath.Separator)) {
			continue // the bureau's own
		}
		if _, err := os.Stat(f.File); err != nil {
			c.add("compose: config %s: %v", name, err)
		}
	}
	text, err := os.ReadFile(p.Configs["pilin"].File)
	if err != nil {
		return "", err
	}
	// What the configuration names inside the container must be mounted there.
	node := p.Services["node"]
	mounted := []string{}
	for _, s := range node.Secrets {
		target := s.Target
		if target == "" {
			target = s.Source
		}
		if !filepath.IsAbs(target) {
			target = "/run/secrets/" + target
		}
		mounted = append(mounted, target)
	}
	for _, f := range node.Configs {
		mounted = append(mounted, f.Target)
	}
	named(string(text), func(path string) {
		if !slices.Contains(mounted, path) {
			c.add("compose: the node's configuration names %s, which is not mounted", path)
		}
	})
	return string(text), nil
}

// named calls f with each file that a configuration names.
func named(config string, f func(path string)) {
	for line := range strings.SplitSeq(config, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "_file: "); ok && !strings.Contains(key, " ") {
			f(strings.TrimSpace(value))
		}
	}
}

// checkService holds a service to what README says of all of them.
func checkService(name string, s types.ServiceConfig, c *complaints) {
	if !s.ReadOnly {
		c.add("compose: %s: its file system can be written", name)
	}
	if s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		c.add("compose: %s: has rights that it does not need", name)
	}
	if user, _, _ := strings.Cut(s.User, ":"); user == "" || user == "0" || user == "root" {
		c.add("compose: %s: runs as root", name)
	}
	if s.HealthCheck == nil && name != "desk" {
		c.add("compose: %s: no health check", name)
	}
	if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes == 0 || s.Deploy.Resources.Limits.NanoCPUs == 0 || s.Deploy.Resources.Limits.Pids == 0 {
		c.add("compose: %s: cpu, memory or pids are without limit", name)
	}
	for key, value := range s.Environment {
		if upper := strings.ToUpper(key); value != nil && (strings.Contains(upper, "PASSWORD") || strings.Contains(upper, "SECRET")) && !strings.HasSuffix(upper, "_FILE") {
			c.add("compose: %s: a secret in the environment: %s", name, key)
		}
	}
	if image := s.Image; !strings.Contains(image, ":") || strings.HasSuffix(image, ":latest") {
		c.add("compose: %s: image %s has no version", name, image)
	}
}
