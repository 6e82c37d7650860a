package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/ticket"
)

// Problem is one thing wrong with a policy: where, as a path of the file's own
// names ("teams[2].lead"), and what, in words with the fix.
type Problem struct{ Path, Text string }

func (p Problem) String() string { return p.Path + ": " + p.Text }

func (d Duration) parse() (time.Duration, error) {
	s := strings.TrimSpace(string(d))
	wrong := fmt.Errorf("%q is not a time such as 90m, 24h or 3d", s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n <= 0 || n > 3650 {
			return 0, wrong
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return 0, wrong
	}
	return v, nil
}

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// WithDefaults fills in what the file may leave out.
func (p Policy) WithDefaults() Policy {
	b := BuiltIn()
	if p.Desk.TimeZone == "" {
		p.Desk.TimeZone = b.Desk.TimeZone
	}
	if p.Desk.Bypass == "" {
		p.Desk.Bypass = b.Desk.Bypass
	}
	if p.Desk.Emoji == "" {
		p.Desk.Emoji = b.Desk.Emoji
	}
	if p.Desk.MostTeams == 0 {
		p.Desk.MostTeams = b.Desk.MostTeams
	}
	if p.Desk.CloseAfter == "" {
		p.Desk.CloseAfter = b.Desk.CloseAfter
	}
	if p.Desk.SilentAt == "" {
		p.Desk.SilentAt = b.Desk.SilentAt
	}
	if len(p.Teams) == 0 {
		p.Teams = b.Teams
	}
	if p.Levels == nil {
		office, levels := builtInLevels()
		p.Levels = levels
		if !slices.ContainsFunc(p.Calendars, func(c Calendar) bool { return c.Slug == office[0].Slug }) {
			p.Calendars = slices.Concat(p.Calendars, office)
		}
	}
	if len(p.Services) == 0 {
		p.Services = []Service{{Slug: "other", Name: "Something else", Incidents: p.Teams[0].Slug, Requests: p.Teams[0].Slug}}
	}
	p.Changes = p.Changes.withDefaults()
	p.Knowledge = p.Knowledge.withDefaults()
	return p
}

// checker gathers problems.
type checker struct{ found []Problem }

func (c *checker) say(path, format string, args ...any) {
	if p := (Problem{path, fmt.Sprintf(format, args...)}); !slices.Contains(c.found, p) {
		c.found = append(c.found, p)
	}
}

func (c *checker) slug(path, s string, seen map[string]bool) {
	switch {
	case s == "":
		c.say(path, "a slug is missing; give it one such as service-desk")
	case !slug.MatchString(s) || len(s) > 40:
		c.say(path, "%q is not a slug: small letters, digits and single hyphens, at most 40", s)
	case seen[s]:
		c.say(path, "%q is there twice", s)
	}
	seen[s] = true
}

func (c *checker) zone(path, name string) {
	if name == "" {
		return
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		c.say(path, "there is no time zone %q; use a name such as Europe/Berlin", name)
	}
}

func (c *checker) text(path, what, s string, most int) {
	switch {
	case strings.TrimSpace(s) == "":
		c.say(path, "%s is missing", what)
	case len([]rune(s)) > most:
		c.say(path, "%s is longer than %d characters", what, most)
	}
}

// Check lists all that is wrong, in an order that does not change from run to
// run; an empty list means that it can be applied.
func (p Policy) Check() []Problem {
	var c checker
	mails := c.people(p.People, c.departments(p.Departments))
	known := func(path, mail, what string) {
		if mail != "" && len(p.People) > 0 && !mails[strings.ToLower(mail)] {
			c.say(path, "%s %s is not among the people of this file", what, mail)
		}
	}
	c.zone("desk.timezone", p.Desk.TimeZone)
	for _, d := range []struct {
		path  string
		value Duration
	}{{"desk.close_after", p.Desk.CloseAfter}, {"desk.silent_after", p.Desk.SilentAt}} {
		if _, err := d.value.parse(); err != nil && d.value != "" {
			c.say(d.path, "%v", err)
		}
	}
	if p.Desk.MostTeams < 2 && p.Desk.MostTeams != 0 {
		c.say("desk.most_teams", "%d is too few: a ticket must be able to go to another team at least once", p.Desk.MostTeams)
	}
	for i, m := range p.Desk.Admins {
		known(fmt.Sprintf("desk.admins[%d]", i), m, "the admin")
	}
	teams, triage := c.teams(p.Teams, known)
	for i, h := range p.Desk.Help {
		path := fmt.Sprintf("desk.help[%d]", i)
		c.channels(path, h, nil)
		for _, platform := range slices.Sorted(maps.Keys(h)) {
			if triage[place(platform, h[platform])] {
				c.say(path+"."+platform, "a team triages in %s; people ask in another channel", h[platform])
			}
		}
	}
	services := c.services(p.Services, teams, known)
	c.requests(p, services, teams)
	c.changes(p, services, teams, known)
	c.knowledge(p.Knowledge, teams, known)
	for i, t := range p.Teams {
		for _, service := range slices.Sorted(maps.Keys(t.Skills)) {
			path := fmt.Sprintf("teams[%d].skills.%s", i, service)
			if !services[service] {
				c.say(path, "there is no service %q", service)
			}
			for j, m := range t.Skills[service] {
				if !slices.ContainsFunc(append([]string{t.Lead}, t.Members...), func(member string) bool { return strings.EqualFold(m, member) }) {
					c.say(fmt.Sprintf("%s[%d]", path, j), "%s is not a member of the team", m)
				}
			}
		}
	}
	for _, impact := range slices.Sorted(maps.Keys(p.Matrix)) {
		row, path := p.Matrix[impact], "matrix."+string(impact)
		if _, ok := ticket.DefaultMatrix[impact]; !ok {
			c.say(path, "there is no impact %q; there are me, team, site and customers", impact)
			continue
		}
		for _, urgency := range slices.Sorted(maps.Keys(row)) {
			prio := row[urgency]
			if _, ok := ticket.DefaultMatrix[impact][urgency]; !ok {
				c.say(path, "there is no urgency %q; there are later, week, today and now", urgency)
			} else if prio < ticket.Critical || prio > ticket.Low {
				c.say(path+"."+string(urgency), "%d is not a priority from 1 to 4", prio)
			}
		}
	}
	c.levels(p, known)
	return c.found
}

func (c *checker) departments(departments []Department) map[string]bool {
	slugs := map[string]bool{}
	for i, d := range departments {
		path := fmt.Sprintf("departments[%d]", i)
		c.slug(path+".slug", d.Slug, slugs)
		c.text(path+".name", "the name", d.Name, 60)
	}
	return slugs
}

func (c *checker) people(people []Person, departments map[string]bool) map[string]bool {
	mails := map[string]bool{}
	for i, person := range people {
		path := fmt.Sprintf("people[%d]", i)
		mail := strings.ToLower(person.Mail)
		switch {
		case !strings.Contains(mail, "@") || len(mail) > 254:
			c.say(path+".mail", "%q is not a mail address", person.Mail)
		case mails[mail]:
			c.say(path+".mail", "%s is there twice", person.Mail)
		}
		mails[mail] = true
		c.text(path+".name", "the name", person.Name, 100)
		c.zone(path+".timezone", person.TimeZone)
		if d := person.Department; d != "" && len(departments) > 0 && !departments[d] {
			c.say(path+".department", "there is no department %q among the departments of this file", d)
		}
	}
	for i, person := range people {
		if m := strings.ToLower(person.Manager); m != "" && !mails[m] {
			c.say(fmt.Sprintf("people[%d].manager", i), "the manager %s is not among the people of this file", person.Manager)
		}
	}
	return mails
}

func (c *checker) channels(path string, ch Channels, seen map[string]bool) {
	for _, platform := range slices.Sorted(maps.Keys(ch)) {
		name := ch[platform]
		if strings.TrimSpace(strings.TrimPrefix(name, "#")) == "" {
			c.say(path+"."+platform, "the channel's name is missing")
			continue
		}
		if seen == nil {
			continue
		}
		key := place(platform, name)
		if seen[key] {
			c.say(path+"."+platform, "another team triages in %s already; each needs a channel of its own", name)
		}
		seen[key] = true
	}
}

// place is a channel, however its name is written.
func place(platform, name string) string { return platform + " " + strings.TrimPrefix(name, "#") }

// teams returns the teams' slugs and the places in which they triage.
func (c *checker) teams(teams []Team, known func(path, mail, what string)) (slugs, channels map[string]bool) {
	slugs, channels = map[string]bool{}, map[string]bool{}
	for i, t := range teams {
		path := fmt.Sprintf("teams[%d]", i)
		c.slug(path+".slug", t.Slug, slugs)
		c.text(path+".name", "the name", t.Name, 60)
		if t.Tier < 1 || t.Tier > 5 {
			c.say(path+".tier", "%d is not a tier from 1 to 5", t.Tier)
		}
		if t.Assign != "" && t.Assign != "claim" && !t.ByDesk() {
			c.say(path+".assign", "%q is neither claim (whoever is first) nor auto (the desk chooses)", t.Assign)
		}
		c.channels(path+".channel", t.Channel, channels)
		known(path+".lead", t.Lead, "the lead")
		for j, m := range t.Members {
			known(fmt.Sprintf("%s.members[%d]", path, j), m, "the member")
		}
	}
	return slugs, channels
}

func (c *checker) services(services []Service, teams map[string]bool, known func(path, mail, what string)) map[string]bool {
	slugs := map[string]bool{}
	offered := 0
	for i, s := range services {
		path := fmt.Sprintf("services[%d]", i)
		c.slug(path+".slug", s.Slug, slugs)
		c.text(path+".name", "the name", s.Name, 60)
		known(path+".owner", s.Owner, "the owner")
		c.channels(path+".channel", s.Channel, nil)
		if s.Tier < 0 || s.Tier > 5 {
			c.say(path+".tier", "%d is not a tier from 1 to 5", s.Tier)
		}
		for _, side := range []struct{ name, team string }{{"incidents", s.Incidents}, {"requests", s.Requests}} {
			if !teams[side.team] {
				c.say(path+"."+side.name, "there is no team %q", side.team)
			}
		}
		parts := map[string]bool{}
		for j, part := range s.Categories {
			path := fmt.Sprintf("%s.categories[%d]", path, j)
			c.slug(path+".slug", part.Slug, parts)
			c.text(path+".name", "the name", part.Name, 60)
			for _, side := range []struct{ name, team string }{{"incidents", part.Incidents}, {"requests", part.Requests}} {
				if side.team != "" && !teams[side.team] {
					c.say(path+"."+side.name, "there is no team %q", side.team)
				}
			}
		}
		offered += 1 + len(s.Categories)
	}
	switch {
	case len(services) > 100:
		c.say("services", "there are %d; a form can offer at most 100", len(services))
	case offered > 100:
		c.say("services", "there are %d with their categories; a form can offer at most 100", offered)
	}
	return slugs
}
