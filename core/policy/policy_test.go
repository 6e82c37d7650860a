package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

func TestBuiltInCanBeApplied(t *testing.T) {
	t.Parallel()
	if found := policy.BuiltIn().Check(); len(found) != 0 {
		t.Errorf("the built-in policy has problems: %v", found)
	}
	if found := (policy.Policy{}).WithDefaults().Check(); len(found) != 0 {
		t.Errorf("an empty file has problems: %v", found)
	}
	if diff := cmp.Diff(policy.BuiltIn(), policy.Policy{}.WithDefaults()); diff != "" {
		t.Errorf("an empty file is not the built-in policy (-want +got):\n%s", diff)
	}
}

// whole is a policy in which everything is named and nothing is wrong.
func whole() policy.Policy {
	return policy.Policy{
		Desk: policy.Desk{Company: "Harbour", TimeZone: "Europe/Berlin", Admins: []string{"ana@harbour.example"},
			Help: []policy.Channels{{"slack": "#it-help"}}, CloseAfter: "3d", SilentAt: "24h"},
		People: []policy.Person{
			{Mail: "ana@harbour.example", Name: "Ana Ruiz"},
			{Mail: "ben@harbour.example", Name: "Ben Okoro", Manager: "Ana@Harbour.example", TimeZone: "Africa/Lagos"},
		},
		Teams: []policy.Team{
			{Slug: "service-desk", Name: "Service Desk", Tier: 1, Channel: policy.Channels{"slack": "#it-desk"}, Lead: "ana@harbour.example", Members: []string{"BEN@harbour.example"}},
			{Slug: "network", Name: "Network", Tier: 2, Channel: policy.Channels{"slack": "it-network"}},
		},
		Services: []policy.Service{
			{Slug: "wifi", Name: "Wi-Fi", Incidents: "network", Requests: "service-desk", Owner: "ben@harbour.example", Words: []string{"wlan"}},
			{Slug: "mail", Name: "Mail", Incidents: "service-desk", Requests: "service-desk"},
		},
		Matrix: map[ticket.Impact]map[ticket.Urgency]ticket.Priority{ticket.MyTeam: {ticket.Now: ticket.Critical}},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*policy.Policy)
		want   []string
	}{
		{"nothing is wrong", func(*policy.Policy) {}, nil},
		{"a time zone that there is not", func(p *policy.Policy) { p.Desk.TimeZone = "Berlin" },
			[]string{`desk.timezone: there is no time zone "Berlin"; use a name such as Europe/Berlin`}},
		{"a time zone that there is not, of calendars too", func(p *policy.Policy) { p.Desk.TimeZone = "Moon"; *p = p.WithDefaults() },
			[]string{`desk.timezone: there is no time zone "Moon"; use a name such as Europe/Berlin`}},
		{"departments have names", func(p *policy.Policy) {
			p.Departments, p.People[0].Department = []policy.Department{{Slug: "care", Name: "Customer care"}}, "care"
		}, nil},
		{"a department that the list has forgotten, and one without a name", func(p *policy.Policy) {
			p.Departments, p.People[0].Department = []policy.Department{{Slug: "care"}}, "caer"
		}, []string{"departments[0].name: the name is missing", `people[0].department: there is no department "caer" among the departments of this file`}},
		{"the zone of whatever machine runs it", func(p *policy.Policy) { p.Desk.TimeZone = "Local" },
			[]string{`desk.timezone: there is no time zone "Local"; use a name such as Europe/Berlin`}},
		{"times that are none, in the order of the file", func(p *policy.Policy) { p.Desk.CloseAfter, p.Desk.SilentAt = "soon", "-3d" },
			[]string{`desk.close_after: "soon" is not a time such as 90m, 24h or 3d`, `desk.silent_after: "-3d" is not a time such as 90m, 24h or 3d`}},
		{"a limit at which no ticket could go anywhere", func(p *policy.Policy) { p.Desk.MostTeams = 1 },
			[]string{"desk.most_teams: 1 is too few: a ticket must be able to go to another team at least once"}},
		{"a way to assign that there is not", func(p *policy.Policy) { p.Teams[1].Assign = "fair" },
			[]string{`teams[1].assign: "fair" is neither claim (whoever is first) nor auto (the desk chooses)`}},
		{"skills of strangers, and for what nobody offers", func(p *policy.Policy) {
			p.Teams[0].Skills = map[string][]string{"coffee": nil, "wifi": {"Ben@harbour.example", "ana@harbour.example", "cem@harbour.example"}}
		}, []string{`teams[0].skills.coffee: there is no service "coffee"`, "teams[0].skills.wifi[2]: cem@harbour.example is not a member of the team"}},
		{"a service for a tier that there is not", func(p *policy.Policy) { p.Services[0].Tier = 9 },
			[]string{"services[0].tier: 9 is not a tier from 1 to 5"}},
		{"an admin whom nobody knows", func(p *policy.Policy) { p.Desk.Admins = append(p.Desk.Admins, "cem@harbour.example") },
			[]string{"desk.admins[1]: the admin cem@harbour.example is not among the people of this file"}},
		{"admins without a list of people are taken at their word", func(p *policy.Policy) {
			p.People, p.Teams[0].Lead, p.Teams[0].Members, p.Services[0].Owner = nil, "", nil, ""
		}, nil},
		{"a help channel without a name", func(p *policy.Policy) { p.Desk.Help = []policy.Channels{{"slack": "#"}} },
			[]string{"desk.help[0].slack: the channel's name is missing"}},
		{"a help channel in which a team triages", func(p *policy.Policy) { p.Desk.Help = append(p.Desk.Help, policy.Channels{"slack": "it-desk"}) },
			[]string{"desk.help[1].slack: a team triages in it-desk; people ask in another channel"}},
		{"the same name on two platforms is two channels", func(p *policy.Policy) { p.Desk.Help = append(p.Desk.Help, policy.Channels{"teams": "it-desk"}) }, nil},
		{"a person without a mail address", func(p *policy.Policy) { p.People[1].Mail = "ben" },
			[]string{`people[1].mail: "ben" is not a mail address`,
				"teams[0].members[0]: the member BEN@harbour.example is not among the people of this file",
				"services[0].owner: the owner ben@harbour.example is not among the people of this file"}},
		{"a mail address that is there twice", func(p *policy.Policy) {
			p.People = append(p.People, policy.Person{Mail: "ANA@harbour.example", Name: "Ana again"})
		}, []string{"people[2].mail: ANA@harbour.example is there twice"}},
		{"a person without a name", func(p *policy.Policy) { p.People[0].Name = " " }, []string{"people[0].name: the name is missing"}},
		{"a person with a name too long", func(p *policy.Policy) { p.People[0].Name = strings.Repeat("ä", 101) },
			[]string{"people[0].name: the name is longer than 100 characters"}},
		{"a person in no time zone", func(p *policy.Policy) { p.People[1].TimeZone = "Mars/Base" },
			[]string{`people[1].timezone: there is no time zone "Mars/Base"; use a name such as Europe/Berlin`}},
		{"a manager whom nobody knows", func(p *policy.Policy) { p.People[1].Manager = "cem@harbour.example" },
			[]string{"people[1].manager: the manager cem@harbour.example is not among the people of this file"}},
		{"a slug with a capital", func(p *policy.Policy) { p.Services[1].Slug = "Mail" },
			[]string{`services[1].slug: "Mail" is not a slug: small letters, digits and single hyphens, at most 40`}},
		{"categories with teams of their own", func(p *policy.Policy) {
			p.Services[0].Categories = []policy.Category{{Slug: "access", Name: "Access", Requests: p.Teams[0].Slug}, {Slug: "speed", Name: "Speed"}}
		}, nil},
		{"a category that is there twice, of a team that is not", func(p *policy.Policy) {
			p.Services[0].Categories = []policy.Category{{Slug: "access", Name: "Access"}, {Slug: "access", Name: "Again", Incidents: "nobody"}}
		}, []string{`services[0].categories[1].slug: "access" is there twice`, `services[0].categories[1].incidents: there is no team "nobody"`}},
		{"more categories than a form can offer", func(p *policy.Policy) {
			for i := range 100 {
				p.Services[0].Categories = append(p.Services[0].Categories, policy.Category{Slug: fmt.Sprint("c", i), Name: "C"})
			}
		}, []string{"services: there are 102 with their categories; a form can offer at most 100"}},
		{"a slug with two hyphens", func(p *policy.Policy) { p.Services[1].Slug = "e--mail" },
			[]string{`services[1].slug: "e--mail" is not a slug: small letters, digits and single hyphens, at most 40`}},
		{"a slug too long", func(p *policy.Policy) { p.Services[1].Slug = strings.Repeat("m", 41) },
			[]string{`services[1].slug: "` + strings.Repeat("m", 41) + `" is not a slug: small letters, digits and single hyphens, at most 40`}},
		{"a team without a slug", func(p *policy.Policy) {
			p.Teams[1].Slug = ""
			p.Services[0].Incidents = "service-desk"
		}, []string{"teams[1].slug: a slug is missing; give it one such as service-desk"}},
		{"two teams of one slug", func(p *policy.Policy) {
			p.Teams[1].Slug = "service-desk"
			p.Services[0].Incidents = "service-desk"
		}, []string{`teams[1].slug: "service-desk" is there twice`}},
		{"a tier of none", func(p *policy.Policy) { p.Teams[1].Tier = 0 }, []string{"teams[1].tier: 0 is not a tier from 1 to 5"}},
		{"a team without a name", func(p *policy.Policy) { p.Teams[1].Name = "" }, []string{"teams[1].name: the name is missing"}},
		{"two teams in one channel, with and without the #", func(p *policy.Policy) { p.Teams[1].Channel["slack"] = "it-desk" },
			[]string{"teams[1].channel.slack: another team triages in it-desk already; each needs a channel of its own"}},
		{"a lead and a member whom nobody knows", func(p *policy.Policy) {
			p.Teams[1].Lead, p.Teams[1].Members = "cem@harbour.example", []string{"ana@harbour.example", "dan@harbour.example"}
		}, []string{"teams[1].lead: the lead cem@harbour.example is not among the people of this file",
			"teams[1].members[1]: the member dan@harbour.example is not among the people of this file"}},
		{"a service of a team that there is not", func(p *policy.Policy) { p.Services[0].Incidents, p.Services[0].Requests = "wan", "" },
			[]string{`services[0].incidents: there is no team "wan"`, `services[0].requests: there is no team ""`}},
		{"more services than a form can offer", func(p *policy.Policy) {
			for i := range 99 {
				s := p.Services[1]
				s.Slug = fmt.Sprintf("mail-%d", i)
				p.Services = append(p.Services, s)
			}
		}, []string{"services: there are 101; a form can offer at most 100"}},
		{"an impact and an urgency that there are not", func(p *policy.Policy) {
			p.Matrix["world"] = map[ticket.Urgency]ticket.Priority{ticket.Now: 1}
			p.Matrix[ticket.OnlyMe] = map[ticket.Urgency]ticket.Priority{"soon": 2}
		}, []string{`matrix.me: there is no urgency "soon"; there are later, week, today and now`,
			`matrix.world: there is no impact "world"; there are me, team, site and customers`}},
		{"synonyms that say nothing", func(p *policy.Policy) {
			p.Knowledge.Synonyms = [][]string{{"vpn"}, {"beamer", "?!"}, {"Beamer", "wall screen"}, {" a", strings.Repeat("b", 61)}}
		}, []string{"knowledge.synonyms[0]: a group has two words or more, as in [vpn, remote access]",
			`knowledge.synonyms[1][1]: "?!" has no word in it`,
			`knowledge.synonyms[2][0]: "Beamer" is in knowledge.synonyms[1] already; put into one group what means the same`,
			`knowledge.synonyms[3][0]: " a" begins or ends with a space`,
			"knowledge.synonyms[3][1]: it is longer than 60 characters; a synonym is a word or a short phrase"}},
		{"what can be requested, of a service, a team and a department that there are", func(p *policy.Policy) {
			p.People[0].Department, p.Services[0].Categories = "sales", []policy.Category{{Slug: "access", Name: "Access"}}
			p.Requests = []policy.Request{{Slug: "guest", Name: "Guest Wi-Fi", Words: []string{"Wi-Fi for visitors"}, Description: "A code for a day.", Service: "wifi", Category: "access", Team: "network", Audience: []string{"sales", "service-desk", "everyone"}},
				{Slug: "laptop", Name: "New laptop"}}
		}, nil},
		{"what can be requested of nobody, for nobody", func(p *policy.Policy) {
			p.Requests = []policy.Request{{Slug: "guest", Name: "Guest Wi-Fi", Service: "wlan", Category: "access", Team: "wan", Audience: []string{"sales"}}, {Slug: "key", Name: "Key", Category: "access"},
				{Slug: "code", Name: "Code", Service: "wifi", Category: "access"}}
		}, []string{`requests[0].service: there is no service "wlan"`, `requests[0].team: there is no team "wan"`,
			`requests[0].audience[0]: "sales" is neither a team nor the department of anybody in this file, and not everyone`,
			"requests[1].category: a category is one of a service; name the service too", `requests[2].category: the service "wifi" has no category "access"`}},
		{"requests that nobody could find or tell apart", func(p *policy.Policy) {
			p.Requests = []policy.Request{{Slug: "laptop", Name: "New laptop"}, {Slug: "laptop", Name: "new  Laptop", Words: []string{"notebook", "?!", strings.Repeat("w", 61)}}, {Slug: "phone", Description: strings.Repeat("d", 201)}}
		}, []string{`requests[1].slug: "laptop" is there twice`, `requests[1].name: "new  Laptop" is there twice; people could not tell one from the other`,
			`requests[1].words[1]: "?!" has no word in it`, "requests[1].words[2]: it is longer than 60 characters; write a word or a short phrase",
			"requests[2].name: the name is missing", "requests[2].description: the description is longer than 200 characters; it is a line on a card"}},
		{"more requests than a desk offers", func(p *policy.Policy) {
			for i := range 501 {
				p.Requests = append(p.Requests, policy.Request{Slug: fmt.Sprint("r", i), Name: fmt.Sprint("R", i)})
			}
		}, []string{"requests: there are 501; the desk offers at most 500"}},
		{"a priority that there is not", func(p *policy.Policy) { p.Matrix[ticket.MyTeam][ticket.Now] = 5 },
			[]string{"matrix.team.now: 5 is not a priority from 1 to 4"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := whole()
			tt.change(&p)
			var got []string
			for _, problem := range p.Check() {
				got = append(got, problem.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaultsAreFilledInOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := whole()
		for _, leaveOut := range []func(){
			func() { p.Desk = policy.Desk{} },
			func() { p.Desk.CloseAfter = "" },
			func() { p.Desk.Emoji = "sos" },
			func() { p.People = nil },
			func() { p.Teams, p.Services = nil, nil },
			func() { p.Services = nil },
			func() { p.Matrix = nil },
		} {
			if rapid.Bool().Draw(t, "leave it out") {
				leaveOut()
			}
		}
		before := p
		once := p.WithDefaults()
		if diff := cmp.Diff(once, once.WithDefaults()); diff != "" {
			t.Fatalf("defaults of defaults differ:\n%s", diff)
		}
		if diff := cmp.Diff(before, p); diff != "" {
			t.Fatalf("WithDefaults wrote into the policy that it was asked of:\n%s", diff)
		}
		if len(p.Teams) > 0 && !cmp.Equal(p.Teams, once.Teams) || len(p.Services) > 0 && !cmp.Equal(p.Services, once.Services) {
			t.Fatalf("defaults took the place of what the file says")
		}
		if once.Desk.TimeZone == "" || once.Desk.Bypass == "" || once.Desk.Emoji == "" || once.Desk.CloseAfter.Value() <= 0 || once.Desk.SilentAt.Value() <= 0 {
			t.Fatalf("something is still missing: %+v", once.Desk)
		}
		if len(p.Services) == 0 && once.Services[0].Incidents != once.Teams[0].Slug {
			t.Fatalf("the only service goes to %q, the first team is %q", once.Services[0].Incidents, once.Teams[0].Slug)
		}
	})
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for written, want := range map[policy.Duration]time.Duration{
		"90m": 90 * time.Minute, "24h": 24 * time.Hour, "3d": 72 * time.Hour, " 3d ": 72 * time.Hour, "1h30m": 90 * time.Minute, "3650d": 3650 * 24 * time.Hour,
		"": 0, "3": 0, "0d": 0, "-1d": 0, "-2h": 0, "0s": 0, "1.5d": 0, "d": 0, "3 d": 0, "3651d": 0, "3w": 0, "99999999999999999999d": 0, "soon": 0,
	} {
		if got := written.Value(); got != want {
			t.Errorf("%q is %v, want %v", written, got, want)
		}
	}
}

// A calendar without a zone of its own is in the desk's: if that changes, so does
// what is promised in it.
func TestAnotherZoneIsAnotherPromise(t *testing.T) {
	t.Parallel()
	levels := func(zone, own string) *policy.Levels {
		p := policy.Policy{Desk: policy.Desk{TimeZone: zone}, Calendars: []policy.Calendar{{Slug: "office", Name: "Office", TimeZone: own, Open: policy.Week{"daily": {"09:00-17:00"}}}},
			Levels: []policy.ServiceLevel{{Slug: "all", Name: "All", Calendar: "office", Response: policy.Target{Within: "1h"}}}}.WithDefaults()
		l, err := p.Compile()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if levels("Europe/Berlin", "").Same("all", levels("Asia/Tokyo", "")) {
		t.Error("nine o'clock in Berlin is nine o'clock in Tokyo")
	}
	if !levels("Europe/Berlin", "Asia/Tokyo").Same("all", levels("UTC", "Asia/Tokyo")) {
		t.Error("a calendar of its own zone is another where the desk has moved")
	}
}
