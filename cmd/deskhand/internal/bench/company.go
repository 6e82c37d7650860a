package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// The company that is measured. Its words are invented and come as often as
// words do: the r-th most frequent about 1/r times as often as the first.
type company struct {
	r      *rand.Rand
	zipf   *rand.Zipf
	words  []string
	people int
	agents int       // the first of them
	from   time.Time // "now" of what is generated
}

const (
	vocabulary = 30_000
	teams      = 4
)

func newCompany(people int, now time.Time) *company {
	r := rand.New(rand.NewPCG(20, 26))
	c := &company{r: r, zipf: rand.NewZipf(r, 1.07, 20, vocabulary-1), people: people, agents: people / 4, from: now}
	seen := make(map[string]bool)
	for len(c.words) < vocabulary {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteByte("bcdfghklmnprstvw"[r.IntN(16)])
			b.WriteByte("aeiou"[r.IntN(5)])
		}
		b.WriteByte("nrtkm"[r.IntN(5)])
		if w := b.String(); !seen[w] {
			seen[w] = true
			c.words = append(c.words, w)
		}
	}
	copy(c.words, strings.Fields("the is and my to work not password laptop printer wifi mail account login vpn screen access file teams update"))
	return c
}

func (c *company) text(n int) string {
	w := make([]string, n)
	for i := range w {
		w[i] = c.words[c.zipf.Uint64()]
	}
	return strings.Join(w, " ")
}

// question is as long as people's are in chat.
func (c *company) question() string { return c.text(5 + c.r.IntN(21)) }

func mailOf(person int) string { return fmt.Sprintf("person%d@bench.example", person) }

func userOf(person int) string { return fmt.Sprintf("person%d", person) }

func channelOf(team int) string { return fmt.Sprintf("triage-%d", team) }

// settle puts the company into an empty record: its agents are the first of its
// people, each in every team.
func (c *company) settle(ctx context.Context, db *storage.DB) error {
	return db.InTx(ctx, func(tx *storage.Tx) error {
		for i := range c.people {
			if _, err := tx.PutPerson(ctx, people.Person{Name: fmt.Sprintf("Person %d", i), Mail: mailOf(i)}); err != nil {
				return err
			}
		}
		_, err := tx.ApplyPolicy(ctx, c.policy("slack"), "bench", c.from)
		return err
	})
}

// policy has the agents of all teams work on one platform.
func (c *company) policy(platform string) policy.Policy {
	p := policy.BuiltIn()
	p.Desk.Company, p.Teams, p.Services = "Bench", nil, nil
	for t := range teams {
		slug := fmt.Sprintf("team-%d", t)
		team := policy.Team{Slug: slug, Name: "Team " + fmt.Sprint(t), Tier: 1, Channel: policy.Channels{platform: channelOf(t)}}
		for a := range c.agents {
			team.Members = append(team.Members, mailOf(a))
		}
		p.Teams = append(p.Teams, team)
		p.Services = append(p.Services, policy.Service{Slug: fmt.Sprintf("service-%d", t), Name: "Service " + c.words[20+t],
			Incidents: slug, Requests: slug, Words: []string{c.words[20+t], c.words[40+t]}})
	}
	p.Changes.Approvals = []policy.Approvals{{Stages: []policy.Stage{{Name: "Board", Ask: []string{mailOf(approverOf), mailOf(approverOf + 1)}, Within: "24h"}}}}
	return p.WithDefaults()
}

// workspace is the company's Slack, without limits of pace.
func (c *company) workspace() (*slacktest.Workspace, error) {
	w, err := slacktest.New(slacktest.Options{
		App:          slacktest.App{SigningSecret: "bench-secret", BotToken: "xoxb-bench"},
		KeepMessages: 20_000, KeepChanges: 1 << 17,
	})
	if err != nil {
		return nil, err
	}
	members := map[string][]string{"talk": {w.App().BotUserID}}
	for t := range teams {
		members[channelOf(t)] = []string{w.App().BotUserID}
	}
	for i := range c.people {
		u, err := w.AddUser(slacktest.User{Name: userOf(i), RealName: fmt.Sprintf("Person %d", i), Email: mailOf(i), EmailConfirmed: true, TZ: "Europe/Berlin"})
		if err != nil {
			return nil, err
		}
		members["talk"] = append(members["talk"], u.ID)
		for t := range teams {
			if i < c.agents {
				members[channelOf(t)] = append(members[channelOf(t)], u.ID)
			}
		}
	}
	for name, ids := range members {
		if _, err := w.AddChannel(slacktest.Channel{Name: name, Members: ids}); err != nil {
			return nil, err
		}
	}
	return w, w.Listen("127.0.0.1:0")
}

func (c *company) article(n int) knowledge.Article {
	var steps strings.Builder
	for s := range 8 {
		fmt.Fprintf(&steps, "%d. %s\n", s+1, c.text(15))
	}
	a := knowledge.Article{
		ID: knowledge.ArticleID(n), Slug: fmt.Sprintf("article-%d", n), Title: c.text(7), Symptom: c.text(20), Environment: c.text(6),
		Cause: c.text(15), Answer: steps.String(), Audience: []string{knowledge.Everyone}, Language: "en", Tags: []string{c.text(1), c.text(1)},
		Owner: mailOf(0), State: knowledge.Published, UpdatedAt: c.from, Seq: int64(n),
	}
	if n%10 == 0 {
		a.Audience = []string{"hr"}
	}
	return a
}

// articles makes the articles from to to-1 of the record, and no audit entries,
// for that nobody measures.
func (c *company) articles(ctx context.Context, db *storage.DB, from, to int, progress func(done int)) error {
	const atOnce = 5000
	for ; from < to; from += atOnce {
		n := min(atOnce, to-from)
		err := db.InTx(ctx, func(tx *storage.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"articles"},
				[]string{"slug", "title", "symptom", "environment", "answer", "cause", "audience", "language", "tags", "owner", "state", "updated_at", "seq"},
				pgx.CopyFromSlice(n, func(i int) ([]any, error) {
					a := c.article(from + i)
					return []any{a.Slug, a.Title, a.Symptom, a.Environment, a.Answer, a.Cause, a.Audience, a.Language, a.Tags, a.Owner, string(a.State), a.UpdatedAt, a.Seq}, nil
				}))
			if err == nil {
				_, err = tx.Exec(ctx, `update article_seq set seq = $1`, from+n-1)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("bench: articles: %w", err)
		}
		progress(from + n - 1)
	}
	return nil
}

// openShare is how many of a hundred tickets are open.
const openShare = 2

// tickets makes n tickets of the last year, each with its steps and three
// messages; openShare of them are still open, half of those unclaimed.
func (c *company) tickets(ctx context.Context, db *storage.DB, n int, progress func(done int)) error {
	var queues []storage.Queue
	if err := db.View(ctx, func(tx *storage.Tx) (err error) {
		queues, err = tx.Queues(ctx)
		return err
	}); err != nil {
		return err
	}
	const atOnce = 5000
	numbers := map[ticket.Kind]int64{}
	for done := 0; done < n; {
		past := make([]storage.PastTicket, min(atOnce, n-done))
		for i := range past {
			var err error
			q := queues[c.r.IntN(len(queues))]
			numbers[q.Kind]++
			opened := c.from.Add(-365 * 24 * time.Hour * time.Duration(n-done-i) / time.Duration(n))
			if past[i], err = c.ticket(ticket.ID(i+1), numbers[q.Kind], q, opened); err != nil {
				return fmt.Errorf("bench: tickets: %w", err)
			}
		}
		if err := db.InTx(ctx, func(tx *storage.Tx) error {
			_, err := tx.ImportTickets(ctx, past, "bench")
			return err
		}); err != nil {
			return err
		}
		done += len(past)
		progress(done)
	}
	return nil
}

func (c *company) ticket(id ticket.ID, number int64, q storage.Queue, at time.Time) (p storage.PastTicket, err error) {
	requester := people.PersonID(1 + c.agents + c.r.IntN(c.people-c.agents))
	agent := people.PersonID(1 + c.r.IntN(c.agents))
	tk := ticket.Ticket{ID: id, Number: number, Kind: q.Kind, Queue: q.ID, Team: q.Team, Title: c.text(6), Detail: c.text(25),
		Requester: requester, Author: requester, Service: fmt.Sprintf("service-%d", c.r.IntN(teams)),
		Impact: ticket.Impacts[c.r.IntN(2)], Urgency: ticket.Urgencies[c.r.IntN(len(ticket.Urgencies))]}
	step := func(is ticket.Ticket, ev ticket.Event, stepErr error) {
		if err == nil {
			if err = stepErr; err == nil {
				is.ID, is.Number, is.Version = id, number, len(p.Steps)+1
				tk, p.Steps = is, append(p.Steps, storage.PastStep{Event: ev, After: is})
			}
		}
	}
	is, ev, stepErr := ticket.Open(tk, ticket.DefaultMatrix, at)
	step(is, ev, stepErr)
	fate := c.r.IntN(200) // of 200, so that half of a percent is whole
	if fate >= openShare {
		is, ev, stepErr = tk.Claim(agent, at.Add(10*time.Minute))
		step(is, ev, stepErr)
	}
	if fate >= 2*openShare {
		is, ev, stepErr = tk.Resolve(agent, c.text(12), 0, at.Add(3*time.Hour))
		step(is, ev, stepErr)
		is, ev, stepErr = tk.Close(requester, "", at.Add(4*time.Hour))
		step(is, ev, stepErr)
	}
	for i, author := range []people.PersonID{requester, agent, requester} {
		side := storage.RequesterSide
		if author == agent {
			side = storage.TeamSide
		}
		p.Messages = append(p.Messages, storage.Message{Author: author, Body: c.text(15), Side: side, SaidAt: at.Add(time.Duration(i+1) * 20 * time.Minute)})
	}
	p.Ticket = tk
	return p, err
}
