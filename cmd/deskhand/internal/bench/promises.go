package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// promiseTeams have a channel for alerts each.
const promiseTeams = 20

// The services of the promises that are measured. What is promised for them
// says when they fall due; all of it at all hours, so that it is known when.
const (
	farOff  = "far-off" // nothing of it falls due while it is measured
	soonDue = "soon"    // answered within an hour
	changed = "changed" // the promise that another policy changes
	bare    = "bare"    // its clocks are claimed without the desk
)

// promises is a record of its own, with many open tickets whose clocks run.
type promises struct {
	*bench
	url    string
	store  *storage.DB
	slack  *slacktest.Workspace
	policy storage.PolicyID
	people []people.PersonID
	agents int
	queues []storage.Queue // of incidents, by team
	next   ticket.ID       // that has not been given
	alerts map[string]bool // ids of the channels for alerts
}

func alertsOf(team int) string { return fmt.Sprintf("alerts-%d", team) }

// promised is the policy; answer is what it promises for changed.
func promised(answer policy.Duration) policy.Policy {
	p := policy.BuiltIn()
	p.Desk.Company, p.Teams, p.Services = "Bench", nil, nil
	for t := range promiseTeams {
		slug := fmt.Sprintf("team-%d", t)
		p.Teams = append(p.Teams, policy.Team{Slug: slug, Name: fmt.Sprintf("Team %d", t), Tier: 1, Lead: mailOf(t), Members: []string{mailOf(t)},
			Channel: policy.Channels{"slack": channelOf(t)}, Alerts: policy.Channels{"slack": alertsOf(t)}})
	}
	level := func(service string, answer, fix policy.Duration) {
		p.Services = append(p.Services, policy.Service{Slug: service, Name: service, Incidents: "team-0", Requests: "team-0"})
		p.Levels = append(p.Levels, policy.ServiceLevel{Slug: service, Name: service, For: policy.Tickets{Services: []string{service}}, Calendar: policy.Always,
			Ladder: "once", Response: policy.Target{Within: answer}, Resolution: policy.Target{Within: fix}})
	}
	p.Levels = nil
	level(farOff, "7200h", "8000h")
	level(soonDue, "1h", "7200h")
	level(changed, answer, "8000h")
	level(bare, "7200h", "8000h")
	// One rung, so that it is known what falls due.
	p.Ladders = []policy.Ladder{{Slug: "once", Steps: []policy.Step{{At: 100, Channel: true, Requester: true}}, Every: "12h", Line: []policy.Recipient{policy.Lead}}}
	return p.WithDefaults()
}

// openPromises makes the record and its company.
func (b *bench) openPromises(ctx context.Context) (_ *promises, err error) {
	p := &promises{bench: b, agents: promiseTeams}
	if _, err := b.db.Pool().Exec(ctx, `create database promises`); err != nil {
		return nil, err
	}
	p.url = b.pg.DatabaseURL("promises")
	if p.store, err = storage.Open(ctx, p.url); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if err := storage.Migrate(ctx, p.store); err != nil {
		return nil, err
	}
	return p, p.store.InTx(ctx, func(tx *storage.Tx) error {
		for i := range p.agents + 100 {
			id, err := tx.PutPerson(ctx, people.Person{Name: fmt.Sprintf("Person %d", i), Mail: mailOf(i)})
			if err != nil {
				return err
			}
			p.people = append(p.people, id)
		}
		id, err := tx.ApplyPolicy(ctx, promised("7200h"), "bench", time.Now().Add(-time.Hour))
		if err != nil {
			return err
		}
		p.policy = id
		queues, err := tx.Queues(ctx)
		if err != nil {
			return err
		}
		for _, q := range queues {
			if q.Kind == ticket.Incident {
				p.queues = append(p.queues, q)
			}
		}
		p.next = 1
		// There is nothing yet that the policy is to be applied to.
		_, err = tx.Exec(ctx, `delete from due`)
		return err
	})
}

func (p *promises) close() (err error) {
	if p.slack != nil {
		err = p.slack.Close()
	}
	if p.store != nil {
		p.store.Close()
	}
	return err
}

// workspace makes the company's Slack anew, with limits of pace or without.
func (p *promises) workspace(ctx context.Context, pacing slacktest.Pacing) (err error) {
	if p.slack != nil {
		if err := p.slack.Close(); err != nil {
			return err
		}
	}
	p.slack, err = slacktest.New(slacktest.Options{App: slacktest.App{SigningSecret: "bench-secret", BotToken: "xoxb-bench"}, Pacing: pacing, KeepMessages: 20_000, KeepChanges: 1 << 17})
	if err != nil {
		return err
	}
	users := make([]string, len(p.people))
	for i := range p.people {
		u, err := p.slack.AddUser(slacktest.User{Name: userOf(i), RealName: fmt.Sprintf("Person %d", i), Email: mailOf(i), EmailConfirmed: true, TZ: "UTC"})
		if err != nil {
			return err
		}
		users[i] = u.ID
	}
	p.alerts = map[string]bool{}
	channels := map[string]string{}
	for t := range promiseTeams {
		for _, name := range []string{channelOf(t), alertsOf(t)} {
			c, err := p.slack.AddChannel(slacktest.Channel{Name: name, Members: []string{p.slack.App().BotUserID, users[t]}})
			if err != nil {
				return err
			}
			channels[name] = c.ID
			if name == alertsOf(t) {
				p.alerts[c.ID] = true
			}
		}
	}
	if err := p.slack.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	return p.store.InTx(ctx, func(tx *storage.Tx) error {
		// As a desk that has run for a while knows them.
		for name, id := range channels {
			if _, err := tx.Exec(ctx, `update desk_channels set workspace = $1, channel = $2 where name = $3`, p.slack.Team().ID, id, name); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `delete from accounts`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into accounts (platform, workspace, user_id, person_id, name, checked_at, greeted_at)
			select 'slack', $1, u, p, 'Person', now(), now() from unnest($2::text[], $3::bigint[]) as x (u, p)`, p.slack.Team().ID, users, p.people)
		return err
	})
}

// desk starts the desk on the record.
func (p *promises) desk(ctx context.Context, paced bool) (*child, error) {
	app := p.slack.App()
	c, err := startChild(ctx, p.o.Child, childSpec{Mode: wholeDesk, Database: p.url, Data: p.dir + "/promises", Slack: p.slack.URL() + "/api/",
		SigningSecret: app.SigningSecret, BotToken: app.BotToken, Paced: paced})
	if err == nil {
		p.slack.Connect("http://" + c.Addr)
	}
	return c, err
}

// fill brings n open tickets with two clocks each into the record, of which the
// first few are of the service changed.
func (p *promises) fill(ctx context.Context, n, few int) error {
	began, told := time.Now(), time.Now()
	const atOnce = 50_000
	for done := 0; done < n; {
		service, many := farOff, min(atOnce, n-done)
		if done < few {
			service, many = changed, min(many, few-done)
		}
		// Opened over the last month, so that they fall due over a month.
		if _, err := p.bring(ctx, many, service, `now() - make_interval(secs => ((g * 7919) % 2592000))`, 7200*time.Hour, 8000*time.Hour, nil); err != nil {
			return err
		}
		done += many
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			left := time.Since(began) * time.Duration(n-done) / time.Duration(done)
			p.say("%d of %d tickets with their clocks, about %s left", done, n, left.Round(time.Second))
		}
	}
	// As a record that has grown over time: the planner knows it.
	_, err := p.store.Pool().Exec(ctx, `vacuum (analyze) tickets, clocks, ledger, threads`)
	return err
}

// bring brings n open tickets of a service into the record, opened at what an SQL
// expression says of their number g, which counts from 0. It returns the first.
func (p *promises) bring(ctx context.Context, n int, service, opened string, answer, fix time.Duration, args []any) (first ticket.ID, err error) {
	first = p.next
	queues := make([]ticket.QueueID, len(p.queues))
	teams := make([]people.TeamID, len(p.queues))
	for i, q := range p.queues {
		queues[i], teams[i] = q.ID, q.Team
	}
	err = p.store.InTx(ctx, func(tx *storage.Tx) error {
		all := append([]any{n, first, service, p.people[p.agents:], queues}, args...)
		if _, err := tx.Exec(ctx, `
			insert into tickets (id, kind, number, title, requester_id, author_id, queue_id, service, impact, urgency, priority, because, state, opened_at, version)
			overriding system value
			select $2::bigint + g, 'incident', $2::bigint + g, 'Ticket ' || ($2::bigint + g), ($4::bigint[])[1 + g % cardinality($4::bigint[])],
				($4::bigint[])[1 + g % cardinality($4::bigint[])], ($5::bigint[])[1 + g % cardinality($5::bigint[])], $3, 'me', 'today', 1 + g % 4, 'so', 'new', `+opened+`, 1
			from generate_series(0, $1 - 1) g`, all...); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			insert into ledger (ticket_id, seq, at, step, policy_id, level, priority, team_id)
			select t.id, 1, t.opened_at, 'opened', $3, t.service, t.priority, q.team_id from tickets t join queues q on q.id = t.queue_id
			where t.id >= $1 and t.id < $1::bigint + $2`, first, n, p.policy); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			insert into clocks (ticket_id, kind, level, state, since, round, due_at, left_ns, late, look_at)
			select t.id, k.kind, t.service, 'running', t.opened_at, 1, t.opened_at + k.within, (extract(epoch from k.within) * 1e9)::bigint, false, t.opened_at + k.within
			from tickets t, (values ('response', $3::interval), ('resolution', $4::interval)) as k (kind, within)
			where t.id >= $1 and t.id < $1::bigint + $2`, first, n, answer, fix); err != nil {
			return err
		}
		// Each has its card in its team's channel, posted long ago.
		if _, err := tx.Exec(ctx, `
			insert into threads (platform, workspace, channel, root, scope, side, ticket_id)
			select 'slack', $3, 'triage-' || t.queue_id, 'card-' || t.id, 'open', 'team', t.id from tickets t
			where t.id >= $1 and t.id < $1::bigint + $2`, first, n, p.slack.Team().ID); err != nil {
			return err
		}
		// Whoever opens a ticket while it is measured gets a number after these.
		_, err := tx.Exec(ctx, `select setval('incident_numbers', $1::bigint), setval(pg_get_serial_sequence('tickets', 'id'), $1::bigint)`, int64(first)+int64(n))
		return err
	})
	p.next += ticket.ID(n) + 1
	if err != nil {
		err = fmt.Errorf("bench: %d tickets of %s: %w", n, service, err)
	}
	return first, err
}

// threads gives tickets the requester's thread, with the card in it, as the
// desk would have.
func (p *promises) threads(ctx context.Context, first ticket.ID, n int) error {
	now := time.Now()
	users := map[people.PersonID]string{}
	rows, err := p.store.Pool().Query(ctx, `select person_id, user_id from accounts`)
	if err != nil {
		return err
	}
	var (
		person people.PersonID
		user   string
	)
	if _, err := pgx.ForEachRow(rows, []any{&person, &user}, func() error { users[person] = user; return nil }); err != nil {
		return err
	}
	const atOnce = 200
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for from := 0; from < n; from += atOnce {
		group.Go(func() error {
			return p.store.InTx(ctx, func(tx *storage.Tx) error {
				for i := from; i < min(from+atOnce, n); i++ {
					requester := p.people[p.agents+i%(len(p.people)-p.agents)]
					th, err := tx.OpenThread(ctx, storage.Thread{Platform: "slack", Workspace: p.slack.Team().ID, User: users[requester],
						Scope: string(chat.Direct), Side: string(storage.RequesterSide), Ticket: first + ticket.ID(i)})
					if err != nil {
						return err
					}
					if err := tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: th.Platform, Workspace: th.Workspace, Thread: th.ID, Root: true,
						Card: "status", Subject: int64(first) + int64(i)}, storage.LaneReply, now); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return group.Wait()
}

// due makes n tickets whose answer is promised by from and every step after
// it; all of them at once if step is 0.
func (p *promises) due(ctx context.Context, n int, service string, from time.Time, step time.Duration) (ticket.ID, error) {
	within, fix := time.Hour, 7200*time.Hour
	if service == bare {
		within, fix = 7200*time.Hour, 8000*time.Hour
	}
	return p.bring(ctx, n, service, `$6::timestamptz - $8::interval + g * $7::interval`, within, fix, []any{from, step, within})
}

// accepted is how long after its instant the platform had taken each alert of
// the tickets, as the desk's own record has it.
func (p *promises) accepted(ctx context.Context, first ticket.ID, n int) (took, error) {
	rows, _ := p.store.Pool().Query(ctx, `
		select extract(epoch from max(t.accepted_at) - a.due_at)::float8 from alerts a join tellings t on t.alert_id = a.id
		where a.ticket_id >= $1 and a.ticket_id < $1::bigint + $2 and a.kind = 'response' and a.percent = 100
		group by a.id, a.due_at having count(*) = count(t.accepted_at)`, first, n)
	seconds, err := pgx.CollectRows(rows, pgx.RowTo[float64])
	all := make(took, len(seconds))
	for i, s := range seconds {
		all[i] = time.Duration(s * float64(time.Second))
	}
	return all.sorted(), err
}

// deadline measures the sum itself.
func (b *bench) deadline() error {
	levels, err := policy.BuiltIn().Compile()
	if err != nil {
		return err
	}
	office, _ := levels.Calendar("office")
	opened := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	year := sla.Ledger{{At: opened, Step: sla.Opened, Terms: sla.Terms{Policy: "A year", Targets: []sla.Target{{Kind: sla.Resolution, Within: 2000 * time.Hour, Calendar: office}}}}}
	for i := range 6 { // with what happens to a ticket in a year
		at := opened.AddDate(0, i+1, 0)
		year = append(year, sla.Event{At: at, Step: sla.Waited, Reason: ticket.ForPart}, sla.Event{At: at.AddDate(0, 0, 3), Step: sla.Woken})
	}
	const times = 20_000
	measure := func(l sla.Ledger) (time.Duration, error) {
		all := make(took, 0, 5)
		for range 5 {
			began := time.Now()
			for range times {
				c, ok := l.Clock(sla.Resolution)
				if _, due := c.Due(); !ok || !due {
					return 0, errors.New("bench: there is no deadline")
				}
			}
			all = append(all, time.Since(began)/times)
		}
		return all.sorted()[len(all)/2], nil
	}
	long, err := measure(year)
	if err != nil {
		return err
	}
	short, err := measure(year[:1])
	if err != nil {
		return err
	}
	µs := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	b.add(Row{Name: "deadline", What: "a deadline a year ahead, with six pauses, from its ledger", Value: fmt.Sprintf("%.2f µs", µs(long)),
		FloorIs: "the same without pauses", Floor: fmt.Sprintf("%.2f µs", µs(short)),
		Figures: map[string]float64{"us": µs(long), "floor_us": µs(short)}}.goal(long < 20*time.Microsecond, "< 20 µs"))
	return nil
}
