package adaptertest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the README says of the platforms is what the list says.
func TestTheREADMEShowsTheTable(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- parity: begin -->\n", "<!-- parity: end -->"
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), begin)
	shown, _, closed := strings.Cut(after, end)
	if !found || !closed {
		t.Fatalf("the README has no table between %q and %q", begin, end)
	}
	want := Table()
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("the README's table is out of date; put this between its marks (-want +got):\n%s\n\n%s", diff, want)
	}
}

func TestTheListIsInOrder(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`^[A-Z]{2}[0-9]{1,2}$`)
	names := map[string]bool{}
	for _, c := range Conversations() {
		if names[c.Name] {
			t.Errorf("%q is there twice", c.Name)
		}
		names[c.Name] = true
		if len(c.Rows) == 0 || c.Run == nil {
			t.Errorf("%q shows nothing", c.Name)
		}
		for _, r := range c.Rows {
			if !row.MatchString(r) {
				t.Errorf("%q shows %q, which is no row", c.Name, r)
			}
		}
		held := On(Slack).Held(c) || On(Teams).Held(c) || Pair{Asking: Teams, Working: Slack}.Held(c)
		if !held {
			t.Errorf("%q is held nowhere", c.Name)
		}
	}
	for _, p := range []Platform{Slack, Teams} {
		for f, l := range p.Lacks {
			if l.Why == "" || l.Instead == "" {
				t.Errorf("%s lacks %q without a reason or without anything instead", p.Title, f)
			}
			if !slices.Contains(features, f) {
				t.Errorf("%q is not among the features", f)
			}
		}
	}
}
