// Package itemfile reads files of configuration items: CSV with a head line, or
// YAML.
package itemfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/deskhand/deskhand/core/cmdb"
)

// mostBytes bounds a file; a hundred thousand items fit into it.
const mostBytes = 64 << 20

// Load reads a file, as CSV or as YAML by its name.
func Load(file string) ([]cmdb.Row, []cmdb.Problem, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > mostBytes {
		return nil, nil, fmt.Errorf("%s is larger than %d MB; split it", file, mostBytes>>20)
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".csv":
		return CSV(data)
	case ".yaml", ".yml":
		return YAML(data)
	}
	return nil, nil, fmt.Errorf("%s is neither a .csv nor a .yaml file", file)
}

// The names of a file's columns, or of an item's keys in YAML. Only the first
// is needed. Those of relations list other items, with blanks or semicolons
// between them.
var columns = map[string]func(*cmdb.Row, string) error{
	"item":     func(r *cmdb.Row, s string) error { r.Key = s; return nil },
	"name":     func(r *cmdb.Row, s string) error { r.Name = s; return nil },
	"type":     func(r *cmdb.Row, s string) error { r.Type = cmdb.Type(strings.ToLower(s)); return nil },
	"state":    func(r *cmdb.Row, s string) error { r.State = cmdb.State(strings.ToLower(s)); return nil },
	"owner":    func(r *cmdb.Row, s string) error { r.Owner = s; return nil },
	"team":     func(r *cmdb.Row, s string) error { r.Team = s; return nil },
	"service":  func(r *cmdb.Row, s string) error { r.Service = s; return nil },
	"tier":     func(r *cmdb.Row, s string) error { return number(s, func(n int64) { r.Tier = int(n) }) },
	"users":    func(r *cmdb.Row, s string) error { return number(s, func(n int64) { r.Users = int(n) }) },
	"downtime": func(r *cmdb.Row, s string) error { return number(s, func(n int64) { r.Downtime = n }) },

	"description": func(r *cmdb.Row, s string) error { r.Description = s; return nil },

	string(cmdb.DependsOn):  related(cmdb.DependsOn),
	string(cmdb.RunsOn):     related(cmdb.RunsOn),
	string(cmdb.PartOf):     related(cmdb.PartOf),
	string(cmdb.ConnectsTo): related(cmdb.ConnectsTo),
}

const columnNames = "item, name, type, state, owner, team, service, tier, users, downtime, description, depends_on, runs_on, part_of, connects_to"

func number(s string, set func(int64)) error {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a whole number", s)
	}
	set(n)
	return nil
}

func related(kind cmdb.Kind) func(*cmdb.Row, string) error {
	return func(r *cmdb.Row, s string) error {
		if r.Relations == nil {
			r.Relations = map[cmdb.Kind][]string{}
		}
		r.Relations[kind] = append(r.Relations[kind], strings.FieldsFunc(s, func(c rune) bool { return c == ';' || c == ',' || c == ' ' || c == '\n' })...)
		return nil
	}
}

func blank(line int) cmdb.Row { return cmdb.Row{Line: line, Users: -1, Downtime: -1} }

// CSV reads items from comma- or semicolon-separated text whose first line
// names the columns.
func CSV(data []byte) ([]cmdb.Row, []cmdb.Problem, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // spreadsheets write it
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	if first, _, _ := bytes.Cut(data, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("the file is empty; its first line names the columns: " + columnNames)
	}
	if err != nil {
		return nil, nil, err
	}
	hasKey := false
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(name))
		if _, ok := columns[head[i]]; !ok {
			return nil, nil, fmt.Errorf("line 1: there is no column %q; there are %s", name, columnNames)
		}
		hasKey = hasKey || head[i] == "item"
	}
	if !hasKey {
		return nil, nil, errors.New("line 1: the column item is missing; there are " + columnNames)
	}
	var rows []cmdb.Row
	var wrong []cmdb.Problem
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, wrong, nil
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			// What comes after a quote that has no end can't be told apart.
			wrong = append(wrong, cmdb.Problem{Line: pe.StartLine, Text: pe.Err.Error()})
			return rows, wrong, nil
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := r.FieldPos(0)
		if len(record) > len(head) {
			wrong = append(wrong, cmdb.Problem{Line: line, Text: fmt.Sprintf("there are %d fields and %d columns", len(record), len(head))})
			continue
		}
		row := blank(line)
		bad := false
		for i, value := range record {
			if err := columns[head[i]](&row, strings.TrimSpace(value)); err != nil {
				wrong = append(wrong, cmdb.Problem{Line: line, Text: head[i] + ": " + err.Error()})
				bad = true
			}
		}
		if !bad {
			rows = append(rows, row)
		}
	}
}

// YAML reads items from a list of maps.
func YAML(data []byte) ([]cmdb.Row, []cmdb.Problem, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, nil, errors.New(yaml.FormatError(err, false, false))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, nil, errors.New("the file is empty; it is a list of items, each with some of " + columnNames)
	}
	list, ok := file.Docs[0].Body.(*ast.SequenceNode)
	if !ok {
		return nil, nil, errors.New("line 1: this is not a list of items")
	}
	var rows []cmdb.Row
	var wrong []cmdb.Problem
	for _, node := range list.Values {
		line := node.GetToken().Position.Line
		var fields []*ast.MappingValueNode
		switch m := node.(type) {
		case *ast.MappingNode:
			fields = m.Values
		case *ast.MappingValueNode:
			fields = []*ast.MappingValueNode{m}
		default:
			wrong = append(wrong, cmdb.Problem{Line: line, Text: "this is not an item with its fields"})
			continue
		}
		row := blank(line)
		bad := false
		for _, f := range fields {
			at := f.Key.GetToken().Position.Line
			if err := field(&row, f); err != nil {
				wrong, bad = append(wrong, cmdb.Problem{Line: at, Text: err.Error()}), true
			}
		}
		if !bad {
			rows = append(rows, row)
		}
	}
	return rows, wrong, nil
}

func field(row *cmdb.Row, f *ast.MappingValueNode) error {
	name := f.Key.GetToken().Value
	set, ok := columns[name]
	if !ok {
		return fmt.Errorf("there is no field %q; there are %s", name, columnNames)
	}
	values := []ast.Node{f.Value}
	if list, ok := f.Value.(*ast.SequenceNode); ok {
		values = list.Values
		if len(values) == 0 {
			return set(row, "")
		}
	}
	for _, v := range values {
		switch v.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.NullNode, *ast.LiteralNode, *ast.BoolNode, *ast.FloatNode:
		default:
			return fmt.Errorf("%s: this is not a word or a number", name)
		}
		text := v.GetToken().Value
		if _, null := v.(*ast.NullNode); null {
			text = ""
		}
		if err := set(row, strings.TrimSpace(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
