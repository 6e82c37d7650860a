package app

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/policyfile"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// The list of conversations, on each platform and across them. `go test ./...`
// holds a slice of those across; the whole is
//
//	go test ./cmd/deskhand/internal/app -run Asks -across
var across = flag.Bool("across", false, "hold all conversations with requesters and agents on different platforms too")

func TestSlack(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.On(adaptertest.Slack), parity)
}

func TestTeams(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.On(adaptertest.Teams), parity)
}

func TestTeamsAsksSlackWorks(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.Pair{Asking: adaptertest.Teams, Working: adaptertest.Slack, Slice: !*across}, parity)
}

func TestSlackAsksTeamsWorks(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.Pair{Asking: adaptertest.Slack, Working: adaptertest.Teams, Slice: !*across}, parity)
}

// parity starts a desk for a conversation of the list.
func parity(t *testing.T, on adaptertest.Pair, bare bool) adaptertest.Desk {
	t.Helper()
	d := &parityDesk{desk: &desk{t: t}, on: on}
	if bare {
		d.meets(on, nil)
		d.o.DatabaseURL = pgtest.URL(t)
	} else {
		d.o = setUpOn(on).begin(d.desk)
	}
	d.o.Listen = freePort(t) // pages must know where they are before they are served
	d.o.URL = "http://" + d.o.Listen
	d.start(d.o)
	if bare && d.teams != nil {
		d.install(on)
	}
	return d
}

type parityDesk struct {
	*desk
	o  Options
	on adaptertest.Pair
}

// transcripts are what fails with, on all platforms.
type transcripts struct {
	*testing.T
	d *parityDesk
	// The double that fails prints its own.
	slack, teams bool
}

func (d *parityDesk) Person(platform, name string) adaptertest.Actor {
	d.t.Helper()
	if platform == adaptertest.Slack.Name {
		return adaptertest.Play(d.t, d.onSlack().Person(name), d.slackWays())
	}
	return adaptertest.Play(d.t, d.onTeams().Person(name), d.teamsWays())
}

func (d *parityDesk) Place(platform, channel string) adaptertest.Place {
	d.t.Helper()
	if platform == adaptertest.Slack.Name {
		return adaptertest.Seen(d.t, d.onSlack().Channel(channel))
	}
	return adaptertest.Seen(d.t, d.onTeams().Channel(channel))
}

func (d *parityDesk) onSlack() *slacktest.Script {
	s := d.slack.Script(transcripts{d.t, d, false, true})
	s.Patience, s.Settled = patience, d.settled
	return s
}

func (d *parityDesk) onTeams() *teamstest.Script {
	s := d.teams.Script(transcripts{d.t, d, true, false})
	s.Patience, s.Settled = patience, d.settled
	return s
}

// Fatalf adds what the other platform shows.
func (t transcripts) Fatalf(format string, args ...any) {
	t.Helper()
	if t.slack && t.d.slack != nil {
		format, args = format+"\n\nin Slack:\n%s", append(args, t.d.slack.TranscriptAll())
	}
	if t.teams && t.d.teams != nil {
		format, args = format+"\n\nin Teams:\n%s", append(args, t.d.teams.TranscriptAll())
	}
	t.T.Fatalf(format, args...)
}

func (d *parityDesk) Now() time.Time { return d.now() }

// Pass waits first: hours that go by within a call are no test of the desk.
func (d *parityDesk) Pass(by time.Duration) {
	d.t.Helper()
	d.Settle()
	d.pass(by)
}

func (d *parityDesk) Settle() {
	d.t.Helper()
	d.dead()
}

func (d *parityDesk) Record(query string, args ...any) int {
	d.t.Helper()
	return d.count(query, args...)
}

func (d *parityDesk) Token(owner string) (bearer string) {
	d.t.Helper()
	if err := d.db.InTx(d.t.Context(), func(tx *storage.Tx) error {
		id, err := tx.PersonByMail(d.t.Context(), owner+"@acme.example")
		if err == nil {
			_, bearer, err = tx.MakeToken(d.t.Context(), storage.Token{Name: "deploy", Owner: id, Scopes: []string{storage.ScopeRaise}}, "test", d.now())
		}
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return bearer
}

func (d *parityDesk) Applies() {
	d.t.Helper()
	p, err := policyfile.Parse("company.yaml", []byte(companyOn(d.on)))
	if err != nil {
		d.t.Fatal(err)
	}
	p.Removed = map[string]policy.AfterRemoval{}
	for _, l := range policy.BuiltIn().Levels { // tickets have been opened under them
		p.Removed[l.Slug] = policy.Move
	}
	if err := d.db.InTx(d.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(d.t.Context(), p, "test", d.now())
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *parityDesk) Asks(token, method, path, body string) (int, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.o.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func (d *parityDesk) Restart() {
	d.t.Helper()
	if err := d.app.Stop(); err != nil {
		d.t.Fatal(err)
	}
	d.start(d.o)
}

func (d *parityDesk) Trouble(platform string, what adaptertest.Trouble) {
	var calls atomic.Int64
	limited := func() bool { return what == adaptertest.Limited && calls.Add(1) <= 3 }
	lost := func() bool { return what == adaptertest.Lossy && calls.Add(1)%3 == 0 }
	if platform == adaptertest.Slack.Name {
		d.slack.OnCall(func(slacktest.Call) slacktest.Fault {
			switch {
			case what == adaptertest.Away:
				return slacktest.Fault{Status: http.StatusServiceUnavailable}
			case limited():
				return slacktest.Fault{RetryAfter: time.Second}
			}
			return slacktest.Fault{Lose: lost()}
		})
		d.slack.OnDelivery(nil)
		switch what {
		case adaptertest.Twice:
			d.slack.OnDelivery(func(slacktest.Delivery) slacktest.DeliveryFault { return slacktest.DeliveryFault{Copies: 1} })
		case adaptertest.Overtaken:
			d.slack.OnDelivery(func(e slacktest.Delivery) (f slacktest.DeliveryFault) {
				if strings.HasPrefix(e.Type, "message") && !bytes.Contains(e.Body, []byte(`"message_changed"`)) {
					f.Delay = time.Second
				}
				return f
			})
		}
		return
	}
	d.teams.OnCall(func(teamstest.Call) teamstest.Fault {
		switch {
		case what == adaptertest.Away:
			return teamstest.Fault{Status: http.StatusBadGateway}
		case limited():
			return teamstest.Fault{RetryAfter: time.Second}
		}
		return teamstest.Fault{Lose: lost()}
	})
	d.teams.OnDelivery(nil)
	switch what {
	case adaptertest.Overtaken:
		d.teams.OnDelivery(func(a teamstest.Delivery) (f teamstest.DeliveryFault) {
			if a.Type == "message" {
				f.Delay = time.Second
			}
			return f
		})
	case adaptertest.Twice:
		d.teams.OnDelivery(func(a teamstest.Delivery) teamstest.DeliveryFault {
			if a.Type == "invoke" { // which Teams sends once
				return teamstest.DeliveryFault{}
			}
			return teamstest.DeliveryFault{Copies: 1}
		})
	}
}

// slackWays is what people do in Slack's own way.
func (d *parityDesk) slackWays() *adaptertest.Own[*slacktest.Actor] {
	app := d.slack.App().Name
	return &adaptertest.Own[*slacktest.Actor]{
		About: (*slacktest.Actor).InThread,
		OpensHome: func(a *slacktest.Actor) adaptertest.Actor {
			return adaptertest.Play(d.t, a.OpensHome(), d.slackWays())
		},
		Says: func(a *slacktest.Actor, text string, files []adaptertest.File) *slacktest.Actor {
			var up []slacktest.Upload
			for _, f := range files {
				up = append(up, slacktest.Upload{Name: f.Name, Data: f.Data})
			}
			return a.Says(text, up...)
		},
		PressSure: func(a *slacktest.Actor, button, _ string) *slacktest.Actor { return a.Press(button) }, // Slack asks by itself
		Notified:  (*slacktest.Actor).Notified,
		Calls:     func(a *slacktest.Actor, text string) *slacktest.Actor { return a.Says("@" + app + " " + text) },
		Commands:  func(a *slacktest.Actor, text string) *slacktest.Actor { return a.Runs("/desk " + text) },
	}
}

// teamsWays is what they do in Teams'.
func (d *parityDesk) teamsWays() *adaptertest.Own[*teamstest.Actor] {
	app := d.teams.App().Name
	return &adaptertest.Own[*teamstest.Actor]{
		About: (*teamstest.Actor).InThread,
		OpensHome: func(a *teamstest.Actor) adaptertest.Actor {
			u := a.Person().User()
			return d.opensTab(adaptertest.Play(d.t, a, d.teamsWays()), chat.User{Platform: "teams", Workspace: d.teams.ID(), ID: u.ObjectID})
		},
		Says: func(a *teamstest.Actor, text string, files []adaptertest.File) *teamstest.Actor {
			var up, pasted []teamstest.Upload
			for _, f := range files {
				if f.Pasted {
					pasted = append(pasted, teamstest.Upload{Name: f.Name, Data: f.Data})
				} else {
					up = append(up, teamstest.Upload{Name: f.Name, Data: f.Data})
				}
			}
			if len(pasted) > 0 {
				return a.Pastes(text, pasted...)
			}
			return a.Says(text, up...)
		},
		Finds: func(a *teamstest.Actor, words string) string {
			return strings.Join(a.Results("Find", words), "\n")
		},
		PressSure: (*teamstest.Actor).PressSure,
		Notified:  (*teamstest.Actor).Notified,
		Calls:     func(a *teamstest.Actor, text string) *teamstest.Actor { return a.Says("@" + app + " " + text) },
		Commands:  func(a *teamstest.Actor, text string) *teamstest.Actor { return a.Runs("/desk " + text) },
	}
}

// teamOf is the team that one of Acme's channels is in: whoever is in a team is
// in all of its channels.
func teamOf(channel string) string {
	if channel == "general" || channel == "it-help" {
		return "Acme"
	}
	return "Team " + channel
}

// tenantOf is Acme's Teams with those who are there.
func tenantOf(t *testing.T, o teamstest.Options, on adaptertest.Pair) *teamstest.Tenant {
	t.Helper()
	o.App.Commands = []teamstest.Command{
		{ID: "ticket.from_message", Title: "Open a ticket", OnMessage: true},
		{ID: "find", Title: "Find", Search: true, Parameter: "text"},
	}
	w, err := teamstest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	for _, p := range on.PeopleOf(adaptertest.Teams) {
		if _, err := w.AddUser(teamstest.User{Name: p.Name, DisplayName: p.Real, Mail: p.Mail, TZ: "Europe/Berlin", Installed: true}); err != nil {
			t.Fatal(err)
		}
	}
	var teams []string
	for _, c := range on.ChannelsOf(adaptertest.Teams) {
		if name := teamOf(c.Name); !slices.Contains(teams, name) {
			teams = append(teams, name)
			if _, err := w.AddTeam(teamstest.Team{Name: name, Members: c.Members, AllMessages: true}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.AddChannel(teamstest.Channel{Name: c.Name, Team: teamOf(c.Name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return w
}
