// Package demo holds the company with which a newcomer meets the desk:
// Oxbarrow, a maker of cargo bicycles that does not exist. Its articles and its
// policy are ordinary input files, such as any company would write; its last 90
// days are generated, and end at whatever now is.
package demo

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"github.com/deskhand/deskhand/core/policy"
)

//go:embed articles/*.md
var articles embed.FS

// PolicyYAML is the company's policy as a file, with comments: the example to
// write one's own from.
//
//go:embed policy.yaml
var PolicyYAML []byte

// Articles are the company's knowledge as Markdown files with front matter, at
// the root of the file system.
func Articles() fs.FS {
	dir, err := fs.Sub(articles, "articles")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	return dir
}

// Policy is PolicyYAML decoded, with the defaults filled in: the 44 people whom
// the demo knows by name.
func Policy() (policy.Policy, error) {
	var p policy.Policy
	if err := yaml.UnmarshalWithOptions(PolicyYAML, &p, yaml.Strict()); err != nil {
		return p, fmt.Errorf("demo policy: %w", err)
	}
	return p.WithDefaults(), nil
}
