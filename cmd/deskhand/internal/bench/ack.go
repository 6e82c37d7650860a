package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// bareIs names the floor of acknowledgements.
const bareIs = "a bare handler: signature, one INSERT"

// shots is what came of the rounds against one app.
type shots struct {
	rates, p50s, p99s, cpus []float64
	worst                   time.Duration
	all                     took
}

func (s *shots) add(t took, over time.Duration, u usage) {
	s.rates = append(s.rates, float64(len(t))/over.Seconds())
	s.p50s = append(s.p50s, ms(t.at(50)))
	s.p99s = append(s.p99s, ms(t.at(99)))
	s.cpus = append(s.cpus, u.each(len(t)))
	if len(t) > 0 {
		s.worst = max(s.worst, t[len(t)-1])
	}
	s.all = append(s.all, t...)
}

func (s *shots) String() string {
	return fmt.Sprintf("%.0f/s, p99 %.1f ms, %.2f ms CPU", median(s.rates), median(s.p99s), median(s.cpus))
}

// ratios are medians of the ratios of paired rounds.
func ratios(a, b []float64) float64 {
	var r []float64
	for i := range a {
		if b[i] > 0 {
			r = append(r, a[i]/b[i])
		}
	}
	return median(r)
}

func (b *bench) gun(c *child) *gun {
	app, user := b.slack.App(), b.slack.Person(userOf(0)).User()
	talk, _ := b.slack.Channel("talk") // made with the workspace
	g := &gun{addr: c.Addr, secret: app.SigningSecret, team: b.slack.Team().ID, app: app.ID, bot: app.BotUserID, channel: talk.ID, n: &b.fired, users: []string{user.ID}}
	for i := 1; i < b.company.people; i++ {
		g.users = append(g.users, b.slack.Person(userOf(i)).ID())
	}
	return g
}

// pair fires at the desk and at the floor in turns, so that both meet the same
// moments of a machine that they may share.
func (b *bench) pair(ctx context.Context, desk, bare *child, conns int, rate float64) (of, floor shots, err error) {
	for range b.o.Scale.Rounds {
		for _, app := range []struct {
			c *child
			s *shots
		}{{desk, &of}, {bare, &floor}} {
			before, err := b.usageOf(app.c)
			if err != nil {
				return of, floor, err
			}
			t, err := b.gun(app.c).volley(ctx, conns, rate, b.o.Scale.Round)
			if err != nil {
				return of, floor, err
			}
			after, err := b.usageOf(app.c)
			if err != nil {
				return of, floor, err
			}
			app.s.add(t, b.o.Scale.Round, after.since(before))
		}
	}
	return of, floor, nil
}

// acknowledge measures the way from the request to the disk and back alone.
func (b *bench) acknowledge(ctx context.Context) (err error) {
	desk, err := b.start(ctx, acceptOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.stop()) }()
	bare, err := b.start(ctx, bareInsert)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	for _, c := range []*child{desk, bare} { // connections, statements, first pages
		if _, err := b.gun(c).volley(ctx, 16, 0, b.o.Scale.Round/3); err != nil {
			return err
		}
	}
	for _, conns := range []int{16, 64} {
		var of, floor shots
		err := b.profiled(desk, fmt.Sprintf("ack-%d", conns), func() (err error) {
			of, floor, err = b.pair(ctx, desk, bare, conns, 0)
			return err
		})
		if err != nil {
			return err
		}
		rate, p99, cpu := ratios(of.rates, floor.rates), ratios(of.p99s, floor.p99s), ratios(of.cpus, floor.cpus)
		b.add(Row{
			Name: fmt.Sprintf("ack.%d", conns), What: fmt.Sprintf("acknowledge an event, %d connections", conns),
			Value: of.String(), FloorIs: bareIs, Floor: floor.String(), Ratio: fmt.Sprintf("rate × %.2f, p99 × %.2f, CPU × %.2f", rate, p99, cpu),
			Figures: map[string]float64{"rate": median(of.rates), "p99_ms": median(of.p99s), "cpu_ms": median(of.cpus), "floor_rate": median(floor.rates),
				"floor_p99_ms": median(floor.p99s), "floor_cpu_ms": median(floor.cpus), "rate_ratio": rate, "p99_ratio": p99, "cpu_ratio": cpu},
		}.goal(rate >= 0.8 && p99 <= 2, "rate ≥ × 0.8, p99 ≤ × 2"))
	}
	return b.forgetEvents(ctx)
}

// acknowledgeBusy measures the same while the whole desk works on what comes:
// messages of people who talk among themselves, which are most of what a
// workspace sends.
func (b *bench) acknowledgeBusy(ctx context.Context) (err error) {
	if err := b.haveArticles(ctx, b.o.Scale.Small); err != nil {
		return err
	}
	desk, err := b.start(ctx, wholeDesk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.stop()) }()
	bare, err := b.start(ctx, bareInsert)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	if _, err := b.gun(desk).volley(ctx, 4, 0, b.o.Scale.Round); err != nil { // profiles of the people
		return err
	}
	if _, err := b.gun(bare).volley(ctx, 4, 0, b.o.Scale.Round/3); err != nil {
		return err
	}
	if err := b.drained(ctx); err != nil {
		return err
	}

	of, floor, err := b.pair(ctx, desk, bare, 8, 50)
	if err != nil {
		return err
	}
	mine, theirs := of.all.sorted(), floor.all.sorted()
	b.add(Row{
		Name: "ack.50/s", What: "acknowledge 50 events/s, the desk at work",
		Value:   fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(mine.at(50)), ms(mine.at(99))),
		FloorIs: bareIs, Floor: fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(theirs.at(50)), ms(theirs.at(99))),
		Ratio: fmt.Sprintf("p50 × %.2f, p99 × %.2f", ms(mine.at(50))/ms(theirs.at(50)), ms(mine.at(99))/ms(theirs.at(99))),
		Figures: map[string]float64{"p50_ms": ms(mine.at(50)), "p99_ms": ms(mine.at(99)),
			"floor_p50_ms": ms(theirs.at(50)), "floor_p99_ms": ms(theirs.at(99))},
	})

	conns := 256
	if b.o.Scale.Gentle {
		conns = 32
	}
	var many shots
	err = b.profiled(desk, "busy", func() error {
		for range b.o.Scale.Rounds {
			before, err := b.usageOf(desk)
			if err != nil {
				return err
			}
			t, err := b.gun(desk).volley(ctx, conns, 0, b.o.Scale.Round)
			if err != nil {
				return err
			}
			after, err := b.usageOf(desk)
			if err != nil {
				return err
			}
			many.add(t, b.o.Scale.Round, after.since(before))
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := many.all.sorted()
	b.add(Row{
		Name: "ack.256", What: fmt.Sprintf("acknowledge, %d connections, the desk at work", conns),
		Value:   fmt.Sprintf("%.0f/s, p99 %.0f ms, worst %.0f ms", median(many.rates), ms(all.at(99)), ms(many.worst)),
		Figures: map[string]float64{"rate": median(many.rates), "p99_ms": ms(all.at(99)), "worst_ms": ms(many.worst)},
	}.goal(all.at(99) < 500*time.Millisecond && many.worst < 3*time.Second, "p99 < 500 ms, worst < 3 s"))
	return b.forgetEvents(ctx)
}

// forgetEvents takes what is left of the load from the record, so that the next
// stage begins as on a quiet day.
func (b *bench) forgetEvents(ctx context.Context) error {
	if _, err := b.db.Pool().Exec(ctx, `truncate inbox, seen; drop table if exists bench_floor`); err != nil {
		return fmt.Errorf("clear up: %w", err)
	}
	return nil
}
