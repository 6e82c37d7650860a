package inbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

const (
	// The database is looked into this often: for what other processes have
	// accepted and left, for what was put off, and after a restart.
	lookOften  = 250 * time.Millisecond
	lookSeldom = time.Second
	// lookLatest is how long a look is put off at most because the last one took
	// long: that may have been for want of a connection.
	lookLatest = 3 * time.Second

	countEvery = 10 * time.Second

	// restFor is how long a worker leaves a database alone that is not there.
	restFor = 500 * time.Millisecond
)

// Run handles events until ctx ends, and then those in hand.
func (in *Inbox) Run(ctx context.Context) error {
	in.queue.run(true)
	defer in.queue.run(false)

	var all sync.WaitGroup
	for range 8 * in.o.Workers {
		all.Go(func() { in.work(ctx) })
	}
	all.Go(func() { in.count(ctx) })
	in.look(ctx)
	all.Wait()
	return nil
}

func (in *Inbox) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		default:
		}
		select {
		case <-ctx.Done():
			return
		case c := <-in.queue.ready:
			in.one(ctx, c, in.queue.next(c))
		}
	}
}

// look finds what no worker of this process has been handed.
func (in *Inbox) look(ctx context.Context) {
	wait := time.Duration(0)
	seen := map[storage.IncomingID]bool{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	all := true // at first everything there is was left by somebody
	for {
		select {
		case <-ctx.Done():
			return
		case <-in.wake:
			all = true
		case <-timer.C:
		}
		began := time.Now()
		n, left, err := in.scan(ctx, seen, all)
		took := time.Since(began)
		if err != nil && ctx.Err() == nil {
			in.o.Log.LogAttrs(ctx, slog.LevelWarn, "the inbox can't be read", slog.Any("err", err))
			n = 0
		}
		all, seen = false, left
		switch {
		case n > 0 || len(left) > 0:
			wait = lookOften
		default:
			wait = min(max(lookOften, 2*wait), lookSeldom)
		}
		timer.Reset(max(wait, min(9*took, lookLatest))) // looking must not be what the database is busy with
	}
}

// scan adds what is in the database to the queue. An event that has just come
// is mostly in the hands of the process that accepted it, so it is added when
// it is still there at the second look, unless all are wanted. It returns how
// many were added and which were left for the next look.
func (in *Inbox) scan(ctx context.Context, seen map[storage.IncomingID]bool, all bool) (int, map[storage.IncomingID]bool, error) {
	const page = 500
	left := map[storage.IncomingID]bool{}
	n, after := 0, storage.IncomingID(0)
	for in.queue.room() > 0 {
		rows, err := in.o.DB.ReadyIncoming(ctx, after, in.o.Now(), page)
		if err != nil {
			return n, left, err
		}
		var entries []entry
		for _, r := range rows {
			after = r.ID
			if !all && r.Attempts == 0 && !seen[r.ID] {
				left[r.ID] = true
				continue
			}
			entries = append(entries, entry{Incoming: r})
		}
		n += in.queue.add(shuffled(entries))
		if len(rows) < page {
			break
		}
	}
	return n, left, nil
}

// shuffled returns the events with the conversations in random order, so that
// several processes that look at the same time begin at different ends.
func shuffled(events []entry) []entry {
	rank := map[string]int{}
	for _, e := range events {
		if _, ok := rank[e.Conversation]; !ok {
			rank[e.Conversation] = rand.Int()
		}
	}
	slices.SortStableFunc(events, func(a, b entry) int { return cmp.Compare(rank[a.Conversation], rank[b.Conversation]) })
	return events
}

func (in *Inbox) count(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		if n, oldest, err := in.o.DB.CountIncoming(ctx); err == nil { // else the last count stands
			in.metrics.waiting.Set(float64(n))
			age := time.Duration(0)
			if n > 0 {
				age = in.o.Now().Sub(oldest)
			}
			in.metrics.oldest.Set(age.Seconds())
		}
		if n, err := in.o.DB.CountLetters(ctx, storage.FromInbox); err == nil {
			in.metrics.dead.Set(float64(n))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// one makes one attempt at an event and puts it where it then belongs.
func (in *Inbox) one(ctx context.Context, c *conversation, e entry) {
	began := in.o.Now()
	err := in.handle(context.WithoutCancel(ctx), &e)
	_, early := errors.AsType[*EarlyError](err)
	switch taken := (*takenError)(nil); {
	case err == nil:
		in.metrics.seconds.WithLabelValues("all").Observe(in.o.Now().Sub(e.ReceivedAt).Seconds())
		in.metrics.seconds.WithLabelValues("attempt").Observe(in.o.Now().Sub(began).Seconds())
		in.metrics.handled.WithLabelValues("done").Inc()
		in.settled(c, e)
		in.o.OnHandled()
	case errors.As(err, &taken) && errors.Is(err, storage.ErrNotFound):
		in.settled(c, e)
	case errors.As(err, &taken) && errors.Is(err, storage.ErrConflict):
		in.stumble(c, e)
	case errors.Is(err, storage.ErrUnavailable):
		// That is not the event's fault, and nothing can be noted about it.
		in.queue.again(c, e, restFor)
	case early:
		in.aside(context.WithoutCancel(ctx), c, e)
	default:
		in.failed(context.WithoutCancel(ctx), c, e, err)
	}
}

// aside takes an event that came too early out of the way of its conversation,
// for as long again as it has waited already, or drops it.
func (in *Inbox) aside(ctx context.Context, c *conversation, e entry) {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	now := in.o.Now()
	waited := now.Sub(e.ReceivedAt)
	err := in.o.DB.InTx(ctx, func(tx *storage.Tx) error {
		if waited >= chat.Overtaking {
			return tx.TakeIncoming(ctx, e.Incoming, now)
		}
		return tx.SetIncomingAside(ctx, e.ID, AsideOf(e.ev), now.Add(min(max(waited, time.Second), time.Minute)))
	})
	taken := (*takenError)(nil)
	switch err = in.whyNotTaken(ctx, &e, err); {
	case err == nil:
		in.metrics.handled.WithLabelValues("early").Inc()
		in.o.Log.LogAttrs(ctx, slog.LevelDebug, "an event has overtaken what it is about", slog.String("event", e.Key), slog.Duration("waited", waited))
		in.settled(c, e)
	case errors.Is(err, storage.ErrNotFound):
		in.settled(c, e)
	case errors.As(err, &taken):
		in.stumble(c, e)
	default:
		in.queue.again(c, e, restFor)
	}
}

func (in *Inbox) settled(c *conversation, e entry) {
	if in.queue.done(c, e) {
		in.Wake()
	}
}

func (in *Inbox) stumble(c *conversation, e entry) {
	rest, more := stumbleFor(c.stumbles)
	if !more {
		in.queue.drop(c, e)
		return
	}
	c.stumbles++
	in.queue.again(c, e, rest)
}

// takenError is why an event could not be taken, as opposed to what went wrong
// with one that was.
type takenError struct{ error }

func (e *takenError) Unwrap() error { return e.error }

func (in *Inbox) handle(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	if e.ev.Key == "" {
		if err := json.Unmarshal(e.Event, &e.ev); err != nil {
			return fmt.Errorf("decode event: %w", err)
		}
	}
	ev, err := in.prepare(ctx, e.ev)
	if err != nil {
		return err
	}
	err = in.attempt(ctx, ev, func(do Handling) error {
		in.slots <- struct{}{}
		defer func() { <-in.slots }()
		return in.whyNotTaken(ctx, e, in.o.DB.InTx(ctx, func(tx *storage.Tx) error {
			if err := tx.TakeIncoming(ctx, e.Incoming, in.o.Now()); err != nil {
				return err
			}
			_, err := in.run(ctx, tx, ev, do)
			return err
		}))
	})
	if err != nil && ctx.Err() != nil {
		// Not an outage, which would be tried for ever: perhaps it is the event.
		return fmt.Errorf("not done within %s: %v", handleTime, err)
	}
	return err
}

// whyNotTaken says so in place of err, if that is what err is about.
func (in *Inbox) whyNotTaken(ctx context.Context, e *entry, err error) error {
	if !errors.Is(err, storage.ErrNotTaken) {
		return err
	}
	return &takenError{in.o.DB.WhyNotTaken(ctx, e.ID)}
}

func (in *Inbox) prepare(ctx context.Context, ev chat.Event) (prepared chat.Event, err error) {
	defer in.recovered(ctx, "prepare", ev, &err)
	if prepared, err = in.o.Handler.Prepare(ctx, ev); err != nil {
		return ev, err
	}
	e, err := newEntry(in.o.Hide(prepared)) // it may hold text that nobody has cleaned yet
	return e.ev, err
}

// attempt has an event handled in a transaction that within makes, and again in
// another if the network is needed in between.
func (in *Inbox) attempt(ctx context.Context, ev chat.Event, within func(Handling) error) error {
	err := within(func(ctx context.Context, tx *storage.Tx) (chat.Answer, error) {
		return in.o.Handler.Handle(ctx, tx, ev)
	})
	need, ok := errors.AsType[*NeedError](err)
	if !ok {
		return err
	}
	do, err := in.fetch(ctx, ev, need)
	if err != nil {
		return err
	}
	return within(do)
}

func (in *Inbox) fetch(ctx context.Context, ev chat.Event, need *NeedError) (do Handling, err error) {
	defer in.recovered(ctx, "fetch", ev, &err)
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	return need.Fetch(ctx), nil
}

func (in *Inbox) run(ctx context.Context, tx *storage.Tx, ev chat.Event, do Handling) (a chat.Answer, err error) {
	defer in.recovered(ctx, "handle", ev, &err)
	return do(ctx, tx)
}

func (in *Inbox) giveUp(ctx context.Context, tx *storage.Tx, ev chat.Event, cause error) (err error) {
	defer in.recovered(ctx, "give up", ev, &err)
	return in.o.Handler.GiveUp(ctx, tx, ev, cause)
}

// recovered makes an error of a panic: one event must not take the desk down.
// It is to be deferred.
func (in *Inbox) recovered(ctx context.Context, doing string, ev chat.Event, err *error) {
	p := recover()
	if p == nil {
		return
	}
	in.o.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("doing", doing), slog.String("event", ev.Key),
		slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	*err = fmt.Errorf("%s: panic: %v", doing, p)
}

// failed puts the event off, or buries it after the last attempt.
func (in *Inbox) failed(ctx context.Context, c *conversation, e entry, cause error) {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	failures := e.Attempts
	wait := putOff(failures + 1)
	if limited, ok := errors.AsType[*chat.LimitedError](cause); ok {
		// The platform is well and says when to come again: that is no failure.
		wait = jittered(limited.After)
	} else {
		e.Attempts++
	}
	attrs := []slog.Attr{
		slog.String("event", e.Key), slog.String("kind", string(e.ev.Kind)), slog.Int("attempt", e.Attempts), slog.Any("err", cause),
	}
	if e.Attempts >= attempts {
		in.o.Log.LogAttrs(ctx, slog.LevelError, "an event can't be handled", attrs...)
		in.bury(ctx, c, e, cause)
		return
	}
	err := in.o.DB.InTx(ctx, func(tx *storage.Tx) error {
		return tx.PutOffIncoming(ctx, e.ID, e.Attempts, in.o.Now().Add(wait), cause.Error())
	})
	switch {
	case err == nil:
		in.metrics.handled.WithLabelValues("put_off").Inc()
		in.o.Log.LogAttrs(ctx, slog.LevelWarn, "an event is put off", append(attrs, slog.Duration("wait", wait))...)
		in.queue.drop(c, e)
	case errors.Is(err, storage.ErrNotFound):
		in.settled(c, e)
	default:
		e.Attempts = failures
		in.queue.again(c, e, restFor)
	}
}

// bury moves the event to the dead letters and tells the person, unless just
// that fails too.
func (in *Inbox) bury(ctx context.Context, c *conversation, e entry, cause error) {
	bury := func(tell bool) error {
		err := in.o.DB.InTx(ctx, func(tx *storage.Tx) error {
			now := in.o.Now()
			if err := tx.TakeIncoming(ctx, e.Incoming, now); err != nil {
				return err
			}
			if tell {
				if err := in.giveUp(ctx, tx, e.ev, cause); err != nil {
					return err
				}
			}
			return tx.BuryIncoming(ctx, e.Incoming, cause.Error(), now)
		})
		return in.whyNotTaken(ctx, &e, err)
	}
	err := bury(true)
	taken := (*takenError)(nil)
	if err != nil && !errors.As(err, &taken) && !errors.Is(err, storage.ErrUnavailable) {
		in.o.Log.LogAttrs(ctx, slog.LevelError, "nobody can be told of an event that can't be handled",
			slog.String("event", e.Key), slog.Any("err", err))
		err = bury(false)
	}
	switch {
	case err == nil:
		in.metrics.handled.WithLabelValues("buried").Inc()
		in.settled(c, e)
		in.o.OnHandled()
	case errors.As(err, &taken) && errors.Is(err, storage.ErrNotFound):
		in.settled(c, e)
	default:
		e.Attempts--
		in.queue.again(c, e, restFor)
	}
}
