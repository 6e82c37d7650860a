package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

var (
	errStuck  = errors.New("the desk does not come to an end")
	errSilent = errors.New("a question was not answered")
)

// openDesk starts a desk that the double knows, and that knows everybody.
func (b *bench) openDesk(ctx context.Context, articles int) (*child, error) {
	if err := b.haveArticles(ctx, articles); err != nil {
		return nil, err
	}
	c, err := b.start(ctx, wholeDesk)
	if err != nil {
		return nil, err
	}
	b.slack.Connect("http://" + c.Addr)
	// The first question of each costs more: the desk asks Slack who that is.
	var group errgroup.Group
	group.SetLimit(8)
	for i := range b.company.people {
		group.Go(func() error {
			_, err := b.askOne(ctx, i, "the printer does not print")
			return err
		})
	}
	err = group.Wait()
	if err == nil {
		err = b.drained(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// askOne says something to the desk and waits until there is an answer.
func (b *bench) askOne(ctx context.Context, person int, text string) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errSilent)
	defer cancel()
	who := b.slack.Person(userOf(person))
	dm, err := who.DM()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	said, err := who.Say(slacktest.Post{Channel: dm, Text: text})
	if err != nil {
		return 0, err
	}
	at, err := b.listener.answered(ctx, place{dm, said.TS})
	return at.Sub(began), err
}

// asking asks so many questions a second, or, with 0, as fast as conversations
// people at a time get their answers.
func (b *bench) asking(ctx context.Context, rate float64, conversations int) (took, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	questions := make(chan string)
	var group errgroup.Group
	var mu sync.Mutex
	var all took
	if rate > 0 {
		conversations = 64
	}
	conversations = min(conversations, b.company.people)
	for i := range conversations {
		group.Go(func() error {
			person := i
			for q := range questions {
				t, err := b.askOne(ctx, person, q)
				if err != nil {
					cancel()
					return err
				}
				person = (person + conversations) % b.company.people
				mu.Lock()
				all = append(all, t)
				mu.Unlock()
			}
			return nil
		})
	}
	began := time.Now()
	for n := 0; time.Since(began) < b.o.Scale.Asking && ctx.Err() == nil; n++ {
		q := b.company.question()
		if rate > 0 {
			select {
			case <-time.After(time.Until(began.Add(time.Duration(float64(n) / rate * float64(time.Second))))):
			case <-ctx.Done():
			}
		}
		select {
		case questions <- q:
		case <-ctx.Done():
		}
	}
	close(questions)
	err := group.Wait()
	return all.sorted(), err
}

func (b *bench) askSmall(ctx context.Context) error { return b.askPaced(ctx, b.o.Scale.Small) }

func (b *bench) askLarge(ctx context.Context) error { return b.askPaced(ctx, b.o.Scale.Large) }

func (b *bench) askPaced(ctx context.Context, articles int) (err error) {
	c, err := b.openDesk(ctx, articles)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	const rate = 10
	t, err := b.asking(ctx, rate, 0)
	if err == nil {
		err = b.drained(ctx) // or the double would deliver the rest a minute later
	}
	if err != nil {
		return err
	}
	b.listener.forget()
	b.add(Row{Name: fmt.Sprintf("ask.%d", articles), What: fmt.Sprintf("question to answer delivered, %d/s, %d articles", rate, articles),
		Value:   fmt.Sprintf("p50 %.0f ms, p99 %.0f ms", ms(t.at(50)), ms(t.at(99))),
		Figures: map[string]float64{"p50_ms": ms(t.at(50)), "p99_ms": ms(t.at(99)), "questions": float64(len(t))}})
	return nil
}

// askUnpaced asks as fast as it is answered.
func (b *bench) askUnpaced(ctx context.Context, c *child) error {
	conversations := 64
	if b.o.Scale.Gentle {
		conversations = 4
	}
	return b.profiled(c, "ask", func() error {
		before, err := b.usageOf(c)
		if err != nil {
			return err
		}
		own, began := ownCPU(), time.Now()
		t, err := b.asking(ctx, 0, conversations)
		if err != nil {
			return err
		}
		over, load := time.Since(began), ownCPU()-own
		after, err := b.usageOf(c)
		if err != nil {
			return err
		}
		b.listener.forget()
		u, n := after.since(before), len(t)
		rate := float64(n) / over.Seconds()
		b.add(Row{Name: "ask.unpaced", What: fmt.Sprintf("questions answered, %d people at a time, %d articles", conversations, b.articles),
			Value: fmt.Sprintf("%.0f/s, p99 %.0f ms; CPU each %.2f ms desk + %.2f ms Postgres (+ %.2f ms double)", rate, ms(t.at(99)),
				usage{Program: u.Program}.each(n), usage{Postgres: u.Postgres}.each(n), usage{Program: load}.each(n)),
			Figures: map[string]float64{"rate": rate, "p50_ms": ms(t.at(50)), "p99_ms": ms(t.at(99)), "cpu_ms": u.each(n),
				"desk_cpu_ms": usage{Program: u.Program}.each(n), "load_cpu_ms": usage{Program: load}.each(n)},
		}.goal(rate >= 800, "≥ 800/s"))
		return nil
	})
}
