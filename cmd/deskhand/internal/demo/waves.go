package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// waves are the days that people still talk about: the VPN that let nobody in,
// the gift cards, and the printer on floor 3.
func (g *generator) waves() error {
	vpn, err := g.named("vpn-connect")
	if err != nil {
		return err
	}
	phishing, err := g.named("phishing")
	if err != nil {
		return err
	}
	printer, err := g.named("printer-dead")
	if err != nil {
		return err
	}

	began := g.weekdayBefore(22, time.Tuesday).Add(8*time.Hour + 33*time.Minute)
	ended := began.Add(131 * time.Minute)
	g.come(arrival{
		at: began, scenario: vpn, person: g.byMail["ben.hartmann"+domain], author: -1, ticket: true, leads: true,
		title: "VPN refuses every sign-in, all three gateways", impact: ticket.MySite, urgency: ticket.Now, until: ended,
		slots: map[string]string{},
		course: &course{Talk: []line{
			{role: 'N', text: "Gateways answer, sign-in is refused everywhere. Status page is set to red."},
			{role: 'N', text: "Certificate of the gateways ran out at 08:31. The reminder went to a mailbox that nobody reads any more."},
			{role: 'A', text: "New certificate is being rolled out, GBG first. Next news at 10:30 in #it-status."},
		}, Fix: "The gateways' certificate had run out. Replaced on all three, and the reminder goes to the team's channel from now on."},
	})
	same := &course{Talk: []line{
		{role: 'A', text: "Not you, {first}: nobody gets in at the moment, see {outage}. {News are in #it-status.|I tell you when it's back.}"},
		{role: 'R', text: "{ok|thanks for the info|understood, working offline then}"},
	}, Fix: "Same cause as {outage}: the gateways' certificate had run out. It has been replaced."}
	g.wave(began.Add(4*time.Minute), ended, vpn, 21, 27, "", same, ended)

	cards := g.weekdayBefore(12, time.Wednesday).Add(9*time.Hour + 4*time.Minute)
	g.wave(cards, cards.Add(80*time.Minute), phishing, 15, 11, "{mail from karin about gift cards, is it real?|karin asks me for apple cards??|fake mail from karin falk|phishing mail in the name of karin}", &course{
		Talk: []line{
			{role: 'A', text: "Thank you {first}, it's fake and went to 160 people. {Did you answer it?|Nothing answered?}"},
			{role: 'R', text: "no {of course not :)|, deleted it|}"},
		},
		Fix: "Phishing in Karin's name. Removed from all inboxes, sender blocked.", Used: true,
	}, cards.Add(150*time.Minute))

	return g.floorThree(printer)
}

func (g *generator) named(name string) (int, error) {
	i := slices.IndexFunc(g.scenarios, func(s scenario) bool { return s.Name == name })
	if i < 0 {
		return 0, fmt.Errorf("there is no scenario %s", name)
	}
	return i, nil
}

// weekdayBefore is midnight of the last such weekday at least n days ago.
func (g *generator) weekdayBefore(n int, day time.Weekday) time.Time {
	d := days - 1 - n
	for g.day(d).Weekday() != day {
		d--
	}
	return g.day(d)
}

// wave is the same trouble for many within a short time: most at first.
func (g *generator) wave(from, to time.Time, scenario, tickets, questions int, title string, how *course, until time.Time) {
	for i := range tickets + questions {
		who := g.person(scenario)
		at := from.Add(between(g.rand.Float64()*g.rand.Float64(), 0, to.Sub(from)))
		a := arrival{at: at, scenario: scenario, person: who, author: -1, slots: g.slots(who), ticket: i < tickets, asked: true}
		if title != "" {
			a.title = expand(g.rand, title, a.slots)
		}
		if a.ticket {
			a.course, a.until, a.impact, a.urgency = how, until, ticket.OnlyMe, ticket.Today
		}
		g.come(a)
	}
}

// floorThree is a printer in Gothenburg that goes on failing until somebody
// replaces its fuser.
func (g *generator) floorThree(scenario int) error {
	const tickets = 11
	var near []int
	for _, i := range g.fitting[g.scenarios[scenario].Name].people {
		if p := g.history.People[i]; p.Site == "Gothenburg" && p.Department != "it" {
			near = append(near, i)
		}
	}
	for i := range tickets {
		who := pick(g.rand, near)
		slots := g.slots(who)
		slots["floor"], slots["printer"] = "3", "PRN-GBG-3-01"
		d := g.day(38 + 2*i)
		for !workday(d) {
			d = d.AddDate(0, 0, 1)
		}
		a := arrival{at: g.moment(d, who), scenario: scenario, person: who, author: -1, slots: slots, ticket: true, asked: g.rand.IntN(2) == 0,
			impact: ticket.MyTeam, urgency: ticket.Today}
		if i == tickets-1 {
			a.course = &course{Talk: []line{
				{role: 'N', text: "Eleventh ticket about PRN-GBG-3-01 in three weeks. Enough restarting, fuser is worn."},
				{role: 'P', note: "fuser unit, technician booked", text: "It's the fuser, {first}. It gets a new one, the technician is booked. Your jobs come out on floor 2 meanwhile."},
				{role: 'A', text: "New fuser is in, 200 pages without a stop."},
				{role: 'R', text: "finally, thank you"},
			}, Fix: "Fuser of PRN-GBG-3-01 replaced. It was behind all the tickets about this printer since last month."}
		}
		g.come(a)
	}
	return nil
}

// scene is a ticket that is still open, told to the letter: what a newcomer
// looks at first.
type scene struct {
	Scenario  string         `yaml:"scenario"`
	Requester string         `yaml:"requester"` // mail address, before the @
	Agent     string         `yaml:"agent"`     // likewise; empty: unclaimed
	Moved     string         `yaml:"moved"`     // team slug, by way of the agent of the first team
	Because   string         `yaml:"because"`   // it was moved
	Ago       float64        `yaml:"ago"`       // working hours since it was opened
	Title     string         `yaml:"title"`
	Detail    string         `yaml:"detail"`
	Asked     bool           `yaml:"asked"` // the title was a question first
	Impact    ticket.Impact  `yaml:"impact"`
	Urgency   ticket.Urgency `yaml:"urgency"`
	Talk      []line         `yaml:"talk"`
	Fix       string         `yaml:"fix"` // resolved, but not closed
}

// present brings the scenes.
func (g *generator) present() error {
	var scenes []scene
	if err := decode("scenarios/present.yaml", &scenes); err != nil {
		return err
	}
	for _, s := range scenes {
		i, err := g.named(s.Scenario)
		if err != nil {
			return err
		}
		if len(s.Talk) == 0 && s.Agent != "" {
			return fmt.Errorf("scene %q: its agent says nothing", s.Title)
		}
		who, known := g.byMail[s.Requester+domain]
		if _, agent := g.byMail[s.Agent+domain]; !known || s.Agent != "" && !agent {
			return fmt.Errorf("scene %q: no such person as %s or %s", s.Title, s.Requester, s.Agent)
		}
		g.come(arrival{
			at: g.dayTime().back(g.now, time.Duration(s.Ago*float64(time.Hour))), scenario: i, person: who, author: -1,
			slots: map[string]string{}, ticket: true, asked: s.Asked, title: s.Title, impact: s.Impact, urgency: s.Urgency,
			scene: &s, course: &course{Talk: s.Talk, Fix: s.Fix},
		})
	}
	return nil
}

// dayTime is when all sites are at work, more or less.
func (g *generator) dayTime() week { return week{g.office().loc, 8 * 60, 17*60 + 30} }

// play takes a scene's steps one after the other, evenly spread over the time
// until now.
func (l *life) play(s scene) {
	if s.Agent == "" {
		return
	}
	steps := len(s.Talk) + 3
	next := func() time.Time {
		left := max(0, s.Ago*float64(steps)/float64(len(s.Talk)+4))
		steps--
		if at := l.dayTime().back(l.now, time.Duration(left*float64(time.Hour))); at.After(l.at) {
			return at
		}
		return l.at
	}
	if s.Moved != "" {
		at := next()
		by := l.agent(l.t.Team, at)
		l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Claim(by, at) })
		l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
			return t.Move(l.queue(s.Moved, t.Kind), t.Kind, l.teams[s.Moved], by, s.Because, at)
		})
	}
	agent, at := people.PersonID(l.byMail[s.Agent+domain]+1), next()
	l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Claim(agent, at) })
	for _, part := range s.Talk {
		at, by, team := next(), agent, part.role != 'R'
		if !team {
			by = l.t.Requester
		}
		l.say(at, by, part.text, team, part.role == 'N')
		if team && part.role != 'N' || l.t.WaitsFor == ticket.ForRequester {
			l.wake(by)
		}
		if reason, waits := waitsFor[part.role]; waits {
			l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
				return t.Wait(reason, part.note, agent, at)
			})
		}
	}
	if s.Fix != "" {
		at := next()
		l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Resolve(agent, s.Fix, 0, at) })
	}
}
