package people_test

import (
	"slices"
	"testing"

	"github.com/deskhand/deskhand/core/people"
)

const (
	desk people.TeamID = 1 + iota
	network
)

func TestRights(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                string
		who                 people.Actor
		agent, works, other bool // an agent at all; may work tickets of the desk, of the network team
		groups              []string
	}{
		{"an employee works no tickets",
			people.Actor{Person: people.Person{Department: "finance"}}, false, false, false, []string{"finance"}},
		{"an agent works the tickets of her own team",
			people.Actor{Person: people.Person{Department: "it"}, Teams: []people.TeamID{desk}, Slugs: []string{"desk"}}, true, true, false, []string{"desk", "it"}},
		{"an admin works the tickets of every team without being an agent",
			people.Actor{Person: people.Person{Admin: true}}, false, true, true, nil},
		{"somebody who has left may do nothing",
			people.Actor{Person: people.Person{Department: "it", Admin: true, Left: true}, Teams: []people.TeamID{desk, network}, Slugs: []string{"desk"}}, false, false, false, nil},
		{"a guest reads what everyone may, whatever it says of her department",
			people.Actor{Person: people.Person{Department: "finance", Guest: true}}, false, false, false, nil},
		{"a team named as the department counts once",
			people.Actor{Person: people.Person{Department: "it"}, Teams: []people.TeamID{network}, Slugs: []string{"it"}}, true, false, true, []string{"it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.who.Agent(); got != tt.agent {
				t.Errorf("Agent() = %v", got)
			}
			if got := tt.who.MayWork(desk); got != tt.works {
				t.Errorf("MayWork(desk) = %v", got)
			}
			if got := tt.who.MayWork(network); got != tt.other {
				t.Errorf("MayWork(network) = %v", got)
			}
			if got := tt.who.Groups(); !slices.Equal(got, tt.groups) {
				t.Errorf("Groups() = %v, want %v", got, tt.groups)
			}
		})
	}
}

func TestGroupsLeaveTheSlugsAlone(t *testing.T) {
	t.Parallel()
	slugs := append(make([]string, 0, 4), "desk", "network")
	a := people.Actor{Person: people.Person{Department: "it"}, Slugs: slugs[:1]}
	if got := a.Groups(); !slices.Equal(got, []string{"desk", "it"}) {
		t.Errorf("Groups() = %v", got)
	}
	if slugs[1] != "network" {
		t.Errorf("Groups wrote %q into the slugs that it was given", slugs[1])
	}
}

func TestFirstName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Ana Ruiz": "Ana", "  Ana Ruiz": "Ana", "Ana": "Ana", "": "", "李 小龙": "李"} {
		if got := (people.Person{Name: name}).FirstName(); got != want {
			t.Errorf("FirstName() of %q = %q, want %q", name, got, want)
		}
	}
}
