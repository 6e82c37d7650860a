// Package policyfile reads a desk's policy from its YAML file, strictly: what
// it does not know, or what can't be, is refused with line and field, and
// nothing of the file comes into force.
package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/deskhand/deskhand/core/policy"
)

// mostBytes is far more than the policy of a large company needs.
const mostBytes = 4 << 20

// Error is all that is wrong with a file, a line each.
type Error struct {
	File  string
	Lines []string
}

func (e *Error) Error() string {
	return e.File + " is not in force:\n  " + strings.Join(e.Lines, "\n  ")
}

// Load reads and checks the policy in the file.
func Load(file string) (policy.Policy, error) {
	f, err := os.Open(file)
	if err != nil {
		return policy.Policy{}, fmt.Errorf("can't read the policy file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return policy.Policy{}, fmt.Errorf("can't read the policy file: %w", err)
	}
	return Parse(file, text)
}

// Parse is Load for a file's text; name is used in errors.
func Parse(name string, text []byte) (policy.Policy, error) {
	var p policy.Policy
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors begin a file with it
	if len(text) > mostBytes {
		return p, &Error{name, []string{fmt.Sprintf("it is larger than %d MB", mostBytes>>20)}}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return p, &Error{name, []string{plain(file, err)}}
	}
	if len(file.Docs) > 1 {
		return p, &Error{name, []string{"it holds several documents; a policy is one"}}
	}
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict(), yaml.DisallowUnknownField()); err != nil && !errors.Is(err, io.EOF) {
		return p, &Error{name, []string{plain(file, err)}}
	}
	found := append(public(&p, time.Now()), platforms(p)...)
	p = p.WithDefaults()
	found = append(found, p.Check()...)
	if len(found) == 0 {
		return p, nil
	}
	return p, refused(name, file, found)
}

// Refused says of a file that has been loaded what the record finds wrong with
// it.
func Refused(name string, found ...policy.Problem) error {
	file, err := parser.ParseFile(name, 0)
	if err != nil { // it is gone, or another by now
		file = &ast.File{}
	}
	return refused(name, file, found)
}

func refused(name string, file *ast.File, found []policy.Problem) *Error {
	e := &Error{File: name}
	for _, problem := range found {
		line := problem.String()
		if n := lineOf(file, problem.Path); n > 0 {
			line = fmt.Sprintf("line %d: %s", n, line)
		}
		e.Lines = append(e.Lines, line)
	}
	return e
}

// lineOf is the line of a path such as teams[2].lead, or of the nearest thing
// above it that is in the file; 0 if there is none.
func lineOf(file *ast.File, path string) int {
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.FilterFile(file); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return 0
		}
		path = path[:cut]
	}
	return 0
}
