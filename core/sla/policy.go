package sla

import (
	"fmt"
	"slices"

	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/core/ticket"
)

// Subject is what a policy may look at in a ticket.
type Subject struct {
	Kind          ticket.Kind
	Priority      ticket.Priority
	Service, Team string // slugs
}

// Match is the tickets that a policy is for: those that are in each of its
// lists. An empty list has them all.
type Match struct {
	Kinds      []ticket.Kind
	Priorities []ticket.Priority
	Services   []string
	Teams      []string
}

// Policy promises something to the tickets that it matches.
type Policy struct {
	Slug, Name string
	Match      Match
	Targets    []Target
}

// Terms are what the policy promises.
func (p Policy) Terms() Terms { return Terms{Policy: p.Name, Targets: p.Targets} }

func (m Match) has(s Subject) bool {
	return holds(m.Kinds, s.Kind) && holds(m.Priorities, s.Priority) && holds(m.Services, s.Service) && holds(m.Teams, s.Team)
}

// narrower tells whether every ticket of m is one of n, and not the other way
// round.
func (m Match) narrower(n Match) bool { return m.within(n) && !n.within(m) }

func (m Match) within(n Match) bool {
	return within(m.Kinds, n.Kinds) && within(m.Priorities, n.Priorities) && within(m.Services, n.Services) && within(m.Teams, n.Teams)
}

// meets tells whether some ticket could be of both.
func (m Match) meets(n Match) bool {
	return meets(m.Kinds, n.Kinds) && meets(m.Priorities, n.Priorities) && meets(m.Services, n.Services) && meets(m.Teams, n.Teams)
}

func holds[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func within[T comparable](a, b []T) bool {
	return len(b) == 0 || len(a) > 0 && !slices.ContainsFunc(a, func(v T) bool { return !slices.Contains(b, v) })
}

func meets[T comparable](a, b []T) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
}

// For is the policy for a ticket: of those that match, the narrowest. Check
// sees to it that there is only one; false if nothing is promised.
func For(policies []Policy, s Subject) (Policy, bool) {
	var best Policy
	found := false
	for _, p := range policies {
		if p.Match.has(s) && (!found || p.Match.narrower(best.Match)) {
			best, found = p, true
		}
	}
	return best, found
}

// Check lists all that is wrong with the policies together; paths are as in a
// list of them ("[1].targets[0].within"). A policy may be an exception to
// another by matching a part of its tickets; two that share tickets in any
// other way would leave it open which one counts.
func Check(policies []Policy) []hours.Problem {
	var found []hours.Problem
	say := func(path, format string, args ...any) {
		found = append(found, hours.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
	for i, p := range policies {
		path := fmt.Sprintf("[%d]", i)
		for j, q := range policies[:i] {
			if q.Slug == p.Slug {
				say(path+".slug", "%q is there twice", p.Slug)
			}
			if p.Match.meets(q.Match) && !p.Match.narrower(q.Match) && !q.Match.narrower(p.Match) {
				say(path+".match", "some tickets match %q ([%d]) too; part them, or let one match only tickets of the other", q.Slug, j)
			}
		}
		if len(p.Targets) == 0 {
			say(path+".targets", "nothing is promised; give a response or a resolution target")
		}
		for j, t := range p.Targets {
			path := fmt.Sprintf("%s.targets[%d]", path, j)
			if t.Kind != Response && t.Kind != Resolution {
				say(path+".kind", "there is no clock %q; there are response and resolution", t.Kind)
			}
			if slices.ContainsFunc(p.Targets[:j], func(u Target) bool { return u.Kind == t.Kind }) {
				say(path+".kind", "the %s has a target already", t.Kind)
			}
			if t.Within <= 0 {
				say(path+".within", "%v is no time to do it in; give more than nothing", t.Within)
			}
			if t.Calendar == nil {
				say(path+".calendar", "the calendar is missing")
			}
			for n, r := range t.Pauses {
				if !slices.Contains(ticket.Reasons, r) {
					say(fmt.Sprintf("%s.pauses[%d]", path, n), "there is no reason %q; there are requester, supplier, change and part", r)
				}
			}
		}
	}
	return found
}
