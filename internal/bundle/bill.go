package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pilinhub/pilin/internal/node"
)

// The bill of materials is CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json), as far as a binary tells.
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Licences   []licence  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type licence struct {
	Licence struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref  string   `json:"ref"`
	Uses []string `json:"dependsOn"`
}

// billOf lists what is linked in. Its serial number is derived from the list, so that one commit has one bill.
func billOf(linked []module, info *buildinfo.BuildInfo, arch string, stamp time.Time) ([]byte, error) {
	self := component{Type: "application", Ref: "pkg:golang/" + info.Main.Path + "@" + node.Release, Name: "pilin", Version: node.Release,
		Properties: []property{{"pilin:arch", "linux/" + arch}, {"pilin:go", info.GoVersion}}}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			self.Properties = append(self.Properties, property{"pilin:" + s.Key, s.Value})
		}
	}
	b := bill{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{stamp.Format(time.RFC3339), self}}
	uses := dependency{Ref: self.Ref, Uses: []string{}}
	hash := sha256.New()
	for _, m := range linked {
		purl := "pkg:golang/" + m.path + "@" + m.version
		c := component{Type: "library", Ref: purl, Name: m.path, Version: m.version, PURL: purl}
		for _, id := range m.licences {
			var l licence
			l.Licence.ID = id
			c.Licences = append(c.Licences, l)
		}
		if m.sum != "" {
			c.Properties = []property{{"go:sum", m.sum}}
		}
		fmt.Fprintf(hash, "%s %s\n", purl, m.sum)
		b.Components = append(b.Components, c)
		uses.Uses = append(uses.Uses, purl)
	}
	b.Dependencies = []dependency{uses}
	fmt.Fprintf(hash, "%+v\n", self)
	id := hash.Sum(nil)[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8 of RFC 9562: what it is made of is ours
	b.Serial = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	return json.Marshal(b, jsontext.WithIndent("  "))
}
