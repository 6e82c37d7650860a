package adaptertest

import "slices"

// Person is somebody of Acme.
type Person struct {
	Name  string // by which conversations know them
	Real  string
	Mail  string
	Works bool // an agent or an admin, rather than somebody who asks
	Admin bool // of the platform
}

// People are Acme's, and Zoe, who is not.
var People = []Person{
	{Name: "ana", Real: "Ana Silva", Mail: "ana@acme.example"},
	{Name: "eva", Real: "Eva Lind", Mail: "eva@acme.example"},
	{Name: "ben", Real: "Ben Weber", Mail: "ben@acme.example", Works: true},
	{Name: "kim", Real: "Kim Lee", Mail: "kim@acme.example", Works: true},
	{Name: "leo", Real: "Leo Novak", Mail: "leo@acme.example", Works: true},
	{Name: "ada", Real: "Ada Roth", Mail: "ada@acme.example", Works: true, Admin: true},
	{Name: "zoe", Real: "Zoe Guest", Mail: "zoe@elsewhere.example"},
}

func works(name string) bool {
	for _, p := range People {
		if p.Name == name {
			return p.Works
		}
	}
	return false
}

// Channel is one of Acme's. The desk is in all of them.
type Channel struct {
	Name    string
	Members []string
	Works   bool // the teams', rather than everybody's
}

// Channels are Acme's.
var Channels = []Channel{
	{Name: "general", Members: []string{"ana", "eva", "ben", "kim", "leo", "ada", "zoe"}},
	{Name: "it-help", Members: []string{"ana", "eva", "ben", "kim", "leo", "ada", "zoe"}},
	{Name: "sales", Members: []string{"ana", "eva"}},
	{Name: "it-triage", Members: []string{"ben", "kim", "leo"}, Works: true},
	{Name: "it-network", Members: []string{"leo"}, Works: true},
	{Name: "sla-alerts", Members: []string{"ben", "kim", "leo"}, Works: true},
	{Name: "it-knowledge", Members: []string{"ben", "kim", "leo"}, Works: true},
	{Name: "it-spare", Members: []string{"ada", "ben"}, Works: true},
}

// PeopleOf are who has an account on a platform: agents on both.
func (p Pair) PeopleOf(on Platform) []Person {
	var list []Person
	for _, who := range People {
		if who.Works || on.Name == p.Asking.Name {
			list = append(list, who)
		}
	}
	return list
}

// ChannelsOf are the channels on a platform.
func (p Pair) ChannelsOf(on Platform) []Channel {
	var list []Channel
	for _, c := range Channels {
		side := p.Asking
		if c.Works {
			side = p.Working
		}
		if side.Name != on.Name && !(c.Works && p.Both && on.Name == p.Asking.Name) {
			continue
		}
		var members []string
		for _, who := range p.PeopleOf(on) {
			if slices.Contains(c.Members, who.Name) {
				members = append(members, who.Name)
			}
		}
		list = append(list, Channel{Name: c.Name, Members: members, Works: c.Works})
	}
	return list
}
