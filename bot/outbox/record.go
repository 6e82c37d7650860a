package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/deskhand/deskhand/storage"
)

// recorder gathers outcomes while the last ones are being committed, so that
// many share a commit.
type recorder struct {
	some chan struct{} // there are some

	mu       sync.Mutex
	outcomes storage.Outcomes
}

// add adds one outcome.
func (r *recorder) add(to func(*storage.Outcomes)) {
	r.mu.Lock()
	to(&r.outcomes)
	r.mu.Unlock()
	select {
	case r.some <- struct{}{}:
	default:
	}
}

func (r *recorder) take() storage.Outcomes {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.outcomes
	r.outcomes = storage.Outcomes{}
	return all
}

// record commits outcomes until ctx ends, when no more come, and then what is
// left.
func (out *Outbox) record(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-out.results.some:
		}
		if all := out.results.take(); all.Len() > 0 {
			out.commit(ctx, all)
			out.held.add(-all.Len())
			out.Wake() // what was behind these can go now
		}
	}
}

// commit stores the outcomes, however long the database is away while the
// outbox runs: they are all we know of what has been sent. What is lost all the
// same is claimed again, and looked for on the platform.
func (out *Outbox) commit(ctx context.Context, all storage.Outcomes) {
	const (
		again    = 250 * time.Millisecond
		patience = 10 * time.Second // once the outbox has stopped
	)
	stop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })()
	for {
		late, err := out.o.DB.RecordDeliveries(stop, all, out.o.Now())
		switch {
		case err == nil:
			for _, by := range late {
				out.metrics.alerts.Observe(by.Seconds())
			}
			return
		case stop.Err() != nil:
			out.o.Log.LogAttrs(ctx, slog.LevelError, "deliveries can't be recorded", slog.Any("err", err))
			return
		case !errors.Is(err, storage.ErrUnavailable):
			if all.Len() == 1 {
				out.o.Log.LogAttrs(ctx, slog.LevelError, "a delivery can't be recorded", slog.Any("err", err))
				return
			}
			// One of them must not spoil it for the others.
			for _, one := range split(all) {
				out.commit(ctx, one)
			}
			return
		}
		select {
		case <-stop.Done():
		case <-time.After(again):
		}
	}
}

func split(all storage.Outcomes) []storage.Outcomes {
	var each []storage.Outcomes
	for i := range all.Delivered {
		each = append(each, storage.Outcomes{Delivered: all.Delivered[i : i+1]})
	}
	for i := range all.PutOff {
		each = append(each, storage.Outcomes{PutOff: all.PutOff[i : i+1]})
	}
	for i := range all.Failed {
		each = append(each, storage.Outcomes{Failed: all.Failed[i : i+1]})
	}
	return each
}
