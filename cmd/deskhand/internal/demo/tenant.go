package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/deskhand/deskhand/adapters/teams/apppackage"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/core/policy"
)

// Tenant is the company's Microsoft Teams: everybody of the policy, a team of the
// whole company with the channels in which to ask, and a team for each that
// supports, with the channel in which it triages. The desk is in none of them
// yet; see Install. The app's secret is made up anew each time.
func Tenant(p policy.Policy) (*teamstest.Tenant, error) {
	t, err := teamstest.New(teamstest.Options{
		Name: p.Desk.Company,
		App: teamstest.App{Name: "Deskhand", Secret: rand.Text(), Commands: []teamstest.Command{
			{ID: apppackage.OpenCommand, Title: "Open a ticket", OnMessage: true},
			{ID: apppackage.FindCommand, Title: "Find", Search: true, Parameter: "text"},
		}},
	})
	if err != nil {
		return nil, err
	}
	if err := furnish(t, p); err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

func furnish(t *teamstest.Tenant, p policy.Policy) error {
	var everybody []string
	for _, person := range p.People {
		handle, _, _ := strings.Cut(person.Mail, "@")
		everybody = append(everybody, handle)
		if _, err := t.AddUser(teamstest.User{Name: handle, DisplayName: person.Name, Mail: person.Mail, Title: person.Title, TZ: person.TimeZone, Locale: "en-GB"}); err != nil {
			return fmt.Errorf("demo: %s: %w", person.Mail, err)
		}
	}
	add := func(name string, members []string, channels ...string) error {
		team, err := t.AddTeam(teamstest.Team{Name: name, Members: members, AllMessages: true})
		if err != nil {
			return fmt.Errorf("demo: the team %s: %w", name, err)
		}
		for _, c := range channels {
			if _, err := t.AddChannel(teamstest.Channel{Name: c, Team: team.ID}); err != nil {
				return fmt.Errorf("demo: the channel %s: %w", c, err)
			}
		}
		return nil
	}
	var help []string
	for _, h := range p.Desk.Help {
		if c := h["teams"]; c != "" {
			help = append(help, c)
		}
	}
	if err := add(p.Desk.Company, everybody, help...); err != nil {
		return err
	}
	for i, team := range p.Teams {
		var members []string
		for _, mail := range append([]string{team.Lead}, team.Members...) {
			handle, _, _ := strings.Cut(mail, "@")
			members = append(members, handle)
		}
		channels := []string{team.Channel["teams"]}
		if alerts := p.Alerts.Channel["teams"]; i == 0 && alerts != "" {
			channels = append(channels, alerts)
		}
		if knowledge := p.Knowledge.Channel["teams"]; i == 0 && knowledge != "" {
			channels = append(channels, knowledge)
		}
		if err := add(team.Name, members, channels...); err != nil {
			return err
		}
	}
	return nil
}

// Install has everybody add the desk to their chats, and each team's lead to
// the team. The desk hears of it, and greets.
func Install(ctx context.Context, t *teamstest.Tenant) error {
	for _, u := range t.Users() {
		if err := t.Person(u.ID).Install(""); err != nil {
			return fmt.Errorf("demo: %s adds the desk: %w", u.DisplayName, err)
		}
	}
	for _, team := range t.Teams() {
		if err := t.Person(team.Members[0]).Install(team.ID); err != nil {
			return fmt.Errorf("demo: %s gets the desk: %w", team.Name, err)
		}
	}
	return t.Idle(ctx)
}
