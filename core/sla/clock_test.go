package sla

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/core/ticket"
)

func calendar(t testing.TB, p hours.Plan) *hours.Calendar {
	t.Helper()
	c, err := hours.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func office(t testing.TB) *hours.Calendar {
	return calendar(t, hours.Plan{
		Name: "Service Desk", Zone: "Europe/Berlin",
		Open:   hours.Workdays(hours.Interval{From: hours.At(9, 0), To: hours.At(17, 0)}),
		Closed: []hours.Closing{{Date: hours.Date{Year: 2026, Month: time.November, Day: 25}, Name: "Founder's day"}},
	})
}

// on reads "20 16:40" as of November 2026 in Berlin; the 20th is a Friday.
func on(t testing.TB, s string) time.Time {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01 2 15:04", "2026-11 "+s, berlin)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestClock(t *testing.T) {
	t.Parallel()
	cal := office(t)
	always := calendar(t, hours.Plan{Name: "Round the clock", Zone: "Europe/Berlin", Open: hours.Always()})
	terms := func(c *hours.Calendar, respond, fix time.Duration) Terms {
		return Terms{Policy: "Standard", Targets: []Target{
			{Kind: Response, Within: respond, Calendar: c},
			{Kind: Resolution, Within: fix, Calendar: c, Pauses: []ticket.Reason{ticket.ForRequester, ticket.ForPart}},
		}}
	}
	opened := func(at string) Event {
		return Event{At: on(t, at), Step: Opened, Terms: terms(cal, time.Hour, 4*time.Hour)}
	}
	step := func(at string, s Step) Event { return Event{At: on(t, at), Step: s} }
	waits := func(at string, r ticket.Reason) Event { return Event{At: on(t, at), Step: Waited, Reason: r} }
	reply := func(at string, human bool) Event { return Event{At: on(t, at), Step: Replied, Human: human} }
	change := func(at string, to Terms) Event {
		return Event{At: on(t, at), Step: Changed, Terms: to, Why: "priority is now High"}
	}

	type result struct {
		State State
		Due   string // "": none
		Used  time.Duration
		Late  bool
		Over  time.Duration
	}
	tests := []struct {
		name   string
		ledger Ledger
		kind   Kind
		now    string
		want   result
	}{
		{"just opened", Ledger{opened("19 10:00")}, Response, "19 10:00", result{Running, "19 11:00", 0, false, 0}},
		{"due next week", Ledger{opened("20 16:40")}, Response, "21 12:00", result{Running, "23 09:40", 20 * time.Minute, false, 0}},
		{"due in the evening and answered at night is late by no open time", Ledger{opened("20 16:00"), reply("21 10:00", true)}, Response, "23 12:00", result{Ended, "20 17:00", time.Hour, true, 0}},
		{"answered at the due instant", Ledger{opened("20 10:00"), reply("20 11:00", true)}, Response, "20 12:00", result{Ended, "20 11:00", time.Hour, false, 0}},
		{"the bot's reply is no answer", Ledger{opened("20 10:00"), reply("20 10:01", false)}, Response, "20 12:00", result{Running, "20 11:00", 2 * time.Hour, true, time.Hour}},
		{"an answer stops the response clock", Ledger{opened("20 10:00"), reply("20 10:01", false), reply("20 10:30", true)}, Response, "20 12:00", result{Ended, "20 11:00", 30 * time.Minute, false, 0}},
		{"an answer does not stop the resolution clock", Ledger{opened("20 10:00"), reply("20 10:30", true)}, Resolution, "20 12:00", result{Running, "20 14:00", 2 * time.Hour, false, 0}},
		{"a resolution is an answer", Ledger{opened("20 10:00"), step("20 10:30", Resolved), step("20 11:30", Reopened)}, Response, "20 12:00", result{Ended, "20 11:00", 30 * time.Minute, false, 0}},
		{"waiting stops the resolution clock", Ledger{opened("20 10:00"), waits("20 11:00", ticket.ForRequester)}, Resolution, "24 12:00", result{Paused, "", time.Hour, false, 0}},
		{"waiting over a weekend adds its open time and no more", Ledger{opened("20 15:00"), waits("20 16:00", ticket.ForRequester), step("23 10:00", Woken)}, Resolution, "23 10:00", result{Running, "23 13:00", time.Hour, false, 0}},
		{"waiting for what is not excused", Ledger{opened("20 10:00"), waits("20 11:00", ticket.ForSupplier)}, Resolution, "20 12:00", result{Running, "20 14:00", 2 * time.Hour, false, 0}},
		{"waiting on for another reason that is not excused", Ledger{opened("20 10:00"), waits("20 11:00", ticket.ForPart), waits("20 12:00", ticket.ForChange)}, Resolution, "20 13:00", result{Running, "20 15:00", 2 * time.Hour, false, 0}},
		{"the response clock does not wait", Ledger{opened("20 10:00"), waits("20 10:10", ticket.ForRequester)}, Response, "20 10:30", result{Running, "20 11:00", 30 * time.Minute, false, 0}},
		{
			"a shorter target keeps what is used",
			Ledger{opened("20 10:00"), change("20 11:00", terms(cal, time.Hour, 2*time.Hour))},
			Resolution, "20 11:30", result{Running, "20 12:00", 90 * time.Minute, false, 0},
		},
		{
			"a pause before the change stays a pause",
			Ledger{opened("20 10:00"), waits("20 11:00", ticket.ForPart), step("20 12:00", Woken), change("20 13:00", terms(cal, time.Hour, 3*time.Hour))},
			Resolution, "20 13:00", result{Running, "20 14:00", 2 * time.Hour, false, 0},
		},
		{
			"another calendar counts from the change on",
			Ledger{opened("20 16:00"), change("21 10:00", terms(always, time.Hour, 4*time.Hour))},
			Resolution, "21 11:00", result{Running, "21 13:00", 2 * time.Hour, false, 0},
		},
		{
			"a target cut below what is used",
			Ledger{opened("20 10:00"), change("20 13:00", terms(cal, time.Hour, 2*time.Hour))},
			Resolution, "20 13:30", result{Running, "20 12:00", 210 * time.Minute, true, 90 * time.Minute},
		},
		{
			"what was answered in time stays so when the target is cut",
			Ledger{opened("20 10:00"), reply("20 10:30", true), change("20 10:40", terms(cal, 10*time.Minute, time.Hour))},
			Response, "20 12:00", result{Ended, "20 11:00", 30 * time.Minute, false, 0},
		},
		{"reopening goes on where it stood", Ledger{opened("20 10:00"), step("20 12:00", Resolved), step("23 10:00", Reopened)}, Resolution, "23 11:00", result{Running, "23 12:00", 3 * time.Hour, false, 0}},
		{"a clock that was set back takes nothing away", Ledger{opened("20 10:00"), waits("20 11:00", ticket.ForPart), step("20 10:30", Woken)}, Resolution, "20 12:00", result{Running, "20 14:00", 2 * time.Hour, false, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, ok := tt.ledger.Clock(tt.kind)
			if !ok {
				t.Fatal("nothing is promised")
			}
			now := on(t, tt.now)
			got := result{State: c.State, Used: c.Used(now)}
			if due, ok := c.Due(); ok {
				got.Due = due.In(now.Location()).Format("02 15:04")
			}
			got.Over, got.Late = c.Breached(now)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("the %s clock at %s (-want +got):\n%s", tt.kind, tt.now, diff)
			}
			if left := c.Left(now); left+got.Used != c.Target.Within {
				t.Errorf("%v used and %v left are not %v", got.Used, left, c.Target.Within)
			}
		})
	}
	if _, ok := (Ledger{step("20 10:00", Opened)}).Clock(Response); ok {
		t.Error("a clock without a promise")
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	cal := office(t)
	terms := func(d time.Duration) Terms {
		return Terms{Targets: []Target{{Kind: Resolution, Within: d, Calendar: cal}}}
	}
	marks := func(l Ledger, until string) []string {
		c, _ := l.Clock(Resolution)
		var out []string
		for m, ok := DefaultLadder.After(Mark{}); ok; m, ok = DefaultLadder.After(m) {
			at, reached := c.At(m)
			if !reached || at.After(on(t, until)) {
				break
			}
			out = append(out, Words(m.Beyond)+" "+at.In(cal.Zone()).Format("02 15:04"))
		}
		return out
	}
	opened := Event{At: on(t, "20 12:00"), Step: Opened, Terms: terms(4 * time.Hour)}
	if diff := cmp.Diff([]string{"0 min 20 15:00", "0 min 20 15:36", "0 min 20 16:00", "1 h 20 17:00", "2 h 23 10:00"}, marks(Ledger{opened}, "23 10:59")); diff != "" {
		t.Errorf("warnings, the breach, and each open hour after it (-want +got):\n%s", diff)
	}
	cut := Ledger{opened, {At: on(t, "20 15:30"), Step: Changed, Terms: terms(2 * time.Hour)}}
	if diff := cmp.Diff([]string{"0 min 20 15:30", "0 min 20 15:30", "0 min 20 15:30", "1 h 20 15:30", "2 h 20 16:00"}, marks(cut, "20 16:30")); diff != "" {
		t.Errorf("marks that a cut target makes are of the cut (-want +got):\n%s", diff)
	}
	if m, ok := (Ladder{Percents: []int{50}}).After(Mark{Percent: 50}); ok {
		t.Errorf("after the last mark comes %v", m)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	cal := office(t)
	terms := func(within time.Duration) Terms {
		return Terms{Policy: "Standard", Targets: []Target{{Kind: Resolution, Within: within, Calendar: cal, Pauses: []ticket.Reason{ticket.ForRequester}}}}
	}
	l := Ledger{
		{At: on(t, "23 16:40"), Step: Opened, Terms: terms(8 * time.Hour)},
		{At: on(t, "24 10:00"), Step: Waited, Reason: ticket.ForRequester},
		{At: on(t, "24 12:10"), Step: Woken},
		{At: on(t, "24 13:00"), Step: Changed, Terms: terms(10 * time.Hour), Why: "priority is now Normal"},
	}
	head := []Line{
		{"Opened", "Mon 23 Nov 16:40"},
		{"Promise", "fix within 10 h (Standard)"},
		{"Hours", "Service Desk: Mon–Fri 09:00–17:00"},
		{"Changed", "Tue 24 Nov 13:00, priority is now Normal: now 10 h, 2 h 10 min used by then"},
		{"Paused", "Tue 24 Nov 10:00 to Tue 24 Nov 12:10, waiting for the requester: 2 h 10 min of open time not counted"},
		{"Closed", "Wed 25 Nov, Founder's day: 8 h of open time not counted"},
	}
	tests := []struct {
		name string
		more Ledger
		now  string
		want []Line
	}{
		{"running", nil, "24 14:00", []Line{{"Used", "3 h 10 min of 10 h"}, {"Result", "6 h 50 min left, so fix by Thu 26 Nov 12:50"}}},
		{"late", nil, "26 13:02", []Line{{"Used", "10 h 12 min of 10 h"}, {"Result", "due Thu 26 Nov 12:50, late by 12 min of open time"}}},
		{
			"fixed late", Ledger{{At: on(t, "26 13:02"), Step: Resolved}}, "26 16:00",
			[]Line{{"Used", "10 h 12 min of 10 h"}, {"Result", "fixed Thu 26 Nov 13:02; it was due Thu 26 Nov 12:50, late by 12 min of open time"}},
		},
		{
			"fixed in time", Ledger{{At: on(t, "26 12:00"), Step: Resolved}}, "26 16:00",
			[]Line{{"Used", "9 h 10 min of 10 h"}, {"Result", "fixed Thu 26 Nov 12:00, in time; it was due Thu 26 Nov 12:50"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ledger := append(l[:len(l):len(l)], tt.more...)
			got := Explain(ledger, Resolution, on(t, tt.now), cal.Zone())
			if diff := cmp.Diff(append(head[:len(head):len(head)], tt.want...), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}

	paused := Explain(l[:2], Resolution, on(t, "24 11:00"), time.UTC)
	want := []Line{
		{"Opened", "Mon 23 Nov 15:40"},
		{"Promise", "fix within 8 h (Standard)"},
		{"Hours", "Service Desk: Mon–Fri 09:00–17:00, Berlin time"},
		{"Paused", "since Tue 24 Nov 09:00, waiting for the requester: 1 h of open time not counted so far"},
		{"Used", "1 h 20 min of 8 h"},
		{"Result", "6 h 40 min left when it goes on"},
	}
	if diff := cmp.Diff(want, paused); diff != "" {
		t.Errorf("paused, in another zone (-want +got):\n%s", diff)
	}
	if got := Explain(l, Response, on(t, "24 11:00"), time.UTC); got != nil {
		t.Errorf("an unpromised answer is explained by %v", got)
	}
}

// A new promise is another round, told of anew, and begins when it is made.
func TestRounds(t *testing.T) {
	t.Parallel()
	cal := office(t)
	terms := func(within time.Duration) Terms {
		return Terms{Targets: []Target{{Kind: Response, Within: time.Hour, Calendar: cal}, {Kind: Resolution, Within: within, Calendar: cal}}}
	}
	l := Ledger{
		{At: on(t, "20 09:00"), Step: Opened, Terms: terms(8 * time.Hour)},
		{At: on(t, "20 10:00"), Step: Changed, Terms: terms(4 * time.Hour)},
		{At: on(t, "20 11:00"), Step: Changed, Terms: terms(4 * time.Hour)},
		{At: on(t, "20 12:00"), Step: Resolved},
		{At: on(t, "20 13:00"), Step: Changed, Terms: terms(6 * time.Hour)},
		{At: on(t, "23 09:00"), Step: Reopened},
		{At: on(t, "23 10:00"), Step: Changed},
		{At: on(t, "23 11:00"), Step: Changed, Terms: terms(6 * time.Hour)},
		{At: on(t, "23 12:00"), Step: Resolved},
		{At: on(t, "24 09:00"), Step: Reopened},
	}
	for i, want := range []struct {
		round int
		began string
	}{{1, "20 09:00"}, {2, "20 10:00"}, {2, "20 10:00"}, {2, "20 10:00"}, {2, "20 10:00"}, {4, "23 09:00"}, {0, ""}, {5, "23 11:00"}, {5, "23 11:00"}, {6, "24 09:00"}} {
		c, ok := l[:i+1].Clock(Resolution)
		if ok != (want.round > 0) || ok && (c.Round != want.round || !c.Began.Equal(on(t, want.began))) {
			t.Errorf("after step %d it is round %d, since %v; want %d, %s", i, c.Round, c.Began, want.round, want.began)
		}
		if c, ok := l[:i+1].Clock(Response); ok && c.Round != 1 {
			t.Errorf("after step %d the response is in round %d", i, c.Round)
		}
	}
}

// It is late at the due instant, and not before; who answers at it is in time.
func TestTheDueInstant(t *testing.T) {
	t.Parallel()
	l := Ledger{{At: on(t, "20 09:00"), Step: Opened, Terms: Terms{Targets: []Target{{Kind: Resolution, Within: time.Hour, Calendar: office(t)}}}}}
	due := on(t, "20 10:00")
	c, _ := l.Clock(Resolution)
	if _, late := c.Breached(due.Add(-1)); late {
		t.Error("it is late before it is due")
	}
	if over, late := c.Breached(due); !late || over != 0 {
		t.Errorf("when it is due it is late: %v, by %v", late, over)
	}
	c, _ = append(l, Event{At: due, Step: Resolved}).Clock(Resolution)
	if _, late := c.Breached(due.Add(time.Hour)); late {
		t.Error("what was fixed at the due instant is late")
	}
}

// What a ticket has been through is in its sum, so that it adds up on paper.
func TestExplainLeavesNothingOut(t *testing.T) {
	t.Parallel()
	cal := office(t)
	nights := calendar(t, hours.Plan{Name: "Nights", Zone: "Europe/Berlin", Open: hours.EachDay(hours.Interval{From: hours.At(22, 0), To: hours.At(6, 0)})})
	terms := func(c *hours.Calendar, within time.Duration) Terms {
		return Terms{Targets: []Target{{Kind: Resolution, Within: within, Calendar: c, Pauses: []ticket.Reason{ticket.ForPart}}}}
	}
	opened := Event{At: on(t, "20 09:00"), Step: Opened, Terms: terms(cal, 8*time.Hour)}
	var many Ledger // a pause of an hour on each of seven days
	for d := 2; d <= 8; d++ {
		at := on(t, fmt.Sprint(d, " 09:00"))
		many = append(many, Event{At: at, Step: Waited, Reason: ticket.ForPart}, Event{At: at.Add(time.Hour), Step: Woken})
	}
	for _, tt := range []struct {
		name string
		l    Ledger
		now  string
		want Line
	}{
		{"the time for which it counted as fixed", Ledger{opened, {At: on(t, "20 11:00"), Step: Resolved}, {At: on(t, "23 15:00"), Step: Reopened}}, "23 16:00",
			Line{"Fixed", "Fri 20 Nov 11:00, reopened Mon 23 Nov 15:00: 12 h of open time not counted"}},
		{"in which hours the time before a change was counted", Ledger{opened, {At: on(t, "21 11:00"), Step: Changed, Why: "priority is now Critical", Terms: terms(nights, 10*time.Hour)}}, "21 23:00",
			Line{"Changed", "Sat 21 Nov 11:00, priority is now Critical: now 10 h, 8 h used by then in Service Desk: Mon–Fri 09:00–17:00"}},
		{"a pause in the hours of each time", Ledger{opened, {At: on(t, "20 12:00"), Step: Waited, Reason: ticket.ForPart},
			{At: on(t, "20 16:00"), Step: Changed, Why: "Nights has it now", Terms: terms(nights, 10*time.Hour)}, {At: on(t, "21 00:00"), Step: Woken}}, "21 01:00",
			Line{"Paused", "Fri 20 Nov 16:00 to Sat 21 Nov 00:00, waiting for a part: 2 h of open time not counted"}},
		{"that nothing was promised for a while", Ledger{opened, {At: on(t, "20 10:00"), Step: Changed, Why: "the policy has changed"}, {At: on(t, "20 12:00"), Step: Changed, Why: "the policy has changed", Terms: terms(cal, 8*time.Hour)}}, "20 13:00",
			Line{"Changed", "Fri 20 Nov 10:00, the policy has changed: nothing is promised from here on, 1 h used by then"}},
		{"an hour that is there twice", Ledger{{At: on(t, "1 00:00").AddDate(0, 0, -7), Step: Opened, Terms: terms(nights, 8*time.Hour)}}, "1 12:00",
			Line{"Clocks", "Sun 25 Oct, back by 1 h in Berlin: 1 h more of open time"}},
		{"that it was late by closed hours alone", Ledger{opened, {At: on(t, "20 22:00"), Step: Resolved}}, "23 16:00",
			Line{"Result", "fixed Fri 20 Nov 22:00; it was due Fri 20 Nov 17:00, late, though only by closed hours"}},
		{"how long the pauses took that are not listed", append(Ledger{{At: on(t, "2 08:00"), Step: Opened, Terms: terms(cal, 80*time.Hour)}}, many...), "9 09:00",
			Line{"Paused", "and 3 more: 1 h of open time not counted"}}, // two of them on a weekend
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Explain(tt.l, Resolution, on(t, tt.now), cal.Zone()); !slices.Contains(got, tt.want) {
				t.Errorf("no line %q in\n%q", tt.want, got)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	cal := office(t)
	fix := []Target{{Kind: Resolution, Within: time.Hour, Calendar: cal}}
	all := Policy{Slug: "all", Targets: fix}
	incidents := Policy{Slug: "incidents", Match: Match{Kinds: []ticket.Kind{ticket.Incident}}, Targets: fix}
	payroll := Policy{Slug: "payroll", Match: Match{Kinds: []ticket.Kind{ticket.Incident}, Services: []string{"payroll"}}, Targets: fix}
	urgent := Policy{Slug: "urgent", Match: Match{Priorities: []ticket.Priority{ticket.Critical}}, Targets: fix}

	for _, order := range [][]Policy{{all, incidents, payroll}, {payroll, incidents, all}} {
		if found := Check(order); len(found) > 0 {
			t.Errorf("exceptions are refused: %v", found)
		}
		for want, s := range map[string]Subject{
			"payroll":   {Kind: ticket.Incident, Service: "payroll"},
			"incidents": {Kind: ticket.Incident, Service: "mail"},
			"all":       {Kind: ticket.Request, Service: "payroll"},
		} {
			if got, ok := For(order, s); !ok || got.Slug != want {
				t.Errorf("For(%+v) = %q, %v; want %q", s, got.Slug, ok, want)
			}
		}
	}
	if got, ok := For([]Policy{payroll}, Subject{Kind: ticket.Request}); ok {
		t.Errorf("a request for nothing in particular has %q", got.Slug)
	}

	tests := []struct {
		name     string
		policies []Policy
		want     []string
	}{
		{"the same tickets", []Policy{incidents, {Slug: "twin", Match: incidents.Match, Targets: fix}}, []string{
			`[1].match: some tickets match "incidents" ([0]) too; part them, or let one match only tickets of the other`,
		}},
		{"some of the same tickets", []Policy{all, payroll, urgent}, []string{
			`[2].match: some tickets match "payroll" ([1]) too; part them, or let one match only tickets of the other`,
		}},
		{"no promise", []Policy{{Slug: "a"}}, []string{"[0].targets: nothing is promised; give a response or a resolution target"}},
		{"all that can be wrong with targets", []Policy{{Slug: "a", Targets: []Target{
			{Kind: "closure", Within: time.Hour, Calendar: cal},
			{Kind: Response, Calendar: cal},
			{Kind: Response, Within: time.Hour, Pauses: []ticket.Reason{ticket.ForPart, "lunch"}},
		}}}, []string{
			`[0].targets[0].kind: there is no clock "closure"; there are response and resolution`,
			"[0].targets[1].within: 0s is no time to do it in; give more than nothing",
			"[0].targets[2].kind: the response has a target already",
			"[0].targets[2].calendar: the calendar is missing",
			`[0].targets[2].pauses[1]: there is no reason "lunch"; there are requester, supplier, change and part`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range Check(tt.policies) {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check() (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkDue(b *testing.B) {
	cal := office(b)
	terms := Terms{Targets: []Target{{Kind: Resolution, Within: 2000 * time.Hour, Calendar: cal, Pauses: ticket.Reasons}}}
	at := on(b, "20 10:00")
	l := Ledger{{At: at, Step: Opened, Terms: terms}}
	for range 5 {
		l = append(l, Event{At: at.Add(30 * time.Hour), Step: Waited, Reason: ticket.ForPart}, Event{At: at.Add(50 * time.Hour), Step: Woken})
		at = at.Add(50 * time.Hour)
	}
	b.ReportAllocs()
	for b.Loop() {
		c, _ := l.Clock(Resolution)
		if _, ok := c.Due(); !ok {
			b.Fatal("no deadline")
		}
	}
}
