package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// work measures a desk with a past: questions as fast as they are answered,
// tickets through their lives, and what that takes of memory and disk.
func (b *bench) work(ctx context.Context) (err error) {
	s := b.o.Scale
	before, err := b.diskUse(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.company.tickets(ctx, b.db, s.Tickets, func(done int) {
		b.say("   %d of %d tickets are there, about %s left", done, s.Tickets,
			(time.Since(began) / time.Duration(done) * time.Duration(s.Tickets-done)).Round(time.Second))
	}); err != nil {
		return err
	}
	imported, err := b.diskUse(ctx)
	if err != nil {
		return err
	}
	c, err := b.openDesk(ctx, s.Middle)
	if err != nil {
		return err
	}
	defer func() {
		if c != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if _, err := b.db.Pool().Exec(ctx, `vacuum analyze`); err != nil {
		return err
	}
	if err := b.askUnpaced(ctx, c); err != nil {
		return err
	}
	between, err := b.diskUse(ctx)
	if err != nil {
		return err
	}
	tickets, err := b.lives(ctx, c)
	if err != nil {
		return err
	}
	after, err := b.diskUse(ctx)
	if err != nil {
		return err
	}
	if err := b.memory(ctx, c); err != nil {
		return err
	}
	lived, bare := float64(after-between)/float64(tickets), float64(imported-before)/float64(s.Tickets)
	b.add(Row{Name: "disk", What: "database for a ticket: question, threads, cards, messages, audit",
		Value: fmt.Sprintf("%.1f kB", lived/1000), FloorIs: "an imported one: no question, threads or cards", Floor: fmt.Sprintf("%.1f kB", bare/1000),
		Figures: map[string]float64{"bytes": lived, "imported_bytes": bare},
	}.goal(lived <= 7000, "≤ 7 kB"))
	if err := b.pruned(ctx); err != nil {
		return err
	}
	err = c.stop()
	c = nil
	if err != nil {
		return err
	}
	return b.lists(ctx)
}

// memory watches the desk's resident memory while questions come.
func (b *bench) memory(ctx context.Context, c *child) error {
	conversations := 64
	if b.o.Scale.Gentle {
		conversations = 4
	}
	var most, sum float64
	var n int
	var wait sync.WaitGroup
	var watchErr error
	watching, stop := context.WithCancel(ctx)
	wait.Go(func() {
		for watching.Err() == nil {
			r, err := c.ask(childOrder{})
			if err != nil {
				watchErr = err
				return
			}
			most, sum, n = max(most, float64(r.RSS)), sum+float64(r.RSS), n+1
			select {
			case <-watching.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	_, err := b.asking(ctx, 0, conversations)
	stop()
	wait.Wait()
	if err = errors.Join(err, watchErr); err != nil {
		return err
	}
	b.listener.forget()
	const mib = 1 << 20
	b.add(Row{Name: "memory", What: fmt.Sprintf("resident memory of the desk under load, %d tickets, %d articles", b.o.Scale.Tickets, b.articles),
		Value:   fmt.Sprintf("%.0f MiB at most, %.0f MiB on average", most/mib, sum/float64(n)/mib),
		Figures: map[string]float64{"most_bytes": most, "average_bytes": sum / float64(n)},
	}.goal(most <= 128*mib, "≤ 128 MiB"))
	return b.drained(ctx)
}

// diskUse is the size of all that stays, indexes included. What comes and goes,
// the inbox, the outbox and the keys of the last days, is pruned; see pruned.
func (b *bench) diskUse(ctx context.Context) (n int64, err error) {
	if _, err := b.db.Pool().Exec(ctx, `vacuum`); err != nil {
		return 0, err
	}
	err = b.db.Pool().QueryRow(ctx, `
		select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relkind = 'r' and c.relname not in ('inbox', 'outbox', 'due', 'articles')
			and c.relname !~ '^seen'`).Scan(&n)
	return n, err
}

// pruned looks whether what has been handled is gone.
func (b *bench) pruned(ctx context.Context) error {
	if err := b.drained(ctx); err != nil {
		return err
	}
	var inbox, keys, later int64
	count := func(to *int64, sql string) error { return b.db.Pool().QueryRow(ctx, sql).Scan(to) }
	err := errors.Join(
		count(&inbox, `select count(*) from inbox`),
		count(&keys, `select count(*) from seen`),
		b.db.KeepHouse(ctx, time.Now().Add(5*24*time.Hour)),
		count(&later, `select count(*) from seen`))
	if err != nil {
		return err
	}
	b.add(Row{Name: "pruned", What: "inbox rows left when all is handled; keys of events after five days",
		Value:   fmt.Sprintf("%d; %d of %d", inbox, later, keys),
		Figures: map[string]float64{"inbox": float64(inbox), "keys": float64(keys), "keys_later": float64(later)},
	}.goal(inbox == 0 && later == 0, "0; 0"))
	return nil
}

// lists measures the lists that people look at, among all tickets.
func (b *bench) lists(ctx context.Context) error {
	var teams []people.TeamID
	if err := b.db.View(ctx, func(tx *storage.Tx) error {
		all, err := tx.Teams(ctx)
		for _, t := range all {
			teams = append(teams, t.ID)
		}
		return err
	}); err != nil {
		return err
	}
	since := time.Now().Add(-365 * 24 * time.Hour)
	kinds := []struct {
		name string
		read func(tx *storage.Tx, i int) (int, error)
	}{
		{"unclaimed tickets of all teams", func(tx *storage.Tx, _ int) (int, error) {
			l, err := tx.Unclaimed(ctx, teams, 50)
			return len(l), err
		}},
		{"tickets of an agent", func(tx *storage.Tx, i int) (int, error) {
			l, err := tx.Owned(ctx, people.PersonID(1+i%b.company.agents), 50)
			return len(l), err
		}},
		{"tickets of a requester", func(tx *storage.Tx, i int) (int, error) {
			l, err := tx.TicketsOf(ctx, people.PersonID(1+b.company.agents+i%(b.company.people-b.company.agents)), since, 50)
			return len(l), err
		}},
	}
	for i, kind := range kinds {
		var t took
		rows := 0
		own, postgres := ownCPU(), postgresCPU(b.postmaster)
		for n := range b.o.Scale.Queries {
			began := time.Now()
			if err := b.db.View(ctx, func(tx *storage.Tx) error {
				got, err := kind.read(tx, n)
				rows += got
				return err
			}); err != nil {
				return err
			}
			t = append(t, time.Since(began))
		}
		u := usage{ownCPU() - own, postgresCPU(b.postmaster) - postgres}
		t.sorted()
		row := Row{Name: fmt.Sprintf("list.%d", i+1), What: fmt.Sprintf("list of 50 among %d: %s", b.o.Scale.Tickets, kind.name),
			Value: fmt.Sprintf("p50 %.2f ms, p99 %.2f ms; %.2f ms CPU; %.0f rows", ms(t.at(50)), ms(t.at(99)), u.each(len(t)), float64(rows)/float64(len(t))),
			Figures: map[string]float64{"p50_ms": ms(t.at(50)), "p99_ms": ms(t.at(99)), "cpu_ms": u.each(len(t)),
				"rows": float64(rows) / float64(len(t))}}
		b.add(row.goal(u.each(len(t)) <= 2, "≤ 2 ms CPU"))
	}
	return nil
}
