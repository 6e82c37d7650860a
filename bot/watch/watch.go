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
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/storage"
)

// Handler is what the desk does when something falls due.
type Handler interface {
	// Due deals with it in one transaction, at the end of which it is forgotten
	// unless Due has set it for another time. On an error it comes again later.
	Due(ctx context.Context, tx *storage.Tx, kind string, subject int64, dueAt time.Time) error
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
	longest   = 30 * time.Second // between two looks
	soonest   = 200 * time.Millisecond
	roundSize = 200
	keepEvery = time.Hour
	restFor   = time.Second // after an outage
	taskTime  = 30 * time.Second
)

// Watch sees to what falls due while it is run.
type Watch struct {
	o    Options
	wake chan struct{}
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
	return &Watch{o: o, wake: make(chan struct{}, 1)}, nil
}

// Wake says that something may have been set that is due before the watch
// would look again.
func (w *Watch) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run deals with what is due until ctx ends, and then with what is in hand.
func (w *Watch) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var kept time.Time   // when the house was kept
	var looked time.Time // when the last round began
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
			// A busy desk wakes us after each event, and little of what it sets is
			// due at once.
			if rest := soonest - time.Since(looked); rest > 0 {
				timer.Reset(rest)
				continue
			}
		case <-timer.C:
		}
		looked = time.Now()
		if now := w.o.Now(); now.Sub(kept) >= keepEvery {
			if err := w.keep(context.WithoutCancel(ctx), now); err != nil {
				w.o.Log.LogAttrs(ctx, slog.LevelError, "old records can't be cleared away", slog.Any("err", err))
			}
			kept = now // also after an error: it is not urgent
		}
		wait, err := w.round(ctx)
		if err != nil {
			w.o.Log.LogAttrs(ctx, slog.LevelWarn, "what is due has to wait", slog.Any("err", err))
			wait = restFor
		}
		timer.Reset(wait)
	}
}

// round deals with what is due now and returns how long there is nothing to do.
func (w *Watch) round(ctx context.Context) (time.Duration, error) {
	for {
		now := w.o.Now()
		all, next, err := w.o.DB.AllDue(ctx, now, roundSize)
		if err != nil {
			if ctx.Err() != nil {
				return 0, nil
			}
			return 0, err
		}
		var group errgroup.Group // it fails when the database is away; else each failure is put off on its own
		group.SetLimit(w.o.Workers)
		for _, d := range all {
			if ctx.Err() != nil {
				break
			}
			group.Go(func() error { return w.one(context.WithoutCancel(ctx), d) })
		}
		if err := group.Wait(); err != nil || ctx.Err() != nil {
			return 0, err
		}
		if len(all) < roundSize {
			if next.IsZero() {
				return longest, nil
			}
			return min(max(next.Sub(w.o.Now()), 0), longest), nil
		}
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
		w.Wake() // it may have set something else
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
	defer func() {
		if p := recover(); p != nil {
			w.o.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("due", d.Kind),
				slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
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
