package sla

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/hours"
)

// Line is one step of a sum.
type Line struct{ Label, Text string }

// most is how many pauses, changes or holidays are listed one by one.
const most = 4

// Explain is the sum behind the clock of kind k at now, for a layman to check:
// when the ticket was opened, what was promised, in which hours, what stopped
// the clock, which holidays and jumps of the clock counted, and what comes of it. Times are on the
// reader's clock. It has no lines if nothing is promised.
func Explain(l Ledger, k Kind, now time.Time, zone *time.Location) []Line {
	c, ok := l.Clock(k)
	if !ok {
		return nil
	}
	say := func(t time.Time) string {
		t = t.In(zone)
		form := "Mon 2 Jan 15:04"
		if t.Year() != now.In(zone).Year() {
			form = "Mon 2 Jan 2006 15:04"
		}
		if t.Second() != 0 {
			form += ":05"
		}
		return t.Format(form)
	}
	lines := []Line{{"Opened", say(l[0].At)}}
	var changes []entry
	var before Target // what was promised until then
	policy := ""
	for _, e := range l {
		if e.Step != Opened && e.Step != Changed || c.State == Ended && e.At.After(c.Since) {
			continue
		}
		policy = e.Terms.Policy
		t, promised := e.Terms.target(k)
		if e.Step == Changed {
			text := say(e.At) + ", " + e.Why + ": now " + Words(t.Within)
			if !promised {
				text = say(e.At) + ", " + e.Why + ": nothing is promised from here on"
			}
			text += ", " + Words(c.by(e.At)) + " used by then"
			if before.Calendar != nil && doors(before.Calendar, zone) != doors(c.Target.Calendar, zone) {
				text += " in " + doors(before.Calendar, zone)
			}
			changes = append(changes, entry{text, 0})
		}
		before = t
	}
	promise := fmt.Sprintf("%s within %s", verb(k), Words(c.Target.Within))
	if policy != "" {
		promise += " (" + policy + ")"
	}
	lines = append(lines, Line{"Promise", promise}, Line{"Hours", doors(c.Target.Calendar, zone)})
	lines = append(lines, few("Changed", changes)...)
	lines = append(lines, few("Fixed", c.ends(say))...)
	lines = append(lines, few("Paused", c.pauses(now, say))...)
	until := now
	if due, ok := c.Due(); ok && due.After(now) {
		until = due
	}
	lines = append(lines, few("Closed", c.holidays(until, now.In(zone).Year()))...)
	lines = append(lines, few("Clocks", c.jumps(until))...)
	return append(lines, c.result(now, say)...)
}

func verb(k Kind) string {
	if k == Response {
		return "answer"
	}
	return "fix"
}

// entry is one of many, and the open time that it kept from counting.
type entry struct {
	text string
	took time.Duration
}

// few is a line for each entry, and one for all that are too many.
func few(label string, all []entry) []Line {
	var lines []Line
	for i, e := range all {
		if i == most && len(all) > most+1 {
			text := fmt.Sprintf("and %d more", len(all)-most)
			var took time.Duration
			for _, e := range all[most:] {
				took += e.took
			}
			if took > 0 {
				text += ": " + lost(took)
			}
			return append(lines, Line{label, text})
		}
		lines = append(lines, Line{label, e.text})
	}
	return lines
}

func lost(took time.Duration) string { return Words(took) + " of open time not counted" }

// by is what was used at an instant.
func (c Clock) by(at time.Time) (used time.Duration) {
	for _, r := range c.runs {
		switch {
		case !r.from.Before(at):
			return used
		case r.to.IsZero() || r.to.After(at):
			return r.before + r.calendar.Between(r.from, at)
		}
		used = r.after
	}
	return used
}

// doors are the hours as on a door: the calendar's name, its week, and its zone
// if the reader is in another.
func doors(cal *hours.Calendar, zone *time.Location) string {
	text := cal.Words()
	if cal.Name() != "" {
		text = cal.Name() + ": " + text
	}
	if cal.Zone().String() != zone.String() {
		text += ", " + place(cal.Zone()) + " time"
	}
	return text
}

// place is the city in a zone's name.
func place(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}

func (c Clock) pauses(now time.Time, say func(time.Time) string) []entry {
	var all []entry
	for _, s := range c.stops {
		from, why := say(s.from), "waiting for "+s.reason.Words()
		if s.to.IsZero() {
			took := s.calendar.Between(s.from, now)
			all = append(all, entry{fmt.Sprintf("since %s, %s: %s so far", from, why, lost(took)), took})
			continue
		}
		took := s.calendar.Between(s.from, s.to)
		all = append(all, entry{fmt.Sprintf("%s to %s, %s: %s", from, say(s.to), why, lost(took)), took})
	}
	return all
}

// ends are the times for which it counted as fixed.
func (c Clock) ends(say func(time.Time) string) []entry {
	var all []entry
	for _, s := range c.rests {
		took := s.calendar.Between(s.from, s.to)
		all = append(all, entry{fmt.Sprintf("%s, reopened %s: %s", say(s.from), say(s.to), lost(took)), took})
	}
	return all
}

// while does something for each time in which the clock ran.
func (c Clock) while(until time.Time, do func(cal *hours.Calendar, from, to time.Time)) {
	for _, r := range c.runs {
		to := r.to
		if to.IsZero() {
			to = until
		}
		do(r.calendar, r.from, to)
	}
}

// holidays are those that the clock met while it ran.
func (c Clock) holidays(until time.Time, year int) []entry {
	var met []hours.Lost
	c.while(until, func(cal *hours.Calendar, from, to time.Time) {
		for _, l := range cal.Lost(from, to) {
			if n := len(met); n > 0 && met[n-1].Closing == l.Closing { // a pause parts the day
				met[n-1].Took += l.Took
				continue
			}
			met = append(met, l)
		}
	})
	all := make([]entry, len(met))
	for i, l := range met {
		text := day(l.Date, year)
		if l.Only != (hours.Interval{}) {
			text += " " + l.Only.String()
		}
		if l.Name != "" {
			text += ", " + l.Name
		}
		all[i] = entry{text + ": " + lost(l.Took), l.Took}
	}
	return all
}

// jumps are the changes to summer time and back that it met.
func (c Clock) jumps(until time.Time) []entry {
	var all []entry
	c.while(until, func(cal *hours.Calendar, from, to time.Time) {
		for _, j := range cal.Jumps(from, to) {
			way, more := "forward", "less"
			if j.Forward < 0 {
				way = "back"
			}
			if j.Gained > 0 {
				more = "more"
			}
			all = append(all, entry{fmt.Sprintf("%s, %s by %s in %s: %s %s of open time",
				day(j.Date, j.Date.Year), way, Words(j.Forward.Abs()), place(cal.Zone()), Words(j.Gained.Abs()), more), 0})
		}
	})
	return all
}

// day is a date, with its year if it is not the one given.
func day(d hours.Date, year int) string {
	form := "Mon 2 Jan"
	if d.Year != year {
		form = "Mon 2 Jan 2006"
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(form)
}

func (c Clock) result(now time.Time, say func(time.Time) string) []Line {
	used, left := c.Used(now), c.Left(now)
	due, known := c.Due()
	lines := []Line{{"Used", fmt.Sprintf("%s of %s", Words(used), Words(c.Target.Within))}}
	over, late := c.Breached(now)
	was := "due " + say(due)
	switch {
	case late && over > 0:
		was += ", late by " + Words(over) + " of open time"
	case late:
		was += ", late, though only by closed hours"
	}
	done := map[Kind]string{Response: "answered ", Resolution: "fixed "}[c.Kind] + say(c.Since)
	text := ""
	switch {
	case c.State == Ended && late:
		text = done + "; it was " + was
	case c.State == Ended && known:
		text = done + ", in time; it was due " + say(due)
	case c.State == Ended:
		text = done + ", in time"
	case late && c.State == Paused:
		text = was + "; paused now"
	case late:
		text = was
	case c.State == Paused:
		text = Words(left) + " left when it goes on"
	case known:
		text = fmt.Sprintf("%s left, so %s by %s", Words(left), verb(c.Kind), say(due))
	default:
		text = Words(left) + " left, more than ten years ahead"
	}
	return append(lines, Line{"Result", text})
}

// Words is a length of time as people say it: "2 h 10 min". Seconds are told
// where there are any.
func Words(d time.Duration) string {
	if d < 0 {
		return "minus " + Words(-d)
	}
	d = d.Truncate(time.Second)
	var parts []string
	for _, u := range []struct {
		n    time.Duration
		name string
	}{{d / time.Hour, "h"}, {d % time.Hour / time.Minute, "min"}, {d % time.Minute / time.Second, "s"}} {
		if u.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", u.n, u.name))
		}
	}
	if len(parts) == 0 {
		return "0 min"
	}
	return strings.Join(parts, " ")
}
