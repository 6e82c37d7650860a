package ticket_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/ticket"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		typed  string
		kind   ticket.Kind
		number int64
		ok     bool
	}{
		{"as it is shown", "INC-42", ticket.Incident, 42, true},
		{"in small letters", "req-7", ticket.Request, 7, true},
		{"without the hyphen", "inc42", ticket.Incident, 42, true},
		{"with a space", "REQ 7", ticket.Request, 7, true},
		{"with a number sign", "#INC-42", ticket.Incident, 42, true},
		{"with spaces around", "  inc-42\n", ticket.Incident, 42, true},
		{"with zeros before", "INC-0042", ticket.Incident, 42, true},
		{"the largest that fits", "INC-999999999999", ticket.Incident, 999999999999, true},
		{"a number too long to be one", "INC-1000000000000", "", 0, false},
		{"no number", "INC-", "", 0, false},
		{"number zero", "INC-0", "", 0, false},
		{"a negative number is one with two hyphens", "INC--5", ticket.Incident, 5, true},
		{"a word that begins alike", "incident 5", "", 0, false},
		{"a number with a letter", "INC-4x", "", 0, false},
		{"digits of another script", "INC-٤٢", "", 0, false},
		{"a number alone", "42", "", 0, false},
		{"an article", "KB-12", "", 0, false},
		{"nothing", "", "", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			kind, number, ok := ticket.ParseRef(tt.typed)
			if kind != tt.kind || number != tt.number || ok != tt.ok {
				t.Errorf("ParseRef(%q) = %q, %d, %v; want %q, %d, %v", tt.typed, kind, number, ok, tt.kind, tt.number, tt.ok)
			}
		})
	}
}

func TestRefIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tk := ticket.Ticket{Kind: rapid.SampledFrom([]ticket.Kind{ticket.Incident, ticket.Request}).Draw(t, "kind"),
			Number: rapid.Int64Range(1, 999_999_999_999).Draw(t, "number")}
		if kind, number, ok := ticket.ParseRef(tk.Ref()); kind != tk.Kind || number != tk.Number || !ok {
			t.Fatalf("ParseRef(%q) = %q, %d, %v", tk.Ref(), kind, number, ok)
		}
	})
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"INC-42", "#req 7", "inc", "INC-99999999999999999999", "\xff", "#", "ınc-1", "REQ-٧"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		kind, number, ok := ticket.ParseRef(s)
		if !ok {
			if kind != "" || number != 0 {
				t.Fatalf("ParseRef(%q) = %q, %d and no reference", s, kind, number)
			}
			return
		}
		if number < 1 || !strings.ContainsFunc(s, unicode.IsDigit) {
			t.Fatalf("ParseRef(%q) = %d", s, number)
		}
		again, n, ok := ticket.ParseRef(ticket.Ticket{Kind: kind, Number: number}.Ref())
		if again != kind || n != number || !ok {
			t.Fatalf("ParseRef(%q) is not what its reference says: %q, %d", s, again, n)
		}
	})
}

func TestStateWords(t *testing.T) {
	t.Parallel()
	for want, tk := range map[string]ticket.Ticket{
		"New":                       fresh,
		"In progress":               claimed,
		"Waiting for a part":        held,
		"Waiting for a supplier":    heldByNone,
		"Resolved":                  resolved,
		"Closed":                    closed,
		"Waiting for the requester": as(held, func(t *ticket.Ticket) { t.WaitsFor = ticket.ForRequester }),
	} {
		if got := tk.StateWords(); got != want {
			t.Errorf("StateWords() of a ticket that is %s = %q, want %q", tk.State, got, want)
		}
	}
}
