package policy

import (
	"github.com/deskhand/deskhand/core/ticket"
)

// Always names the calendar that is open at all hours, in the desk's time
// zone. It is there without being written down: what is promised in it is
// promised in wall time.
const Always = "always"

// Calendar is when somebody works. A team's service levels, its agents' working
// hours and the hours in which alerts may go out are all of this kind.
type Calendar struct {
	Slug     string `yaml:"slug"`
	Name     string `yaml:"name"`
	TimeZone string `yaml:"timezone"` // IANA name; empty: the desk's
	Open     Week   `yaml:"open"`
	Breaks   Week   `yaml:"breaks"` // taken out of Open

	// Holidays are regions whose public holidays are closed: se, de-sn.
	Holidays []string `yaml:"holidays"`
	// Closed are the company's own holidays.
	Closed []Closing `yaml:"closed"`
	// Public is what Holidays come to, day by day. Whoever reads the file fills
	// it in, so that a deadline depends on nothing but what is on record.
	Public []Closing `yaml:"-"`
}

// Week has the hours of days or ranges of days: "mon-thu", "friday", "daily".
type Week map[string][]Hours

// Hours are from one time of day to another, as 09:00-17:00. Hours that end
// before they begin end on the next day: 22:00-06:00.
type Hours string

// Closing is a day, or a part of one, on which nobody works.
type Closing struct {
	Date string `yaml:"date"` // 2026-12-24
	Name string `yaml:"name"`
	Only Hours  `yaml:"only"` // empty: the whole day
}

// ServiceLevel is what is promised to some of the tickets, and who is told when
// a promise is about to be missed.
type ServiceLevel struct {
	Slug string  `yaml:"slug"`
	Name string  `yaml:"name"`
	For  Tickets `yaml:"for"`

	Calendar   string `yaml:"calendar"` // slug, of both targets
	Response   Target `yaml:"response"`
	Resolution Target `yaml:"resolution"`
	Ladder     string `yaml:"ladder"` // slug; empty: the built-in one, see StandardLadder
}

// Tickets are those that are in each of the lists; an empty list has all.
type Tickets struct {
	Kinds      []ticket.Kind     `yaml:"kinds"`
	Priorities []ticket.Priority `yaml:"priorities"`
	Services   []string          `yaml:"services"` // slugs
	Teams      []string          `yaml:"teams"`    // slugs
}

// Target is one promise; none if Within is empty.
type Target struct {
	// Within is open time of the calendar: 24h are three working days of eight
	// hours. Days (2d) are wall time and go only with the calendar "always".
	Within   Duration        `yaml:"within"`
	Calendar string          `yaml:"calendar"` // slug; empty: the service level's
	Pauses   []ticket.Reason `yaml:"pauses"`   // while a ticket waits for one of these, the clock stands
}

// Ladder is who is told as the time runs out.
type Ladder struct {
	Slug  string `yaml:"slug"`
	Steps []Step `yaml:"steps"` // by rising share of the target
	// Every so much open time after the last step the next in Line is told, as
	// long as nobody has taken the ticket. The last of them is told once.
	Every Duration    `yaml:"every"`
	Line  []Recipient `yaml:"line"`
}

// Step is one rung of a ladder.
type Step struct {
	At     int         `yaml:"at"`     // percent of the target
	Thread []Recipient `yaml:"thread"` // named in the ticket's thread in the team's channel
	Direct []Recipient `yaml:"direct"` // told in their direct messages
	// Channel posts the living card into the alert channel: the service's, or
	// the team's, or the desk's; without any, where the team triages.
	Channel bool `yaml:"channel"`
	// Requester is told that it is late, and the new time.
	Requester bool `yaml:"requester"`
}

// Recipient is a role in a ticket, or somebody's mail address.
type Recipient string

// The roles.
const (
	Owner        Recipient = "owner"         // of the ticket, if somebody has claimed it
	Lead         Recipient = "lead"          // of the team
	ServiceOwner Recipient = "service-owner" // of the service, if the ticket has one
	Manager      Recipient = "manager"       // the lead's
	OnCall       Recipient = "on-call"       // whoever of the team is on call
)

// Alerts are where and when it is told that something is late.
type Alerts struct {
	Channel Channels `yaml:"channel"` // of all that have none of their own
	// Hours is the calendar outside of which alerts wait until it opens; empty:
	// they never wait.
	Hours string `yaml:"hours"`
	// AnyTime are priorities whose alerts don't wait. Out of hours they go to
	// whoever is on call, in place of the owner and the lead.
	AnyTime []ticket.Priority `yaml:"any_time"`
}

// AfterRemoval is what becomes of running clocks whose service level is not in
// the policy any more.
type AfterRemoval string

// What may become of them.
const (
	Move AfterRemoval = "move" // to the level that matches now, with the time they have used
	Keep AfterRemoval = "keep" // they go on as they were promised
)

// StandardLadder is the one of service levels that name none.
const StandardLadder = "standard"

func standardLadder() Ladder {
	return Ladder{
		Slug: StandardLadder,
		Steps: []Step{
			{At: 75, Thread: []Recipient{Owner}},
			{At: 90, Direct: []Recipient{Owner, Lead}},
			{At: 100, Channel: true, Requester: true},
		},
		Every: "1h", Line: []Recipient{Lead, ServiceOwner, Manager},
	}
}

// builtInLevels promise what most desks can keep, Monday to Friday from nine to
// five.
func builtInLevels() ([]Calendar, []ServiceLevel) {
	waits := []ticket.Reason{ticket.ForRequester, ticket.ForSupplier, ticket.ForChange, ticket.ForPart}
	var levels []ServiceLevel
	for _, l := range []struct {
		slug, name string
		of         ticket.Priority
		response   Duration
		resolution Duration
	}{
		{"critical", "Critical", ticket.Critical, "15m", "4h"},
		{"high", "High", ticket.High, "1h", "8h"},
		{"normal", "Normal", ticket.Normal, "4h", "24h"},
		{"low", "Low", ticket.Low, "8h", "40h"},
	} {
		levels = append(levels, ServiceLevel{Slug: l.slug, Name: l.name, For: Tickets{Priorities: []ticket.Priority{l.of}}, Calendar: "office",
			Response: Target{Within: l.response}, Resolution: Target{Within: l.resolution, Pauses: waits}})
	}
	return []Calendar{{Slug: "office", Name: "Office hours", Open: Week{"mon-fri": {"09:00-17:00"}}}}, levels
}
