package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
)

// Changes are how changes are allowed.
type Changes struct {
	// Channel is where changes are announced whose service has none of its own.
	Channel Channels `yaml:"channel"`
	// Report is where it is said each month how changes have worked; empty:
	// nowhere.
	Report Channels `yaml:"report"`
	// Approvals says who is asked; the first that fits a change is taken. A file
	// without any asks the lead of the team that does the work.
	Approvals []Approvals `yaml:"approvals"`
	// Emergency is the one stage of an emergency.
	Emergency Stage      `yaml:"emergency"`
	Standard  []Standard `yaml:"standard"`
	Freezes   []Freeze   `yaml:"freezes"`
	// Callbacks are where pipelines may have themselves called.
	Callbacks Callbacks `yaml:"callbacks"`
}

// Approvals are the stages of changes of some risks and services.
type Approvals struct {
	Risk     []change.Risk `yaml:"risk"`     // empty: any
	Services []string      `yaml:"services"` // slugs; empty: any
	Stages   []Stage       `yaml:"stages"`
}

// Stage is a round of people who are asked at the same time. Each of Ask and
// Deputies is a mail address, or one of: team and lead (of the team that does
// the work), owner (of what is touched), admins, team:SLUG, lead:SLUG.
type Stage struct {
	Name     string   `yaml:"name"`
	Ask      []string `yaml:"ask"`
	Need     string   `yaml:"need"` // any (the default), majority, all, or a number
	Within   Duration `yaml:"within"`
	Deputies []string `yaml:"deputies"`
}

// Rule is how many must say yes.
func (s Stage) Rule() approval.Rule {
	switch s.Need {
	case "", "any":
		return approval.Rule{Quorum: approval.AnyOne}
	case "majority":
		return approval.Rule{Quorum: approval.Majority}
	case "all":
		return approval.Rule{Quorum: approval.Everybody}
	}
	n, _ := strconv.Atoi(s.Need) // Check has refused what is none
	return approval.Rule{Quorum: approval.AtLeast, K: n}
}

// Standard is a change that has been judged for all times it is done, within
// these limits.
type Standard struct {
	Slug      string      `yaml:"slug"`
	Title     string      `yaml:"title"`
	Types     []cmdb.Type `yaml:"types"`      // of the items; empty: any
	Tier      int         `yaml:"tier"`       // the items' tiers are this or less vital; 0: 3
	MostItems int         `yaml:"most_items"` // 0: 10
	Takes     Duration    `yaml:"takes"`      // at most
	Plan      string      `yaml:"plan"`
	Test      string      `yaml:"test"`
	Rollback  string      `yaml:"rollback"`
}

// Freeze is a time in which nothing is changed.
type Freeze struct {
	Name     string   `yaml:"name"`
	From     string   `yaml:"from"` // 2026-12-24 or 2026-12-24 18:00, in the desk's time zone
	To       string   `yaml:"to"`   // a day is meant as a whole
	Services []string `yaml:"services"`
}

// Span is the freeze's time in a zone.
func (f Freeze) Span(zone *time.Location) (from, to time.Time, err error) {
	if from, _, err = moment(f.From, zone); err != nil {
		return from, to, err
	}
	to, day, err := moment(f.To, zone)
	if day {
		to = to.AddDate(0, 0, 1)
	}
	return from, to, err
}

func moment(s string, zone *time.Location) (at time.Time, day bool, err error) {
	s = strings.TrimSpace(s)
	if at, err = time.ParseInLocation("2006-01-02 15:04", s, zone); err == nil {
		return at, false, nil
	}
	if at, err = time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return at, true, nil
	}
	return at, false, fmt.Errorf("%q is not a time such as 2026-12-24 or 2026-12-24 18:00", s)
}

// Month is a month of reports, as 202612 for December 2026.
type Month int64

// MonthOf is the month of an instant, in a zone.
func MonthOf(at time.Time, zone *time.Location) Month {
	at = at.In(zone)
	return Month(at.Year()*100 + int(at.Month()))
}

// Next is the month after it.
func (m Month) Next() Month {
	if m%100 == 12 {
		return m + 89
	}
	return m + 1
}

// Span is the month from its first moment to the next month's. It is reported on
// at due, the morning after.
func (m Month) Span(zone *time.Location) (from, to, due time.Time) {
	year, month := int(m/100), time.Month(m%100)
	return time.Date(year, month, 1, 0, 0, 0, 0, zone), time.Date(year, month+1, 1, 0, 0, 0, 0, zone), time.Date(year, month+1, 1, 9, 0, 0, 0, zone)
}

// Zone is the desk's time zone.
func (d Desk) Zone() *time.Location {
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// StagesFor are the stages of a change, by the first entry that fits it.
func (c Changes) StagesFor(ch change.Change) []Stage {
	if ch.Kind == change.Emergency {
		return []Stage{c.Emergency}
	}
	for _, a := range c.Approvals {
		if (len(a.Risk) == 0 || slices.Contains(a.Risk, ch.Risk)) && (len(a.Services) == 0 || slices.Contains(a.Services, ch.Service)) {
			return a.Stages
		}
	}
	return nil
}

// Allows says what of a change is outside the limits of the rule, in words;
// empty: nothing is.
func (s Standard) Allows(ch change.Change, items []cmdb.Item) string {
	for _, i := range items {
		switch {
		case len(s.Types) > 0 && !slices.Contains(s.Types, i.Type):
			return fmt.Sprintf("%s is a %s, and “%s” is not for those", i.Key, i.Type, s.Title)
		case i.Tier < s.tier():
			return fmt.Sprintf("%s is too vital for “%s”", i.Key, s.Title)
		}
	}
	switch {
	case len(items) > s.most():
		return fmt.Sprintf("“%s” is for at most %d items at a time", s.Title, s.most())
	case ch.Takes > s.Takes.Value():
		return fmt.Sprintf("“%s” takes at most %s", s.Title, s.Takes)
	}
	return ""
}

func (s Standard) tier() int {
	if s.Tier == 0 {
		return 3
	}
	return s.Tier
}

func (s Standard) most() int {
	if s.MostItems == 0 {
		return 10
	}
	return s.MostItems
}

// builtInChanges ask the lead of the team that does the work, and the admins
// where the lead is silent.
func builtInChanges() Changes {
	return Changes{
		Approvals: []Approvals{{Stages: []Stage{{Name: "Team lead", Ask: []string{"lead"}, Within: "24h", Deputies: []string{"admins"}}}}},
		Emergency: Stage{Name: "Emergency", Ask: []string{"lead", "admins"}, Within: "30m"},
	}
}

func (c Changes) withDefaults() Changes {
	b := builtInChanges()
	if len(c.Approvals) == 0 {
		c.Approvals = b.Approvals
	}
	if len(c.Emergency.Ask) == 0 {
		c.Emergency = b.Emergency
	}
	return c
}

func (c *checker) changes(p Policy, services, teams map[string]bool, known func(path, mail, what string)) {
	c.channels("changes.channel", p.Changes.Channel, nil)
	c.channels("changes.report", p.Changes.Report, nil)
	offered := func(path string, slugs []string) {
		for i, s := range slugs {
			if !services[s] {
				c.say(fmt.Sprintf("%s[%d]", path, i), "there is no service %q", s)
			}
		}
	}
	all := false
	for i, a := range p.Changes.Approvals {
		path := fmt.Sprintf("changes.approvals[%d]", i)
		if all {
			c.say(path, "it is never reached: the one before fits every change")
		}
		for j, r := range a.Risk {
			if r != change.Low && r != change.Medium && r != change.High {
				c.say(fmt.Sprintf("%s.risk[%d]", path, j), "%q is not a risk; there are low, medium and high", r)
			}
		}
		offered(path+".services", a.Services)
		if len(a.Stages) == 0 {
			c.say(path+".stages", "nobody is asked; a change needs somebody's yes")
		}
		for j, s := range a.Stages {
			c.stage(fmt.Sprintf("%s.stages[%d]", path, j), s, teams, known)
		}
		all = all || len(a.Risk) == 0 && len(a.Services) == 0
	}
	if !all && len(p.Changes.Approvals) > 0 {
		c.say("changes.approvals", "some changes fit none of these; let the last be without risk and services")
	}
	if len(p.Changes.Emergency.Ask) > 0 {
		c.stage("changes.emergency", p.Changes.Emergency, teams, known)
	}
	c.callbacks("changes.callbacks", p.Changes.Callbacks)
	slugs := map[string]bool{}
	for i, s := range p.Changes.Standard {
		path := fmt.Sprintf("changes.standard[%d]", i)
		c.slug(path+".slug", s.Slug, slugs)
		c.text(path+".title", "the title", s.Title, 60)
		c.text(path+".plan", "the plan", s.Plan, change.MostText)
		c.text(path+".rollback", "the rollback plan", s.Rollback, change.MostText)
		if _, err := s.Takes.parse(); err != nil {
			c.say(path+".takes", "%v", err)
		}
		if s.Tier < 0 || s.Tier > cmdb.LeastVital {
			c.say(path+".tier", "%d is not a tier from %d to %d", s.Tier, cmdb.MostVital, cmdb.LeastVital)
		}
		for j, t := range s.Types {
			if !slices.Contains(cmdb.Types, t) {
				c.say(fmt.Sprintf("%s.types[%d]", path, j), "%q is not a type of item", t)
			}
		}
	}
	for i, f := range p.Changes.Freezes {
		path := fmt.Sprintf("changes.freezes[%d]", i)
		c.text(path+".name", "the name", f.Name, 60)
		offered(path+".services", f.Services)
		if from, to, err := f.Span(time.UTC); err != nil {
			c.say(path, "%v", err)
		} else if !to.After(from) {
			c.say(path+".to", "the freeze ends before it begins")
		}
	}
}

func (c *checker) stage(path string, s Stage, teams map[string]bool, known func(path, mail, what string)) {
	if len(s.Ask) == 0 {
		c.say(path+".ask", "nobody is asked")
	}
	if _, err := s.Within.parse(); err != nil {
		c.say(path+".within", "%v", err)
	}
	switch s.Need {
	case "", "any", "majority", "all":
	default:
		if n, err := strconv.Atoi(s.Need); err != nil || n < 1 || n > 200 {
			c.say(path+".need", "%q is not any, majority, all or a number", s.Need)
		}
	}
	for _, list := range []struct {
		name string
		who  []string
	}{{"ask", s.Ask}, {"deputies", s.Deputies}} {
		for i, w := range list.who {
			at := fmt.Sprintf("%s.%s[%d]", path, list.name, i)
			kind, slug, named := strings.Cut(w, ":")
			switch {
			case strings.Contains(w, "@"):
				known(at, w, "the approver")
			case named && (kind == "team" || kind == "lead"):
				if !teams[slug] {
					c.say(at, "there is no team %q", slug)
				}
			case w == "team", w == "lead", w == "owner", w == "admins":
			default:
				c.say(at, "%q is nobody: write a mail address, or team, lead, owner, admins, team:SLUG or lead:SLUG", w)
			}
		}
	}
}
