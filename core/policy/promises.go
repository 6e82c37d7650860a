package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// Levels are the service levels, ladders and working hours of a policy, made
// ready for sums. They never change and may be shared.
type Levels struct {
	zone      *time.Location
	calendars map[string]*hours.Calendar // by slug, Always among them
	levels    map[string]ServiceLevel
	promises  []sla.Policy
	ladders   map[string]Ladder
	alerts    Alerts
	teams     map[string]Team
	people    map[string]Person // by mail address in lower case
	prints    map[string]string // by slug; see Same
	removed   map[string]AfterRemoval
	quiet     any // the calendar of the alerts, as it is written down
}

// Compile makes the levels of a policy that has passed Check. Its error is for
// one that has not.
func (p Policy) Compile() (*Levels, error) {
	l, found := p.compile()
	if len(found) > 0 {
		return nil, fmt.Errorf("service levels: %s", found[0])
	}
	return l, nil
}

// compile leaves out what is wrong and says what that is.
func (p Policy) compile() (*Levels, []Problem) {
	var c checker
	l := &Levels{zone: time.UTC, calendars: map[string]*hours.Calendar{}, levels: map[string]ServiceLevel{}, ladders: map[string]Ladder{},
		alerts: p.Alerts, teams: map[string]Team{}, people: map[string]Person{}, prints: map[string]string{}, removed: p.Removed}
	if zone, err := time.LoadLocation(p.Desk.TimeZone); err == nil {
		l.zone = zone
	}
	for _, t := range p.Teams {
		l.teams[t.Slug] = t
	}
	for _, person := range p.People {
		l.people[strings.ToLower(person.Mail)] = person
	}
	l.ladders[StandardLadder] = standardLadder()
	for _, ladder := range p.Ladders {
		l.ladders[ladder.Slug] = ladder
	}
	always, err := hours.New(hours.Plan{Zone: l.zone.String(), Open: hours.Always()})
	if err != nil { // the zone is not one that a plan takes: Check says so at its place
		always, _ = hours.New(hours.Plan{Zone: "UTC", Open: hours.Always()})
	}
	l.calendars[Always] = always
	for i, cal := range p.Calendars {
		plan, from := cal.plan(p.Desk.TimeZone, &c, fmt.Sprintf("calendars[%d]", i))
		if from == nil {
			continue
		}
		wrong := plan.Check()
		for _, w := range wrong {
			c.say(fmt.Sprintf("calendars[%d].%s", i, from(w.Path)), "%s", planPath.ReplaceAllStringFunc(w.Text, from))
		}
		if len(wrong) > 0 {
			continue
		}
		if l.calendars[cal.Slug], err = hours.New(plan); err != nil {
			c.say(fmt.Sprintf("calendars[%d]", i), "%v", err)
		}
	}
	l.promise(p, &c)
	l.quiet = l.planOf(p, p.Alerts.Hours)
	return l, c.found
}

// promise compiles the service levels.
func (l *Levels) promise(p Policy, c *checker) {
	for i, level := range p.Levels {
		l.levels[level.Slug] = level
		promise := sla.Policy{Slug: level.Slug, Name: level.Name, Match: sla.Match{
			Kinds: level.For.Kinds, Priorities: level.For.Priorities, Services: level.For.Services, Teams: level.For.Teams}}
		print := []any{level.Name}
		for _, side := range level.targets() {
			t, path := side.target, fmt.Sprintf("service_levels[%d].%s", i, side.kind)
			if t.Within == "" {
				continue
			}
			slug := level.calendar(t)
			calendar, known := l.calendars[slug]
			within, err := t.Within.parse()
			switch {
			case err != nil:
				c.say(path+".within", "%v", err)
			case within < time.Minute:
				c.say(path+".within", "%q is too short for anybody; give a minute at least", t.Within)
			case slug != Always && strings.HasSuffix(strings.TrimSpace(string(t.Within)), "d"):
				c.say(path+".within", "%q counts days of 24 hours; write open hours, such as 16h for two days of eight, or use the calendar %q", t.Within, Always)
			}
			if !known && !slices.ContainsFunc(p.Calendars, func(cal Calendar) bool { return cal.Slug == slug }) {
				at := path + ".calendar"
				if t.Calendar == "" {
					at = fmt.Sprintf("service_levels[%d].calendar", i)
				}
				if slug == "" {
					c.say(at, "say in which hours it counts: the slug of a calendar, or %s", Always)
				} else {
					c.say(at, "there is no calendar %q", slug)
				}
			}
			if known && err == nil {
				if _, reached := calendar.Add(anyDay, within); !reached {
					c.say(path+".within", "%q of open hours take more than ten years; promise less", t.Within)
				}
			}
			promise.Targets = append(promise.Targets, sla.Target{Kind: side.kind, Within: within, Calendar: calendar, Pauses: t.Pauses})
			print = append(print, side.kind, within.String(), t.Pauses, l.planOf(p, slug))
		}
		text, err := json.Marshal(print)
		if err != nil {
			panic(err) // of strings and numbers
		}
		l.prints[level.Slug] = string(text)
		l.promises = append(l.promises, promise)
	}
}

// planPath is a path of a plan's in what package hours says, and anyDay one on
// which a calendar can be tried: the sums have no today.
var (
	planPath = regexp.MustCompile(`(open|breaks)\.[a-z]+\[\d+\]`)
	anyDay   = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// planOf is the calendar as it is written down, for comparing.
func (l *Levels) planOf(p Policy, slug string) any {
	for _, cal := range p.Calendars {
		if cal.Slug == slug {
			if cal.TimeZone == "" {
				cal.TimeZone = p.Desk.TimeZone
			}
			return cal
		}
	}
	return p.Desk.TimeZone
}

type side struct {
	kind   sla.Kind
	target Target
}

func (s ServiceLevel) targets() [2]side {
	return [2]side{{sla.Response, s.Response}, {sla.Resolution, s.Resolution}}
}

// calendar is the slug of the calendar in which a target of the level counts.
func (s ServiceLevel) calendar(t Target) string {
	if t.Calendar != "" {
		return t.Calendar
	}
	return s.Calendar
}

// For is what is promised to a ticket: the slug of its service level and the
// terms; false if nothing is.
func (l *Levels) For(s sla.Subject) (string, sla.Terms, bool) {
	p, ok := sla.For(l.promises, s)
	return p.Slug, p.Terms(), ok
}

// Promises are the service levels as package sla has them, in the file's order.
func (l *Levels) Promises() []sla.Policy { return slices.Clone(l.promises) }

// Terms are those of the service level with the slug; false if there is none.
func (l *Levels) Terms(slug string) (sla.Terms, bool) {
	for _, p := range l.promises {
		if p.Slug == slug {
			return p.Terms(), true
		}
	}
	return sla.Terms{}, false
}

// Same tells whether a service level promises the same here and there, so that
// a clock need not be told of a new policy.
func (l *Levels) Same(slug string, other *Levels) bool {
	a, ok := l.prints[slug]
	b, too := other.prints[slug]
	return ok && too && a == b
}

// SameAlerts tells whether as the time of a service level runs out the same
// recipients are told at the same marks and hours here and there.
func (l *Levels) SameAlerts(slug string, other *Levels) bool {
	return l.alertPrint(slug) == other.alertPrint(slug)
}

func (l *Levels) alertPrint(slug string) string {
	text, err := json.Marshal([]any{l.Ladder(slug), l.alerts.AnyTime, l.alerts.Hours, l.quiet})
	if err != nil {
		panic(err) // of strings and numbers
	}
	return string(text)
}

// Kept tells whether running clocks of a level that is gone go on as they were
// promised.
func (l *Levels) Kept(slug string) bool { return l.removed[slug] == Keep }

// Calendar is the one with the slug, Always among them; false if there is none.
func (l *Levels) Calendar(slug string) (*hours.Calendar, bool) {
	c, ok := l.calendars[slug]
	return c, ok
}

// Working is when a person works for a team, by mail address and slug: her own
// calendar, or else the team's, or else at all hours.
func (l *Levels) Working(mail, team string) *hours.Calendar {
	for _, slug := range []string{l.people[strings.ToLower(mail)].Calendar, l.teams[team].Calendar} {
		if c, ok := l.calendars[slug]; ok {
			return c
		}
	}
	return l.calendars[Always]
}

// OnCallAt is who of the team is on call at an instant, by mail address; ""
// for nobody. They take turns week by week, the list's first in the week of
// Monday 5 January 1970, and so on for ever.
func (l *Levels) OnCallAt(team string, at time.Time) string {
	list := l.teams[team].OnCall
	if len(list) == 0 {
		return ""
	}
	y, m, d := at.In(l.zone).Date()
	days := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(time.Date(1970, time.January, 5, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour)
	week := days / 7
	if days < 0 && days%7 != 0 {
		week--
	}
	n := int(week) % len(list)
	if n < 0 {
		n += len(list)
	}
	return strings.ToLower(list[n])
}

// Quiet tells whether alerts wait at an instant, but for the priorities of
// Alerts.AnyTime.
func (l *Levels) Quiet(at time.Time) bool {
	c, ok := l.calendars[l.alerts.Hours]
	return ok && !c.Open(at)
}

// Hold is when an alert that falls due at an instant may go out: then, or when
// the hours of alerts begin.
func (l *Levels) Hold(p ticket.Priority, at time.Time) time.Time {
	c, ok := l.calendars[l.alerts.Hours]
	if !ok || slices.Contains(l.alerts.AnyTime, p) {
		return at
	}
	if next, ok := c.NextOpen(at); ok {
		return next
	}
	return at
}

// Ladder is that of the service level with the slug; the built-in one if it
// names none.
func (l *Levels) Ladder(slug string) Ladder {
	if ladder, ok := l.ladders[l.levels[slug].Ladder]; ok {
		return ladder
	}
	return l.ladders[StandardLadder]
}

// After is the mark that follows m on the ladder, the first one after the zero
// Mark; false after the last of the line.
func (l Ladder) After(m sla.Mark) (sla.Mark, bool) {
	every := l.Every.Value()
	if every > 0 && int(m.Beyond/every) >= len(l.Line) {
		every = 0
	}
	percents := make([]int, len(l.Steps))
	for i, s := range l.Steps {
		percents[i] = s.At
	}
	return sla.Ladder{Percents: percents, Every: every}.After(m)
}

// Rung is what is done at a mark of the ladder.
func (l Ladder) Rung(m sla.Mark) Step {
	every := l.Every.Value()
	if m.Beyond > 0 && every > 0 {
		if i := int(m.Beyond/every) - 1; i < len(l.Line) {
			return Step{At: m.Percent, Direct: l.Line[i : i+1]}
		}
	}
	for _, s := range l.Steps {
		if s.At == m.Percent {
			return s
		}
	}
	return Step{At: m.Percent}
}
