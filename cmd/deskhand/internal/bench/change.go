package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

// changing measures what an approver waits for: what a change touches, what it
// clashes with, and how soon the card shows the answer.
func (b *bench) changing(ctx context.Context) error {
	b.say("   items and relations")
	if err := b.haveItems(ctx); err != nil {
		return err
	}
	if err := b.radius(ctx); err != nil {
		return err
	}
	b.say("   changes")
	if err := b.haveChanges(ctx); err != nil {
		return err
	}
	if err := b.clashes(ctx); err != nil {
		return err
	}
	b.say("   clicks")
	return b.clicks(ctx)
}

const (
	relationsEach = 5
	topShare      = 20 // one of so many items is at the top, where nothing depends on it
)

// haveItems makes items of which each depends on some of those further down; so
// the lowest carry almost everything.
func (b *bench) haveItems(ctx context.Context) error {
	n := b.o.Scale.Items
	r := rand.New(rand.NewPCG(7, 7))
	err := b.db.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"items"}, []string{"key", "name", "type", "state", "tier", "users"}, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			kind, users := cmdb.Server, int32(0)
			if i < n/topShare {
				kind, users = cmdb.Service, int32(10+i%400)
			}
			return []any{fmt.Sprintf("item-%d", i), fmt.Sprintf("Item %d", i), string(kind), string(cmdb.Live), int32(4 - i*3/n), users}, nil
		})); err != nil {
			return err
		}
		var ids []int64
		rows, _ := tx.Query(ctx, `select id from items order by id`)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		seen := make(map[[2]int]bool, n*relationsEach)
		var pairs [][2]int
		for i := range n - 1 {
			for range relationsEach {
				low := max(i+1, n/topShare)
				p := [2]int{i, low + r.IntN(min(n-low, n/10+1))}
				if !seen[p] {
					seen[p] = true
					pairs = append(pairs, p)
				}
			}
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"relations"}, []string{"from_id", "to_id", "kind"}, pgx.CopyFromSlice(len(pairs), func(i int) ([]any, error) {
			return []any{ids[pairs[i][0]], ids[pairs[i][1]], string(cmdb.DependsOn)}, nil
		})); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update items_version set version = version + 1`)
		return err
	})
	if err == nil {
		_, err = b.db.Pool().Exec(ctx, `analyze items; analyze relations`)
	}
	return err
}

const bareRadius = `
	with recursive stops(id) as (select $1::bigint union select r.from_id from relations r join stops s on r.to_id = s.id where r.kind in ('depends_on', 'runs_on'))
	select count(*), coalesce(sum(i.users), 0) from stops s join items i using (id)`

// radius is what stops with an item, of the items at all heights.
func (b *bench) radius(ctx context.Context) error {
	var items []cmdb.Item
	var relations []cmdb.Relation
	if err := b.db.View(ctx, func(tx *storage.Tx) (err error) {
		items, relations, err = tx.Items(ctx)
		return err
	}); err != nil {
		return err
	}
	began := time.Now()
	g := cmdb.NewGraph(items, relations)
	built := time.Since(began)
	r := rand.New(rand.NewPCG(1, 2))
	var mine, theirs took
	for i := range b.o.Scale.Queries {
		it := items[r.IntN(len(items))]
		began := time.Now()
		imp := g.Impact(0, it.ID)
		_, _ = imp.Words(), imp.Nearest(15)
		mine = append(mine, time.Since(began))
		if i%50 != 0 { // Postgres takes much longer
			continue
		}
		began = time.Now()
		var n, users int
		if err := b.db.Pool().QueryRow(ctx, bareRadius, it.ID).Scan(&n, &users); err != nil {
			return err
		}
		theirs = append(theirs, time.Since(began))
		if n != imp.Count+1 || users != imp.Users {
			return fmt.Errorf("what stops with %s is %d items for %d people, by SQL %d for %d", it.Key, imp.Count+1, imp.Users, n, users)
		}
	}
	p99, bare := mine.sorted().at(99), theirs.sorted().at(99)
	b.add(Row{Name: "change.radius", What: fmt.Sprintf("what stops with an item, of %d items and %d relations", len(items), len(relations)),
		Value: fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", ms(mine.at(50)), ms(p99)), FloorIs: "the same by recursive SQL",
		Floor: fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(theirs.at(50)), ms(bare)), Ratio: fmt.Sprintf("p99 × %.2f", ratio(p99, bare)),
		Figures: map[string]float64{"p50_ms": ms(mine.at(50)), "p99_ms": ms(p99), "floor_p99_ms": ms(bare), "build_ms": ms(built)}}.goal(p99 <= 50*time.Millisecond, "p99 ≤ 50 ms"))
	return nil
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// haveChanges plans changes over a year, each on three of the items that are
// changed at all.
func (b *bench) haveChanges(ctx context.Context) error {
	n, r := b.o.Scale.Changes, rand.New(rand.NewPCG(3, 4))
	touched := max(b.o.Scale.Items/10, 10)
	err := b.db.InTx(ctx, func(tx *storage.Tx) error {
		var owner people.PersonID
		if err := tx.QueryRow(ctx, `select min(id) from people`).Scan(&owner); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"changes"}, []string{"kind", "title", "why", "plan", "rollback", "window_from", "window_to", "requester_id", "implementer_id", "risk", "state", "opened_at"},
			pgx.CopyFromSlice(n, func(i int) ([]any, error) {
				from := b.company.from.Add(time.Duration(r.IntN(365*24*60)) * time.Minute)
				return []any{"normal", b.company.text(6), b.company.text(20), b.company.text(40), b.company.text(15), from, from.Add(2 * time.Hour), owner, owner, "low", string(change.Scheduled), b.company.from}, nil
			})); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			insert into change_items (change_id, item_id)
			select c.id, (select min(id) from items) + (hashint8(c.id * 3 + k) & 2147483647) % $1 from changes c, generate_series(0, 2) k on conflict do nothing`, touched)
		return err
	})
	if err == nil {
		_, err = b.db.Pool().Exec(ctx, `analyze changes; analyze change_items`)
	}
	return err
}

const bareClash = `
	select c.id from change_items x join changes c on c.id = x.change_id
	where x.item_id = any($3) and c.state in ('asked', 'scheduled', 'doing') and c.window_from < $2 and c.window_to > $1 limit 20`

// clashes is what is in the way of a change on five items.
func (b *bench) clashes(ctx context.Context) error {
	var first cmdb.ItemID
	if err := b.db.Pool().QueryRow(ctx, `select min(id) from items`).Scan(&first); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(5, 6))
	touched := max(b.o.Scale.Items/10, 10)
	var mine, theirs took
	found := 0
	for range b.o.Scale.Queries {
		c := change.Change{From: b.company.from.Add(time.Duration(r.IntN(365*24*60)) * time.Minute)}
		c.To = c.From.Add(4 * time.Hour)
		for range 5 {
			c.Items = append(c.Items, first+cmdb.ItemID(r.IntN(touched)))
		}
		if err := b.db.View(ctx, func(tx *storage.Tx) error {
			began := time.Now()
			_, others, err := tx.InTheWay(ctx, c)
			mine = append(mine, time.Since(began))
			found += len(others)
			return err
		}); err != nil {
			return err
		}
		began := time.Now()
		rows, _ := b.db.Pool().Query(ctx, bareClash, c.From, c.To, c.Items)
		if _, err := pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
		theirs = append(theirs, time.Since(began))
	}
	p99, bare := mine.sorted().at(99), theirs.sorted().at(99)
	b.add(Row{Name: "change.clash", What: fmt.Sprintf("what is in the way of a change, among %d changes to come", b.o.Scale.Changes),
		Value: fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", ms(mine.at(50)), ms(p99)), FloorIs: "the bare query for changes alone, by their numbers",
		Floor: fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", ms(theirs.at(50)), ms(bare)), Ratio: fmt.Sprintf("p99 × %.2f", ratio(p99, bare)),
		Figures: map[string]float64{"p50_ms": ms(mine.at(50)), "p99_ms": ms(p99), "floor_p99_ms": ms(bare), "clashes": float64(found) + 1}}.goal(p99 <= 20*time.Millisecond, "p99 ≤ 20 ms"))
	return nil
}

// clicks is from a press on Approve to the card without buttons.
func (b *bench) clicks(ctx context.Context) (err error) {
	c, err := b.openDesk(ctx, b.o.Scale.Small)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	b.listener.forget()
	if err := b.ask(ctx); err != nil {
		return err
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	approver := b.slack.Person(userOf(approverOf))
	var mine, theirs took
	for n, root := range b.listener.having(cards.ChangeYes, approver) {
		began := time.Now()
		if _, err := b.press(approver, root, cards.ChangeYes); err != nil {
			return err
		}
		if err := b.listener.until(ctx, root, func(text string) bool { return strings.Contains(text, "approved") }); err != nil {
			return err
		}
		mine = append(mine, time.Since(began))
		began = time.Now()
		if err := b.bareVote(ctx, int64(n)); err != nil {
			return err
		}
		theirs = append(theirs, time.Since(began))
		if err := wait(ctx, 50*time.Millisecond-time.Since(began)); err != nil {
			return err
		}
	}
	if len(mine) != b.o.Scale.Clicks {
		return fmt.Errorf("%d cards came of %d changes", len(mine), b.o.Scale.Clicks)
	}
	p99, bare := mine.sorted().at(99), theirs.sorted().at(99)
	b.add(Row{Name: "change.click", What: "a press on Approve to the card that shows it, one after the other",
		Value: fmt.Sprintf("p50 %.0f ms, p99 %.0f ms", ms(mine.at(50)), ms(p99)), FloorIs: "lock a row, one INSERT, commit",
		Floor: fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(theirs.at(50)), ms(bare)), Ratio: fmt.Sprintf("p99 × %.1f", ratio(p99, bare)),
		Figures: map[string]float64{"p50_ms": ms(mine.at(50)), "p99_ms": ms(p99), "floor_p99_ms": ms(bare), "clicks": float64(len(mine))}}.goal(p99 <= 300*time.Millisecond, "p99 ≤ 300 ms"))
	return b.drained(ctx)
}

// approverOf is who is asked about the changes that ask raises.
const approverOf = 1

// ask raises changes as a pipeline does, on items on which little depends.
func (b *bench) ask(ctx context.Context) error {
	index, err := kb.Open(kb.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = index.Close() }()
	desk, err := bot.New(bot.Options{DB: b.db, Index: index})
	if err != nil {
		return err
	}
	var token storage.Token
	if err := b.db.InTx(ctx, func(tx *storage.Tx) error {
		owner, err := tx.PersonByMail(ctx, mailOf(0))
		if err == nil {
			token, _, err = tx.MakeToken(ctx, storage.Token{Name: "bench", Owner: owner, Scopes: []string{storage.ScopeRaise}}, "bench", time.Now())
		}
		return err
	}); err != nil {
		return err
	}
	for n := range b.o.Scale.Clicks {
		_, _, err := desk.RaiseFor(ctx, token, bot.PipelineAsk{Key: fmt.Sprint(n), Title: b.company.text(6), Why: b.company.text(20), Items: []string{fmt.Sprintf("item-%d", n%max(b.o.Scale.Items/topShare, 1))},
			Plan: b.company.text(40), Test: b.company.text(10), Rollback: b.company.text(15), Takes: time.Hour})
		if err != nil {
			return err
		}
	}
	return nil
}

// bareVote is the least that could keep a vote.
func (b *bench) bareVote(ctx context.Context, n int64) error {
	if n == 0 {
		if _, err := b.db.Pool().Exec(ctx, `create table if not exists bench_votes (change_id bigint primary key, at timestamptz not null)`); err != nil {
			return err
		}
	}
	return b.db.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `select from items_version for update`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into bench_votes values ($1, now())`, n)
		return err
	})
}
