package bot

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/storage"
)

// trips counts how often Postgres is asked.
type trips struct{ n atomic.Int64 }

func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (*trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (*trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// However many cards are drawn together, what they tell is read in one trip.
func TestCardsAreReadTogether(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	for range 3 {
		l.open()
		l.asks("the printer does not print")
	}
	counted := &trips{}
	db, err := storage.Open(t.Context(), l.db.Pool().Config().ConnString(), func(c *pgxpool.Config) { c.ConnConfig.Tracer = counted })
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 2 { // the second time the policy is known
		if err := db.View(t.Context(), func(tx *storage.Tx) error {
			rows, _ := tx.Query(t.Context(), `select id, card, subject from posts where card <> '' order by id`)
			posts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d storage.Draft, err error) {
				return d, row.Scan(&d.ID, &d.Card, &d.Subject)
			})
			if err != nil {
				return err
			}
			before := counted.n.Load()
			one, err := l.Drawing(t.Context(), tx, posts)
			if err != nil {
				return err
			}
			drawn := map[string]int{}
			for _, p := range posts {
				if _, err := one(t.Context(), p); err != nil {
					return err
				}
				drawn[p.Card]++
			}
			if want := map[string]int{cards.TriageCard: 3, cards.StatusCard: 3, cards.QuestionCard: 3}; !cmp.Equal(drawn, want) {
				t.Errorf("drawn are %v, want %v", drawn, want)
			}
			if n := counted.n.Load() - before; n != 1 {
				t.Errorf("they take %d trips, want 1", n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Drawing a change's card takes two trips to the record, and listing what waits
// for an approver takes as many for one change as for a dozen.
func TestChangesCostFewTrips(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	var token storage.Token
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		known, err := tx.KnownItems(ctx)
		if err != nil {
			return err
		}
		if err := tx.ImportItems(ctx, cmdb.Compare([]cmdb.Row{{Line: 1, Key: "db-3", Tier: 3, Users: -1, Downtime: -1}}, known), "test", l.now()); err != nil {
			return err
		}
		token, _, err = tx.MakeToken(ctx, storage.Token{Name: "deploy", Owner: l.who[l.ben], Scopes: []string{storage.ScopeRaise}}, "test", l.now())
		return err
	})
	raise := func(n int) {
		t.Helper()
		if _, _, err := l.RaiseFor(t.Context(), token, PipelineAsk{Key: fmt.Sprint(n), Title: "It", Why: "So.", Items: []string{"db-3"}, Plan: "Do it.", Rollback: "Undo it.", Takes: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	counted := &trips{}
	db, err := storage.Open(t.Context(), l.db.Pool().Config().ConnString(), func(c *pgxpool.Config) { c.ConnConfig.Tracer = counted })
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	desk, err := New(Options{DB: db, Index: l.index, Now: l.now})
	if err != nil {
		t.Fatal(err)
	}
	ada := l.ben
	ada.ID = "Uada"
	cost := func(do func(*turn) error) int64 {
		t.Helper()
		var n int64
		for range 2 { // the second time the policy and the items are known
			if err := db.View(t.Context(), func(tx *storage.Tx) error {
				r, err := desk.rulesIn(t.Context(), tx)
				if err != nil {
					return err
				}
				before := counted.n.Load()
				err = do(&turn{desk: desk, tx: tx, rules: r, at: l.now()})
				n = counted.n.Load() - before
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	waiting := func(want int) int64 {
		return cost(func(tn *turn) error {
			all, err := tn.waitingFor(t.Context(), l.who[ada])
			if len(all) != want {
				t.Errorf("%d changes wait, want %d", len(all), want)
			}
			return err
		})
	}
	raise(1)
	if n := cost(func(tn *turn) error {
		_, err := tn.drawChange(t.Context(), storage.Post{Card: cards.ApproveCard, Subject: 1})
		return err
	}); n != 2 {
		t.Errorf("a card takes %d trips, want 2", n)
	}
	one := waiting(1)
	for n := range 11 {
		raise(n + 2)
	}
	if many := waiting(12); many != one || one > 8 {
		t.Errorf("what waits takes %d trips for one change and %d for twelve", one, many)
	}
}
