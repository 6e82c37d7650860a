package policyfile

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

// plain is in one line what the parser could not read: line, field and fix, as
// far as they are known, in no words of YAML's or Go's.
func plain(file *ast.File, err error) string {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return first
	}
	tok, text := at.GetToken(), at.GetMessage()
	path := pathOf(file, tok)
	switch e := at.(type) {
	case *yaml.TypeError:
		text = mistyped(e.DstType, tok.Value)
	case *yaml.OverflowError:
		text = fmt.Sprintf("%s is too large a number", e.SrcNum)
	case *yaml.UnexpectedNodeTypeError:
		text = misshapen(e)
	case *yaml.UnknownFieldError:
		path, text = "", fmt.Sprintf("there is no field %q", tok.Value)
	case *yaml.SyntaxError:
		path, text = "", misread(text)
	}
	if path != "" {
		text = path + ": " + text
	}
	return fmt.Sprintf("line %d: %s", tok.Position.Line, text)
}

func mistyped(want reflect.Type, is string) string {
	switch {
	case want == reflect.TypeFor[ticket.Priority]():
		words := make([]string, 0, 4)
		for p := ticket.Critical; p <= ticket.Low; p++ {
			words = append(words, fmt.Sprintf("%d is %s", p, p))
		}
		return fmt.Sprintf("%q is not a priority from 1 to 4: %s", is, strings.Join(words, ", "))
	case want != nil && want.Kind() == reflect.Bool:
		return fmt.Sprintf("%q is neither true nor false", is)
	case want != nil && want.Kind() == reflect.Int:
		return fmt.Sprintf("%q is not a whole number", is)
	}
	return fmt.Sprintf("%q does not belong here", is)
}

func misshapen(e *yaml.UnexpectedNodeTypeError) string {
	is := e.Token.Value
	switch {
	case e.Expected == ast.SequenceType && e.Actual == ast.MappingType:
		return "this wants a list: a - before each entry, or all of them in [ ]"
	case e.Expected == ast.SequenceType:
		return fmt.Sprintf("this wants a list: [%s]", is)
	case e.Expected == ast.MappingType && e.Actual == ast.SequenceType:
		return "this wants fields with values, not a list"
	case e.Expected == ast.MappingType:
		return fmt.Sprintf("this wants fields with values, as in {name: value}, not %q alone", is)
	}
	return "this wants a single value"
}

// misread adds to what the parser says what most likely is the matter.
func misread(text string) string {
	key, twice := strings.CutPrefix(text, "mapping key ")
	switch {
	case twice:
		key, _, _ = strings.Cut(key, " already")
		return key + " is there twice; keep one"
	case strings.Contains(text, "\t"):
		return "there is a tab; indent with spaces"
	case strings.Contains(text, "reserved character"):
		return text + "; put the text in quotes"
	case strings.Contains(text, "not allowed in this context"):
		return text + "; see whether it is indented like the lines around it"
	}
	return text
}

// pathOf is the path of what begins with the token: ladders[0].steps[1].at.
func pathOf(file *ast.File, tok *token.Token) string {
	if file == nil {
		return ""
	}
	path := ""
	for _, doc := range file.Docs {
		ast.Walk(visit(func(n ast.Node) {
			if t := n.GetToken(); t != nil && t.Position.Offset == tok.Position.Offset && len(n.GetPath()) > len(path) {
				path = n.GetPath()
			}
		}), doc.Body)
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
}

type visit func(ast.Node)

func (v visit) Visit(n ast.Node) ast.Visitor { v(n); return v }

// known are the platforms on which there are channels.
var known = []string{"slack", "teams"}

// platforms says where the file names a channel on a platform that there is not.
func platforms(p policy.Policy) []policy.Problem {
	var wrong []policy.Problem
	look := func(path string, c policy.Channels) {
		for _, name := range slices.Sorted(maps.Keys(c)) {
			if !slices.Contains(known, name) {
				wrong = append(wrong, policy.Problem{Path: path + "." + name, Text: fmt.Sprintf("there is no platform %q; there are %s", name, strings.Join(known, " and "))})
			}
		}
	}
	for i, c := range p.Desk.Help {
		look(fmt.Sprintf("desk.help[%d]", i), c)
	}
	for i, t := range p.Teams {
		look(fmt.Sprintf("teams[%d].channel", i), t.Channel)
		look(fmt.Sprintf("teams[%d].alerts", i), t.Alerts)
	}
	for i, s := range p.Services {
		look(fmt.Sprintf("services[%d].channel", i), s.Channel)
		look(fmt.Sprintf("services[%d].alerts", i), s.Alerts)
	}
	look("alerts.channel", p.Alerts.Channel)
	look("changes.channel", p.Changes.Channel)
	look("changes.report", p.Changes.Report)
	look("knowledge.channel", p.Knowledge.Channel)
	return wrong
}
