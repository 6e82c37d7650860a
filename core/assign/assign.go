// Package assign decides who is given a ticket when the desk chooses.
package assign

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Candidate is an agent of the ticket's team, as she stands at the moment of
// the choice.
type Candidate struct {
	Person   people.PersonID
	Skilled  bool      // the team's policy names her for the ticket's service
	Open     int       // open tickets that she has
	Given    time.Time // when she came to have the newest of them; zero if none
	Away     bool
	Declined bool // she has said "not me" to this ticket

	Works bool      // is at work now
	Until time.Time // and until when; zero: she has no hours
	From  time.Time // when she is next at work, if she is not; zero: never
}

func (c Candidate) free() bool { return !c.Away && !c.Declined }

// Choose picks who is given a ticket: of those who are at work, neither away
// nor unwilling, first who is named for the service, then who has the fewest
// open tickets, then who has waited longest for one. The order of all does not
// matter. It is false if nobody is left.
func Choose(all []Candidate) (Candidate, bool) {
	var best Candidate
	found := false
	for _, c := range all {
		if c.free() && c.Works && (!found || before(c, best) < 0) {
			best, found = c, true
		}
	}
	return best, found
}

func before(a, b Candidate) int {
	if a.Skilled != b.Skilled {
		if a.Skilled {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Open, b.Open), a.Given.Compare(b.Given), cmp.Compare(a.Person, b.Person))
}

// Next is when to choose again, if nobody can be chosen now but somebody will
// be at work; zero if there is nobody to wait for.
func Next(all []Candidate) time.Time {
	var next time.Time
	for _, c := range all {
		if c.free() && !c.Works && !c.From.IsZero() && (next.IsZero() || c.From.Before(next)) {
			next = c.From
		}
	}
	return next
}

// Why is the choice in words that go on from a name: "Printing, 3 open, at work
// until 17:00".
func (c Candidate) Why(service string) string {
	var why []string
	if c.Skilled && service != "" {
		why = append(why, service)
	}
	switch c.Open {
	case 0:
		why = append(why, "nothing else open")
	default:
		why = append(why, fmt.Sprintf("%d open", c.Open))
	}
	if !c.Until.IsZero() {
		why = append(why, "at work until "+c.Until.Format("15:04"))
	}
	return strings.Join(why, ", ")
}

// Absence is when somebody is given no tickets: from Since, until she is back.
type Absence struct {
	Person people.PersonID
	Since  time.Time
	Until  time.Time
	By     people.PersonID // who has said so
}

// At tells whether she is away at an instant.
func (a Absence) At(t time.Time) bool { return !t.Before(a.Since) && t.Before(a.Until) }

// Back is when she is back, in words, by the clock of her own time zone.
func (a Absence) Back(zone *time.Location) string { return day(a.Until.In(zone)) }

func day(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.Format("Monday 2 January")
	}
	return t.Format("Monday 2 January, 15:04")
}

// Quiet is how long a conversation must have been still before its ticket is
// taken from an agent who is away: who writes a last line is not interrupted.
const Quiet = 30 * time.Minute

// Leave says when a ticket comes free whose owner is away and last wrote to the
// requester at wrote (zero: never): now, or at a later time.
func Leave(wrote, now time.Time) time.Time {
	if still := wrote.Add(Quiet); !wrote.IsZero() && still.After(now) {
		return still
	}
	return now
}
