package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/cards"
)

// teamsLife is a ticket that somebody has asked for in Teams, and that is worked
// on in Slack.
type teamsLife struct {
	who   int
	chat  string
	agent *slacktest.Person
	at    place // its card in Slack
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
	func(b *bench, _ context.Context, t *tenancy, l *teamsLife) (err error) {
		if l.at, err = b.cardOf(t, l.who, l.chat); err != nil {
			return err
		}
		_, err = b.press(l.agent, l.at, cards.Claim)
		return err
	},
	func(_ *bench, _ context.Context, _ *tenancy, l *teamsLife) error {
		_, err := l.agent.Say(slacktest.Post{Channel: l.at.channel, Thread: l.at.ts, Text: "which one is it?"})
		return err
	},
	func(_ *bench, _ context.Context, t *tenancy, l *teamsLife) error {
		_, err := t.person(l.who).Say(teamstest.Post{Channel: l.chat, Text: "the big one beside the lift"})
		return err
	},
	func(b *bench, _ context.Context, _ *tenancy, l *teamsLife) error {
		v, err := b.press(l.agent, l.at, cards.Resolve)
		if err != nil {
			return err
		}
		if err := l.agent.Act(slacktest.Act{View: v.ID, Block: "resolution", Action: action(v.Blocks, cards.Resolve+":resolution"), Values: []string{"Restarted it."}}); err != nil {
			return err
		}
		return b.submit(l.agent, &life{form: v.ID})
	},
	func(_ *bench, _ context.Context, t *tenancy, l *teamsLife) error {
		return t.press(l.who, l.chat, "Yes, close")
	},
}

// lifeIn takes tickets that come from Teams through their lives.
func (b *bench) lifeIn(ctx context.Context, t *tenancy, c *child) error {
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
			all = append(all, &teamsLife{who: i, chat: chat, agent: b.slack.Person(userOf(i))})
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
	b.add(Row{Name: "teams.life", What: "tickets through their life, asked in Teams and worked on in Slack: ask, open, claim, a reply each way, resolve, close",
		Value: fmt.Sprintf("%.0f/s, CPU %.1f ms each", rate, cost), Figures: map[string]float64{"rate": rate, "tickets": float64(lived), "cpu_ms": cost}})
	return nil
}
