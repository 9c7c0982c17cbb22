// Package node builds one member's node from its configuration, inside out: keys and charter, store, index, registers,
// exchange, listeners. It is the only place that knows all parts; it holds no rule of any of them.
package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// Config is all that an operator can set. Secrets are names of files. The zero value of a field has the default named
// beside it; a field that has none must be set.
type Config struct {
	Member   record.MemberID `yaml:"member"`   // this bureau's code in the charter, e.g. 310116-01
	Data     string          `yaml:"data"`     // folder of keys.json and released-size files; readable by the node's user only
	Storage  Storage         `yaml:"storage"`  // what database and index snapshot are sealed under
	Database Database        `yaml:"database"` // where the log lives
	Kafka    kafkabus.Config `yaml:"kafka"`    // the courier; without brokers the node exchanges over HTTP alone
	Redis    Redis           `yaml:"redis"`    // fast paths only; may be absent
	People   People          `yaml:"people"`   // the listener for this bureau's staff
	Members  Members         `yaml:"members"`  // the listener for other members' nodes
	Ask      Ask             `yaml:"ask"`      // the federated question
	Exchange Exchange        `yaml:"exchange"` // timing of the exchange
	Limits   Limits          `yaml:"limits"`   // how much may be asked
	Tracing  Tracing         `yaml:"tracing"`  // off without an endpoint
	// Calendars are files of working-day calendars by year, as workflow/calendar/2026.json, for years that this release does not
	// know or knows otherwise. Read at start. A year with neither off nor working days counts weekends alone: a choice of the
	// bureau that status keeps naming.
	Calendars []string `yaml:"calendars"`

	DiskPercent int `yaml:"disk_percent"` // default 80: a disk that is fuller is told as a ticket

	// UnsafeTest lets a node start on a database that does not sync to disk. Never on a machine that matters.
	UnsafeTest bool `yaml:"unsafe_test"`

	// Supervisor hears when the node serves, lives and stops.
	Supervisor Supervisor `yaml:"-"`

	// Progress hears how far backup, restore, rebuild and export are; nil: nobody does.
	Progress Progress `yaml:"-"`

	// Now is the node's clock; nil is the machine's. Only the demo sets it, for the days of its story.
	Now func() time.Time `yaml:"-"`
}

// Database says where the log lives.
type Database struct {
	Driver  string `yaml:"driver"`   // postgres or sqlite
	DSN     string `yaml:"dsn"`      // sqlite: file name; postgres: without password, sslmode=verify-full or a unix socket
	DSNFile string `yaml:"dsn_file"` // file that holds the DSN, password included; wins over dsn
}

// Storage says where the storage keys are (ADR 12). They must not lie where copies of the database go.
type Storage struct {
	KeysFile   string `yaml:"keys_file"`  // default storage.keys in the data folder; made at the first start
	Credential string `yaml:"credential"` // name of a systemd credential that holds them instead: LoadCredential(Encrypted)=name:…
}

// Redis says where the fast paths are kept.
type Redis struct {
	URL     string `yaml:"url"`      // redis:// or rediss://; empty = none
	URLFile string `yaml:"url_file"` // file that holds the URL, password included; wins over url
}

// People is the listener for staff.
type People struct {
	Listen   string `yaml:"listen"`    // default 127.0.0.1:8080
	CertFile string `yaml:"cert_file"` // an ordinary certificate; without one only a loopback address is accepted
	KeyFile  string `yaml:"key_file"`
	// MetricsFrom are the networks of collectors, e.g. 10.20.0.0/16, that may read /metrics without sign-in. This machine may.
	MetricsFrom []netip.Prefix `yaml:"metrics_from"`
}

// Members is the listener for other nodes; its certificate is this member's own key, pinned by the charter.
type Members struct {
	Listen string `yaml:"listen"` // default :8443
}

// Ask tunes the federated question.
type Ask struct {
	Deadline time.Duration `yaml:"deadline"` // default 2s: then whoever has not answered is named as missing
}

// Exchange tunes the exchange with other members.
type Exchange struct {
	Heads time.Duration `yaml:"heads"` // default 15s between head exchanges with one peer, ± 20 %
}

// ReadConfig reads a YAML file; a member it does not know is an error, so that a typing error does not go unnoticed.
func ReadConfig(file string) (Config, error) {
	var c Config
	b, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	d := yaml.NewDecoder(strings.NewReader(string(b)))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("configuration %s: %w", file, err)
	}
	if err := c.complete(); err != nil {
		return c, fmt.Errorf("configuration %s: %w", file, err)
	}
	return c, nil
}

// complete reads secret files, fills defaults and refuses what cannot work.
func (c *Config) complete() error {
	if c.Now == nil {
		c.Now = time.Now
	}
	if !c.Member.Valid() {
		return fmt.Errorf("member %q: want a code like 310116-01", c.Member)
	}
	if c.Data == "" {
		return errors.New("data: must name a folder")
	}
	if c.Database.DSNFile != "" {
		b, err := os.ReadFile(c.Database.DSNFile)
		if err != nil {
			return fmt.Errorf("database.dsn_file: %w", err)
		}
		c.Database.DSN = strings.TrimSpace(string(b))
	}
	switch c.Database.Driver {
	case "postgres":
		if c.Database.DSN == "" {
			return errors.New("database.dsn: must be set for postgres")
		}
	case "sqlite", "":
		c.Database.Driver = "sqlite"
		if c.Database.DSN == "" {
			c.Database.DSN = filepath.Join(c.Data, "pilin.db")
		}
	default:
		return fmt.Errorf("database.driver %q: want postgres or sqlite", c.Database.Driver)
	}
	if c.Storage.KeysFile != "" && c.Storage.Credential != "" {
		return errors.New("storage: keys_file or credential, not both")
	}
	if c.Redis.URLFile != "" {
		b, err := os.ReadFile(c.Redis.URLFile)
		if err != nil {
			return fmt.Errorf("redis.url_file: %w", err)
		}
		c.Redis.URL = strings.TrimSpace(string(b))
	}
	if c.People.Listen == "" {
		c.People.Listen = "127.0.0.1:8080"
	}
	if c.Members.Listen == "" {
		c.Members.Listen = ":8443"
	}
	if c.People.CertFile == "" {
		host, _, err := net.SplitHostPort(c.People.Listen)
		if err != nil {
			return fmt.Errorf("people.listen: %w", err)
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return errors.New("people.listen: without cert_file and key_file only a loopback address is accepted")
		}
	}
	if err := c.Limits.complete(); err != nil {
		return err
	}
	if err := c.completeDisk(); err != nil {
		return err
	}
	if c.Ask.Deadline == 0 {
		c.Ask.Deadline = 2 * time.Second
	}
	if c.Exchange.Heads == 0 {
		c.Exchange.Heads = 15 * time.Second
	}
	if _, err := c.calendar(); err != nil {
		return err
	}
	return c.Tracing.complete()
}

// calendar is the statutory calendar of this release with the years that the operator adds.
func (c *Config) calendar() (*workflow.Calendar, error) {
	out := workflow.Statutory()
	for _, name := range c.Calendars {
		b, err := os.ReadFile(name)
		if err == nil {
			out, err = out.With(b)
		}
		if err != nil {
			return nil, fmt.Errorf("calendars: %s: %w", name, err)
		}
	}
	return out, nil
}
