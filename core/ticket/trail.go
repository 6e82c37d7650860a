package ticket

import (
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/people"
)

// Stop is a team that a ticket has been with, and who of it has had the ticket,
// in order.
type Stop struct {
	Team   people.TeamID
	Owners []people.PersonID
}

// Trail is with whom a ticket has been, the present team last.
type Trail []Stop

// With goes on with a step of the record that has changed the team, the owner
// or both; 0 for what it has not set.
func (t Trail) With(team people.TeamID, owner people.PersonID) Trail {
	if team != 0 && (len(t) == 0 || t[len(t)-1].Team != team) {
		t = append(slices.Clip(t), Stop{Team: team})
	}
	if owner == 0 || len(t) == 0 {
		return t
	}
	last := t[len(t)-1]
	if n := len(last.Owners); n > 0 && last.Owners[n-1] == owner {
		return t
	}
	t = slices.Clone(t)
	last.Owners = append(slices.Clip(last.Owners), owner)
	t[len(t)-1] = last
	return t
}

// People are all who have had the ticket.
func (t Trail) People() []people.PersonID {
	var all []people.PersonID
	for _, s := range t {
		all = append(all, s.Owners...)
	}
	return all
}

// Words is the trail in one line: "Service Desk (Ben Weber, Kim Lee) → Network".
func (t Trail) Words(team func(people.TeamID) string, person func(people.PersonID) string) string {
	stops := make([]string, len(t))
	for i, s := range t {
		stops[i] = team(s.Team)
		if len(s.Owners) == 0 {
			continue
		}
		names := make([]string, len(s.Owners))
		for j, o := range s.Owners {
			names[j] = person(o)
		}
		stops[i] += " (" + strings.Join(names, ", ") + ")"
	}
	return strings.Join(stops, " → ")
}
