package app

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// `go test ./...` runs a slice of this. The whole is
//
//	go test ./cmd/deskhand/internal/app -run Breaches -breaches=1000 -breaches.kills=20 -timeout 30m
var (
	breachesAll   = flag.Int("breaches", 40, "how many promises are missed")
	breachesKills = flag.Int("breaches.kills", 2, "how often a process is killed meanwhile")
)

// Three processes watch over one record, are killed at random instants and
// started again, and Postgres is restarted, while promises are missed all the
// time: each is told once in each place, and none is forgotten.
func TestBreachesAreToldOnce(t *testing.T) {
	t.Parallel()
	binary(t)
	_, chances := chaosChances(t)
	cluster := pgtest.Cluster(t)
	on := adaptertest.On(adaptertest.Slack)
	seedWith(t, cluster.URL(), crowded(on))
	w := newSlackScene(t, on, slacktest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	defer cancel()
	env := []string{"DESKHAND_DATABASE_URL=" + cluster.URL(), "DESKHAND_SLACK_SIGNING_SECRET=secret", "DESKHAND_SLACK_BOT_TOKEN=xoxb-test",
		"DESKHAND_SLACK_API_URL=" + w.w.URL() + "/api/", "DESKHAND_SLACK_UNPACED=true"}
	desks := []*process{serve(t, env...)}
	settled(ctx, t, desks[0], cluster.URL())
	for len(desks) < 3 {
		desks = append(desks, serve(t, env...))
	}
	db, err := storage.Open(ctx, cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	lasts := time.Duration(*breachesKills+1) * 3 * time.Second
	from := time.Now().Add(2 * time.Second)
	missSoon(ctx, t, db, w.w.Person("ana").ID(), *breachesAll, func(i int) time.Time { return from.Add(time.Duration(i) * lasts / time.Duration(*breachesAll)) })
	var all sync.WaitGroup
	all.Go(func() {
		for k := range *breachesKills {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Duration(chances.Int64N(int64(lasts) / int64(*breachesKills)))):
			}
			victim := desks[chances.IntN(len(desks))]
			victim.kill()
			if k == *breachesKills/2 {
				if err := cluster.Restart(ctx, pglocal.Immediate); err != nil {
					t.Errorf("restart Postgres: %v", err)
				}
			}
			victim.start()
		}
	})
	all.Wait()
	const told, sorry = `select count(*) from alerts where percent = 100`, `select count(*) from breaches where told_at is not null`
	for number(ctx, t, db, told) < *breachesAll || number(ctx, t, db, sorry) < *breachesAll {
		select {
		case <-ctx.Done():
			t.Fatalf("%d of %d breaches were told, %d to their requesters", number(ctx, t, db, told), *breachesAll, number(ctx, t, db, sorry))
		case <-time.After(50 * time.Millisecond):
		}
	}
	quietly, stop := context.WithTimeout(ctx, 3*time.Minute)
	defer stop()
	c := newCrowd(ctx, on, w, w, time.Minute)
	if err := quiet(quietly, c, db); err != nil {
		t.Errorf("it does not settle: %v", err)
	}
	p := &problems{}
	for what, sql := range map[string]string{
		"alerts":              `select count(*) from alerts where percent = 100`,
		"breaches":            `select count(*) from breaches`,
		"told in the channel": `select count(distinct ticket_id) from tellings where place like 'channel %'`,
		"told requesters":     `select count(distinct subject) from posts where card = 'late'`,
		"cards for them":      `select count(*) from posts where card = 'late'`,
		"taken by Slack":      `select count(*) from tellings where place like 'channel %' and accepted_at is not null`,
		"tellings":            `select count(*) from tellings where place like 'channel %'`,
		"entries on record":   `select count(*) from audit where action = 'alerted'`,
	} {
		if n := number(ctx, t, db, sql); n != *breachesAll {
			p.add("%d %s, want %d", n, what, *breachesAll)
		}
	}
	if dead := asJSON(ctx, t, db, `select * from dead_letters limit 20`); dead != "[]" {
		p.add("dead letters: %s", dead)
	}
	checkPosts(ctx, t, w, db, w.standing(), nil, p)
	checkAudit(ctx, t, db, p)
	p.report(t)
	var path storage.AlertPath
	if err := db.View(ctx, func(tx *storage.Tx) (err error) {
		path, err = tx.AlertPath(ctx, from.Add(-time.Hour))
		return err
	}); err != nil {
		t.Error(err)
	}
	t.Logf("from breach to Slack's acceptance, kills and all: half within %v, 99 %% within %v, the worst %v; %d messages for %d breaches",
		path.Half, path.Most, path.Worst, number(ctx, t, db, `select count(*) from posts where card in ('breach', 'digest')`), *breachesAll)
	for _, one := range desks {
		one.stop()
	}
}

// missSoon opens tickets of Ana's that have waited for an answer for almost as long as
// was promised.
func missSoon(ctx context.Context, t *testing.T, db *storage.DB, user string, n int, at func(i int) time.Time) {
	t.Helper()
	if err := db.InTx(ctx, func(tx *storage.Tx) error {
		ana, err := tx.LinkAccount(ctx, storage.Account{Platform: "slack", Workspace: "T0SLACKTEST", UserID: user, Name: "Ana Silva"}, "ana@acme.example", "", false, time.Now())
		if err != nil {
			return err
		}
		queues, err := tx.Queues(ctx)
		if err != nil {
			return err
		}
		_, policy, err := tx.Policy(ctx)
		if err != nil {
			return err
		}
		for i := range n {
			due := at(i).Truncate(time.Microsecond)
			if err := missOne(ctx, tx, ana, queues[0], policy, i, due); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func missOne(ctx context.Context, tx *storage.Tx, ana people.PersonID, queue storage.Queue, in storage.PolicyID, i int, due time.Time) error {
	opened := due.Add(-time.Hour)
	tk, ev, err := ticket.Open(ticket.Ticket{Kind: ticket.Incident, Title: fmt.Sprintf("zeppelin %d", i), Requester: ana, Author: ana, Queue: queue.ID, Team: queue.Team,
		Impact: ticket.OnlyMe, Urgency: ticket.Today}, ticket.DefaultMatrix, opened)
	if err != nil {
		return err
	}
	if tk, err = tx.OpenTicket(ctx, tk, ev, "test"); err != nil {
		return err
	}
	if err := tx.AddEntries(ctx, storage.LedgerEntry{Ticket: tk.ID, Seq: 1, At: opened, Step: sla.Opened, Policy: in, Level: "standard", Priority: tk.Priority, Team: tk.Team}); err != nil {
		return err
	}
	return tx.SetClocks(ctx, storage.Clock{Ticket: tk.ID, Kind: sla.Response, Level: "standard", State: sla.Running, Since: opened, Round: 1,
		Due: &due, Left: time.Hour, Percent: 90, Look: &due})
}
