// Package sla is what a desk has promised and how it stands: how soon somebody
// answers, and how soon it is fixed.
//
// A ticket's Ledger holds what happened to it, in order. Each of its two
// clocks is a pure function of that ledger: nothing is added up along the way
// and so nothing can drift. The response clock runs from the opening until a
// human being answers, the resolution clock until the ticket is resolved, and
// on from where it stood if it is reopened. A clock runs only in the open
// hours of its calendar, and not while the ticket waits for a reason that its
// target excuses. When priority, policy, calendar or team change, what has
// been used stays used, counted in the hours that were in force then; the new
// target and calendar count from there.
package sla

import (
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/core/ticket"
)

// Kind is which of a ticket's two clocks.
type Kind string

// The clocks.
const (
	Response   Kind = "response"   // until a human being answers
	Resolution Kind = "resolution" // until it is resolved
)

// Target is a promise.
type Target struct {
	Kind     Kind
	Within   time.Duration // of open time
	Calendar *hours.Calendar
	Pauses   []ticket.Reason // while the ticket waits for one of these, the clock stands
}

// Terms are the promises in force for a ticket, at most one of each kind.
type Terms struct {
	Policy  string // its name, for people
	Targets []Target
}

func (t Terms) target(k Kind) (Target, bool) {
	i := slices.IndexFunc(t.Targets, func(t Target) bool { return t.Kind == k })
	if i < 0 {
		return Target{}, false
	}
	return t.Targets[i], true
}

// Step is what happened to a ticket, as far as its clocks care.
type Step string

// The steps.
const (
	Opened   Step = "opened"   // with Terms
	Changed  Step = "changed"  // priority, policy, calendar or team: with Terms and Why
	Waited   Step = "waited"   // with Reason; again, for another reason
	Woken    Step = "woken"    // the work goes on
	Replied  Step = "replied"  // the desk said something; only a Human answer counts
	Resolved Step = "resolved" // also an answer
	Reopened Step = "reopened"
)

// Event is one entry of a ledger.
type Event struct {
	At     time.Time
	Step   Step
	Terms  Terms
	Why    string // "priority is now High"
	Reason ticket.Reason
	Human  bool
}

// Ledger is what happened to one ticket, in the order in which it was
// recorded. An event that is dated before its predecessor, by a clock that was
// set back, is taken to have happened together with it.
type Ledger []Event

// State is what a clock does.
type State string

// The states.
const (
	Running State = "running" // also at night: it counts open hours only
	Paused  State = "paused"
	Ended   State = "ended" // answered, or resolved
)

// Clock is one of a ticket's clocks after the last event of its ledger.
type Clock struct {
	Kind   Kind
	Target Target // what is promised; once ended, what was
	State  State
	For    ticket.Reason // while paused
	Since  time.Time     // when State began

	// Round counts the promises so far: each new target, and each time that the
	// ticket is reopened, begins another, at Began. What was said of a round that
	// is over says nothing of the present one.
	Round int
	Began time.Time

	used  time.Duration // up to Since
	set   time.Time     // since when the target is as long as it is
	runs  []run
	stops []stop
	rests []stop // between an end and a new beginning
	cut   bool   // it ended while it ran
}

// run is a time in which the clock ran, in the hours of one calendar.
type run struct {
	from, to      time.Time // to is zero while it runs
	calendar      *hours.Calendar
	before, after time.Duration // used by then; after is not known while it runs
}

// stop is a time in which it stood, waiting.
type stop struct {
	from, to time.Time // to is zero while it stands
	reason   ticket.Reason
	calendar *hours.Calendar
}

// Clock is how the clock of kind k stands; false if nothing is promised.
func (l Ledger) Clock(k Kind) (Clock, bool) {
	c := Clock{Kind: k, State: Ended}
	var (
		at       time.Time
		terms    Terms
		promised bool
		waits    ticket.Reason
		done     bool
	)
	for i, e := range l {
		if i == 0 || e.At.After(at) {
			at = e.At
		}
		switch e.Step {
		case Opened, Changed:
			terms = e.Terms
		case Waited:
			waits = e.Reason
		case Woken:
			waits = ""
		case Replied:
			done = done || k == Response && e.Human
		case Resolved:
			done, waits = true, ""
		case Reopened:
			if done && k == Resolution {
				c.Round, c.Began = c.Round+1, at
				if promised && c.State == Ended {
					c.rests = append(c.rests, stop{from: c.Since, to: at, calendar: c.Target.Calendar})
				}
			}
			done = done && k == Response // an answer stays given
		}
		c.close(at)
		if !done { // what has ended keeps the promise under which it did
			target, ok := terms.target(k)
			if ok && (!promised || target.Within != c.Target.Within) {
				c.set = at
				c.Round, c.Began = c.Round+1, at
			}
			c.Target, promised = target, ok
		}
		c.open(at, waits, done || !promised)
	}
	return c, promised
}

// close ends what the clock was doing.
func (c *Clock) close(at time.Time) {
	switch c.State {
	case Running:
		r := &c.runs[len(c.runs)-1]
		c.used += r.calendar.Between(r.from, at)
		r.to, r.after = at, c.used
	case Paused:
		c.stops[len(c.stops)-1].to = at
	}
}

// open begins what it does from now on.
func (c *Clock) open(at time.Time, waits ticket.Reason, ended bool) {
	was, reason := c.State, c.For
	c.State, c.For = Running, ""
	switch {
	case ended:
		c.State = Ended
		if was != Ended {
			c.cut = was == Running
		}
	case waits != "" && slices.Contains(c.Target.Pauses, waits):
		c.State, c.For = Paused, waits
	}
	if c.State != was || c.For != reason || c.Since.IsZero() {
		c.Since = at
	}
	switch c.State {
	case Running:
		if n := len(c.runs); n > 0 && c.runs[n-1].to.Equal(at) && c.runs[n-1].calendar == c.Target.Calendar {
			r := &c.runs[n-1] // the event changed nothing: one run
			c.used, r.to, r.after = r.before, time.Time{}, 0
			return
		}
		c.runs = append(c.runs, run{from: at, calendar: c.Target.Calendar, before: c.used})
	case Paused:
		if n := len(c.stops); n > 0 && c.stops[n-1].to.Equal(at) && c.stops[n-1].reason == c.For && c.stops[n-1].calendar == c.Target.Calendar {
			c.stops[n-1].to = time.Time{}
			return
		}
		c.stops = append(c.stops, stop{from: at, reason: c.For, calendar: c.Target.Calendar})
	}
}

// Used is the open time used by now, which is not before the ledger's end.
func (c Clock) Used(now time.Time) time.Duration {
	if c.State != Running {
		return c.used
	}
	r := c.runs[len(c.runs)-1]
	return r.before + r.calendar.Between(r.from, now)
}

// Left is the open time left at now; less than nothing if it is late.
func (c Clock) Left(now time.Time) time.Duration { return c.Target.Within - c.Used(now) }

// Due is the instant by which the promise is to be kept; while the clock runs
// or when it is too late, and for an ended one as it stood at the end. A
// paused clock has none until it goes on. False also if the calendar has no
// such hour within hours.Horizon.
//
// After a change, Due is what the sum gives and may lie before the change.
func (c Clock) Due() (time.Time, bool) {
	if at, ok := c.reach(c.Target.Within, time.Time{}); ok {
		return at, true
	}
	if c.State == Ended && c.cut {
		r := c.runs[len(c.runs)-1]
		return r.calendar.Add(r.from, c.Target.Within-r.before)
	}
	return time.Time{}, false
}

// Breached tells whether the clock was still running at the due instant, as
// of now, and how much open time it has used beyond the target: none if it was
// due in the evening and is answered at night. To answer at the due instant
// itself is in time, if the record has it.
func (c Clock) Breached(now time.Time) (over time.Duration, late bool) {
	at, ok := c.reach(c.Target.Within, time.Time{})
	if !ok || at.After(now) {
		return 0, false
	}
	return max(0, -c.Left(now)), true
}

// reach is the first instant, since is the earliest, at which the clock runs
// and x is used.
func (c Clock) reach(x time.Duration, since time.Time) (time.Time, bool) {
	for _, r := range c.runs {
		running := r.to.IsZero()
		if !running && (r.after < x || !since.Before(r.to)) {
			continue
		}
		at, ok := r.calendar.Add(r.from, x-r.before)
		if !ok {
			continue
		}
		if at.Before(since) {
			at = since
		}
		if running || at.Before(r.to) {
			return at, true
		}
	}
	return time.Time{}, false
}

// Mark is a point on a clock at which somebody is told: when a share of the
// target is used, and some open time more.
type Mark struct {
	Percent int
	Beyond  time.Duration
}

// At is when the clock reaches the mark, given its ledger: while it runs, and
// not before the target was what it is, so that a target cut below what is
// used is missed at the cut. False if it does not get there as things stand.
func (c Clock) At(m Mark) (time.Time, bool) {
	share := c.Target.Within/100*time.Duration(m.Percent) + c.Target.Within%100*time.Duration(m.Percent)/100
	return c.reach(share+m.Beyond, c.set)
}

// Ladder is the marks of a clock: at shares of the target, in rising order,
// and from the last of them on again and again.
type Ladder struct {
	Percents []int
	Every    time.Duration // of open time; 0: the last share is the last mark
}

// DefaultLadder warns at 75 % and 90 %, and tells of a breach at once and
// every hour.
var DefaultLadder = Ladder{Percents: []int{75, 90, 100}, Every: time.Hour}

// After is the mark that follows m; the first one after the zero Mark.
func (l Ladder) After(m Mark) (Mark, bool) {
	for _, p := range l.Percents {
		if p > m.Percent {
			return Mark{Percent: p}, true
		}
	}
	if len(l.Percents) == 0 || l.Every <= 0 {
		return Mark{}, false
	}
	return Mark{m.Percent, m.Beyond + l.Every}, true
}
