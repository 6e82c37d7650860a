// Package hours is when a team works: its week, its breaks, its holidays and
// its time zone. It adds and measures open time, which is what a service level
// promises.
//
// Everything is said in wall-clock time: an interval is the set of instants at
// which the local clock shows a time inside it, the first second included, the
// last excluded. So on a day on which the clock jumps, an hour that is skipped
// is not there and an hour that is repeated counts twice, and a date that a
// zone leaves out (Samoa had no 30 December 2011) has no hours at all. A
// holiday is a date on the same clock, from midnight to midnight: a night
// shift that begins on its eve ends at midnight.
//
// The sums need no walk from day to day. Between two jumps of the clock, wall
// time runs evenly, and how much of it is open up to some reading is a formula:
// whole weeks, a piece of a week, less what the holidays so far have taken.
// Both directions of it are a division and a binary search, so a year costs
// no more than an hour, but for the two or four jumps in it.
package hours

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// OfDay is a time on the wall clock, in seconds after midnight; 86400 is the
// midnight at the end of the day.
type OfDay int

// Midnight is the end of a day, 24:00.
const Midnight OfDay = 24 * 60 * 60

// At is the time of day that a clock shows as hour:minute.
func At(hour, minute int) OfDay { return OfDay(hour*3600 + minute*60) }

func (o OfDay) String() string {
	s := fmt.Sprintf("%02d:%02d", o/3600, o/60%60)
	if o%60 != 0 {
		s += fmt.Sprintf(":%02d", o%60)
	}
	return s
}

// Interval is open from From until To. One that ends before it begins ends on
// the next day: 22:00–06:00.
type Interval struct{ From, To OfDay }

func (i Interval) String() string { return i.From.String() + "–" + i.To.String() }

// Week is the intervals of each weekday, time.Sunday first. A night shift
// belongs to the day on which it begins.
type Week [7][]Interval

// Always is open at all hours.
func Always() Week { return EachDay(Interval{0, Midnight}) }

// EachDay is a week of seven equal days.
func EachDay(in ...Interval) Week {
	var w Week
	for d := range w {
		w[d] = in
	}
	return w
}

// Workdays is a week with equal days from Monday to Friday.
func Workdays(in ...Interval) Week {
	w := EachDay(in...)
	w[time.Sunday], w[time.Saturday] = nil, nil
	return w
}

// Date is a day on the calendar, in whatever zone the calendar is.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Closing is a holiday, or a part of a day on which nobody works.
type Closing struct {
	Date Date
	Name string
	// Only is the part of the day that is closed; the whole day if zero.
	Only Interval
}

// Plan is a calendar as people write it down.
type Plan struct {
	Name   string // as shown under "Why?"
	Zone   string // IANA name
	Open   Week
	Breaks Week // taken out of Open
	Closed []Closing
}

// Problem is one thing wrong with a plan: where, as a path of its own names
// ("open.monday[1]"), and what, in words with the fix.
type Problem struct{ Path, Text string }

func (p Problem) String() string { return p.Path + ": " + p.Text }

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// stretch is a piece of wall time, To excluded; path is what wrote it.
type stretch struct {
	from, to time.Duration
	path     string
}

// weekdays are the days in the order in which a working week is read.
var weekdays = [7]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

// lay puts the intervals of a week in order on one line that begins on Monday
// at midnight. A shift over the end of the week is cut in two.
func lay(w Week, name string) []stretch {
	var line []stretch
	for i, wd := range weekdays {
		for j, in := range w[wd] {
			s := stretch{
				from: time.Duration(i)*day + time.Duration(in.From)*time.Second,
				to:   time.Duration(i)*day + time.Duration(in.To)*time.Second,
				path: fmt.Sprintf("%s.%s[%d]", name, strings.ToLower(wd.String()), j),
			}
			if in.To < in.From {
				s.to += day
			}
			if s.to > week {
				line = append(line, stretch{0, s.to - week, s.path})
				s.to = week
			}
			line = append(line, s)
		}
	}
	slices.SortStableFunc(line, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	return line
}

// join makes one of stretches that touch or overlap.
func join(line []stretch) []stretch {
	var out []stretch
	for _, s := range line {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// without takes the breaks out of the line; both are in order and joined.
func without(line, breaks []stretch) []stretch {
	var out []stretch
	for _, s := range line {
		for _, b := range breaks {
			if b.to <= s.from || b.from >= s.to {
				continue
			}
			if s.from < b.from {
				out = append(out, stretch{s.from, b.from, s.path})
			}
			s.from = min(b.to, s.to)
		}
		if s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}

// Check lists all that is wrong; an empty list means that New will take it.
func (p Plan) Check() []Problem {
	var found []Problem
	say := func(path, format string, args ...any) {
		found = append(found, Problem{path, fmt.Sprintf(format, args...)})
	}
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "" || p.Zone == "Local" {
		say("zone", "there is no time zone %q; use a name such as Europe/Berlin", p.Zone)
	}
	for _, part := range []struct {
		name string
		week Week
	}{{"open", p.Open}, {"breaks", p.Breaks}} {
		for _, wd := range weekdays {
			for i, in := range part.week[wd] {
				if text := in.wrong(); text != "" {
					say(fmt.Sprintf("%s.%s[%d]", part.name, strings.ToLower(wd.String()), i), "%s", text)
				}
			}
		}
	}
	for i, c := range p.Closed {
		path := fmt.Sprintf("closed[%d]", i)
		if m := c.Date.midnight(); m.Year() != c.Date.Year || m.Month() != c.Date.Month || m.Day() != c.Date.Day ||
			c.Date.Year < firstYear || c.Date.Year > lastYear {
			say(path+".date", "there is no day %v; write it as 2026-12-24", c.Date)
		}
		switch text := c.Only.wrong(); {
		case c.Only == (Interval{}):
		case text != "":
			say(path+".only", "%s", text)
		case c.Only.To < c.Only.From:
			say(path+".only", "%v goes past midnight; close the next day too", c.Only)
		}
	}
	if len(found) > 0 {
		return found // the rest makes sense of what is right so far
	}

	open, breaks := lay(p.Open, "open"), lay(p.Breaks, "breaks")
	for _, line := range [][]stretch{open, breaks} {
		for _, two := range overlaps(line) {
			say(two[1].path, "it overlaps %s; make one interval of them, or part them", two[0].path)
		}
	}
	for _, b := range breaks {
		if !slices.ContainsFunc(open, func(s stretch) bool { return b.from < s.to && s.from < b.to }) {
			say(b.path, "there is nothing open to take this break from")
		}
	}
	if len(found) > 0 {
		return found
	}

	c := compile(p, time.UTC)
	if c.week.sum == 0 {
		say("open", "no hour of the week is open; give at least one interval, such as monday 09:00–17:00")
		return found
	}
	for k, off := range c.off {
		if c.upto(off.from+366*day) == c.sums[k] {
			say("closed", "nothing is open for a year from %s on; name fewer days", epoch.Add(off.from).Format("2006-01-02"))
			break
		}
	}
	return found
}

func (i Interval) wrong() string {
	switch {
	case i.From < 0 || i.From >= Midnight || i.To < 0 || i.To > Midnight:
		return fmt.Sprintf("%v is not within a day; times go from 00:00 to 24:00", i)
	case i.From == i.To:
		return fmt.Sprintf("%v has no length; for the whole day write 00:00–24:00", i)
	}
	return ""
}

// overlaps are the pairs of neighbours that share time.
func overlaps(line []stretch) [][2]stretch {
	var pairs [][2]stretch
	for i := 1; i < len(line); i++ {
		if line[i].from < line[i-1].to {
			pairs = append(pairs, [2]stretch{line[i-1], line[i]})
		}
	}
	return pairs
}
