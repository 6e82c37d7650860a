package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/storage"
)

// teamsLife is a ticket that somebody has asked for in Teams.
type teamsLife struct {
	who   int
	chat  string
	agent worker
}

// worker is an agent with one ticket, where agents work.
type worker interface {
	claim(ctx context.Context, ref string) error
	say(text string) error
	resolve(with string) error
}

// inSlack is one who works in Slack.
type inSlack struct {
	b   *bench
	who *slacktest.Person
	at  place // the ticket's card
}

func (w *inSlack) claim(_ context.Context, ref string) error {
	var ok bool
	if w.at, ok = w.b.listener.triageCard(ref); !ok {
		return fmt.Errorf("%w: %q", errNoCard, ref)
	}
	_, err := w.b.press(w.who, w.at, cards.Claim)
	return err
}

func (w *inSlack) say(text string) error {
	_, err := w.who.Say(slacktest.Post{Channel: w.at.channel, Thread: w.at.ts, Text: text})
	return err
}

func (w *inSlack) resolve(with string) error {
	v, err := w.b.press(w.who, w.at, cards.Resolve)
	if err != nil {
		return err
	}
	if err := w.who.Act(slacktest.Act{View: v.ID, Block: "resolution", Action: action(v.Blocks, cards.Resolve+":resolution"), Values: []string{with}}); err != nil {
		return err
	}
	return w.b.submit(w.who, &life{form: v.ID})
}

// inTeams is one who works in Teams.
type inTeams struct {
	t             *tenancy
	who           *teamstest.Person
	channel, card string // the ticket's card
}

func (w *inTeams) claim(_ context.Context, ref string) error {
	for team := range teams {
		c, _ := w.t.Channel(channelOf(team))
		all, err := w.who.Messages(c.ID, "", mostInTeams)
		if err != nil {
			return err
		}
		for _, m := range slices.Backward(all) {
			if reference.FindString(m.Summary) == ref {
				w.channel, w.card = c.ID, m.ID
				return w.press("Claim")
			}
		}
	}
	return fmt.Errorf("%w: %q", errNoCard, ref)
}

func (w *inTeams) press(title string) error {
	m, err := w.who.See(w.channel, w.card)
	if err != nil {
		return err
	}
	return press(w.who, w.channel, title, m)
}

func (w *inTeams) say(text string) error {
	_, err := w.who.Say(teamstest.Post{Channel: w.channel, Thread: w.card, Text: text})
	return err
}

func (w *inTeams) resolve(with string) error {
	if err := w.press("Resolve"); err != nil {
		return err
	}
	d, open := w.who.Dialog()
	if !open {
		return errNoForm
	}
	if err := w.who.Enter(teamstest.Act{Dialog: d.ID}, inputOf(d.Card), with); err != nil {
		return err
	}
	refused, err := w.who.Submit(d.ID)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("the form is refused: %v", refused)
	}
	return err
}

// inputOf is the id of the first field of some lines in a form.
func inputOf(card json.RawMessage) string {
	var v struct {
		Body []struct {
			Type  string `json:"type"`
			ID    string `json:"id"`
			Lines bool   `json:"isMultiline"`
		} `json:"body"`
	}
	if json.Unmarshal(card, &v) != nil {
		return ""
	}
	for _, e := range v.Body {
		if e.Type == "Input.Text" && e.Lines {
			return e.ID
		}
	}
	return ""
}

// teamsSteps are taken by all of a wave before the next one begins.
var teamsSteps = []func(*bench, context.Context, *tenancy, *teamsLife) error{
	func(b *bench, ctx context.Context, t *tenancy, l *teamsLife) error {
		patient, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errSilent)
		defer cancel()
		_, err := b.askIn(patient, t, l.who)
		return err
	},
	func(_ *bench, _ context.Context, t *tenancy, l *teamsLife) error {
		return t.press(l.who, l.chat, "Talk to a person")
	},
	func(_ *bench, ctx context.Context, t *tenancy, l *teamsLife) error {
		ref, err := t.newest(l.who, l.chat)
		if err != nil {
			return err
		}
		return l.agent.claim(ctx, ref)
	},
	func(_ *bench, _ context.Context, _ *tenancy, l *teamsLife) error {
		return l.agent.say("which one is it?")
	},
	func(_ *bench, _ context.Context, t *tenancy, l *teamsLife) error {
		_, err := t.person(l.who).Say(teamstest.Post{Channel: l.chat, Text: "the big one beside the lift"})
		return err
	},
	func(_ *bench, _ context.Context, _ *tenancy, l *teamsLife) error {
		return l.agent.resolve("Restarted it.")
	},
	func(_ *bench, _ context.Context, t *tenancy, l *teamsLife) error {
		return t.press(l.who, l.chat, "Yes, close")
	},
}

// lifeIn takes tickets that come from Teams through their lives, with agents
// where agent has them.
func (b *bench) lifeIn(ctx context.Context, t *tenancy, c *child, name, where string, agent func(i int) worker) error {
	before, err := b.usageOf(c)
	if err != nil {
		return err
	}
	const waves = 3
	began, lived := time.Now(), 0
	for range waves {
		var all []*teamsLife
		for i := range min(t.people, b.company.agents) {
			chat, err := t.person(i).Chat()
			if err != nil {
				return err
			}
			all = append(all, &teamsLife{who: i, chat: chat, agent: agent(i)})
		}
		for n, step := range teamsSteps {
			group, within := errgroup.WithContext(ctx)
			group.SetLimit(32)
			for _, l := range all {
				group.Go(func() error { return step(b, within, t, l) })
			}
			if err := group.Wait(); err != nil {
				return fmt.Errorf("step %d of a ticket's life: %w", n, err)
			}
			if err := t.Idle(ctx); err != nil {
				return err
			}
			if err := b.drained(ctx); err != nil {
				return err
			}
		}
		lived += len(all)
		b.listener.forget()
	}
	took := time.Since(began)
	after, err := b.usageOf(c)
	if err != nil {
		return err
	}
	rate, cost := float64(lived)/took.Seconds(), after.since(before).each(lived)
	b.add(Row{Name: name, What: "tickets through their life, asked in Teams and worked on " + where + ": ask, open, claim, a reply each way, resolve, close",
		Value: fmt.Sprintf("%.0f/s, CPU %.1f ms each", rate, cost), Figures: map[string]float64{"rate": rate, "tickets": float64(lived), "cpu_ms": cost}})
	return nil
}

// bothSides measures the life of tickets whose agents are in Teams too. It has
// the policy say so for as long as that takes.
func (b *bench) bothSides(ctx context.Context, t *tenancy) (err error) {
	var members []string
	for i := range min(t.people, b.company.agents) {
		if _, err := t.AddUser(teamstest.User{Name: userOf(i), DisplayName: fmt.Sprintf("Person %d", i), Mail: mailOf(i), Installed: true}); err != nil {
			return err
		}
		members = append(members, userOf(i))
	}
	if _, err := t.AddTeam(teamstest.Team{Name: "Desk", Members: members, AllMessages: true}); err != nil {
		return err
	}
	for team := range teams {
		if _, err := t.AddChannel(teamstest.Channel{Team: "Desk", Name: channelOf(team)}); err != nil {
			return err
		}
	}
	if err := b.worksIn(ctx, "teams"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.worksIn(ctx, "slack")) }()
	return b.deskIn(ctx, t, true, func(c *child) error {
		if err := t.Tenant.Person(members[0]).Install("Desk/" + channelOf(0)); err != nil {
			return err
		}
		if err := b.found(ctx); err != nil {
			return err
		}
		return b.lifeIn(ctx, t, c, "teams.both", "there", func(i int) worker { return &inTeams{t: t, who: t.Tenant.Person(userOf(i))} })
	})
}

// worksIn puts the policy in force by which agents work on a platform.
func (b *bench) worksIn(ctx context.Context, platform string) error {
	return b.db.InTx(ctx, func(tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(ctx, b.company.policy(platform), "bench", time.Now())
		return err
	})
}

// found waits until the desk knows the teams' channels.
func (b *bench) found(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errNoChannel)
	defer cancel()
	for {
		var missing int
		if err := b.db.Pool().QueryRow(ctx, `select count(*) from desk_channels where channel = ''`).Scan(&missing); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		if missing == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var errNoChannel = errors.New("the desk does not find the teams' channels")
