package change_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

func TestWhenARateIsBetter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		now, base change.Rate
		want      change.Trend
	}{
		"nothing was done":                     {change.Rate{}, change.Rate{Worked: 8, Done: 10}, change.Unknown},
		"there is no baseline":                 {change.Rate{Worked: 8, Done: 10}, change.Rate{}, change.Unknown},
		"all of three after nine of ten":       {change.Rate{Worked: 3, Done: 3}, change.Rate{Worked: 9, Done: 10}, change.Same},
		"a little more of a few":               {change.Rate{Worked: 18, Done: 20}, change.Rate{Worked: 70, Done: 84}, change.Same},
		"the same little more of very many":    {change.Rate{Worked: 1800, Done: 2000}, change.Rate{Worked: 7000, Done: 8400}, change.Better},
		"far fewer":                            {change.Rate{Worked: 10, Done: 20}, change.Rate{Worked: 80, Done: 84}, change.Worse},
		"one failure, and it was the only one": {change.Rate{Worked: 0, Done: 1}, change.Rate{Worked: 5, Done: 5}, change.Same},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.now.Against(tt.base); got != tt.want {
				t.Errorf("%+v against %+v is %d, want %d", tt.now, tt.base, got, tt.want)
			}
		})
	}
}

// Whichever of two is measured against the other, they say the same; what is
// equal is never called different; and one more success never makes it worse.
func TestLawsOfRates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) change.Rate {
			n := rapid.IntRange(1, 500).Draw(t, name)
			return change.Rate{Done: n, Worked: rapid.IntRange(0, n).Draw(t, name+" worked")}
		}
		a, b := draw("a"), draw("b")
		mirror := map[change.Trend]change.Trend{change.Same: change.Same, change.Better: change.Worse, change.Worse: change.Better}
		if x, y := a.Against(b), b.Against(a); mirror[x] != y {
			t.Fatalf("%+v against %+v is %d, and the other way round %d", a, b, x, y)
		}
		if got := a.Against(a); got != change.Same {
			t.Fatalf("%+v against itself is %d", a, got)
		}
		if a.Worked < a.Done {
			more := a
			more.Worked++
			if a.Against(b) == change.Better && more.Against(b) != change.Better {
				t.Fatalf("%+v is better than %+v, and %+v is not", a, b, more)
			}
		}
	})
}

func TestTally(t *testing.T) {
	t.Parallel()
	got := change.Tally([]change.Result{
		{Number: 1, Kind: change.Normal, Team: 1, Outcome: change.Worked, Items: []cmdb.ItemID{3, 4}, Before: true},
		{Number: 2, Kind: change.Normal, Team: 1, Outcome: change.Failed, Items: []cmdb.ItemID{3}, Before: true},
		{Number: 3, Kind: change.Normal, Team: 1, Outcome: change.Failed, Items: []cmdb.ItemID{3}},
		{Number: 4, Kind: change.Normal, Team: 2, Outcome: change.RolledBack, Items: []cmdb.ItemID{3, 5}},
		{Number: 5, Kind: change.Emergency, Team: 2, Outcome: change.Worked, Items: []cmdb.ItemID{4, 5}},
		{Number: 6, Kind: change.Undocumented, Team: 2, Outcome: change.Worked, Items: []cmdb.ItemID{3}},
		{Number: 7, Kind: change.Undocumented, Team: 2, Outcome: change.Worked, Before: true},
	})
	want := change.Report{All: change.Rate{Worked: 1, Done: 3}, Base: change.Rate{Worked: 1, Done: 2}, Undocumented: 1,
		Kinds: []change.Line[change.Kind]{{Of: change.Emergency, Rate: change.Rate{Worked: 1, Done: 1}},
			{Of: change.Normal, Rate: change.Rate{Worked: 0, Done: 2}, Base: change.Rate{Worked: 1, Done: 2}, Failed: []int64{3, 4}}},
		Teams: []change.Line[people.TeamID]{{Of: 1, Rate: change.Rate{Done: 1}, Base: change.Rate{Worked: 1, Done: 2}, Failed: []int64{3}},
			{Of: 2, Rate: change.Rate{Worked: 1, Done: 2}, Failed: []int64{4}}},
		Items: []change.Line[cmdb.ItemID]{{Of: 3, Rate: change.Rate{Done: 2}, Base: change.Rate{Worked: 1, Done: 2}, Failed: []int64{3, 4}},
			{Of: 5, Rate: change.Rate{Worked: 1, Done: 2}, Failed: []int64{4}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
