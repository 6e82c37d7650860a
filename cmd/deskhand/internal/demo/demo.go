// Package demo holds the company with which a newcomer meets the desk:
// Oxbarrow, a maker of cargo bicycles that does not exist. Its articles and its
// policy are ordinary input files, such as any company would write; its last 90
// days are generated, and end at whatever now is.
package demo

import (
	"embed"
	"io/fs"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/policyfile"
	"github.com/deskhand/deskhand/core/policy"
)

//go:embed articles/*.md
var articles embed.FS

// ItemsYAML is what the company runs, in the form of "deskhand cmdb import".
//
//go:embed items.yaml
var ItemsYAML []byte

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

// Policy is PolicyYAML read and checked: the 44 people whom the demo knows by
// name, and how they work.
func Policy() (policy.Policy, error) { return policyfile.Parse("policy.yaml", PolicyYAML) }
