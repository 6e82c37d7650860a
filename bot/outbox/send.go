package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// fresh is how old a drawing may be when it is sent.
const fresh = 100 * time.Millisecond

// deliver takes the budgets that the delivery is subject to, one after the
// other, and then sends it.
func (out *Outbox) deliver(ctx context.Context, d *delivery) {
	if out.o.Pace != nil {
		d.budgets = out.o.Platforms[d.draft.Platform].Budgets(d.post, d.update)
	}
	out.next(ctx, d)
}

func (out *Outbox) next(ctx context.Context, d *delivery) {
	if d.taken < len(d.budgets) {
		out.enter(ctx, d)
		return
	}
	if d.waited && out.o.Now().Sub(d.drawn) > fresh && len(out.draw(ctx, []*delivery{d})) == 0 {
		return
	}
	out.send(ctx, d)
}

// send makes the calls and tells the recorder what came of them.
func (out *Outbox) send(ctx context.Context, d *delivery) {
	calls := out.calls[d.draft.Platform]
	calls <- struct{}{}
	defer func() { <-calls }()
	if d.Lease.Sub(out.o.Now()) < callTime {
		// Somebody else could claim it before the call is over.
		out.putOff(d, 0, d.Unsure, false, nil)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()

	unsure := false // whether a failure leaves us not knowing
	ref, found, err := chat.Ref{}, false, error(nil)
	if d.Unsure && d.draft.Kind == string(chat.Message) && !d.update {
		ref, found, err = out.find(ctx, d)
		unsure = err != nil
	}
	if err == nil && !found {
		ref, err = out.call(ctx, d)
	}
	if err == nil {
		out.delivered(d, ref, found)
		return
	}
	var limited *chat.LimitedError
	var refused *chat.RefusedError
	switch {
	case errors.As(err, &limited):
		out.metrics.failures.WithLabelValues("limited").Inc()
		until := out.o.Now().Add(limited.After)
		for _, b := range d.budgets {
			if !b.Wide {
				out.o.Pace.Block(ctx, b.Name, until)
			}
		}
		if out.tooOld(d) {
			out.failed(d, "refused", err.Error(), d.Unsure)
			return
		}
		out.putOff(d, limited.After, unsure, false, err)
	case errors.As(err, &refused):
		if d.update {
			out.dropChange(d, err)
			return
		}
		out.failed(d, "refused", err.Error(), d.Unsure)
	case errors.Is(err, chat.ErrGone) && d.update:
		out.gone(d, err)
	case errors.Is(err, chat.ErrGone):
		out.failed(d, "gone", err.Error(), d.Unsure)
	case errors.Is(err, chat.ErrUnsure) || ctx.Err() != nil:
		out.metrics.failures.WithLabelValues("unsure").Inc()
		out.passing(d, true, err)
	default:
		out.passing(d, unsure, err)
	}
}

func (out *Outbox) call(ctx context.Context, d *delivery) (ref chat.Ref, err error) {
	defer func() {
		if p := recover(); p != nil {
			out.panicked(ctx, d, p)
			err = chat.ErrUnsure
		}
	}()
	platform := out.o.Platforms[d.draft.Platform]
	if d.update {
		return ref, platform.Update(ctx, chat.Ref{Channel: d.draft.SentChannel, Message: d.draft.External}, d.post)
	}
	return platform.Send(ctx, d.post)
}

func (out *Outbox) find(ctx context.Context, d *delivery) (ref chat.Ref, found bool, err error) {
	defer out.recovered(ctx, d, &err)
	return out.o.Platforms[d.draft.Platform].Find(ctx, d.post)
}

// delivered notes that the platform has taken the post, now or, if it was
// found, before.
func (out *Outbox) delivered(d *delivery, ref chat.Ref, found bool) {
	lane := d.Lane.String()
	out.metrics.delivered.WithLabelValues(lane).Inc()
	out.metrics.seconds.WithLabelValues(lane).Observe(out.o.Now().Sub(d.EnqueuedAt).Seconds())
	out.results.add(func(o *storage.Outcomes) {
		o.Delivered = append(o.Delivered, storage.Delivered{
			Delivery: d.Delivery, Wanted: d.draft.Wanted, Before: d.draft.SentAt != nil, Root: d.draft.Root, Channel: ref.Channel, External: ref.Message,
			Drawn: d.drawn, At: out.o.Now(),
			// What stands there was drawn at another time.
			Again: found && (d.draft.Card != "" || d.draft.Wanted > 1),
		})
	})
}

// nothing takes a post from the queue for which there is nothing to do.
func (out *Outbox) nothing(d *delivery) {
	if d.draft.SentAt == nil && d.draft.Failed == "" && d.draft.Kind != string(chat.Home) {
		out.results.add(func(o *storage.Outcomes) {
			o.Failed = append(o.Failed, storage.Failed{Delivery: d.Delivery, Reason: "nothing to show"})
		})
		return
	}
	out.results.add(func(o *storage.Outcomes) {
		o.Delivered = append(o.Delivered, storage.Delivered{Delivery: d.Delivery, Wanted: d.draft.Wanted, Before: d.draft.SentAt != nil})
	})
}

// dropChange leaves a post as it stands on the platform, which refuses this
// change of it but may take a later one.
func (out *Outbox) dropChange(d *delivery, err error) {
	out.metrics.failures.WithLabelValues("refused").Inc()
	out.o.Log.LogAttrs(context.Background(), slog.LevelError, "a change of a post is refused", append(d.attrs(), slog.Any("err", err))...)
	out.results.add(func(o *storage.Outcomes) {
		o.Delivered = append(o.Delivered, storage.Delivered{Delivery: d.Delivery, Wanted: d.draft.Wanted, Before: d.draft.SentAt != nil, Letter: err.Error()})
	})
}

// gone notes that the post has been removed from the platform. Somebody meant
// it, so nobody need be told.
func (out *Outbox) gone(d *delivery, err error) {
	out.metrics.failures.WithLabelValues("gone").Inc()
	out.results.add(func(o *storage.Outcomes) {
		o.Failed = append(o.Failed, storage.Failed{Delivery: d.Delivery, Reason: err.Error()})
	})
}

// failed notes that the post will never be delivered; unsure, that an attempt at
// it may have succeeded all the same.
func (out *Outbox) failed(d *delivery, kind, reason string, unsure bool) {
	out.metrics.failures.WithLabelValues(kind).Inc()
	out.o.Log.LogAttrs(context.Background(), slog.LevelError, "a post can't be delivered", append(d.attrs(), slog.String("reason", reason))...)
	out.results.add(func(o *storage.Outcomes) {
		o.Failed = append(o.Failed, storage.Failed{Delivery: d.Delivery, Reason: reason, Letter: true, Unsure: unsure})
	})
}

// passing has a failed attempt tried again later, each time after twice as
// long, for as long as an outage may last.
func (out *Outbox) passing(d *delivery, unsure bool, err error) {
	out.metrics.failures.WithLabelValues("error").Inc()
	if out.tooOld(d) {
		out.failed(d, "error", err.Error(), unsure || d.Unsure)
		return
	}
	level := slog.LevelDebug
	if d.Attempts == 1 {
		level = slog.LevelWarn // once a post is enough in an outage
	}
	wait := backoff(d.Attempts)
	if unsure {
		wait = max(wait, 2*firstRetry) // the call may still be on its way
	}
	out.o.Log.LogAttrs(context.Background(), level, "a post is put off",
		append(d.attrs(), slog.Duration("wait", wait), slog.Any("err", err))...)
	out.putOff(d, wait, unsure, true, err)
}

func (out *Outbox) tooOld(d *delivery) bool { return out.o.Now().Sub(d.EnqueuedAt) > giveUp }

func (out *Outbox) putOff(d *delivery, wait time.Duration, unsure, counted bool, err error) {
	cause := ""
	if err != nil {
		cause = err.Error()
	}
	until := out.o.Now().Add(wait)
	out.results.add(func(o *storage.Outcomes) {
		o.PutOff = append(o.PutOff, storage.PutOff{Delivery: d.Delivery, Until: until, Cause: cause, Unsure: unsure, Counted: counted})
	})
}

// backoff is a second after the first attempt, doubling up to ten minutes,
// give or take a fifth.
func backoff(attempts int) time.Duration {
	d := min(firstRetry<<min(attempts-1, 16), lastRetry)
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// attrs are what the log says of a delivery; never its text.
func (d *delivery) attrs() []slog.Attr {
	return []slog.Attr{
		slog.Int64("post", int64(d.ID)), slog.String("kind", d.draft.Kind), slog.String("card", d.draft.Card),
		slog.String("lane", d.Lane.String()), slog.Int("attempt", d.Attempts),
	}
}
