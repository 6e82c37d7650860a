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
// the clock, which holidays counted, and what comes of it. Times are on the
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

	var changes []string
	policy := ""
	for _, e := range l {
		if e.Step != Opened && e.Step != Changed || c.State == Ended && e.At.After(c.Since) {
			continue
		}
		policy = e.Terms.Policy
		if e.Step == Changed {
			text := say(e.At) + ", " + e.Why
			if t, ok := e.Terms.target(k); ok {
				text += ": now " + Words(t.Within)
			}
			changes = append(changes, text)
		}
	}
	promise := fmt.Sprintf("%s within %s", verb(k), Words(c.Target.Within))
	if policy != "" {
		promise += " (" + policy + ")"
	}
	lines = append(lines, Line{"Promise", promise}, Line{"Hours", c.hours(zone)})
	lines = append(lines, few("Changed", changes)...)
	lines = append(lines, few("Paused", c.pauses(say))...)
	lines = append(lines, few("Closed", c.holidays(now))...)
	return append(lines, c.result(now, say)...)
}

func verb(k Kind) string {
	if k == Response {
		return "answer"
	}
	return "fix"
}

// few is a line for each text, and one for all that are too many.
func few(label string, texts []string) []Line {
	var lines []Line
	for i, t := range texts {
		if i == most && len(texts) > most+1 {
			return append(lines, Line{label, fmt.Sprintf("and %d more", len(texts)-most)})
		}
		lines = append(lines, Line{label, t})
	}
	return lines
}

// hours names the calendar, and its zone if the reader is in another.
func (c Clock) hours(zone *time.Location) string {
	cal := c.Target.Calendar
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

func (c Clock) pauses(say func(time.Time) string) []string {
	var texts []string
	for _, s := range c.stops {
		if s.to.IsZero() {
			texts = append(texts, fmt.Sprintf("since %s, waiting for %s", say(s.from), s.reason.Words()))
			continue
		}
		texts = append(texts, fmt.Sprintf("%s to %s, waiting for %s: %s of open time not counted",
			say(s.from), say(s.to), s.reason.Words(), Words(s.calendar.Between(s.from, s.to))))
	}
	return texts
}

// holidays are those that the clock met while it ran, up to the due instant
// if that is ahead.
func (c Clock) holidays(now time.Time) []string {
	until := now
	if due, ok := c.Due(); ok && due.After(now) {
		until = due
	}
	var all []hours.Lost
	for _, r := range c.runs {
		to := r.to
		if to.IsZero() {
			to = until
		}
		for _, lost := range r.calendar.Lost(r.from, to) {
			if n := len(all); n > 0 && all[n-1].Closing == lost.Closing { // a pause parts the day
				all[n-1].Took += lost.Took
				continue
			}
			all = append(all, lost)
		}
	}
	texts := make([]string, len(all))
	for i, lost := range all {
		texts[i] = closing(lost)
	}
	return texts
}

func closing(l hours.Lost) string {
	d := l.Date
	text := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format("Mon 2 Jan")
	if l.Only != (hours.Interval{}) {
		text += " " + l.Only.String()
	}
	if l.Name != "" {
		text += ", " + l.Name
	}
	return text + ": " + Words(l.Took) + " of open time not counted"
}

func (c Clock) result(now time.Time, say func(time.Time) string) []Line {
	used, left := c.Used(now), c.Left(now)
	due, known := c.Due()
	lines := []Line{{"Used", fmt.Sprintf("%s of %s", Words(used), Words(c.Target.Within))}}
	over, late := c.Breached(now)
	was := "due " + say(due)
	if late && over > 0 {
		was += ", late by " + Words(over) + " of open time"
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
