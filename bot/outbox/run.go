package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// held is how many posts this process has claimed and not yet recorded.
type held struct {
	mu sync.Mutex
	n  int
}

func (h *held) add(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n += n
}

func (h *held) room() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maxHeld - h.n
}

// delivery is a claimed post on its way.
type delivery struct {
	storage.Delivery
	draft  storage.Draft
	post   chat.Post
	drawn  time.Time
	update bool // it stands there already

	budgets []chat.Budget
	taken   int  // of budgets
	waited  bool // for one of them
}

// Run delivers until ctx ends, and then finishes the calls in hand.
func (out *Outbox) Run(ctx context.Context) error {
	var helpers sync.WaitGroup
	recording, stopRecording := context.WithCancel(context.WithoutCancel(ctx))
	helpers.Go(func() { out.record(recording) })
	helpers.Go(func() { out.count(recording) })

	wait := time.Duration(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var began time.Time // the last look
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-out.wake:
			// A busy desk wakes us with each event and each message: what is queued
			// within a moment goes together, which costs less.
			if rest := soonest - time.Since(began); rest > 0 {
				timer.Reset(rest)
				continue
			}
		case <-timer.C:
		}
		began = time.Now()
		claimed, err := out.claim(ctx)
		took := time.Since(began)
		switch {
		case err != nil && ctx.Err() == nil:
			out.o.Log.LogAttrs(ctx, slog.LevelWarn, "the outbox can't be read", slog.Any("err", err))
			wait = lookSeldom
		case claimed:
			wait = lookOften
		default:
			wait = min(max(lookOften, 2*wait), lookSeldom)
		}
		timer.Reset(max(wait, 9*took)) // looking must not be what the database is busy with
	}
	out.pace.close(func(d *delivery) { out.putOff(d, 0, d.Unsure, false, nil) })
	out.rounds.Wait()
	stopRecording()
	helpers.Wait()
	return nil
}

// claim claims all that there is room for and starts it on its way.
func (out *Outbox) claim(ctx context.Context) (claimed bool, err error) {
	const atOnce = 128
	for {
		limit := min(out.held.room(), atOnce)
		if limit <= 0 {
			return claimed, nil // whoever makes room wakes us
		}
		// Not cut short when ctx ends: what Postgres then claimed all the same
		// would lie there until the lease runs out.
		claiming, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		all, err := out.o.DB.ClaimDeliveries(claiming, out.o.Now(), lease, limit)
		cancel()
		if err != nil {
			return claimed, err
		}
		if len(all) == 0 {
			return claimed, nil
		}
		claimed = true
		out.held.add(len(all))
		ds := make([]*delivery, len(all))
		for i, d := range all {
			ds[i] = &delivery{Delivery: d}
		}
		finish := context.WithoutCancel(ctx)
		out.rounds.Go(func() {
			for _, d := range out.draw(finish, ds) {
				out.rounds.Go(func() { out.deliver(finish, d) })
			}
		})
		if len(all) < limit {
			return claimed, nil
		}
	}
}

// draw draws the deliveries from one moment of the record and returns those
// that are to be sent. What became of the others is with the recorder.
func (out *Outbox) draw(ctx context.Context, all []*delivery) []*delivery {
	for {
		var send []*delivery
		var settled []func()
		var broken *delivery
		together := true // they could be read together
		err := out.o.DB.View(ctx, func(tx *storage.Tx) error {
			send, settled, broken, together = nil, nil, nil, true
			claimed := make([]storage.Delivery, len(all))
			for i, d := range all {
				claimed[i] = d.Delivery
			}
			found, err := tx.Drafts(ctx, claimed)
			if err != nil {
				return err
			}
			now := out.o.Now()
			var due []*delivery
			var drafts []storage.Draft
			for _, d := range all {
				draft, ours := found[d.ID]
				if !ours { // it took us too long, and somebody else is at it
					settled = append(settled, func() { out.held.add(-1) })
					continue
				}
				d.draft, d.drawn = draft, now
				d.update = draft.Kind == string(chat.Message) && draft.External != ""
				if settle := out.undeliverable(d, now); settle != nil {
					settled = append(settled, settle)
					continue
				}
				due, drafts = append(due, d), append(drafts, draft)
			}
			if len(due) == 0 {
				return nil
			}
			one, err := out.drawing(ctx, tx, drafts)
			if err != nil {
				if together = false; len(all) == 1 {
					broken = due[0]
				}
				return err
			}
			for _, d := range due {
				d.post, err = out.drawOne(ctx, one, d)
				switch {
				case errors.Is(err, storage.ErrNotFound):
					settled = append(settled, func() { out.nothing(d) })
				case err != nil:
					broken = d
					return err
				default:
					send = append(send, d)
				}
			}
			return nil
		})
		switch {
		case err == nil:
			for _, settle := range settled {
				settle()
			}
			return send
		case !errors.Is(err, storage.ErrUnavailable) && !together && len(all) > 1:
			// One of them must not keep the rest from being read.
			send = nil
			for _, d := range all {
				send = append(send, out.draw(ctx, []*delivery{d})...)
			}
			return send
		case errors.Is(err, storage.ErrUnavailable) || broken == nil:
			// Nothing can be read or recorded now. The claims run out by
			// themselves, unless we get to put them off.
			for _, d := range all {
				out.putOff(d, firstRetry, d.Unsure, false, err)
			}
			return nil
		}
		// One that can't be drawn may have spoilt the transaction for the rest.
		out.passing(broken, broken.Unsure, fmt.Errorf("draw: %w", err))
		rest := make([]*delivery, 0, len(all)-1)
		for _, d := range all {
			if d != broken {
				rest = append(rest, d)
			}
		}
		if all = rest; len(all) == 0 {
			return nil
		}
	}
}

type drawOne = func(context.Context, storage.Draft) (chat.Post, error)

func (out *Outbox) drawing(ctx context.Context, tx *storage.Tx, all []storage.Draft) (one drawOne, err error) {
	defer out.recovered(ctx, nil, &err)
	return out.o.Drawer.Drawing(ctx, tx, all)
}

func (out *Outbox) drawOne(ctx context.Context, one drawOne, d *delivery) (p chat.Post, err error) {
	defer out.recovered(ctx, d, &err)
	if p, err = one(ctx, d.draft); err != nil {
		return p, err
	}
	if p.ID == "" {
		p.ID = strconv.FormatInt(int64(d.ID), 10)
	}
	p.Queued = d.draft.CreatedAt
	return p, nil
}

// undeliverable returns what to do with a delivery that is not to be sent now,
// or nil.
func (out *Outbox) undeliverable(d *delivery, now time.Time) func() {
	p := d.draft
	kind := chat.PostKind(p.Kind)
	switch {
	case p.Failed != "":
		return func() { out.nothing(d) }
	case p.Orphan:
		return func() { out.failed(d, "orphan", "the message that was to open its thread has failed", d.Unsure) }
	case p.Thread != 0 && !p.Root && p.In.Root == "":
		return func() { out.passing(d, d.Unsure, errors.New("its thread is not open yet")) }
	case (kind == chat.Whisper || kind == chat.React || kind == chat.Unreact) && now.Sub(p.CreatedAt) > pointless:
		return func() {
			out.failed(d, "late", fmt.Sprintf("not delivered within %s, and pointless after that", pointless), d.Unsure)
		}
	case out.o.Platforms[p.Platform] == nil:
		return func() { out.passing(d, d.Unsure, fmt.Errorf("no platform %q here", p.Platform)) }
	}
	return nil
}

// recovered makes an error of a panic, over a delivery or over all of a round.
// It is to be deferred.
func (out *Outbox) recovered(ctx context.Context, d *delivery, err *error) {
	if p := recover(); p != nil {
		out.panicked(ctx, d, p)
		*err = fmt.Errorf("panic: %v", p)
	}
}

func (out *Outbox) panicked(ctx context.Context, d *delivery, p any) {
	attrs := []slog.Attr{slog.Any("panic", p), slog.String("stack", string(debug.Stack()))}
	if d != nil {
		attrs = append(d.attrs(), attrs...)
	}
	out.o.Log.LogAttrs(ctx, slog.LevelError, "panic", attrs...)
}

func (out *Outbox) count(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		if n, oldest, err := out.o.DB.CountOutbox(ctx); err == nil { // else the last count stands
			out.metrics.waiting.Set(float64(n))
			age := time.Duration(0)
			if n > 0 {
				age = out.o.Now().Sub(oldest)
			}
			out.metrics.oldest.Set(age.Seconds())
		}
		if n, err := out.o.DB.CountLetters(ctx, storage.FromOutbox); err == nil {
			out.metrics.dead.Set(float64(n))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
