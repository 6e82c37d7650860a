package app

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// The list of conversations on Slack.
func TestSlack(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.On(adaptertest.Slack), parity)
}

// parity starts a desk for a conversation of the list.
func parity(t *testing.T, on adaptertest.Pair, bare bool) adaptertest.Desk {
	t.Helper()
	d := &desk{t: t}
	d.slack = workspaceOf(t, slacktest.Options{Now: d.now, Redeliver: []time.Duration{20 * time.Millisecond, time.Second, 5 * time.Second}}, on)
	url := pgtest.URL(t)
	if !bare {
		seedWith(t, url, companyOn(on))
	}
	d.start(Options{DatabaseURL: url})
	return &parityDesk{desk: d, url: url}
}

type parityDesk struct {
	*desk
	url string
}

func (d *parityDesk) Person(_, name string) adaptertest.Actor {
	d.t.Helper()
	return adaptertest.Play(d.t, d.desk.Person(name), onSlack(d.slack.App().Name))
}

func (d *parityDesk) Place(_, channel string) adaptertest.Place {
	d.t.Helper()
	return adaptertest.Seen(d.t, d.desk.Channel(channel))
}

func (d *parityDesk) Pass(by time.Duration) { d.pass(by) }

func (d *parityDesk) Settle() {
	d.t.Helper()
	d.dead()
}

func (d *parityDesk) Record(query string, args ...any) int {
	d.t.Helper()
	return d.count(query, args...)
}

func (d *parityDesk) Restart() {
	d.t.Helper()
	if err := d.app.Stop(); err != nil {
		d.t.Fatal(err)
	}
	d.start(Options{DatabaseURL: d.url})
}

func (d *parityDesk) Trouble(_ string, what adaptertest.Trouble) {
	var calls atomic.Int64
	faults := map[adaptertest.Trouble]func() slacktest.Fault{
		adaptertest.Away: func() slacktest.Fault { return slacktest.Fault{Status: http.StatusServiceUnavailable} },
		adaptertest.Limited: func() slacktest.Fault {
			if calls.Add(1) <= 3 {
				return slacktest.Fault{RetryAfter: time.Second}
			}
			return slacktest.Fault{}
		},
		adaptertest.Lossy: func() slacktest.Fault { return slacktest.Fault{Lose: calls.Add(1)%3 == 0} },
	}
	d.slack.OnCall(nil)
	if fault := faults[what]; fault != nil {
		d.slack.OnCall(func(slacktest.Call) slacktest.Fault { return fault() })
	}
	d.slack.OnDelivery(nil)
	if what == adaptertest.Twice {
		d.slack.OnDelivery(func(slacktest.Delivery) slacktest.DeliveryFault { return slacktest.DeliveryFault{Copies: 1} })
	}
}

// onSlack is what people do in Slack's own way.
func onSlack(app string) *adaptertest.Own[*slacktest.Actor] {
	return &adaptertest.Own[*slacktest.Actor]{
		About:     (*slacktest.Actor).InThread,
		OpensHome: (*slacktest.Actor).OpensHome,
		Says: func(a *slacktest.Actor, text string, files []adaptertest.File) *slacktest.Actor {
			var up []slacktest.Upload
			for _, f := range files {
				up = append(up, slacktest.Upload{Name: f.Name, Data: f.Data})
			}
			return a.Says(text, up...)
		},
		Notified: (*slacktest.Actor).Notified,
		Calls:    func(a *slacktest.Actor, text string) *slacktest.Actor { return a.Says("@" + app + " " + text) },
		Commands: func(a *slacktest.Actor, text string) *slacktest.Actor { return a.Runs("/desk " + text) },
	}
}
