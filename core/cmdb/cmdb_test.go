package cmdb_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/cmdb"
)

func item(id cmdb.ItemID, key string, kind cmdb.Type, tier, users int) cmdb.Item {
	return cmdb.Item{ID: id, Key: key, Name: key, Type: kind, State: cmdb.Live, Tier: tier, Users: users}
}

// payroll runs on app-1 and app-2, both on db-3; mail stands alone.
func shop() *cmdb.Graph {
	return cmdb.NewGraph([]cmdb.Item{
		item(1, "payroll", cmdb.Service, 1, 40), item(2, "portal", cmdb.Service, 2, 380), item(3, "mail", cmdb.Service, 1, 400),
		item(4, "app-1", cmdb.Application, 2, 0), item(5, "app-2", cmdb.Application, 3, 0), item(6, "db-3", cmdb.Database, 2, 0),
		item(7, "san", cmdb.Storage, 1, 0), {ID: 8, Key: "old", Name: "old", Type: cmdb.Service, State: cmdb.Retired, Tier: 1, Users: 9},
		item(9, "disk-9", cmdb.Device, 4, 0), item(10, "db-4", cmdb.Database, 3, 0),
	}, []cmdb.Relation{
		{From: 1, To: 4, Kind: cmdb.DependsOn}, {From: 2, To: 5, Kind: cmdb.DependsOn}, {From: 4, To: 6, Kind: cmdb.RunsOn}, {From: 5, To: 6, Kind: cmdb.RunsOn},
		{From: 6, To: 7, Kind: cmdb.DependsOn}, {From: 8, To: 6, Kind: cmdb.DependsOn}, {From: 9, To: 7, Kind: cmdb.PartOf},
		{From: 6, To: 10, Kind: cmdb.ConnectsTo}, {From: 3, To: 99, Kind: cmdb.DependsOn}, {From: 3, To: 3, Kind: cmdb.DependsOn},
	})
}

func keys(items []cmdb.Affected) []string {
	var out []string
	for _, a := range items {
		out = append(out, fmt.Sprintf("%d %s", a.Distance, a.Key))
	}
	return out
}

func TestWhatStopsWithIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		levels int
		of     []cmdb.ItemID
		want   []string
		words  string
	}{
		{"everything above a database, the retired service not", 0, []cmdb.ItemID{6}, []string{"1 app-1", "1 app-2", "2 payroll", "2 portal"}, "payroll, portal; up to 420 people"},
		{"two levels at most", 2, []cmdb.ItemID{7}, []string{"1 db-3", "2 app-1", "2 app-2"}, "no service that is known"},
		{"a part takes the whole along", 1, []cmdb.ItemID{9}, []string{"1 san"}, "no service that is known"},
		{"what is connected goes on", 0, []cmdb.ItemID{10}, nil, "no service that is known"},
		{"a service that stands alone", 0, []cmdb.ItemID{3}, nil, "mail; up to 400 people"},
		{"several at once are counted once", 0, []cmdb.ItemID{4, 6, 4}, []string{"1 payroll", "1 app-2", "2 portal"}, "payroll, portal; up to 420 people"},
		{"one that is not there", 0, []cmdb.ItemID{99}, nil, "no service that is known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			imp := shop().Impact(tt.levels, tt.of...)
			if diff := gocmp.Diff(tt.want, keys(imp.Nearest(imp.Count))); diff != "" {
				t.Errorf("affected (-want +got):\n%s", diff)
			}
			if got := imp.Words(); got != tt.words {
				t.Errorf("in words %q, want %q", got, tt.words)
			}
		})
	}
	if got := keys(shop().Below(2, 4)); !slices.Equal(got, []string{"1 db-3", "2 san"}) {
		t.Errorf("app-1 stands on %v", got)
	}
	if got := shop().Beside(10); len(got) != 1 || got[0].Key != "db-3" {
		t.Errorf("beside db-4 is %v", got)
	}
}

func TestManyServicesAreCounted(t *testing.T) {
	t.Parallel()
	var items []cmdb.Item
	var rel []cmdb.Relation
	for i := range 6 {
		it := item(cmdb.ItemID(i+1), fmt.Sprintf("s%d", i), cmdb.Service, 1+i%4, 10)
		items, rel = append(items, it), append(rel, cmdb.Relation{From: it.ID, To: 100, Kind: cmdb.DependsOn})
	}
	items = append(items, item(100, "core", cmdb.Network, 1, 0))
	if got, want := cmdb.NewGraph(items, rel).Impact(0, 100).Words(), "s0, s4, s1 and 3 more; up to 60 people"; got != want {
		t.Errorf("in words %q, want %q", got, want)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	var got []string
	for _, it := range shop().Find("db", 5) {
		got = append(got, it.Key)
	}
	if want := []string{"db-3", "db-4"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if got := shop().Find("old", 5); len(got) != 0 {
		t.Errorf("a retired item was found: %v", got)
	}
	if it, ok := shop().ByKey(" DB-3 "); !ok || it.ID != 6 {
		t.Errorf("DB-3 is %v, %v", it, ok)
	}
}

// anyGraph is a graph with what it was made of.
func anyGraph(t *rapid.T) (*cmdb.Graph, []cmdb.Item, []cmdb.Relation) {
	n := rapid.IntRange(1, 12).Draw(t, "items")
	var items []cmdb.Item
	for i := range n {
		items = append(items, cmdb.Item{ID: cmdb.ItemID(i + 1), Key: fmt.Sprintf("k%02d", i), Type: rapid.SampledFrom(cmdb.Types).Draw(t, "type"),
			State: rapid.SampledFrom(cmdb.States).Draw(t, "state"), Tier: rapid.IntRange(1, 4).Draw(t, "tier"), Users: rapid.IntRange(0, 9).Draw(t, "users")})
	}
	id := rapid.Custom(func(t *rapid.T) cmdb.ItemID { return cmdb.ItemID(rapid.IntRange(1, n+1).Draw(t, "id")) })
	rel := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cmdb.Relation {
		return cmdb.Relation{From: id.Draw(t, "from"), To: id.Draw(t, "to"), Kind: rapid.SampledFrom(cmdb.Kinds).Draw(t, "kind")}
	}), 0, 25).Draw(t, "relations")
	return cmdb.NewGraph(items, rel), items, rel
}

// takes tells whether b stops at once when a does, read from the relations
// alone.
func takes(rel []cmdb.Relation, a, b cmdb.ItemID) bool {
	return a != b && slices.ContainsFunc(rel, func(r cmdb.Relation) bool {
		switch r.Kind {
		case cmdb.DependsOn, cmdb.RunsOn:
			return r.To == a && r.From == b
		case cmdb.PartOf:
			return r.From == a && r.To == b
		}
		return false
	})
}

func TestImpactIsAllThatCanBeReached(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, items, rel := anyGraph(t)
		start := items[rapid.IntRange(0, len(items)-1).Draw(t, "start")]
		// Slowly: go on until nothing is added.
		distance := map[cmdb.ItemID]int{start.ID: 0}
		for d := 1; d <= len(items); d++ {
			for _, a := range items {
				for _, b := range items {
					if at, ok := distance[a.ID]; ok && at == d-1 && b.State == cmdb.Live && takes(rel, a.ID, b.ID) {
						if _, had := distance[b.ID]; !had {
							distance[b.ID] = d
						}
					}
				}
			}
		}
		var want []string
		users := 0
		sorted := slices.Clone(items)
		slices.SortFunc(sorted, func(a, b cmdb.Item) int {
			return cmp.Or(distance[a.ID]-distance[b.ID], a.Tier-b.Tier, cmp.Compare(a.Key, b.Key))
		})
		for _, it := range sorted {
			d, ok := distance[it.ID]
			if ok {
				users += it.Users
			}
			if ok && it.ID != start.ID {
				want = append(want, fmt.Sprintf("%d %s", d, it.Key))
			}
		}
		imp := g.Impact(0, start.ID)
		if diff := gocmp.Diff(want, keys(imp.Nearest(imp.Count))); diff != "" {
			t.Fatalf("affected (-want +got):\n%s", diff)
		}
		if imp.Users != users {
			t.Fatalf("%d people, want %d", imp.Users, users)
		}
	})
}

func TestCirclesAreThoseThatTakeEachOtherAlong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, items, rel := anyGraph(t)
		n := len(items)
		reach := make([][]bool, n)
		for i := range reach {
			reach[i] = make([]bool, n)
			for j := range n {
				reach[i][j] = takes(rel, items[i].ID, items[j].ID)
			}
		}
		for k := range n {
			for i := range n {
				for j := range n {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		var want [][]string
		done := make([]bool, n)
		for i := range n {
			var group []string
			for j := i; j < n; j++ {
				if !done[j] && (i == j || reach[i][j] && reach[j][i]) {
					done[j] = true
					group = append(group, items[j].Key)
				}
			}
			if len(group) > 1 {
				want = append(want, group)
			}
		}
		var got [][]string
		for _, group := range g.Circles() {
			var k []string
			for _, it := range group {
				k = append(k, it.Key)
			}
			got = append(got, k)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("circles (-want +got):\n%s", diff)
		}
	})
}

// BenchmarkImpact is of a company with 100,000 items and 500,000 relations;
// the worst: everything stops.
func BenchmarkImpact(b *testing.B) {
	const n, m = 100_000, 500_000
	items, rel := make([]cmdb.Item, n), make([]cmdb.Relation, m)
	for i := range items {
		items[i] = item(cmdb.ItemID(i+1), fmt.Sprintf("item-%d", i), cmdb.Server, 1+i%4, i%7)
	}
	seed := uint64(1)
	for i := range rel {
		seed = seed*6364136223846793005 + 1442695040888963407
		from := seed >> 33 % n
		rel[i] = cmdb.Relation{From: cmdb.ItemID(from + 1), To: cmdb.ItemID(from/2 + 1), Kind: cmdb.DependsOn}
	}
	g := cmdb.NewGraph(items, rel)
	b.ResetTimer()
	for b.Loop() {
		if got := g.Impact(0, 1).Count; got < n/2 {
			b.Fatalf("%d items affected", got)
		}
	}
}
