// Package people is who works with the desk, and what each may do.
package people

import (
	"slices"
	"strings"
)

// PersonID is the record's number for a person.
type PersonID int64

// TeamID is the record's number for a team.
type TeamID int64

// Person is a human being, whatever accounts she uses. An account that the
// record can't match by verified mail belongs to a guest.
type Person struct {
	ID         PersonID
	Name       string
	Mail       string // lower case; empty for a guest
	Department string // slug
	Title      string
	Site       string
	TimeZone   string // IANA name; empty: the desk's
	Manager    PersonID
	Admin      bool
	Guest      bool
	Left       bool // no longer with the company: may do nothing
}

// FirstName is how a colleague would address the person.
func (p Person) FirstName() string {
	first, _, _ := strings.Cut(strings.TrimSpace(p.Name), " ")
	return first
}

// Team supports something, at a tier: 1 answers first.
type Team struct {
	ID   TeamID
	Slug string
	Name string
	Tier int
	Lead PersonID
}

// Actor is a person at the moment of an action.
type Actor struct {
	Person
	Teams []TeamID // whose agent she is
	Slugs []string // of those teams
}

// AgentOf tells whether the actor works tickets of the team.
func (a Actor) AgentOf(t TeamID) bool { return !a.Left && slices.Contains(a.Teams, t) }

// Agent tells whether the actor works tickets at all.
func (a Actor) Agent() bool { return !a.Left && len(a.Teams) > 0 }

// MayWork tells whether the actor may claim, discuss, hand over and resolve
// tickets of the team: its agents, and admins, who answer for every queue.
func (a Actor) MayWork(t TeamID) bool { return a.AgentOf(t) || (a.Admin && !a.Left) }

// Groups are the audiences that the actor belongs to, by slug.
func (a Actor) Groups() []string {
	if a.Left || a.Guest {
		return nil
	}
	groups := slices.Clone(a.Slugs)
	if a.Department != "" && !slices.Contains(groups, a.Department) {
		groups = append(groups, a.Department)
	}
	return groups
}
