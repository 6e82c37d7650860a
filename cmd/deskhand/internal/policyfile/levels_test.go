package policyfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// promised is a policy of which everything about service levels is right.
const promised = `
desk: {timezone: Europe/Berlin}
people:
  - {mail: leo@acme.example, name: Leo}
  - {mail: kim@acme.example, name: Kim}
teams:
  - {slug: desk, name: Desk, tier: 1, lead: leo@acme.example, on_call: [leo@acme.example, kim@acme.example]}
  - {slug: network, name: Network, tier: 2, calendar: nights}
services:
  - {slug: mail, name: Mail, incidents: desk, requests: desk, alerts: {slack: mail-alerts}}
calendars:
  - slug: office
    name: Office hours
    timezone: Europe/Stockholm
    open:
      mon-thu: [08:00-12:00, 13:00-17:00]
      friday: [08:00-15:00]
    breaks:
      friday: [12:00-12:30]
    holidays: [se]
    closed:
      - {date: 2026-12-23, name: Party, only: 12:00-24:00}
  - slug: nights
    name: Nights
    open: {daily: [22:00-06:00]}
ladders:
  - slug: quick
    steps:
      - {at: 50, thread: [owner]}
      - {at: 100, channel: true, requester: true}
    every: 30m
    line: [lead, kim@acme.example]
service_levels:
  - slug: critical
    name: Critical
    for: {priorities: [1]}
    response: {within: 15m, calendar: always}
    resolution: {within: 4h, calendar: always, pauses: [requester]}
    ladder: quick
  - slug: rest
    name: Standard
    for: {}
    calendar: office
    response: {within: 4h}
    resolution: {within: 24h}
alerts:
  channel: {slack: sla-alerts}
  hours: office
  any_time: [1]
`

func TestServiceLevelsAreRead(t *testing.T) {
	t.Parallel()
	p, err := Parse("policy.yaml", []byte(promised))
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	slug, terms, ok := l.For(sla.Subject{Kind: ticket.Incident, Priority: ticket.Critical, Team: "desk"})
	if !ok || slug != "critical" || len(terms.Targets) != 2 || terms.Targets[0].Within != 15*time.Minute || terms.Targets[0].Calendar.Words() != "at all hours" {
		t.Errorf("an urgent ticket is promised %q %+v", slug, terms)
	}
	slug, terms, _ = l.For(sla.Subject{Kind: ticket.Request, Priority: ticket.Low, Team: "network"})
	if slug != "rest" || terms.Targets[1].Within != 24*time.Hour || terms.Targets[1].Calendar.Words() != "Mon–Thu 08:00–12:00 and 13:00–17:00, Fri 08:00–15:00 without 12:00–12:30" {
		t.Errorf("any other is promised %q %+v in %s", slug, terms, terms.Targets[1].Calendar.Words())
	}
	// Sweden's national day of 2027 is a Sunday, Midsummer's Eve Friday 25 June.
	office, _ := l.Calendar("office")
	from := time.Date(2027, time.June, 24, 17, 0, 0, 0, office.Zone())
	if next, _ := office.NextOpen(from); !next.Equal(from.AddDate(0, 0, 4).Add(-9 * time.Hour)) {
		t.Errorf("after %v the office opens at %v, want Monday morning", from, next)
	}

	var marks []sla.Mark
	ladder := l.Ladder("critical")
	for m, ok := ladder.After(sla.Mark{}); ok; m, ok = ladder.After(m) {
		marks = append(marks, m)
	}
	want := []sla.Mark{{Percent: 50}, {Percent: 100}, {Percent: 100, Beyond: 30 * time.Minute}, {Percent: 100, Beyond: time.Hour}}
	if diff := cmp.Diff(want, marks); diff != "" {
		t.Errorf("the quick ladder (-want +got):\n%s", diff)
	}
	if got := ladder.Rung(marks[3]); len(got.Direct) != 1 || got.Direct[0] != "kim@acme.example" {
		t.Errorf("the second in line is %v, want Kim", got)
	}

	night := time.Date(2026, time.November, 20, 23, 0, 0, 0, office.Zone()) // a Friday
	if got := l.Hold(ticket.Normal, night); !got.Equal(night.AddDate(0, 0, 2).Add(9 * time.Hour)) {
		t.Errorf("an alert of Friday night waits until %v, want Monday at eight", got)
	}
	if got := l.Hold(ticket.Critical, night); !got.Equal(night) {
		t.Errorf("an urgent alert waits until %v", got)
	}
	monday := time.Date(2026, time.November, 16, 0, 0, 0, 0, time.UTC)
	first := l.OnCallAt("desk", monday)
	for hour := range 24 * 14 {
		at := monday.Add(time.Duration(hour) * time.Hour)
		same := l.OnCallAt("desk", at) == first
		// In Berlin Monday begins an hour before it does in Greenwich.
		if inWeek := hour < 7*24-1 || hour >= 14*24-1; same != inWeek {
			t.Fatalf("on %v %s is on call", at, l.OnCallAt("desk", at))
		}
	}
	if who := l.OnCallAt("network", monday); who != "" {
		t.Errorf("%s is on call for a team that has nobody", who)
	}
	if w := l.Working("kim@acme.example", "network"); w.Name() != "Nights" {
		t.Errorf("Kim works for Network %q, want at night", w.Words())
	}
}

func TestServiceLevelsAreRefusedWithLineAndField(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, new, want string }{
		{"a calendar with no open hour in a year", "{daily: [22:00-06:00]}", "{}", `LINE: calendars[1].open: no hour of the week is open`},
		{"overlapping intervals", "[08:00-12:00, 13:00-17:00]", "[08:00-12:00, 11:00-17:00]", `LINE: calendars[0].open.mon-thu[1]: it overlaps open.mon-thu[0]`},
		{"overlapping shifts over midnight", "{daily: [22:00-06:00]}", "{daily: [22:00-06:00, 05:00-07:00]}", `LINE: calendars[1].open.daily[`},
		{"a break from nothing", "[12:00-12:30]", "[18:00-19:00]", `LINE: calendars[0].breaks.friday[0]: there is nothing open to take this break from`},
		{"hours that are none", "[08:00-15:00]", "[8 to 3]", `LINE: calendars[0].open.friday[0]: "8to3" is not hours such as 09:00-17:00`},
		{"a day that is none", "friday: [08:00-15:00]", "freitag: [08:00-15:00]", `LINE: calendars[0].open.freitag: "freitag" names no days`},
		{"a day twice", "friday: [08:00-15:00]", "thu: [08:00-15:00]", `Thursday is in mon-thu already`},
		{"an unknown zone", "Europe/Stockholm", "Europe/Stokholm", `LINE: calendars[0].timezone: there is no time zone "Europe/Stokholm"`},
		{"a holiday that is no day", "2026-12-23", "2026-02-30", `LINE: calendars[0].closed[0].date: "2026-02-30" is not a day`},
		{"a region without holidays here", "[se]", "[atlantis]", `LINE: calendars[0].holidays[0]: the public holidays of "atlantis" are not known`},
		{"a calendar that takes the built-in name", "slug: nights", "slug: always", `LINE: calendars[1].slug: "always" is there already`},
		{"a target of zero", "{within: 15m, calendar: always}", "{within: 0m, calendar: always}", `LINE: service_levels[0].response.within: "0m" is not a time`},
		{"a negative target", "{within: 15m, calendar: always}", "{within: -15m, calendar: always}", `service_levels[0].response.within`},
		{"days in working time", "{within: 24h}", "{within: 3d}", `LINE: service_levels[1].resolution.within: "3d" counts days of 24 hours`},
		{"a calendar that there is not", "calendar: office\n    response", "calendar: offices\n    response", `LINE: service_levels[1].calendar: there is no calendar "offices"`},
		{"nothing promised", "    response: {within: 4h}\n    resolution: {within: 24h}\n", "", `service_levels[1]: nothing is promised`},
		{"two levels for the same ticket", "for: {}", "for: {kinds: [incident]}", `LINE: service_levels[1].for: some tickets match "critical" (service_levels[0]) too`},
		{"a priority that there is not", "priorities: [1]", "priorities: [5]", `LINE: service_levels[0].for.priorities[0]: 5 is not a priority from 1 to 4`},
		{"a team that there is not", "for: {}", "for: {teams: [wan]}", `service_levels[1].for.teams[0]: there is no team "wan"`},
		{"a reason that there is not", "[requester]", "[lunch]", `LINE: service_levels[0].resolution.pauses[0]: there is no reason "lunch"`},
		{"a ladder that there is not", "ladder: quick", "ladder: slow", `LINE: service_levels[0].ladder: there is no ladder "slow"`},
		{"a ladder that reaches nobody", "channel: true, requester: true}\n    every: 30m\n    line: [lead, kim@acme.example]", "direct: [lead]}",
			`service_levels[0].ladder: the ladder "quick" reaches nobody for unclaimed tickets of network`},
		{"a recipient who is nobody", "[lead, kim@acme.example]", "[lead, boss]", `LINE: ladders[0].line[1]: "boss" is nobody`},
		{"a recipient whom nobody knows", "kim@acme.example]\n", "pat@acme.example]\n", `the recipient pat@acme.example is not among the people`},
		{"a ladder that goes down", "at: 100", "at: 40", `LINE: ladders[0].steps[1].at: 40 does not come after 50`},
		{"a line without a time", "    every: 30m\n", "", `ladders[0].every: say after how much time`},
		{"an apology before it is late", "{at: 50, thread: [owner]}", "{at: 50, requester: true}", `LINE: ladders[0].steps[0].requester: at 50 % nothing is late yet`},
		{"alert hours that there are not", "hours: office", "hours: day", `LINE: alerts.hours: there is no calendar "day"`},
		{"an alert channel without a name", "{slack: sla-alerts}", "{slack: ''}", `LINE: alerts.channel.slack: the channel's name is missing`},
		{"somebody on call whom nobody knows", "on_call: [leo@acme.example, kim@acme.example]", "on_call: [pat@acme.example]", `LINE: teams[0].on_call[0]: pat@acme.example is not among the people`},
		{"a level that is gone and there", "alerts:\n  channel", "removed_levels: {rest: move}\nalerts:\n  channel", `removed_levels.rest: the service level "rest" is still there`},
		{"an end that there is not", "alerts:\n  channel", "removed_levels: {gold: sell}\nalerts:\n  channel", `removed_levels.gold: "sell" is neither move nor keep`},
		{"a target too short for anybody", "{within: 15m, calendar: always}", "{within: 500ms, calendar: always}", `LINE: service_levels[0].response.within: "500ms" is too short for anybody`},
		{"a target that nobody lives to see", "{within: 24h}", "{within: 30000h}", `LINE: service_levels[1].resolution.within: "30000h" of open hours take more than ten years`},
		{"a line that goes by the second", "every: 30m", "every: 1s", `LINE: ladders[0].every: "1s" is too soon`},
		{"a target in no hours", "    calendar: office\n    response: {within: 4h}", "    response: {within: 4h}", `service_levels[1].calendar: say in which hours it counts`},
		{"a platform that there is not", "channel: {slack: sla-alerts}", "channel: {slak: sla-alerts}", `LINE: alerts.channel.slak: there is no platform "slak"; there are slack and teams`},
		{"one in place of a list", "friday: [08:00-15:00]", "friday: 08:00-15:00", `LINE: calendars[0].open.friday: this wants a list: [08:00-15:00]`},
		{"one in place of fields", "resolution: {within: 24h}", "resolution: 24h", `LINE: service_levels[1].resolution: this wants fields with values`},
		{"fields in place of a list", "friday: [08:00-15:00]", "friday: {from: 8, to: 15}", `LINE: calendars[0].open.friday: this wants a list`},
		{"a priority by name", "priorities: [1]", "priorities: [critical]", `LINE: service_levels[0].for.priorities[0]: "critical" is not a priority from 1 to 4: 1 is Critical`},
		{"a share with its sign", "{at: 50,", "{at: 50%,", `LINE: ladders[0].steps[0].at: "50%" is not a whole number`},
		{"a yes", "channel: true", "channel: yes", `LINE: ladders[0].steps[1].channel: "yes" is neither true nor false`},
		{"a field that there is not", "ladder: quick", "ladders: quick", `LINE: there is no field "ladders"`},
		{"a field twice", "name: Standard", "name: Standard\n    name: Other", `"name" is there twice`},
		{"a tab", "    name: Standard", "\tname: Standard", `LINE: there is a tab; indent with spaces`},
		{"a bare @", "thread: [owner]", "thread: [@owner]", `LINE: '@' is a reserved character; put the text in quotes`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, after, found := strings.Cut(promised, tt.old)
			if !found {
				t.Fatalf("the policy has no %q", tt.old)
			}
			_, err := Parse("policy.yaml", []byte(before+tt.new+after))
			want := strings.Replace(tt.want, "LINE", fmt.Sprint("line ", 1+strings.Count(before, "\n")), 1)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Parse = %v\nwant an error with %q", err, want)
			}
		})
	}
}

func TestOneMistakeIsSaidOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, new string }{
		{"of each day of a range", "[08:00-12:00, 13:00-17:00]", "[08:00-12:00, 11:00-17:00]"},
		{"of a ladder without steps", "      - {at: 50, thread: [owner]}\n      - {at: 100, channel: true, requester: true}\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("policy.yaml", []byte(strings.Replace(promised, tt.old, tt.new, 1)))
			if wrong, ok := errors.AsType[*Error](err); !ok || len(wrong.Lines) != 1 {
				t.Errorf("Parse = %v, want one line", err)
			}
		})
	}
}

func TestAMarkThatEditorsWriteFirstIsNotOfTheFile(t *testing.T) {
	t.Parallel()
	if _, err := Parse("policy.yaml", []byte("\ufeffdesk: {timezone: Europe/Berlin}")); err != nil {
		t.Error(err)
	}
}

func TestWithoutServiceLevelsTheBuiltInOnesAreInForce(t *testing.T) {
	t.Parallel()
	p, err := Parse("policy.yaml", []byte("calendars: [{slug: office, name: Late, open: {mon-fri: [12:00-20:00]}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Levels) != 4 || len(p.Calendars) != 1 || p.Calendars[0].Name != "Late" {
		t.Errorf("%d levels in %v, want the four built-in ones in the file's own hours", len(p.Levels), p.Calendars)
	}
	if p, err = Parse("policy.yaml", []byte("service_levels: []")); err != nil || len(p.Levels) != 0 {
		t.Errorf("an empty list promises %v, %v; want nothing", p.Levels, err)
	}
}

func TestTheREADMEsExampleIsRead(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "```\ncalendars:")
	example, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("the README shows no calendars")
	}
	p, err := Parse("README.md", []byte("calendars:"+example))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Levels) != 2 || len(p.Calendars) != 1 || len(p.Calendars[0].Public) == 0 {
		t.Errorf("the example has %d levels and %d calendars", len(p.Levels), len(p.Calendars))
	}
}
