package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

const (
	maxBatch  = 256    // events in one commit, beyond which they cost more than they save
	maxQueued = 20_000 // events in memory that wait for their commit
)

// Accept stores the events and returns when they can't be lost any more. One
// that has been accepted before is not stored again, and that is no error.
//
// ErrUnavailable: they may or may not be stored; the platform should deliver
// them again. Any other error but the context's says that an event is not one.
func (in *Inbox) Accept(ctx context.Context, events ...chat.Event) error {
	if len(events) == 0 {
		return nil
	}
	b := &batch{entries: make([]entry, len(events)), done: make(chan error, 1)}
	for i, ev := range events {
		var err error
		if b.entries[i], err = newEntry(in.o.Hide(ev)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime,
		fmt.Errorf("inbox: no commit within %s: %w", answerTime, storage.ErrUnavailable))
	defer cancel()
	if err := in.batches.add(b); err != nil {
		return err
	}
	select {
	case err := <-b.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// entry is an event in the two forms that are needed of it.
type entry struct {
	storage.Incoming
	ev chat.Event
}

// batch is what one caller of Accept waits for.
type batch struct {
	entries []entry
	done    chan error
}

// batcher gathers what arrives during one commit for the next, so that however
// many arrive, they share the wait for the disk. What arrives while no commit
// is under way goes at once. There is one commit at a time: so events of a
// process become visible in the order in which they came.
type batcher struct {
	store func([]*batch)

	mu     sync.Mutex
	queued []*batch
	events int // in queued
	busy   bool
}

func (b *batcher) add(one *batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.events+len(one.entries) > maxQueued {
		return fmt.Errorf("inbox: %d events wait for the disk: %w", b.events, storage.ErrUnavailable)
	}
	b.queued = append(b.queued, one)
	b.events += len(one.entries)
	if !b.busy {
		b.busy = true
		// Not on the caller's goroutine, who may give up before all are stored.
		go b.run()
	}
	return nil
}

func (b *batcher) run() {
	for {
		b.mu.Lock()
		if len(b.queued) == 0 {
			b.queued, b.busy = nil, false
			b.mu.Unlock()
			return
		}
		n, events := 0, 0
		for n < len(b.queued) && (n == 0 || events+len(b.queued[n].entries) <= maxBatch) {
			events += len(b.queued[n].entries)
			n++
		}
		all := b.queued[:n:n]
		b.queued = b.queued[n:]
		b.events -= events
		b.mu.Unlock()
		b.store(all)
	}
}

// store commits the batches together, tells each caller, and hands what is new
// to the workers of this process.
func (in *Inbox) store(all []*batch) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime) // nobody's own: it is for all callers
	defer cancel()
	err := in.storeBatches(ctx, all)
	if err != nil && !errors.Is(err, storage.ErrUnavailable) && len(all) > 1 {
		// One of them has something that Postgres won't have, which is not the
		// fault of the others.
		for _, b := range all {
			b.done <- in.storeBatches(ctx, []*batch{b})
		}
		return
	}
	for _, b := range all {
		b.done <- err
	}
}

func (in *Inbox) storeBatches(ctx context.Context, all []*batch) error {
	var entries []entry
	for _, b := range all {
		entries = append(entries, b.entries...)
	}
	rows := make([]storage.Incoming, len(entries))
	for i, e := range entries {
		rows[i] = e.Incoming
	}
	now := in.o.Now()
	ids, err := in.o.DB.AcceptIncoming(ctx, rows, now)
	if err != nil {
		return err
	}
	in.metrics.batch.Observe(float64(len(entries)))
	fresh := entries[:0]
	for i, e := range entries {
		if ids[i] != 0 {
			e.ID, e.ReceivedAt, e.DueAt = ids[i], now, now
			fresh = append(fresh, e)
		}
	}
	in.metrics.accepted.WithLabelValues("yes").Add(float64(len(fresh)))
	in.metrics.accepted.WithLabelValues("no").Add(float64(len(entries) - len(fresh)))
	in.queue.add(fresh)
	return nil
}
