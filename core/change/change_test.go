package change_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// good is a change that can be submitted.
func good() change.Change {
	return change.Change{ID: 1, Number: 12, Kind: change.Normal, Title: "New certificate for the mail gateway", Why: "The old one ends on Friday.",
		Items: []cmdb.ItemID{3}, Plan: "1. Put it in. 2. Reload.", Test: "Send a mail.", Rollback: "Put the old one back.",
		From: now.Add(24 * time.Hour), To: now.Add(26 * time.Hour), Takes: time.Hour, Requester: 1, Implementer: 2, Service: "mail", Risk: change.Low, State: change.Draft}
}

var gateway = cmdb.Item{ID: 3, Key: "mx-1", Name: "mx-1", State: cmdb.Live, Tier: 2}

func named(i cmdb.ItemID) string { return fmt.Sprintf("item %d", i) }

func TestWhatKeepsAChangeFromBeingSubmitted(t *testing.T) {
	t.Parallel()
	retired := gateway
	retired.State = cmdb.Retired
	tests := []struct {
		name  string
		edit  func(*change.Change)
		items []cmdb.Item
		field change.Field
		want  string
	}{
		{"nothing", func(*change.Change) {}, nil, "", ""},
		{"no way back", func(c *change.Change) { c.Rollback = " \n" }, nil, change.FieldRollback, "No change without a way back. What will you do if it goes wrong?"},
		{"no plan", func(c *change.Change) { c.Plan = "" }, nil, change.FieldPlan, "Please say step by step what will be done."},
		{"a window in the past", func(c *change.Change) { c.From = now.Add(-time.Hour) }, nil, change.FieldFrom, "This time has passed. Please choose a later one."},
		{"an emergency may have begun", func(c *change.Change) { c.From, c.Kind = now.Add(-time.Hour), change.Emergency }, nil, "", ""},
		{"a window that ends first", func(c *change.Change) { c.To = c.From }, nil, change.FieldTo, "The window ends before it begins."},
		{"a window shorter than the plan", func(c *change.Change) { c.Takes = 3 * time.Hour }, nil, change.FieldTakes, "The work takes longer than its window."},
		{"a window of a month", func(c *change.Change) { c.To = c.From.AddDate(0, 1, 0) }, nil, change.FieldTo, "A window of more than two weeks says nothing. Please choose a shorter one."},
		{"nothing touched", func(c *change.Change) { c.Items = nil }, nil, change.FieldItems, "Please choose what is touched; nobody can judge it otherwise."},
		{"an item that is retired", func(*change.Change) {}, []cmdb.Item{retired}, change.FieldItems, "mx-1 is retired. Please choose what has taken its place."},
		{"an item that is gone", func(c *change.Change) { c.Items = []cmdb.ItemID{3, 4} }, nil, change.FieldItems, "One of these is not on record any more. Please choose again."},
		{"nobody does it", func(c *change.Change) { c.Implementer = 0 }, nil, change.FieldImplementer, "Please say who does the work."},
		{"an exception from a freeze is said", func(c *change.Change) { c.Service, c.Exception = "payroll", "The law wants it" }, nil, "", ""},
		{"a freeze without an exception", func(c *change.Change) { c.Service = "payroll" }, nil, change.FieldFrom, "This is in the freeze “Pay day”. Move it, or say below why it can't wait."},
	}
	freezes := []change.Freeze{{Name: "Pay day", From: now, To: now.AddDate(0, 0, 3), Services: []string{"payroll"}}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good()
			tt.edit(&c)
			items := tt.items
			if items == nil {
				items = []cmdb.Item{gateway}
			}
			want := map[change.Field]string{}
			if tt.field != "" {
				want[tt.field] = tt.want
			}
			if len(c.Items) == 0 {
				items = nil
			}
			if diff := cmp.Diff(want, c.Check(items, c.Clashes(nil, freezes, nil, named), now)); diff != "" {
				t.Errorf("wrong (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClashes(t *testing.T) {
	t.Parallel()
	other := func(n int64, s change.State, from, to time.Duration, items ...cmdb.ItemID) change.Change {
		return change.Change{ID: change.ID(n), Number: n, State: s, Title: "Another", From: now.Add(from), To: now.Add(to), Items: items}
	}
	c := good()
	got := c.Clashes([]change.Change{
		other(9, change.Scheduled, 25*time.Hour, 30*time.Hour, 3, 8), other(7, change.Asked, 20*time.Hour, 25*time.Hour, 3),
		other(5, change.Scheduled, 26*time.Hour, 28*time.Hour, 3),                                                                                                   // begins when this one ends
		other(4, change.Done, 25*time.Hour, 30*time.Hour, 3), other(3, change.Scheduled, 25*time.Hour, 30*time.Hour, 4), other(1, change.Asked, 0, 99*time.Hour, 3), // over; elsewhere; itself
	}, []change.Freeze{{Name: "Year end", From: now.Add(25 * time.Hour), To: now.Add(99 * time.Hour)}, {Name: "Payroll", From: now, To: now.Add(99 * time.Hour), Services: []string{"payroll"}}},
		[]change.Busy{{Ref: "INC-4", Title: "Mail is slow", Item: 3}, {Ref: "INC-5", Title: "No sound", Item: 8}}, named)
	want := []change.Clash{
		{With: "Year end", Words: "in the freeze “Year end”", Freeze: true},
		{With: "CHG-7", Words: "CHG-7 is on item 3 at the same time: Another"},
		{With: "CHG-9", Words: "CHG-9 is on item 3 at the same time: Another"},
		{With: "INC-4", Words: "INC-4 is open on item 3: Mail is slow"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clashes (-want +got):\n%s", diff)
	}
}

func TestRiskHasItsReason(t *testing.T) {
	t.Parallel()
	services := func(n int) cmdb.Impact {
		var i cmdb.Impact
		i.Tier = 3
		for k := range n {
			i.Services = append(i.Services, cmdb.Item{Name: fmt.Sprintf("S%d", k)})
		}
		return i
	}
	db := cmdb.Item{ID: 3, Key: "db-3", Tier: 2}
	vital := cmdb.Item{ID: 4, Key: "core", Tier: 1}
	failed := []change.Past{{Ref: "CHG-3", Item: "db-3", Last: true}}
	crowd := services(1)
	crowd.Users = 420
	tests := []struct {
		name    string
		edit    func(*change.Change)
		facts   change.Facts
		want    change.Risk
		because string
	}{
		{"nothing hangs on it", nil, change.Facts{Items: []cmdb.Item{db}}, change.Low, "nothing that matters depends on db-3"},
		{"one service", nil, change.Facts{Items: []cmdb.Item{db}, Impact: services(1)}, change.Low, "S0 depends on db-3"},
		{"one service and no test plan", func(c *change.Change) { c.Test = "" }, change.Facts{Items: []cmdb.Item{db}, Impact: services(1)}, change.Medium, "S0 depends on db-3 and there is no test plan"},
		{"many services and a failure", nil, change.Facts{Items: []cmdb.Item{db}, Impact: services(14), Failed: failed}, change.High, "14 services depend on db-3 and the last change on db-3 failed (CHG-3)"},
		{"a vital item that many would notice", nil, change.Facts{Items: []cmdb.Item{vital}, Impact: crowd}, change.High, "S0 depends on core, core is vital and up to 420 people would notice"},
		{"an emergency that clashes", func(c *change.Change) { c.Kind = change.Emergency }, change.Facts{Items: []cmdb.Item{db}, Clashes: 1}, change.Medium, "it clashes with something and it is done in a hurry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good()
			if tt.edit != nil {
				tt.edit(&c)
			}
			risk, because := c.Judge(tt.facts)
			if risk != tt.want || because != tt.because {
				t.Errorf("%s, because %s; want %s, because %s", risk, because, tt.want, tt.because)
			}
		})
	}
}

// A vote is bound to the hash, so whatever an approver is shown must be in it.
func TestNoEditKeepsTheHash(t *testing.T) {
	t.Parallel()
	edits := []func(*change.Change, string){
		func(c *change.Change, s string) { c.Title += s }, func(c *change.Change, s string) { c.Why += s }, func(c *change.Change, s string) { c.Plan += s },
		func(c *change.Change, s string) { c.Test += s }, func(c *change.Change, s string) { c.Rollback += s }, func(c *change.Change, s string) { c.Exception += s },
		func(c *change.Change, _ string) { c.From = c.From.Add(time.Minute) }, func(c *change.Change, _ string) { c.To = c.To.Add(time.Minute) },
		func(c *change.Change, _ string) { c.Risk = change.High }, func(c *change.Change, _ string) { c.Items = append(slices.Clone(c.Items), 77) },
		func(c *change.Change, _ string) { c.Implementer = 99 }, func(c *change.Change, _ string) { c.Kind = change.Emergency }, func(c *change.Change, s string) { c.Rule += s },
		func(c *change.Change, _ string) { c.Takes += time.Minute },
	}
	rapid.Check(t, func(t *rapid.T) {
		c := good()
		c.Plan, c.Test = rapid.String().Draw(t, "plan"), rapid.String().Draw(t, "test")
		was := c.Hash()
		edited := c
		rapid.SampledFrom(edits).Draw(t, "edit")(&edited, rapid.StringN(1, 5, -1).Draw(t, "text"))
		if edited.Hash() == was {
			t.Fatal("an edit kept the hash")
		}
		moved := c // the same words, elsewhere
		moved.Plan, moved.Test = c.Plan+c.Test, ""
		if c.Test != "" && moved.Hash() == was {
			t.Fatal("two texts that read differently have one hash")
		}
		again := c
		again.Items = append(slices.Clone(c.Items), c.Items...)
		again.State, again.Version, again.From = change.Asked, 9, c.From.In(time.FixedZone("x", 3600))
		if again.Hash() != was {
			t.Fatal("what is no text changed the hash")
		}
	})
}

func TestTheLifeOfAChange(t *testing.T) {
	t.Parallel()
	c, ev, err := good().Submit(1, now)
	if err != nil || c.State != change.Asked || ev.Action != change.Submitted {
		t.Fatalf("%v %+v %v", c.State, ev, err)
	}
	if _, _, err := c.Begin(2, c.From); err == nil {
		t.Error("begun without approval")
	}
	c, ev, ok := c.Follow(approval.Approval{State: approval.Approved, Decided: 5}, now)
	if !ok || c.State != change.Scheduled || ev.By != 5 {
		t.Fatalf("%v %+v %v", c.State, ev, ok)
	}
	for name, at := range map[string]time.Time{"an hour early": c.From.Add(-time.Hour), "when it is over": c.To} {
		if _, _, err := c.Begin(2, at); err == nil {
			t.Errorf("begun %s", name)
		}
	}
	c, _, err = c.Begin(2, c.From.Add(-time.Minute))
	if err != nil || c.State != change.Doing {
		t.Fatalf("%v %v", c.State, err)
	}
	if _, _, err := c.End(change.Failed, " ", 2, now); err == nil {
		t.Error("a failure without a word")
	}
	if _, _, err := c.Cancel("", 1, now); err == nil {
		t.Error("cancelled while it is done")
	}
	c, _, err = c.End(change.Worked, "", 2, c.From.Add(time.Hour))
	if err != nil || c.WantsReview() || c.Open() {
		t.Fatalf("%+v %v", c, err)
	}
	c, _, err = c.Blame(42, "INC-42", 3, now)
	if err != nil || c.Outcome != change.Failed || !c.WantsReview() {
		t.Fatalf("%+v %v", c, err)
	}
	if _, _, err := c.Blame(42, "INC-42", 3, now); err == nil {
		t.Error("blamed twice for the same incident")
	}
	if c, _, err = c.Learn("Reload, never restart.", 2, now); err != nil || c.Open() {
		t.Fatalf("%+v %v", c, err)
	}
}

func TestWhatTheApproversSayIsFollowed(t *testing.T) {
	t.Parallel()
	for said, want := range map[approval.State]change.State{approval.Approved: change.Scheduled, approval.Rejected: change.Rejected,
		approval.ChangesRequested: change.Draft, approval.Blocked: change.Blocked, approval.Waiting: change.Asked} {
		c := good()
		c.State = change.Asked
		if c, _, _ = c.Follow(approval.Approval{State: said}, now); c.State != want {
			t.Errorf("%s makes it %s, want %s", said, c.State, want)
		}
	}
}

func TestDifferencesAreWhatChanged(t *testing.T) {
	t.Parallel()
	was, is := good(), good()
	is.Plan, is.Items, is.From = "1. Reload.", []cmdb.ItemID{3, 4}, was.From.Add(time.Hour)
	want := []change.Difference{{"Items", "item 3", "item 3, item 4"}, {"Window", "Tue 3 Mar 09:00 – Tue 3 Mar 11:00", "Tue 3 Mar 10:00 – Tue 3 Mar 11:00"}, {"Plan", was.Plan, is.Plan}}
	if diff := cmp.Diff(want, change.Differences(was, is, named, time.UTC)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"CHG-12": 12, "chg 7": 7, "#chg-3": 3, "INC-4": 0, "CHG-": 0, "chg-x": 0, "CHG--4": 4} {
		if got, ok := change.ParseRef(text); got != want || ok != (want > 0) {
			t.Errorf("%q is %d, %v", text, got, ok)
		}
	}
}
