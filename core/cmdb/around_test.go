package cmdb_test

import (
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/cmdb"
)

func TestAround(t *testing.T) {
	t.Parallel()
	n, ok := shop().Around(6, 2, 60)
	var got []string
	for _, p := range n.Items {
		got = append(got, fmt.Sprintf("%d %s", p.Level, p.Key))
	}
	want := []string{"0 db-3", "1 app-1", "-1 san", "0 db-4", "1 app-2", "-2 disk-9", "2 payroll", "2 portal"}
	if diff := gocmp.Diff(want, got); diff != "" || !ok || n.More != 0 {
		t.Errorf("around db-3 (-want +got):\n%s", diff)
	}
	if len(n.Relations) != 7 {
		t.Errorf("%d relations, want 7: %v", len(n.Relations), n.Relations)
	}
	if n, _ = shop().Around(6, 2, 4); len(n.Items) != 4 || n.More != 4 {
		t.Errorf("of 4 at most there are %d, and %d more", len(n.Items), n.More)
	}
	if _, ok := shop().Around(99, 2, 60); ok {
		t.Error("there is something around nothing")
	}
}

// Each item is there once, within its levels, and each relation among them is
// one that was made.
func TestAroundIsPartOfTheGraph(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, items, rel := anyGraph(t)
		start := items[rapid.IntRange(0, len(items)-1).Draw(t, "start")].ID
		most := rapid.IntRange(1, 14).Draw(t, "most")
		n, _ := g.Around(start, 2, most)
		in := map[cmdb.ItemID]bool{}
		for _, p := range n.Items {
			if in[p.ID] || p.Level < -2 || p.Level > 2 {
				t.Fatalf("item %d is at level %d, or twice", p.ID, p.Level)
			}
			in[p.ID] = true
		}
		if len(n.Items) > most || n.Items[0].ID != start {
			t.Fatalf("%d items, the first %d", len(n.Items), n.Items[0].ID)
		}
		want := map[cmdb.Relation]bool{}
		for _, r := range rel {
			if in[r.From] && in[r.To] && r.From != r.To {
				want[r] = true
			}
		}
		for _, r := range n.Relations {
			if !slices.Contains(rel, r) {
				t.Fatalf("%v was never made", r)
			}
			delete(want, r)
		}
		if len(want) > 0 {
			t.Fatalf("not shown: %v", want)
		}
	})
}

func TestACircleIsToldBeforeItIsMade(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		r    cmdb.Relation
		want []string
	}{
		{cmdb.Relation{From: 6, To: 1, Kind: cmdb.DependsOn}, []string{"db-3", "app-1", "payroll", "db-3"}},
		{cmdb.Relation{From: 1, To: 9, Kind: cmdb.PartOf}, []string{"disk-9", "san", "db-3", "app-1", "payroll", "disk-9"}},
		{cmdb.Relation{From: 6, To: 1, Kind: cmdb.ConnectsTo}, nil},
		{cmdb.Relation{From: 1, To: 7, Kind: cmdb.DependsOn}, nil},
	} {
		var got []string
		for _, it := range shop().Circle(tt.r) {
			got = append(got, it.Key)
		}
		if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.r, diff)
		}
	}
}
