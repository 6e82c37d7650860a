package cards_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

// changeViews are changes in every state, with the words in all places.
func changeViews(text string) map[string]cards.ChangeView {
	long := strings.Repeat(text+" ", 19)
	base := cards.ChangeView{Change: change.Change{ID: 987_654_321, Number: 1_234_567, Kind: change.Normal, Title: text, Why: long, Plan: long, Test: long, Rollback: long,
		From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour), Takes: time.Hour, Exception: text, Requester: 1, Implementer: 2, Risk: change.High, Because: "db-3 is vital",
		State: change.Draft, Version: 123_456}, Names: map[people.PersonID]people.Person{1: {ID: 1, Name: text}, 2: {ID: 2, Name: "Ben"}},
		Items:   []cmdb.Item{{ID: 3, Key: "db-3"}},
		Clashes: []change.Clash{{With: "CHG-9", Words: "CHG-9 is on db-3 at the same time: " + text}}}
	all := map[string]cards.ChangeView{}
	for _, s := range []change.State{change.Draft, change.Asked, change.Scheduled, change.Blocked, change.Rejected, change.Doing, change.Cancelled} {
		v := base
		v.State = s
		if s == change.Doing {
			v.StartedAt = noon
		}
		if s == change.Asked {
			v.Approval = approval.Approval{Round: 2, State: approval.Waiting, Stages: []approval.Stage{{Name: text, Need: 1, Seats: []people.PersonID{2}, AskedAt: noon}},
				Votes: []approval.Vote{{Seat: 2, By: 1, As: approval.AsDelegate, Answer: approval.No, Note: text, At: noon}}}
		}
		all[string(s)] = v
	}
	for _, o := range change.Outcomes {
		v := base
		v.State, v.Outcome, v.Note, v.StartedAt, v.EndedAt = change.Done, o, text, noon, noon
		all[string(o)] = v
		v.Review, v.ReviewedAt = text, noon
		all[string(o)+", reviewed"] = v
	}
	caused := all["failed"]
	caused.Tickets = []string{"It has caused INC-3 “" + text + "”"}
	all["the cause of something"] = caused
	found := all["worked"]
	found.Kind, found.Plan, found.Takes = change.Undocumented, "", 0
	all["found out"] = found
	return all
}

func everyChange(text string) map[string]drawn {
	all := map[string]drawn{}
	for name, v := range changeViews(text) {
		state := strings.ToLower(v.StateWords())
		says := []string{v.Ref(), v.Title, state}
		if v.State == change.Asked {
			says[2] = "asks for your approval"
		}
		all["approve, "+name] = drawn{cards.Approve(v), says}
		all["change, "+name] = drawn{cards.ChangeStatus(v), []string{v.Ref(), v.Title, state}}
		all["announced, "+name] = drawn{cards.Announce(v, noon), []string{v.Title, "Planned work"}}
		moved := v
		moved.Moved = true
		all["asked anew, "+name] = drawn{cards.Approve(moved), []string{v.Ref(), "newer card"}}
	}
	for name, tk := range tickets(text) {
		v := viewOf(tk, text)
		v.Clocks = []cards.ClockView{{}}
		v.Cost, v.Down = 10_000, 46*time.Minute
		v.Past = []cards.PastView{{Key: "db-3", Tickets: 3, Fixed: "INC-1", With: text, Change: "CHG-12", Who: text, At: noon, How: "worked"}, {Key: "san-1"}}
		v.Changes = []cards.LinkView{{ID: 1, Ref: "CHG-1", Title: text, By: text, Yes: true}, {ID: 2, Ref: "CHG-2", Title: text, Item: "db-3", Since: 40 * time.Minute},
			{ID: 3, Ref: "CHG-3", Title: text}, {ID: 4, Ref: "CHG-4", Title: text, By: text, Made: true}}
		all["with changes, "+name] = drawn{cards.Triage(v), []string{"Caused by CHG-1", "CHG-2 touched db-3 40 min before", "CHG-3 was being done on its service when this began", "CHG-4"}}
	}
	return all
}

func everyChangeForm(text string) map[string]chat.Form {
	v := changeViews(text)["asked"]
	options := make([]cards.StandardOption, 20)
	for i := range options {
		options[i] = cards.StandardOption{Slug: strings.Repeat("s", i+1), Title: strings.Repeat("t", 60)}
	}
	ballot := cards.ChangeArgs(v.Change)
	return map[string]chat.Form{
		"what is changed":     cards.WhatForm(v.Change, options, v.Items, []cards.ServiceOption{{Slug: "a", Name: "A"}, {Slug: "b", Name: "B"}}, []change.Change{v.Change}),
		"how it is changed":   cards.PlanForm(v.Change, "It is kept."),
		"when it is changed":  cards.HowForm(v.Change, false, time.UTC, "U1", "It is kept.", v.Clashes),
		"what is edited":      cards.HowForm(v.Change, true, time.UTC, "U1", "", v.Clashes),
		"its plans":           cards.PlansForm(v),
		"what has changed":    cards.DiffForm(v.Ref(), []change.Difference{{What: "Plan", Was: text, Is: v.Plan}}),
		"sure of it":          cards.ConfirmForm(v, ballot),
		"handing over":        cards.DelegateForm(text, "2026-03-02"),
		"what it has broken":  cards.BrokeForm(v.Change),
		"why it is rejected":  cards.SayWhyForm(cards.ChangeNo, v.Ref(), ballot),
		"why it is sent back": cards.SayWhyForm(cards.ChangeBack, v.Ref(), ballot),
		"what went wrong":     cards.SayWhyForm(cards.ChangeEnd, v.Ref(), ballot),
		"its review":          cards.SayWhyForm(cards.ChangeLearn, v.Ref(), ballot),
	}
}

// Whoever uses what is changed reads in one message how it stands, and can say
// that it broke something from its beginning on.
func TestWhatAnAnnouncementSays(t *testing.T) {
	t.Parallel()
	all := changeViews("A new disk")
	for name, tt := range map[string]struct {
		of    string
		at    time.Time
		says  string
		broke bool
	}{
		"before its window":    {"scheduled", noon, "Now: planned.", false},
		"in its window":        {"scheduled", noon.Add(90 * time.Minute), "Now: may begin at any moment.", false},
		"after its window":     {"scheduled", noon.Add(3 * time.Hour), "Now: not done in its time.", false},
		"edited":               {"asked", noon, "Now: put off: it is being looked at once more.", false},
		"withdrawn":            {"cancelled", noon, "Now: called off: it will not be done.", false},
		"begun":                {"doing", noon, "Now: under way since", true},
		"over":                 {"worked", noon, "Now: done, since", true},
		"over, and taken back": {"rolled_back", noon, "Now: taken back: all is as it was before.", true},
		"over, and failed":     {"failed", noon, "Now: it did not work, and is being seen to.", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cards.Announce(all[tt.of], tt.at)
			if !strings.Contains(c.Text, tt.says) {
				t.Errorf("says %q, want %q", c.Text, tt.says)
			}
			broke := false
			for _, b := range c.Blocks {
				if a, ok := b.(chat.Actions); ok && a.Buttons[0].Action == cards.ChangeBroke {
					broke = true
				}
			}
			if broke != tt.broke {
				t.Errorf("can be said to have broken something: %v", broke)
			}
		})
	}
}

func TestWhatDowntimeCosts(t *testing.T) {
	t.Parallel()
	for down, want := range map[time.Duration]string{
		0:                "est. 10 000 an hour, 1 min: about 170",
		46 * time.Minute: "est. 10 000 an hour, 46 min: about 7 700",
		26 * time.Hour:   "est. 10 000 an hour, 26 h: about 260 000",
	} {
		v := viewOf(tickets("x")["new"], "x")
		v.Cost, v.Down = 10_000, down
		got := ""
		for _, b := range cards.Triage(v).Blocks {
			if facts, ok := b.(chat.Facts); ok {
				for _, f := range facts {
					if f.Label == "Costs" {
						got = f.Value.Plain()
					}
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("down for %s (-want +got):\n%s", down, diff)
		}
	}
}
