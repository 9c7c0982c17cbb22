package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pilinhub/pilin/client"
)

type eventsCmd struct {
	person
	PlaceFile string `name:"place-file" type:"path" help:"记住听到哪里的文件,下次从那里继续 · File that remembers the place; the next call goes on from there."`
}

// Run prints what this person should know until he has had enough.
func (c *eventsCmd) Run(ctx context.Context, out *printer) error {
	at := ""
	if c.PlaceFile != "" {
		b, err := os.ReadFile(c.PlaceFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		at = strings.TrimSpace(string(b))
	}
	d, err := c.desk(ctx)
	if err != nil {
		return err
	}
	err = d.Hear(ctx, at, func(place string, n client.Notice) error {
		if n.Topic != "" {
			if err := c.print(out, n); err != nil {
				return err
			}
		}
		if c.PlaceFile == "" {
			return nil
		}
		// Printed first, remembered then: what was printed last may come again, nothing is missed.
		if err := os.WriteFile(c.PlaceFile+".new", []byte(place+"\n"), 0o600); err != nil {
			return err
		}
		return os.Rename(c.PlaceFile+".new", c.PlaceFile)
	})
	if errors.Is(err, context.Canceled) {
		return nil // the person has had enough
	}
	return err
}

// topics are the topics in the words of the work.
var topics = map[string]string{"entry": "记录 record", "applied": "各家已执行 applied by all", "draft": "待办 draft", "operation": "联合行动 operation", "ask": "未结核查 question", "import": "导入 import", "alarm": "告警 alarm"}

func (c *eventsCmd) print(out *printer, n client.Notice) error {
	if out.JSON {
		return out.line(n)
	}
	var what []string
	for _, s := range []string{n.Member, n.Type, n.Event, n.State, n.Direction, n.Day, n.Subject, n.Ask, n.Import, strings.Join(n.Alarms, " ")} {
		if s != "" {
			what = append(what, s)
		}
	}
	if _, err := fmt.Fprintf(out, "%s  %s\n", topics[n.Topic], strings.Join(what, "  ")); err != nil {
		return err
	}
	printDuty(out, n.Duty)
	return nil
}
