package cmdb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

func known() cmdb.Known {
	return cmdb.Known{
		Items:     []cmdb.Item{item(1, "db-3", cmdb.Database, 3, 0), item(2, "app-1", cmdb.Application, 2, 10)},
		Relations: []cmdb.Relation{{From: 2, To: 1, Kind: cmdb.RunsOn}},
		People:    map[string]people.PersonID{"kim@acme.example": 7}, Teams: map[string]people.TeamID{"network": 3},
		Services: map[string]bool{"payroll": true}, ByHand: map[cmdb.ItemID]bool{2: true},
	}
}

// row is one in which nothing is said but the key.
func row(line int, key string, set ...func(*cmdb.Row)) cmdb.Row {
	r := cmdb.Row{Line: line, Key: key, Users: -1, Downtime: -1}
	for _, s := range set {
		s(&r)
	}
	return r
}

func TestAnImportIsPlanned(t *testing.T) {
	t.Parallel()
	p := cmdb.Compare([]cmdb.Row{
		row(2, "DB-3", func(r *cmdb.Row) { r.Tier, r.Owner = 1, "Kim@acme.example" }),
		row(3, "app-1", func(r *cmdb.Row) {
			r.Users = 20
			r.Relations = map[cmdb.Kind][]string{cmdb.DependsOn: {"new-1"}}
		}),
		row(4, "new-1", func(r *cmdb.Row) { r.Type, r.Service, r.Team = cmdb.Server, "payroll", "network" }),
	}, known())
	if len(p.Problems) > 0 {
		t.Fatalf("refused: %v", p.Problems)
	}
	if len(p.New) != 1 || p.New[0].Key != "new-1" || p.New[0].Team != 3 || p.New[0].State != cmdb.Live {
		t.Errorf("new: %+v", p.New)
	}
	if len(p.Changed) != 2 || p.Conflicts() != 1 || !p.Changed[1].Conflict {
		t.Errorf("changed: %+v, %d conflicts", p.Changed, p.Conflicts())
	}
	if diff := cmp.Diff([]string{"tier 3 → 1", "another owner"}, p.Changed[0].Fields); diff != "" {
		t.Errorf("of db-3 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]cmdb.Link{{From: "app-1", To: "new-1", Kind: cmdb.DependsOn}}, p.Linked); diff != "" {
		t.Errorf("linked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]cmdb.Link{{From: "app-1", To: "db-3", Kind: cmdb.RunsOn}}, p.Unlinked); diff != "" {
		t.Errorf("unlinked (-want +got):\n%s", diff)
	}
}

func TestLinesThatCantBeTaken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		row  cmdb.Row
		want string
	}{
		"a name with a blank":         {row(2, "db 3"), `"db 3" is not a name`},
		"a name twice":                {row(2, "db-9"), "db-9 is in line 1 already"},
		"a type of one's own":         {row(2, "x", func(r *cmdb.Row) { r.Type = "toaster" }), `"toaster" is not a type`},
		"a state of one's own":        {row(2, "x", func(r *cmdb.Row) { r.State = "asleep" }), `"asleep" is not a state`},
		"a tier beyond":               {row(2, "x", func(r *cmdb.Row) { r.Tier = 5 }), "5 is not a tier"},
		"an owner whom nobody knows":  {row(2, "x", func(r *cmdb.Row) { r.Owner = "who@acme.example" }), "nobody is known with the address"},
		"a team that is not there":    {row(2, "x", func(r *cmdb.Row) { r.Team = "ghosts" }), `there is no team "ghosts"`},
		"a service that is not there": {row(2, "x", func(r *cmdb.Row) { r.Service = "ghosts" }), `there is no service "ghosts"`},
		"an item on itself":           {row(2, "x", func(r *cmdb.Row) { r.Relations = map[cmdb.Kind][]string{cmdb.RunsOn: {"X"}} }), "x can't be related to itself"},
		"an item on nothing":          {row(2, "x", func(r *cmdb.Row) { r.Relations = map[cmdb.Kind][]string{cmdb.RunsOn: {"y"}} }), "x runs on y, which is neither"},
		"a relation of one's own":     {row(2, "x", func(r *cmdb.Row) { r.Relations = map[cmdb.Kind][]string{"loves": {"db-3"}} }), `"loves" is not a relation`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := cmdb.Compare([]cmdb.Row{row(1, "db-9"), tt.row}, known())
			if len(p.Problems) == 0 || p.Problems[0].Line != 2 || !strings.Contains(p.Problems[0].Text, tt.want) {
				t.Errorf("said %v, want line 2: …%s…", p.Problems, tt.want)
			}
		})
	}
}

// Ten thousand bad lines are all told, and quickly.
func TestEveryBadLineIsTold(t *testing.T) {
	t.Parallel()
	var rows []cmdb.Row
	for i := range 10_000 {
		rows = append(rows, row(i+2, fmt.Sprintf("no good %d", i)))
	}
	if p := cmdb.Compare(rows, known()); len(p.Problems) != 10_000 || p.Problems[9_999].Line != 10_001 {
		t.Errorf("%d problems", len(p.Problems))
	}
}

// What has been taken changes nothing when it comes again.
func TestTheSameFileTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "rows")
		var rows []cmdb.Row
		for i := range n {
			rows = append(rows, cmdb.Row{Line: i + 2, Key: fmt.Sprintf("k%d", i), Name: rapid.StringMatching(`[A-Z][a-z ]{0,8}[a-z]`).Draw(t, "name"),
				Type: rapid.SampledFrom(cmdb.Types).Draw(t, "type"), State: rapid.SampledFrom(cmdb.States).Draw(t, "state"),
				Tier: rapid.IntRange(1, 4).Draw(t, "tier"), Users: rapid.IntRange(0, 99).Draw(t, "users"),
				Relations: map[cmdb.Kind][]string{rapid.SampledFrom(cmdb.Kinds).Draw(t, "kind"): {fmt.Sprintf("k%d", (i+1)%max(2, n))}}})
		}
		if n == 1 {
			rows[0].Relations = nil
		}
		first := cmdb.Compare(rows, cmdb.Known{})
		if len(first.Problems) > 0 || len(first.New) != n {
			t.Fatalf("the first: %+v", first)
		}
		var k cmdb.Known
		ids := map[string]cmdb.ItemID{}
		for i, it := range first.New {
			it.ID = cmdb.ItemID(i + 1)
			ids[it.Key] = it.ID
			k.Items = append(k.Items, it)
		}
		for _, l := range first.Linked {
			k.Relations = append(k.Relations, cmdb.Relation{From: ids[l.From], To: ids[l.To], Kind: l.Kind})
		}
		again := cmdb.Compare(rows, k)
		if again.Same != n || len(again.New)+len(again.Changed)+len(again.Linked)+len(again.Unlinked)+len(again.Problems) != 0 {
			t.Fatalf("again: %+v", again)
		}
	})
}

// What people have changed by hand, an import changes only if it is told to:
// relations too.
func TestWhatWasChangedByHandIsAskedAbout(t *testing.T) {
	t.Parallel()
	rows := []cmdb.Row{
		row(2, "db-3", func(r *cmdb.Row) { r.Tier = 1 }),
		row(3, "app-1", func(r *cmdb.Row) { r.Relations = map[cmdb.Kind][]string{cmdb.DependsOn: {"db-3"}} }),
	}
	p := cmdb.Compare(rows, known())
	if p.Conflicts() != 1 || p.Same != 0 || len(p.Changed) != 2 {
		t.Fatalf("planned: %+v", p)
	}
	if diff := cmp.Diff([]string{"depends on db-3", "no longer runs on db-3"}, p.Changed[1].Fields); diff != "" {
		t.Errorf("in conflict (-want +got):\n%s", diff)
	}
	kept := p.Keep(func(string) bool { return true })
	if kept.Conflicts() != 0 || len(kept.Changed) != 1 || kept.Changed[0].Is.Key != "db-3" || len(kept.Linked)+len(kept.Unlinked) != 0 || kept.Same != 1 {
		t.Errorf("kept: %+v", kept)
	}
	if p.Conflicts() != 1 || len(p.Linked) != 1 {
		t.Errorf("the plan itself was changed: %+v", p)
	}
	if taken := p.Keep(func(string) bool { return false }); taken.Conflicts() != 1 || len(taken.Unlinked) != 1 {
		t.Errorf("not kept: %+v", taken)
	}
}
