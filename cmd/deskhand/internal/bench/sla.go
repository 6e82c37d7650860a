package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

const claimIs = "floor: the bare indexed claim, for update skip locked"

// serviceLevels measures how soon the desk tells that a promise was missed, with
// a great many that are not due.
func (b *bench) serviceLevels(ctx context.Context) (err error) {
	if err := b.deadline(); err != nil {
		return err
	}
	p, err := b.openPromises(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := os.MkdirAll(p.dir+"/promises", 0o755); err != nil { //nolint:gosec // as the directory above it
		return err
	}
	if err := p.workspace(ctx, slacktest.Pacing{}); err != nil {
		return err
	}
	s := b.o.Scale
	idle, err := p.idle(ctx)
	if err != nil {
		return err
	}
	if err := p.fill(ctx, s.Promises, s.Changing/2); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return p.idleAmongMany(ctx, idle) },
		func() error { return p.telling(ctx, "breach", "") },
		func() error { return p.moved(ctx) },
		func() error { return p.atOnce(ctx) },
		func() error { return p.policyChanged(ctx) },
		func() error { return p.storm(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// idle is the CPU that the desk and its Postgres use while nothing happens, as
// a share of one core.
func (p *promises) idle(ctx context.Context) (share float64, err error) {
	c, err := p.desk(ctx, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	// What is done at the start is not idleness: with very many tickets it takes a
	// few seconds to see whether each stands in its team's channel.
	if err := wait(ctx, p.o.Scale.Idle/4); err != nil {
		return 0, err
	}
	if err := p.quiet(ctx); err != nil {
		return 0, err
	}
	before, err := p.usageOf(c)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := wait(ctx, p.o.Scale.Idle); err != nil {
		return 0, err
	}
	after, err := p.usageOf(c)
	return float64(after.since(before).total()) / float64(time.Since(began)), err
}

func (p *promises) idleAmongMany(ctx context.Context, empty float64) error {
	// What was brought in all at once is cleared up by Postgres for a while.
	if _, err := p.store.Pool().Exec(ctx, `checkpoint`); err != nil {
		return err
	}
	p.say("waiting until Postgres has cleared up")
	if err := p.quiet(ctx); err != nil {
		return err
	}
	full, err := p.idle(ctx)
	if err != nil {
		return err
	}
	p.bench.add(Row{Name: "sla.idle", What: fmt.Sprintf("the whole desk and Postgres, idle, with %d clocks that run", 2*p.o.Scale.Promises), Value: fmt.Sprintf("%.2f %% of a core", 100*full),
		FloorIs: "the same with no ticket", Floor: fmt.Sprintf("%.2f %% of a core", 100*empty),
		Figures: map[string]float64{"share": full, "floor_share": empty}}.goal(full < 0.01 && full < empty+0.003, "< 1 %%, and no more than with none"))
	return nil
}

// quiet waits until Postgres has nothing to do.
func (p *promises) quiet(ctx context.Context) error {
	for deadline := time.Now().Add(p.o.Scale.Idle * 12); time.Now().Before(deadline); {
		before := postgresCPU(p.postmaster)
		if err := wait(ctx, 2*time.Second); err != nil {
			return err
		}
		if postgresCPU(p.postmaster)-before < 40*time.Millisecond {
			return nil
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// ahead is how long before they fall due promises are put on record: whoever
// watches has then seen the next.
const ahead = 7 * time.Second

// telling measures breaches that come one after the other, first with the bare
// claim in place of the desk.
func (p *promises) telling(ctx context.Context, name, when string) error {
	s := p.o.Scale
	const rate = 10
	step := time.Second / rate
	n := max(int(s.Telling/step), 1)

	p.say("the bare claim%s", when)
	from := time.Now().Add(2 * time.Second)
	few := max(n/4, 5)
	first, err := p.due(ctx, few, bare, from, step)
	if err != nil {
		return err
	}
	floor, err := p.claimEach(ctx, first, few, from, step)
	if err != nil {
		return err
	}

	p.say("%d promises are missed, %d a second%s", n, rate, when)
	c, err := p.desk(ctx, false)
	if err != nil {
		return err
	}
	defer func() {
		if c != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	from = time.Now().Add(ahead + time.Duration(n)*4*time.Millisecond)
	if first, err = p.due(ctx, n, soonDue, from, step); err != nil {
		return err
	}
	if err := p.threads(ctx, first, n); err != nil {
		return err
	}
	before, err := p.usageOf(c)
	if err != nil {
		return err
	}
	var seen took
	if err := p.profiled(c, name, func() (err error) {
		seen, err = p.watch(ctx, first, n, from, step)
		return err
	}); err != nil {
		return err
	}
	if err := p.settled(ctx); err != nil {
		return err
	}
	after, err := p.usageOf(c)
	if err != nil {
		return err
	}
	accepted, err := p.accepted(ctx, first, n)
	if err != nil {
		return err
	}
	err = c.stop()
	c = nil
	if err != nil {
		return err
	}
	if len(accepted) != n {
		return fmt.Errorf("%d of %d missed promises were told", len(accepted), n)
	}
	claimed := fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(floor.at(50)), ms(floor.at(99)))
	p.bench.add(Row{Name: name + ".committed", What: fmt.Sprintf("from a breach to its alert on record, %d/s%s", rate, when),
		Value: fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(seen.at(50)), ms(seen.at(99))), FloorIs: claimIs, Floor: claimed, Ratio: fmt.Sprintf("p99 × %.1f", ms(seen.at(99))/ms(floor.at(99))),
		Figures: map[string]float64{"p50_ms": ms(seen.at(50)), "p99_ms": ms(seen.at(99)), "worst_ms": ms(seen.at(100)), "floor_p50_ms": ms(floor.at(50)), "floor_p99_ms": ms(floor.at(99))}}.
		goal(seen.at(99) <= 25*time.Millisecond, "p99 ≤ 25 ms"),
		Row{Name: name + ".accepted", What: fmt.Sprintf("from a breach to the message that the platform has taken%s", when),
			Value:   fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(accepted.at(50)), ms(accepted.at(99))),
			FloorIs: "cost of each: alert, card, word to the requester", Floor: fmt.Sprintf("%.1f ms CPU", after.since(before).each(n)),
			Figures: map[string]float64{"p50_ms": ms(accepted.at(50)), "p99_ms": ms(accepted.at(99)), "cpu_ms": after.since(before).each(n)}}.
			goal(accepted.at(99) <= 250*time.Millisecond, "p99 ≤ 250 ms"))
	return nil
}

// watch waits for each of the alerts from the instant at which it is due until
// it can be seen, as somebody else's transaction would see it.
func (p *promises) watch(ctx context.Context, first ticket.ID, n int, from time.Time, step time.Duration) (took, error) {
	all := make(took, n)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Until(from)+time.Duration(n)*step+p.o.Scale.Patience, errStuck)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i := range n {
		due := from.Add(time.Duration(i) * step)
		group.Go(func() error {
			if err := wait(ctx, time.Until(due)); err != nil {
				return err
			}
			for {
				var there bool
				if err := p.store.Pool().QueryRow(ctx, `select exists (select from alerts where ticket_id = $1 and kind = 'response' and percent = 100)`, first+ticket.ID(i)).Scan(&there); err != nil {
					return errors.Join(err, context.Cause(ctx))
				}
				if there {
					all[i] = time.Since(due)
					return nil
				}
				if err := wait(ctx, time.Millisecond); err != nil {
					return err
				}
			}
		})
	}
	err := group.Wait()
	return all.sorted(), err
}

const bareClaim = `
	with due as (select ticket_id, kind from clocks where look_at <= $1 order by look_at limit $2 for update skip locked)
	update clocks c set look_at = $3 from due where c.ticket_id = due.ticket_id and c.kind = due.kind returning c.ticket_id`

// claimEach is the least that a watch could do: it sleeps until the next is due,
// claims it and commits.
func (p *promises) claimEach(ctx context.Context, first ticket.ID, n int, from time.Time, step time.Duration) (took, error) {
	all := make(took, 0, n)
	conn, err := p.store.Pool().Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	later := time.Now().Add(9000 * time.Hour)
	for next := from; len(all) < n; next = next.Add(step) {
		if err := wait(ctx, time.Until(next)); err != nil {
			return nil, err
		}
		rows, _ := conn.Query(ctx, bareClaim, time.Now(), 400, later)
		claimed, err := pgx.CollectRows(rows, pgx.RowTo[ticket.ID])
		if err != nil {
			return nil, err
		}
		at := time.Now()
		for _, id := range claimed {
			if id >= first && id < first+ticket.ID(n) {
				all = append(all, at.Sub(from.Add(time.Duration(id-first)*step)))
			}
		}
		if time.Since(next) > p.o.Scale.Patience {
			return nil, errStuck
		}
	}
	return all.sorted(), nil
}

// moved has clocks move about in the part of the index at which the watch
// looks, and measures again while what they leave behind is still there.
func (p *promises) moved(ctx context.Context) error {
	s := p.o.Scale
	p.say("%d clocks move", s.Moving)
	const atOnce = 500
	tickets := s.Moving / 2 // two clocks each
	var soonest time.Time
	for _, sql := range []string{
		// Into the time that is measured next, and away again.
		`update clocks set look_at = $3::timestamptz + make_interval(secs => (ticket_id % 997) * 0.1) where ticket_id >= $1 and ticket_id < $2 and state = 'running'`,
		`update clocks set look_at = due_at where ticket_id >= $1 and ticket_id < $2 and state = 'running' and $3::timestamptz is not null`,
	} {
		soonest = time.Now().Add(time.Duration(tickets)*time.Millisecond + 20*time.Second)
		for from := s.Changing / 2; from < s.Changing/2+tickets; from += atOnce {
			if _, err := p.store.Pool().Exec(ctx, sql, from+1, min(from+atOnce, s.Changing/2+tickets)+1, soonest); err != nil {
				return err
			}
		}
	}
	return p.telling(ctx, "moved", fmt.Sprintf(", after %d clocks have moved", s.Moving))
}

// atOnce measures many promises that are missed at one instant, several times:
// of so short a time one figure says little.
func (p *promises) atOnce(ctx context.Context) (err error) {
	const times = 3
	s := p.o.Scale
	floor, all := make(took, 0, times), make(took, 0, times)
	for i := range times {
		p.say("the bare claim of %d clocks, %d of %d", s.AtOnce, i+1, times)
		at := time.Now().Add(2 * time.Second)
		if _, err := p.due(ctx, s.AtOnce, bare, at, 0); err != nil {
			return err
		}
		d, err := p.claimAll(ctx, s.AtOnce, max(time.Until(at), 0))
		if err != nil {
			return err
		}
		floor = append(floor, d)
	}
	c, err := p.desk(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	for i := range times {
		p.say("%d clocks are due at one instant, %d of %d", s.AtOnce, i+1, times)
		d, err := p.instant(ctx, c)
		if err != nil {
			return err
		}
		all = append(all, d)
		if err := p.settled(ctx); err != nil {
			return err
		}
	}
	took, least := all.sorted().at(50), floor.sorted().at(50)
	p.bench.add(Row{Name: "at-once", What: fmt.Sprintf("%d clocks due at one instant: all claimed, with their alerts", s.AtOnce), Value: fmt.Sprintf("%.2f s", took.Seconds()),
		FloorIs: claimIs, Floor: fmt.Sprintf("%.2f s", least.Seconds()), Ratio: fmt.Sprintf("× %.1f", took.Seconds()/least.Seconds()),
		Figures: map[string]float64{"seconds": took.Seconds(), "floor_seconds": least.Seconds()}}.goal(took <= 3*least, "≤ × 3"))
	return nil
}

// instant is how long it takes the desk to put on record all that falls due at
// one instant.
func (p *promises) instant(ctx context.Context, c *child) (took time.Duration, err error) {
	s := p.o.Scale
	at := time.Now().Add(ahead + time.Duration(s.AtOnce)*time.Millisecond/2)
	first, err := p.due(ctx, s.AtOnce, soonDue, at, 0)
	if err != nil {
		return 0, err
	}
	if err := wait(ctx, time.Until(at)); err != nil {
		return 0, err
	}
	err = p.profiled(c, "at-once", func() error {
		// Asked seldom and cheaply: whoever counts ten thousand rows all the time
		// has half a core of what is to be measured.
		for left := true; left; {
			if err := p.store.Pool().QueryRow(ctx, `select exists (select from clocks where ticket_id >= $1 and ticket_id < $1::bigint + $2 and kind = 'response' and percent < 100)`, first, s.AtOnce).Scan(&left); err != nil {
				return err
			}
			if took = time.Since(at); took > 5*s.Patience {
				return fmt.Errorf("some of %d: %w", s.AtOnce, errStuck)
			}
			if err := wait(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
	return took, err
}

// claimAll has as many workers as the watch has claim all that is due after a
// while, a hundred at a time.
func (p *promises) claimAll(ctx context.Context, n int, after time.Duration) (time.Duration, error) {
	if err := wait(ctx, after); err != nil {
		return 0, err
	}
	began := time.Now()
	later := began.Add(9000 * time.Hour)
	var mu sync.Mutex
	claimed := 0
	group, ctx := errgroup.WithContext(ctx)
	for range 4 {
		group.Go(func() error {
			for {
				rows, _ := p.store.Pool().Query(ctx, bareClaim, time.Now(), 100, later)
				got, err := pgx.CollectRows(rows, pgx.RowTo[ticket.ID])
				if err != nil {
					return err
				}
				mu.Lock()
				claimed += len(got)
				done := claimed >= n
				mu.Unlock()
				if done || time.Since(began) > p.o.Scale.Patience {
					return nil
				}
			}
		})
	}
	err := group.Wait()
	return time.Since(began), err
}

// settled waits until the desk has nothing left to tell or to send.
func (p *promises) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*p.o.Scale.Patience, errStuck)
	defer cancel()
	for {
		var left storage.Backlog
		if err := p.store.View(ctx, func(tx *storage.Tx) (err error) {
			left, err = tx.Backlog(ctx, time.Now())
			return err
		}); err != nil {
			return err
		}
		if left.Settled() {
			return nil
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// policyChanged measures how long it takes until clocks follow another policy,
// and what people notice of it.
func (p *promises) policyChanged(ctx context.Context) (err error) {
	s := p.o.Scale
	c, err := p.desk(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ping := func() (time.Duration, error) { return p.chat(ctx) }
	if _, err := ping(); err != nil { // the first is slower
		return err
	}
	var calm took
	for range 30 {
		d, err := ping()
		if err != nil {
			return err
		}
		calm = append(calm, d)
	}
	p.say("another policy, for %d clocks", s.Changing)
	var id storage.PolicyID
	if err := p.store.InTx(ctx, func(tx *storage.Tx) (err error) {
		id, err = tx.ApplyPolicy(ctx, promised("7000h"), "bench", time.Now())
		return err
	}); err != nil {
		return err
	}
	began := time.Now()
	p.policy = id
	var busy took
	var changedAt, walked time.Duration
	if err := p.profiled(c, "policy", func() error {
		for walked == 0 {
			d, err := ping()
			if err != nil {
				return err
			}
			busy = append(busy, d)
			// How far the desk has come; to count what it has changed would cost more.
			var after *int64
			if err := p.store.Pool().QueryRow(ctx, `select max(subject) from due where kind = $1`, storage.LevelsApply).Scan(&after); err != nil {
				return err
			}
			since := time.Since(began) - storage.PolicySeen
			if changedAt == 0 && (after == nil || *after >= int64(s.Changing/2)) { // they are the first
				changedAt = since
			}
			if after == nil {
				walked = since
			}
			if since > 10*s.Patience {
				return fmt.Errorf("the policy is not applied: %w", errStuck)
			}
			if err := wait(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	var n int
	if err := p.store.Pool().QueryRow(ctx, `select count(*) from ledger where policy_id = $1 and step = 'changed'`, id).Scan(&n); err != nil {
		return err
	}
	if n != s.Changing/2 {
		return fmt.Errorf("the policy has changed %d tickets, not %d", n, s.Changing/2)
	}
	calm, busy = calm.sorted(), busy.sorted()
	p.bench.add(Row{Name: "policy", What: fmt.Sprintf("another policy: %d clocks computed anew, of %d", s.Changing, 2*s.Promises), Value: fmt.Sprintf("%.1f s; all looked at after %.1f s", changedAt.Seconds(), walked.Seconds()),
		Figures: map[string]float64{"seconds": changedAt.Seconds(), "walked_seconds": walked.Seconds()}}.goal(walked < 30*time.Second, "< 30 s"),
		Row{Name: "policy.chat", What: "a message answered meanwhile", Value: fmt.Sprintf("p50 %.0f ms, worst %.0f ms", ms(busy.at(50)), ms(busy.at(100))),
			FloorIs: "before", Floor: fmt.Sprintf("p50 %.0f ms, worst %.0f ms", ms(calm.at(50)), ms(calm.at(100))),
			Figures: map[string]float64{"p50_ms": ms(busy.at(50)), "worst_ms": ms(busy.at(100)), "floor_p50_ms": ms(calm.at(50)), "floor_worst_ms": ms(calm.at(100))}}.
			goal(busy.at(100) < time.Second, "nobody waits for 1 s"))
	return p.settled(ctx)
}

// chat is how long somebody waits for an answer to a greeting.
func (p *promises) chat(ctx context.Context) (time.Duration, error) {
	who := p.slack.Person(userOf(p.agents))
	dm, err := who.DM()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	said, err := who.Say(slacktest.Post{Channel: dm, Text: "hello"})
	if err != nil {
		return 0, err
	}
	for {
		thread, err := who.Thread(dm, said.TS)
		if err != nil {
			return 0, err
		}
		if len(thread) > 1 {
			return time.Since(began), nil
		}
		if time.Since(began) > p.o.Scale.Patience {
			return 0, fmt.Errorf("hello: %w", errStuck)
		}
		if err := wait(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
}
