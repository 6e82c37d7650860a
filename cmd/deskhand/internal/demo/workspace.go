package demo

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/adapters/simulator"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/core/policy"
)

// teamID is the company's workspace.
const teamID = "TOXBARROW"

// The people who are offered first in the simulator, by mail address.
const (
	employee = "ana.matos@oxbarrow.example"
	agentOne = "ben.hartmann@oxbarrow.example"
	agentTwo = "elin.bergqvist@oxbarrow.example"
	lead     = "marta.oliveira@oxbarrow.example"
	approver = "ingrid.sandell@oxbarrow.example"
)

// Workspace is the company's Slack: everybody of the policy, the channels that
// it names, and the desk installed. Its tokens are made up anew each time.
func Workspace(p policy.Policy) (*slacktest.Workspace, error) {
	w, err := slacktest.New(slacktest.Options{
		Team: slacktest.Team{ID: teamID, Name: p.Desk.Company, Domain: "oxbarrow"},
		App: slacktest.App{ID: "AOXDESK", Name: "Deskhand", BotID: "BOXDESK", BotUserID: botUser,
			Description:   "Your IT service desk",
			SigningSecret: rand.Text(), BotToken: "xoxb-" + rand.Text(), AppToken: "xapp-" + rand.Text(),
			Commands: []slacktest.Command{{Name: "/desk", Description: "Ask the desk, open a ticket, see yours", UsageHint: "[your question] | new | my tickets"}},
			Shortcuts: []slacktest.Shortcut{
				{Name: "Open a ticket", CallbackID: "ticket.from_message", OnMessage: true},
				{Name: "Ask the desk", CallbackID: "desk.ask"},
			}},
	})
	if err != nil {
		return nil, err
	}
	if err := populate(w, p); err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

// botUser is the desk's own account.
const botUser = "UOXDESK"

// userID is the account of the n-th person of the policy.
func userID(n int) string { return fmt.Sprintf("UOX%06d", n+1) }

func populate(w *slacktest.Workspace, p policy.Policy) error {
	ids := map[string]string{}
	var everybody []string
	for i, person := range p.People {
		handle, _, _ := strings.Cut(person.Mail, "@")
		ids[person.Mail] = userID(i)
		everybody = append(everybody, userID(i))
		if _, err := w.AddUser(slacktest.User{ID: userID(i), Name: handle, RealName: person.Name, Email: person.Mail, EmailConfirmed: true,
			Title: person.Title, TZ: person.TimeZone, Locale: "en-GB", Admin: person.Mail == approver}); err != nil {
			return fmt.Errorf("demo: %s: %w", person.Mail, err)
		}
	}
	everybody = append(everybody, botUser)
	add := func(name, purpose string, members []string) error {
		if _, err := w.AddChannel(slacktest.Channel{Name: name, Kind: slacktest.Public, Purpose: purpose, Members: members}); err != nil {
			return fmt.Errorf("demo: #%s: %w", name, err)
		}
		return nil
	}
	if err := add("general", "The whole of "+p.Desk.Company, everybody); err != nil {
		return err
	}
	for _, h := range p.Desk.Help {
		if err := add(h["slack"], "Ask anything about IT. The desk answers in a thread.", everybody); err != nil {
			return err
		}
	}
	agents := []string{botUser}
	for _, t := range p.Teams {
		for _, mail := range slices.Concat([]string{t.Lead}, t.Members) {
			agents = append(agents, ids[mail])
		}
	}
	if err := add(p.Alerts.Channel["slack"], "What is late", agents); err != nil {
		return err
	}
	if err := add(p.Knowledge.Channel["slack"], "What nothing answered, and articles", agents); err != nil {
		return err
	}
	for _, t := range p.Teams {
		members := []string{botUser, ids[t.Lead]}
		for _, m := range t.Members {
			members = append(members, ids[m])
		}
		if err := add(t.Channel["slack"], "Tickets of "+t.Name, members); err != nil {
			return err
		}
	}
	return nil
}

// Cast are the people to be in the simulator: two who give help, their lead,
// somebody who approves, and somebody who needs help. In Slack the first of them
// gives it, in Teams it is the one who needs it.
func Cast() (slack, teams []simulator.Persona) {
	handle := func(mail string) string { h, _, _ := strings.Cut(mail, "@"); return h }
	needs := simulator.Persona{User: handle(employee), Role: "Employee, Customer Care"}
	give := []simulator.Persona{
		{User: handle(agentOne), Role: "Agent, Service Desk"},
		{User: handle(agentTwo), Role: "Agent, Service Desk"},
		{User: handle(lead), Role: "Team lead, Service Desk"},
		{User: handle(approver), Role: "Approver, Head of IT"},
	}
	return append(slices.Clone(give), needs), append([]simulator.Persona{needs}, give...)
}

// Tasks are three things to try.
func Tasks() []simulator.Task {
	handle := func(mail string) string { h, _, _ := strings.Cut(mail, "@"); return h }
	return []simulator.Task{
		{Title: "Ask", Text: "As Ana in Teams, tell the desk what is wrong. It shows articles first; press Show steps, then Solved it or Open a ticket.",
			Teams: true, As: handle(employee), Say: "the printer on floor 3 is not printing"},
		{Title: "Work the ticket", Text: "As Ben in Slack, go to #it-triage, press Claim and answer in the thread. Ana sees it in Teams at once.",
			As: handle(agentOne), In: "it-triage"},
		{Title: "Resolve it", Text: "As Ben, press Resolve and say what fixed it. As Ana, answer “Is it fixed?” and choose a face. History on the card shows every step.",
			As: handle(agentOne), In: "it-triage"},
	}
}

// Welcome is what the demo prints when it is ready.
func Welcome(url string) string {
	return `The desk is open: ` + url + `

Three things to try:
  1. Ask. As Ana in Teams, write to Deskhand: the printer on floor 3 is not printing
  2. Work the ticket. Open a ticket from the answer; then, as Ben in Slack's #it-triage, press Claim and write in the thread.
  3. Resolve it. Press Resolve as Ben, say whether it is fixed as Ana, and look at History.

Both may be on either platform, in one window or in two: they see each other at once. Ctrl-C ends the demo; everything is kept for next time.`
}
