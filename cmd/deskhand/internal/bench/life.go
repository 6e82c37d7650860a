package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/cards"
)

// life is one ticket on its way, and where its messages stand.
type life struct {
	number        int
	person, agent int
	dm            place // the question, and the thread below it
	ref           string
	triage        place
	form          string // view id, while one is open
}

// phase is a step that a wave of tickets takes, all of them before the next
// phase begins, so that its cost can be told from that of the others. In a wave
// nobody has two tickets, for a person has one form open at a time.
type phase struct {
	name string // of the row; empty: preparation, which costs but is no step
	what string
	most float64 // ms of CPU that it may cost; 0: no goal
	do   func(*bench, context.Context, *life) error
}

var phases = []phase{
	{"", "", 0, (*bench).lifeAsk},
	{"", "", 0, (*bench).lifeForm},
	{"open", "open a ticket: form sent, both cards delivered", 3.5, (*bench).lifeOpen},
	{"claim", "claim it: pressed, both cards redrawn", 1.5, (*bench).lifeClaim},
	{"reply", "reply in the thread, delivered on the other side", 1.5, (*bench).lifeReply},
	{"reply", "", 0, (*bench).lifeAnswer},
	{"reply", "", 0, (*bench).lifeReply},
	{"", "", 0, (*bench).lifeResolution},
	{"resolve", "resolve it: form sent, question delivered", 1.5, (*bench).lifeResolve},
	{"close", "close it: pressed, cards redrawn", 0, (*bench).lifeClose},
}

// spent is what tickets have cost in a step. Neither the double nor what plays
// the people counts: both are this process.
type spent struct {
	usage
	Double time.Duration
	Steps  int
}

// lives takes tickets through their lives, tells what each step costs and returns
// how many they were. The first wave is told apart: until then no connection to
// Postgres has planned the statements that a ticket needs, which each does once.
func (b *bench) lives(ctx context.Context, c *child) (tickets int, err error) {
	first, rest := map[string]spent{}, map[string]spent{}
	var steady time.Duration // of the steps in rest
	run := func(p phase, wave []*life, in map[string]spent) error {
		before, err := b.usageOf(c)
		if err != nil {
			return err
		}
		own := ownCPU()
		if err := b.everyone(ctx, wave, p.do); err != nil {
			return err
		}
		if err := b.drained(ctx); err != nil {
			return err
		}
		after, err := b.usageOf(c)
		if err != nil {
			return err
		}
		u, sum := after.since(before), in[p.name]
		in[p.name] = spent{usage{sum.Program + u.Program, sum.Postgres + u.Postgres}, sum.Double + ownCPU() - own, sum.Steps + len(wave)}
		return nil
	}
	err = b.profiled(c, "life", func() error {
		for from := -b.company.agents; from < b.o.Scale.Lives; from += b.company.agents {
			in, began := rest, time.Now()
			if from < 0 {
				in = first
			}
			wave := make([]*life, min(b.company.agents, b.o.Scale.Lives-max(from, 0)))
			for i := range wave {
				wave[i] = &life{number: tickets + i, person: b.company.agents + i, agent: i}
			}
			tickets += len(wave)
			for _, p := range phases {
				if err := run(p, wave, in); err != nil {
					return fmt.Errorf("%s: %w", p.name, err)
				}
			}
			if from >= 0 {
				steady += time.Since(began)
			}
			b.listener.forget()
			// As autovacuum does in the days that so many tickets take: what they need
			// of the disk is not to depend on how fast they come here. After it each
			// connection plans anew.
			const each = 250 // tickets: some tables have 2,000 dead rows
			if tickets/each > (tickets-len(wave))/each {
				if _, err := b.db.Pool().Exec(ctx, `vacuum`); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return tickets, err
	}
	rate := float64(b.o.Scale.Lives) / steady.Seconds()
	b.add(Row{Name: "life", What: "tickets through their life: ask, form, open, claim, three replies, resolve, close",
		Value: fmt.Sprintf("%.0f/s", rate), Figures: map[string]float64{"rate": rate, "tickets": float64(b.o.Scale.Lives)}})
	for _, p := range phases {
		if p.what == "" {
			continue
		}
		s, f := rest[p.name], first[p.name]
		all, desk, postgres := s.each(s.Steps), usage{Program: s.Program}.each(s.Steps), usage{Postgres: s.Postgres}.each(s.Steps)
		double, cold := usage{Program: s.Double}.each(s.Steps), f.each(f.Steps)
		row := Row{Name: "cpu." + p.name, What: p.what,
			Value:   fmt.Sprintf("%.2f ms CPU: %.2f desk + %.2f Postgres (+ %.2f double); the first %d: %.2f", all, desk, postgres, double, f.Steps, cold),
			Figures: map[string]float64{"cpu_ms": all, "desk_cpu_ms": desk, "postgres_cpu_ms": postgres, "load_cpu_ms": double, "first_cpu_ms": cold}}
		if p.most > 0 {
			row = row.goal(all <= p.most, "≤ %.1f ms", p.most)
		}
		b.add(row)
	}
	return tickets, nil
}

// everyone has some of the tickets take the step at a time, until all have.
func (b *bench) everyone(ctx context.Context, all []*life, do func(*bench, context.Context, *life) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	var once sync.Once
	for _, l := range all {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			err := do(b, ctx, l)
			if err != nil {
				once.Do(func() { err = fmt.Errorf("ticket %s of %s: %w", l.ref, userOf(l.person), err) })
			}
			return err
		})
	}
	return group.Wait()
}

func (b *bench) requester(l *life) *slacktest.Person { return b.slack.Person(userOf(l.person)) }

var reference = regexp.MustCompile(`\b(INC|REQ)-[0-9]+\b`)

func (b *bench) lifeAsk(ctx context.Context, l *life) error {
	who := b.requester(l)
	dm, err := who.DM()
	if err != nil {
		return err
	}
	said, err := who.Say(slacktest.Post{Channel: dm, Text: fmt.Sprintf("%s number %d, the %s on floor %d, is not working",
		b.company.words[20+l.number%teams], l.number, b.company.words[100+l.number%1000], l.number)})
	if err != nil {
		return err
	}
	l.dm = place{dm, said.TS}
	_, err = b.listener.answered(ctx, l.dm)
	return err
}

// lifeForm goes from the answer to the form.
func (b *bench) lifeForm(_ context.Context, l *life) error {
	v, err := b.press(b.requester(l), l.dm, cards.Open)
	if err != nil {
		return err
	}
	if v, err = b.pressIn(b.requester(l), v, cards.OpenKind); err != nil {
		return err
	}
	if v.CallbackID == "" {
		return errNoForm
	}
	if action(v.Blocks, cards.OpenSend) == "" { // something alike is open: it is different
		if v, err = b.pressIn(b.requester(l), v, cards.OpenOther); err != nil {
			return err
		}
	}
	l.form = v.ID
	for field, value := range map[string]string{"impact": "team", "urgency": "today"} {
		if err := b.requester(l).Act(slacktest.Act{View: v.ID, Block: field, Action: action(v.Blocks, cards.OpenSend+":"+field), Values: []string{value}}); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) lifeOpen(_ context.Context, l *life) error { return b.submit(b.requester(l), l) }

func (b *bench) lifeClaim(_ context.Context, l *life) error {
	// The phases are apart, so by now the cards of all tickets are there.
	for _, m := range b.listener.inThread(l.dm) {
		if ref := reference.FindString(m.Text); ref != "" {
			l.ref = ref
		}
	}
	var ok bool
	if l.triage, ok = b.listener.triageCard(l.ref); !ok {
		return errNoCard
	}
	_, err := b.press(b.slack.Person(userOf(l.agent)), l.triage, cards.Claim)
	return err
}

func (b *bench) lifeReply(_ context.Context, l *life) error {
	_, err := b.requester(l).Say(slacktest.Post{Channel: l.dm.channel, Thread: l.dm.ts, Text: "it is the big one beside the lift, and the display is red"})
	return err
}

func (b *bench) lifeAnswer(_ context.Context, l *life) error {
	_, err := b.slack.Person(userOf(l.agent)).Say(slacktest.Post{Channel: l.triage.channel, Thread: l.triage.ts, Text: "which printer is it, and what does its display say?"})
	return err
}

func (b *bench) lifeResolution(_ context.Context, l *life) error {
	who := b.slack.Person(userOf(l.agent))
	v, err := b.press(who, l.triage, cards.Resolve)
	if err != nil {
		return err
	}
	l.form = v.ID
	return who.Act(slacktest.Act{View: v.ID, Block: "resolution", Action: action(v.Blocks, cards.Resolve+":resolution"), Values: []string{"Restarted the print server and cleared the queue."}})
}

func (b *bench) lifeResolve(_ context.Context, l *life) error {
	return b.submit(b.slack.Person(userOf(l.agent)), l)
}

func (b *bench) lifeClose(_ context.Context, l *life) error {
	_, err := b.press(b.requester(l), l.dm, cards.Yes)
	return err
}

var (
	errNoForm   = errors.New("no form has opened")
	errNoCard   = errors.New("there is no card for it in a team's channel")
	errNoButton = errors.New("there is no such button")
)

// action is the id of the element for an action of the desk's; empty: there is
// none.
func action(blocks json.RawMessage, name string) string {
	m := regexp.MustCompile(`"action_id":"([a-z]+:` + regexp.QuoteMeta(name) + `:[^"]*)"`).FindSubmatch(blocks)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// press presses a button in a thread and returns the form that it opens, if it
// opens one.
func (b *bench) press(who *slacktest.Person, thread place, name string) (slacktest.View, error) {
	for _, m := range b.listener.inThread(thread) {
		id := action(m.Blocks, name)
		if id == "" {
			continue
		}
		if err := who.Act(slacktest.Act{Channel: thread.channel, TS: m.TS, Action: id}); err != nil {
			return slacktest.View{}, err
		}
		return top(who), nil
	}
	return slacktest.View{}, fmt.Errorf("%w: %s", errNoButton, name)
}

func (b *bench) pressIn(who *slacktest.Person, v slacktest.View, name string) (slacktest.View, error) {
	id := action(v.Blocks, name)
	if id == "" {
		return v, fmt.Errorf("%w: %s in the form", errNoButton, name)
	}
	if err := who.Act(slacktest.Act{View: v.ID, Action: id}); err != nil {
		return v, err
	}
	return top(who), nil
}

// top is the form that somebody sees.
func top(who *slacktest.Person) slacktest.View {
	views := who.Views()
	if len(views) == 0 {
		return slacktest.View{}
	}
	return views[len(views)-1]
}

func (b *bench) submit(who *slacktest.Person, l *life) error {
	refused, err := who.Submit(l.form)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("the form is refused: %v", refused)
	}
	return err
}

// triageCard is where a ticket's card stands in a team's channel.
func (l *listener) triageCard(ref string) (place, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.triage) == 0 {
		l.triage = map[string]place{}
		for root, said := range l.newest {
			for _, m := range said {
				if action(m.Blocks, cards.Claim) != "" {
					l.triage[reference.FindString(m.Text)] = root
				}
			}
		}
	}
	p, ok := l.triage[ref]
	return p, ok
}
