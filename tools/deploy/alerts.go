package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// checkAlerts reads the alerts as Prometheus does: form, expressions, templates. Each says how urgent it is and what to do.
func checkAlerts(file string, c *complaints) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	groups, errs := rulefmt.Parse(b, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		c.add("alerts: %v", err)
	}
	if len(errs) > 0 {
		return nil
	}
	if len(groups.Groups) == 0 {
		return fmt.Errorf("%s: no groups", filepath.Base(file))
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if s := r.Labels["severity"]; s != "page" && s != "ticket" || r.Annotations["summary"] == "" || r.Annotations["do"] == "" {
				c.add("alerts: %s: want a severity, page or ticket, a summary and what to do", r.Alert)
			}
		}
	}
	return nil
}
