package ticket_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/ticket"
)

func TestDefaultMatrixIsCompleteAndNeverFalls(t *testing.T) {
	t.Parallel()
	for i, impact := range ticket.Impacts {
		for u, urgency := range ticket.Urgencies {
			p, ok := ticket.DefaultMatrix[impact][urgency]
			if !ok || p < ticket.Critical || p > ticket.Low {
				t.Errorf("%s, %s: priority %d", impact, urgency, p)
			}
			if i > 0 {
				if less := ticket.DefaultMatrix[ticket.Impacts[i-1]][urgency]; p > less {
					t.Errorf("%s is %v, though %s alone is %v (%s)", impact, p, ticket.Impacts[i-1], less, urgency)
				}
			}
			if u > 0 {
				if less := ticket.DefaultMatrix[impact][ticket.Urgencies[u-1]]; p > less {
					t.Errorf("%s is %v, though %s alone is %v (%s)", urgency, p, ticket.Urgencies[u-1], less, impact)
				}
			}
		}
	}
	if n := len(ticket.DefaultMatrix); n != len(ticket.Impacts) {
		t.Errorf("the matrix has %d impacts, there are %d", n, len(ticket.Impacts))
	}
}

func TestMatrixOfAPolicyWinsWhereItSaysSomething(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		impact, urgency := rapid.SampledFrom(ticket.Impacts), rapid.SampledFrom(ticket.Urgencies)
		m := ticket.Matrix{}
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			i := impact.Draw(t, "impact")
			if m[i] == nil {
				m[i] = map[ticket.Urgency]ticket.Priority{}
			}
			m[i][urgency.Draw(t, "urgency")] = ticket.Priority(rapid.IntRange(1, 4).Draw(t, "priority"))
		}
		i, u := impact.Draw(t, "impact"), urgency.Draw(t, "urgency")
		want, said := m[i][u]
		if !said {
			want = ticket.DefaultMatrix[i][u]
		}
		got, because := m.Priority(i, u)
		if got != want || !strings.Contains(because, " and ") {
			t.Fatalf("%v.Priority(%s, %s) = %v, %q; want %v", m, i, u, got, because, want)
		}
	})
}

// What people read is business words: no code name and no number of a priority.
func TestWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	check := func(code, words string) {
		if words == "" || words == code || seen[words] {
			t.Errorf("%q is shown as %q, which is nothing, a code or the words of another", code, words)
		}
		seen[words] = true
	}
	for _, i := range ticket.Impacts {
		check(string(i), i.Words())
	}
	for _, u := range ticket.Urgencies {
		check(string(u), u.Words())
	}
	for _, r := range ticket.Reasons {
		check(string(r), r.Words())
	}
	for p := ticket.Critical; p <= ticket.Low; p++ {
		check("", p.String())
		if strings.ContainsAny(p.String(), "0123456789") {
			t.Errorf("priority %d is shown as a number: %q", int(p), p)
		}
	}
	if got, because := (ticket.Matrix{}).Priority("world", ticket.Now); got != 0 {
		t.Errorf("an unknown impact has priority %v, %q", got, because)
	}
}
