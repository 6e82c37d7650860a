package rehearsal_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/rehearsal"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

var monday = time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return monday.Add(d) }

// house is a policy that answers within so long, at all hours, and fixes within
// ten times that.
func house(t interface {
	Helper()
	Fatal(...any)
}, within policy.Duration, change func(*policy.Policy)) *rehearsal.House {
	t.Helper()
	level := func(slug string, within policy.Duration, p ...ticket.Priority) policy.ServiceLevel {
		return policy.ServiceLevel{Slug: slug, Name: slug, For: policy.Tickets{Priorities: p}, Calendar: policy.Always, Response: policy.Target{Within: within},
			Resolution: policy.Target{Within: policy.Duration((within.Value() * 10).String()), Pauses: []ticket.Reason{ticket.ForRequester}}}
	}
	p := policy.BuiltIn()
	p.Teams = []policy.Team{{Slug: "desk", Name: "Desk", Tier: 1}, {Slug: "network", Name: "Network", Tier: 2}}
	p.Services = []policy.Service{{Slug: "wifi", Name: "Wi-Fi", Incidents: "network", Requests: "desk"}}
	p.Levels = []policy.ServiceLevel{level("urgent", "15m", 1, 2), level("rest", within, 3, 4)}
	change(&p)
	if found := p.Check(); len(found) > 0 {
		t.Fatal(found)
	}
	h, err := rehearsal.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func asItIs(*policy.Policy) {}

// printer was opened at nine, answered after 50 minutes and fixed after 8 hours,
// of which it waited 3.
var printer = rehearsal.Record{ID: 1, Ref: "INC-1", Title: "Printer", Kind: ticket.Incident, Service: "wifi", Steps: []rehearsal.Step{
	{At: at(0), Step: sla.Opened, Impact: ticket.OnlyMe, Urgency: ticket.Today, Priority: ticket.Normal, Team: "network"},
	{At: at(50 * time.Minute), Step: sla.Replied},
	{At: at(time.Hour), Step: sla.Waited, Reason: ticket.ForRequester},
	{At: at(4 * time.Hour), Step: sla.Woken},
	{At: at(8 * time.Hour), Step: sla.Resolved},
}}

func TestJudge(t *testing.T) {
	t.Parallel()
	now := at(24 * time.Hour)
	hour := house(t, "1h", asItIs)
	tests := []struct {
		name   string
		record rehearsal.Record
		house  *rehearsal.House
		now    time.Time
		want   map[sla.Kind]rehearsal.Verdict
	}{
		{"what was in time", printer, hour, now, map[sla.Kind]rehearsal.Verdict{
			sla.Response:   {Promised: true, Due: at(time.Hour)},
			sla.Resolution: {Promised: true, Due: at(13 * time.Hour)}, // ten hours and three of waiting
		}},
		{"a shorter promise is missed", printer, house(t, "30m", asItIs), now, map[sla.Kind]rehearsal.Verdict{
			sla.Response:   {Promised: true, Due: at(30 * time.Minute), Missed: true, Over: 20 * time.Minute},
			sla.Resolution: {Promised: true, Due: at(8 * time.Hour)},
		}},
		{"a matrix that makes it urgent", printer, house(t, "1h", func(p *policy.Policy) {
			p.Matrix = map[ticket.Impact]map[ticket.Urgency]ticket.Priority{ticket.OnlyMe: {ticket.Today: ticket.High}}
		}), now, map[sla.Kind]rehearsal.Verdict{
			sla.Response:   {Promised: true, Due: at(15 * time.Minute), Missed: true, Over: 35 * time.Minute},
			sla.Resolution: {Promised: true, Due: at(5*time.Hour + 30*time.Minute), Missed: true, Over: 2*time.Hour + 30*time.Minute},
		}},
		{"another team by another route", printer, house(t, "1h", func(p *policy.Policy) {
			p.Services[0].Incidents = "desk"
			p.Levels[1].For.Teams = []string{"network"}
		}), now, map[sla.Kind]rehearsal.Verdict{}},
		{"what turns out to be about something else is promised what that is", func() rehearsal.Record {
			r := printer
			r.Steps = slices.Insert(slices.Clone(r.Steps), 1, rehearsal.Step{At: at(40 * time.Minute), Step: sla.Changed, Service: "mail"})
			return r
		}(), house(t, "1h", func(p *policy.Policy) {
			p.Services = append(p.Services, policy.Service{Slug: "mail", Name: "Mail", Incidents: "desk", Requests: "desk"})
			mail := p.Levels[1]
			mail.Slug, mail.Name, mail.For, mail.Response.Within = "mail", "Mail", policy.Tickets{Services: []string{"mail"}, Priorities: []ticket.Priority{3, 4}}, "45m"
			p.Levels = append(p.Levels, mail)
		}), now, map[sla.Kind]rehearsal.Verdict{
			sla.Response:   {Promised: true, Due: at(45 * time.Minute), Missed: true, Over: 5 * time.Minute},
			sla.Resolution: {Promised: true, Due: at(13 * time.Hour)},
		}},
		{"what is still open is missed as of now", func() rehearsal.Record { r := printer; r.Steps = r.Steps[:1]; return r }(), hour, at(2 * time.Hour), map[sla.Kind]rehearsal.Verdict{
			sla.Response:   {Promised: true, Due: at(time.Hour), Missed: true, Over: time.Hour, Open: true},
			sla.Resolution: {Promised: true, Due: at(10 * time.Hour), Open: true},
		}},
		{"what waits does not fall due", func() rehearsal.Record { r := printer; r.Steps = r.Steps[:3]; return r }(), hour, now, map[sla.Kind]rehearsal.Verdict{
			sla.Response:   {Promised: true, Due: at(time.Hour)},
			sla.Resolution: {Promised: true, Open: true},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.house.Judge(tt.record, hour, tt.now)); diff != "" {
				t.Errorf("Judge (-want +got):\n%s", diff)
			}
		})
	}
}

// What somebody has decided stays decided: only what the policy gave is given
// anew.
func TestDecisionsStay(t *testing.T) {
	t.Parallel()
	today := house(t, "1h", asItIs)
	next := house(t, "1h", func(p *policy.Policy) {
		p.Matrix = map[ticket.Impact]map[ticket.Urgency]ticket.Priority{ticket.OnlyMe: {ticket.Today: ticket.Critical}}
	})
	decided := printer
	decided.Steps = slices.Clone(printer.Steps)
	decided.Steps[0].Priority = ticket.Low // by hand: the matrix says normal
	if v := next.Judge(decided, today, at(24*time.Hour))[sla.Response]; v.Missed {
		t.Errorf("the decided priority was replaced: %+v", v)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	today, next := house(t, "1h", asItIs), house(t, "30m", asItIs)
	r := rehearsal.Begin(today, next, at(24*time.Hour), time.UTC)
	slow := printer
	slow.ID, slow.Ref, slow.Steps = 2, "INC-2", slices.Clone(printer.Steps)
	for i, after := range []time.Duration{0, 2 * time.Hour, 2 * time.Hour, 5 * time.Hour, 8 * time.Hour} {
		slow.Steps[i].At = at(after) // answered late under both
	}
	r.Add(printer)
	r.Add(slow)
	r.Add(rehearsal.Record{ID: 3, Ref: "INC-3"})
	got := r.Report()
	p := func(made, today, next int) rehearsal.Pair {
		return rehearsal.Pair{Now: rehearsal.Count{Made: made, Missed: today}, New: rehearsal.Count{Made: made, Missed: next}}
	}
	want := rehearsal.Report{Tickets: 3, Unknown: 1, All: p(4, 1, 2),
		Rows:  map[rehearsal.Row]rehearsal.Pair{{Priority: ticket.Normal, Kind: sla.Response}: p(2, 1, 2), {Priority: ticket.Normal, Kind: sla.Resolution}: p(2, 0, 0)},
		Teams: map[string]rehearsal.Pair{"network": p(4, 1, 2)},
		Weeks: map[time.Time]rehearsal.Missed{monday.Truncate(24 * time.Hour): {Now: 1, New: 2}},
		Worse: []rehearsal.Difference{{Ref: "INC-1", Title: "Printer", Kind: sla.Response, Now: rehearsal.Verdict{Promised: true, Due: at(time.Hour)},
			New: rehearsal.Verdict{Promised: true, Due: at(30 * time.Minute), Missed: true, Over: 20 * time.Minute}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// A policy rehearsed against itself changes nothing, the parts add up to the
// whole, and a promise twice as long is missed no more often.
func TestLawsOfARehearsal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		short, long := house(t, "45m", asItIs), house(t, "90m", asItIs)
		same, longer := rehearsal.Begin(short, short, at(20*time.Hour), time.UTC), rehearsal.Begin(short, long, at(20*time.Hour), time.UTC)
		for i := range rapid.IntRange(0, 6).Draw(t, "tickets") {
			rec := rehearsal.Record{ID: ticket.ID(i + 1), Ref: "INC", Kind: ticket.Incident, Service: "wifi", Steps: []rehearsal.Step{
				{At: at(0), Step: sla.Opened, Impact: ticket.OnlyMe, Urgency: ticket.Today, Priority: ticket.Priority(rapid.IntRange(1, 4).Draw(t, "priority")), Team: "network"}}}
			clock := time.Duration(0)
			for range rapid.IntRange(0, 6).Draw(t, "steps") {
				clock += time.Duration(rapid.IntRange(0, 200).Draw(t, "minutes")) * time.Minute
				s := rehearsal.Step{At: at(clock), Step: rapid.SampledFrom([]sla.Step{sla.Changed, sla.Waited, sla.Woken, sla.Replied, sla.Resolved, sla.Reopened}).Draw(t, "step")}
				switch s.Step {
				case sla.Changed:
					s.Priority = ticket.Priority(rapid.IntRange(1, 4).Draw(t, "to"))
				case sla.Waited:
					s.Reason = rapid.SampledFrom(ticket.Reasons).Draw(t, "reason")
				}
				rec.Steps = append(rec.Steps, s)
			}
			same.Add(rec)
			longer.Add(rec)
		}
		r := same.Report()
		if len(r.Worse)+len(r.Better) > 0 || r.All.Now != r.All.New {
			t.Fatalf("the same policy differs from itself: %+v", r)
		}
		r = longer.Report()
		var rows, teams rehearsal.Pair
		sum := func(to *rehearsal.Pair, p rehearsal.Pair) {
			to.Now.Made, to.Now.Missed = to.Now.Made+p.Now.Made, to.Now.Missed+p.Now.Missed
			to.New.Made, to.New.Missed = to.New.Made+p.New.Made, to.New.Missed+p.New.Missed
		}
		for _, p := range r.Rows {
			sum(&rows, p)
		}
		for _, p := range r.Teams {
			sum(&teams, p)
		}
		if rows != r.All || teams != r.All {
			t.Fatalf("rows %+v and teams %+v are not all %+v", rows, teams, r.All)
		}
		if r.All.New.Missed-r.All.Now.Missed != len(r.Worse)-len(r.Better) {
			t.Fatalf("%d worse and %d better do not explain %+v", len(r.Worse), len(r.Better), r.All)
		}
		if len(r.Worse) > 0 {
			t.Fatalf("a longer promise is missed more: %+v", r.Worse)
		}
	})
}
