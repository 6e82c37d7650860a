// Package watch sees to what falls due, and keeps the house. Any number of
// processes may watch one database.
package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Handler is what the desk does when something falls due.
type Handler interface {
	// Due deals with it in one transaction, at the end of which it is forgotten
	// unless Due has set it for another time. On an error it comes again later.
	Due(ctx context.Context, tx *storage.Tx, kind string, subject int64, dueAt time.Time) error

	// Clocks sees to the clocks of these tickets that are due, as far as nobody
	// else works on the tickets this moment. Of many it only puts on record what
	// is to be told.
	Clocks(ctx context.Context, tx *storage.Tx, ids []ticket.ID) error

	// Tell tells these alerts, which Clocks has put on record.
	Tell(ctx context.Context, tx *storage.Tx, ids []int64) error
}

// Options are what a Watch is made of. DB and Handler are needed.
type Options struct {
	DB      *storage.DB
	Handler Handler

	Now func() time.Time // default time.Now
	Log *slog.Logger

	// Workers is how many things are dealt with at a time; the default is 4.
	Workers int

	// OnHandled is told after each commit, in which messages may have been
	// queued. It must not block.
	OnHandled func()
}

const (
	longest   = 5 * time.Second // between two looks
	soonest   = 200 * time.Millisecond
	roundSize = 400
	// clockBatch is how many tickets' clocks are seen to in one transaction, and
	// clocksAtOnce how many clocks in one round.
	clockBatch   = 500
	clocksAtOnce = 4000
	// tellBatch is how many alerts are told in one transaction.
	tellBatch = 250
	// busy is how soon to look again after tickets that somebody else had locked.
	busy = 20 * time.Millisecond
	// outage is how long nobody may look before it counts as an outage.
	outage = time.Minute
	// noted is how often it is noted that somebody looks.
	noted     = 10 * time.Second
	keepEvery = time.Hour
	restFor   = time.Second // after an outage
	taskTime  = 30 * time.Second
)

// Watch sees to what falls due while it is run: to clocks, to telling of them
// when they are many, and to everything else, each apart from the others, so
// that however much there is to do nobody is told later that a promise was
// missed.
type Watch struct {
	o                     Options
	clocks, tales, things lane

	kept    time.Time // when the house was
	looked  time.Time // when it was last noted
	failing time.Time // since when the database has not answered; zero: it does
}

// lane is one of the three, and its own way of waiting.
type lane struct {
	wake  chan struct{}
	round func(context.Context) (wait time.Duration, err error)
	next  time.Time // when something is due, as far as is known; zero: nothing is
}

// New returns a Watch.
func New(o Options) (*Watch, error) {
	if o.DB == nil || o.Handler == nil {
		return nil, errors.New("watch: need a database and a handler")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnHandled == nil {
		o.OnHandled = func() {}
	}
	if o.Workers == 0 {
		o.Workers = 4
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	w := &Watch{o: o}
	w.clocks = lane{wake: make(chan struct{}, 1), round: w.clockRound}
	w.tales = lane{wake: make(chan struct{}, 1), round: w.taleRound}
	w.things = lane{wake: make(chan struct{}, 1), round: w.round}
	return w, nil
}

// Wake says that something may have been set that is due before the watch
// would look again.
func (w *Watch) Wake() {
	w.clocks.rouse()
	w.things.rouse()
}

func (l *lane) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run deals with what is due until ctx ends, and then with what is in hand.
func (w *Watch) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { return w.run(ctx, &w.clocks) })
	group.Go(func() error { return w.run(ctx, &w.tales) })
	group.Go(func() error { return w.run(ctx, &w.things) })
	return group.Wait()
}

func (w *Watch) run(ctx context.Context, l *lane) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looked time.Time // when the last round began
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
			// A busy desk wakes us after each event, and little of what it sets is
			// due at once. What is known to be due goes off in time.
			if rest := soonest - time.Since(looked); rest > 0 {
				if !l.next.IsZero() {
					rest = min(rest, max(0, l.next.Sub(w.o.Now())))
				}
				timer.Reset(rest)
				continue
			}
		case <-timer.C:
		}
		looked = time.Now()
		wait, err := l.round(ctx)
		if err != nil {
			w.o.Log.LogAttrs(ctx, slog.LevelWarn, "what is due has to wait", slog.Any("err", err))
			wait = restFor
		}
		timer.Reset(wait)
	}
}

// note keeps on record that somebody looks, and says once that nobody did.
func (w *Watch) note(ctx context.Context, now time.Time) error {
	if now.Sub(w.looked) < noted && w.failing.IsZero() {
		return nil
	}
	first, why := w.looked.IsZero(), "I was not running"
	if !w.failing.IsZero() && now.Sub(w.failing) > outage {
		first, why = true, "I could not reach the database"
	}
	if err := w.o.DB.InTx(ctx, func(tx *storage.Tx) error { return tx.Looked(ctx, now, first, outage, why) }); err != nil {
		return err
	}
	w.looked, w.failing = now, time.Time{}
	return nil
}

// clockRound deals with the clocks that are due now and returns how long there
// is nothing to do.
func (w *Watch) clockRound(ctx context.Context) (time.Duration, error) {
	ids, next, err := w.o.DB.DueClocks(ctx, w.o.Now(), clocksAtOnce)
	if err != nil {
		if ctx.Err() != nil {
			return 0, nil
		}
		return 0, err
	}
	w.clocks.next = next
	tickets := distinct(ids)
	group := w.workers()
	for batch := range slices.Chunk(tickets, clockBatch) {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			return together(context.WithoutCancel(ctx), w, "clocks", batch, w.o.Handler.Clocks, w.o.DB.PutOffLook)
		})
	}
	if err := group.Wait(); err != nil || ctx.Err() != nil {
		return 0, err
	}
	if len(ids) == clocksAtOnce {
		return time.Millisecond, nil // there is more, or others are at it
	}
	wait := w.until(next)
	if len(tickets) > 0 {
		wait = min(wait, busy) // to see whether any was left
		w.tales.rouse()
	}
	return wait, nil
}

// taleRound tells alerts that are on record already. One at a time does: whoever
// tells something in a place keeps the others from it.
func (w *Watch) taleRound(ctx context.Context) (time.Duration, error) {
	ids, err := w.o.DB.UntoldAlerts(ctx, w.o.Now(), tellBatch)
	if err != nil || len(ids) == 0 {
		if ctx.Err() != nil {
			err = nil
		}
		return longest, err
	}
	wait := busy // to see whether any was left
	if len(ids) == tellBatch {
		wait = time.Millisecond
	}
	return wait, together(context.WithoutCancel(ctx), w, "alerts", ids, w.o.Handler.Tell, w.o.DB.PutOffTelling)
}

// workers deal with several things at a time. They fail when the database is
// away; else each failure is put off on its own.
func (w *Watch) workers() *errgroup.Group {
	var group errgroup.Group
	group.SetLimit(w.o.Workers)
	return &group
}

// until is how long to wait for what is due next, if anything is.
func (w *Watch) until(next time.Time) time.Duration {
	if next.IsZero() {
		return longest
	}
	return min(max(next.Sub(w.o.Now()), 0), longest)
}

// round is clockRound for everything else, and keeps the house.
func (w *Watch) round(ctx context.Context) (_ time.Duration, err error) {
	work := context.WithoutCancel(ctx)
	now := w.o.Now()
	defer func() {
		if err != nil && w.failing.IsZero() {
			w.failing = w.o.Now()
		}
	}()
	if now.Sub(w.kept) >= keepEvery {
		if err := w.keep(work, now); err != nil {
			w.o.Log.LogAttrs(ctx, slog.LevelError, "old records can't be cleared away", slog.Any("err", err))
		}
		w.kept = now // also after an error: it is not urgent
	}
	if err := w.note(work, now); err != nil {
		return 0, err
	}
	all, next, err := w.o.DB.AllDue(ctx, now, roundSize)
	if err != nil {
		if ctx.Err() != nil {
			return 0, nil
		}
		return 0, err
	}
	w.things.next = next
	group := w.workers()
	for _, d := range all {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return w.one(work, d) })
	}
	if err := group.Wait(); err != nil || ctx.Err() != nil {
		return 0, err
	}
	if len(all) == roundSize {
		return time.Millisecond, nil
	}
	wait := w.until(next)
	if len(all) > 0 {
		wait = min(wait, busy) // one thing sets another, and much is done piece by piece
	}
	return wait, nil
}

func distinct(ids []ticket.ID) []ticket.ID {
	seen := make(map[ticket.ID]bool, len(ids))
	return slices.DeleteFunc(ids, func(id ticket.ID) bool {
		had := seen[id]
		seen[id] = true
		return had
	})
}

// together has what has these numbers seen to in one transaction or, if that
// fails, each in one of its own. Its error is an outage.
func together[ID ~int64](ctx context.Context, w *Watch, what string, ids []ID,
	do func(context.Context, *storage.Tx, []ID) error, later func(ctx context.Context, id ID, now, until time.Time) error) error {
	work, cancel := context.WithTimeout(ctx, taskTime)
	defer cancel()
	err := w.o.DB.InTx(work, func(tx *storage.Tx) (err error) {
		defer w.recovered(work, what, &err)
		return do(work, tx, ids)
	})
	switch {
	case err == nil:
		w.things.rouse() // what follows from an alert is set to be due at once
		w.o.OnHandled()
		return nil
	case errors.Is(err, storage.ErrUnavailable) && work.Err() == nil:
		return err
	case len(ids) > 1:
		w.o.Log.LogAttrs(ctx, slog.LevelWarn, what+" are seen to one by one", slog.Int("many", len(ids)), slog.Any("err", err))
		for _, id := range ids {
			if err := together(ctx, w, what, []ID{id}, do, later); err != nil {
				return err
			}
		}
		return nil
	}
	w.o.Log.LogAttrs(ctx, slog.LevelError, what+" are put off", slog.Int64("of", int64(ids[0])), slog.Any("err", err))
	now := w.o.Now()
	return later(ctx, ids[0], now, now.Add(putOff(6)))
}

// recovered makes an error of a panic. It is to be deferred.
func (w *Watch) recovered(ctx context.Context, doing string, err *error) {
	if p := recover(); p != nil {
		w.o.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("due", doing),
			slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		*err = fmt.Errorf("panic: %v", p)
	}
}

// one deals with one thing, or puts it off. Its error is an outage.
func (w *Watch) one(ctx context.Context, d storage.Due) error {
	work, cancel := context.WithTimeout(ctx, taskTime)
	defer cancel()
	var passed error // why it is nothing for us
	err := w.o.DB.InTx(work, func(tx *storage.Tx) error {
		if passed = tx.TakeDue(work, d, w.o.Now()); passed != nil {
			return passed
		}
		if err := w.due(work, tx, d); err != nil {
			return err
		}
		return tx.SettleDue(work, d)
	})
	switch {
	case err == nil:
		w.clocks.rouse() // it may have set one
		w.o.OnHandled()
		return nil
	case errors.Is(passed, storage.ErrNotFound):
		return nil // somebody else's, or dealt with
	case errors.Is(err, storage.ErrUnavailable) && work.Err() == nil:
		return err
	}
	w.o.Log.LogAttrs(ctx, slog.LevelError, "what is due is put off", slog.String("kind", d.Kind),
		slog.Int64("subject", d.Subject), slog.Time("due", d.At), slog.Any("err", err))
	note, cancel := context.WithTimeout(ctx, taskTime)
	defer cancel()
	return w.o.DB.InTx(note, func(tx *storage.Tx) error { return tx.PutOffDue(note, d, w.o.Now(), putOff) })
}

func (w *Watch) due(ctx context.Context, tx *storage.Tx, d storage.Due) (err error) {
	defer w.recovered(ctx, d.Kind, &err)
	return w.o.Handler.Due(ctx, tx, d.Kind, d.Subject, d.At)
}

// putOff is how long to wait after a number of failures: a second, doubling up
// to ten minutes, give or take a fifth.
func putOff(failures int) time.Duration {
	d := min(time.Second<<min(failures-1, 16), 10*time.Minute)
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

func (w *Watch) keep(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return w.o.DB.KeepHouse(ctx, now)
}
