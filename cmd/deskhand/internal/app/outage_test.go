package app

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage/pglocal"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// While the database is away Slack is told to try again and people are told so
// too, nothing half-done stays, and afterwards everything is as if it had not
// been away.
func TestDatabaseGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Cluster(t)
	d := &desk{t: t}
	d.slack = workspace(t, slacktest.Options{Now: d.now, Redeliver: []time.Duration{time.Second, 5 * time.Second, 20 * time.Second}})
	seed(t, cluster.URL())
	d.start(Options{DatabaseURL: cluster.URL()})
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("a quixotic zebra hums").Press("Open a ticket").Press("Something is broken").SeesForm("Who is affected?")
	ana.Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today")
	form := ana.Person().Views()[0]
	d.Person("eva").Says("an unrelated walrus sings").Press("Talk to a person").Sees("INC-1")
	ben.Sees("INC-1", "Claim")
	card := d.message("ben", "it-triage", "INC-1")
	d.dead()

	if err := cluster.Halt(pglocal.Immediate); err != nil {
		t.Fatal(err)
	}
	home := "http://" + d.app.Addr()
	if code, _ := get(t.Context(), home+"/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz is %d, want 503", code)
	}
	if code, _ := get(t.Context(), home+"/healthz"); code != http.StatusOK {
		t.Errorf("/healthz is %d, want 200: the process itself is well", code)
	}
	event := d.wire(map[string]any{"type": "message", "channel": d.dm("ana"), "channel_type": "im", "user": ana.Person().ID(), "text": "thanks", "ts": "1700000000.000100"})
	if code := d.sends("/slack/events", event); code != http.StatusServiceUnavailable {
		t.Errorf("an event is answered with %d, want 503", code)
	}
	command := url.Values{"command": {"/desk"}, "user_id": {ana.Person().ID()}, "trigger_id": {"1.2.3"}, "team_id": {d.slack.Team().ID}, "text": {"vpn"}}.Encode()
	if code := d.sends("/slack/commands", command); code != http.StatusOK {
		t.Errorf("a command is answered with %d, want 200 with words of our own", code)
	}
	var shown *slacktest.AppError
	if err := ben.Person().Act(slacktest.Act{Channel: card.Channel, TS: card.TS, Action: d.action(card, "ticket.claim")}); !errors.As(err, &shown) {
		t.Errorf("a click: %v, want Slack to say that it failed", err)
	}
	if _, err := ana.Person().Submit(form.ID); !errors.As(err, &shown) {
		t.Errorf("a form: %v, want Slack to say that it failed", err)
	}
	d.Person("eva").Says("the printer is not printing") // is delivered again

	if err := cluster.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for code := 0; code != http.StatusOK; {
		if code, _ = get(ctx, home+"/readyz"); ctx.Err() != nil {
			t.Fatal("/readyz stays 503")
		}
	}
	if n := d.count(`select (select count(*) from tickets) + (select count(*) from audit where action = 'claimed') + (select count(*) from inbox)`); n != 1 {
		t.Errorf("%d traces, want the one ticket from before", n)
	}
	d.Person("eva").Sees("Solved it") // asks nothing again
	ana.Submits().Sees("INC-", "New") // a crash skips some numbers
	ben.PressOn("INC-1", "Claim").Sees("Ben Weber is on it")
	d.dead()
	for query, want := range map[string]int{
		`select count(*) from tickets`: 2, `select count(*) from audit where action = 'claimed'`: 1, `select count(*) from questions`: 3,
	} {
		if n := d.count(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}
