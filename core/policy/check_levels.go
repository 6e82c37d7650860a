package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// levels checks calendars, service levels, ladders and alerts.
func (c *checker) levels(p Policy, known func(path, mail, what string)) {
	slugs := map[string]bool{}
	for i, cal := range p.Calendars {
		path := fmt.Sprintf("calendars[%d]", i)
		if cal.Slug == Always {
			c.say(path+".slug", "%q is there already: it is open at all hours", Always)
			continue
		}
		c.slug(path+".slug", cal.Slug, slugs)
		c.text(path+".name", "the name", cal.Name, 60)
		if len(cal.Holidays) > 0 && cal.Public == nil {
			c.say(path+".holidays", "these regions have not been looked up")
		}
	}
	_, found := p.compile()
	for i, cal := range p.Calendars {
		if cal.TimeZone == "" { // it has the desk's, of which that is said already
			found = slices.DeleteFunc(found, func(p Problem) bool { return p.Path == fmt.Sprintf("calendars[%d].timezone", i) })
		}
	}
	c.found = append(c.found, found...)
	slugs[Always] = true
	c.names(p, slugs)

	ladders := c.ladders(p.Ladders, known)
	c.match(p)
	seen := map[string]bool{}
	for i, level := range p.Levels {
		path := fmt.Sprintf("service_levels[%d]", i)
		c.slug(path+".slug", level.Slug, seen)
		c.text(path+".name", "the name", level.Name, 60)
		if level.Ladder != "" && !ladders[level.Ladder] {
			c.say(path+".ladder", "there is no ladder %q", level.Ladder)
		}
		for _, side := range level.targets() {
			for n, r := range side.target.Pauses {
				if !slices.Contains(ticket.Reasons, r) {
					c.say(fmt.Sprintf("%s.%s.pauses[%d]", path, side.kind, n), "there is no reason %q; there are requester, supplier, change and part", r)
				}
			}
		}
	}
	for _, slug := range slices.Sorted(maps.Keys(p.Removed)) {
		path := "removed_levels." + slug
		switch {
		case seen[slug]:
			c.say(path, "the service level %q is still there", slug)
		case p.Removed[slug] != Move && p.Removed[slug] != Keep:
			c.say(path, "%q is neither move nor keep", p.Removed[slug])
		}
	}
	c.reach(p)
}

// names checks what refers to a calendar or a person by name.
func (c *checker) names(p Policy, calendars map[string]bool) {
	calendar := func(path, slug string) {
		if slug != "" && !calendars[slug] {
			c.say(path, "there is no calendar %q", slug)
		}
	}
	mails := map[string]bool{}
	for i, person := range p.People {
		mails[strings.ToLower(person.Mail)] = true
		calendar(fmt.Sprintf("people[%d].calendar", i), person.Calendar)
	}
	help := map[string]bool{}
	for _, h := range p.Desk.Help {
		for platform, name := range h {
			help[place(platform, name)] = true
		}
	}
	channels := func(path string, ch Channels) {
		c.channels(path, ch, nil)
		for _, platform := range slices.Sorted(maps.Keys(ch)) {
			if help[place(platform, ch[platform])] {
				c.say(path+"."+platform, "people ask for help in %s; alerts go elsewhere", ch[platform])
			}
		}
	}
	for i, t := range p.Teams {
		path := fmt.Sprintf("teams[%d]", i)
		calendar(path+".calendar", t.Calendar)
		channels(path+".alerts", t.Alerts)
		for j, mail := range t.OnCall {
			if len(p.People) > 0 && !mails[strings.ToLower(mail)] {
				c.say(fmt.Sprintf("%s.on_call[%d]", path, j), "%s is not among the people of this file", mail)
			}
		}
	}
	for i, s := range p.Services {
		channels(fmt.Sprintf("services[%d].alerts", i), s.Alerts)
	}
	channels("alerts.channel", p.Alerts.Channel)
	calendar("alerts.hours", p.Alerts.Hours)
	for i, prio := range p.Alerts.AnyTime {
		if prio < ticket.Critical || prio > ticket.Low {
			c.say(fmt.Sprintf("alerts.any_time[%d]", i), "%d is not a priority from 1 to 4", prio)
		}
	}
}

// match checks which tickets the levels are for.
func (c *checker) match(p Policy) {
	teams, services := map[string]bool{}, map[string]bool{}
	for _, t := range p.Teams {
		teams[t.Slug] = true
	}
	for _, s := range p.Services {
		services[s.Slug] = true
	}
	rules := make([]sla.Policy, len(p.Levels))
	for i, level := range p.Levels {
		path := fmt.Sprintf("service_levels[%d].for", i)
		rules[i] = sla.Policy{Slug: level.Slug, Match: sla.Match{Kinds: level.For.Kinds, Priorities: level.For.Priorities, Services: level.For.Services, Teams: level.For.Teams}}
		for _, side := range level.targets() {
			if side.target.Within != "" {
				rules[i].Targets = append(rules[i].Targets, sla.Target{Kind: side.kind})
			}
		}
		for j, k := range level.For.Kinds {
			if k != ticket.Incident && k != ticket.Request {
				c.say(fmt.Sprintf("%s.kinds[%d]", path, j), "there is no kind %q; there are incident and request", k)
			}
		}
		for j, prio := range level.For.Priorities {
			if prio < ticket.Critical || prio > ticket.Low {
				c.say(fmt.Sprintf("%s.priorities[%d]", path, j), "%d is not a priority from 1 to 4", prio)
			}
		}
		for j, s := range level.For.Services {
			if !services[s] {
				c.say(fmt.Sprintf("%s.services[%d]", path, j), "there is no service %q", s)
			}
		}
		for j, s := range level.For.Teams {
			if !teams[s] {
				c.say(fmt.Sprintf("%s.teams[%d]", path, j), "there is no team %q", s)
			}
		}
	}
	for _, problem := range sla.Check(rules) {
		// The rest has been checked where it is written.
		at, what, _ := strings.Cut(problem.Path, ".")
		switch what {
		case "match":
			c.say("service_levels"+at+".for", "%s", levelNumber.ReplaceAllString(problem.Text, "(service_levels[$1])"))
		case "targets":
			c.say("service_levels"+at, "%s", problem.Text)
		}
	}
}

var levelNumber = regexp.MustCompile(`\(\[(\d+)\]\)`)

func (c *checker) ladders(all []Ladder, known func(path, mail, what string)) map[string]bool {
	slugs := map[string]bool{}
	recipients := func(path string, list []Recipient) {
		for i, r := range list {
			at := fmt.Sprintf("%s[%d]", path, i)
			switch {
			case slices.Contains([]Recipient{Owner, Lead, ServiceOwner, Manager, OnCall}, r):
			case strings.Contains(string(r), "@"):
				known(at, string(r), "the recipient")
			default:
				c.say(at, "%q is nobody; there are owner, lead, service-owner, manager, on-call and mail addresses", r)
			}
		}
	}
	for i, l := range all {
		path := fmt.Sprintf("ladders[%d]", i)
		c.slug(path+".slug", l.Slug, slugs)
		if len(l.Steps) == 0 {
			c.say(path+".steps", "a ladder needs at least one step")
		}
		last := 0
		for j, s := range l.Steps {
			at := fmt.Sprintf("%s.steps[%d]", path, j)
			switch {
			case s.At < 1 || s.At > 1000:
				c.say(at+".at", "%d is not a share from 1 to 1000 percent", s.At)
			case s.At <= last:
				c.say(at+".at", "%d does not come after %d; write the steps by rising share", s.At, last)
			}
			last = max(last, s.At)
			recipients(at+".thread", s.Thread)
			recipients(at+".direct", s.Direct)
			if len(s.Thread) == 0 && len(s.Direct) == 0 && !s.Channel && !s.Requester {
				c.say(at, "nobody is told; give thread, direct, channel or requester")
			}
			if s.Requester && s.At < 100 {
				c.say(at+".requester", "at %d %% nothing is late yet", s.At)
			}
		}
		recipients(path+".line", l.Line)
		every, err := l.Every.parse()
		switch {
		case l.Every != "" && err != nil:
			c.say(path+".every", "%v", err)
		case l.Every != "" && every < time.Minute:
			c.say(path+".every", "%q is too soon for anybody; give a minute at least", l.Every)
		case l.Every != "" && len(l.Line) == 0:
			c.say(path+".line", "nobody is next in line; name somebody, or leave out every")
		case l.Every == "" && len(l.Line) > 0:
			c.say(path+".every", "say after how much time the next in line is told, such as 1h")
		case l.Every != "" && last < 100 && len(l.Steps) > 0:
			c.say(path+".steps", "the last step is at %d %%; the line begins when it is late, so give a step at 100", last)
		}
	}
	slugs[StandardLadder] = true
	return slugs
}

// reach sees to it that each ladder reaches somebody for each ticket that it
// may be used for, also when nobody has claimed it.
func (c *checker) reach(p Policy) {
	ladders := map[string]Ladder{StandardLadder: standardLadder()}
	for _, l := range p.Ladders {
		ladders[l.Slug] = l
	}
	people := map[string]Person{}
	for _, person := range p.People {
		people[strings.ToLower(person.Mail)] = person
	}
	for i, level := range p.Levels {
		slug := level.Ladder
		if slug == "" {
			slug = StandardLadder
		}
		ladder, ok := ladders[slug]
		if !ok {
			continue
		}
		for _, t := range p.Teams {
			if len(level.For.Teams) > 0 && !slices.Contains(level.For.Teams, t.Slug) || ladder.reaches(t, people) {
				continue
			}
			c.say(fmt.Sprintf("service_levels[%d].ladder", i),
				"the ladder %q reaches nobody for unclaimed tickets of %s; give it a step with channel, or name a lead of the team or a mail address", slug, t.Slug)
			break
		}
	}
}

func (l Ladder) reaches(t Team, people map[string]Person) bool {
	all := slices.Clone(l.Line)
	for _, s := range l.Steps {
		if s.Channel { // at least where the team triages, which may be chosen in chat
			return true
		}
		all = slices.Concat(all, s.Thread, s.Direct)
	}
	return slices.ContainsFunc(all, func(r Recipient) bool {
		switch r {
		case Owner, ServiceOwner:
			return false // a ticket may have none
		case Lead:
			return t.Lead != ""
		case Manager:
			return people[strings.ToLower(t.Lead)].Manager != ""
		case OnCall:
			return len(t.OnCall) > 0
		}
		return true
	})
}
