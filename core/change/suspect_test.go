package change_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
)

func TestWhichChangesAnIncidentMayComeFrom(t *testing.T) {
	t.Parallel()
	done := func(id change.ID, service string, ended time.Duration, items ...cmdb.ItemID) change.Change {
		return change.Change{ID: id, Number: int64(id), Service: service, Items: items, State: change.Done, Outcome: change.Worked,
			StartedAt: now.Add(-ended - time.Hour), EndedAt: now.Add(-ended)}
	}
	doing := done(9, "", 0, 4)
	doing.State, doing.EndedAt = change.Doing, time.Time{}
	planned := done(8, "", 0, 3)
	planned.State, planned.StartedAt, planned.EndedAt = change.Scheduled, time.Time{}, time.Time{}
	later := doing
	later.StartedAt = now.Add(time.Minute)
	for name, tt := range map[string]struct {
		done    []change.Change
		near    []cmdb.ItemID
		service string
		want    map[change.ID]cmdb.ItemID
		first   change.ID
	}{
		"on its item":                        {[]change.Change{done(1, "", time.Hour, 3)}, []cmdb.ItemID{3}, "", map[change.ID]cmdb.ItemID{1: 3}, 1},
		"on what its item stands on":         {[]change.Change{done(1, "", time.Hour, 7)}, []cmdb.ItemID{3, 7}, "", map[change.ID]cmdb.ItemID{1: 7}, 1},
		"of its service":                     {[]change.Change{done(1, "mail", time.Hour, 5)}, nil, "mail", map[change.ID]cmdb.ItemID{1: 0}, 1},
		"the nearest first, then the latest": {[]change.Change{done(1, "", time.Minute, 7), done(2, "", 9*time.Hour, 3), done(3, "", 2*time.Hour, 3)}, []cmdb.ItemID{3, 7}, "", map[change.ID]cmdb.ItemID{1: 7, 2: 3, 3: 3}, 3},
		"one that is being done":             {[]change.Change{doing}, []cmdb.ItemID{4}, "", map[change.ID]cmdb.ItemID{9: 4}, 9},
		"not one that is only planned":       {[]change.Change{planned}, []cmdb.ItemID{3}, "", nil, 0},
		"not one that began later":           {[]change.Change{later}, []cmdb.ItemID{4}, "", nil, 0},
		"not one of long ago":                {[]change.Change{done(1, "mail", 49*time.Hour, 3)}, []cmdb.ItemID{3}, "mail", nil, 0},
		"not one of no service for none":     {[]change.Change{done(1, "", time.Hour, 3)}, nil, "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := change.Suspects(tt.done, tt.near, tt.service, now)
			var got map[change.ID]cmdb.ItemID
			for _, s := range found {
				if got == nil {
					got = map[change.ID]cmdb.ItemID{}
				}
				got[s.Change.ID] = s.Item
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("suspects (-want +got):\n%s", diff)
			}
			if len(found) > 0 && found[0].Change.ID != tt.first {
				t.Errorf("first is %d, want %d", found[0].Change.ID, tt.first)
			}
		})
	}
}

func TestAChangeThatIsFoundOut(t *testing.T) {
	t.Parallel()
	c, ev, err := change.Found(change.Change{Title: "Restarted the spooler", Items: []cmdb.ItemID{3}}, now.Add(-time.Hour), 2, now)
	if err != nil || c.State != change.Done || c.Kind != change.Undocumented || c.Open() || !c.From.Before(c.To) || ev.Action != change.FoundOut {
		t.Errorf("%+v %v %v", c, ev, err)
	}
	if c, _, err := change.Found(change.Change{Title: "x"}, now, 2, now); err != nil || !c.StartedAt.Before(c.EndedAt) {
		t.Errorf("begun and over at once: %+v %v", c, err)
	}
	if _, _, err := change.Found(change.Change{Title: " "}, now, 2, now); err == nil {
		t.Error("nothing was said")
	}
}

// What an incident has come from has not worked, whoever says so first.
func TestABlamedChangeCannotHaveWorked(t *testing.T) {
	t.Parallel()
	c := good()
	c.State = change.Doing
	c, _, err := c.Blame(7, "INC-7", 3, now)
	if err != nil || c.State != change.Doing {
		t.Fatalf("%+v %v", c, err)
	}
	if _, _, err := c.End(change.Worked, "", 2, now); err == nil {
		t.Error("it worked, and an incident comes from it")
	}
	if c, _, err = c.End(change.RolledBack, "undone", 2, now); err != nil || !c.WantsReview() {
		t.Errorf("%+v %v", c, err)
	}
}
