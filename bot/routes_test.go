package bot

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// released are the actions that cards can carry, by the names of their
// constants: those with a dot in them, which the names of cards have not.
func released(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "cards/actions.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, v := range spec.Values {
			if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(s, ".") {
					all[s] = spec.Names[i].Name
				}
			}
		}
		return false
	})
	return all
}

func TestEveryActionHasAFlow(t *testing.T) {
	t.Parallel()
	all := released(t)
	if len(all) < 20 {
		t.Fatalf("only %d actions were found: %v", len(all), all)
	}
	for action, name := range all {
		if presses[action] == nil && forms[action] == nil {
			t.Errorf("nothing happens on cards.%s, %q", name, action)
		}
	}
	for _, routes := range []map[string]flow{presses, forms} {
		for action, f := range routes {
			if all[action] == "" {
				t.Errorf("there is a flow for %q, which no card can carry", action)
			}
			if f == nil {
				t.Errorf("%q has no flow", action)
			}
		}
	}
}

// A history is read by people: no step is shown by its code name.
func TestEveryStepHasWords(t *testing.T) {
	t.Parallel()
	after := []byte(`{"priority": 2, "waits_for": "supplier", "internal": true}`)
	seen := map[string]string{}
	for _, action := range []string{
		string(ticket.Opened), string(ticket.Claimed), string(ticket.Assigned), string(ticket.Released), string(ticket.Moved), string(ticket.Waited),
		string(ticket.Declined), string(ticket.Vacated),
		string(ticket.Woken), string(ticket.Resolved), string(ticket.ClosedStep), string(ticket.ReopenStep), string(ticket.Rated), string(ticket.Prioritised),
		"said", "edited", "deleted", "added", "lead.told",
	} {
		words := (&turn{}).stepWords(storage.HistoryEntry{Action: action, Before: []byte(`{"priority": 4}`), After: after}, nil)
		if words == action || !strings.Contains(words, " ") || strings.ContainsAny(words, "_.0123456789") {
			t.Errorf("%s is shown as %q", action, words)
		}
		if other, twice := seen[words]; twice {
			t.Errorf("%s and %s are both shown as %q", action, other, words)
		}
		seen[words] = action
	}
	for want, entry := range map[string]storage.HistoryEntry{
		"opened it, priority high":                    {Action: "opened", After: after},
		"put it on hold, waiting for a supplier":      {Action: "waiting", After: after},
		"wrote a note for the team":                   {Action: "said", After: after},
		"wrote a message":                             {Action: "said", After: []byte(`{"internal": false}`)},
		"changed its priority from low to high":       {Action: "prioritised", Before: []byte(`{"priority": 4}`), After: after},
		"changed its priority reason":                 {Action: "prioritised", Before: []byte(`{"because": "so"}`), After: []byte(`{"because": "not so"}`)},
		"gave it to Kim Lee":                          {Action: "assigned", After: []byte(`{"owner": 7}`)},
		"gave it to somebody else":                    {Action: "assigned", After: []byte(`{"owner": 8}`)},
		"opened it, with no priority":                 {Action: "opened"},
		"something that a later release has brought.": {Action: "something that a later release has brought."},
	} {
		if got := (&turn{}).stepWords(entry, map[people.PersonID]people.Person{7: {Name: "Kim Lee"}}); got != want {
			t.Errorf("%s %s is shown as %q, want %q", entry.Action, entry.After, got, want)
		}
	}
}
