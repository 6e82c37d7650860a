// Package policy is how a company wants its desk: people, teams and their
// channels, services and what can be requested of them, the priority matrix,
// working hours and what is promised in them. It is one file, checked as a whole before any of it is in force.
package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/ticket"
)

// Policy is the whole of it. The yaml names are the file's.
type Policy struct {
	Desk   Desk     `yaml:"desk"`
	People []Person `yaml:"people"`
	// Departments have a name that people read. A file that lists some lists
	// all that its people are in; without a list their slugs are shown.
	Departments []Department `yaml:"departments"`
	Teams       []Team       `yaml:"teams"`
	Services    []Service    `yaml:"services"`
	Requests    []Request    `yaml:"requests"` // what people can ask for
	// Matrix has a priority 1 to 4 for each impact (me, team, site, customers)
	// and urgency (later, week, today, now); what it leaves out is as in
	// ticket.DefaultMatrix.
	Matrix map[ticket.Impact]map[ticket.Urgency]ticket.Priority `yaml:"matrix"`

	// Calendars and Levels are built in if the file has no service_levels; an
	// empty list of them promises nothing.
	Calendars []Calendar     `yaml:"calendars"`
	Levels    []ServiceLevel `yaml:"service_levels"`
	Ladders   []Ladder       `yaml:"ladders"`
	Alerts    Alerts         `yaml:"alerts"`
	// Removed says of service levels that are gone what becomes of their
	// running clocks, by slug.
	Removed map[string]AfterRemoval `yaml:"removed_levels"`

	Changes Changes `yaml:"changes"`

	Knowledge Knowledge `yaml:"knowledge"`
}

// Channels name a channel on each platform, by the adapter's name: its name
// without the #, or its id.
type Channels map[string]string

// Desk is what concerns everybody.
type Desk struct {
	Company  string   `yaml:"company"`
	TimeZone string   `yaml:"timezone"` // IANA name
	Admins   []string `yaml:"admins"`   // mail addresses

	// Help are channels in which each new message is a question to the desk.
	Help []Channels `yaml:"help"`
	// Bypass is the emoji with which a message in a help channel is left alone.
	Bypass string `yaml:"bypass"`
	// Emoji opens a ticket from the message that it is put on.
	Emoji string `yaml:"emoji"`

	// MostTeams is how many teams a ticket may be with; from the last only a
	// lead hands it on.
	MostTeams int `yaml:"most_teams"`

	CloseAfter Duration `yaml:"close_after"` // from resolved to closed, if the requester is silent
	SilentAt   Duration `yaml:"silent_after"`
}

// Person is somebody of the company.
type Person struct {
	Mail       string `yaml:"mail"`
	Name       string `yaml:"name"`
	Title      string `yaml:"title"`
	Department string `yaml:"department"` // slug
	Site       string `yaml:"site"`
	TimeZone   string `yaml:"timezone"`
	Manager    string `yaml:"manager"`  // mail address
	Calendar   string `yaml:"calendar"` // slug, of working hours; empty: the team's
}

// Department is where people work, as articles name it and as people call it.
type Department struct {
	Slug string `yaml:"slug"`
	Name string `yaml:"name"`
}

// Team supports something. Whoever is in its channel is its agent too.
type Team struct {
	Slug    string   `yaml:"slug"`
	Name    string   `yaml:"name"`
	Tier    int      `yaml:"tier"`
	Channel Channels `yaml:"channel"` // where its tickets are triaged
	Lead    string   `yaml:"lead"`    // mail address
	Members []string `yaml:"members"` // mail addresses

	// Calendar is when the team works, by slug; empty: at all hours.
	Calendar string `yaml:"calendar"`
	// OnCall are the mail addresses of those who take turns, each for a week
	// from Monday to Sunday in the desk's time zone; see OnCallAt.
	OnCall []string `yaml:"on_call"`
	Alerts Channels `yaml:"alerts"` // where its missed times are told; see Alerts
	// Assign is how tickets find their owner: "claim", whoever is first, or
	// "auto", the desk chooses. Empty: claim.
	Assign string `yaml:"assign"`
	// Skills name for a service, by slug, who is asked first: mail addresses.
	Skills map[string][]string `yaml:"skills"`
}

// ByDesk tells whether the desk chooses who has the team's tickets.
func (t Team) ByDesk() bool { return t.Assign == "auto" }

// Service is something that people use, in their words, and who supports it.
type Service struct {
	Slug      string   `yaml:"slug"`
	Name      string   `yaml:"name"`
	Incidents string   `yaml:"incidents"` // team slug
	Requests  string   `yaml:"requests"`  // team slug
	Owner     string   `yaml:"owner"`     // mail address
	Words     []string `yaml:"words"`     // by which a question is known to be about it
	Alerts    Channels `yaml:"alerts"`    // goes before its team's
	Channel   Channels `yaml:"channel"`   // of those who use it: its changes are announced there
	// Tier is the highest that is enough for it: whoever hands a ticket about
	// it higher is asked why. 0: whatever it takes.
	Tier int `yaml:"tier"`
	// Categories are what it may be about, in as few words: Access, Speed.
	Categories []Category `yaml:"categories"`
}

// Category is a part of what a service's tickets are about.
type Category struct {
	Slug      string `yaml:"slug"`
	Name      string `yaml:"name"`
	Incidents string `yaml:"incidents"` // team slug; empty: the service's
	Requests  string `yaml:"requests"`  // team slug; empty: the service's
}

// Duration is written as 90m, 24h or 3d.
type Duration string

// Value is the length of time; 0 if it is not one, which Check refuses.
func (d Duration) Value() time.Duration {
	v, _ := d.parse()
	return v
}

// BuiltIn is in force until another is applied: it names nobody and no
// channel, so it works in any workspace.
func BuiltIn() Policy {
	calendars, levels := builtInLevels()
	return Policy{
		Calendars: calendars, Levels: levels,
		Desk: Desk{
			TimeZone: "UTC", Bypass: "no_entry_sign", Emoji: "ticket", MostTeams: 3,
			CloseAfter: "3d", SilentAt: "24h",
		},
		Teams:     []Team{{Slug: "service-desk", Name: "Service Desk", Tier: 1}},
		Changes:   builtInChanges(),
		Knowledge: Knowledge{}.withDefaults(),
		Services: []Service{
			{Slug: "other", Name: "Something else", Incidents: "service-desk", Requests: "service-desk"},
		},
	}
}

// Group is the name of a team or department that is known by its slug, or the
// slug where the file has no name for it.
func (p Policy) Group(slug string) string {
	for _, t := range p.Teams {
		if t.Slug == slug {
			return t.Name
		}
	}
	return p.DepartmentName(slug)
}

// DepartmentName is the name of a department, or its slug if the file has none.
func (p Policy) DepartmentName(slug string) string {
	for _, d := range p.Departments {
		if d.Slug == slug {
			return d.Name
		}
	}
	return slug
}

// Duties are the mail addresses, in small letters, of those whom the desk may
// have to write to first.
func (p Policy) Duties() []string {
	var all []string
	add := func(mails ...string) {
		for _, m := range mails {
			if m = strings.ToLower(m); strings.Contains(m, "@") && !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	add(p.Desk.Admins...)
	for _, t := range p.Teams {
		add(t.Lead)
		add(t.OnCall...)
		add(t.Members...)
	}
	for _, s := range p.Services {
		add(s.Owner)
	}
	for _, a := range p.Changes.Approvals {
		for _, s := range a.Stages {
			add(s.Ask...)
			add(s.Deputies...)
		}
	}
	add(p.Changes.Emergency.Ask...)
	add(p.Changes.Emergency.Deputies...)
	return all
}
