package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/policy"
)

// allowing is a policy of which everything about changes is right.
func allowing() policy.Policy {
	p := whole()
	board := policy.Stage{Name: "Change board", Ask: []string{"ana@harbour.example", "team:network", "owner"}, Need: "majority", Within: "48h", Deputies: []string{"admins", "lead:service-desk"}}
	lead := policy.Stage{Name: "Lead", Ask: []string{"lead"}, Within: "1d"}
	p.Changes = policy.Changes{
		Channel: policy.Channels{"slack": "it-changes"},
		Approvals: []policy.Approvals{
			{Risk: []change.Risk{change.High}, Stages: []policy.Stage{lead, board}}, {Services: []string{"wifi"}, Stages: []policy.Stage{board}}, {Stages: []policy.Stage{lead}},
		},
		Emergency: policy.Stage{Name: "Now", Ask: []string{"lead", "admins"}, Within: "30m"},
		Standard:  []policy.Standard{{Slug: "patches", Title: "Monthly patches", Types: []cmdb.Type{cmdb.Server}, Takes: "2h", Plan: "Patch.", Rollback: "Snapshot back."}},
		Freezes:   []policy.Freeze{{Name: "Year end", From: "2026-12-24", To: "2027-01-02 12:00", Services: []string{"mail"}}},
	}
	return p
}

func TestChangesAreChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit func(*policy.Changes)
		want []string
	}{
		"nothing is wrong":              {func(*policy.Changes) {}, nil},
		"an approver whom nobody knows": {func(c *policy.Changes) { c.Approvals[2].Stages[0].Ask = []string{"cem@harbour.example"} }, []string{"changes.approvals[2].stages[0].ask[0]: the approver cem@harbour.example is not among the people of this file"}},
		"a team that is not there":      {func(c *policy.Changes) { c.Emergency.Ask = []string{"team:ghosts"} }, []string{`changes.emergency.ask[0]: there is no team "ghosts"`}},
		"a word that is nobody": {func(c *policy.Changes) { c.Emergency.Deputies = []string{"boss"} },
			[]string{`changes.emergency.deputies[0]: "boss" is nobody: write a mail address, or team, lead, owner, admins, team:SLUG or lead:SLUG`}},
		"a number of yes that is none":         {func(c *policy.Changes) { c.Approvals[2].Stages[0].Need = "0" }, []string{`changes.approvals[2].stages[0].need: "0" is not any, majority, all or a number`}},
		"a stage without time":                 {func(c *policy.Changes) { c.Emergency.Within = "" }, []string{`changes.emergency.within: "" is not a time such as 90m, 24h or 3d`}},
		"changes that fit no entry":            {func(c *policy.Changes) { c.Approvals = c.Approvals[:2] }, []string{"changes.approvals: some changes fit none of these; let the last be without risk and services"}},
		"an entry that is never reached":       {func(c *policy.Changes) { c.Approvals = append(c.Approvals, c.Approvals[0]) }, []string{"changes.approvals[3]: it is never reached: the one before fits every change"}},
		"no one is asked":                      {func(c *policy.Changes) { c.Approvals[2].Stages = nil }, []string{"changes.approvals[2].stages: nobody is asked; a change needs somebody's yes"}},
		"a risk that there is not":             {func(c *policy.Changes) { c.Approvals[0].Risk = []change.Risk{"grim"} }, []string{`changes.approvals[0].risk[0]: "grim" is not a risk; there are low, medium and high`}},
		"a standard change without a way back": {func(c *policy.Changes) { c.Standard[0].Rollback = "" }, []string{"changes.standard[0].rollback: the rollback plan is missing"}},
		"a freeze that ends first":             {func(c *policy.Changes) { c.Freezes[0].To = "2026-12-23" }, []string{"changes.freezes[0].to: the freeze ends before it begins"}},
		"a freeze at no time":                  {func(c *policy.Changes) { c.Freezes[0].From = "Christmas" }, []string{`changes.freezes[0]: "Christmas" is not a time such as 2026-12-24 or 2026-12-24 18:00`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := allowing()
			tt.edit(&p.Changes)
			var got []string
			for _, problem := range p.Check() {
				got = append(got, problem.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoIsAskedForAChange(t *testing.T) {
	t.Parallel()
	c := allowing().Changes
	for name, tt := range map[string]struct {
		change change.Change
		want   []string
	}{
		"a high risk goes before the service": {change.Change{Risk: change.High, Service: "wifi"}, []string{"Lead", "Change board"}},
		"the service's own":                   {change.Change{Risk: change.Low, Service: "wifi"}, []string{"Change board"}},
		"any other":                           {change.Change{Risk: change.Low}, []string{"Lead"}},
		"an emergency":                        {change.Change{Kind: change.Emergency, Risk: change.High}, []string{"Now"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range c.StagesFor(tt.change) {
				got = append(got, s.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("stages (-want +got):\n%s", diff)
			}
		})
	}
	if got := (policy.Stage{Need: "3"}).Rule(); got != (approval.Rule{Quorum: approval.AtLeast, K: 3}) {
		t.Errorf("three of them is %v", got)
	}
}

func TestTheLimitsOfAStandardChange(t *testing.T) {
	t.Parallel()
	s := allowing().Changes.Standard[0]
	ch := change.Change{Takes: time.Hour}
	server := cmdb.Item{Key: "s-1", Type: cmdb.Server, Tier: 3}
	vital, db := server, server
	vital.Tier, db.Type = 2, cmdb.Database
	for name, tt := range map[string]struct {
		items []cmdb.Item
		takes time.Duration
		want  string
	}{
		"within them":     {[]cmdb.Item{server}, time.Hour, ""},
		"a vital item":    {[]cmdb.Item{server, vital}, time.Hour, "s-1 is too vital for “Monthly patches”"},
		"of another type": {[]cmdb.Item{db}, time.Hour, "s-1 is a database, and “Monthly patches” is not for those"},
		"too many":        {make([]cmdb.Item, 11), time.Hour, ""},
		"too long":        {[]cmdb.Item{server}, 3 * time.Hour, "“Monthly patches” takes at most 2h"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ch := ch
			ch.Takes = tt.takes
			if name == "too many" {
				for i := range tt.items {
					tt.items[i] = server
				}
				tt.want = "“Monthly patches” is for at most 10 items at a time"
			}
			if got := s.Allows(ch, tt.items); got != tt.want {
				t.Errorf("said %q, want %q", got, tt.want)
			}
		})
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from, to, err := allowing().Changes.Freezes[0].Span(berlin)
	if err != nil || from.Format(time.RFC3339) != "2026-12-24T00:00:00+01:00" || to.Format(time.RFC3339) != "2027-01-02T12:00:00+01:00" {
		t.Errorf("frozen from %s to %s, %v", from, to, err)
	}
	if _, to, _ := (policy.Freeze{From: "2026-03-28", To: "2026-03-29"}).Span(berlin); to.Format(time.RFC3339) != "2026-03-30T00:00:00+02:00" {
		t.Errorf("a day is over at %s", to)
	}
}

func TestMonthsOfReports(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	m := policy.MonthOf(time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC), berlin) // it is December there
	if m != 202612 || m.Next() != 202701 || policy.Month(202609).Next() != 202610 {
		t.Errorf("the month is %d, then %d", m, m.Next())
	}
	from, to, due := m.Span(berlin)
	want := []string{"2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00", "2027-01-01T09:00:00+01:00"}
	if diff := cmp.Diff(want, []string{from.Format(time.RFC3339), to.Format(time.RFC3339), due.Format(time.RFC3339)}); diff != "" {
		t.Errorf("it lasts (-want +got):\n%s", diff)
	}
}
